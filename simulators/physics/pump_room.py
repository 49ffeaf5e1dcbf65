"""A drainage pump room: sump, staged pumps with priming and valves, one common rising main.

dV/dt = inflow − ΣQ; each pump H = H0 − a·q² against Hs + r·(Σq)²; P = ρgQH / η (domain S-84, S-85).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from simulators.physics.parts import Wander, Winding, approach, lag, motor_current


class PumpState(IntEnum):
    STOPPED = 0
    PRIMING = 1
    STARTING = 2
    OPENING = 3
    RUNNING = 4
    CLOSING = 5
    FAULT = 6


@dataclass(frozen=True, slots=True)
class PumpRoomDesign:
    """Sump in m and m², flows in m³/h, heads in m, levels in m above the floor of the sump."""

    pumps: int = 3
    sump_area: float = 110.0
    sump_depth: float = 4.0
    inflow: float = 95.0
    start_level: float = 2.4
    second_level: float = 2.9
    third_level: float = 3.3
    stop_level: float = 2.0
    shut_off_head: float = 232.0
    pump_drop: float = 0.00165
    static_head: float = 180.0
    main_drop: float = 0.00018
    efficiency: float = 0.74
    motor_kw: float = 160.0
    volts: float = 660.0
    primed_mpa: float = -0.06


def flow_of(design: PumpRoomDesign, running: float) -> float:
    """Flow of each pump, m³/h, when `running` pumps (a sum of valve openings) share the main."""
    head = design.shut_off_head - design.static_head
    return math.sqrt(max(head, 0.0) / (design.pump_drop + design.main_drop * running * running)) if running else 0.0


def pump_power(flow: float, head: float, efficiency: float) -> float:
    """Shaft power, kW, of a flow in m³/h lifted by a head in m."""
    return 1000.0 * 9.81 * flow * head / (3600.0 * 1000.0 * efficiency)


@dataclass(slots=True)
class Pump:
    """One pump and its valve."""

    design: PumpRoomDesign
    rng: np.random.Generator
    state: PumpState = PumpState.STOPPED
    wanted: bool = False
    valve: float = 0.0
    vacuum: float = 0.0
    pressure: float = 0.0
    flow: float = 0.0
    power: float = 0.0
    current: float = 0.0
    bearing_c: float = 24.0
    vibration: float = 0.1
    run_hours: float = 0.0
    energy_kwh: float = 0.0
    starts: int = 0
    _since: float = 0.0
    winding: Winding = field(default_factory=lambda: Winding(24.0, 62.0, 1200.0, 24.0))
    _shake: Wander = field(init=False)

    def __post_init__(self) -> None:
        self._shake = Wander(1.0, 3.0, self.rng)

    @property
    def turning(self) -> bool:
        return self.state in (PumpState.STARTING, PumpState.OPENING, PumpState.RUNNING, PumpState.CLOSING)

    def sequence(self, dt: float) -> None:
        """Prime until the vacuum is there, start, wait for pressure, open the valve; backwards to stop."""
        self._since += dt
        design, state = self.design, self.state
        priming = state in (PumpState.PRIMING, PumpState.STARTING)
        self.vacuum = lag(self.vacuum, -0.075 if priming else (-0.03 if self.turning else 0.0), dt, 7.0)
        if state is PumpState.STOPPED and self.wanted:
            self._enter(PumpState.PRIMING)
        elif state is PumpState.PRIMING and not self.wanted:
            self._enter(PumpState.STOPPED)
        elif state is PumpState.PRIMING and self.vacuum <= design.primed_mpa:
            self.starts += 1
            self._enter(PumpState.STARTING)
        elif state is PumpState.STARTING and self.pressure > 0.9 * design.shut_off_head * 9.81e-3:
            self._enter(PumpState.OPENING)
        elif state is PumpState.OPENING and self.valve >= 100.0:
            self._enter(PumpState.RUNNING)
        elif state in (PumpState.OPENING, PumpState.RUNNING) and not self.wanted:
            self._enter(PumpState.CLOSING)
        elif state is PumpState.CLOSING and self.valve <= 0.0:
            self._enter(PumpState.STOPPED)
        opening = self.state in (PumpState.OPENING, PumpState.RUNNING)
        self.valve = approach(self.valve, 100.0 if opening else 0.0, 100.0 / 20.0 * dt)

    def _enter(self, state: PumpState) -> None:
        self.state, self._since = state, 0.0

    def hydraulics(self, flow: float, dt: float) -> None:
        """`flow`: what the main lets this pump give now, m³/h."""
        design, on = self.design, self.turning
        self._shake.step(dt)
        self.flow = lag(self.flow, flow * (1.0 + 0.004 * self._shake.value) if on else 0.0, dt, 1.0)
        head = design.shut_off_head - design.pump_drop * self.flow**2 if on else 0.0
        self.pressure = lag(self.pressure, head * 9.81e-3 * (1.0 + 0.003 * self._shake.value), dt, 2.0)
        idle = 0.35 * design.motor_kw
        self.power = max(idle, pump_power(self.flow, head, design.efficiency)) if on else 0.0
        rated = motor_current(design.motor_kw, design.volts)
        inrush = 4.0 * math.exp(-self._since / 0.8) if self.state is PumpState.STARTING else 0.0
        self.current = motor_current(self.power, design.volts, 0.3 * rated) * (1.0 + inrush) if on else 0.0
        self.winding.step(min(self.current / rated, 1.2), dt)
        self.bearing_c = lag(self.bearing_c, 56.0 + 0.8 * self._shake.value if on else 24.0, dt, 900.0)
        self.vibration = lag(self.vibration, 2.1 + 0.25 * self._shake.value if on else 0.1, dt, 3.0)
        self.run_hours += on * dt / 3600.0
        self.energy_kwh += self.power * dt / 3600.0


@dataclass(slots=True)
class PumpRoom:
    """The room: level control starts and stops the pumps, the longest rested first."""

    design: PumpRoomDesign
    rng: np.random.Generator
    mode: int = 3
    level: float = 2.25
    inflow: float = 0.0
    flow: float = 0.0
    pumped_m3: float = 0.0
    came_m3: float = 0.0
    pumps: list[Pump] = field(init=False)
    _weather: Wander = field(init=False)
    _ripple: Wander = field(init=False)

    def __post_init__(self) -> None:
        self.pumps = [Pump(self.design, self.rng) for _ in range(self.design.pumps)]
        self._weather = Wander(0.12, 1800.0, self.rng)
        self._ripple = Wander(0.02, 5.0, self.rng)
        for number, pump in enumerate(self.pumps):
            pump.run_hours = 1200.0 + 0.1 * number

    @property
    def volume(self) -> float:
        """Water in the sump, m³."""
        return self.level * self.design.sump_area

    @property
    def main_pressure(self) -> float:
        """In the rising main, MPa: the static column and what friction takes."""
        return (self.design.static_head + self.design.main_drop * self.flow**2) * 9.81e-3

    def step(self, dt: float) -> None:
        """Go on by dt seconds."""
        design = self.design
        self.inflow = max(0.0, design.inflow * (1.0 + self._weather.step(dt) + self._ripple.step(dt)))
        self._decide()
        for pump in self.pumps:
            pump.sequence(dt)
        open_valves = sum(pump.valve / 100.0 for pump in self.pumps if pump.turning)
        each = flow_of(design, open_valves)
        for pump in self.pumps:
            pump.hydraulics(each * pump.valve / 100.0, dt)
        self.flow = sum(pump.flow for pump in self.pumps)
        came, went = self.inflow * dt / 3600.0, self.flow * dt / 3600.0
        self.came_m3 += came
        self.pumped_m3 += went
        self.level = min(max(self.level + (came - went) / design.sump_area, 0.0), design.sump_depth)

    def _decide(self) -> None:
        """How many pumps the level asks for, started one at a time."""
        design = self.design
        wanted = [pump for pump in self.pumps if pump.wanted]
        if self.level <= design.stop_level:
            for pump in wanted:
                pump.wanted = False
            return
        thresholds = (design.start_level, design.second_level, design.third_level)
        needed = sum(self.level >= threshold for threshold in thresholds)
        busy = any(pump.wanted and pump.state is not PumpState.RUNNING for pump in self.pumps)
        rested = [pump for pump in self.pumps if pump.state is PumpState.STOPPED and not pump.wanted]
        if needed > len(wanted) and not busy and rested:
            min(rested, key=lambda pump: pump.run_hours).wanted = True
