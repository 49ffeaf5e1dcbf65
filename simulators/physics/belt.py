"""A belt conveyor: coal in cells that move with the belt, drive power by DIN 22101, S-curve start,
coasting stop, scale, motor and the eight protections (domain sources S-72 … S-79)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from simulators.physics.din22101 import GRAVITY, Conveyor, length_factor
from simulators.physics.din22101 import power as drive_power
from simulators.physics.parts import Wander, Winding, lag, motor_current, s_curve
from simulators.physics.protections import Protections

_LOCAL, _AUTO = 1, 3


class State(IntEnum):
    STOPPED = 0
    WARNING = 1
    STARTING = 2
    RUNNING = 3
    STOPPING = 4
    TRIPPED = 5


@dataclass(frozen=True, slots=True)
class BeltDesign:
    """What was built. Speeds m/s, flows t/h, power kW, times s; `scale_at` m from the tail."""

    conveyor: Conveyor = field(default_factory=lambda: Conveyor(length=1000.0, lift=30.0, moving_mass=61.8))
    speed: float = 3.5
    capacity: float = 1800.0
    motor_kw: float = 250.0
    motors: int = 2
    volts: float = 1140.0
    warning_s: float = 10.0
    start_s: float = 40.0
    coast_s: float = 18.0
    cell_m: float = 1.0
    scale_at: float = 980.0
    rated_tension: float = 42.0


@dataclass(slots=True)
class Belt:
    """One belt. Set `feed` (t/h that falls on its tail) before each `step`; `run` is the wish that it
    runs. Masses in kg, flows in t/h, speeds in m/s."""

    design: BeltDesign
    rng: np.random.Generator
    feed: float = 0.0
    run: bool = True
    mode: int = _AUTO
    state: State = State.STOPPED
    speed: float = 0.0
    fed_kg: float = 0.0
    discharged_kg: float = 0.0
    total_t: float = 0.0
    flow: float = 0.0
    power: float = 0.0
    current: float = 0.0
    tension: float = 0.0
    energy_kwh: float = 0.0
    drum_c: float = 26.0
    run_hours: float = 0.0
    protections: Protections = field(init=False)
    _cells: np.ndarray = field(init=False)
    _head: int = 0
    _moved: float = 0.0
    _chute: float = 0.0
    _since: float = 0.0
    _from: float = 0.0
    _scale_error: float = field(init=False)
    _windings: list[Winding] = field(init=False)
    _shake: Wander = field(init=False)
    _slipping: Wander = field(init=False)

    def __post_init__(self) -> None:
        cells = round(self.design.conveyor.length / self.design.cell_m)
        self._cells = np.zeros(cells)
        self._scale_error = 1.0 + float(self.rng.uniform(-0.005, 0.005))
        self._windings = [Winding(26.0, 70.0, 1500.0) for _ in range(self.design.motors)]
        self._shake = Wander(0.004, 2.0, self.rng)
        self._slipping = Wander(0.003, 20.0, self.rng)
        self.protections = Protections(self.rng)

    @property
    def on_belt_kg(self) -> float:
        """Coal on the belt, with what fell into the cell that is just passing the tail."""
        return float(self._cells.sum()) + self._chute

    @property
    def running(self) -> bool:
        """Whether coal may be fed: up to speed, and confirmed."""
        return self.state is State.RUNNING

    @property
    def belt_speed(self) -> float:
        """What the belt does, apart from its drum: less when it slips."""
        return self.speed * (1.0 - self.slip)

    @property
    def slip(self) -> float:
        return min(0.9, max(0.0, 0.008 + self._slipping.value + self.protections.slip_disturbance))

    @property
    def winding_c(self) -> tuple[float, ...]:
        return tuple(w.celsius if not math.isnan(w.celsius) else w.ambient for w in self._windings)

    def step(self, dt: float) -> None:
        """Go on by dt seconds."""
        before = self.speed
        self._drive(dt)
        self._slipping.step(dt)
        self._carry(dt)
        self._load(dt, (self.speed - before) / dt)
        ratio = self.belt_speed / self.design.speed
        self.protections.step(
            dt,
            steady=self.state is State.RUNNING,
            speed_ratio=ratio,
            chute_kg=self._chute if self.feed > 0 else 0.0,
            drum_c=self.drum_c,
            tension_ratio=self.tension / self.design.rated_tension,
        )
        if self.protections.trip and self.state not in (State.TRIPPED, State.STOPPED):
            self._enter(State.TRIPPED)

    def _enter(self, state: State) -> None:
        self.state, self._since, self._from = state, 0.0, self.speed

    def _drive(self, dt: float) -> None:
        """The state machine and the drum's speed."""
        design = self.design
        self._since += dt
        if self.state is State.STOPPED and self.run and not self.protections.trip:
            self._enter(State.WARNING)
        elif self.state in (State.WARNING, State.STARTING, State.RUNNING) and not self.run:
            self._enter(State.STOPPING)
        elif self.state is State.WARNING and self._since >= design.warning_s:
            self._enter(State.STARTING)
        elif self.state is State.STARTING and self._since >= design.start_s:
            self._enter(State.RUNNING)
        elif self.speed <= 0.0 and (
            self.state is State.STOPPING or (self.state is State.TRIPPED and not self.protections.trip)
        ):
            self._enter(State.STOPPED)

        if self.state is State.STARTING:
            self.speed = design.speed * s_curve(self._since / design.start_s)
        elif self.state is State.RUNNING:
            self.speed = design.speed * (1.0 + self._shake.step(dt))
            self.run_hours += dt / 3600.0
        elif self.speed > 0.0:
            part = self._since / (design.coast_s * max(self._from / design.speed, 0.05))
            self.speed = 0.0 if part >= 1.0 else self._from * (1.0 - s_curve(part))

    def _carry(self, dt: float) -> None:
        """Feed the tail, move the cells, empty the head, weigh."""
        falling = self.feed / 3.6 * dt
        self.fed_kg += falling
        self._chute += falling
        moved = self.belt_speed * dt
        self._moved += moved
        cell = self.design.cell_m
        while self._moved >= cell:
            self._moved -= cell
            # The ring turns by one: what was at the head falls off, the passing cell is at the tail.
            self._head = (self._head - 1) % len(self._cells)
            self.discharged_kg += float(self._cells[self._head])
            carried = min(self._chute, self.design.capacity * 1.2 / (3.6 * self.design.speed) * cell)
            self._cells[self._head] = carried
            self._chute -= carried
        at = min(int(self.design.scale_at / cell), len(self._cells) - 1)
        weighed = float(self._cells[(self._head + at) % len(self._cells)]) / cell * self._scale_error
        true_flow = weighed * self.belt_speed * 3.6
        self.total_t += true_flow * dt / 3600.0
        self.flow = lag(self.flow, true_flow, dt, 3.0)

    def _load(self, dt: float, acceleration: float) -> None:
        """Force, power, currents and temperatures."""
        design = self.design
        length = design.conveyor.length
        coal = float(self._cells.sum()) / length
        driven = self.state in (State.STARTING, State.RUNNING)
        steady = drive_power(design.conveyor, coal, self.speed)
        faster = acceleration if self.state is State.STARTING else 0.0
        inertia = (design.conveyor.moving_mass + coal) * length * faster * self.speed / 1000.0
        shaft = steady + inertia / design.conveyor.efficiency if driven else 0.0
        self.power = lag(self.power, shaft * (1.0 + 0.5 * self._shake.value), dt, 0.5)
        self.energy_kwh += max(self.power, 0.0) * dt / 3600.0
        rated = motor_current(design.motor_kw, design.volts)
        each = self.power / design.motors
        self.current = motor_current(each, design.volts, 0.3 * rated) if driven else 0.0
        for number, winding in enumerate(self._windings):
            winding.step(self.current / rated * (1.0 + 0.02 * number), dt)
        heat = 24.0 * abs(self.power) / (design.motor_kw * design.motors) + 60.0 * max(self.slip - 0.05, 0.0)
        self.drum_c = lag(self.drum_c, 26.0 + (heat if self.speed > 0 else 0.0), dt, 600.0)
        effective = length_factor(length) * design.conveyor.friction * GRAVITY * length * coal
        pull = (effective + design.conveyor.lift * GRAVITY * coal) / 1000.0
        tight = design.rated_tension * (0.72 + 0.1 * driven) + 0.12 * pull + 8.0 * self._shake.value
        self.tension = lag(self.tension, tight - self.protections.tension_lost, dt, 4.0)

    @property
    def tripped(self) -> bool:
        return self.state is State.TRIPPED

    def give_local(self, local: bool) -> None:
        """Hand the control to the crew on the spot, or back to the control room."""
        self.mode = _LOCAL if local else _AUTO
