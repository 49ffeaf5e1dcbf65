"""The coal in front of the face: how far it stands, how its roof and floor run, how hard it is.

Along the face it is kept in one cell a support. What a web takes follows from where the conveyor's pans lie: the drums
reach one web beyond them, so the bend of the pans makes the snake-in, and every tonne is accounted for.
"""

from __future__ import annotations

import math

import numpy as np

from simulators.physics.longwall.chance import Chance

SPOT = 0.25
"""Metres of face to a value of the roof's and of the learned profile."""


def won(height: float, web: float, speed: float) -> float:
    """Coal in the solid, m³/h, of a cut `height` m high and `web` m deep at `speed` m/min."""
    return 60.0 * height * web * speed


def _waves(count: int, reach: int, rng: np.random.Generator) -> np.ndarray:
    """`count` values around zero of spread 1, alike over `reach`."""
    return np.convolve(rng.standard_normal(count + reach - 1), np.full(reach, 1.0 / math.sqrt(reach)), "valid")


class Seam:
    """`face[i]`: how far the coal has been won before support i, `pans[i]`: how far the conveyor lies there, m."""

    def __init__(self, cells: int, pitch: float, height: float, web: float, hardness: float, rng: np.random.Generator):
        self.cells, self.pitch, self.height, self.web, self._hardness = cells, pitch, height, web, hardness
        self._rng, self.chance = rng.spawn(1)[0], Chance(rng)
        self.face = [0.0] * cells
        self.pans = [0.0] * cells
        self.won_m3 = 0.0
        self.hard_zone = (0.0, 0.0, 1.0)
        """From, to (m), and how many times harder: a fault's or a dirt band's zone."""
        spots = math.ceil(cells * pitch / SPOT) + 2
        self._roof = 0.08 * _waves(spots, 60, self._rng)
        self._hard = np.clip(1.0 + 0.12 * _waves(cells, 8, self._rng), 0.65, 1.5)
        self._cell, self._depth = -1, 0.0
        self.renew()

    def renew(self) -> None:
        """A new web is begun: the seam goes on a little differently."""
        self._roof = 0.97 * self._roof + 0.02 * _waves(len(self._roof), 60, self._rng)
        self._hard = np.clip(0.9 * self._hard + 0.1 + 0.05 * _waves(self.cells, 8, self._rng), 0.65, 1.5)
        self.roof: list[float] = self._roof.tolist()
        self.hard: list[float] = (self._hard * self._hardness).tolist()

    def cell(self, x: float) -> int:
        """The cell at `x` m from the head end."""
        return min(max(int(x / self.pitch), 0), self.cells - 1)

    def hardness(self, cell: int, x: float) -> float:
        """Specific energy of cutting at `x` m in `cell`, kWh/m³."""
        begin, end, times = self.hard_zone
        hard = self.hard[cell]
        return hard * times if begin <= x <= end else hard

    def enter(self) -> None:
        """The machine sets off anew: what stands before it has to be looked at again."""
        self._cell = -1

    def cut(self, begin: float, end: float) -> float:
        """The drums go from `begin` to `end` (m, less than a cell apart): the solid coal that falls, m³."""
        low, high = (begin, end) if begin < end else (end, begin)
        first, last = int(low / self.pitch + 1e-9), int(high / self.pitch - 1e-9)
        if first >= last:
            volume = self._cut(min(first, self.cells - 1), high - low)
        else:
            border = last * self.pitch
            near, far = (first, border - low), (last, high - border)
            volume = self._cut(*(near if begin < end else far)) + self._cut(*(far if begin < end else near))
        self.won_m3 += volume
        return volume

    def _cut(self, cell: int, length: float) -> float:
        left = self.pans[cell] + self.web - self.face[cell]
        if left <= 0.0:
            return 0.0
        if cell != self._cell:
            self._cell, self._depth = cell, left
        deeper = min(self._depth * length / self.pitch, left)
        self.face[cell] += deeper
        return deeper * self.pitch * self.height
