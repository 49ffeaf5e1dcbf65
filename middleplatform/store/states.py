"""How long, and how often, each point was in each of its states."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.errors import StoreError
from middleplatform.store.held import Spans, cut, sums

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("state", pa.float64()),
        ("duration_us", pa.int64()),
        ("times", pa.int64()),
    ]
)
MOST = 500_000
"""Pairs of bucket and state that one answer may hold: a point that has more has no states."""


class StateDurations:
    """Gathers spans into buckets of `width` µs from `start` to `end`, of `points` (uint64)."""

    def __init__(self, points: NDArray[np.uint64], start: int, end: int, width: int) -> None:
        self._points, self._start, self._end, self._width = points, start, end, width
        self._per_point = -(-(end - start) // width)
        self._last_end = np.full(len(points), start - 1, np.int64)
        self._last_value = np.full(len(points), np.nan)
        self._key = np.empty(0, np.int64)
        self._state = np.empty(0, np.float64)
        self._duration = np.empty(0, np.int64)
        self._times = np.empty(0, np.int64)

    def add(self, spans: Spans) -> None:
        """Take in the next spans. Raises StoreError when there are too many different values."""
        spans = spans.usable()
        if not len(spans):
            return
        entered = self._entered(spans)
        spans, entered = _runs(spans, entered)
        pieces = cut(spans, self._start, self._width)
        opens = self._start + pieces.bucket * self._width
        # A state that lasts over a bucket's border is met once in each of the two.
        begins = (entered[pieces.row] & (pieces.begin == spans.begin[pieces.row])) | (pieces.begin == opens)
        key = spans.point[pieces.row] * self._per_point + pieces.bucket
        self._key, self._state, (self._duration, self._times) = sums(
            np.append(self._key, key),
            np.append(self._state, spans.value[pieces.row]),
            np.append(self._duration, pieces.duration),
            np.append(self._times, begins.astype(np.int64)),
        )
        if len(self._key) > MOST:
            raise StoreError(
                f"the points have over {MOST} different values in these buckets: name points that have states, "
                "or take quantiles"
            )

    def result(self) -> pa.Table:
        """By point, bucket and state. The rows of a bucket sum to its length: what is left is the row whose
        state is NaN, not known, which counts no times."""
        buckets = np.arange(len(self._points) * self._per_point)
        opens = self._start + (buckets % self._per_point) * self._width
        left = np.minimum(opens + self._width, self._end) - opens
        np.subtract.at(left, self._key, self._duration)
        unknown = buckets[left > 0]
        key = np.append(self._key, unknown)
        state = np.append(self._state, np.full(len(unknown), np.nan))
        order = np.lexsort((state, key))  # NaN is last
        columns = [
            self._points[key // self._per_point],
            self._start + (key % self._per_point) * self._width,
            state,
            np.append(self._duration, left[unknown]),
            np.append(self._times, np.zeros(len(unknown), np.int64)),
        ]
        return pa.table([column[order] for column in columns], schema=SCHEMA)

    def _entered(self, spans: Spans) -> NDArray[np.bool_]:
        """Which spans do not go on with the state that the span before them had."""
        same = spans.point[1:] == spans.point[:-1]
        before_end = np.append(self._last_end[spans.point[0]], spans.end[:-1])
        before_value = np.append(self._last_value[spans.point[0]], spans.value[:-1])
        first = np.append(True, ~same)
        before_end[first] = self._last_end[spans.point[first]]
        before_value[first] = self._last_value[spans.point[first]]
        last = np.append(~same, True)
        self._last_end[spans.point[last]] = spans.end[last]
        self._last_value[spans.point[last]] = spans.value[last]
        return (before_end != spans.begin) | (before_value != spans.value)


def _runs(spans: Spans, entered: NDArray[np.bool_]) -> tuple[Spans, NDArray[np.bool_]]:
    """Each stay in a state as one span, however often it was said, and whether it began here."""
    starts = np.flatnonzero(entered | np.append(True, spans.point[1:] != spans.point[:-1]))
    runs = spans.take(starts)
    runs.end = spans.end[np.append(starts[1:], len(spans)) - 1]
    return runs, entered[starts]
