"""States that the template does not know: kept as they came, and uncertain, since nobody can say what
they mean. A sensor's state word (role `sensor.state`) is made of bits, so that any union of those that
are listed is known too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from models.site.model import Point

BITS_ROLE = "sensor.state"


class States:
    """The numbers that each point of states may have."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([bool(p.states) for p in points], np.bool_))
        own = [points[row] for row in self.places.rows]
        lists = [sorted(point.states) for point in own]
        self._listed = np.full((max(map(len, lists), default=0), len(own)), np.nan)
        self._other_bits = np.full(len(own), -1, np.int64)
        for place, (point, numbers) in enumerate(zip(own, lists, strict=True)):
            self._listed[: len(numbers), place] = numbers
            if point.role == BITS_ROLE and all(number >= 0 for number in numbers):
                self._other_bits[place] = ~int(np.bitwise_or.reduce(np.array(numbers, np.int64)))

    def unknown(self, places: Index, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these values, finite all, are no state of their point."""
        unknown: NDArray[np.bool_] = ~(self._listed[:, places] == value).any(axis=0)
        if unknown.any():
            whole = np.clip(value, -1.0, 2.0**53).astype(np.int64)
            of_bits = (whole == value) & (whole & self._other_bits[places] == 0) & (self._other_bits[places] != -1)
            unknown &= ~of_bits
        return unknown
