"""The chain conveyors of the face: armoured face conveyor, stage loader, and the crusher on it.

Coal lies on the chain where it fell and comes off when the chain has brought it to the head: nothing is lost, and what
is on the conveyor is what was put on less what came off. Power is the work against sliding friction (domain §5.4).
"""

from __future__ import annotations

import math

from simulators.design.longwall import ConveyorDesign, CrusherDesign
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.control import Control

CELL_M = 2.0
EFFICIENCY = 0.94
GEARING = 0.92
CONFIRMED = 0.9
"""Part of its speed from which a conveyor counts as running."""
G = 9.81


class Trough:
    """Coal along a chain of `length` m, in cells that travel to the head at 0 m. Masses in t."""

    __slots__ = ("_cells", "_first", "_head", "mass")

    def __init__(self, length: float) -> None:
        self._cells = [0.0] * (math.ceil(length / CELL_M) + 2)
        self._head = 0
        self._first = CELL_M
        """How much of the foremost cell is still on the conveyor, m."""
        self.mass = 0.0

    def drop(self, x: float, tonnes: float) -> None:
        """Coal falls at `x` m from the head."""
        ahead = 0 if x < self._first else 1 + int((x - self._first) / CELL_M)
        self._cells[(self._head + ahead) % len(self._cells)] += tonnes
        self.mass += tonnes

    def move(self, way: float) -> float:
        """The chain goes on by `way` m: what comes off, t."""
        if self.mass <= 0.0:
            return 0.0
        cells, off = self._cells, 0.0
        while way >= self._first:
            way -= self._first
            off += cells[self._head]
            cells[self._head] = 0.0
            self._head = (self._head + 1) % len(cells)
            self._first = CELL_M
        part = cells[self._head] * way / self._first
        cells[self._head] -= part
        self._first -= way
        off += part
        self.mass = self.mass - off if self.mass - off > 1e-9 else sum(cells)
        return off


class Conveyor:
    """A chain conveyor with its drives. `want`: it is to run; `speed` m/s; `power_kw` electrical."""

    def __init__(self, design: ConveyorDesign) -> None:
        self.design = design
        self.control = Control(design.id)
        self.length, self._top = design.length_m, design.chain_speed
        self._start_s, self._stop_s = design.start_s, design.stop_s
        self._coal_kn_per_t = G * design.friction_coal
        self._idle_kw = 0.04 * design.motors * design.motor_kw
        self.trough = Trough(design.length_m)
        self.want = False
        self.broken = False
        self.speed = 0.0
        self.off_t = 0.0
        """What came off in this step, t."""
        self.out_t = 0.0
        self.pull_kn = 0.0
        self.power_kw = 0.0
        self._chain_kn = G * design.length_m * 2.0 * design.chain_kg_per_m * design.friction_chain / 1000.0

    @property
    def on(self) -> bool:
        """Its motors run."""
        return self.power_kw > 0.0

    @property
    def running(self) -> bool:
        """Running confirmed: it may be fed."""
        return self.speed >= CONFIRMED * self._top and not self.broken

    @property
    def loaded(self) -> bool:
        """More than some lumps lie on it."""
        return self.trough.mass > 0.05

    def step(self, dt: float, powered: bool) -> None:
        """Go on by `dt` s."""
        self.off_t = 0.0
        run = self.want and powered and not self.control.tripped
        if self.broken and run:
            self.control.tripped, run = True, False
        before = self.speed
        top = self._top
        if run:
            self.speed = min(before + top * dt / self._start_s, top)
        elif before:
            self.speed = 0.0 if self.broken else max(before - top * dt / self._stop_s, 0.0)
        if self.speed or before:
            self.off_t = self.trough.move(0.5 * (before + self.speed) * dt)
            self.out_t += self.off_t
        if run:
            self.pull_kn = self._chain_kn + self._coal_kn_per_t * self.trough.mass
            if self.speed < top:
                self.pull_kn *= 1.35
            self.power_kw = (self.pull_kn * self.speed / GEARING + self._idle_kw) / EFFICIENCY
        else:
            self.pull_kn = self.power_kw = 0.0


class Crusher:
    """The crusher: `flow` t/h of coal passes it; `power_kw` electrical."""

    def __init__(self, design: CrusherDesign, chance: Chance) -> None:
        self.design, self._chance = design, chance
        self.control = Control(design.id)
        self.want = False
        self.power_kw = 0.0
        self.passed_t = 0.0
        self._speed = 0.0
        self._lumps = 0.0

    @property
    def on(self) -> bool:
        """Its motor runs."""
        return self.power_kw > 0.0

    @property
    def running(self) -> bool:
        """Running confirmed."""
        return self._speed >= CONFIRMED

    def step(self, dt: float, powered: bool, flow: float) -> None:
        """Go on by `dt` s."""
        own = self.design
        if not (self.want and powered and not self.control.tripped):
            self._speed = max(self._speed - dt / 20.0, 0.0)
            self.power_kw = 0.0
            return
        self._speed = min(self._speed + dt / own.start_s, 1.0)
        self.passed_t += flow * dt / 3600.0
        # Lumps come now and then.
        self._lumps += (0.35 * self._chance.normal() - self._lumps) * min(dt / 4.0, 1.0)
        work = own.kwh_per_t * flow * max(1.0 + self._lumps, 0.3)
        self.power_kw = (min(own.idle_kw + work, 1.3 * own.motor_kw)) / EFFICIENCY
