"""The production of one day of the mine, out of its store and its alarm journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from middleplatform.database import Place
from middleplatform.kpi.raised import raised
from middleplatform.kpi.reading import Reader
from models.alarms.stops import stopped_by
from models.counters import Counter
from models.kpi.amount import Buckets
from models.kpi.calendar import Span, Stretch, bounds, stretches
from models.production.data import faults, machines
from models.production.day import MachineDay, ProductionDay, Times
from models.production.failures import Raised, down, failures
from models.production.running import planned, runs
from models.production.stoppages import stoppages
from models.site.model import Equipment, Point, Site
from models.spans import Spans
from models.utilisation.signal import Signal
from models.utilisation.verdict import Verdict

REACH_US = 6 * 3_600_000_000
"""How far before the day states are looked at, for stops that began before it, and on either side counters, as of
energy."""
AFTER_US = 120_000_000
"""How far after the day states are looked at: whether a stop at its end was one."""
RUN_TIME, RATED = "run.time_total", "belt.flow"


def make(site: Site, reader: Reader, where: Place, day: date, span: Span | None = None) -> str:
    """The document of a day (`models.production.day.ProductionDay`). Raises what the reader and the relational store
    do."""
    return production_day(site, reader, where, day, span=span).document()


def reaches(site: Site, day: date) -> dict[int, tuple[int, int]]:
    """Of which points a day is made, by their ids, and how far before and after it each is read, µs."""
    found: dict[int, tuple[int, int]] = {}
    output = set(site.basis.output)
    for point in site.points:
        own = site.equipment.get(point.equipment)
        kind = None if own is None else machines().machines.get(own.template)
        if point.path in output or (kind is not None and point.role in (RUN_TIME, *kind.counts.values())):
            found[point.id] = REACH_US, REACH_US
        elif kind is not None and point.role == kind.role:
            found[point.id] = REACH_US, AFTER_US
    return found


def production_day(site: Site, reader: Reader, where: Place, day: date, span: Span | None = None) -> ProductionDay:
    """What `make` writes down."""
    start, end = span or bounds(site, day)
    parts = stretches(site, day, span)
    edges = np.array([parts[0].start, *(each.end for each in parts)], np.int64)
    known = [each for _, each in sorted(site.equipment.items()) if each.template in machines().machines]
    of: dict[str, list[Point]] = defaultdict(list)
    for point in site.points:
        of[point.equipment].append(point)
    output = [next(point for point in site.points if point.path == path) for path in site.basis.output]
    states = [point for each in known for point in _states(each, of[each.id])]
    counting = {point.id: point for each in known for point in _counters(each, of[each.id]).values()}
    said = reader.signals(states, start - REACH_US, end + AFTER_US)
    counted = reader.counters(
        [*({point.id: point for point in output} | counting).values()], start - REACH_US, end + REACH_US
    )
    ran = {each.id: _ran(each, of[each.id], said) for each in known}
    # A day that is not over, or whose data end early, is told up to where something is known of it: what is still
    # broken then is not broken for hours that nobody has seen.
    until = min(end, max((int(each.known.end[-1]) for each in ran.values() if len(each.known)), default=end))
    alarms = raised(where, site, faults().rules, start - REACH_US, end, (start, until if until > start else end))
    stopping = stopped_by(site)
    return ProductionDay(
        site.code,
        day,
        site.version,
        tuple((each.key, each.name.zh, each.name.en, each.start, each.end) for each in parts),
        alarms is not None,
        tuple((point.path, Buckets.of(counted[point.id].over(edges))) for point in output),
        tuple(
            _machine(site, each, of[each.id], parts, ran[each.id], counted, alarms, stopping.get(each.id, ()), until)
            for each in known
        ),
    )


def _states(machine: Equipment, points: Sequence[Point]) -> list[Point]:
    role = machines().machines[machine.template].role
    return [point for point in points if point.role == role]


def _ran(machine: Equipment, points: Sequence[Point], said: Mapping[int, Signal]) -> Verdict:
    kind = machines().machines[machine.template]
    return runs(kind, [said[point.id] for point in _states(machine, points)])


def _counters(machine: Equipment, points: Sequence[Point]) -> dict[str, Point]:
    """By what they count. A machine has one of a kind; of several the first by its path is taken."""
    wanted = {"run_time": RUN_TIME, **machines().machines[machine.template].counts}
    named = {what: [point for point in points if point.role == role] for what, role in wanted.items()}
    return {what: min(found, key=lambda point: point.path) for what, found in named.items() if found}


def _machine(
    site: Site,
    own: Equipment,
    points: Sequence[Point],
    parts: Sequence[Stretch],
    ran: Verdict,
    counted: Mapping[int, Counter],
    alarms: Mapping[str, Sequence[Raised]] | None,
    stopping: Sequence[str],
    until: int,
) -> MachineDay:
    kind = machines().machines[own.template]
    start, end = parts[0].start, parts[-1].end
    plan = planned(parts, site.basis.maintenance.get(own.id, ()))
    times: dict[str, Times] = {}
    for part in parts:
        times[part.key] = times.get(part.key, Times()) + _times(part, ran, plan)
    edges = np.array([start, *(part.end for part in parts)], np.int64)
    failed = None if alarms is None else failures(alarms.get(own.id, ()), ran, until)
    return MachineDay(
        own.id,
        own.template,
        times,
        {what: Buckets.of(counted[point.id].over(edges)) for what, point in _counters(own, points).items()},
        site.basis.rated.get((own.id, RATED)),
        None if failed is None else tuple(each for each in failed if start <= each.begin < end),
        None if failed is None else (down(failed, ran, until) & plan).us(),
        tuple(stoppages(own.id, ran, plan, (start, end), alarms, stopping)) if kind.main else (),
    )


def _times(part: Stretch, ran: Verdict, plan: Spans) -> Times:
    inside = plan.within(part.start, part.end)
    return Times(
        part.end - part.start,
        inside.us(),
        ran.yes.within(part.start, part.end).us(),
        ran.no.within(part.start, part.end).us(),
        (inside & ran.yes).us(),
        (inside & ran.no).us(),
    )
