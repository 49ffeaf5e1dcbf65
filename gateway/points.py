"""The points of one connection as columns, and the rows of them that a reading names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.site.model import Kind, Point, Retention
from protocols.adapter import Tag

NEVER = -(1 << 62)
"""A time before all times, µs; far enough from the edge of int64 that differences do not overflow."""

Rows = slice | NDArray[np.intp]
"""Positions in the columns: a slice where they are neighbours in order, else an array."""


@dataclass(frozen=True, slots=True, eq=False)
class PointTable:
    """What normalisation and the exception report need of n points, in the order of their tags' indices.

    `silence_us` is the time after which the next sample must be reported for the point's longest
    silence to hold: the silence itself less one cadence (the poll period, or that of the sweep).
    """

    points: tuple[Point, ...]
    tags: tuple[Tag, ...]
    ids: NDArray[np.uint64]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    dead_band: NDArray[np.float64]
    cadence_us: NDArray[np.int64]
    """How often each point is looked at: its poll group's period, or the sweep's."""
    silence_us: NDArray[np.int64]
    stale_us: NDArray[np.int64]
    statutory: NDArray[np.bool_]
    scaled: bool
    bounded: bool
    textual: bool
    derived: NDArray[np.bool_]
    """Which points are derived from others: no adapter ever hears of them."""

    def __len__(self) -> int:
        return len(self.points)

    @staticmethod
    def build(points: Sequence[Point], cadence_s: Mapping[str, float], sweep_s: float) -> PointTable:
        """The table of one connection's points. `cadence_s`: the period of each poll group, by name."""

        def column(values: Iterator[float], dtype: type = np.float64) -> NDArray[np.float64]:
            return np.fromiter(values, dtype, len(points))

        factor, offset = column(p.factor for p in points), column(p.offset for p in points)
        low, high = column(p.low for p in points), column(p.high for p in points)
        silence = column((p.silence_s * 1e6 for p in points), np.int64)
        cadence = column((cadence_s.get(p.group, sweep_s) * 1e6 for p in points), np.int64)
        return PointTable(
            points=tuple(points),
            tags=tuple(
                Tag(i, p.path, p.address, p.type, p.order, p.options, cadence_s.get(p.group, 0.0))
                for i, p in enumerate(points)
            ),
            ids=np.fromiter((p.id for p in points), np.uint64, len(points)),
            factor=factor,
            offset=offset,
            low=low,
            high=high,
            dead_band=column(p.dead_band for p in points),
            cadence_us=cadence,
            silence_us=np.maximum(silence - cadence, 0) + 1,
            stale_us=2 * np.maximum(silence, cadence),
            statutory=np.fromiter((p.retention is Retention.STATUTORY for p in points), np.bool_, len(points)),
            scaled=bool((factor != 1).any() or (offset != 0).any()),
            bounded=not bool(np.isnan(low).all() and np.isnan(high).all()),
            textual=any(p.kind is Kind.TEXT for p in points),
            derived=np.fromiter((p.formula is not None for p in points), np.bool_, len(points)),
        )


def rows_of(index: NDArray[np.int32], count: int) -> Rows:
    """The rows that an adapter's indices name. Raises IndexError for one outside 0 … count-1."""
    n = len(index)
    if n == 0:
        return slice(0, 0)
    first, last = int(index[0]), int(index[-1])
    if last - first == n - 1 and first >= 0 and last < count and (n < 3 or bool((index[1:] - index[:-1] == 1).all())):
        return slice(first, last + 1)
    if int(index.min()) < 0 or int(index.max()) >= count:
        raise IndexError(f"the adapter gave an index outside 0 … {count - 1}")
    return index.astype(np.intp)


def rounds(rows: Rows, count: int) -> list[NDArray[np.intp]] | None:
    """Positions of a reading split so that no round holds a point twice and each point's rows keep
    their order; None when no point comes twice. A device that sends by itself may send one point
    many times at once; what holds for a sample depends on the one before it."""
    if isinstance(rows, slice) or len(rows) < 2 or int(np.bincount(rows, minlength=count).max()) < 2:
        return None
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.append(starts, len(ordered)))
    turn = np.empty(len(rows), np.intp)
    turn[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
    by_turn = np.argsort(turn, kind="stable")
    return np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])
