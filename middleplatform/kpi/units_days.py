"""What the units of a site did on some days: what is read of the store around each, judged, and what each made.

One day or several: those are judged in one pass, and each comes out as if it were alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from middleplatform.database import Place
from middleplatform.kpi import entered
from middleplatform.kpi.ahead import Ahead, cut
from middleplatform.kpi.evidence import Output, UnitSpans
from models.counters import Counter
from models.site.model import Point, Site
from models.spans import NOTHING, Spans
from models.utilisation.abreast import Axis
from models.utilisation.asked import Levels, merged, of_points
from models.utilisation.conditions import Reach, furthest
from models.utilisation.judge import Judged, Said, UnitFacts, judge
from models.utilisation.rules import Category, Version
from models.utilisation.signal import Signal, hold
from models.utilisation.units import Unit, units
from models.utilisation.verdict import Verdict

HOUR = 3_600_000_000


class Reads(Protocol):
    """What a day is read by: see `middleplatform.kpi.reading.Reader`."""

    def signals(
        self, points: Sequence[Point], start: int, end: int, asked: Mapping[int, Levels] | None = None
    ) -> Mapping[int, Signal]: ...

    def samples(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Signal]: ...

    def counters(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Counter]: ...

    def records(
        self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int, longest: int
    ) -> Mapping[str, Spans]: ...


@dataclass(frozen=True, slots=True)
class _Read:
    """The signals of a unit by point id."""

    signals: Mapping[int, Signal]

    def __call__(self, point: Point) -> Signal:
        return self.signals[point.id]


def judged(
    site: Site,
    version: Version,
    reader: Reads,
    axis: Axis,
    out: Sequence[Mapping[tuple[str, str], Spans]],
    where: Place | None,
) -> list[list[UnitSpans]]:
    """Of each day of the axis: its units. `out`: of each day, (category, unit) → what is excluded of it; `where`: the
    relational store, which says what people entered."""
    found = units(site, version)
    of_units = {(unit.category, unit.id): windows(unit, version.categories[unit.category]) for unit in found}
    asked: dict[Reach, dict[int, Point]] = defaultdict(dict)
    for own in of_units.values():
        for point, reach in own.values():
            asked[reach][point.id] = point
    levels = merged(levels_of(unit, version.categories[unit.category], site) for unit in found)
    told = _read(reader, axis, asked, levels)
    events = _events(found, version, site, reader, axis)
    by_people = _entered(site, {n: p for own in asked.values() for n, p in own.items()}, version, reader, axis, where)
    said = []
    for unit in found:
        category, own = version.categories[unit.category], of_units[unit.category, unit.id]
        signals = {number: told[reach][number] for number, (_, reach) in own.items()}
        of_unit = events[unit.category, unit.id]
        facts = UnitFacts(unit, category, _Read(signals), site.basis.rated, of_unit, axis.breaks, by_people)
        said.append(judge(category, facts))
    left_out = [axis.lay([day.get((unit.category, unit.id), NOTHING) for day in out]) for unit in found]
    outputs = _outputs(found, said, left_out, version, reader, axis)
    days = [_unit(*each, version, axis) for each in zip(found, said, outputs, strict=True)]
    return [list(own) for own in zip(*days, strict=True)] if days else [[] for _ in range(len(axis))]


def _read(
    reader: Reads, axis: Axis, asked: Mapping[Reach, Mapping[int, Point]], levels: Mapping[int, Levels]
) -> dict[Reach, Mapping[int, Signal]]:
    """By how far around a day they are read, what is told of the points."""
    told: dict[Reach, Mapping[int, Signal]] = {}
    if isinstance(reader, Ahead) and len(axis) > 1:
        for (before, after), some in asked.items():
            starts, ends = axis.start - before, axis.end + after
            told[before, after] = reader.abreast(list(some.values()), starts, ends, axis.moved, levels)
        return told
    start, end = int(axis.start[0]), int(axis.end[0])
    # What reaches about as far is one question: of each is taken what it would have been told by its own.
    alike: dict[int, list[Reach]] = defaultdict(list)
    for reach in sorted(asked):
        alike[reach[0] // HOUR].append(reach)
    for reaches in alike.values():
        before, after = furthest(reaches)
        points = {number: point for reach in reaches for number, point in asked[reach].items()}
        found = reader.signals(list(points.values()), start - before, end + after, levels)
        for reach in reaches:
            told[reach] = {number: cut(found[number], start - reach[0], end + reach[1]) for number in asked[reach]}
    return told


def levels_of(unit: Unit, category: Category, site: Site) -> Mapping[int, Levels]:
    """Point id → what is asked of it."""
    return of_points(category, unit, UnitFacts(unit, category, _Read({}), site.basis.rated))


def windows(unit: Unit, category: Category) -> dict[int, tuple[Point, Reach]]:
    """Point id → the point, and how far before and after a day it is read: as far as the conditions look that read it,
    and as long as a value holds: what follows on it says since when it may not have held any more."""
    found: dict[int, tuple[Point, Reach]] = {}
    for pair, (before, after) in category.reaches().items():
        points = unit.points.get(pair, ())
        longest = max((hold(point) for point in points), default=0)
        for point in points:
            reach = furthest(
                [(before + longest, after + longest), *((found[point.id][1],) if point.id in found else ())]
            )
            found[point.id] = point, reach
    return found


def _events(
    found: Sequence[Unit], version: Version, site: Site, reader: Reads, axis: Axis
) -> dict[tuple[str, str], dict[str, Spans]]:
    """(category, unit) → kind → when such events of it lasted; one question for all units of a category."""
    events: dict[tuple[str, str], dict[str, Spans]] = defaultdict(dict)
    for key, category in version.categories.items():
        own = [unit for unit in found if unit.category == key and unit.equipment]
        equipment = sorted({each for unit in own for each in unit.equipment})
        before, after = category.reach()
        for kind, longest in sorted(category.during().items()) if own else ():
            days = zip(axis.start.tolist(), axis.end.tolist(), strict=True)
            lasted = [
                reader.records(kind, site.code, equipment, start - before, end + after, longest) for start, end in days
            ]
            for unit in own:
                of = [Spans.of(p for each in unit.equipment for p in day.get(each, NOTHING).pairs()) for day in lasted]
                events[key, unit.id][kind] = axis.lay(of)
    return events


def _entered(
    site: Site, points: Mapping[int, Point], version: Version, reader: Reads, axis: Axis, where: Place | None
) -> dict[int, Spans]:
    """By point id: when what held on the days of the axis and around them was entered by a person."""
    if where is None:
        return {}
    before, after = furthest(category.reach() for category in version.categories.values())
    days = [
        entered.spans(where, site.code, points.values(), reader, start - before, end + after)
        for start, end in zip(axis.start.tolist(), axis.end.tolist(), strict=True)
    ]
    return {
        number: axis.lay([day.get(number, NOTHING) for day in days]) for number in sorted({n for d in days for n in d})
    }


def _unit(
    unit: Unit, judged: Judged, outputs: Sequence[Output | None], version: Version, axis: Axis
) -> list[UnitSpans]:
    """What is said of it, day by day."""
    lacks = tuple(clause.key for clause in unit.lacks(version.categories[unit.category]))
    days = zip(axis.start.tolist(), axis.end.tolist(), _cut(judged, axis), outputs, strict=True)
    return [
        UnitSpans(unit.category, unit.id, unit.name, unit.equipment, lacks, output, start, end, own)
        for start, end, own, output in days
    ]


def _cut(judged: Judged, axis: Axis) -> list[Judged]:
    """What is said of each day alone."""

    def each_day(said: Said) -> list[Said]:
        verdicts = [
            [Verdict(*sides) for sides in zip(*(axis.cut(side) for side in (v.yes, v.no, v.doubt)), strict=True)]
            for _, v in said
        ]
        clauses = [clause for clause, _ in said]
        return [tuple(zip(clauses, (own[day] for own in verdicts), strict=True)) for day in range(len(axis))]

    return [
        Judged(*own)
        for own in zip(
            *(each_day(s) for s in (judged.producing, judged.intelligent)), axis.cut(judged.stood), strict=True
        )
    ]


def _outputs(
    found: Sequence[Unit],
    judged: Sequence[Judged],
    left_out: Sequence[Spans],
    version: Version,
    reader: Reads,
    axis: Axis,
) -> list[list[Output | None]]:
    """What each unit's counter counted each day while it produced and was not excluded, by itself and otherwise; of the
    first counter, where it has several: two that count the same must not count twice."""
    points = [(counted(unit, version.categories[unit.category]) or (None,))[0] for unit in found]
    groups: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        if point is not None:
            groups[hold(point)].append(point)
    counters: list[dict[int, Counter]] = []
    for start, end in zip(axis.start.tolist(), axis.end.tolist(), strict=True):
        counters.append({})
        for age, some in sorted(groups.items()):
            counters[-1] |= reader.counters(some, start - age, end + age)
    outputs: list[list[Output | None]] = []
    for point, own, excluded in zip(points, judged, left_out, strict=True):
        if point is None:
            outputs.append([None] * len(axis))
            continue
        produced = own.produced.yes - excluded
        by_itself = produced & own.by_itself.yes
        days = zip(counters, axis.cut(by_itself), axis.cut(produced - by_itself), strict=True)
        outputs.append([(_amount(of[point.id], a), _amount(of[point.id], b), point.unit) for of, a, b in days])
    return outputs


def counted(unit: Unit, category: Category) -> tuple[Point, ...]:
    """The counters of what it makes."""
    return () if category.output is None else unit.points.get(category.output.pair, ())


def _amount(counter: Counter, spans: Spans) -> float:
    if not len(spans):
        return 0.0
    edges = np.column_stack([spans.start, spans.end]).ravel()
    return float(counter.over(edges).amount[::2].sum())
