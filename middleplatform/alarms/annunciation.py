"""How alarms are brought to people, as dated data: `annunciation.yaml`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """An alarm of a priority that nobody acknowledged for so long is on this level, and told to these people."""

    level: int
    priority: int
    after_us: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Annunciation:
    """Times µs. A flood begins above so many raises within `flood_us`, and ends below so many. `targets`: what the
    figures of a day should be, as the file names them."""

    effective_from: str
    flood_us: int
    begins_above: int
    ends_below: int
    chattering_raises: int
    chattering_us: int
    stale_us: int
    alike: int
    targets: dict[str, Any]
    steps: tuple[Step, ...]

    def level(self, priority: int, waited_us: int) -> int:
        """The level of an alarm that has waited so long for somebody, 0 for none."""
        due = (step.level for step in self.steps if step.priority == priority and step.after_us <= waited_us)
        return max(due, default=0)

    def told(self, priority: int, level: int) -> Step | None:
        """Who is told at a level."""
        return next((step for step in self.steps if (step.priority, step.level) == (priority, level)), None)


def annunciation(today: datetime.date) -> Annunciation:
    """What holds on a day."""
    begun = [each for each in _versions() if each["effective_from"] <= today.isoformat()]
    said = max(begun or _versions(), key=lambda each: str(each["effective_from"]))
    flood, chattering = said["flood"], said["chattering"]
    return Annunciation(
        said["effective_from"],
        flood["minutes"] * MINUTE,
        flood["begins_above"],
        flood["ends_below"],
        chattering["raises"],
        chattering["seconds"] * 1_000_000,
        said["stale_h"] * 60 * MINUTE,
        said["alike"],
        said["targets"],
        tuple(
            Step(each["level"], each["priority"], each["after_s"] * 1_000_000, each["to"]["zh"], each["to"]["en"])
            for each in said["escalation"]["steps"]
        ),
    )


@cache
def _versions() -> tuple[dict[str, Any], ...]:
    text = (Path(__file__).parent / "annunciation.yaml").read_text("utf-8")
    return tuple(yaml.safe_load(text)["versions"])
