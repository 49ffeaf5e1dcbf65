"""Functions over the samples of a window, for all steps of one series at once.

A window at step t holds the samples of t - w < ts ≤ t. `Windows` knows where each begins and ends; a function gives
one value a step, NaN where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_GATHERED = 4_000_000
"""Numbers that are sorted at once for quantiles."""


@dataclass(frozen=True, slots=True)
class Windows:
    """`ts` int64 µs, rising, and `value` of one series; `steps` int64 µs; the window of step k holds the rows
    `low[k]` to `high[k]`, the latter not included; `window` in µs."""

    ts: NDArray[np.int64]
    value: Floats
    steps: NDArray[np.int64]
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    window: int

    @staticmethod
    def of(ts: NDArray[np.int64], value: Floats, steps: NDArray[np.int64], window: int) -> Windows:
        low, high = np.searchsorted(ts, steps - window, "right"), np.searchsorted(ts, steps, "right")
        return Windows(ts, value, steps, low, high, window)

    @property
    def count(self) -> NDArray[np.intp]:
        return self.high - self.low

    def reduced(self, function: np.ufunc, column: Floats, skip: int = 0) -> Floats:
        """The function over each window's rows of a column but the first `skip`; NaN where there is none."""
        low = np.minimum(self.low + skip, self.high)
        there = low < self.high
        found = np.full(len(self.steps), np.nan)
        if there.any():
            bounds = np.column_stack((low[there], self.high[there])).ravel()
            # One more row, so that a window may end behind the last.
            found[there] = function.reduceat(np.append(column, 0.0), bounds)[::2]
        return found

    def at(self, column: NDArray[np.int64] | Floats, rows: NDArray[np.intp]) -> Floats:
        """A column's rows as floats; NaN where the window is empty."""
        found = np.full(len(self.steps), np.nan)
        there = self.count > 0
        found[there] = column[rows[there]]
        return found


def over_time(function: str, at: Windows, parameter: float) -> Floats:
    """`avg`, `min`, `max`, `sum`, `count`, `last`, `quantile` of the samples, each of the same weight."""
    return _quantile(at, parameter) if function == "quantile" else _PLAIN[function](at)


OF_TALLIES = frozenset({"avg", "min", "max", "sum", "count", "last"})
"""What can be put together from tallies of the window's spans."""


def of_tallies(function: str, at: Windows, columns: Mapping[str, Floats]) -> Floats:
    """A function of OF_TALLIES from tallies instead of samples: `at` is over the spans' ends, `columns` are those of
    `middleplatform.store.tally` but point and ts."""
    if function == "last":
        return at.at(columns["last"], at.high - 1)
    if function in ("min", "max"):
        return at.reduced(np.minimum if function == "min" else np.maximum, columns[function])
    count, total = at.reduced(np.add, columns["n"]), at.reduced(np.add, columns["sum"])
    return {"count": count, "sum": total}[function] if function != "avg" else total / count


def _mean(at: Windows) -> Floats:
    some = at.count > 0
    return np.divide(at.reduced(np.add, at.value), at.count, out=np.full(len(some), np.nan), where=some)


_PLAIN: dict[str, Callable[[Windows], Floats]] = {
    "count": lambda at: np.where(at.count > 0, at.count, np.nan),
    "sum": lambda at: at.reduced(np.add, at.value),
    "avg": _mean,
    "min": lambda at: at.reduced(np.minimum, at.value),
    "max": lambda at: at.reduced(np.maximum, at.value),
    "last": lambda at: at.at(at.value, at.high - 1),
}


def _quantile(at: Windows, q: float) -> Floats:
    """Between the two nearest ranks, in proportion."""
    count = at.count
    found = np.full(len(count), np.nan)
    widest = int(count.max(initial=0))
    if not widest:
        return found
    if not 0 <= q <= 1:
        found[count > 0] = np.nan if np.isnan(q) else np.copysign(np.inf, q)
        return found
    slots = np.arange(widest)
    for begin in range(0, len(count), max(1, _GATHERED // widest)):
        part = slice(begin, begin + max(1, _GATHERED // widest))
        rows = np.minimum(at.low[part, None] + slots, len(at.value) - 1)
        ordered = np.sort(np.where(slots < count[part, None], at.value[rows], np.inf), axis=1)
        rank = q * np.maximum(count[part] - 1, 0)
        below = np.floor(rank).astype(np.intp)
        above = np.minimum(below + 1, np.maximum(count[part] - 1, 0))
        line = np.arange(len(rank))
        share = rank - below
        low, high = ordered[line, below], ordered[line, above]
        blended = np.where(share > 0, low * (1 - share) + high * share, low)
        found[part] = np.where(count[part] > 0, blended, np.nan)
    return found


def increase(at: Windows) -> Floats:
    """By how much a counter rose in each window, as Prometheus has it: a fall is a new beginning at 0, and what the
    samples show is drawn out to the window's ends where these are near, never below a counter of 0. Two samples at
    least."""
    enough = at.count >= 2
    last_row = at.high - 1
    first, last = at.at(at.value, at.low), at.at(at.value, last_row)
    falls = np.append(0.0, np.where(at.value[1:] < at.value[:-1], at.value[:-1], 0.0))
    result = last - first + at.reduced(np.add, falls, skip=1)
    begin, end = at.at(at.ts, at.low), at.at(at.ts, last_row)
    known = np.where(enough, end - begin, np.nan)
    between = known / np.maximum(at.count - 1, 1)
    before, after = begin - (at.steps - at.window), at.steps - end
    before = np.where(before >= 1.1 * between, between / 2, before)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_zero = known * first / result
    before = np.where((result > 0) & (first >= 0) & (to_zero < before), to_zero, before)
    after = np.where(after >= 1.1 * between, between / 2, after)
    grown: Floats = result * (known + before + after) / known
    return grown
