"""Raw numbers by which a device says that it has no value: 65535, 32767, -9999, -0.01 …"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from models.site.model import Point


class NoValue:
    """Compares raw columns with each point's own such numbers."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([bool(p.guards.no_value) for p in points], np.bool_))
        lists = [_written(points[row].guards.no_value) for row in self.places.rows]
        self._numbers = np.full((max(map(len, lists), default=0), len(lists)), np.nan)
        for place, numbers in enumerate(lists):
            self._numbers[: len(numbers), place] = numbers

    def says(self, places: Index, raw: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these raw numbers mean "no value"."""
        return (self._numbers[:, places] == raw).any(axis=0)


def _written(numbers: Sequence[float]) -> list[float]:
    """A device that holds 32 bits says -0.01 as -0.009999999776…: both are meant."""
    with np.errstate(over="ignore"):
        return list(dict.fromkeys([*numbers, *(float(np.float32(number)) for number in numbers)]))
