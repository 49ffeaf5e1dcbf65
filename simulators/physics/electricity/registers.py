"""A meter's counters: all active energy, and that of each period of the tariff."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.design.tariff import PERIODS

Array = NDArray[np.float64]


class Registers:
    """`begun`: what the meters read at first, kWh [meters]; the periods have had a usual share of it."""

    KEYS = tuple(f"_{period}" for period in PERIODS)

    def __init__(self, begun: Array) -> None:
        shares = np.array([0.06, 0.32, 0.32, 0.30])
        self._last = np.concatenate([begun[np.newaxis], shares[:, np.newaxis] * begun])

    def run(self, dt: float, kw: Array, period: Array) -> Array:
        """`kw` [meters, steps], `period` [steps] → [total and periods, meters, steps] after each step, kWh."""
        meters, steps = kw.shape
        grown = kw * (dt / 3600.0)
        counted = np.empty((len(self._last), meters, steps))
        edges = [0, *(np.flatnonzero(period[1:] != period[:-1]) + 1).tolist(), steps]
        for begin, end in pairwise(edges):
            here = counted[:, :, begin:end]
            here[:] = self._last[:, :, np.newaxis]
            for register in (0, 1 + int(period[begin])):
                piece = here[register]
                piece[:] = grown[:, begin:end]
                piece[:, 0] += self._last[register]
                np.cumsum(piece, axis=1, out=piece)
            self._last = here[:, :, -1].copy()
        return counted
