"""When sensors get calibration gas: each on its own schedule, a known gas for a minute or three.

The state word says "calibration" from the first gas until it has left the sensor again; afterwards its drift is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.design.sensing import CalibrationKind


@dataclass(slots=True)
class Visit:
    """One calibration under way: `gas` until `gas_until`, and the state until `until` (seconds of the part)."""

    gas: float
    gas_until: float
    until: float


class Calibrations:
    """`kinds`: channel → its calibration. The first visit of each falls anywhere in its period."""

    def __init__(self, kinds: Mapping[int, CalibrationKind], leaving_s: Mapping[int, float], rng: np.random.Generator):
        self._kinds, self._leaving_s, self._rng = dict(kinds), dict(leaving_s), rng
        self._due = {at: float(rng.uniform(0.0, kind.days * 86_400.0)) for at, kind in self._kinds.items()}
        self.next_due = min(self._due.values(), default=np.inf)
        self.visits: dict[int, Visit] = {}

    def begin(self, second: float) -> list[int]:
        """Starts all visits that are due; gives their channels."""
        started = []
        for at, due in self._due.items():
            if due > second:
                continue
            kind = self._kinds[at]
            low, high = kind.gas
            self._due[at] = due + kind.days * 86_400.0 * float(self._rng.uniform(0.9, 1.0))
            lasts = second + float(self._rng.uniform(*kind.seconds))
            gas = round(float(self._rng.uniform(low, high)), 1)
            self.visits[at] = Visit(gas, lasts, lasts + self._leaving_s[at])
            started.append(at)
        self.next_due = min(self._due.values(), default=np.inf)
        return started

    def give(self, at: int, gas: float) -> None:
        """By hand: gas until `end`."""
        self.visits[at] = Visit(gas, np.inf, np.inf)

    def end(self, at: int, second: float) -> None:
        """No more gas by hand; it leaves the sensor."""
        if at in self.visits:
            self.visits[at].gas_until = second
            self.visits[at].until = second + self._leaving_s.get(at, 60.0)
