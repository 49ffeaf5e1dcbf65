"""A month of samples to measure stores with: made the same way each time, piece by piece, and what is asked of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAYS = 30
DAY = 86_400_000_000
MINUTE = 60_000_000
_TOGETHER = 10
"""Points of one piece."""

Columns = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64]]
"""Point, ts (µs UTC), value: some points one after the other, each in the order of time."""


@dataclass(frozen=True)
class Month:
    """Points whose values wander in steps of 0.01, at 1 Hz or, when fewer samples are asked for, more rarely.
    `start`: a midnight, µs UTC."""

    points: NDArray[np.uint64]
    per_day: int
    start: int

    @classmethod
    def of(cls, samples: int) -> Month:
        """About so many samples, ending yesterday."""
        random = np.random.default_rng(3)
        seconds = DAY // 1_000_000
        points = np.unique(random.integers(1, 2**64 - 1, max(8, samples // (DAYS * seconds)), np.uint64))
        per_day = min(seconds, max(60, samples // DAYS // len(points)))
        return cls(points, per_day, (time.time_ns() // 1000 // DAY - DAYS - 1) * DAY)

    @property
    def end(self) -> int:
        return self.start + DAYS * DAY

    @property
    def samples(self) -> int:
        return len(self.points) * self.per_day * DAYS

    @property
    def thousandth(self) -> int:
        """The width that the platform chooses for a month in 1,000 buckets, µs."""
        from middleplatform.api.history import bucket_width

        return bucket_width(self.start, self.end, 1_000, None, 1) or 0

    def pieces(self) -> Iterator[Columns]:
        """A day of some points each, in the order of days."""
        random = np.random.default_rng(4)
        for day in range(DAYS):
            ts = self.start + day * DAY + np.arange(self.per_day) * (DAY // self.per_day)
            for begin in range(0, len(self.points), _TOGETHER):
                some = self.points[begin : begin + _TOGETHER]
                value = np.concatenate([wander(random, self.per_day) for _ in some])
                yield np.repeat(some, self.per_day), np.tile(ts, len(some)), value

    def questions(
        self, raw: Callable[[int, int, int], Any], buckets: Callable[[list[int], int, int, int], Any]
    ) -> dict[str, Callable[[], Any]]:
        """What is asked, each time of other points: `raw(point, start, end)`, `buckets(points, start, end, width)`."""
        turn = iter(np.tile(self.points, 2_000 // len(self.points) + 20).tolist() * 20)

        def some(count: int) -> list[int]:
            return [next(turn) for _ in range(count)]

        return {
            "raw_day": lambda: raw(some(1)[0], self.end - 3 * DAY, self.end - 2 * DAY),
            "week_8x600": lambda: buckets(some(8), self.end - 7 * DAY, self.end, 17 * MINUTE),
            "month_1000": lambda: buckets(some(1), self.start, self.end, self.thousandth),
        }


def wander(random: np.random.Generator, rows: int) -> NDArray[np.float64]:
    """Values of one quantity, in steps of 0.01."""
    return np.round(50 + np.cumsum(random.normal(0, 0.05, rows)), 2)
