"""Maximum demand: the highest mean power of a quarter of an hour in this month."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.physics.electricity.tariff import Clock

Array = NDArray[np.float64]
QUARTER_US = 900_000_000


class Demand:
    """Quarters are those of the clock; a month begins at local midnight. `energy_kwh`: counters at first."""

    def __init__(self, energy_kwh: Array, start_us: int, clock: Clock) -> None:
        self._most = np.zeros_like(energy_kwh)
        self._at_quarter = energy_kwh.copy()
        self._us, self._clock, self._month = start_us, clock, clock.month(start_us)
        self._whole = start_us % QUARTER_US == 0

    def run(self, step_us: int, energy_kwh: Array, shown: Array) -> None:
        """`energy_kwh` [steps, meters]: counters after each step → demand, kW, into `shown` of the same shape."""
        steps = len(energy_kwh)
        begin = 0
        while begin < steps:
            to_quarter = -(-(QUARTER_US - self._us % QUARTER_US) // step_us)
            end = min(begin + to_quarter, steps)
            shown[begin:end] = self._most
            self._us += (end - begin) * step_us
            if end - begin == to_quarter:
                self._quarter(energy_kwh[end - 1])
                shown[end - 1] = self._most
            begin = end

    def _quarter(self, energy: Array) -> None:
        if self._whole:
            self._most = np.maximum(self._most, (energy - self._at_quarter) * 4.0)
        month = self._clock.month(self._us)
        if month != self._month:
            self._month, self._most = month, np.zeros_like(self._most)
        self._at_quarter, self._whole = energy.copy(), True
