"""What a counter counted between two instants: energy, tonnes, metres, hours.

A counter only rises, or begins again. What it counted across a gap is known, only when within the gap it did is not; so
amounts over long times do not suffer from gaps, and how much of each lies in one is told beside it. A step that it
cannot have counted (`models.plausible`) is unknown: neither counted nor called known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import quality as qualities
from models.plausible import Usual, leaps, out_of_line

Times = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Of buckets between edges. `amount` [n]: counted in each, the counter's unit; `spread` [n]: the part of it that
    was counted across gaps and is spread evenly over them; `covered_us` [n]: how long the counter was heard; `known_us`
    [n]: how long it was heard or is known by the values on either side; `resets`: how often it began again; `dips`:
    values left out, as it went on from before them; `leaps`: steps that it cannot have counted. All within
    the edges."""

    amount: Values
    spread: Values
    covered_us: Times
    known_us: Times
    resets: int
    dips: int
    leaps: int


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """A counter's good values in order, made to rise for ever: `total` [n] at `ts` [n] µs UTC; `hold_us`: a longer time
    without a value is a gap; `began`: when it began again; `dipped`: when it told a value that is left out; `leapt`
    [n - 1]: steps in which `total` stands still because nobody knows what was counted."""

    ts: Times
    total: Values
    hold_us: int
    began: Times
    dipped: Times
    leapt: NDArray[np.bool_]

    @property
    def resets(self) -> int:
        """How often it began again."""
        return len(self.began)

    @property
    def dips(self) -> int:
        """Values left out, as it went on from before them."""
        return len(self.dipped)

    @staticmethod
    def of(ts: Times, value: Values, quality: NDArray[np.uint8], hold_us: int) -> Counter:
        """From samples in any order, of each instant the last one told; what is not good is left out."""
        order = np.argsort(ts, kind="stable")
        last = np.ones(len(order), bool)
        last[:-1] = np.diff(ts[order]) > 0
        order = order[last]
        order = order[qualities.is_good(quality[order]) & np.isfinite(value[order])]
        ts, value = ts[order], value[order]
        kept = ~_dips(ts, value, hold_us)
        usual = Usual.of(ts[kept], value[kept])
        kept[kept] = ~out_of_line(ts[kept], value[kept], usual)
        dipped = ts[~kept]
        ts, value = ts[kept], value[kept]
        fell = value[1:] < value[:-1]
        leapt = leaps(ts, value, usual)
        # It began again at nothing: what it shows now was counted since. In a leap nothing is.
        lost = np.where(fell, value[:-1], 0.0)
        lost[leapt] = (value[:-1] - value[1:])[leapt]
        return Counter(ts, value + np.append(0.0, np.cumsum(lost))[: len(ts)], hold_us, ts[1:][fell], dipped, leapt)

    def over(self, edges: Times) -> Counted:
        """Between `edges` [n + 1], rising. Before its first value and after its last nothing is counted."""
        told = (self.began, self.dipped, self.ts[1:][self.leapt])
        within = [int(((at >= edges[0]) & (at < edges[-1])).sum()) for at in told]
        if len(self.ts) < 2:
            nothing, never = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1, np.int64)
            return Counted(nothing, nothing.copy(), never, never.copy(), *within)
        took = np.diff(self.ts)
        gap = took > self.hold_us
        grown = np.diff(self.total)
        amount = np.diff(_along(edges, self.ts, self.total))
        spread = np.diff(_along(edges, self.ts, np.append(0.0, np.cumsum(np.where(gap, grown, 0.0)))))
        covered = _lasted(edges, self.ts, np.where(gap | self.leapt, 0, took))
        known = _lasted(edges, self.ts, np.where(self.leapt, 0, took))
        return Counted(amount, spread, covered, known, *within)


def _lasted(edges: Times, ts: Times, took: Times) -> Times:
    """How much of these times [n - 1], between instants, lies between edges."""
    reached = _along(edges, ts, np.append(0, np.cumsum(took)).astype(np.float64))
    found: Times = np.diff(np.rint(reached)).astype(np.int64)
    return found


def _along(at: Times, ts: Times, total: Values) -> Values:
    """`total` at these instants, straight between its own."""
    origin = int(ts[0])  # differences stay exact in a float where instants do not
    return np.interp((at - origin).astype(np.float64), (ts - origin).astype(np.float64), total)


def _dips(ts: Times, value: Values, hold_us: int) -> NDArray[np.bool_]:
    """Values below what was there before, where within the hold age it goes on from there: a device that showed nothing
    for a moment, and no counter that began again."""
    found = np.zeros(len(value), bool)
    at = 0
    falls = np.flatnonzero(value[1:] < value[:-1]) + 1
    for fall in falls.tolist():
        if fall < at:
            continue
        level = value[fall - 1]
        end = int(np.searchsorted(ts, ts[fall - 1] + hold_us, "right"))
        back = np.flatnonzero(value[fall:end] >= level)
        if len(back):
            at = fall + int(back[0])
            found[fall:at] = True
    return found
