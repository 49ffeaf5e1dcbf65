"""Normal numbers, drawn many at a time and handed out one step at a time: a draw for each step would cost more
than the step, and drawn ahead they do not depend on how steps are cut into blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Draws:
    """`count` numbers a step, mean 0, standard deviation 1."""

    def __init__(self, rng: np.random.Generator, count: int, ahead: int = 512) -> None:
        self._rng, self._shape = rng, (ahead, count)
        self._drawn = rng.standard_normal(self._shape)
        self._next = 0

    def step(self) -> NDArray[np.float64]:
        """The numbers of one more step (a view, good until the next call)."""
        if self._next == len(self._drawn):
            self._drawn = self._rng.standard_normal(self._shape)
            self._next = 0
        self._next += 1
        return self._drawn[self._next - 1]
