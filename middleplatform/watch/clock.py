"""The time up to which the platform has heard the mine.

Silence is judged by it, so it must not run while the platform itself is deaf: the bus away, this process stopped, or
nothing coming from anybody. That is one condition, and not one for each point.
"""

from __future__ import annotations

from collections.abc import Iterable

GRACE_US = 15_000_000
"""When the bus takes messages again after it took none: so long gateways may take to find it and to send what they
kept (own setting)."""
BEHIND_US = 1_000_000
"""How far behind the wall the time is: what was stored up to then was fetched."""


class Clock:
    """Times are µs UTC; it never goes back. What is judged long afterwards is judged by the times at which the bus took
    it, so that a watch that was stopped finds the same silences as one that was not."""

    def __init__(self, quiet_us: int, wall: int) -> None:
        """`quiet_us`: when nothing at all comes for so long, somebody is cut off from all of the mine."""
        self.quiet_us = quiet_us
        self.now = 0
        self._last = wall
        self._stored: int | None = None
        self._resume = 0

    def heard(self, stored: Iterable[int], wall: int) -> None:
        """Messages were judged that the bus took at these times, in order."""
        for each in stored:
            if self._stored is None or each - self._stored >= self.quiet_us:
                self._resume = each + GRACE_US
            self._stored = each
            self._last = wall
            if each >= self._resume:
                self.now = max(self.now, each)

    def pass_by(self, wall: int, *, hearing: bool) -> None:
        """Nothing more came up to `wall`. `hearing`: the bus is there, and all that it had was judged."""
        if hearing and self._stored is not None and wall >= self._resume and not self.deaf(wall):
            self.now = max(self.now, wall - BEHIND_US)

    def deaf(self, wall: int) -> bool:
        """Whether nothing is heard of the whole mine, for longer than a moment."""
        return wall - self._last >= self.quiet_us
