"""One drainage pump: prime, start, build up pressure, open the valve; close the valve, stop."""

from __future__ import annotations

import math
from enum import IntEnum

from simulators.design.drainage import DrainageDesign
from simulators.physics.drainage.hydraulics import MPA_PER_M, shaft_kw

AMBIENT = 22.0
IDLE_SHARE = 0.38
"""Power with a closed valve, of the rated."""
PRIME_S, BUILD_UP_S, DRY_S, OVERLOAD_S = 300.0, 10.0, 10.0, 30.0


class Stage(IntEnum):
    STOPPED = 0
    PRIMING = 1
    STARTING = 2
    OPENING = 3
    RUNNING = 4
    CLOSING = 5
    FAULT = 6


SHOWN = (0, 1, 1, 1, 2, 3, 4)
"""The template's state for each stage: stopped, starting, running, stopping, fault."""
TURNING = (False, False, True, True, True, True, False)


class Fault(IntEnum):
    """Codes that a pump shows."""

    NONE = 0
    NOT_PRIMED = 1
    NO_PRESSURE = 2
    VALVE = 3
    DRY = 4
    BEARING = 5
    WINDING = 6
    OVERLOAD = 7
    FAILURE = 8


class Pump:
    """`wanted`: it shall run. `stuck`, `leaky`, `failed`, `hot_bearing`, `hot_winding` (K), `heavy` (share of power
    more): disturbances."""

    def __init__(self, design: DrainageDesign, hours: float) -> None:
        self.design = design
        self.stage = Stage.STOPPED
        self.fault = Fault.NONE
        self.wanted = False
        self.powered = True
        self.in_repair = False
        self.hours = hours
        self.starts = 0
        self.since_s = 0.0
        self.began_us = 0
        self.valve = 0.0
        self.suction = self.pressure = self.flow = self.power_kw = 0.0
        self.bearing = self.winding = AMBIENT
        self.stuck = self.leaky = self.failed = False
        self.hot_bearing = self.hot_winding = self.heavy = 0.0
        self._low_s = self._over_s = 0.0
        self._repair_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether it could be started."""
        return self.stage is Stage.STOPPED and self.powered and not self.in_repair and not self.wanted

    def sequence(self, dt: float) -> None:
        """The stages, and the protections."""
        stage = self.stage
        self.since_s += dt
        if stage is Stage.FAULT:
            self._wait_for_repair(dt)
        elif self.failed:
            self._trip(Fault.FAILURE)
        elif not self.powered:
            self.wanted = False
            if stage is not Stage.STOPPED:
                self._enter(Stage.STOPPED)
        elif stage is Stage.STOPPED:
            if self.wanted:
                self._enter(Stage.PRIMING)
        elif stage is Stage.PRIMING or stage is Stage.STARTING:
            self._start()
        elif stage is Stage.CLOSING:
            if self.valve <= 0.0 or self.since_s > 2.0 * self.design.valve_s:
                self._enter(Stage.STOPPED)
        elif not self.wanted:
            self._enter(Stage.CLOSING)
        elif stage is Stage.OPENING:
            if self.valve >= 1.0:
                self._enter(Stage.RUNNING)
            elif self.since_s > 2.0 * self.design.valve_s:
                self._trip(Fault.VALVE)
        self._protect(dt)

    def _start(self) -> None:
        """Until the pump is full of water, and until its pressure stands."""
        design = self.design
        if self.stage is Stage.STARTING:
            if self.pressure > 0.9 * design.shut_off_head * MPA_PER_M:
                self._enter(Stage.OPENING)
            elif self.since_s > BUILD_UP_S:
                self._trip(Fault.NO_PRESSURE)
        elif not self.wanted:
            self._enter(Stage.STOPPED)
        elif self.suction <= design.primed_mpa:
            self.starts += 1
            self._enter(Stage.STARTING)
        elif self.since_s > PRIME_S:
            self._trip(Fault.NOT_PRIMED)

    def _protect(self, dt: float) -> None:
        design, stage = self.design, self.stage
        if not TURNING[stage]:
            self._low_s = self._over_s = 0.0
            return
        low = stage is Stage.RUNNING and self.flow < 40.0
        self._low_s = self._low_s + dt if low else 0.0
        over = self.power_kw * design.motor_efficiency > 1.1 * design.motor_kw
        self._over_s = self._over_s + dt if over else 0.0
        if self._low_s > DRY_S:
            self._trip(Fault.DRY)
        elif self._over_s > OVERLOAD_S:
            self._trip(Fault.OVERLOAD)
        elif self.bearing > design.trip_bearing:
            self._trip(Fault.BEARING)
        elif self.winding > design.trip_winding:
            self._trip(Fault.WINDING)

    def _wait_for_repair(self, dt: float) -> None:
        causes = self.failed or self.stuck or self.leaky or self.heavy or self.hot_bearing or self.hot_winding
        self._repair_s = 60.0 * self.design.repair_min if causes else self._repair_s - dt
        if self._repair_s <= 0:
            self.reset()

    def reset(self) -> None:
        """The fault is acknowledged; if its cause is still there it trips again."""
        if self.stage is Stage.FAULT:
            self.fault = Fault.NONE
            self._enter(Stage.STOPPED)

    def _trip(self, fault: Fault) -> None:
        self.fault, self.wanted = fault, False
        self._repair_s = 60.0 * self.design.repair_min
        self._enter(Stage.FAULT)

    def _enter(self, stage: Stage) -> None:
        self.stage, self.since_s = stage, 0.0

    def physics(self, each: float, main_head: float, dt: float) -> None:
        """`each`: what an open valve lets through, m³/h; `main_head`: of the rising main, m."""
        stage, design = self.stage, self.design
        turning = TURNING[stage]
        if not self.stuck:
            opening = stage is Stage.OPENING or stage is Stage.RUNNING
            move = dt / design.valve_s if opening else -dt / design.valve_s
            self.valve = min(1.0, max(0.0, self.valve + move))
        quick, slow = 1.0 - math.exp(-dt / 1.5), dt / 900.0
        sucking = -0.075 if stage is Stage.PRIMING or stage is Stage.STARTING else (-0.045 if turning else 0.0)
        self.suction += ((0.3 * sucking if self.leaky else sucking) - self.suction) * (1.0 - math.exp(-dt / 25.0))
        holds = turning and not self.leaky
        self.flow += ((each * self.valve if holds else 0.0) - self.flow) * quick
        head = design.shut_off_head - design.pump_drop * self.flow * self.flow if holds else 0.0
        standing = main_head if self.valve > 0.05 else 0.0
        self.pressure += ((head if turning else standing) * MPA_PER_M - self.pressure) * quick
        if turning:
            shaft = max(IDLE_SHARE * design.motor_kw, shaft_kw(self.flow, head, design.efficiency)) * (1.0 + self.heavy)
            self.power_kw = shaft / design.motor_efficiency
            self.hours += dt / 3600.0
            load = shaft / design.motor_kw
            self.bearing += (AMBIENT + 34.0 + self.hot_bearing - self.bearing) * slow
            self.winding += (AMBIENT + 68.0 * load * load + self.hot_winding - self.winding) * slow
        else:
            self.power_kw = 0.0
            self.bearing += (AMBIENT - self.bearing) * slow
            self.winding += (AMBIENT - self.winding) * slow
