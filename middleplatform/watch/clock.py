"""The time up to which the platform has heard the mine.

Silence is judged by it, so it must not run while the platform itself is deaf: the bus away, this process stopped, or
nothing coming from anybody. That is one condition, and not one for each point.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.alarms.engine import BACK_US
from models.site.model import Site

GRACE_US = 15_000_000
"""When the bus takes messages again after it took none: so long gateways may take to find it and to send what they
kept (own setting)."""
QUIET_US = 30_000_000
"""When nothing at all comes for so long the platform hears nothing: our own setting; longer where every point of a
site may be silent longer."""
BEHIND_US = 1_000_000
"""How far behind the wall the time is: what was stored up to then was fetched."""


def quiet_us(site: Site) -> int:
    """µs without anything from anybody after which the platform hears nothing."""
    shortest = min((point.silence_s for point in site.points), default=0.0)
    return max(QUIET_US, round(2e6 * shortest))


class Clock:
    """Times are µs UTC; it goes back only where the bus's clock does. What is judged long afterwards is judged by the
    times at which the bus took it, so that a watch that was stopped finds the same silences as one that was not."""

    def __init__(self, quiet_us: int, wall: int) -> None:
        """`quiet_us`: when nothing at all comes for so long, somebody is cut off from all of the mine."""
        self.quiet_us = quiet_us
        self.now = 0
        self._since = 0
        self._last = wall
        self._stored: int | None = None
        self._resume = 0

    def heard(self, stored: Iterable[int], wall: int) -> None:
        """Messages were judged that the bus took at these times, in order."""
        for each in stored:
            back = self._stored is not None and each < self._stored - BACK_US
            if self._stored is None or back or each - self._stored >= self.quiet_us:
                self._resume = each + GRACE_US
                self._since = each
            if back:
                self.now = min(self.now, each)
            self._stored = each
            self._last = wall
            if each >= self._resume:
                self.now = max(self.now, each)

    def pass_by(self, wall: int, *, hearing: bool) -> None:
        """Nothing more came up to `wall`. `hearing`: the bus is there, and all that it had was judged."""
        self._last = min(self._last, wall)  # the wall's clock may have been set back
        if hearing and self._stored is not None and wall >= self._resume and not self.deaf(wall):
            self.now = max(self.now, wall - BEHIND_US)

    @property
    def unbroken(self) -> tuple[int, int] | None:
        """From when to when all was heard and judged without a break; None before that is known."""
        return (self._since, self.now) if self.now > self._since else None

    def deaf(self, wall: int) -> bool:
        """Whether nothing is heard of the whole mine, for longer than a moment."""
        return wall - self._last >= self.quiet_us
