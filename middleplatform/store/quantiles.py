"""Quantiles weighted by time: the value that a point was at or below for a share of its good time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.errors import StoreError
from middleplatform.store.held import Spans, cut, sums

MILLION = 1_000_000
MOST = 3_000_000
"""Different values, over all buckets, that are held in memory (24 bytes each, and as much while they are sorted)."""
_GATHER = 1_000_000
"""Pieces that wait until they are summed by value."""


class Quantiles:
    """Gathers spans into buckets of `width` µs from `start` to `end`, of `points` (uint64). `shares` are
    parts of a million, from 0 (the least value) to 1,000,000 (the greatest)."""

    def __init__(self, points: NDArray[np.uint64], start: int, end: int, width: int, shares: Sequence[int]) -> None:
        self._points, self._start, self._width, self._shares = points, start, width, shares
        self._per_point = -(-(end - start) // width)
        self._key = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._duration = np.empty(0, np.int64)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
        self._pieces = 0

    def add(self, spans: Spans) -> None:
        """Take in the next spans. Raises StoreError when there are too many different values."""
        spans = spans.usable()
        pieces = cut(spans, self._start, self._width)
        key = spans.point[pieces.row] * self._per_point + pieces.bucket
        self._waiting.append((key, spans.value[pieces.row], pieces.duration))
        self._pieces += len(key)
        if self._pieces >= _GATHER:
            self._gather()

    def result(self) -> pa.Table:
        """point, ts, good_us, and a column for each share (`column_name`), of every bucket with good time."""
        self._gather()
        key = self._key
        begins = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.empty(0, np.intp)
        upto = np.cumsum(self._duration)
        before = upto[begins] - self._duration[begins]
        good = np.add.reduceat(self._duration, begins) if len(key) else np.empty(0, np.int64)
        columns = {
            "point": self._points[key[begins] // self._per_point],
            "ts": self._start + (key[begins] % self._per_point) * self._width,
            "good_us": good,
        }
        for share in self._shares:
            # Whole numbers throughout: a share of a sum in floating point lands beside a border.
            part = good // MILLION * share + -(-(good % MILLION * share) // MILLION)
            columns[column_name(share)] = self._value[np.searchsorted(upto, before + np.maximum(part, 1))]
        return pa.table(columns)

    def _gather(self) -> None:
        if not self._waiting:
            return
        parts = [(self._key, self._value, self._duration), *self._waiting]
        self._waiting, self._pieces = [], 0
        key, value, duration = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        self._key, self._value, (self._duration,) = sums(key, value, duration)
        if len(self._key) > MOST:
            raise StoreError(f"over {MOST} different values are in the range: take a shorter one, or fewer points")


def column_name(share: int) -> str:
    """`p50` for the half, `p99.9` for 999,000 parts of a million."""
    return f"p{share / 10_000:g}"
