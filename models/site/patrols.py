"""patrols/*.yaml: the unattended chambers of a mine and the plan by which they are patrolled.

patrols:
  pump_room:
    name: {zh: 中央水泵房, en: Central pump room}
    equipment: [pump_room_1, pump_1, pump_2]
    environment: [temp_pump_room/temperature, co_pump_room/co]
    presence: station_11/persons     # of the card reader in it
    door: door_1/door
    camera: 中央水泵房-01
    plan:
      - {every: 4 h, by: {zh: 机电队, en: electrical team}, effective_from: 2026-01-01}
    source: 矿方设定 set by the mine

Who looks in may be one word for both languages.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from models.patrol import Chamber, Plan
from models.site.files import Folder
from models.site.model import Kind, Point
from models.site.problems import Problems
from models.site.schema import Span, entries, validate
from models.site.sequence_entries import Reference
from models.site.there import unknown
from models.site.yamlfile import Document, parse
from models.thing import Key, Names, Strict, Text

FOLDER = "patrols"
SHORTEST_S, LONGEST_S = 600.0, 7 * 86_400.0


def _named(given: object) -> object:
    """A name that is the same in both languages may be given once."""
    return {"zh": given, "en": given} if isinstance(given, str) else given


class PlanEntry(Strict):
    every: Annotated[Span, Field(ge=SHORTEST_S, le=LONGEST_S)]
    by: Annotated[Names, BeforeValidator(_named)]
    effective_from: datetime.date


class ChamberEntry(Strict):
    name: Names
    equipment: Annotated[tuple[Key, ...], Field(min_length=1, max_length=64)]
    environment: Annotated[tuple[Reference, ...], Field(max_length=32)] = ()
    presence: Reference | None = None
    door: Reference | None = None
    camera: Text | None = None
    plan: Annotated[tuple[PlanEntry, ...], Field(min_length=1, max_length=64)]
    source: Text

    @field_validator("plan")
    @classmethod
    def _each_day_once(cls, plan: tuple[PlanEntry, ...]) -> tuple[PlanEntry, ...]:
        days = [each.effective_from for each in plan]
        if len(set(days)) < len(days):
            raise ValueError("两个计划自同一天起执行 · two plans begin on the same day")
        return tuple(sorted(plan, key=lambda each: each.effective_from))


def chambers(
    folder: Folder, problems: Problems, code: str, points: Mapping[str, Point], equipment: Collection[str]
) -> dict[str, Chamber]:
    """The chambers of a site; every mistake is added to the problems."""
    found: dict[str, Chamber] = {}
    for path in folder.list(FOLDER, (".yaml",)):
        text = folder.read_text(path)
        document = None if text is None else parse(text, folder.name(path), problems)
        if document is None:
            continue
        for name, data in entries(document, "patrols", problems).items():
            line = document.line(("patrols", name))
            if name in found:
                problems.add(document.file, line, f"硐室 '{name}' 出现两次 · the chamber '{name}' is here twice")
                continue
            chamber = _chamber(name, data, document, problems, code, points, equipment)
            if chamber is not None:
                found[name] = chamber
    return found


def _chamber(
    name: str,
    data: object,
    document: Document,
    problems: Problems,
    code: str,
    points: Mapping[str, Point],
    equipment: Collection[str],
) -> Chamber | None:
    entry = validate(ChamberEntry, data, document, ("patrols", name), problems)
    if entry is None:
        return None
    line = document.line(("patrols", name))
    looked = [each for each in (*entry.environment, entry.presence, entry.door) if each is not None]
    wrong = [message for each in looked if (message := unknown("bound point", each, points))]
    wrong += [message for each in entry.equipment if (message := unknown("equipment", each, equipment))]
    presence = None if entry.presence is None else points.get(entry.presence)
    if presence is not None and presence.kind is not Kind.ANALOG:
        wrong.append(f"{entry.presence} 不是人数 · {entry.presence} is no number of persons")
    for message in wrong:
        problems.add(document.file, line, message)
    if wrong:
        return None

    def path(reference: str | None) -> str:
        return "" if reference is None else f"{code}/{reference}"

    return Chamber(
        id=name,
        name=entry.name.resolved(),
        equipment=tuple(f"{code}/{each}" for each in entry.equipment),
        environment=tuple(path(each) for each in entry.environment),
        presence=path(entry.presence),
        door=path(entry.door),
        camera=entry.camera or "",
        plans=tuple(Plan(each.every, each.by.resolved(), each.effective_from) for each in entry.plan),
        source=entry.source,
    )
