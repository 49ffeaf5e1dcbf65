"""What instruments make of the belts: speeds, currents, temperatures, counters, and scales that err and drift."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simulators.design.transport import BeltDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.part import Rows
from simulators.physics.parts import motor_current
from simulators.physics.transport.layout import columns, scale_columns

WINDING_TAU_S = 1500.0
WINDING_RISE_C = 70.0
"""Of a winding at rated current (insulation class F in use as B)."""
SHIFT_S = 28_800.0
ZERO_COUNTS = 10_000.0
"""What a scale without drift shows as its zero, and how many counts a kg/m is worth: 100."""


class Gauges:
    """Over belts and steps at once. `scales`: numbers of the belts that have a scale of their own."""

    def __init__(self, designs: Sequence[BeltDesign], scales: Sequence[int], rng: np.random.Generator) -> None:
        count = self._count = len(designs)
        self._scales = np.array(scales, np.intp)
        errors, drifts, shakes = rng.spawn(3)
        gain = np.array([design.scale_error for design in designs])
        self._gain = 1.0 + gain * errors.uniform(-1.0, 1.0, count)
        self._drift_kg_per_m = np.array(
            [one.scale_drift * one.capacity_t_per_h / (3.6 * one.speed_m_per_s) for one in designs]
        )
        self._drift = Wander(1.0, SHIFT_S, count, drifts)
        self._shake = Wander(1.0, 3.0, 5 * count, shakes)
        rated = np.array([motor_current(design.motor_kw, design.volts) for design in designs])
        share = np.array([design.no_load_share for design in designs])
        motors = np.array([design.motors for design in designs])
        self._second = motors > 1
        self._no_load = rated * share
        self._per_kw = rated * (1.0 - share) / (motors * np.array([design.motor_kw for design in designs]))
        self._rated = rated
        self._ambient = np.array([design.ambient_c for design in designs])
        self._windings = Lag(WINDING_TAU_S, 2 * count, np.tile(self._ambient, 2))
        self._flow = Lag(3.0, count)
        self._coal, self._energy = Total(count), Total(2 * count)
        self._shift = math.nan
        self._shift_from = np.zeros(len(scales))
        self._last_total = np.zeros(len(scales))

    def fill(self, dt: float, rows: Rows) -> None:
        """Complete [steps, channels]."""
        n = self._count
        noise = self._shake.run(dt, len(rows)).reshape(len(rows), 5, n)
        true_speed = rows[:, columns(".speed", n)].copy()
        zero = self._drift.run(dt, len(rows)) * self._drift_kg_per_m
        self._electric(dt, rows, noise)
        weighed = rows[:, columns(".flow", n)] * self._gain + 3.6 * zero * true_speed
        np.maximum(weighed, 0.0, out=weighed)
        flow = self._flow.run(dt, weighed)
        total = self._coal.run(dt, weighed / 3600.0)
        rows[:, columns(".flow", n)] = flow
        rows[:, columns(".coal_total", n)] = total
        rows[:, columns(".speed", n)] *= 1.0 + 0.003 * noise[:, 2]
        rows[:, columns(".drum_temp", n)] += 0.1 * noise[:, 3]
        rows[:, columns(".tension", n)] *= 1.0 + 0.004 * noise[:, 4] * (true_speed > 0.0)
        if len(self._scales):
            self._weigh(rows, flow, total, zero)

    def _electric(self, dt: float, rows: Rows, noise: np.ndarray) -> None:
        n = self._count
        power = rows[:, columns(".power", n)]
        energy = np.concatenate([np.maximum(power, 0.0), power], axis=1)
        counted = self._energy.run(dt, energy / 3600.0)
        rows[:, columns(".energy", n)] = counted[:, :n]
        rows[:, columns("!kwh", n)] = counted[:, n:]
        torque, supply = rows[:, columns(".current_1", n)], rows[:, columns(".current_2", n)]
        on = rows[:, columns(".running", n)]
        current = on * (self._no_load + self._per_kw * torque) / np.maximum(supply, 0.1)
        # Two motors on one drum never share its load evenly.
        both = np.concatenate([current * (1.01 + 0.004 * noise[:, 0]), current * (0.99 + 0.004 * noise[:, 1])], axis=1)
        both[:, n:] *= self._second
        rows[:, columns(".current_1", n)] = both[:, :n]
        rows[:, columns(".current_2", n)] = both[:, n:]
        load = both / np.tile(self._rated, 2)
        warm = self._windings.run(dt, np.tile(self._ambient, 2) + WINDING_RISE_C * load * load)
        rows[:, columns(".motor_temp_1", n)] = warm[:, :n]
        rows[:, columns(".motor_temp_2", n)] = warm[:, n:]

    def _weigh(self, rows: Rows, flow: np.ndarray, total: np.ndarray, zero: np.ndarray) -> None:
        """The scales that are equipment of their own. A step leaves the number of the shift in `.shift_total`."""
        n, which, many = self._count, self._scales, len(self._scales)
        speed = rows[:, columns(".speed", n)][:, which]
        tons = total[:, which]
        moving = speed > 0.05
        put = {
            ".flow": flow[:, which],
            ".load": np.where(moving, flow[:, which] / (3.6 * np.where(moving, speed, 1.0)), 0.0),
            ".speed": speed,
            ".total": tons,
            ".zero": ZERO_COUNTS + 100.0 * zero[:, which],
            ".healthy": np.zeros_like(tons),
        }
        at = scale_columns(".shift_total", n, many)
        shifts = rows[:, at][:, 0].copy()
        rows[:, at] = tons - self._since_change(shifts, tons)
        for key, values in put.items():
            rows[:, scale_columns(key, n, many)] = values

    def _since_change(self, shifts: np.ndarray, tons: np.ndarray) -> np.ndarray:
        """What the totals were when the shift of each step began; [steps, scales]."""
        before = np.concatenate([[self._shift], shifts[:-1]])
        begins = np.flatnonzero(shifts != before).tolist()
        base = np.empty_like(tons)
        base[:] = self._shift_from
        for begin in begins:
            base[begin:] = tons[begin - 1] if begin else self._last_total
        self._shift, self._shift_from, self._last_total = float(shifts[-1]), base[-1].copy(), tons[-1].copy()
        return base
