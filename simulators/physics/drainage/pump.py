"""One drainage pump: prime, start, build up pressure, open the valve; close the valve, stop."""

from __future__ import annotations

import math
from dataclasses import dataclass
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


STOPPED, PRIMING, STARTING, OPENING, RUNNING, CLOSING, FAULTY = Stage
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How far lags go in one step of `dt` seconds: shares of the way, and of the warmth that stays."""

    dt: float
    quick: float
    suction: float
    warm: float

    @classmethod
    def of(cls, dt: float) -> Pace:
        return cls(dt, 1.0 - math.exp(-dt / 1.5), 1.0 - math.exp(-dt / 25.0), math.exp(-dt / 900.0))


class Pump:
    """`wanted`: it shall run. `resting`: nothing of it moves. Disturbances: `stuck` (the valve), `leaky` (the
    suction), `failed`, `hot_bearing` and `hot_winding` (K), `heavy` (share of power more)."""

    def __init__(self, design: DrainageDesign, hours: float) -> None:
        self.design = design
        self.stage = STOPPED
        self.fault = Fault.NONE
        self.wanted = False
        self.resting = True
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
        return self.stage is STOPPED and self.powered and not self.in_repair and not self.wanted

    def sequence(self, dt: float) -> None:
        """The stages, and the protections."""
        stage = self.stage
        self.since_s += dt
        if stage is FAULTY:
            self._wait_for_repair(dt)
        elif self.failed:
            self._trip(Fault.FAILURE)
        elif not self.powered:
            self.wanted = False
            self._enter(STOPPED)
        elif stage is STOPPED:
            self._enter(PRIMING if self.wanted else STOPPED)
        elif stage is PRIMING or stage is STARTING:
            self._start()
        elif stage is CLOSING:
            if self.valve <= 0.0 or self.since_s > 2.0 * self.design.valve_s:
                self._enter(STOPPED)
        elif not self.wanted:
            self._enter(CLOSING)
        elif stage is OPENING:
            if self.valve >= 1.0:
                self._enter(RUNNING)
            elif self.since_s > 2.0 * self.design.valve_s:
                self._trip(Fault.VALVE)
        self._protect(dt)

    def _start(self) -> None:
        """Until the pump is full of water, and until its pressure stands."""
        design = self.design
        if self.stage is STARTING:
            if self.pressure > 0.9 * design.shut_off_head * MPA_PER_M:
                self._enter(OPENING)
            elif self.since_s > BUILD_UP_S:
                self._trip(Fault.NO_PRESSURE)
        elif not self.wanted:
            self._enter(STOPPED)
        elif self.suction <= design.primed_mpa:
            self.starts += 1
            self._enter(STARTING)
        elif self.since_s > PRIME_S:
            self._trip(Fault.NOT_PRIMED)

    def _protect(self, dt: float) -> None:
        design, stage = self.design, self.stage
        if not TURNING[stage]:
            self._low_s = self._over_s = 0.0
            return
        low = stage is RUNNING and self.flow < 40.0
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
        if self.stage is FAULTY:
            self.fault = Fault.NONE
            self._enter(STOPPED)

    def _trip(self, fault: Fault) -> None:
        self.fault, self.wanted = fault, False
        self._repair_s = 60.0 * self.design.repair_min
        self._enter(FAULTY)

    def _enter(self, stage: Stage) -> None:
        if stage is not self.stage:
            self.stage, self.since_s, self.resting = stage, 0.0, False

    def rest(self, warm: float) -> None:
        """Nothing of it moves; it cools. `warm`: share of the warmth that stays."""
        self.bearing = AMBIENT + (self.bearing - AMBIENT) * warm
        self.winding = AMBIENT + (self.winding - AMBIENT) * warm

    def physics(self, each: float, main_head: float, dt: float, pace: Pace) -> None:
        """`each`: what an open valve lets through, m³/h; `main_head`: of the rising main, m."""
        stage, design = self.stage, self.design
        turning = TURNING[stage]
        if not self.stuck:
            opening = stage is OPENING or stage is RUNNING
            move = dt / design.valve_s if opening else -dt / design.valve_s
            self.valve = min(1.0, max(0.0, self.valve + move))
        sucking = -0.075 if stage is PRIMING or stage is STARTING else (-0.045 if turning else 0.0)
        self.suction += ((0.3 * sucking if self.leaky else sucking) - self.suction) * pace.suction
        holds = turning and not self.leaky
        self.flow += ((each * self.valve if holds else 0.0) - self.flow) * pace.quick
        head = design.shut_off_head - design.pump_drop * self.flow * self.flow if holds else 0.0
        standing = main_head if self.valve > 0.05 else 0.0
        self.pressure += ((head if turning else standing) * MPA_PER_M - self.pressure) * pace.quick
        if turning:
            shaft = max(IDLE_SHARE * design.motor_kw, shaft_kw(self.flow, head, design.efficiency)) * (1.0 + self.heavy)
            self.power_kw = shaft / design.motor_efficiency
            self.hours += dt / 3600.0
            load = shaft / design.motor_kw
            hot, hotter = 34.0 + self.hot_bearing, 68.0 * load * load + self.hot_winding
            self.bearing = AMBIENT + hot + (self.bearing - AMBIENT - hot) * pace.warm
            self.winding = AMBIENT + hotter + (self.winding - AMBIENT - hotter) * pace.warm
        else:
            self.power_kw = 0.0
            self.rest(pace.warm)
            still = stage is STOPPED and self.valve == 0.0 and self.flow < 1e-6 and self.suction > -1e-6
            if still and self.pressure < 1e-6:
                self.flow = self.suction = self.pressure = 0.0
                self.resting = True
