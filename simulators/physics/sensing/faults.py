"""What can go wrong with a sensor, its wire and its station, and what it then shows and says.

`calibration` (gas, in its unit, state 4), `unmarked_calibration` (the same, and nobody set the state), `broken_wire`
(shows 0, state 128), `over_range` (shows its end, state 8), `drift` (unit/h, unnoticed), `negative_drift` (unit/h; a
zero that has sunk too far is a sensor fault, 128), and three where the last value stays: `freeze` (state as before),
`station_fault` (16), `not_polled` (32), `paused` (64).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.physics.sensing.channels import NEVER, Channels
from simulators.physics.sensing.state_word import (
    NORMAL,
    NOT_POLLED,
    OVER_RANGE,
    PAUSED,
    SENSOR_FAULT,
    STATION_FAULT,
    StateWords,
)

HOLDING = {"freeze": NORMAL, "station_fault": STATION_FAULT, "not_polled": NOT_POLLED, "paused": PAUSED}
FAULTS = ("calibration", "unmarked_calibration", "broken_wire", "drift", "negative_drift", "over_range", *HOLDING)
SUNK = 0.1
"""How far a zero may sink, as a part of the alarm's level."""


class Faults:
    """Those that there are now, by point. `gas`: what a point gets to smell instead of the air; `slopes`: by how
    much its zero moves, unit/h."""

    def __init__(self, at: Channels, words: StateWords) -> None:
        self._at, self._words = at, words
        self.gas: dict[int, float] = {}
        self.slopes: dict[int, float] = {}
        self._shows: dict[int, dict[str, float]] = {}
        self._sinking: set[int] = set()
        self.any = False

    def set(self, point: int, kind: str, amount: float, shown: NDArray[np.float64]) -> None:
        """Begins one; 0 ends it."""
        sensor, on = int(self._at.sensor[point]), amount != 0.0
        if kind == "unmarked_calibration":
            self._keep(self.gas, point, amount)
        elif kind in ("drift", "negative_drift"):
            self._keep(self.slopes, point, amount if kind == "drift" else -amount)
            (self._sinking.add if on and kind == "negative_drift" else self._sinking.discard)(point)
            self._words.say(sensor, "negative_drift", 0)
        elif kind in HOLDING:
            for each in np.flatnonzero(self._at.sensor == sensor):
                self._show(int(each), kind, float(shown[each]) if on else None)
            self._words.say(sensor, kind, HOLDING[kind] if on else 0)
        elif kind == "broken_wire":
            self._show(point, kind, 0.0 if on else None)
            self._words.say(sensor, kind, SENSOR_FAULT if on else 0)
        elif kind == "over_range":
            self._show(point, kind, float(self._at.high[point]) if on else None)
            self._words.say(sensor, kind, OVER_RANGE if on else 0)
        self.any = bool(self._shows or self._sinking)

    def _keep(self, into: dict[int, float], point: int, amount: float) -> None:
        into.pop(point, None)
        if amount:
            into[point] = amount

    def _show(self, point: int, kind: str, value: float | None) -> None:
        values = self._shows.setdefault(point, {})
        values.pop(kind, None)
        if value is not None:
            values[kind] = value
        if not values:
            del self._shows[point]

    def spoil(self, shown: NDArray[np.float64], unclipped: NDArray[np.float64]) -> None:
        """What they make of what would be shown: of several, the last one tells."""
        for point, values in self._shows.items():
            shown[point] = next(reversed(values.values()))
        for point in self._sinking:
            level = self._at.alarm[point] if self._at.alarm[point] < NEVER else 1.0
            sunk = unclipped[point] < -SUNK * level
            self._words.say(int(self._at.sensor[point]), "negative_drift", SENSOR_FAULT if sunk else 0)
