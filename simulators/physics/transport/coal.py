"""Coal on a belt: it lies still on a belt that moves, so what passes a place is what was laid on one length ago.

A belt keeps what was laid on it in all against how far it has travelled, as support points between which the coal
lies evenly. What has passed a place is that curve, read at the travel less the place: nothing spreads, nothing
is lost but to rounding, and the delay is exactly length over speed, also while the speed changes.
"""

from __future__ import annotations

import math

GRAIN_M = 0.25
"""Support points lie at least so far apart."""


class Place:
    """Where passing coal is counted, `at` m from the tail (at least 15)."""

    __slots__ = ("at", "passed", "passing", "point")

    def __init__(self, at: float) -> None:
        self.at = at
        self.point = 0
        """Number of the support point that has passed last."""
        self.passed = 0.0
        """kg since the start."""
        self.passing = 0.0
        """kg in the last step."""


class Coal:
    """On a belt of `length` m whose cross-section holds `most` kg/m, weighed at `weighed_at` m from the tail; none:
    where it leaves the head."""

    __slots__ = ("_at", "_before", "_laid", "_mask", "_newest", "_travel", "chute", "head", "laid", "most", "scale")

    def __init__(self, length: float, weighed_at: float | None, most: float) -> None:
        self.most = most
        self.chute = 0.0
        """What lies at the tail and waits for a free place on the belt, kg."""
        self.laid = 0.0
        """What was laid on since the start, kg."""
        self.head = Place(length)
        self.scale = self.head if weighed_at is None else Place(weighed_at)
        slots = 1 << math.ceil(math.log2(length / GRAIN_M + 8.0))
        self._mask = slots - 1
        # Point 0 lies so far back that every place has it behind; point 1 is the tail now.
        self._at = [-1e6] * slots
        self._laid = [0.0] * slots
        self._at[1] = 0.0
        self._newest = 1
        self._before = -1e6
        self._travel = 0.0

    @property
    def on_belt(self) -> float:
        """kg, without what waits in the chute."""
        return self.laid - self.head.passed

    def rest(self) -> None:
        """The belt stands: nothing passes, and nothing is laid on."""
        self.head.passing = self.scale.passing = 0.0

    def move(self, by: float) -> None:
        """Let the belt travel (m, 0 to 10), laying on what waits in the chute."""
        if self.chute:
            put = self.most * by
            put = min(put, self.chute)
            self.chute -= put
            self.laid += put
        travel = self._travel
        if travel - self._before >= GRAIN_M:
            self._before = travel
            self._newest += 1
        self._travel = travel = travel + by
        newest = self._newest & self._mask
        self._at[newest] = travel
        self._laid[newest] = self.laid
        self._pass(self.head)
        if self.scale is not self.head:
            self._pass(self.scale)

    def _pass(self, place: Place) -> None:
        if self.laid == place.passed:
            # Nothing is before this place, so it need not see the points that were.
            place.point = self._newest - 1
            place.passing = 0.0
            return
        at, mask = self._at, self._mask
        seen = self._travel - place.at
        point = place.point
        end = at[(point + 1) & mask]
        while end < seen:
            point += 1
            end = at[(point + 1) & mask]
        place.point = point
        begin = at[point & mask]
        if begin >= seen:
            place.passing = 0.0
            return
        low = self._laid[point & mask]
        passed = low + (self._laid[(point + 1) & mask] - low) * ((seen - begin) / (end - begin))
        place.passing = passed - place.passed
        place.passed = passed
