"""What is known of each support of the row, and the law of the pressure in their legs.

Between two moves a leg's pressure is p_set + a·ln(1 + t/τ), more of it under weighting, less where it leaks, and never
above the yield valve (domain facts §5.3): a step keeps p_set, a and t, and `observe` works out all pressures at once.
"""

from __future__ import annotations

import math

import numpy as np

from simulators.design.longwall import LongwallDesign
from simulators.engine.part import Rows

KEYS = (
    "left_leg_pressure",
    "right_leg_pressure",
    "balance_pressure",
    "heartbeat",
    "advance_stroke",
    "height",
    "pitch",
    "roll",
    "canopy_pitch",
    "shearer_here",
    "action",
    "action_source",
    "advance_state",
    "emergency_stop",
    "online",
    "mode",
    "fault_code",
)
"""Keys of the template in the order of their columns, each for all supports. Until `observe` has been there, the
balance pressure's columns hold the time since setting (s), and the heartbeat's the creep `a` (MPa)."""
_CHUNK = 100
"""Rows that are treated at a time: they stay in the processor's cache."""
_NOISE_MPA = 0.03


def leg_force(legs: int, bore_mm: float, mpa: float) -> float:
    """F = n·π/4·D²·p, kN."""
    return legs * math.pi / 4.0 * bore_mm**2 * mpa / 1000.0


class Shields:
    """Arrays [supports] that are one block of memory in the order of `KEYS`: pressures MPa, stroke mm, height m, angles
    in degrees; `age` s since setting, `creep` a in MPa. `leak` [left and right, supports] MPa/h."""

    def __init__(self, design: LongwallDesign, advanced: list[float], rng: np.random.Generator) -> None:
        own = self.design = design.supports
        self._rng = rng
        count = self.count = own.count
        self.values = np.zeros((len(KEYS), count))
        self._name_rows()
        self.left[:] = own.set_mpa * (1.0 + 0.03 * rng.standard_normal(count))
        self.right[:] = own.set_mpa * (1.0 + 0.03 * rng.standard_normal(count))
        self.age[:] = rng.uniform(600.0, 5400.0, count)
        self.creep[:] = own.creep_mpa * rng.uniform(0.75, 1.25, count)
        self.stroke[:] = [1000.0 * (design.web_m - there) for there in advanced]
        self.height[:] = design.height_m + 0.05 * rng.standard_normal(count)
        self.pitch[:] = 1.2 * rng.standard_normal(count)
        self.roll[:] = 0.8 * rng.standard_normal(count)
        self.canopy[:] = 1.5 * rng.standard_normal(count)
        self.online[:] = 1.0
        leaking = rng.random((2, count)) < own.leaking_share
        self.leak = np.where(leaking, rng.uniform(0.1, 1.0, (2, count)), 0.0)
        # The middle of the face bears more than its ends; what weighting adds is meant for half an hour after setting.
        self._profile = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 0.5
        self._profile *= own.weighting_gain * own.set_mpa / (own.creep_mpa * math.log1p(1800.0 / own.creep_s))

    def lie_in(self, place: np.ndarray) -> None:
        """Keep the values [keys · supports] in this memory from now on."""
        place[:] = self.values.reshape(-1)
        self.values = place.reshape(self.values.shape)
        self._name_rows()

    def _name_rows(self) -> None:
        self.left, self.right, self.age, self.creep = self.values[:4]
        self.stroke, self.height, self.pitch, self.roll, self.canopy, self.here = self.values[4:10]
        self.action, self.source, self.state = self.values[10:13]
        self.online, self.mode = self.values[14:16]

    def pressures(self, at: int) -> tuple[float, float]:
        """Of the legs of one support now, weighting apart."""
        left, right, age, creep = self.values[:4, at].tolist()
        leak, other = self.leak[:, at].tolist()
        creep *= math.log1p(age / self.design.creep_s)
        left = left + creep - leak * age / 3600.0
        right = right + creep - other * age / 3600.0
        return max(left, 0.0), max(right, 0.0)

    def leak_from_now(self, at: int, mpa_per_h: float) -> None:
        """The left leg of a support leaks so much from now on; its pressure now stays what it is."""
        self.left[at] += (mpa_per_h - self.leak[0, at]) * self.age[at] / 3600.0
        self.leak[0, at] = mpa_per_h

    def observe(self, dt: float, rows: Rows, weighting: np.ndarray, heartbeat: np.ndarray) -> None:
        """`rows` [steps, keys · supports] as `KEYS`; `weighting`, `heartbeat` [steps]."""
        del dt
        # Few rows at a time stay in the processor's cache.
        for begin in range(0, len(rows), _CHUNK):
            end = begin + _CHUNK
            self._observe(rows[begin:end], weighting[begin:end], heartbeat[begin:end])

    def _observe(self, rows: Rows, weighting: np.ndarray, heartbeat: np.ndarray) -> None:
        n, own = self.count, self.design
        left, right, age, creep = rows[:, :n], rows[:, n : 2 * n], rows[:, 2 * n : 3 * n], rows[:, 3 * n : 4 * n]
        more = np.log1p(age * (1.0 / own.creep_s))
        more *= creep
        if weighting.any():
            factor = np.multiply.outer(weighting, self._profile)
            factor += 1.0
            more *= factor
        noise = self._rng.standard_normal(more.shape)
        noise *= _NOISE_MPA
        more += noise
        # The yield valve opens and closes around its pressure.
        most = own.yield_mpa + 4.0 * noise[:, :1]
        left += more
        right += more
        for leg, leak in ((left, self.leak[0]), (right, self.leak[1])):
            (leaking,) = leak.nonzero()
            leg[:, leaking] = np.maximum(leg[:, leaking] - age[:, leaking] * (leak[leaking] / 3600.0), 0.0)
        np.minimum(left, most, out=left)
        np.minimum(right, most, out=right)
        np.multiply(left, 0.3, out=age)
        age += 4.0
        creep[:] = heartbeat[:, np.newaxis]
