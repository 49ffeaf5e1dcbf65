"""The standardisation report: which points follow the rules of naming, unit and code, which do not, why, and what is
proposed for them. The rules are data (`standard.yaml`), the codes and classes are the dictionaries' of the day."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from middleplatform.governance.findings import Finding, Judge
from middleplatform.governance.register import Held, named
from models.site.model import Point, Site

FILE = Path(__file__).parent / "standard.yaml"
ABOUT = ("naming", "unit", "code", "class", "owner", "range")
HEADING = (
    "测点 point", "规则 rule", "类别 about", "程度 severity", "现值 value", "原因 why (zh)", "why (en)",
    "建议字段 field", "建议值 proposed", "换算 factor", "offset",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `severity`: must or should."""

    id: str
    about: str
    severity: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `assessed`: for each rule how many points it applies to; a rule whose dictionary is empty applies
    to none."""

    day: datetime.date
    points: int
    following: int
    assessed: dict[str, int]
    findings: list[Finding]
    dictionaries: list[dict[str, Any]]

    def summary(self) -> dict[str, Any]:
        """Counts, as JSON has them."""
        broken = Counter(finding.rule for finding in self.findings)
        return {
            "day": self.day.isoformat(),
            "points": self.points,
            "following": self.following,
            "share": self.following / self.points if self.points else None,
            "rules": [
                {
                    "rule": rule.id,
                    "about": rule.about,
                    "severity": rule.severity,
                    "zh": rule.zh,
                    "en": rule.en,
                    "assessed": self.assessed[rule.id],
                    "broken": broken[rule.id],
                }
                for rule in rules().values()
            ],
            "dictionaries": self.dictionaries,
        }


@cache
def _file() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its id."""
    return {name: Rule(name, **facts) for name, facts in _file()["rules"].items()}


def report(site: Site, held: Held, day: datetime.date, points: Sequence[Point] | None = None) -> Report:
    """Hold points (all of the site's by default) against the rules. `held`: the dictionaries of the day."""
    chosen = site.points if points is None else points
    judge = Judge(_file(), held)
    names = Counter((point.equipment, point.name.zh) for point in site.points)
    findings: list[Finding] = []
    assessed: Counter[str] = Counter()
    following = 0
    for point in chosen:
        broken = False
        for rule, finding in judge.point(point, names):
            assessed[rule] += 1
            if finding is not None:
                findings.append(finding)
                broken = broken or rules()[rule].severity == "must"
        following += not broken
    used = [named(edition) for edition in (held.codes[0], held.classes[0], held.owners) if edition is not None]
    return Report(
        day,
        len(chosen),
        following,
        {rule: assessed[rule] for rule in rules()},
        findings,
        [each for each in used if each is not None],
    )


def rows(findings: Iterable[Finding]) -> Iterator[tuple[str, ...]]:
    """Findings as a table under HEADING."""
    for each in findings:
        rule = rules()[each.rule]
        proposed = each.proposed or {}
        yield (
            each.point, each.rule, rule.about, rule.severity, each.value, each.why.zh, each.why.en,
            *(str(proposed.get(name, "")) for name in ("field", "value", "factor", "offset")),
        )  # fmt: skip
