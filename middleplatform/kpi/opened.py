"""A kept day, opened: a unit's intervals out of a revision's evidence, and the values in the store that decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from middleplatform.database import Place
from middleplatform.kpi import book, entered, sites
from middleplatform.kpi.book import UTILISATION, Kept
from middleplatform.kpi.evidence import Evidence, UnitSpans, left_out, unpack
from models.kpi.day import Excluded
from models.site.model import Point, Site
from models.spans import NOTHING, Spans
from models.utilisation.conditions import AnyCondition
from models.utilisation.judge import UnitFacts
from models.utilisation.rules import Category, Version, standard
from models.utilisation.signal import Signal, hold
from models.utilisation.units import Unit, units
from models.utilisation.why import Counted, Interval, intervals
from models.utilisation.witness import Witness, witnesses

SINCE_US = 3_600_000_000
"""How long before what a clause looks at values are read, to say since when they were so."""


class Reads(Protocol):
    """What witnesses are read by: see `middleplatform.kpi.reading.Reader`."""

    def samples(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Signal]: ...

    def records(
        self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int, longest: int
    ) -> Mapping[str, Spans]: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """One revision of a day, and all that it was reckoned from."""

    kept: Kept
    evidence: Evidence

    def of(self, unit: str, category: str | None = None) -> list[UnitSpans]:
        """The parts of the day of a unit of that id; a unit that was changed during the day has several."""
        return [each for each in self.evidence.units if each.id == unit and category in (None, each.category)]

    def intervals(self, parts: Sequence[UnitSpans]) -> list[Interval]:
        """Of one unit, all of the day that it was there."""
        found: list[Interval] = []
        for part in parts:
            out = left_out(self.evidence.excluded).get((part.category, part.id), NOTHING)
            found += intervals(part.judged, part.start, min(part.end, self.evidence.end), out)
        return found

    def tickets(self, part: UnitSpans, at: int) -> tuple[Excluded, ...]:
        """What leaves an instant of a unit out."""
        own = (e for e in self.evidence.excluded if (e.category, e.unit) == (part.category, part.id))
        return tuple(each for each in own if each.start <= at < each.end)


def opened(where: Place, mine: str, day: date, number: int | None = None) -> Opened | None:
    """The newest revision of a day, or that of a number; None where none is kept. Raises LookupError where the rules
    that it names are not known any more."""
    if number is None:
        kept = book.read(where, mine, UTILISATION, day, day).get(day)
    else:
        kept = book.revision(where, mine, UTILISATION, day, number)
    packed = None if kept is None else book.evidence(where, mine, UTILISATION, day, kept.revision)
    return None if kept is None or packed is None else Opened(kept, unpack(packed))


def site_then(where: Place, site: Site, at: int) -> Site:
    """The site as it was at an instant, this one where no other is kept."""
    held = sites.parts(where, site.code, at, at + 1)
    return held[0].site if held else site


def decided(
    reader: Reads, site: Site, rules: str, part: UnitSpans, interval: Interval, at: int, where: Place | None = None
) -> tuple[Witness, ...]:
    """What decided as what an instant of a unit counts, by what the store holds now. `site`: as it was then; `rules`:
    the version that the figure names; `where`: the relational store, which says what was entered by people. Nothing of
    time that is left out. Raises what the reader does, and DatabaseError."""
    version = next(each for each in standard().versions if each.version == rules)
    category = version.categories[part.category]
    unit = next((each for each in units(site, version) if (each.category, each.id) == (part.category, part.id)), None)
    conditions = [*_deciding(category, part, interval, at)]
    if unit is None or not conditions:
        return ()
    facts = _facts(reader, site, version, unit, conditions, at, where)
    found: list[Witness] = []
    for condition in conditions:
        found += [each for each in witnesses(condition, facts, unit, at) if each not in found]
    return tuple(found)


def _deciding(category: Category, part: UnitSpans, interval: Interval, at: int) -> Iterator[AnyCondition]:
    if interval.counted is Counted.STOOD and category.stood is not None:
        yield category.stood
    if interval.counted is Counted.INTELLIGENT:
        yield from (clause.when for clause, _ in (*part.judged.producing, *part.judged.intelligent))
    if interval.clause is not None:
        yield interval.clause.when
    if interval.counted is Counted.BLIND_BY_HAND:
        instant = Spans.whole(at, at + 1)
        yield from (clause.when for clause, verdict in part.judged.intelligent if len(instant & verdict.no))


def _facts(
    reader: Reads,
    site: Site,
    version: Version,
    unit: Unit,
    conditions: Sequence[AnyCondition],
    at: int,
    where: Place | None,
) -> UnitFacts:
    """Each point read as far around the instant as the conditions look that read it."""
    windows: dict[tuple[int, int], dict[int, Point]] = {}
    kinds: dict[str, Spans] = {}
    for condition in conditions:
        before, after = condition.reach()
        points = [point for pair in condition.reads() | condition.wishes() for point in unit.points.get(pair, ())]
        longest_hold = max((hold(point) for point in points), default=0)
        window = at - before - longest_hold - SINCE_US, at + after + 1
        windows.setdefault(window, {}).update({point.id: point for point in points})
        for kind, longest in sorted(condition.kinds().items()):
            lasted = reader.records(kind, site.code, unit.equipment, *window, longest) if unit.equipment else {}
            kinds[kind] = Spans.of(pair for spans in lasted.values() for pair in spans.pairs())
    told: dict[int, Signal] = {}
    by_people: dict[int, Spans] = {}
    for window, of in sorted(windows.items(), reverse=True):  # the widest last: it holds all that others do
        told |= reader.samples(list(of.values()), *window)
        if where is not None:
            by_people |= entered.spans(where, site.code, of.values(), reader, *window)
    category, rated = version.categories[unit.category], site.basis.rated
    return UnitFacts(unit, category, lambda point: told[point.id], rated, kinds, entered=by_people)
