"""Points on one grid of instants: what each was at each of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.held import Spans
from models.quality import Quality, is_good

SCHEMA = pa.schema([("point", pa.uint64()), ("ts", pa.int64()), ("value", pa.float64()), ("quality", pa.uint8())])


class Grid:
    """Fills the instants start, start + step, … before `end` (µs) of `points` (uint64) from spans."""

    def __init__(self, points: NDArray[np.uint64], start: int, end: int, step: int) -> None:
        self._points, self._start, self._step = points, start, step
        self._steps = -(-(end - start) // step)
        cells = len(points) * self._steps
        self._value = np.full(cells, np.nan)
        self._quality = np.full(cells, Quality.BAD_LAST_KNOWN, np.uint8)

    def add(self, spans: Spans) -> None:
        """Take in the next spans, bad ones too: an instant has the quality of what holds there."""
        first = -((self._start - spans.begin) // self._step)
        count = -((self._start - spans.end) // self._step) - first
        row = np.repeat(np.arange(len(spans)), count)
        step = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        cell = spans.point[row] * self._steps + step
        usable = is_good(spans.quality) & np.isfinite(spans.value)
        self._value[cell] = np.where(usable, spans.value, np.nan)[row]
        self._quality[cell] = spans.quality[row]

    def result(self) -> pa.Table:
        """Every instant of every point. The value is NaN unless it is good; where nothing holds any more the
        quality is that of a last known value."""
        ts = self._start + np.arange(self._steps) * self._step
        columns = [
            np.repeat(self._points, self._steps),
            np.tile(ts, len(self._points)),
            self._value,
            self._quality,
        ]
        return pa.table(columns, schema=SCHEMA)
