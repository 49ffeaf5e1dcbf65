"""How people choose between working by hand and letting the machine do it.

They keep a way of working for a session, and in the long run are intelligent for a certain share of the
producing time. What was truly done feeds back, so that stops, local interventions and broken sessions
do not bend the share: a month is within half a point.
"""

from __future__ import annotations

import numpy as np


class Habit:
    """`share` of producing time, `session_s`: shortest and longest session, s of producing time."""

    __slots__ = ("_left_s", "_rng", "intelligent", "intelligent_s", "produced_s", "session_s", "share")

    def __init__(self, share: float, session_s: tuple[float, float], rng: np.random.Generator) -> None:
        self.share, self.session_s, self._rng = share, session_s, rng
        self.produced_s = 0.0
        self.intelligent_s = 0.0
        self.intelligent = False
        self._left_s = 0.0
        self.choose()

    def choose(self) -> bool:
        """Begin a session; whether it is intelligent."""
        length = self._rng.uniform(*self.session_s)
        owed = self.share * self.produced_s - self.intelligent_s
        self.intelligent = bool(self._rng.random() < self.share + owed / length)
        self._left_s = length
        return self.intelligent

    def spend(self, dt: float, intelligent: bool) -> bool:
        """So long was produced in this way; whether the session is over."""
        self.produced_s += dt
        if intelligent:
            self.intelligent_s += dt
        self._left_s -= dt
        return self._left_s <= 0.0
