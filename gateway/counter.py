"""Counters that begin again at 0: the count goes on rising.

A counter of 16, 32 or 48 bits rolls over when it is full, and begins at 0 when its device was without
power. Both look like a fall. It has rolled over when it fell from its last quarter into its first,
and no faster than it usually counts; it was reset when it fell below half of what it was. In both
cases the total goes on; after a reset it is uncertain once, since what was counted before power
failed and not read is lost. A smaller step back is followed, uncertain once. Whole columns at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from gateway.points import NEVER
from models.site.model import Point

FASTER = 8.0
"""How many times its usual rate a counter may have for a fall to be a roll-over …"""
ALWAYS = 1 / 256
"""… beside this part of its whole range, which is always allowed."""
FADES = 0.98
"""What remains of the usual rate from one reading to the next, when the counter is slower."""


class Counters:
    """The roll-over counters of a connection."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([p.guards.rollover > 0 for p in points], np.bool_))
        own = [points[row] for row in self.places.rows]
        count = len(own)
        self._paths = [point.path for point in own]
        self._full = np.array([point.guards.rollover for point in own], np.float64)
        self.base = np.zeros(count)
        """What was counted before the device's counter last began at 0."""
        self.last = np.full(count, np.nan)
        """The device's own count, as last read."""
        self.at = np.full(count, NEVER, np.int64)
        self._rate = np.zeros(count)
        self.rolled = 0
        self.resets = 0
        self.turned = False
        """Whether a base has changed since it was last remembered."""

    def count(
        self, places: Index, raw: NDArray[np.float64], when: NDArray[np.int64], past: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """The totals, in raw units; and which were reset, which went back, and which may have rolled
        over unseen since they were last read. `when`: µs; `past`: readings older than the last."""
        full, last, rate, base = self._full[places], self.last[places], self._rate[places], self.base[places]
        with np.errstate(invalid="ignore"):
            old = np.zeros(len(places), np.bool_) if past is None else past
            step = raw - last
            elapsed = when - self.at[places]
            seconds = np.maximum(elapsed / 1e6, 1e-3)
            # The clock was set back while nobody counted: nothing is known of the time in between.
            timeless = (elapsed < 0) & ~old
            fell = (step < 0) & ~old
            around = step + full
            usual = (rate == 0) | timeless | (around <= FASTER * rate * seconds + ALWAYS * full)
            rolled = fell & (last >= 0.75 * full) & (raw <= 0.25 * full) & usual
            reset = fell & ~rolled & (raw <= 0.5 * last)
            back = fell & ~rolled & ~reset
            unseen = (rate * seconds >= full) & ~old & ~np.isnan(step)
            # What is older than the last roll-over belongs below it.
            base = np.where(old, base - np.where((raw > last) & (base >= full), full, 0.0), base)
        base = base + np.where(rolled, full, np.where(reset, last, 0.0))
        gained = np.where(timeless, np.nan, np.where(rolled, around, np.where(fell, 0.0, step)))
        self._remember(places, raw, when, base, gained / seconds, old)
        if rolled.any() or reset.any():
            self.rolled += int(np.count_nonzero(rolled))
            self.resets += int(np.count_nonzero(reset))
            self.turned = True
        return base + raw, reset, back, unseen

    def rising(self, places: Index, raw: NDArray[np.float64], when: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """As `count` of many readings one after the other, [readings, places], of counters that were read before; None,
        and nothing is counted, where any of them does anything but rise in its time."""
        full, rate = self._full[places], self._rate[places]
        gained = np.diff(raw, axis=0, prepend=self.last[places][None])
        elapsed = np.diff(when, axis=0, prepend=self.at[places][None])
        # A count that was never read is NaN, and no comparison holds of it.
        if not ((gained >= 0).all() and (elapsed > 0).all()):
            return None
        seconds = np.maximum(elapsed / 1e6, 1e-3)
        gained /= seconds
        if (np.maximum(rate, gained.max(axis=0)) * seconds.max(axis=0) >= full).any():
            return None
        fades = FADES ** np.arange(len(raw) - 1, -1, -1)[:, None]
        self._rate[places] = np.maximum(rate * FADES ** len(raw), (gained * fades).max(axis=0))
        self.last[places], self.at[places] = raw[-1], when[-1]
        return self.base[places] + raw

    def _remember(
        self,
        places: Index,
        raw: NDArray[np.float64],
        when: NDArray[np.int64],
        base: NDArray[np.float64],
        rate: NDArray[np.float64],
        old: NDArray[np.bool_],
    ) -> None:
        new = ~old & np.isfinite(raw)
        places, rate = places[new], rate[new]
        self.last[places], self.at[places], self.base[places] = raw[new], when[new], base[new]
        known = ~np.isnan(rate)
        kept = places[known]
        self._rate[kept] = np.maximum(self._rate[kept] * FADES, rate[known])

    def clock_jumped(self, moved_us: int) -> None:
        self.at[self.at != NEVER] += moved_us

    # ---- over a restart

    def state(self) -> dict[str, tuple[float, ...]]:
        """Of each counter that was read, by path: base, last count, when that was (µs), and the usual rate."""
        read = np.flatnonzero(~np.isnan(self.last))
        kept = (column[read].tolist() for column in (self.base, self.last, self.at, self._rate))
        return {self._paths[i]: tuple(map(float, row)) for i, row in zip(read, zip(*kept, strict=True), strict=True)}

    def restore(self, state: Mapping[str, Iterable[float]]) -> None:
        """Go on from what `state` gave, before anything is read; counters that it does not know begin new.
        A state of before that had no time and no rate is taken too."""
        for place, path in enumerate(self._paths):
            if path in state:
                self.base[place], self.last[place], *more = state[path]
                if more:
                    self.at[place], self._rate[place] = more
