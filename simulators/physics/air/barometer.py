"""The air pressure over the mine: weather that wanders, and the half-daily tide of the atmosphere."""

from __future__ import annotations

import math

import numpy as np

from simulators.design.air import BarometerDesign
from simulators.physics.air.draws import Draws


class Barometer:
    """`hpa`, and `fall_hpa_per_h`: how fast it falls, which is what draws gas out of a goaf."""

    def __init__(self, design: BarometerDesign, rng: np.random.Generator) -> None:
        self.design = design
        self.hpa = design.mean_hpa
        self.fall_hpa_per_h = 0.0
        self._trend = 0.0
        self._second = float(rng.uniform(0.0, 43_200.0))
        self._draws = Draws(rng, 1)

    def step(self, dt: float) -> None:
        """The trend is an Ornstein-Uhlenbeck walk; the pressure follows it, and drifts back to its mean in days."""
        design = self.design
        keep = math.exp(-dt / design.trend_tau_s)
        spread = design.trend_hpa_per_h * math.sqrt(1.0 - keep * keep)
        self._trend = self._trend * keep + spread * float(self._draws.step()[0])
        back = (design.mean_hpa - self.hpa) / design.return_h
        tide = 2.0 * math.pi / 12.0 * design.tide_hpa * math.cos(2.0 * math.pi * self._second / 43_200.0)
        self._second += dt
        self.fall_hpa_per_h = -(self._trend + back + tide)
        self.hpa -= self.fall_hpa_per_h * dt / 3600.0
