"""Samples as stretches of time: a value holds until its point's next sample, at most for the hold age.

What is computed over time (states, quantiles, a grid) is computed over these spans. Chunks may cut
anywhere: the last row of each point waits for what ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from middleplatform.store.integrate import Rows
from models.quality import is_good


@dataclass
class Spans:
    """Columns of equal length: `point` is an index into the points asked, `begin` ≤ t < `end` in µs are never
    empty; each point's spans are in the order of time and do not overlap."""

    point: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.point)

    def take(self, rows: NDArray[Any]) -> Spans:
        """The spans that an index or a mask names."""
        return Spans(self.point[rows], self.begin[rows], self.end[rows], self.value[rows], self.quality[rows])

    @classmethod
    def joining(cls, parts: Sequence[Spans]) -> Spans:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))

    def usable(self) -> Spans:
        """Those of good quality with a finite value: only such time counts in an aggregate."""
        return self.take(is_good(self.quality) & np.isfinite(self.value))


_COLUMNS = ("point", "begin", "end", "value", "quality")


class Holding:
    """Turns rows into spans between `start` and `end`, µs. `age` int64 µs: how long each point's value holds."""

    def __init__(self, age: NDArray[np.int64], start: int, end: int) -> None:
        self._age, self._start, self._end = age, start, end
        self._open = Rows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))

    def add(self, rows: Rows) -> Spans:
        """The spans that these rows end. Rows come as `integrate.Rows` says, those before `start` included."""
        rows = rows.after(self._open)
        last = np.append(rows.point[1:] != rows.point[:-1], True) if len(rows) else np.empty(0, bool)
        self._open = rows.take(last)
        return self._spans(rows.take(~last), rows.ts[1:][~last[:-1]])

    def rest(self) -> Spans:
        """The spans that nothing ends but their hold age or the range."""
        return self._spans(self._open, np.full(len(self._open), self._end, np.int64))

    def _spans(self, rows: Rows, until: NDArray[np.int64]) -> Spans:
        begin = np.maximum(rows.ts, self._start)
        end = np.minimum(np.minimum(until, rows.ts + self._age[rows.point]), self._end)
        return Spans(rows.point, begin, end, rows.value, rows.quality).take(end > begin)


@dataclass
class Pieces:
    """Spans cut at the borders of buckets: `row` is the span's index, `bucket` counts from the range's start."""

    row: NDArray[np.intp]
    bucket: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def duration(self) -> NDArray[np.int64]:
        """µs."""
        return self.end - self.begin


def cut(spans: Spans, start: int, width: int) -> Pieces:
    """The pieces of each span in buckets of `width` µs from `start` on, in the order of the spans."""
    first = (spans.begin - start) // width
    count = (spans.end - 1 - start) // width - first + 1
    row = np.repeat(np.arange(len(spans)), count)
    bucket = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    opens = start + bucket * width
    return Pieces(row, bucket, np.maximum(spans.begin[row], opens), np.minimum(spans.end[row], opens + width))


def joined(spans: Spans, start: int = 0, width: int | None = None) -> Spans:
    """Spans of one point and value that follow on each other as one, however often the value was said; with `width`,
    µs, none goes on where a bucket from `start` begins."""
    if not len(spans):
        return spans
    goes_on = (
        (spans.point[1:] == spans.point[:-1])
        & (spans.begin[1:] == spans.end[:-1])
        & (spans.value[1:] == spans.value[:-1])
    )
    if width is not None:
        goes_on &= (spans.begin[1:] - start) % width != 0
    starts = np.flatnonzero(np.append(True, ~goes_on))
    runs = spans.take(starts)
    runs.end = spans.end[np.append(starts[1:], len(spans)) - 1]
    return runs


def sums(
    key: NDArray[np.int64], value: NDArray[np.float64], *amounts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[NDArray[np.int64]]]:
    """The amounts summed for each pair of key and value, ordered by key, then value."""
    if not len(key):
        return key, value, list(amounts)
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    begins = np.flatnonzero(np.append(True, (key[1:] != key[:-1]) | (value[1:] != value[:-1])))
    return key[begins], value[begins], [np.add.reduceat(amount[order], begins) for amount in amounts]
