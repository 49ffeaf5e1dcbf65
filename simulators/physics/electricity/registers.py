"""A meter's counters: all active energy, and that of each period of the tariff."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.design.tariff import PERIODS
from simulators.engine.filters import Total

Array = NDArray[np.float64]
SHARES = (0.06, 0.32, 0.32, 0.30)
"""What the periods have had of the energy until the start."""


class Registers:
    """`begun`: what the meters read at first, kWh [meters]. While a period counts, its register stands as far
    from the total as when it began to."""

    KEYS = tuple(f"_{period}" for period in PERIODS)

    def __init__(self, begun: Array) -> None:
        self._total = Total(len(begun), begun)
        self._last = begun.copy()
        self._registers = [share * begun for share in SHARES]
        self._behind = begun.copy()
        self._period = -1

    def run(self, dt: float, kw: Array, period: Array, shown: list[Array]) -> Array:
        """`kw` [steps, meters], `period` [steps] → total after each step, kWh; the registers go into `shown`,
        one [steps, meters] a period."""
        total = self._total.run(dt, kw / 3600.0)
        edges = [0, *(np.flatnonzero(period[1:] != period[:-1]) + 1).tolist(), len(kw)]
        for begin, end in pairwise(edges):
            counting = int(period[begin])
            if counting != self._period:
                self._period = counting
                self._behind = self._last - self._registers[counting]
            for number, register in enumerate(self._registers):
                if number != counting:
                    shown[number][begin:end] = register
            counted = shown[counting][begin:end]
            np.subtract(total[begin:end], self._behind, out=counted)
            # Where it begins to count, rounding must not turn it back.
            np.maximum(counted, self._registers[counting], out=counted)
            self._last = total[end - 1].copy()
            self._registers[counting] = counted[-1].copy()
        return total
