"""What the mine has set its sensors to: at what they alarm, cut off, and let the power come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.mines import safety
from tools.mines.description import Mine

METHANE: dict[str, tuple[float, float | None, float | None]] = {
    "T0": (1.0, 1.5, 1.0), "T1": (1.0, 1.5, 1.0), "T2": (1.0, 1.0, 1.0), "T3": (0.5, 0.5, 0.5),
    "shearer": (1.0, 1.5, 1.0), "machine": (1.0, 1.5, 1.0), "H-T1": (1.0, 1.5, 1.0), "H-T2": (1.0, 1.0, 1.0),
    "district_return": (1.0, 1.0, 1.0), "main_return": (0.75, None, None),
}  # fmt: skip
"""Place of hanging → alarm, cut-off, restore, %CH4 (domain facts 1.1)."""

ALARMS: dict[str, dict[str, float]] = {
    "co_sensor": {"alarm": 24}, "dust_sensor": {"alarm": 4}, "wind_face": {"low_alarm": 0.25, "alarm": 6},
    "wind_district_return": {"low_alarm": 0.25, "alarm": 6}, "wind_return": {"alarm": 8},
    "wind_heading1": {"low_alarm": 0.25, "alarm": 4}, "wind_heading2": {"low_alarm": 0.25, "alarm": 4},
    "face": {"alarm": 30}, "chamber": {"alarm": 34},
}  # fmt: skip
"""What the other sensors alarm at, by id, place of hanging or template (domain facts 1.2)."""


def alarms(sensor: safety.Sensor) -> dict[str, float]:
    """Of a sensor that is not of methane."""
    for key in (sensor.id, sensor.limit_set, sensor.template):
        if key in ALARMS:
            return ALARMS[key]
    return {}


def thresholds(mine: Mine) -> Iterator[dict[str, Any]]:
    """One for each side that a sensor alarms on."""
    for sensor in safety.sensors(mine):
        at = {"sensor": sensor.id, "point": safety.QUANTITY[sensor.template]}
        if sensor.template == "methane_sensor":
            alarm, cut, restore = METHANE[sensor.limit_set]
            yield {**at, "alarm": alarm} if cut is None else {**at, "alarm": alarm, "cut": cut, "cut_restore": restore}
        elif sensor.template == "smoke_sensor":
            yield {**at, "alarm": 1}
        else:
            levels = alarms(sensor)
            if "low_alarm" in levels:
                yield {**at, "side": "below", "alarm": levels["low_alarm"]}
            if "alarm" in levels:
                yield {**at, "alarm": levels["alarm"]}
