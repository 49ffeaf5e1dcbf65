"""One heading: the roadheader cuts a row and loads it, draws back, the rig bolts it hole by hole."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from simulators.design.headings import HeadingDesign
from simulators.physics.headings.rig import Rig
from simulators.physics.order import AUTO, REMOTE, Order


class Work(IntEnum):
    """What the roadheader does; the truth channel `!state`."""

    OFF = 0
    ADVANCING = 1
    CUTTING = 2
    LOADING = 3
    RETREATING = 4
    STANDBY = 5
    """Switched on and waiting: for the bolts, for the belt, for somebody to go away."""


class Fault(IntEnum):
    """Codes that the roadheader shows."""

    NONE = 0
    LOCKED = 1
    EMERGENCY_STOP = 2
    PERSON = 3


OFF, ADVANCING, CUTTING, LOADING, RETREATING, STANDBY = Work


class Heading:
    """Give it `order`, `rig.order`, `ready` (the belt runs), `powered` (of the roadheader; the rig has its own),
    `allowed` (no gas or wind lock). `phase`: 0 to 1 through the present piece of work."""

    def __init__(self, design: HeadingDesign, rng: np.random.Generator) -> None:
        self.design, self._rng = design, rng
        self.order = Order()
        self.ready = self.powered = self.allowed = True
        self.emergency = self.hot = 0.0
        self.rig = Rig(design, rng)
        self.work = OFF
        self.stage = ADVANCING
        """What it will go on with."""
        self.mode = 1
        self._ordered = self.order
        self.stopped = False
        self.person_s = 0.0
        self.phase = 0.0
        self.t_per_h = self.advance_per_s = self.advance_m = 0.0
        self.cut_kw = self.pump_kw = 0.0
        self.fault = Fault.NONE
        self._row_t = design.section * design.row * design.density
        self._hardness = 1.0
        self._length_s = self._draw(design.walk_s)
        self._restart_s = 0.0
        self._person_in_s = self._next_person()

    def _draw(self, limits: tuple[float, float]) -> float:
        return float(self._rng.uniform(*limits))

    def _next_person(self) -> float:
        return float(self._rng.exponential(3600.0 * self.design.person_every_h))

    @property
    def producing(self) -> bool:
        return self.work is CUTTING

    @property
    def intelligent(self) -> bool:
        """It cuts, and nobody has the hand on it."""
        return self.work is CUTTING and self.mode in (REMOTE, AUTO)

    def step(self, dt: float) -> None:
        order = self.order
        if order is not self._ordered:
            self._ordered, self.mode, self.stopped = order, order.mode, False
        self.t_per_h = self.advance_per_s = 0.0
        self.fault = Fault.NONE
        may = self.powered and self.allowed
        if not (may and order.produce) or self.stopped or self.emergency:
            self._off(may)
        else:
            self._on(dt)
        self.rig.allowed = self.allowed
        self.rig.step(dt, self.stage is STANDBY)
        if self.stage is STANDBY and self.rig.row_done:
            self.rig.row_done = False
            self._next(ADVANCING)

    def _off(self, may: bool) -> None:
        self.work, self.cut_kw, self.pump_kw = OFF, 0.0, 0.0
        self.person_s = 0.0
        if self.emergency:
            self.fault = Fault.EMERGENCY_STOP
        elif not self.allowed:
            self.fault = Fault.LOCKED
        if not may and self._restart_s <= 0.0:
            self._restart_s = self._draw(self.design.restart_s)

    def _on(self, dt: float) -> None:
        design = self.design
        self.pump_kw = 0.32 * design.pump_kw
        self.cut_kw = 0.0
        self.work = STANDBY
        if self._restart_s > 0.0:
            self._restart_s -= dt
            return
        stage = self.stage
        if stage is STANDBY:
            return
        if self.person_s > 0.0:
            self.person_s -= dt
            self.fault = Fault.PERSON
            return
        self._person_in_s -= dt
        if self._person_in_s <= 0.0:
            self.person_s, self._person_in_s = self._draw((15.0, 60.0)), self._next_person()
        if stage is not CUTTING:
            self.work = stage
            self.pump_kw = (0.75 if stage is LOADING else 0.62) * design.pump_kw
            self.phase += dt / self._length_s
        elif self.ready:
            self._cut(dt)
        if self.phase >= 1.0:
            self._next(Work(stage + 1) if stage is not RETREATING else STANDBY)

    def _cut(self, dt: float) -> None:
        """The head goes to and fro through the section; it is slower where it sumps in and where it turns."""
        design = self.design
        self.work = CUTTING
        sweep = 1.0 - abs(2.0 * (self.phase * 6.0 % 1.0) - 1.0)
        rate = design.cut_t_per_h * (0.6 + 0.8 * sweep) / self._hardness
        part = min(rate * dt / 3600.0 / self._row_t, 1.0 - self.phase)
        self.phase += part
        if self.phase > 1.0 - 1e-12:
            self.phase = 1.0
        self.t_per_h = part * self._row_t * 3600.0 / dt
        self.advance_per_s = part * design.row / dt
        self.advance_m += part * design.row
        self.cut_kw = design.cut_kw * min(0.22 + 0.5 * sweep * self._hardness, 1.1)
        self.pump_kw = (0.55 + 0.2 * sweep) * design.pump_kw

    def _next(self, stage: Work) -> None:
        design = self.design
        self.stage, self.phase = stage, 0.0
        if stage is STANDBY:
            self.rig.begin_row()
        elif stage is CUTTING:
            self._hardness = self._draw(design.hardness)
        else:
            self._length_s = self._draw(design.load_s if stage is LOADING else design.walk_s)
