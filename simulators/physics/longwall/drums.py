"""The drums' heights: by hand as the seam goes, or by memory cutting (记忆截割) from what a cut by hand has taught."""

from __future__ import annotations

import math

from simulators.physics.longwall.seam import SPOT, Seam

_BODY = 24
"""Spots under the machine's body, along which it tilts."""
_DEGREES = math.degrees(1.0 / (_BODY * SPOT))
_RATE = 0.06
"""m/s, a drum's arm."""


class Drums:
    """The leading drum takes the roof and the trailing one the floor. `learned`: the roof's profile, m, one value a
    `SPOT` of face. `corrections`: how often somebody has changed a replayed height."""

    __slots__ = ("_correction", "_floor", "_seam", "corrections", "learned", "left", "right", "slope", "target")

    def __init__(self, seam: Seam, drum: float, correction: float) -> None:
        self._seam, self._correction = seam, correction
        self._floor = drum / 2.0
        self.learned = list(seam.roof)
        self.corrections = 0
        self.left = self._floor
        self.right = seam.height - drum / 2.0
        self.target = self.slope = 0.0
        """The roof there, m above its mean, and how it runs along the face, degrees."""

    def step(self, dt: float, x: float, towards: int, replay: bool, learning: bool) -> bool:
        """At `x` m, going `towards` (1 the tail, -1 the head): move the drums. Whether somebody had to correct."""
        at = int(x / SPOT)
        roof = self._seam.roof[at]
        corrected = False
        if replay:
            if abs(roof - self.learned[at]) > self._correction:
                # The correction holds for a few metres ahead, and is what will be replayed next time.
                for spot in range(max(at - 2, 0), min(at + 3, len(self.learned))):
                    self.learned[spot] = self._seam.roof[spot]
                self.corrections += 1
                corrected = True
            roof = self.learned[at]
        elif learning:
            self.learned[at] = roof
        self.target = roof
        ahead = self._seam.roof[min(at + _BODY, len(self._seam.roof) - 1)]
        self.slope = (ahead - self._seam.roof[at]) * _DEGREES
        # Heights are of the drums' centres above the floor of the pans.
        low, high = self._floor + 0.3 * roof, self._seam.height - self._floor + roof
        left, right = (low, high) if towards > 0 else (high, low)
        most = _RATE * dt
        self.left += max(-most, min(most, left - self.left))
        self.right += max(-most, min(most, right - self.right))
        return corrected
