"""Interlocks (联锁条件) of a site, `interlocks/*.yaml`: what must hold for a machine to be started or switched on.

The gateway that commands the machine judges them: by what it reads itself, and by what it hears of other gateways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from models.control.effects import Effect
from models.site.files import Folder
from models.site.model import Name, Point
from models.site.problems import Problems
from models.site.schema import REFERENCE, entries, validate
from models.site.there import unknown
from models.site.yamlfile import Document, parse
from models.thing import Key, Names, Number, Strict, Text

FOLDER = "interlocks"
MOST = 2000
"""Interlocks of a site."""
COMPARISONS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "equals": "="}
RUNNING = "run.state"

Reference = Annotated[str, Field(pattern=REFERENCE)]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold of a point: `compare` is one of COMPARISONS; in the point's unit. A point that is not good
    fulfils nothing."""

    point: str
    compare: str
    value: float

    def holds(self, now: float) -> bool:
        match self.compare:
            case "at_least":
                return now >= self.value
            case "at_most":
                return now <= self.value
            case "above":
                return now > self.value
            case "below":
                return now < self.value
            case _:
                return now == self.value


@dataclass(frozen=True, slots=True)
class Interlock:
    """Commands with an effect of `refuses` to `equipment`, or to its one point `point` (a path, or ""), are refused
    unless all of `unless` hold."""

    id: str
    name: Name
    equipment: str
    point: str
    refuses: tuple[Effect, ...]
    unless: tuple[Requirement, ...]
    source: str


class ConditionEntry(Strict):
    point: Reference
    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None
    equals: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> ConditionEntry:
        if len(self.given) != 1:
            raise ValueError(f"须给出 {'、'.join(COMPARISONS)} 中的一个 · give one of {', '.join(COMPARISONS)}")
        return self

    @property
    def given(self) -> dict[str, float]:
        return {name: value for name in COMPARISONS if (value := getattr(self, name)) is not None}


class InterlockEntry(Strict):
    name: Names
    equipment: Key | None = None
    point: Reference | None = None
    refuses: Annotated[tuple[Effect, ...], Field(min_length=1)] = (Effect.START, Effect.POWER_ON)
    unless: Annotated[tuple[ConditionEntry, ...], Field(max_length=32)]
    source: Text

    @model_validator(mode="after")
    def _of_one(self) -> InterlockEntry:
        if (self.equipment is None) == (self.point is None):
            raise ValueError("equipment: 和 point: 须给出其中一个 · give one of equipment: and point:")
        if not self.unless:
            raise ValueError("unless: 须给出一个或多个条件 · unless: give a condition, or more")
        if any(effect.safe for effect in self.refuses):
            raise ValueError(
                "refuses: 任何条件都不得阻止停止或分断 · "
                "refuses: nothing may stand in the way of a stop or of switching off"
            )
        return self


def interlocks(
    folder: Folder,
    problems: Problems,
    mine: str,
    equipment: Iterable[str],
    points: Mapping[str, Point],
) -> tuple[Interlock, ...]:
    """The interlocks of a site, whose `points` are named equipment/key; every mistake is added to the problems. The
    folder need not be there."""
    machines, found, said = set(equipment), {}, {}
    for path in folder.list(FOLDER, (".yaml",)):
        text = folder.read_text(path)
        document = None if text is None else parse(text, folder.name(path), problems)
        for name, data in entries(document, "interlocks", problems).items() if document is not None else ():
            line = document.line(("interlocks", name)) if document else 0
            file = document.file if document else ""
            if name in found:
                problems.add(file, line, f"联锁 '{name}' 出现两次 · the interlock '{name}' is here twice")
                continue
            made = _made(name, data, document, problems, mine, machines, points) if document else None
            if made is not None:
                found[name], said[name] = made, (file, line)
    if len(found) > MOST:
        count = len(found)
        problems.add(
            FOLDER, "", f"有 {count} 条联锁，最多接收 {MOST} 条 · has {count} interlocks, at most {MOST} are taken"
        )
    for name, message in (*_impossible(found.values()), *_circles(found.values(), points)):
        problems.add(*said[name], message)
    return tuple(found[name] for name in sorted(found))


def _made(
    name: str,
    data: object,
    document: Document,
    problems: Problems,
    mine: str,
    machines: set[str],
    points: Mapping[str, Point],
) -> Interlock | None:
    place = ("interlocks", name)
    entry = validate(InterlockEntry, data, document, place, problems)
    if entry is None:
        return None
    wrong: list[str] = []
    machine = entry.equipment or str(entry.point).split("/")[0]
    message = unknown("equipment", machine, machines)
    if message is None and entry.point is not None:
        message = unknown("bound point", entry.point, points)
    if message is not None:
        wrong.append(message)
    commanded = [
        point
        for key, point in points.items()
        if point.writable and (key == entry.point if entry.point else point.equipment == machine)
    ]
    if not wrong and not commanded:
        what = entry.point or machine
        wrong.append(f"没有可拒绝的操作：{what} 没有可写的测点 · has nothing to refuse: {what} has no writable point")
    wrong += [missing for each in entry.unless if (missing := unknown("bound point", each.point, points))]
    for message in wrong:
        problems.add(document.file, document.line(place), message)
    if wrong:
        return None
    unless = tuple(Requirement(points[each.point].path, *next(iter(each.given.items()))) for each in entry.unless)
    point = f"{mine}/{entry.point}" if entry.point else ""
    return Interlock(
        name, entry.name.resolved(), machine, point, tuple(sorted(set(entry.refuses))), unless, entry.source
    )


def _impossible(found: Iterable[Interlock]) -> Iterator[tuple[str, str]]:
    """Interlocks that contradict each other: a machine that nothing could ever start."""
    sides: dict[tuple[str, str, Effect], dict[str, list[tuple[str, Requirement]]]] = {}
    for each in found:
        for effect in each.refuses:
            of_target = sides.setdefault((each.equipment, each.point, effect), {})
            for requirement in each.unless:
                of_target.setdefault(requirement.point, []).append((each.id, requirement))
    told: set[tuple[str, str]] = set()
    for of_target in sides.values():
        for point, listed in of_target.items():
            for at, (name, one) in enumerate(listed):
                for other, two in listed[at + 1 :]:
                    if not _together(one, two) and (name, point) not in told:
                        told.add((name, point))
                        first = f"{point} {COMPARISONS[one.compare]} {one.value:g}"
                        second = f"{COMPARISONS[two.compare]} {two.value:g}"
                        zh = f"永远不能成立：{first} 且 {second}（'{other}'）"
                        yield name, f"{zh} · can never hold: {first} and {second} ('{other}')"


def _together(one: Requirement, two: Requirement) -> bool:
    """Whether one number can fulfil both: if any does, then one of their bounds, or one just beside or between them."""
    middle = (one.value + two.value) / 2
    low, high = min(one.value, two.value) - 1, max(one.value, two.value) + 1
    return any(one.holds(each) and two.holds(each) for each in (one.value, two.value, middle, low, high))


def _circles(found: Iterable[Interlock], points: Mapping[str, Point]) -> Iterator[tuple[str, str]]:
    """Machines that wait for each other to run: none of them could ever be the first."""
    running = {point.path: point.equipment for point in points.values() if point.role == RUNNING}
    waits: dict[str, dict[str, str]] = {}
    for each in found:
        if Effect.START in each.refuses:
            for requirement in each.unless:
                if requirement.point in running and not requirement.holds(0.0):
                    waits.setdefault(each.equipment, {})[running[requirement.point]] = each.id
    for first in sorted(waits):
        way = {first}
        ahead: list[tuple[str, tuple[str, ...]]] = [(first, (first,))]
        while ahead:
            machine, walked = ahead.pop()
            for after, name in waits.get(machine, {}).items():
                if after == first:
                    # Told once, at the machine that comes first by name.
                    if first == min(walked):
                        way_round = " → ".join((*walked, first))
                        zh = f"成环：{way_round} 互相等待对方运行"
                        yield name, f"{zh} · goes round: {way_round} wait for each other to run"
                elif after not in way:
                    way.add(after)
                    ahead.append((after, (*walked, after)))
