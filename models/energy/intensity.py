"""Energy and CO₂ by what they were spent on: a tonne that the mine raised, a tonne that a belt carried for a kilometre.

Both sides are counted only in whole hours in which both are known, so that a scale that was silent for a shift does not
make the mine look wasteful; how much of the time that is stands beside each. Without a tonne there is no figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import fsum

from models.energy.day import EnergyDay, Use
from models.energy.figure import Meters, factor_of, of_methane
from models.kpi.amount import Buckets, Ratio, ratio

Hourly = tuple[Sequence[float], Sequence[int]]
"""Amounts by the hour, and how much of each hour is known, µs."""


def per_tonne(days: Iterable[EnergyDay], of: Meters) -> Ratio:
    """kWh a tonne, of these meters."""
    return ratio(_paired(day, [_hourly(m.counted) for m in of(day)], _output(day)) for day in days)


def per_tonne_km(days: Iterable[EnergyDay]) -> dict[str, Ratio]:
    """kWh/(t·km) by belt: of those that have a meter of their own, a length and a counter of what they carried."""
    found: dict[str, list[Ratio]] = defaultdict(list)
    for day in days:
        meters = {meter.equipment: meter.counted for meter in day.of(Use.LOAD)}
        for belt in day.belts:
            meter = meters.get((belt.equipment,))
            if meter is not None and belt.carried is not None:
                each = _paired(day, [_hourly(meter)], [_hourly(belt.carried)])
                found[belt.equipment].append(Ratio(each.over, each.per * belt.km, each.paired_us, each.calendar_us))
    return {name: ratio(each) for name, each in sorted(found.items())}


def electricity_per_tonne(days: Iterable[EnergyDay]) -> Ratio:
    """kg of CO₂ behind the electricity of a tonne, each day by the factor of its year."""
    found = []
    for day in days:
        factor = factor_of(day)
        each = _paired(day, [_hourly(m.counted) for m in day.consumers] if factor else [], _output(day))
        kg = each.over * factor.kg_per_kwh if factor else 0.0
        found.append(Ratio(kg, each.per, each.paired_us, each.calendar_us))
    return ratio(found)


def methane_per_tonne(days: Iterable[EnergyDay]) -> Ratio:
    """kg of CO₂ that the return air's methane stands for, a tonne."""
    found = []
    for day in days:
        over = [([of_methane(each, m3)[0] for m3 in each.m3], each.known_us) for each in day.returns]
        found.append(_paired(day, over, _output(day)))
    return ratio(found)


def _output(day: EnergyDay) -> list[Hourly]:
    return [_hourly(counted) for _, counted in day.output]


def _hourly(counted: Buckets) -> Hourly:
    return counted.value, counted.known_us


def _paired(day: EnergyDay, over: Sequence[Hourly], per: Sequence[Hourly]) -> Ratio:
    widths = day.widths
    if not over or not per:
        return Ratio(calendar_us=sum(widths))
    both = [n for n, width in enumerate(widths) if all(known[n] == width for _, known in (*over, *per))]
    return Ratio(
        fsum(amount[n] for amount, _ in over for n in both),
        fsum(amount[n] for amount, _ in per for n in both),
        sum(widths[n] for n in both),
        sum(widths),
    )
