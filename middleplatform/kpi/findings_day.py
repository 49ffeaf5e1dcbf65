"""The findings of one day of the mine, out of its store: what the checks look at, and what they found."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from middleplatform.database import Place
from middleplatform.kpi import entered
from middleplatform.kpi.reading import Event
from models.counters import Counter
from models.kpi import recorded
from models.kpi.calendar import Span, bounds
from models.kpi.checks import Checks
from models.kpi.checks import standard as standard_checks
from models.kpi.findings import Asked, Finding, FindingsDay, asked, in_order
from models.site.model import Kind, Point, Site
from models.utilisation.rules import Version
from models.utilisation.rules import standard as standard_rules
from models.utilisation.signal import Signal, hold
from models.utilisation.units import Unit, units

FINDINGS = "findings"
"""The section of a day."""
HOUR_US = 3_600_000_000


class Reads(Protocol):
    """What a day is read by: see `middleplatform.kpi.reading.Reader`."""

    def signals(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Signal]: ...

    def counters(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Counter]: ...

    def events(self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int) -> list[Event]: ...


def make(site: Site, reader: Reads, where: Place, day: date, span: Span | None = None) -> str:
    """The document of a day (`models.kpi.findings.FindingsDay`). `where`: the relational store, which says what people
    entered; "" where there is none. Raises what the reader does, and DatabaseError."""
    return findings_day(site, reader, day, where=where, span=span).document()


def findings_day(
    site: Site,
    reader: Reads,
    day: date,
    checks: Checks | None = None,
    where: Place = "",
    span: Span | None = None,
) -> FindingsDay:
    """What `make` writes down."""
    start, end = span or bounds(site, day)
    version, rules = (checks or standard_checks()).at(day), standard_rules().at(day)
    found = asked(site, rules, version) if rules is not None else ()
    signals, counters = _points(found)
    longest_hold = max((hold(point) for point in signals + counters), default=0)
    # Mode changes are counted over an hour, which may have begun before the day did.
    told = reader.signals(signals, start - max(longest_hold, HOUR_US), end)
    counts = reader.counters(counters, start - longest_hold, end + longest_hold)
    checked = [
        finding
        for each in found
        for finding in each.find(lambda point: told[point.id], lambda point: counts[point.id], start, end)
    ]
    own = units(site, rules) if rules is not None else ()
    findings = in_order([*checked, *_of_records(site, rules, own, reader, where, start, end)])
    named = {finding.unit for finding in findings}
    return FindingsDay(
        site.code,
        day,
        start,
        end,
        version.version,
        site.version,
        dict(sorted(Tally(each.check.key for each in found).items())),
        findings,
        {unit.id: unit.equipment for unit in own if unit.id in named},
    )


def _of_records(
    site: Site, rules: Version | None, own: Sequence[Unit], reader: Reads, where: Place, start: int, end: int
) -> Iterator[Finding]:
    """Of what people recorded of these units."""
    for unit in own:
        kinds = rules.categories[unit.category].during() if rules is not None else {}
        for kind, longest in sorted(kinds.items()):
            events = reader.events(kind, site.code, unit.equipment, start, end)
            yield from recorded.overlong(unit, events, longest, start, end)
    of = {point.id: (unit, point) for unit in own for points in unit.points.values() for point in points}
    if where:
        entries = entered.entered(where, site.code, (point for _, point in of.values()), start, end)
        for number, many in sorted(entries.items()):
            for entry, instants in many:
                yield recorded.entered(*of[number], entry, instants)


def _points(found: Sequence[Asked]) -> tuple[list[Point], list[Point]]:
    """Those that are read as signals and those that are read as counters, each once."""
    every = {point.id: point for each in found for points in each.points.values() for point in points}
    ordered = [every[number] for number in sorted(every)]
    return (
        [point for point in ordered if point.kind is not Kind.COUNTER],
        [point for point in ordered if point.kind is Kind.COUNTER],
    )
