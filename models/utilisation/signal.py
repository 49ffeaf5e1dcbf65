"""What a point said over time: a value holds until the next, and no longer than it may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import quality as qualities
from models.site.model import Point
from models.spans import joined
from models.utilisation.verdict import Verdict

SILENCES = 2
"""A value holds for twice the point's longest silence; after that nobody knows."""


def hold(point: Point) -> int:
    """How long a value of a point holds at most, µs."""
    return round(SILENCES * point.silence_s * 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """`ts`, `end` [n] µs UTC: from when and to when each `value` [n] held, in order, none over another; `good` [n]:
    what is not is unknown, as is all time that lies in none. How often a value was told again leaves no trace."""

    ts: NDArray[np.int64]
    end: NDArray[np.int64]
    value: NDArray[np.float64]
    good: NDArray[np.bool_]

    @staticmethod
    def of(ts: NDArray[np.int64], value: NDArray[np.float64], quality: NDArray[np.uint8], silence_s: float) -> Signal:
        """From samples in any order, of each instant the last one told. A value that is not good, or no finite number,
        is unknown, and ends the one before it."""
        order = np.argsort(ts, kind="stable")
        last = np.ones(len(order), bool)
        last[:-1] = np.diff(ts[order]) > 0
        order = order[last]
        good = qualities.is_good(quality[order]) & np.isfinite(value[order])
        ts = ts[order]
        end = ts + round(SILENCES * silence_s * 1e6)
        end[:-1] = np.minimum(end[:-1], ts[1:])
        return Signal(ts, end, value[order], good)

    @staticmethod
    def of_runs(ts: NDArray[np.int64], end: NDArray[np.int64], value: NDArray[np.float64]) -> Signal:
        """From stretches in which one value held, in order; what lies between them is unknown."""
        return Signal(ts, end, value, np.ones(len(ts), bool))

    def where(self, holds: NDArray[np.bool_]) -> Verdict:
        """`holds` [n]: what each value says → when it held."""
        sides = (self.good & holds, self.good & ~holds)
        yes, no = (joined(self.ts[side], self.end[side]) for side in sides)
        return Verdict(yes, no)

    def at(self, ts: NDArray[np.int64]) -> NDArray[np.float64]:
        """[m] instants → the value that held then, NaN where it is unknown."""
        if not len(self.ts):
            return np.full(len(ts), np.nan)
        number = np.searchsorted(self.ts, ts, "right") - 1
        known = (number >= 0) & self.good[number] & (ts < self.end[number])
        return np.where(known, self.value[number], np.nan)
