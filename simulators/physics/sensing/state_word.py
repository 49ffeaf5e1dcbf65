"""The state word that a safety sensor transmits (domain facts 1.4; the states of the templates)."""

from __future__ import annotations

import numpy as np

NORMAL, ALARM, CUT_OFF, FEED_ABNORMAL, CALIBRATION, OVER_RANGE = 0, 1, 2, 3, 4, 8
STATION_FAULT, NOT_POLLED, PAUSED, SENSOR_FAULT = 16, 32, 64, 128
BROKEN = (STATION_FAULT, SENSOR_FAULT)


class StateWords:
    """`special` [sensors]: what is said of a sensor for another reason than its value, 0 for nothing. Of several
    reasons the gravest is said, which is the greatest number."""

    def __init__(self, sensors: int) -> None:
        self.special = np.zeros(sensors)
        self.any_broken = False
        self._reasons: dict[int, dict[str, int]] = {}

    def say(self, sensor: int, reason: str, state: int) -> None:
        """`state` for this reason, 0 when the reason is gone."""
        reasons = self._reasons.setdefault(sensor, {})
        reasons[reason] = state
        self.special[sensor] = max(reasons.values())
        self.any_broken = bool(np.isin(self.special, BROKEN).any())

    def broken(self, sensor: int) -> bool:
        """Whether its wire, its station or itself has failed."""
        return self.special[sensor] in BROKEN
