"""Unattended chambers: what belongs to each, and how often somebody looks in (无人值守、有人巡检)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.site.model import Name


@dataclass(frozen=True, slots=True)
class Plan:
    """A patrol every `every_s` by `by`, from a local date on."""

    every_s: float
    by: Name
    effective_from: date


@dataclass(frozen=True, slots=True)
class Chamber:
    """`equipment`: the paths of what stands in it; `presence`, `door`: paths of points, "" where there is none;
    `environment`: paths of points; `camera`: how the video system calls it; `plans`: the oldest first."""

    id: str
    name: Name
    equipment: tuple[str, ...]
    environment: tuple[str, ...]
    presence: str
    door: str
    camera: str
    plans: tuple[Plan, ...]
    source: str = ""

    def plan_at(self, day: date) -> Plan | None:
        """The plan in force on a local date; None before the first."""
        return max((each for each in self.plans if each.effective_from <= day), key=lambda each: each.effective_from,
                   default=None)  # fmt: skip

    def points(self) -> frozenset[str]:
        """Every point that it names."""
        return frozenset(path for path in (*self.environment, self.presence, self.door) if path)
