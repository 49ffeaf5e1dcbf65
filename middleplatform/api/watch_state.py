"""What the process that judges alarms says of itself, as its heartbeats tell it."""

from __future__ import annotations

import json

SILENT_US = 10_000_000
"""It gives a sign of life every 2 s: five of them are missing."""


class WatchState:
    """Before the first heartbeat it is not alive."""

    def __init__(self) -> None:
        self._heard = -SILENT_US
        self._deaf = self._behind = False
        self.chattering: frozenset[tuple[str, str]] = frozenset()
        """Rule and subject of what is held raised because it comes and goes."""

    def take(self, heartbeat: bytes, now: int) -> None:
        """What it said at `now`, µs UTC; what cannot be read is no sign of life."""
        try:
            said = json.loads(heartbeat)
            chattering = frozenset((str(rule), str(subject)) for rule, subject in said["chattering"])
            deaf, behind = bool(said["deaf"]), bool(said["behind"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        self._heard, self._deaf, self._behind, self.chattering = now, deaf, behind, chattering

    def told(self, now: int) -> dict[str, bool]:
        """Whether it lives, hears the mine, and keeps up."""
        return {"alive": now - self._heard < SILENT_US, "deaf": self._deaf, "behind": self._behind}
