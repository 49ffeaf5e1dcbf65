"""What the process that judges alarms says of itself, as its heartbeats tell it."""

from __future__ import annotations

import json

from models.site.model import Name

SILENT_US = 10_000_000
"""It gives a sign of life every 2 s: five of them are missing."""
BEHIND_S = 30.0
"""So far behind, its alarms are no longer those of now (own setting)."""
LOST = {
    "missed": "messages were gone before they were judged",
    "broken": "messages could not be judged",
    "refused": "changes of alarms could not be kept",
}
"""What must be 0."""


class WatchState:
    """Before the first heartbeat it is not alive."""

    def __init__(self) -> None:
        self._heard = -SILENT_US
        self._deaf = self._behind = self._failing = self._outdated = False
        self._behind_s = 0.0
        self._lost = dict.fromkeys(LOST, 0)
        self.chattering: frozenset[tuple[str, str]] = frozenset()
        """Rule and subject of what is held raised because it comes and goes."""
        self.names: dict[str, Name] = {}
        """What rules of the site's own are called, by the site as the watch judges by it."""

    def take(self, heartbeat: bytes, now: int) -> None:
        """What it said at `now`, µs UTC; what cannot be read is no sign of life."""
        try:
            said = json.loads(heartbeat)
            chattering = frozenset((str(rule), str(subject)) for rule, subject in said["chattering"])
            deaf, behind = bool(said["deaf"]), bool(said["behind"])
            failing, outdated = said.get("failing") is not None, bool(said.get("outdated"))
            names = {str(rule): Name(str(zh), str(en)) for rule, (zh, en) in said.get("names", {}).items()}
            behind_s, lost = float(said.get("behind_s", 0)), {name: int(said.get(name, 0)) for name in LOST}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return
        self._heard, self._deaf, self._behind, self.chattering = now, deaf, behind, chattering
        self.names = names
        self._failing, self._outdated, self._behind_s, self._lost = failing, outdated, behind_s, lost

    def told(self, now: int) -> dict[str, bool]:
        """Whether it lives, hears the mine, keeps up, and can keep what it finds."""
        alive = self.alive(now)
        return {"alive": alive, "deaf": self._deaf, "behind": self._behind, "failing": alive and self._failing}

    def alive(self, now: int) -> bool:
        """Whether it gave a sign of life lately."""
        return now - self._heard < SILENT_US

    def behind_s(self, now: int) -> float | None:
        """How far behind it is, None while nobody knows."""
        return self._behind_s if self.alive(now) else None

    def trouble(self, now: int) -> list[str]:
        """What is wrong with it, in words."""
        if not self.alive(now):
            return ["watch: no sign of life, alarms are not judged"]
        found = [f"watch: {count} {LOST[name]}, see its log" for name, count in self._lost.items() if count]
        if self._failing:
            found.append("watch: alarms cannot be kept, the relational store does not take them")
        if self._deaf:
            found.append("watch: it hears nothing of the mine")
        if self._behind_s > BEHIND_S:
            found.append(f"watch: it is {self._behind_s:.0f} s behind")
        if self._outdated:
            found.append("watch: it goes on with older rules, the site's have mistakes")
        return found
