"""Periodic weighting: every 15 to 25 m of advance the main roof breaks and loads the supports (domain facts §5.3)."""

from __future__ import annotations

import math

from simulators.physics.longwall.chance import Chance

_TAU_S = 300.0


class Weighting:
    """`value`: 0 none … 1 the heaviest. `forced`: what a disturbance asks for. `every`: from … to, m of advance."""

    __slots__ = ("_chance", "_every", "_from", "_length", "forced", "value")

    def __init__(self, every: tuple[float, float], chance: Chance) -> None:
        self._every, self._chance = every, chance
        self.value = 0.0
        self.forced = 0.0
        self._from = chance.even(0.2, 1.0) * every[0]
        self._length = chance.even(2.0, 3.5)

    def step(self, dt: float, advance: float) -> None:
        """At `advance` m since the start."""
        along = (advance - self._from) / self._length
        natural = 0.0
        if along >= 1.0:
            self._from += self._chance.even(*self._every)
            self._length = self._chance.even(2.0, 3.5)
        elif along > 0.0:
            natural = math.sin(math.pi * along) ** 2
        wanted = max(natural, self.forced)
        if wanted != self.value:
            self.value += (wanted - self.value) * (1.0 - math.exp(-dt / _TAU_S))
