"""What is kept of a mine's production on one day: what it raised, what its machines did, why they stood."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from typing import Any

from models.kpi.amount import Buckets
from models.production.failures import Failure, Stood
from models.production.stoppages import Stoppage


@dataclass(frozen=True, slots=True)
class Times:
    """Of a machine in a shift, µs. `calendar`: all of it; `planned`: in which production was planned; `running`,
    `standing`: known of the calendar; `producing`, `idle`: the same of the planned time. What is in neither is
    unknown."""

    calendar: int = 0
    planned: int = 0
    running: int = 0
    standing: int = 0
    producing: int = 0
    idle: int = 0

    def __add__(self, other: Times) -> Times:
        return Times(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class MachineDay:
    """`times`: by the key of the stretch of the day; `counts`: what it counted of its work by stretch in the day's
    order, and its own hours of running as `run_time`; `rated`: tonnes an hour, None where the site does not say;
    `failures`: that began on this day; `down_us`: of planned time, that it was down with one; None where nobody
    watched."""

    id: str
    template: str
    times: Mapping[str, Times]
    counts: Mapping[str, Buckets] = field(default_factory=dict)
    rated: float | None = None
    failures: tuple[Failure, ...] | None = None
    down_us: int | None = None
    stoppages: tuple[Stoppage, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductionDay:
    """`stretches`: (key, name in Chinese, in English, start, end) of its shifts and of what lies between, in order, µs;
    `output`: counters of the coal that the mine raised, t, by stretch; `site`: the version of the site that it was made
    by; `journal`: whether alarms were judged on that day."""

    mine: str
    day: date
    site: str
    stretches: tuple[tuple[str, str, str, int, int], ...]
    journal: bool
    output: tuple[tuple[str, Buckets], ...] = ()
    machines: tuple[MachineDay, ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """How long each stretch is, µs."""
        return tuple(end - start for *_, start, end in self.stretches)

    def document(self) -> str:
        """As canonical JSON: the same day gives the same text."""
        facts = {
            "mine": self.mine,
            "day": self.day.isoformat(),
            "site": self.site,
            "stretches": [list(each) for each in self.stretches],
            "journal": self.journal,
            "output": [[point, counted.facts()] for point, counted in self.output],
            "machines": [_facts(machine) for machine in self.machines],
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @staticmethod
    def read(document: str) -> ProductionDay:
        """What `document` wrote."""
        facts = json.loads(document)
        return ProductionDay(
            facts["mine"],
            date.fromisoformat(facts["day"]),
            facts["site"],
            tuple((key, zh, en, start, end) for key, zh, en, start, end in facts["stretches"]),
            facts["journal"],
            tuple((point, Buckets.read(counted)) for point, counted in facts["output"]),
            tuple(_machine(each) for each in facts["machines"]),
        )

    def seen(self, points: Container[str], equipment: Container[str]) -> ProductionDay:
        """What of it a caller sees who sees these points, by path, and this equipment. A cause at an equipment out of
        his sight keeps its rule and loses its place."""
        return replace(
            self,
            output=tuple(each for each in self.output if each[0] in points),
            machines=tuple(
                replace(
                    machine,
                    stoppages=tuple(one if one.by in equipment else replace(one, by="") for one in machine.stoppages),
                )
                for machine in self.machines
                if machine.id in equipment
            ),
        )


def _facts(machine: MachineDay) -> dict[str, Any]:
    return {
        "id": machine.id,
        "template": machine.template,
        "times": {key: list(astuple(times)) for key, times in machine.times.items()},
        "counts": {key: counted.facts() for key, counted in machine.counts.items()},
        "rated": machine.rated,
        "failures": None if machine.failures is None else [list(astuple(each)) for each in machine.failures],
        "down_us": machine.down_us,
        "stoppages": [list(astuple(each)) for each in machine.stoppages],
    }


def _machine(facts: Mapping[str, Any]) -> MachineDay:
    told: Sequence[Any] | None = facts["failures"]
    return MachineDay(
        facts["id"],
        facts["template"],
        {key: Times(*times) for key, times in facts["times"].items()},
        {key: Buckets.read(counted) for key, counted in facts["counts"].items()},
        facts["rated"],
        None if told is None else tuple(_failure(*each) for each in told),
        facts["down_us"],
        tuple(Stoppage(*each) for each in facts["stoppages"]),
    )


def _failure(rule: str, group: str, begin: int, end: int | None, stood: str) -> Failure:
    return Failure(rule, group, begin, end, Stood(stood))
