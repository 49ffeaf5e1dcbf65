"""The standard alarms of every mine (`standard.yaml`), read and checked. Nothing is read until somebody asks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from models.alarms.finding import Kind
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Names, Number, Strict, Text

FILE = Path(__file__).resolve().parent / "standard.yaml"

Priority = Annotated[int, Field(ge=1, le=4)]
"""1: critical, the mine's 一级; to 4: low, 四级."""
Delay = Annotated[Number, Field(ge=0, le=3600)]
States = Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(min_length=1)]
LimitKind = Literal["hihi", "hi", "lo", "lolo"]


class Bits(Strict):
    """Of a word of bits: those of which any makes the condition hold."""

    bits: States


class Gate(Strict):
    """A point of the same equipment, by role; while it is one of `unless`, the alarm is suppressed by design."""

    role: Text
    unless: States


class Standard(Strict):
    """One standard alarm. `templates`: only of equipment of these, any where empty."""

    name: Names
    roles: Annotated[tuple[str, ...], Field(min_length=1)]
    templates: tuple[str, ...] = ()
    is_: States | Bits = Field(alias="is")
    kind: Kind = Kind.ALARM
    priority: Priority
    statutory: bool = False
    annunciate: bool = True
    gate: Gate | None = None
    on_s: Delay = 0.0
    off_s: Delay = 0.0
    latching: bool = False
    source: Text
    effective_from: datetime.date
    confirmed: bool


class Together(Strict):
    """One alarm over all points of a role in one area, at equipment of these templates: that all that are known are
    `is`. One that is bad or silent is not known, and keeps the alarm from nothing as long as another one is."""

    name: Names
    role: Text
    templates: Annotated[tuple[str, ...], Field(min_length=1)]
    is_: Annotated[int, Field(alias="is", ge=0, le=255)]
    priority: Priority
    statutory: bool = False
    on_s: Delay = 0.0
    source: Text
    effective_from: datetime.date
    confirmed: bool


class Running(Strict):
    """Limits that are judged only while the machine runs, and for how long it must before."""

    roles: tuple[str, ...]
    kinds: tuple[LimitKind, ...]
    on_s: Delay = 0.0


class Urgency(Strict):
    statutory: dict[LimitKind, Priority]
    other: dict[LimitKind, Priority]


class LimitAlarms(Strict):
    """How the alarms of limits are called and how urgent they are; `roles`: of these, by priority; `on_s`: by role, how
    long a limit of these must be passed."""

    priority: Urgency
    roles: dict[Priority, tuple[str, ...]]
    cut: tuple[str, ...]
    running: Running
    on_s: dict[str, Delay]
    name: dict[Literal["hihi", "hi", "lo", "lolo", "cut"], Names]

    def urgency(self, role: str, kind: str, *, statutory: bool) -> int:
        for priority, roles in self.roles.items():
            if role in roles:
                return priority
        by_kind: Mapping[str, int] = self.priority.statutory if statutory else self.priority.other  # type: ignore[assignment]
        return by_kind[kind]


class Watch(Strict):
    name: Names
    priority: Priority
    silences: Annotated[Number, Field(ge=1, le=100)] = 2.0
    on_s: Annotated[Number, Field(ge=0, le=60)] = 0.0


class Supervision(Strict):
    """Of the data itself."""

    stale: Watch
    bad_quality: Watch
    connection: Watch
    source: Text
    effective_from: datetime.date
    confirmed: bool


class Standards(Strict):
    version: Annotated[int, Field(ge=1)]
    limits: LimitAlarms
    supervision: Supervision
    together: dict[str, Together]
    rules: dict[str, Standard]


@cache
def standards() -> Standards:
    """All of it. Raises SiteErrors, with file and line, when the file is wrong."""
    problems = Problems()
    document = parse(FILE.read_text(encoding="utf-8"), f"models/alarms/{FILE.name}", problems)
    found = validate(Standards, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found
