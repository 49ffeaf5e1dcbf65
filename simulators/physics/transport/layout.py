"""Which channels the belts have, and where they stand: a group of columns for each key, one column a belt."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.physics.transport.protections import NAMES

STEPPED = (
    ".speed",
    ".flow",
    ".power",
    ".drum_temp",
    ".tension",
    "!tonnes",
    ".current_1",
    ".running",
    ".mode",
    *(f".{name}" for name in NAMES),
    ".fault_code",
    ".spray",
    ".ready",
    ".speed_set",
    ".mode_command",
    ".command",
    "!state",
    "!mode",
    "!producing",
    "!intelligent",
)
"""What a step writes. `.flow` is then what truly passed the scale, `.current_1` the motors' torque as kW at rated
speed, and `.current_2` the supply's voltage factor; `observe` makes of them what the instruments show."""
OBSERVED = (".coal_total", ".energy", "!kwh", ".current_2", ".motor_temp_1", ".motor_temp_2")
SCALE = (".flow", ".load", ".speed", ".total", ".shift_total", ".zero", ".healthy")
"""Of each scale that is an equipment of its own."""
GROUP = {key: number for number, key in enumerate((*STEPPED, *OBSERVED))}


def channels(belts: Sequence[str], scales: Sequence[str]) -> list[str]:
    """All channels in the order of their columns."""
    of_belts = [f"{belt}{key}" for key in GROUP for belt in belts]
    return of_belts + [f"{scale}{key}" for key in SCALE for scale in scales]


def columns(key: str, belts: int) -> slice:
    """Where a key of the belts stands."""
    return slice(GROUP[key] * belts, (GROUP[key] + 1) * belts)


def scale_columns(key: str, belts: int, scales: int) -> slice:
    """Where a key of the scales stands."""
    begin = len(GROUP) * belts + SCALE.index(key) * scales
    return slice(begin, begin + scales)
