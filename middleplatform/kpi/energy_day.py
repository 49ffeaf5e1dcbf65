"""The energy of one day of the mine, out of its store: what the site's meters, scales and sensors told, by the hour."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from middleplatform.database import Place
from middleplatform.kpi.reading import Reader
from models.energy import methane
from models.energy.cost import hours, local_hours
from models.energy.day import Belt, EnergyDay, Meter, Prices, Return, Use
from models.energy.systems import by_equipment, of_all
from models.kpi.amount import Buckets
from models.kpi.calendar import Span, bounds
from models.site.model import Point, Site
from models.utilisation.signal import hold

REACH_US = 6 * 3_600_000_000
"""How far before and after the day a counter's values are looked for: what it counted in a gap over midnight that is no
longer is known on both days."""

STATION, GENERATION, CARRIED, STATE = "station.energy", "station.generation", "belt.mass_total", "sensor.state"


def make(site: Site, reader: Reader, where: Place, day: date, span: Span | None = None) -> str:
    """The document of a day (`models.energy.day.EnergyDay`). Nothing of it is in the relational store, `where`; it is
    named as every maker's is. Raises what the reader does."""
    return energy_day(site, reader, day, span=span).document()


def reaches(site: Site, day: date) -> dict[int, tuple[int, int]]:
    """Of which points a day is made, by their ids, and how far before and after it each is read, µs."""
    basis = site.basis
    counting = {*basis.incoming, *basis.meters, *basis.output}
    measuring = {path for air in basis.return_air.values() for path in (air.ch4, *air.air)}
    sensors = {path.split("/")[1] for path in (air.ch4 for air in basis.return_air.values())}
    found: dict[int, tuple[int, int]] = {}
    for point in site.points:
        if point.path in counting or point.role in (STATION, CARRIED):
            found[point.id] = REACH_US, REACH_US
        elif point.path in measuring or (point.role == STATE and point.equipment in sensors):
            found[point.id] = hold(point), 0
        elif point.role == GENERATION:
            found[point.id] = 0, 0
    return found


def energy_day(site: Site, reader: Reader, day: date, span: Span | None = None) -> EnergyDay:
    """What `make` writes down."""
    start, end = span or bounds(site, day)
    edges, begins = local_hours(ZoneInfo(site.time_zone), start, end)
    paths = {point.path: point for point in site.points}
    stations = [point for point in site.points if point.role == STATION]
    carried = {point.equipment: point for point in site.points if point.role == CARRIED}
    basis = site.basis
    counters = {
        point.id: point
        for point in (
            *(paths[path] for path in (*basis.incoming, *basis.meters, *basis.output)),
            *stations,
            *(carried[name] for name in basis.lengths_km if name in carried),
        )
    }
    told = reader.counters([*counters.values()], start - REACH_US, end + REACH_US)
    counted = {number: Buckets.of(each.over(np.array(edges, np.int64))) for number, each in told.items()}
    meters = [Meter(path, Use.INCOMING, (), "", counted[paths[path].id]) for path in basis.incoming]
    systems = by_equipment(site)
    for path, loads in basis.meters.items():
        meters.append(Meter(path, Use.LOAD, loads, of_all(loads, systems), counted[paths[path].id]))
    metered = {load for loads in basis.meters.values() for load in loads}
    generations = _generations(site, reader, start, end)
    for point in stations:
        if point.equipment not in metered:
            of = (point.equipment,)
            generation = generations.get(point.equipment, 0)
            meters.append(Meter(point.path, Use.STATION, of, of_all(of, systems), counted[point.id], generation))
    return EnergyDay(
        site.code,
        day,
        site.version,
        tuple(edges),
        tuple(local.hour for local in begins),
        _prices(site, start, end),
        basis.grid,
        tuple(meters),
        tuple((path, counted[paths[path].id]) for path in basis.output),
        tuple(
            Belt(name, km, counted[carried[name].id] if name in carried else None)
            for name, km in sorted(basis.lengths_km.items())
        ),
        _returns(site, reader, paths, edges),
    )


def _prices(site: Site, start: int, end: int) -> Prices | None:
    """None where the site has no tariff, or of its tariff nothing is known for the day."""
    if not site.basis.tariff:
        return None
    try:
        of = hours(site.basis.tariff, ZoneInfo(site.time_zone), start, end)
    except KeyError:
        return None
    flat = [site.basis.price(local) for local in of.days]
    known = tuple(price for price in flat if price is not None)
    return Prices(
        site.basis.tariff,
        tuple(period.value for period in of.periods),
        tuple(of.ratios.tolist()),
        tuple(of.cheapest.tolist()),
        known if len(known) == len(flat) else (),
    )


def _generations(site: Site, reader: Reader, start: int, end: int) -> dict[str, int]:
    """4 or 5 of each base station that said one, and only one, during the day."""
    points = [point for point in site.points if point.role == GENERATION]
    if not points:
        return {}
    told = reader.signals(points, start, end)
    found = {point.equipment: np.unique(told[point.id].value[told[point.id].good]) for point in points}
    return {name: int(said[0]) for name, said in found.items() if len(said) == 1 and said[0] in (4, 5)}


def _returns(site: Site, reader: Reader, paths: dict[str, Point], edges: list[int]) -> tuple[Return, ...]:
    """Values that were told before the day hold into it."""
    found: list[Return] = []
    for name, air in sorted(site.basis.return_air.items()):
        ch4, volumes = paths[air.ch4], [paths[path] for path in air.air]
        states = [point for point in site.points if point.equipment == ch4.equipment and point.role == STATE]
        points = [ch4, *volumes, *states]
        longest = max(hold(point) for point in points)
        said = reader.signals(points, edges[0] - longest, edges[-1])
        m3, known = methane.volume(
            said[ch4.id],
            [said[point.id] for point in volumes],
            [said[point.id] for point in states],
            np.array(edges, np.int64),
        )
        named = tuple(point.path for point in points)
        found.append(Return(name, air.degc, named, tuple(m3), tuple(known)))
    return tuple(found)
