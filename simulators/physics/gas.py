"""Air and methane of a working face and its return, and the sensors that hang in them.

V·dc/dt = Q·(c_in − c) + 100·q(t), in %; q from the ribs, from the coal as it is cut and from the
goaf. A sensor follows with its T90, adds noise and shows two decimals (domain 5.9, S-89).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from simulators.physics.parts import Wander, lag


def mix(c: float, *, volume: float, air: float, c_in: float, gas: float, dt: float) -> float:
    """One exact step of the mixing model. `volume` m³, `air` m³/min, `gas` m³/min, c in %, dt in s."""
    if air <= 0.0:
        return min(100.0, c + 100.0 * gas / volume * dt / 60.0)
    steady = c_in + 100.0 * gas / air
    return steady + (c - steady) * math.exp(-air / volume * dt / 60.0)


@dataclass(slots=True)
class Sensor:
    """First order with a T90 (s), noise (standard deviation) and a step of display."""

    rng: np.random.Generator
    t90: float
    noise: float
    decimals: int = 2
    low: float = 0.0
    high: float = math.inf
    value: float = math.nan

    def step(self, true: float, dt: float) -> float:
        """What it shows."""
        self.value = true if math.isnan(self.value) else lag(self.value, true, dt, self.t90 / 2.3)
        seen = self.value + self.noise * self.rng.standard_normal()
        return round(min(max(seen, self.low), self.high), self.decimals)


@dataclass(frozen=True, slots=True)
class FaceAir:
    """A face: `volume` m³, `air` m³/min, emission of ribs and goaf m³/min, and m³ a tonne of coal cut."""

    volume: float = 2400.0
    air: float = 1500.0
    ribs: float = 2.4
    goaf: float = 1.5
    per_tonne: float = 0.22
    coal_tau: float = 120.0
    return_delay_s: float = 150.0
    section: float = 12.0


@dataclass(slots=True)
class Gas:
    """The air of one face. Set `coal_flow` (t/h cut), `fan` (whether it blows) and `chamber_heat` (K that
    machines add in the pump chamber) before each `step`."""

    design: FaceAir
    rng: np.random.Generator
    coal_flow: float = 0.0
    fan: bool = True
    air: float = 0.0
    emission: float = 0.0
    face: float = 0.25
    corner: float = 0.4
    back: float = 0.25
    co_ppm: float = 4.0
    air_c: float = 24.0
    chamber_c: float = 20.0
    chamber_heat: float = 0.0
    _coal: float = 0.0
    _delayed: list[float] = field(default_factory=list)
    _clock: float = 0.0
    _barometer: Wander = field(init=False)
    _draught: Wander = field(init=False)
    _weighting: Wander = field(init=False)

    def __post_init__(self) -> None:
        self._barometer = Wander(0.1, 7200.0, self.rng)
        self._draught = Wander(0.02, 10.0, self.rng)
        self._weighting = Wander(0.15, 300.0, self.rng)
        self.air = self.design.air

    @property
    def velocity(self) -> float:
        """Air speed in the face's section, m/s."""
        return self.air / 60.0 / self.design.section

    def step(self, dt: float) -> None:
        """Go on by dt seconds."""
        design = self.design
        draught = self._draught.step(dt)
        self.air = lag(self.air, design.air * (1.0 + draught) if self.fan else 0.0, dt, 20.0)
        self._coal = lag(self._coal, self.coal_flow, dt, design.coal_tau)
        goaf = design.goaf * max(0.2, 1.0 + self._barometer.step(dt) + self._weighting.step(dt))
        self.emission = design.ribs + design.per_tonne * self._coal / 60.0 + goaf
        gas = {"volume": design.volume, "air": self.air, "c_in": 0.02, "dt": dt}
        self.face = mix(self.face, gas=self.emission - 0.6 * goaf, **gas)
        # The goaf breathes out at the upper corner: 1.3 to 2 times the return there.
        mixed = mix(self.back, gas=self.emission, **gas)
        self.corner = lag(self.corner, mixed * (1.35 + 0.3 * goaf / design.goaf), dt, 30.0)
        self.back = mixed
        self._delay(dt)
        burden = self._coal / 1200.0
        self.co_ppm = lag(self.co_ppm, 3.5 + 2.0 * burden, dt, 200.0)
        self.chamber_c = lag(self.chamber_c, 20.0 + self.chamber_heat, dt, 900.0)
        self.air_c = lag(self.air_c, 23.5 + 2.2 * burden, dt, 600.0)

    def _delay(self, dt: float) -> None:
        """The return's sensor sees what left the face `return_delay_s` ago, kept once a second."""
        self._clock += dt
        if not self._delayed or self._clock >= 1.0:
            self._clock = 0.0
            self._delayed.append(self.back)
            if len(self._delayed) > self.design.return_delay_s:
                self._delayed.pop(0)

    @property
    def returned(self) -> float:
        """Methane in the return airway, %."""
        return self._delayed[0] if self._delayed else self.back
