"""States that bounce: a contact is what it was until it has been something else for long enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from gateway.points import NEVER
from models.site.model import Point


class Debounce:
    """The state that each point is held to have, and the other one that it now shows."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([p.guards.debounce_s > 0 for p in points], np.bool_))
        count = len(self.places)
        self._long = np.array([points[row].guards.debounce_s * 1e6 for row in self.places.rows], np.int64)
        self._held = np.full(count, np.nan)
        self._shown = np.full(count, np.nan)
        self._since = np.full(count, NEVER, np.int64)

    def hold(self, places: Index, value: NDArray[np.float64], now: int) -> NDArray[np.float64]:
        """What holds, given what these points show. No value (NaN) passes, and what was shown before it
        counts no more."""
        held, shown = self._held[places], self._shown[places]
        since = np.where(value == shown, self._since[places], now)
        takes = np.isnan(held) | (value == held) | ((value == shown) & (now - since >= self._long[places]))
        missing = np.isnan(value)
        held = np.where(takes & ~missing, value, held)
        settled = takes | missing
        self._held[places] = held
        self._shown[places] = np.where(settled, np.nan, value)
        self._since[places] = np.where(settled, NEVER, since)
        return np.where(missing, value, held)

    def settle(self, now: int) -> tuple[Index, NDArray[np.float64], NDArray[np.int64]]:
        """Of devices that speak only when something changes: the rows whose new state has lasted long
        enough by now, what it is, and since when, µs. It holds from here on."""
        places = np.flatnonzero((self._since != NEVER) & (now - self._since >= self._long))
        value, since = self._shown[places], self._since[places]
        self._held[places] = value
        self._shown[places] = np.nan
        self._since[places] = NEVER
        return self.places.rows[places], value, since

    def clock_jumped(self, moved_us: int) -> None:
        self._since[self._since != NEVER] += moved_us
