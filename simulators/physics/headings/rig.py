"""The bolting rig: drill, stir the resin, wait until it is set, tighten; a record of each hole."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from simulators.design.headings import HeadingDesign
from simulators.physics.order import LOCAL, Order


class Cycle(IntEnum):
    """As the template's `cycle`."""

    IDLE = 0
    DRILLING = 1
    STIRRING = 2
    WAITING = 3
    TIGHTENING = 4


IDLE, DRILLING, STIRRING, WAITING, TIGHTENING = Cycle
LOADS = (0.18, 0.75, 0.55, 0.2, 0.6)
"""Of the pump's rated power, for each step of the cycle."""


class Rig:
    """Give it `order`, `powered`, `allowed`. A hole keeps the way of working that it was begun with: in automatic
    mode all its steps follow on one key. `finished` collects (begin s, end s, row, number, depth, torque,
    automatic) in seconds of the rig's own `clock_s`."""

    def __init__(self, design: HeadingDesign, rng: np.random.Generator) -> None:
        self.design, self._rng = design, rng
        self.order = Order()
        self.powered = self.allowed = True
        self.emergency = 0.0
        self.running = False
        self.cycle = IDLE
        self.automatic = False
        self.phase = 0.0
        self.mode = LOCAL
        self.row = 0
        self.left = 0
        self.row_done = False
        self.holes = self.bolts = self.automatic_holes = 0
        self.clock_s = 0.0
        self.depth = 0.0
        self.torque = 0.0
        self.finished: list[tuple[float, float, int, int, float, float, bool]] = []
        self._began_s = 0.0
        self._length_s = 60.0

    @property
    def producing(self) -> bool:
        return self.running and self.cycle is not IDLE

    @property
    def intelligent(self) -> bool:
        return self.producing and self.automatic

    @property
    def power_kw(self) -> float:
        return self.design.rig_kw * LOADS[self.cycle] if self.running else 0.0

    def begin_row(self) -> None:
        """The roof of a new row is free."""
        self.row += 1
        self.left = self.design.bolts
        self.row_done = False
        self._enter(IDLE)

    def step(self, dt: float, free: bool) -> None:
        """`free`: the roadheader has drawn back."""
        self.clock_s += dt
        if self.cycle is IDLE:
            self.mode = self.order.mode
        self.running = bool(
            free and self.left and self.order.produce and self.powered and self.allowed and not self.emergency
        )
        if not self.running:
            return
        self.phase += dt / self._length_s
        if self.cycle is DRILLING:
            self.depth = min(self.phase, 1.0) * self.design.hole
        if self.phase >= 1.0:
            self._forward()

    def _forward(self) -> None:
        cycle = self.cycle
        if cycle is IDLE:
            self.automatic = self.order.intelligent
            self.mode = self.order.mode
            self._began_s = self.clock_s
            self.torque = float(self._rng.uniform(*self.design.torque))
            self._enter(DRILLING)
            return
        if cycle is DRILLING:
            self.holes += 1
            self.automatic_holes += self.automatic
        if cycle is not TIGHTENING:
            self._enter(Cycle(cycle + 1))
            return
        self.bolts += 1
        number = self.design.bolts - self.left + 1
        depth = self.design.hole + float(self._rng.uniform(-0.03, 0.06))
        self.finished.append((self._began_s, self.clock_s, self.row, number, depth, self.torque, self.automatic))
        self.left -= 1
        self.row_done = self.left == 0
        self.depth = 0.0
        self._enter(IDLE)

    def _enter(self, cycle: Cycle) -> None:
        design = self.design
        limits = (design.move_s, design.drill_s, design.stir_s, design.wait_s, design.tighten_s)[cycle]
        self.cycle, self.phase = cycle, 0.0
        self._length_s = float(self._rng.uniform(*limits))
