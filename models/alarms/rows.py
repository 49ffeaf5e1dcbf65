"""A batch in order: by point, and within a point by time; and the latest sample of every point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alarms.track import NEVER
from models.quality import UNCERTAIN, Quality

_WIDE = 1 << 62
VOID = np.array([code < UNCERTAIN or 128 <= code < 192 for code in range(256)])
"""Qualities that say nothing of the value."""
_UNHEARD = (Quality.BAD_NOT_CONNECTED, Quality.BAD_LAST_KNOWN, Quality.BAD_COMMUNICATION, Quality.BAD_WAITING)
UNHEARD = np.array([code & ~3 in _UNHEARD for code in range(256)])
"""Qualities by which a gateway says itself that nothing comes from the point: no word of the point's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples as columns; `point` is a place among the site's points."""

    point: NDArray[np.intp]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.point)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
        return Columns(self.point[rows], self.ts[rows], self.value[rows], self.quality[rows])


class Latest:
    """Time, value and quality of each point's newest sample; NEVER before the first. `judged`: by the rules that hold,
    and not by those of an engine before."""

    def __init__(self, count: int) -> None:
        self.ts = np.full(count, NEVER, np.int64)
        self.value = np.full(count, np.nan)
        self.quality = np.zeros(count, np.uint8)
        self.judged = np.zeros(count, np.bool_)

    def columns(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        yield "ts", self.ts
        yield "value", self.value
        yield "quality", self.quality

    def take(self, rows: Rows) -> None:
        last = rows.last()
        point = rows.point[last]
        self.ts[point], self.value[point], self.quality[point] = rows.ts[last], rows.value[last], rows.quality[last]
        self.judged[point] = True


class Rows(Columns):
    """Columns by point and rising time, no time of a point twice."""

    @staticmethod
    def of(columns: Columns) -> Rows:
        """Of two of one point and time the later one stays."""
        point, ts = columns.point, columns.ts
        if not _ordered(point, ts):
            order = _unique_order(point)
            if order is None:
                order = np.lexsort((ts, point))
            columns = columns.where(order)
            point, ts = columns.point, columns.ts
        again = (point[1:] == point[:-1]) & (ts[1:] == ts[:-1])
        if again.any():
            columns = columns.where(np.append(~again, True))
        return Rows(columns.point, columns.ts, columns.value, columns.quality)

    def first(self) -> NDArray[np.intp]:
        """The row of each point's first sample."""
        return np.flatnonzero(np.append(True, self.point[1:] != self.point[:-1])) if len(self) else _none()

    def last(self) -> NDArray[np.intp]:
        """The row of each point's last sample."""
        return np.flatnonzero(np.append(self.point[1:] != self.point[:-1], True)) if len(self) else _none()

    def span(self, point: int) -> tuple[int, int]:
        """The first row of a point, and the one behind its last."""
        begin, end = np.searchsorted(self.point, (point, point + 1))
        return int(begin), int(end)

    def state_at(
        self, point: NDArray[np.intp], ts: NDArray[np.int64], before: Latest, oldest: NDArray[np.int64] | int
    ) -> NDArray[np.float64]:
        """What each point was at a time: by its newest sample here that is not later, or by the one before. NaN where
        that is not known: nothing came yet, it is bad, or older than `oldest` µs."""
        row = self.row_at(point, ts)
        here, row = row >= 0, np.maximum(row, 0)
        quality = np.where(here, self.quality[row], before.quality[point])
        old = ts - np.where(here, self.ts[row], before.ts[point]) > oldest
        return np.where(VOID[quality] | old, np.nan, np.where(here, self.value[row], before.value[point]))

    def row_at(self, point: NDArray[np.intp], ts: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row of each point's newest sample that is not later than a time; -1 where there is none."""
        if not len(self) or not len(point):
            return np.full(len(point), -1, np.intp)
        if (self.point[1:] != self.point[:-1]).all():
            alone = np.full(int(max(self.point[-1], point.max())) + 1, -1, np.intp)
            alone[self.point] = np.arange(len(self))
            row = alone[point]
            return np.where((row >= 0) & (self.ts[row] <= ts), row, -1)
        moment, asked = self.ts - self.ts.min(), ts - self.ts.min()
        span = int(moment.max()) + 2
        if span * (int(max(self.point[-1], point.max())) + 2) >= _WIDE:
            # Times too far apart to stand beside a point in one number: their ranks do.
            ranks = np.unique(self.ts)
            moment, asked = np.searchsorted(ranks, self.ts), np.searchsorted(ranks, ts, side="right") - 1
            span = len(ranks) + 2
        asked = np.clip(asked, -1, span - 2)
        row = np.searchsorted(self.point * span + moment, point * span + asked, side="right") - 1
        return np.where((row >= 0) & (self.point[np.maximum(row, 0)] == point), row, -1)


def _ordered(point: NDArray[np.intp], ts: NDArray[np.int64]) -> bool:
    step = np.diff(point)
    return bool(((step > 0) | ((step == 0) & (np.diff(ts) >= 0))).all())


def _unique_order(point: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The order by point where none comes twice; else None."""
    at = np.full(int(point.max()) + 1, -1, np.intp)
    at[point] = np.arange(len(point))
    order = at[at >= 0]
    return order if len(order) == len(point) else None


def _none() -> NDArray[np.intp]:
    return np.empty(0, np.intp)
