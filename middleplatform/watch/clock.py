"""The time up to which the platform has heard the mine.

Silence is judged by it, so it must not run while the platform itself is deaf: the bus away, this process stopped, or
nothing coming from anybody. That is one condition, and not one for each point.
"""

from __future__ import annotations

GRACE_US = 15_000_000
"""After the bus was away: so long gateways may take to find it again and send what they kept (own setting)."""
BEHIND_US = 1_000_000
"""How far behind the wall the time is: what was stored up to then was fetched."""


class Clock:
    """Times are µs UTC; it never goes back."""

    def __init__(self, quiet_us: int, wall: int) -> None:
        """`quiet_us`: when nothing at all came for so long, somebody is cut off from all of the mine."""
        self.quiet_us = quiet_us
        self.now = 0
        self._hearing_since = wall
        self._last = wall

    def heard(self, stored: int, wall: int) -> None:
        """A message that the bus took at `stored` was judged."""
        self.now = max(self.now, min(stored, wall))
        self._last = wall

    def pass_by(self, wall: int, *, hearing: bool) -> None:
        """`hearing`: the bus is there, and all that it had was judged."""
        if not hearing:
            self._hearing_since = wall
        elif wall - self._hearing_since >= GRACE_US and wall - self._last < self.quiet_us:
            self.now = max(self.now, wall - BEHIND_US)

    def deaf(self, wall: int) -> bool:
        """Whether nothing is heard of the whole mine, for longer than a moment."""
        return wall - self._last >= self.quiet_us
