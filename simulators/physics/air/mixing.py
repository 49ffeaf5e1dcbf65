"""One volume of well-mixed air: V·dc/dt = Q·(c_in − c) + 100·q, c in % (domain facts 5.9).

The closed form, for one volume. `Airways` steps many volumes together and is tested against it.
"""

from __future__ import annotations

import math


def time_constant(volume_m3: float, air_m3_per_min: float) -> float:
    """Seconds."""
    return volume_m3 / air_m3_per_min * 60.0


def steady(gas_m3_per_min: float, air_m3_per_min: float, c_in: float = 0.0) -> float:
    """The concentration that it tends to, %."""
    return c_in + 100.0 * gas_m3_per_min / air_m3_per_min


def rise_without_air(gas_m3_per_min: float, volume_m3: float) -> float:
    """How fast it rises once the air stands, % a minute."""
    return 100.0 * gas_m3_per_min / volume_m3


def mix(
    c: float, *, volume_m3: float, air_m3_per_min: float, gas_m3_per_min: float, seconds: float, c_in: float = 0.0
) -> float:
    """The concentration (%) after `seconds` of constant air and gas, none of either included."""
    turns = seconds / 60.0 * air_m3_per_min / volume_m3
    # (1 − e^−x)/x, so that standing air is no exception.
    kept = -math.expm1(-turns) / turns if turns > 0.0 else 1.0
    change = c_in - c
    return c + change * kept * turns + rise_without_air(gas_m3_per_min, volume_m3) * seconds / 60.0 * kept
