"""What the checks found of a mine on one day: listed with its evidence, and changing no figure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.counters import Counter
from models.kpi.checks import Check
from models.kpi.checks import Version as Checks
from models.kpi.look import Machine, Seen, look
from models.site.model import Name, Point, Site
from models.utilisation.rules import Version
from models.utilisation.signal import Signal
from models.utilisation.units import Unit, units


@dataclass(frozen=True, slots=True)
class Finding:
    """[start, end) µs UTC of one equipment of a unit. `numbers`: what shows it, by name, with its unit at its end;
    `points`: paths of the points whose samples do."""

    check: str
    name: Name
    category: str
    unit: str
    equipment: str
    start: int
    end: int
    numbers: Mapping[str, float]
    points: tuple[str, ...]

    @property
    def words(self) -> Name:
        """What was found, with its numbers."""
        zh = "，".join(f"{_NUMBERS[name].zh} {shown(value)}" for name, value in self.numbers.items())
        en = ", ".join(f"{_NUMBERS[name].en} {shown(value)}" for name, value in self.numbers.items())
        return Name(f"{self.name.zh}：{zh}", f"{self.name.en}: {en}")


def shown(value: float) -> str:
    """A number for people: whole from 1000 on, with four digits below."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


_NUMBERS = {
    "held_s": Name("持续秒数", "seconds"),
    "times": Name("次数", "times"),
    "worked_s": Name("工作秒数", "seconds of work"),
    "counted": Name("计数增量", "counted"),
    "counted_h": Name("机载累计小时", "hours by its own counter"),
    "held_h": Name("按方式积分小时", "hours by its mode"),
    "unknown_h": Name("不明小时", "hours unknown"),
    "resets": Name("计数器复位次数", "resets of the counter"),
    "changes": Name("切换次数", "changes"),
    "most_in_1h": Name("每小时上限", "the most in an hour"),
    "same_s": Name("不变秒数", "seconds unchanged"),
    "value": Name("值", "value"),
    "entry": Name("录入单号", "entry number"),
    "samples": Name("样本数", "samples"),
    "counted_s": Name("计入秒数", "seconds that count"),
    "recorded_s": Name("记录秒数", "seconds recorded"),
}


@dataclass(frozen=True, slots=True)
class FindingsDay:
    """`checks`, `site`: versions; `asked`: how often each check was asked of a machine: one that nothing was asked of
    found nothing either way; `units`: of those with findings, the equipment that each is made of."""

    mine: str
    day: date
    start: int
    end: int
    checks: str
    site: str
    asked: Mapping[str, int]
    findings: tuple[Finding, ...]
    units: Mapping[str, tuple[str, ...]]

    def document(self) -> str:
        """As canonical JSON: the same day gives the same text."""
        facts = {
            "mine": self.mine,
            "day": self.day.isoformat(),
            "start": self.start,
            "end": self.end,
            "checks": self.checks,
            "site": self.site,
            "asked": dict(self.asked),
            "findings": [_told(each) for each in self.findings],
            "units": {unit: list(equipment) for unit, equipment in self.units.items()},
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def read(document: str) -> FindingsDay:
        """What `document` wrote."""
        facts = json.loads(document)
        return FindingsDay(
            facts["mine"],
            date.fromisoformat(facts["day"]),
            facts["start"],
            facts["end"],
            facts["checks"],
            facts["site"],
            facts["asked"],
            tuple(_read(each) for each in facts["findings"]),
            {unit: tuple(equipment) for unit, equipment in facts["units"].items()},
        )


Read = Callable[[Point], Signal]
Count = Callable[[Point], Counter]


@dataclass(frozen=True, slots=True)
class Asked:
    """A check of a machine, and the points that it reads."""

    check: Check
    unit: Unit
    equipment: str
    points: Mapping[str, tuple[Point, ...]]
    ratings: Mapping[str, float]

    def find(self, read: Read, count: Count, start: int, end: int) -> Iterator[Finding]:
        """What is found in [start, end) µs UTC."""
        unit = self.unit
        machine = Machine(unit.category, unit.id, self.equipment, self.points, self.ratings, read, count)
        for seen in look(self.check, machine, start, end):
            yield self._finding(seen)

    def _finding(self, seen: Seen) -> Finding:
        return Finding(
            *(self.check.key, self.check.name.resolved(), self.unit.category, self.unit.id, self.equipment),
            *(seen.start, seen.end, seen.numbers, seen.points),
        )


def asked(site: Site, rules: Version, checks: Checks) -> tuple[Asked, ...]:
    """All checks of all machines that figures are made of and that have the points; in one order for one site."""
    of: dict[str, list[Point]] = defaultdict(list)
    for point in site.points:
        of[point.equipment.rpartition("/")[2]].append(point)
    found = []
    for unit in units(site, rules):
        usual = rules.categories[unit.category].ratings
        for equipment in unit.equipment:
            own = {role: value for (name, role), value in site.basis.rated.items() if name == equipment}
            for check in checks.checks:
                if site.equipment[equipment].template != check.template:
                    continue
                points = {role: tuple(p for p in of[equipment] if p.role == role) for role in sorted(check.roles())}
                if all(points.values()):
                    found.append(Asked(check, unit, equipment, points, {**usual, **own}))
    return tuple(found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By time; the same findings in any order give the same."""
    return tuple(sorted(findings, key=lambda f: (f.start, f.end, f.category, f.unit, f.equipment, f.check, f.points)))


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "name": [finding.name.zh, finding.name.en],
        "category": finding.category,
        "unit": finding.unit,
        "equipment": finding.equipment,
        "start": finding.start,
        "end": finding.end,
        "numbers": dict(finding.numbers),
        "points": list(finding.points),
    }


def _read(facts: Mapping[str, Any]) -> Finding:
    return Finding(
        *(facts["check"], Name(*facts["name"]), facts["category"], facts["unit"], facts["equipment"]),
        *(facts["start"], facts["end"], facts["numbers"], tuple(facts["points"])),
    )
