"""The maker of a day's utilisation: each unit judged by the rules of the day and by the site as it was, out of what the
store knows.

A day reads what its rules look at around it and no more, however much there is: so it comes out the same whatever was
made before it, and in which order or batches its data came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from middleplatform.database import Place
from middleplatform.kpi import exclusions
from middleplatform.kpi.ahead import Ahead
from middleplatform.kpi.evidence import Evidence, UnitSpans
from middleplatform.kpi.sites import Part
from middleplatform.kpi.units_days import HOUR, Reads, counted, judged, levels_of, windows
from middleplatform.store.client import StoreClient
from models.kpi.calendar import bounds, stretches
from models.kpi.day import Excluded, MineDay
from models.site.model import Point, Site
from models.spans import Spans
from models.utilisation.abreast import Axis
from models.utilisation.asked import merged
from models.utilisation.conditions import Reach, furthest
from models.utilisation.rules import Rules, Version, standard
from models.utilisation.signal import hold
from models.utilisation.units import Unit, units


class NoRules(LookupError):
    """No version of the rules was in force on that day."""


def make(site: Site, reader: Reads, where: Place | None, day: date) -> MineDay:
    """The utilisation of a whole day by this one site. `where`: the relational store, in which exclusions are. Raises
    NoRules, StoreError, DatabaseError."""
    return evidence(whole(site, day), reader, where, day).mine_day()


def whole(site: Site, day: date) -> tuple[Part, ...]:
    """A day through all of which one version of the site held."""
    return (Part(site, *bounds(site, day)),)


def evidence(
    parts: Sequence[Part],
    reader: Reads,
    where: Place | None,
    day: date,
    until: int | None = None,
    rules: Rules | None = None,
) -> Evidence:
    """All that a day's utilisation follows from. `parts`: at least one, the versions of the site that held, which share
    the day between them; `until` (µs UTC): how far a day that is not over has come. Raises as `make`."""
    version = _version(day, rules)
    start, whole_end = parts[0].start, parts[-1].end
    end = whole_end if until is None else max(start, min(whole_end, until))
    out, tickets = _excluded(where, parts[0].site.code, (start, whole_end), _all_units(parts, version))
    found = [
        unit
        for part in _alike(parts, version)
        if part.start < end
        for unit in judged(part.site, version, reader, Axis.of([(part.start, min(part.end, end))], 0), [out], where)[0]
    ]
    return _evidence(parts, version, tickets, day, (start, end), found)


def evidences(site: Site, ahead: Ahead, where: Place | None, wanted: Sequence[date]) -> list[Evidence]:
    """Of each of some whole days, rising, what `evidence` makes of it alone: judged together, which costs far less.
    `site` held on all of them; `ahead` has read what they look at. Raises as `make`."""
    of: dict[str, list[date]] = defaultdict(list)
    for day in wanted:
        of[_version(day, None).version].append(day)
    return [made for days in of.values() for made in _together(site, ahead, where, days)]


def ahead(site: Site, store: StoreClient, wanted: Sequence[date]) -> Ahead:
    """All that `evidences` looks at of these days, read in a few questions. Raises what the client does."""
    version = _version(wanted[-1], None)
    found = units(site, version)
    start, end = bounds(site, wanted[0])[0], bounds(site, wanted[-1])[1]
    reaches: dict[int, tuple[Point, Reach]] = {}
    for unit in found:
        for number, (point, reach) in windows(unit, version.categories[unit.category]).items():
            reaches[number] = point, furthest([reach, reaches.get(number, (point, reach))[1]])
    levels = merged(levels_of(unit, version.categories[unit.category], site) for unit in found)
    outputs = [points[0] for unit in found if (points := counted(unit, version.categories[unit.category]))]
    after = max([*(reach[1] for _, reach in reaches.values()), *map(hold, outputs)], default=0)
    before = max([min(reach[0], HOUR) for _, reach in reaches.values()] + [*map(hold, outputs)], default=0)
    # Few points are asked for long before the days: what is read of the others begins together.
    earlier = {number: max(0, reach[0] - before) for number, (_, reach) in reaches.items()}
    return Ahead(store, start - before, end + after, [p for p, _ in reaches.values()], levels, outputs, earlier)


def _together(site: Site, ahead: Ahead, where: Place | None, days: Sequence[date]) -> Iterator[Evidence]:
    """The days that one version of the rules judges."""
    version = _version(days[0], None)
    spans = [bounds(site, day) for day in days]
    found = units(site, version)
    longest = max((hold(point) for unit in found for points in unit.points.values() for point in points), default=0)
    reach = max((max(version.categories[unit.category].reach()) for unit in found), default=0)
    out, tickets = zip(*(_excluded(where, site.code, span, found) for span in spans), strict=True)
    of_days = judged(site, version, ahead, Axis.of(spans, reach + longest), out, where)
    for day, span, left_out, own in zip(days, spans, tickets, of_days, strict=True):
        yield _evidence(whole(site, day), version, left_out, day, span, own)


def _excluded(
    where: Place | None, mine: str, span: tuple[int, int], found: Sequence[Unit]
) -> tuple[Mapping[tuple[str, str], Spans], tuple[Excluded, ...]]:
    """(category, unit) → what of the span is excluded, and by which tickets; nothing where nobody could say so."""
    return ({}, ()) if where is None else exclusions.excluded(where, mine, span, found)


def _version(day: date, rules: Rules | None) -> Version:
    version = (rules or standard()).at(day)
    if version is None:
        raise NoRules(f"{day} 没有生效的规则 · no version of the rules was in force on {day}")
    return version


def _evidence(
    parts: Sequence[Part],
    version: Version,
    tickets: tuple[Excluded, ...],
    day: date,
    span: tuple[int, int],
    found: Sequence[UnitSpans],
) -> Evidence:
    first, last = parts[0].site, parts[-1].site
    start, end = span
    full = parts[0].start, parts[-1].end
    order = {key: number for number, key in enumerate(version.categories)}
    return Evidence(
        first.code,
        day,
        start,
        end,
        version.version,
        last.version,
        tuple((each.key, each.start, min(each.end, end)) for each in stretches(first, day, full) if each.start < end),
        tuple(sorted(found, key=lambda unit: (order[unit.category], unit.id, unit.start))),
        tickets,
        version.digest,
    )


def _all_units(parts: Sequence[Part], version: Version) -> tuple[Unit, ...]:
    """Of all that held, each once as it was last."""
    return tuple({(unit.category, unit.id): unit for part in parts for unit in units(part.site, version)}.values())


def _alike(parts: Sequence[Part], version: Version) -> Iterator[Part]:
    """Neighbours that differ in nothing that figures are made of count as one: most changes of a site are of another
    kind."""
    held: Part | None = None
    for part in parts:
        if held is not None and _basis(held.site, version) == _basis(part.site, version):
            held = Part(part.site, held.start, part.end)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _basis(site: Site, version: Version) -> object:
    of = [
        (
            unit.category,
            unit.id,
            unit.equipment,
            sorted((pair, tuple((p.id, p.silence_s, p.unit) for p in points)) for pair, points in unit.points.items()),
        )
        for unit in units(site, version)
    ]
    return of, sorted(site.basis.rated.items())
