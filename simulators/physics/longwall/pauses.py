"""Why a shearer that should cut does not: waiting with the drums running, or switched off for picks and repairs."""

from __future__ import annotations

import math

from simulators.physics.longwall.chance import Chance

NONE, WAIT, OFF = 0, 1, 2
_SPREAD = 1.2
_LONGEST_S = 3.0 * 3600.0
_MEMORY_S = 6.0 * 3600.0
_TURNING = 0.1
"""Of the hauling time, what turning takes besides."""


class Pauses:
    """Many short pauses and few long ones (log-normal), as many that hauling takes `share` of the planned time:
    a crew that has lost time to a belt takes shorter breaks. `segment_s`: mean hauling from pause to pause."""

    __slots__ = (
        "_chance",
        "_hauled",
        "_keep",
        "_left",
        "_planned",
        "_segment",
        "kind",
        "off_share",
        "segment_s",
        "share",
    )

    def __init__(self, share: float, segment_s: float, off_share: float, chance: Chance) -> None:
        self.share, self.segment_s, self.off_share, self._chance = share, segment_s, off_share, chance
        self.kind = NONE
        self._left = 0.0
        self._planned, self._hauled = 3600.0, 3600.0 * share
        self._segment = self._next_segment()

    def _next_segment(self) -> float:
        return -self.segment_s * math.log(1.0 - self._chance.even(0.0, 0.999999))

    def step(self, dt: float, hauling: bool) -> int:
        """During planned time: NONE, WAIT or OFF from now on."""
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
            self.kind = OFF if self._chance.even() < self.off_share else WAIT
            median = mean * math.exp(-_SPREAD * _SPREAD / 2.0)
            self._left = min(max(median * math.exp(_SPREAD * self._chance.normal()), 5.0), _LONGEST_S)
        return self.kind
