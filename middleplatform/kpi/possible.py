"""What a day that was made elsewhere can say: of its types, of the length of a day, of times and amounts that can be.

Each check yields what cannot be, by its place in the day; none where all can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, date, datetime

from models.energy.day import EnergyDay, Prices
from models.kpi.amount import Buckets
from models.kpi.day import MineDay
from models.kpi.findings import FindingsDay
from models.production.day import MachineDay, ProductionDay
from models.typed import misfit
from models.utilisation.figure import TIMES, Figure

HOUR_US = 3_600_000_000
SHORTEST_DAY_US, LONGEST_DAY_US = HOUR_US, 49 * HOUR_US
"""Of 25 hours where clocks are set; one before the shifts begin at another hour, from an hour to almost two days."""
NEAR_US = 36 * HOUR_US
"""How far a day's start may be from midnight UTC of its date, wherever the mine is and when its first shift begins."""
MOST_AN_HOUR = 1e6
"""kWh, t, m³ or whatever else is counted: no mine takes a gigawatt or raises a million tonnes an hour."""
MOST_PRICE = 100.0
"""Money a kWh, and multiples of the flat price."""
Day = MineDay | EnergyDay | ProductionDay | FindingsDay


def over(day: Day) -> tuple[int, int]:
    """From when until when it lasts, µs UTC."""
    match day:
        case EnergyDay():
            return (day.edges[0], day.edges[-1]) if day.edges else (0, 0)
        case ProductionDay():
            return (day.stretches[0][3], day.stretches[-1][4]) if day.stretches else (0, 0)
        case _:
            return day.start, day.end


def impossible(day: Day) -> Iterator[str]:
    """What of it cannot be; what is told first is told of a day of the right types alone."""
    if (where := misfit(day, type(day))) is not None:
        yield f"{where.lstrip('.')} (type)"
        return
    start, end = over(day)
    if not SHORTEST_DAY_US <= end - start <= LONGEST_DAY_US:
        yield "no day is so long or so short"
        return
    if abs(start - _midnight(day.day)) > NEAR_US:
        yield "its times are of another day"
        return
    yield from _OF[type(day)](day)


def _midnight(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _utilisation(day: MineDay) -> Iterator[str]:
    for unit in day.units:
        if not all(_figure(own, day.end - day.start) for own in unit.shifts.values()):
            yield f"the times of {unit.id}"
        if unit.output is not None and not _amounts(unit.output[:2], [day.end - day.start] * 2):
            yield f"the output of {unit.id}"
    for each in day.excluded:
        if not day.start <= each.start < each.end <= day.end:
            yield f"the excluded time of {each.unit}"


def _figure(own: Figure, most: int) -> bool:
    """None below zero, what is unsure no more than what it is part of, together no more than the calendar's, and that
    no more than the day."""
    values = [getattr(own, name) for name in TIMES]
    if min(values) < 0 or any(not 0 <= each <= own.calendar for each in own.reasons.values()):
        return False
    if own.unsure > own.intelligent or own.unsure_by_hand > own.by_hand:
        return False
    against = own.excluded_intelligent + own.excluded_by_hand
    if against > own.excluded:
        return False
    return sum(values) - own.calendar - own.unsure - own.unsure_by_hand - against <= own.calendar <= most


def _energy(day: EnergyDay) -> Iterator[str]:
    if any(not 0 < width <= HOUR_US for width in day.widths) or len(day.hours) != len(day.widths):
        yield "its hours"
        return
    if not all(0 <= each < 24 for each in day.hours):
        yield "its hours"
    counters = {m.point: m.counted for m in day.meters} | dict(day.output)
    counters |= {belt.equipment: belt.carried for belt in day.belts if belt.carried is not None}
    yield from _counters(counters, day.widths)
    yield from (f"the length of {belt.equipment}" for belt in day.belts if not 0 < belt.km <= 1_000)
    for each in day.returns:
        if not (_amounts(each.m3, day.widths) and _within(each.known_us, day.widths)):
            yield f"the methane of {each.name}"
    if day.prices is not None and not _prices(day.prices, len(day.widths)):
        yield "its prices"


def _prices(own: Prices, hours: int) -> bool:
    several = (own.periods, own.ratios, own.cheapest)
    if any(len(each) != hours for each in several) or len(own.flat) not in (0, hours):
        return False
    return all(0 <= each <= MOST_PRICE for each in (*own.ratios, *own.cheapest, *own.flat))


def _production(day: ProductionDay) -> Iterator[str]:
    ends = [day.stretches[0][3], *(each[4] for each in day.stretches)]
    keys = [each[0] for each in day.stretches]
    if len(set(keys)) < len(keys) or any(
        not before <= start < end for before, (*_, start, end) in zip(ends[:-1], day.stretches, strict=True)
    ):
        yield "its shifts"
        return
    yield from _counters(dict(day.output), day.widths)
    widths = dict(zip(keys, day.widths, strict=True))
    for machine in day.machines:
        yield from _counters({f"{machine.id} {key}": own for key, own in machine.counts.items()}, day.widths)
        if not _machine(machine, widths, ends[0], ends[-1]):
            yield f"the times of {machine.id}"


def _machine(machine: MachineDay, widths: Mapping[str, int], start: int, end: int) -> bool:
    for key, own in machine.times.items():
        if min(astuple(own)) < 0 or not own.planned <= own.calendar <= widths.get(key, -1):
            return False
        if own.running + own.standing > own.calendar or own.producing + own.idle > own.planned:
            return False
    failures = machine.failures or ()
    return (
        (machine.rated is None or 0 <= machine.rated <= MOST_AN_HOUR)
        and (machine.down_us is None or 0 <= machine.down_us <= end - start)
        and all(start <= each.begin < end and (each.end is None or each.end >= each.begin) for each in failures)
        and all(start <= s.begin <= s.end <= end and 0 <= s.lost_us <= s.end - s.begin for s in machine.stoppages)
    )


def _findings(day: FindingsDay) -> Iterator[str]:
    yield from (f"the time of {each.check} of {each.equipment}" for each in day.findings if each.start > each.end)
    yield from (f"how often {key} was asked" for key, times in day.asked.items() if times < 0)


def _counters(counters: Mapping[str, Buckets], widths: Sequence[int]) -> Iterator[str]:
    for name, own in counters.items():
        told = [each for each in astuple(own) if isinstance(each, int)]  # resets, dips, …
        if (
            min(told) < 0
            or not (_amounts(own.value, widths) and _amounts(own.spread, widths))
            or not (_within(own.covered_us, widths) and _within(own.known_us, widths))
        ):
            yield f"what {name} counted"


def _amounts(several: Sequence[float], widths: Sequence[int]) -> bool:
    return len(several) == len(widths) and all(
        0 <= each <= MOST_AN_HOUR * max(1, width / HOUR_US) for each, width in zip(several, widths, strict=True)
    )


def _within(several: Sequence[int], widths: Sequence[int]) -> bool:
    return len(several) == len(widths) and all(0 <= each <= width for each, width in zip(several, widths, strict=True))


_OF: Mapping[type, Callable[..., Iterator[str]]] = {
    MineDay: _utilisation,
    EnergyDay: _energy,
    ProductionDay: _production,
    FindingsDay: _findings,
}
