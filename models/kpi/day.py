"""What is kept of a mine's utilisation on one day: the figures of each unit by shift, and by what they were made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.site.model import Name
from models.utilisation.figure import TIMES, Figure


@dataclass(frozen=True, slots=True)
class UnitDay:
    """`shifts`: by the key of the stretch (`models.kpi.calendar`); they add up to the day. `lacks`: keys of the clauses
    that can never be known of it. `output`: (amount in intelligent, in other producing time, its unit), where the
    category is weighed by output and the unit has a counter of it."""

    category: str
    id: str
    name: Name
    equipment: tuple[str, ...]
    shifts: Mapping[str, Figure]
    lacks: tuple[str, ...] = ()
    output: tuple[float, float, str] | None = None

    @property
    def figure(self) -> Figure:
        """Of the whole day."""
        return sum((self.shifts[key] for key in sorted(self.shifts)), Figure())


@dataclass(frozen=True, slots=True)
class Excluded:
    """Time that an approved ticket takes out of the figures of a unit, [start, end) µs UTC within the day."""

    ticket: int
    kind: str
    category: str
    unit: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MineDay:
    """`start`, `end`: of the day, µs UTC; `rules`, `site`: the versions it was judged by, `rules_digest` what that
    version said (`models.utilisation.rules.Version.digest`)."""

    mine: str
    day: date
    start: int
    end: int
    rules: str
    site: str
    units: tuple[UnitDay, ...]
    excluded: tuple[Excluded, ...] = ()
    rules_digest: str = ""

    def document(self) -> str:
        """As canonical JSON: the same day gives the same text."""
        facts = {
            "mine": self.mine,
            "day": self.day.isoformat(),
            "start": self.start,
            "end": self.end,
            "rules": self.rules,
            "rules_digest": self.rules_digest,
            "site": self.site,
            "units": [_unit(each) for each in self.units],
            "excluded": [[e.ticket, e.kind, e.category, e.unit, e.start, e.end] for e in self.excluded],
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def read(document: str) -> MineDay:
        """What `document` wrote."""
        facts = json.loads(document)
        return MineDay(
            facts["mine"],
            date.fromisoformat(facts["day"]),
            facts["start"],
            facts["end"],
            facts["rules"],
            facts["site"],
            tuple(_read(each) for each in facts["units"]),
            tuple(Excluded(*each) for each in facts["excluded"]),
            facts["rules_digest"],
        )


def digest(document: str) -> str:
    """SHA-256 of a document, hex."""
    return hashlib.sha256(document.encode()).hexdigest()


def _unit(unit: UnitDay) -> dict[str, Any]:
    return {
        "category": unit.category,
        "id": unit.id,
        "name": [unit.name.zh, unit.name.en],
        "equipment": list(unit.equipment),
        "shifts": {
            key: [*(getattr(figure, name) for name in TIMES), dict(figure.reasons)]
            for key, figure in unit.shifts.items()
        },
        "lacks": list(unit.lacks),
        "output": None if unit.output is None else list(unit.output),
    }


def _read(facts: Mapping[str, Any]) -> UnitDay:
    shifts = {
        key: Figure(**dict(zip(TIMES, times, strict=True)), reasons=reasons)
        for key, (*times, reasons) in facts["shifts"].items()
    }
    output = facts["output"]
    return UnitDay(
        facts["category"],
        facts["id"],
        Name(*facts["name"]),
        tuple(facts["equipment"]),
        shifts,
        tuple(facts["lacks"]),
        None if output is None else (output[0], output[1], output[2]),
    )
