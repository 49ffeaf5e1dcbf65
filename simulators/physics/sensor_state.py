"""A gas sensor with its own state word: its alarm and cut-off contacts, and its calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from simulators.physics.gas import Sensor
from simulators.physics.parts import Occurrence

ALARM, CUT_OFF, CALIBRATION, OVER_RANGE = 1, 2, 4, 8


@dataclass(slots=True)
class StatedSensor:
    """`alarm` and `cut_off`: the contacts set on the sensor itself. Now and then the crew gives it
    calibration gas (`gas`, in its unit); its state word says so until the gas has left it."""

    sensor: Sensor
    rng: np.random.Generator
    alarm: float = math.inf
    cut_off: float = math.inf
    gas: float = 0.0
    shown: float = 0.0
    state: int = 0
    _leaving_s: float = 0.0
    _calibrating: Occurrence = field(init=False)

    def __post_init__(self) -> None:
        self._calibrating = Occurrence(86_400.0 if self.gas else math.inf, 90.0, 180.0, self.rng)

    def step(self, true: float, dt: float) -> None:
        """Go on by dt seconds in air of which `true` is so."""
        given = self._calibrating.step(dt)
        self._leaving_s = 3.0 * self.sensor.t90 if given else self._leaving_s - dt
        self.shown = self.sensor.step(self.gas if given else true, dt)
        self.state = ALARM * (self.shown >= self.alarm)
        if self._leaving_s > 0:
            self.state |= CALIBRATION
        elif self.shown >= self.cut_off:
            self.state |= CUT_OFF
        if self.shown >= self.sensor.high:
            self.state = OVER_RANGE
