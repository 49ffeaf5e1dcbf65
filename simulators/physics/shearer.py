"""A double-drum shearer that cuts both ways with a snake-in at each end (双向割煤, 端部斜切进刀).

Q = 60·H·B·v·ρ and P = 60·H·B·v·Hw give coal and cutting power; the hardness Hw varies along the
face; currents follow from power (domain sources S-80, S-81).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from simulators.physics.parts import Occurrence, Wander, Winding, approach, lag, motor_current


class State(IntEnum):
    STOPPED = 0
    CUTTING = 1
    TURNING = 2
    RUNNING_EMPTY = 3


@dataclass(frozen=True, slots=True)
class ShearerDesign:
    """Face and machine. Lengths m, `web` m, `density` t/m³, speeds m/min, power kW, `hardness` kWh/m³."""

    face: float = 200.0
    support_pitch: float = 1.75
    height: float = 3.2
    web: float = 0.8
    density: float = 1.4
    drum: float = 1.8
    snake: float = 30.0
    cut_speed: float = 4.8
    empty_speed: float = 8.0
    top_speed: float = 12.0
    hardness: float = 0.62
    cut_motor_kw: float = 500.0
    haulage_motor_kw: float = 110.0
    pump_motor_kw: float = 37.0
    volts: float = 3300.0
    haulage_volts: float = 380.0


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the cycle: haul to `target` (m), taking `web_part` of the web; or turn for `wait_s`."""

    target: float
    web_part: float
    wait_s: float = 0.0


def cycle(face: float, snake: float) -> tuple[_Step, ...]:
    """The steps of one cycle of two webs, from the head end and back: 1-based numbers are the 工步."""
    there = (
        _Step(snake, 0.55),
        _Step(snake, 0.0, 60.0),
        _Step(0.0, 0.45),
        _Step(0.0, 0.0, 60.0),
        _Step(snake, 0.0),
        _Step(face, 1.0),
        _Step(face, 0.0, 150.0),
    )
    back = tuple(_Step(face - step.target, step.web_part, step.wait_s) for step in there)
    return there + back


@dataclass(slots=True)
class Shearer:
    """One shearer. `permitted`: the belt takes coal and the gas is below its cut-off; without it the
    machine stops. Position in m from the head end, speed in m/min, signed along the face."""

    design: ShearerDesign
    rng: np.random.Generator
    permitted: bool = True
    mode: int = 2
    state: State = State.STOPPED
    position: float = 62.0
    speed: float = 0.0
    direction: int = 1
    number: int = 5
    left_height: float = 3.2
    right_height: float = 1.2
    cut_kw: tuple[float, float] = (0.0, 0.0)
    cut_current: tuple[float, float] = (0.0, 0.0)
    haulage_current: tuple[float, float] = (0.0, 0.0)
    pump_current: float = 0.0
    power: float = 0.0
    energy_kwh: float = 0.0
    coal_flow: float = 0.0
    cut_t: float = 0.0
    webs: int = 0
    run_hours: float = 0.0
    cut_hours: float = 0.0
    spray_mpa: float = 0.0
    oil_c: float = 32.0
    tilt: float = 0.0
    _waited: float = 0.0
    _steps: tuple[_Step, ...] = field(init=False)
    _seam: np.ndarray = field(init=False)
    _hard: np.ndarray = field(init=False)
    _ripple: Wander = field(init=False)
    _break: Occurrence = field(init=False)
    _windings: list[Winding] = field(init=False)

    def __post_init__(self) -> None:
        metres = math.ceil(self.design.face) + 2
        smooth = np.ones(15) / 15
        walk = np.convolve(self.rng.standard_normal(metres + 14), smooth, "valid") * math.sqrt(15)
        self._hard = self.design.hardness * np.clip(1.0 + 0.12 * walk, 0.6, 1.5)
        walk = np.convolve(self.rng.standard_normal(metres + 14), smooth, "valid") * math.sqrt(15)
        self._seam = 0.08 * walk
        self._steps = cycle(self.design.face, self.design.snake)
        self._ripple = Wander(0.06, 1.5, self.rng)
        self._break = Occurrence(2400.0, 60.0, 420.0, self.rng)
        self._windings = [Winding(30.0, 75.0, 1500.0) for _ in range(4)]

    @property
    def support(self) -> int:
        """The number of the support at which the machine is, from 1."""
        last = int(self.design.face / self.design.support_pitch)
        return min(max(int(self.position / self.design.support_pitch) + 1, 1), last)

    @property
    def step_number(self) -> int:
        """The 工步, from 1."""
        return self.number + 1

    @property
    def motors_on(self) -> bool:
        return self.state is not State.STOPPED

    @property
    def winding_c(self) -> tuple[float, ...]:
        """Left cut, right cut, left haulage, right haulage."""
        return tuple(w.ambient if math.isnan(w.celsius) else w.celsius for w in self._windings)

    def step(self, dt: float) -> None:
        """Go on by dt seconds."""
        resting = self._break.step(dt)
        step = self._steps[self.number]
        go = self.permitted and not resting
        self._haul(step, go, dt)
        self._cut(step, dt)
        self._electric(dt)
        self._drums(dt)

    def _haul(self, step: _Step, go: bool, dt: float) -> None:
        design = self.design
        if not go:
            wanted, self.state = 0.0, State.STOPPED
        elif step.wait_s:
            wanted, self.state = 0.0, State.TURNING
            self._waited += dt
            if self._waited >= step.wait_s:
                self._next()
        else:
            self.state = State.CUTTING if step.web_part else State.RUNNING_EMPTY
            top = design.cut_speed if step.web_part else design.empty_speed
            # Haulage gives way when a drum's motor is near its rated power.
            load = max(self.cut_kw) / design.cut_motor_kw
            top *= 1.0 if load < 0.9 else max(0.4, 1.9 - load)
            left = step.target - self.position
            self.direction = 1 if left > 0 else -1
            brake = math.sqrt(2.0 * 0.02 * max(abs(left), 0.0)) * 60.0 + 0.3
            wanted = self.direction * min(top, brake)
        self.speed = approach(self.speed, wanted, 0.02 * 60.0 * dt)
        self.position = min(max(self.position + self.speed / 60.0 * dt, 0.0), design.face)
        if go and not step.wait_s and abs(step.target - self.position) < 0.05:
            self._next()

    def _next(self) -> None:
        self._waited = 0.0
        self.number = (self.number + 1) % len(self._steps)
        if self.number in (0, len(self._steps) // 2):
            self.webs += 1

    def _cut(self, step: _Step, dt: float) -> None:
        design = self.design
        speed = abs(self.speed)
        face = 60.0 * design.height * design.web * step.web_part * speed
        self.coal_flow = face * design.density if self.motors_on else 0.0
        self.cut_t += self.coal_flow * dt / 3600.0
        at = int(self.position)
        work = face * float(self._hard[at]) * (1.0 + self._ripple.step(dt)) if self.motors_on else 0.0
        front, rear = 0.62 * work, 0.38 * work
        left, right = (rear, front) if self.direction > 0 else (front, rear)
        idle = 0.07 * design.cut_motor_kw if self.motors_on else 0.0
        self.cut_kw = lag(self.cut_kw[0], left + idle, dt, 0.4), lag(self.cut_kw[1], right + idle, dt, 0.4)
        self.run_hours += self.motors_on * dt / 3600.0
        self.cut_hours += (self.coal_flow > 0) * dt / 3600.0

    def _electric(self, dt: float) -> None:
        design, on = self.design, self.motors_on
        rated = motor_current(design.cut_motor_kw, design.volts)
        hauling_rated = motor_current(design.haulage_motor_kw, design.haulage_volts)
        pull = abs(self.speed) / design.top_speed
        hauling = design.haulage_motor_kw * (0.1 + 0.9 * pull * (0.6 + sum(self.cut_kw) / design.cut_motor_kw / 3))
        self.cut_current = tuple(motor_current(kw, design.volts, 0.28 * rated) if on else 0.0 for kw in self.cut_kw)  # type: ignore[assignment]
        amps = motor_current(hauling, design.haulage_volts, 0.15 * hauling_rated) if on and self.speed else 0.0
        self.haulage_current = amps * (1 + 0.02 * self._ripple.value), amps * (1 - 0.03 * self._ripple.value)
        self.pump_current = motor_current(0.6 * design.pump_motor_kw, design.haulage_volts, 12.0) if on else 0.0
        used = sum(self.cut_kw) + (2 * hauling if amps else 0.0) + (0.6 * design.pump_motor_kw if on else 0.0)
        self.power = used / 0.94
        self.energy_kwh += self.power * dt / 3600.0
        loads = (
            self.cut_current[0] / rated,
            self.cut_current[1] / rated,
            self.haulage_current[0] / hauling_rated,
            self.haulage_current[1] / hauling_rated,
        )
        for winding, load in zip(self._windings, loads, strict=True):
            winding.step(load, dt)
        self.oil_c = lag(self.oil_c, 52.0 if on else 30.0, dt, 1800.0)
        self.spray_mpa = lag(self.spray_mpa, 4.6 + 0.5 * self._ripple.value if on else 0.0, dt, 2.0)

    def _drums(self, dt: float) -> None:
        """The leading drum takes the roof, the trailing one the floor, as the seam goes."""
        design = self.design
        seam = float(self._seam[int(self.position)])
        roof, floor = design.height + seam, design.drum / 2 + 0.3 + seam
        left, right = (floor, roof) if self.direction > 0 else (roof, floor)
        self.left_height = approach(self.left_height, left, 0.06 * dt)
        self.right_height = approach(self.right_height, right, 0.06 * dt)
        ahead = float(self._seam[min(int(self.position) + 6, len(self._seam) - 1)])
        self.tilt = lag(self.tilt, math.degrees(math.atan2(ahead - seam, 6.0)), dt, 5.0)
