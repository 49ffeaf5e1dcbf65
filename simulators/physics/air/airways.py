"""Airways as a chain of well-mixed cells, and all that their air carries.

A road of some length is cut into cells, each V·dc/dt = Σ Q_in·c_in − Q·c + source, stepped together. The cells' time
constants add up to length over velocity, so what leaves a face arrives at a sensor down-wind with the delay that it
has, blurred as by turbulence, and stands still when the air does. Nothing is lost on the way: what is released is in
the cells or has left by the main return (tested).

What is carried is counted as the excess over fresh air: methane and carbon dioxide and displaced oxygen in %, carbon
monoxide in ppm, dust in mg/m³, smoke in %obs/m, heat in K, moisture in %RH.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CARRIED = ("ch4", "co2", "oxygen", "co", "dust", "smoke", "heat", "moisture")
"""The rows of `Airways.carried`."""
SETTLING_S = (np.inf, np.inf, np.inf, np.inf, 400.0, 900.0, 250.0, 600.0)
"""How soon it leaves the air for the walls and the floor; gases never do."""
QUANTITIES = (*CARRIED, "velocity", "pressure")
"""The rows of `Airways.values`: besides, the air's speed (m/s) and its pressure against the surface (Pa)."""
CELL_M = 110.0


@dataclass(frozen=True, slots=True)
class Cell:
    """`air`: m³/min at the mine's normal air, moved by the driver number `driver`. `joins`: the cell that its air
    flows to, −1 the surface."""

    place: str
    volume: float
    section: float
    air: float
    driver: int
    joins: int


class Airways:
    """`values` [QUANTITIES, cells], of which `carried` are the first rows; `flow` [cells] m³/min. A cell without volume
    (a face's corner) only shows what is written into it."""

    def __init__(self, cells: list[Cell], dt_max: float = 1.0) -> None:
        count = len(cells)
        self.volume = np.array([cell.volume for cell in cells])
        self.section = np.array([cell.section for cell in cells])
        self.normal = np.array([cell.air for cell in cells])
        self.driver = np.array([cell.driver for cell in cells])
        tight = self.normal * dt_max / 60.0 > 0.8 * self.volume
        if np.any(tight & (self.volume > 0.0)):
            small = cells[int(np.argmax(tight & (self.volume > 0.0)))].place
            raise ValueError(f"{small}: 容积相对风量过小 · its volume is too small for its air")
        self.flow = self.normal.copy()
        self.values = np.zeros((len(QUANTITIES), count))
        self.carried = self.values[: len(CARRIED)]
        self._next = np.empty_like(self.carried)
        self._per_section = 1.0 / 60.0 / self.section
        self._forward = np.zeros((count, count))
        for n, cell in enumerate(cells):
            if cell.joins >= 0:
                self._forward[n, cell.joins] = 1.0
        feeding = self._forward * self.normal[:, np.newaxis]
        total = np.maximum(feeding.sum(axis=0), self.normal)
        self._backward = (feeding / np.where(total > 0.0, total, 1.0)).T.copy()
        self.backwards = False
        self._leaving = np.zeros(count)
        self._holding = self.volume / 100.0
        self._corners = self._beside = np.zeros(0, np.intp)
        self._built = (0.0, False)

    def collect(self, corners: list[int], beside: list[int]) -> None:
        """Cells without volume, that hold a multiple of what another held a step ago."""
        self._corners, self._beside = np.array(corners, np.intp), np.array(beside, np.intp)

    def settle(self, source: NDArray[np.float64]) -> None:
        """The state that lasts under the normal air and a constant source [CARRIED, cells], in unit·m³/min."""
        for row, (given, settling) in enumerate(zip(source, SETTLING_S, strict=True)):
            away = self.normal + self.volume * 60.0 / settling
            balance = np.diag(np.where(away > 0.0, away, 1.0)) - (self._forward * self.normal[:, np.newaxis]).T
            self.carried[row] = np.linalg.solve(balance, given)
        np.multiply(self.normal, self._per_section, out=self.values[-2])

    def per_volume(self, dt: float) -> NDArray[np.float64]:
        """What 1 unit·m³/min adds to each cell in a step."""
        return np.where(self.volume > 0.0, dt / 60.0 / np.maximum(self.volume, 1e-9), 0.0)

    def drive(self, dt: float, drivers: NDArray[np.float64], multiples: NDArray[np.float64]) -> None:
        """From now on the air moves with these factors of the normal one, in steps of `dt`, and corners hold these
        multiples."""
        if (dt, self.backwards) != self._built:
            self._build(dt)
        np.multiply(self.normal, drivers[self.driver], out=self.flow)
        np.multiply(self.flow, self._per_section, out=self.values[-2])
        np.multiply(self.flow, self._left, out=self._leaving)
        np.multiply(self._onto, self.flow[:, np.newaxis], out=self._turn)
        self._turn += self._unit
        self._turn[self._beside, self._corners] = multiples

    def _build(self, dt: float) -> None:
        """What depends on the length of a step and on the air's direction."""
        self._built = dt, self.backwards
        onto = self._backward if self.backwards else self._forward
        self._stays = np.exp(-dt / np.array(SETTLING_S))[:, np.newaxis]
        self._left = (1.0 - onto.sum(axis=1)) / 100.0
        self._unit = np.eye(len(self.normal))
        self._unit[:, self._corners] = 0.0
        self._onto = (onto - np.eye(len(self.normal))) * self.per_volume(dt)
        self._turn = np.empty_like(onto)

    def step(self, added: NDArray[np.float64]) -> tuple[float, float]:
        """One step with what is `added` to each cell [CARRIED, cells]. Returns the methane that left the mine in it,
        m³/min, and that is in its air after it, m³."""
        methane = self.carried[0]
        out = float(methane.dot(self._leaving))
        carried = np.dot(self.carried, self._turn, out=self._next)
        carried += added
        np.multiply(carried, self._stays, out=self.carried)
        return out, float(methane.dot(self._holding))
