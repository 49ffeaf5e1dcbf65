"""Small pieces that several machines are made of."""

from __future__ import annotations

import math


def s_curve(part: float) -> float:
    """0 to 1 with no jerk at either end, for a part of the ramp's time in 0 to 1."""
    x = min(max(part, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def motor_current(power_kw: float, volts: float, no_load: float = 0.0) -> float:
    """Current (A) of a three-phase motor that gives this shaft power at cos φ 0.87 and efficiency 0.94;
    `no_load`: its magnetising current (A)."""
    working = power_kw * 1000.0 / (math.sqrt(3.0) * volts * 0.87 * 0.94)
    return math.hypot(no_load, working)
