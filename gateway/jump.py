"""Values that jump: a shearer that was at support 40 cannot be at support 3 a second later.

What moves faster than it can is kept and uncertain, until AGREEING samples in a row agree with one
another: then the thing is where it says it is, and what was wrong was the value before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from gateway.points import NEVER
from models.site.model import Point

AGREEING = 3
SHORTEST_US = 1_000
"""Samples nearer than this count as this far apart."""


class Jumps:
    """The last believed value and the doubted one of each guarded point."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([p.guards.jump > 0 for p in points], np.bool_))
        count = len(self.places)
        self._most = np.array([points[row].guards.jump for row in self.places.rows], np.float64)
        self.believed = np.full(count, np.nan)
        self._at = np.full(count, NEVER, np.int64)
        self._doubted = np.full(count, np.nan)
        self._doubted_at = np.full(count, NEVER, np.int64)
        self._agree = np.zeros(count, np.int64)

    def judge(self, places: Index, value: NDArray[np.float64], when: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these values, finite all, are doubted. `when`: µs."""
        most = self._most[places]
        near = self._near(value, self.believed[places], when - self._at[places], most)
        near |= np.isnan(self.believed[places])
        again = self._near(value, self._doubted[places], when - self._doubted_at[places], most)
        agree = np.where(near, 0, np.where(again, self._agree[places] + 1, 1))
        doubted: NDArray[np.bool_] = ~near & (agree < AGREEING)
        sure, doubtful = places[~doubted], places[doubted]
        self.believed[sure], self._at[sure] = value[~doubted], when[~doubted]
        self._doubted[doubtful], self._doubted_at[doubtful] = value[doubted], when[doubted]
        self._doubted[sure] = np.nan
        self._agree[places] = np.where(doubted, agree, 0)
        return doubted

    def clock_jumped(self, moved_us: int) -> None:
        """The wall clock was set: the time between two samples is what it would have been."""
        for column in (self._at, self._doubted_at):
            column[column != NEVER] += moved_us

    @staticmethod
    def _near(
        value: NDArray[np.float64], other: NDArray[np.float64], apart_us: NDArray[np.int64], most: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        near: NDArray[np.bool_] = np.abs(value - other) <= most * (np.maximum(apart_us, SHORTEST_US) / 1e6)
        return near
