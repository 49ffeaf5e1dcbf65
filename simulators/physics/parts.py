"""Small pieces that several machines are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


def lag(value: float, target: float, dt: float, tau: float) -> float:
    """One exact step of a first-order lag with time constant `tau` (s)."""
    return target + (value - target) * math.exp(-dt / tau)


def approach(value: float, target: float, most: float) -> float:
    """Towards the target by at most `most`."""
    return value + max(-most, min(most, target - value))


def s_curve(part: float) -> float:
    """0 to 1 with no jerk at either end, for a part of the ramp's time in 0 to 1."""
    x = min(max(part, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@dataclass(slots=True)
class Wander:
    """A slow random walk around zero (Ornstein-Uhlenbeck), standard deviation `sigma`."""

    sigma: float
    tau: float
    rng: np.random.Generator
    value: float = 0.0

    def step(self, dt: float) -> float:
        keep = math.exp(-dt / self.tau)
        self.value = self.value * keep + self.sigma * math.sqrt(1 - keep * keep) * self.rng.standard_normal()
        return self.value


@dataclass(slots=True)
class Occurrence:
    """Something that happens now and then: on average every `every_s`, for `shortest_s` to `longest_s`."""

    every_s: float
    shortest_s: float
    longest_s: float
    rng: np.random.Generator
    left_s: float = 0.0

    def step(self, dt: float) -> bool:
        """Whether it is going on."""
        if self.left_s > 0:
            self.left_s -= dt
        elif self.rng.random() < dt / self.every_s:
            self.left_s = self.rng.uniform(self.shortest_s, self.longest_s)
        return self.left_s > 0


@dataclass(slots=True)
class Held:
    """True when its condition has been true for `needed_s` without a break."""

    needed_s: float
    for_s: float = 0.0

    def step(self, condition: bool, dt: float) -> bool:
        self.for_s = self.for_s + dt if condition else 0.0
        return condition and self.for_s >= self.needed_s


@dataclass(slots=True)
class Winding:
    """A motor's temperature, °C: its rise follows the square of the load with the motor's time constant."""

    ambient: float
    rated_rise: float
    tau: float
    celsius: float = math.nan

    def step(self, load: float, dt: float) -> float:
        """`load`: current over rated current."""
        if math.isnan(self.celsius):
            self.celsius = self.ambient
        self.celsius = lag(self.celsius, self.ambient + self.rated_rise * load * load, dt, self.tau)
        return self.celsius


def motor_current(power_kw: float, volts: float, no_load: float = 0.0) -> float:
    """Current (A) of a three-phase motor that gives this shaft power at cos φ 0.87 and efficiency 0.94;
    `no_load`: its magnetising current (A)."""
    working = power_kw * 1000.0 / (math.sqrt(3.0) * volts * 0.87 * 0.94)
    return math.hypot(no_load, working)
