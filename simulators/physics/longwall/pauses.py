"""Why a shearer that should cut does not: it waits with the drums running, creeps into place, or is switched off for
picks and repairs."""

from __future__ import annotations

import math

from simulators.design.longwall import ShearerDesign
from simulators.physics.longwall.chance import Chance

NONE, WAIT, OFF, ADJUST = 0, 1, 2, 3
_SPREAD = 1.0
_LONGEST_S = 3600.0
_MEMORY_S = 6.0 * 3600.0
_TURNING = 0.1
"""Of the hauling time, what turning takes besides."""


class Pauses:
    """Many short pauses and few long ones (log-normal), as many that hauling takes `share` of the planned time:
    a crew that has lost time to a belt takes shorter breaks."""

    __slots__ = ("_adjust", "_chance", "_hauled", "_left", "_off", "_planned", "_segment", "kind", "segment_s", "share")

    def __init__(self, design: ShearerDesign, chance: Chance) -> None:
        self.share, self.segment_s = design.cutting_share, 60.0 * design.segment_min
        self._off, self._adjust, self._chance = design.stop_share, design.adjust_share, chance
        self.kind = NONE
        self._left = 0.0
        self._planned, self._hauled = 3600.0, 3600.0 * self.share
        self._segment = self._next_segment()

    def _next_segment(self) -> float:
        return -self.segment_s * math.log(1.0 - self._chance.even(0.0, 0.999999))

    def step(self, dt: float, hauling: bool) -> int:
        """During planned time: the kind of pause from now on, or NONE."""
        fade = 1.0 - dt / _MEMORY_S
        self._planned = self._planned * fade + dt
        self._hauled *= fade
        if hauling:
            self._hauled += dt
            self._segment -= dt
        if self._left > 0.0:
            self._left -= dt
            if self._left <= 0.0:
                self.kind, self._segment = NONE, self._next_segment()
        elif self._segment <= 0.0:
            behind = self._hauled / self._planned / self.share
            mean = (
                self.segment_s * max(1.0 / self.share - 1.0 - _TURNING, 0.01) * min(max(6.0 * behind - 5.0, 0.1), 3.0)
            )
            drawn = self._chance.even()
            self.kind = OFF if drawn < self._off else ADJUST if drawn < self._off + self._adjust else WAIT
            median = mean * math.exp(-_SPREAD * _SPREAD / 2.0)
            self._left = min(max(median * math.exp(_SPREAD * self._chance.normal()), 5.0), _LONGEST_S)
        return self.kind
