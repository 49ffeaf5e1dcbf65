"""Random numbers one by one for what is decided in a step, drawn many at a time because a single draw is dear."""

from __future__ import annotations

import numpy as np

_MANY = 2048


class Chance:
    """Normal and uniform numbers as plain floats, from streams of their own."""

    __slots__ = ("_even", "_even_rng", "_normal", "_normal_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._normal_rng, self._even_rng = rng.spawn(2)
        self._normal: list[float] = []
        self._even: list[float] = []

    def normal(self) -> float:
        """Mean 0, standard deviation 1."""
        if not self._normal:
            self._normal = self._normal_rng.standard_normal(_MANY).tolist()
        return self._normal.pop()

    def even(self, low: float = 0.0, high: float = 1.0) -> float:
        """Evenly from `low` to `high`."""
        if not self._even:
            self._even = self._even_rng.random(_MANY).tolist()
        return low + (high - low) * self._even.pop()
