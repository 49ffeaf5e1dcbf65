"""How alarms are brought to people, as dated data: `annunciation.yaml`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MINUTE = 60_000_000
DAY = 1440 * MINUTE
LEAST_DAYS = 731
"""For which what is statutory is kept, whatever the file says."""


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
    """Times µs. A flood begins above so many raises within `flood_us`, and ends below so many. At most so long an alarm
    is shelved (`shelved_us`), and a statutory one out of service or suppressed by design (`statutory_us`). For so long
    the journal is kept, of statutory alarms for `statutory_kept_us`. `targets`: what the figures of a day should be, as
    the file names them; of less than `coverage` of a range no figure is held against them."""

    effective_from: str
    flood_us: int
    begins_above: int
    ends_below: int
    chattering_raises: int
    chattering_us: int
    stale_us: int
    alike: int
    shelved_us: int
    statutory_us: int
    kept_us: int
    statutory_kept_us: int
    targets: dict[str, Any]
    coverage: float
    steps: tuple[Step, ...]

    def level(self, priority: int, waited_us: int) -> int:
        """The level of an alarm that has waited so long for somebody, 0 for none."""
        due = (step.level for step in self.steps if step.priority == priority and step.after_us <= waited_us)
        return max(due, default=0)

    def told(self, priority: int, level: int) -> Step | None:
        """Who is told at a level."""
        return next((step for step in self.steps if (step.priority, step.level) == (priority, level)), None)


def annunciation(today: datetime.date) -> Annunciation:
    """What holds on a day. Raises ValueError when a version keeps statutory alarms for less than two years."""
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
        said["silence"]["shelved_h"] * 60 * MINUTE,
        said["silence"]["statutory_h"] * 60 * MINUTE,
        said["journal"]["days"] * DAY,
        said["journal"]["statutory_days"] * DAY,
        said["targets"],
        said["coverage"]["least"],
        tuple(
            Step(each["level"], each["priority"], each["after_s"] * 1_000_000, each["to"]["zh"], each["to"]["en"])
            for each in said["escalation"]["steps"]
        ),
    )


@cache
def _versions() -> tuple[dict[str, Any], ...]:
    return versions_of((Path(__file__).parent / "annunciation.yaml").read_text("utf-8"))


def versions_of(text: str) -> tuple[dict[str, Any], ...]:
    """The versions that a file holds. Raises ValueError."""
    found = tuple(yaml.safe_load(text)["versions"])
    for each in found:
        if each["journal"]["statutory_days"] < LEAST_DAYS:
            raise ValueError(
                f"annunciation.yaml, version of {each['effective_from']}: statutory_days 不得少于 {LEAST_DAYS} 天 · "
                f"statutory alarms are kept for at least {LEAST_DAYS} days"
            )
    return found
