"""Report by exception: which samples are worth sending.

A sample is reported when its value left the dead-band around the last reported one, when its quality
or its text changed, or when the point has been silent for its longest silence, counted both by the
samples' own times and by ours. What is not reported does not move the last reported value, so that
a slow drift is seen. No value (NaN) after no value is no change.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gateway.points import NEVER, PointTable, Rows


class ExceptionReport:
    """Remembers what was last reported of each point of one connection."""

    def __init__(self, table: PointTable) -> None:
        count = len(table)
        self._table = table
        self._dead_band = table.dead_band
        self.value = np.full(count, np.nan)
        self.quality = np.zeros(count, np.uint8)
        self.ts = np.full(count, NEVER, np.int64)
        self.at = np.full(count, NEVER, np.int64)
        self._text = np.full(count, None, object) if table.textual else None

    def widen(self, factor: float) -> None:
        """Multiply the dead-bands of bulk points; those of statutory points stay as they are."""
        table = self._table
        self._dead_band = np.where(table.statutory, table.dead_band, table.dead_band * factor)

    def same(self, rows: Rows, value: NDArray[np.float64], quality: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which rows say what was last reported of them: within the dead-band, and as good."""
        with np.errstate(invalid="ignore"):
            same: NDArray[np.bool_] = np.abs(value - self.value[rows]) <= self._dead_band[rows]
        if not same.all():
            same |= np.isnan(value) & np.isnan(self.value[rows])
        same &= quality == self.quality[rows]
        return same

    def judge(
        self,
        rows: Rows,
        ts: NDArray[np.int64],
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        text: pa.StringArray | None,
        at: int,
        late: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Which rows to report; no point twice in `rows`. `at`: our time, µs. Late rows are always
        reported, as they are history and not the present, and change nothing of what is remembered."""
        silence = self._table.silence_us[rows]
        last_ts = self.ts[rows]
        same = self.same(rows, value, quality)
        same &= ts - last_ts < silence
        same &= at - self.at[rows] < silence
        words = None
        if self._text is not None:
            words = np.full(len(value), None, object) if text is None else text.to_numpy(zero_copy_only=False)
            same &= words == self._text[rows]
        keep: NDArray[np.bool_] = ~same
        if late is not None:
            keep |= late
            self.remember(rows, ts, value, quality, words, at, keep & ~late)
        else:
            self.remember(rows, ts, value, quality, words, at, keep)
        return keep

    def remember(
        self,
        rows: Rows,
        ts: NDArray[np.int64],
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        words: NDArray[np.object_] | None,
        at: int,
        which: NDArray[np.bool_],
    ) -> None:
        """These rows were reported."""
        if not which.all():
            if not which.any():
                return
            rows = np.arange(rows.start, rows.stop)[which] if isinstance(rows, slice) else rows[which]
            ts, value, quality = ts[which], value[which], quality[which]
            words = None if words is None else words[which]
        self.value[rows] = value
        self.quality[rows] = quality
        self.ts[rows] = ts
        self.at[rows] = at
        if self._text is not None and words is not None:
            self._text[rows] = words
