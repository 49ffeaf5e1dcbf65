"""Buckets of history, computed in numpy from rows in chunks, each point's in the order of time.

A value holds until the point's next sample, at most for the point's hold age (step-hold). A sample
enters min, max and the time-weighted mean when its quality is good and its value finite, and so does
the value that still holds when a bucket opens; only such time counts as good. Chunks may cut anywhere:
what spans two of them is carried over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.quality import RANK, is_good

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("n", pa.uint64()),
        ("n_good", pa.uint64()),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("mean", pa.float64()),
        ("first", pa.float64()),
        ("first_quality", pa.uint8()),
        ("last", pa.float64()),
        ("last_quality", pa.uint8()),
        ("worst", pa.uint8()),
        ("good_us", pa.int64()),
    ]
)

Columns = dict[str, NDArray[Any]]


@dataclass
class Rows:
    """Samples of points, columns of equal length: `point` is an index into the points asked, never
    falling; `ts` rises within a point, and from one chunk to the next."""

    point: NDArray[np.int64]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, rows: NDArray[Any]) -> Rows:
        """The rows that an index or a mask names."""
        return Rows(self.point[rows], self.ts[rows], self.value[rows], self.quality[rows])

    def after(self, earlier: Rows) -> Rows:
        """These with earlier ones of the same points before them."""
        both = Rows(*(np.concatenate([getattr(part, name) for part in (earlier, self)]) for name in _COLUMNS))
        return both.take(np.argsort(both.point, kind="stable"))


_COLUMNS = ("point", "ts", "value", "quality")


def _starts(key: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.empty(0, np.intp)


def _worst(quality: NDArray[np.uint8], starts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The worst quality of each run; of several of equal rank the first."""
    # Rank above, place below: the least of each run is the first row of the worst rank.
    place = (RANK[quality].astype(np.int64) << 40) | np.arange(len(quality))
    return quality[np.minimum.reduceat(place, starts) & ((1 << 40) - 1)]


@dataclass
class Buckets:
    """Gathers chunks for buckets of `width` µs from `start` (included) to `end` (excluded). `points`
    uint64 and `age` int64 µs are of equal length; results come in the order of `points`. With `since`, a later
    moment than `start`, only what is from there on counts: the buckets are then parts of buckets."""

    points: NDArray[np.uint64]
    age: NDArray[np.int64]
    start: int
    end: int
    width: int
    since: int | None = None
    _carry: Rows = field(default_factory=lambda: Rows(*(np.empty(0, t) for t in (int, int, float, np.uint8))))
    _samples: list[Columns] = field(default_factory=list)
    _held: list[Columns] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._per_point = -(-(self.end - self.start) // self.width)
        self._since = self.start if self.since is None else self.since

    def add(self, rows: Rows) -> None:
        """Take in the next rows, those before the start included: they seed what holds there."""
        if not len(rows):
            return
        self._count(rows)
        rows = rows.after(self._carry)
        # The last row of each point holds until a later chunk says otherwise.
        last = np.append(rows.point[1:] != rows.point[:-1], True)
        self._carry = rows.take(last)
        self._hold(rows.take(~last), rows.ts[1:][~last[:-1]])

    def result(self) -> pa.Table:
        """All buckets that have a sample or good time, ordered by point and time."""
        self._hold(self._carry, np.full(len(self._carry), self.end, np.int64))
        samples, held = _merge_samples(self._samples), _merge_held(self._held)
        key = np.union1d(samples["key"], held["key"])
        at, over = np.searchsorted(key, samples["key"]), np.searchsorted(key, held["key"])

        def spread(empty: float, dtype: type, where: NDArray[np.intp], what: NDArray[Any]) -> NDArray[Any]:
            column = np.full(len(key), empty, dtype)
            column[where] = what
            return column

        good_us = spread(0, np.int64, over, held["good_us"])
        area = spread(np.nan, np.float64, over, held["area"])
        columns: Columns = {
            "point": self.points[key // self._per_point],
            "ts": self.start + (key % self._per_point) * self.width,
            "mean": np.divide(area, good_us, out=np.full(len(key), np.nan), where=good_us > 0),
            "good_us": good_us,
        }
        for name in ("n", "n_good"):
            columns[name] = spread(0, np.uint64, at, samples[name])
        for name in ("first", "last"):
            columns[name] = spread(np.nan, np.float64, at, samples[name])
        # What holds from before the bucket counts as well, or the mean could lie outside of them.
        for name, extreme in (("min", np.fmin), ("max", np.fmax)):
            columns[name] = extreme(
                spread(np.nan, np.float64, at, samples[name]), spread(np.nan, np.float64, over, held[name])
            )
        for name in ("first_quality", "last_quality", "worst"):
            # Without a sample, the bucket has the quality of the one that holds through it.
            columns[name] = spread(0, np.uint8, over, held["quality"])
            columns[name][at] = samples[name]
        return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _count(self, rows: Rows) -> None:
        inside = (rows.ts >= self._since) & (rows.ts < self.end)
        key = rows.point[inside] * self._per_point + (rows.ts[inside] - self.start) // self.width
        if not len(key):
            return
        value, quality = rows.value[inside], rows.quality[inside]
        starts = _starts(key)
        ends = np.append(starts[1:], len(key)) - 1
        usable = is_good(quality) & np.isfinite(value)
        masked = np.where(usable, value, np.nan)
        self._samples.append(
            {
                "key": key[starts],
                "n": np.diff(np.append(starts, len(key))).astype(np.uint64),
                "n_good": np.add.reduceat(usable.astype(np.uint64), starts),
                "min": np.fmin.reduceat(masked, starts),
                "max": np.fmax.reduceat(masked, starts),
                "first": value[starts],
                "first_quality": quality[starts],
                "last": value[ends],
                "last_quality": quality[ends],
                "worst": _worst(quality, starts),
            }
        )

    def _hold(self, rows: Rows, until: NDArray[np.int64]) -> None:
        """Spread each row's held time, from its instant to `until` or its hold age, over the buckets."""
        begin = np.maximum(rows.ts, self._since)
        end = np.minimum(np.minimum(until, rows.ts + self.age[rows.point]), self.end)
        keep = (end > begin) & is_good(rows.quality) & np.isfinite(rows.value)
        if not keep.any():
            return
        begin, end, point = begin[keep], end[keep], rows.point[keep]
        value, quality = rows.value[keep], rows.quality[keep]
        first = (begin - self.start) // self.width
        count = (end - 1 - self.start) // self.width - first + 1
        row = np.repeat(np.arange(len(begin)), count)
        step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        bucket = first[row] + step
        opens = self.start + bucket * self.width
        duration = np.minimum(end[row], opens + self.width) - np.maximum(begin[row], opens)
        key = point[row] * self._per_point + bucket
        starts = _starts(key)
        self._held.append(
            {
                "key": key[starts],
                "good_us": np.add.reduceat(duration, starts),
                "area": np.add.reduceat(value[row] * duration, starts),
                "min": np.minimum.reduceat(value[row], starts),
                "max": np.maximum.reduceat(value[row], starts),
                "quality": quality[row][starts],
            }
        )


def _join(parts: list[Columns]) -> tuple[Columns, NDArray[np.intp]]:
    """The chunks' columns as one, sorted by key and within it by time, and where each key's run begins."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(whole["key"], kind="stable")
    whole = {name: column[order] for name, column in whole.items()}
    return whole, _starts(whole["key"])


def _merge_samples(parts: list[Columns]) -> Columns:
    if not parts:
        names = ("n", "n_good", "min", "max", "first", "first_quality", "last", "last_quality", "worst")
        return {"key": np.empty(0, np.int64), **dict.fromkeys(names, np.empty(0))}
    whole, starts = _join(parts)
    ends = np.append(starts[1:], len(whole["key"])) - 1
    return {
        "key": whole["key"][starts],
        "n": np.add.reduceat(whole["n"], starts),
        "n_good": np.add.reduceat(whole["n_good"], starts),
        "min": np.fmin.reduceat(whole["min"], starts),
        "max": np.fmax.reduceat(whole["max"], starts),
        "first": whole["first"][starts],
        "first_quality": whole["first_quality"][starts],
        "last": whole["last"][ends],
        "last_quality": whole["last_quality"][ends],
        "worst": _worst(whole["worst"], starts),
    }


def _merge_held(parts: list[Columns]) -> Columns:
    if not parts:
        names = ("good_us", "area", "min", "max", "quality")
        return {"key": np.empty(0, np.int64), **dict.fromkeys(names, np.empty(0))}
    whole, starts = _join(parts)
    return {
        "key": whole["key"][starts],
        "good_us": np.add.reduceat(whole["good_us"], starts),
        "area": np.add.reduceat(whole["area"], starts),
        "min": np.minimum.reduceat(whole["min"], starts),
        "max": np.maximum.reduceat(whole["max"], starts),
        "quality": whole["quality"][starts],
    }
