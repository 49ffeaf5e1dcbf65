"""Spans of time and their exact arithmetic: half open, [start, end), in whole µs UTC, disjoint and rising.

All figures that speak of durations are made of these: a duration is a difference of source times, never a number of
samples, so that it does not depend on how data were cut into batches or in which order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:  # noqa: PLW1641 - compared in tests, never a key
    """`start`, `end`: [n] µs UTC; each end after its start, each start after the end before it (they do not touch)."""

    start: Times
    end: Times

    @staticmethod
    def of(pairs: Iterable[tuple[int, int]]) -> Spans:
        """What any of these covers; an empty one covers nothing."""
        table = np.array([*pairs], np.int64).reshape(-1, 2)
        return joined(table[:, 0], table[:, 1])

    @staticmethod
    def whole(start: int, end: int) -> Spans:
        """All of [start, end)."""
        return Spans.of([(start, end)])

    def __len__(self) -> int:
        return len(self.start)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Spans) and np.array_equal(self.start, other.start) and np.array_equal(self.end, other.end)
        )

    def __and__(self, other: Spans) -> Spans:
        return covered([self, other], 2)

    def __or__(self, other: Spans) -> Spans:
        return covered([self, other], 1)

    def __sub__(self, other: Spans) -> Spans:
        if not len(self) or not len(other):
            return self
        return self & other.gaps(int(self.start[0]), int(self.end[-1]))

    def us(self) -> int:
        """How long they last together."""
        return int((self.end - self.start).sum())

    def before(self, at: Times) -> Times:
        """Instants → how long they last together up to each of them, µs."""
        if not len(self):
            return np.zeros_like(at)
        number = np.searchsorted(self.start, at, "right")
        whole = np.append(0, np.cumsum(self.end - self.start))
        late: Times = whole[number] - np.where(number > 0, np.maximum(self.end[number - 1] - at, 0), 0)
        return late

    def within(self, start: int, end: int) -> Spans:
        """What lies in [start, end)."""
        first, past = int(self.end.searchsorted(start, "right")), int(self.start.searchsorted(end, "left"))
        if first >= past or start >= end:
            return NOTHING
        begins, ends = self.start[first:past], self.end[first:past]
        if begins[0] < start or ends[-1] > end:
            begins, ends = np.maximum(begins, start), np.minimum(ends, end)
        return Spans(begins, ends)

    def gaps(self, start: int, end: int) -> Spans:
        """What of [start, end) they leave uncovered."""
        inside = self.within(start, end)
        edges = np.empty(2 * len(inside) + 2, np.int64)
        edges[0], edges[-1], edges[1:-1:2], edges[2:-1:2] = start, end, inside.start, inside.end
        real = edges[1::2] > edges[::2]
        return Spans(edges[::2][real], edges[1::2][real])

    def grown(self, before: int = 0, after: int = 0) -> Spans:
        """Each begins `before` µs earlier and ends `after` µs later."""
        return joined(self.start - before, self.end + after)

    def lasting(self, least: int) -> Spans:
        """Those that last for at least `least` µs."""
        long = self.end - self.start >= least
        return Spans(self.start[long], self.end[long])

    def at(self, ts: Times) -> NDArray[np.intp]:
        """[m] instants → the number of the span that each lies in, or -1."""
        if not len(self):
            return np.full(len(ts), -1, np.intp)
        number = np.searchsorted(self.start, ts, "right") - 1
        inside = (number >= 0) & (ts < self.end[number])
        return np.where(inside, number, -1)

    def pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.start.tolist(), self.end.tolist(), strict=True))


def among(at: Times, instants: Times) -> NDArray[np.bool_]:
    """[n] whether each of `at` is one of `instants`, which rise."""
    if not len(instants):
        return np.zeros(len(at), bool)
    number = instants.searchsorted(at)
    number[number == len(instants)] = 0
    found: NDArray[np.bool_] = instants[number] == at
    return found


def joined(start: Times, end: Times) -> Spans:
    """What any [start, end) covers; in any order, overlapping or touching; one that does not end after its start
    covers nothing."""
    real = end > start
    if not real.all():
        start, end = start[real], end[real]
    if len(start) < 2:
        return Spans(start, end)
    if (start[1:] < start[:-1]).any():
        order = start.argsort(kind="stable")
        start, end = start[order], end[order]
    end = np.maximum.accumulate(end)
    begins = np.ones(len(start) + 1, bool)
    begins[1:-1] = start[1:] > end[:-1]
    return Spans(start[begins[:-1]], end[begins[1:]])


def covered(many: Iterable[Spans], least: int) -> Spans:
    """Where at least `least` (≥ 1) of `many` are at once."""
    known = [one for one in many if len(one.start)]
    if len(known) < least:
        return NOTHING
    if len(known) == 1:
        return known[0]
    return deep([one.start for one in known], [one.end for one in known], least)


def deep(starts: Sequence[Times], ends: Sequence[Times], least: int) -> Spans:
    """Where at least `least` (≥ 1) of so many stretches are at once; none ends before it starts."""
    times = np.concatenate([*starts, *ends])
    order = times.argsort(kind="stable")
    edges = times[order]
    depth = np.where(order < len(times) // 2, 1, -1).cumsum()
    # Of an instant at which several begin or end the last count holds; a span is where it is crossed.
    last = np.ones(len(edges), bool)
    last[:-1] = edges[1:] != edges[:-1]
    edges, enough = edges[last], depth[last] >= least
    turned = enough.copy()
    turned[1:] ^= enough[:-1]
    at = edges[turned]
    return Spans(at[::2], at[1::2])


EVER = 2**61
"""µs; no time of a mine lies beyond, before or after."""
ALWAYS = Spans.whole(-EVER, EVER)
NOTHING = Spans(np.empty(0, np.int64), np.empty(0, np.int64))
