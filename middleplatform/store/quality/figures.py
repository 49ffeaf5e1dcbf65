"""What is known of each point in each hour, as times and counts that may be added up.

A sample speaks for its point until the next one, at most for the hold age, which is twice the point's longest
silence; the rest of the hour is silent. Everything goes by quality codes: a text without a number can be good.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.held import Holding, Spans, cut
from middleplatform.store.integrate import Rows
from middleplatform.store.quality.judgement import CAUSES, RULES, is_uncertain, judgement
from models.quality import is_good

TIMES = ("good", "uncertain", "bad", *CAUSES, *RULES)
"""What a stretch of time counts for: how good it was; where it was not good, also the cause and the rule broken."""
SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("n", pa.uint64()),
        *((f"{name}_us", pa.int64()) for name in TIMES),
    ]
)


def _counts_for() -> NDArray[np.bool_]:
    """For each of TIMES and each code, whether time of this code counts."""
    code = np.arange(256).astype(np.uint8)
    rules = judgement()
    good, uncertain = is_good(code), is_uncertain(code)
    rows = [good, uncertain, ~good & ~uncertain]
    rows += [rules.cause == place for place in range(len(CAUSES))]
    rows += [rules.breaks == place for place in range(len(RULES))]
    return np.array(rows)


class Figures:
    """Gathers rows (`integrate.Rows`, those before `start` included) into buckets of `width` µs from `start` to
    `end`, of `points` (uint64) whose values hold for `age` µs."""

    def __init__(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int, width: int) -> None:
        self._points, self._start, self._end, self._width = points, start, end, width
        self._per_point = -(-(end - start) // width)
        self._holding = Holding(age, start, end)
        # Codes that count for the same are one class: one sum a class, spread over TIMES at the end.
        self._counts_for, of_code = np.unique(_counts_for(), axis=1, return_inverse=True)
        self._class_of = of_code.astype(np.int64).ravel()
        size = len(points) * self._per_point
        self._n = np.zeros(size, np.int64)
        self._us = np.zeros((size, self._counts_for.shape[1]), np.int64)

    def add(self, rows: Rows) -> None:
        """Take in the next rows."""
        inside = (rows.ts >= self._start) & (rows.ts < self._end)
        key = rows.point[inside] * self._per_point + (rows.ts[inside] - self._start) // self._width
        self._n += np.bincount(key, minlength=len(self._n))
        self._spend(self._holding.add(rows))

    def result(self) -> pa.Table:
        """All buckets that have a sample or in which one holds, ordered by point and time."""
        self._spend(self._holding.rest())
        key = np.flatnonzero((self._n > 0) | self._us.any(axis=1))
        times = self._us[key] @ self._counts_for.T.astype(np.int64)
        columns = [
            self._points[key // self._per_point],
            self._start + (key % self._per_point) * self._width,
            self._n[key].astype(np.uint64),
            *times.T,
        ]
        return pa.table(columns, schema=SCHEMA)

    def _spend(self, spans: Spans) -> None:
        if not len(spans):
            return
        pieces = cut(spans, self._start, self._width)
        key = spans.point[pieces.row] * self._per_point + pieces.bucket
        spot = key * self._us.shape[1] + self._class_of[spans.quality[pieces.row]]
        # Sums of µs stay far below 2^53, up to which a float is exact.
        self._us += np.bincount(spot, pieces.duration, self._us.size).astype(np.int64).reshape(self._us.shape)
