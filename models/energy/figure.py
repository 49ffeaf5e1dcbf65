"""A mine's energy over any number of days: sums of what was kept of each, and what follows from them.

Everything is added in the order of the days, and of a day in the order of its meters and hours, with `math.fsum`: the
same days give the same figures to the last digit. Days that are missing are missing: they add neither amount nor time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from models.energy.carbon import GridFactor, factors, grid_factor
from models.energy.day import EnergyDay, Meter, Prices, Return, Use
from models.kpi.amount import Amount, total
from models.site.model import Name
from models.tariffs import Period

Meters = Callable[[EnergyDay], Iterable[Meter]]


@dataclass(frozen=True, slots=True)
class Cost:
    """`relative`: kWh at the flat price that would have cost as much; `least`: the same, had all been taken in the
    cheapest hours of its day. `money`, `least_money`: by the site's own price. None where of any of the days no tariff,
    or no price, is known, or nothing of what was used. `known`: the part of the meters' time that they are of; None of
    no time at all."""

    relative: float | None
    least: float | None
    money: float | None
    least_money: float | None
    known: float | None


@dataclass(frozen=True, slots=True)
class Consumption:
    """kWh of some meters. `hours`: by the local hour that they were taken in, 0 to 23; `periods`: by the tariff's."""

    amount: Amount
    hours: Mapping[int, Amount]
    periods: Mapping[str, Amount]
    cost: Cost


def consumption(days: Sequence[EnergyDay], of: Meters) -> Consumption:
    """Of the meters that `of` names on each day."""
    named = [(day, meter) for day in days for meter in of(day)]
    columns = _Columns.of(named)
    order = [*Period]
    periods = {period: columns.where(columns.period == n) for n, period in enumerate(order) if n in columns.period}
    return Consumption(
        total(meter.counted.amount(day.widths) for day, meter in named),
        {hour: columns.where(columns.hour == hour) for hour in np.unique(columns.hour).tolist()},
        {period.value: amount for period, amount in periods.items()},
        _cost([day for day, _ in named], columns),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The hours of several meters on several days, [n] each, in their order. `period`: its place in `Period`, -1 where
    there is no tariff; `ratio`, `cheapest`, `flat`: of its price, NaN where it is not known."""

    value: NDArray[np.float64]
    spread: NDArray[np.float64]
    covered: NDArray[np.int64]
    known: NDArray[np.int64]
    width: NDArray[np.int64]
    hour: NDArray[np.int64]
    period: NDArray[np.int64]
    ratio: NDArray[np.float64]
    cheapest: NDArray[np.float64]
    flat: NDArray[np.float64]

    @staticmethod
    def of(named: Sequence[tuple[EnergyDay, Meter]]) -> _Columns:
        place = {period.value: n for n, period in enumerate(Period)}

        def told(column: Callable[[Prices], Sequence[float]], other: float) -> list[float]:
            found: list[float] = []
            for day, _ in named:
                known = () if day.prices is None else column(day.prices)
                found.extend(known or (other,) * len(day.hours))
            return found

        return _Columns(
            np.array([x for _, meter in named for x in meter.counted.value], np.float64),
            np.array([x for _, meter in named for x in meter.counted.spread], np.float64),
            np.array([x for _, meter in named for x in meter.counted.covered_us], np.int64),
            np.array([x for _, meter in named for x in meter.counted.known_us], np.int64),
            np.array([x for day, _ in named for x in day.widths], np.int64),
            np.array([x for day, _ in named for x in day.hours], np.int64),
            np.array(told(lambda prices: [place[each] for each in prices.periods], -1), np.int64),
            np.array(told(lambda prices: prices.ratios, np.nan), np.float64),
            np.array(told(lambda prices: prices.cheapest, np.nan), np.float64),
            np.array(told(lambda prices: prices.flat, np.nan), np.float64),
        )

    def where(self, rows: NDArray[np.bool_]) -> Amount:
        return Amount(
            fsum(self.value[rows].tolist()),
            fsum(self.spread[rows].tolist()),
            *(int(column[rows].sum()) for column in (self.covered, self.known, self.width)),
        )


def _cost(days: Sequence[EnergyDay], columns: _Columns) -> Cost:
    """None where nothing is metered, nothing of it is known, or of any hour the price is not."""
    known = int(columns.known.sum())
    width = int(columns.width.sum())

    def added(*factors: NDArray[np.float64]) -> float | None:
        parts = columns.value.copy()
        for factor in factors:
            parts *= factor
        return fsum(parts.tolist()) if days and known and not np.isnan(parts).any() else None

    return Cost(
        added(columns.ratio),
        added(columns.cheapest),
        added(columns.ratio, columns.flat),
        added(columns.cheapest, columns.flat),
        known / width if width else None,
    )


@dataclass(frozen=True, slots=True)
class Rest:
    """`kwh`: of what the mine took from the grid, what no meter and no station counted; below 0 where they counted more
    than came in. None where the site has no incoming meter, or nothing is known of them. `known`: the part of their
    time that it is of. `unheard`: counters of consumers that were not known for all of the time: what they did not tell
    is part of the rest. `money`: what all cost less what is metered did, each kWh by the price of its hour; None where
    `kwh` or the price is."""

    kwh: float | None
    money: float | None
    known: float | None
    unheard: tuple[str, ...]


def rest(days: Sequence[EnergyDay]) -> Rest:
    """Of all days together."""
    came = total(meter.counted.amount(day.widths) for day in days for meter in day.of(Use.INCOMING))
    measured = fsum(kwh for day in days for meter in day.of(Use.LOAD, Use.STATION) for kwh in meter.counted.value)
    unheard = {
        meter.point
        for day in days
        for meter in day.of(Use.LOAD, Use.STATION)
        if sum(meter.counted.known_us) < sum(day.widths)
    }
    whole = bool(days) and all(day.of(Use.INCOMING) for day in days) and came.known_us > 0
    paid, of_meters = (consumption(days, own).cost for own in (_incoming, _metered))
    # What nobody heard of is no part of what is metered: it cost nothing there, and all in the rest.
    money = None if not whole or paid.money is None else paid.money - (of_meters.money or 0.0)
    return Rest(came.value - measured if whole else None, money, came.known, tuple(sorted(unheard)))


def _incoming(day: EnergyDay) -> Iterable[Meter]:
    return day.of(Use.INCOMING)


def _metered(day: EnergyDay) -> Iterable[Meter]:
    return day.of(Use.LOAD, Use.STATION)


def methane(days: Sequence[EnergyDay]) -> Amount:
    """m³ of pure methane in the return air; its time is that of all airways together."""
    return total(
        Amount(fsum(each.m3), 0.0, sum(each.known_us), sum(each.known_us), sum(day.widths))
        for day in days
        for each in day.returns
    )


@dataclass(frozen=True, slots=True)
class Emission:
    """kg of CO₂ or what stands for as much. `electricity`: of all that was taken from the grid, each day by the factor
    of its year, None where a day has no factor or nothing is known of what was taken; `methane`: in the return air,
    None where none is known. `electricity_known`, `methane_known`: the part of the time of meters and of airways that
    they are of; None of no time at all. `of`: the factors and their sources, in words."""

    electricity: float | None
    methane: float | None
    electricity_known: float | None
    methane_known: float | None
    of: tuple[Name, ...]


def emission(days: Sequence[EnergyDay]) -> Emission:
    """Of all days together."""
    electricity: list[float] = []
    gas: list[float] = []
    of: set[Name] = set()
    taken = total(meter.counted.amount(day.widths) for day in days for meter in day.consumers)
    returned = methane(days)
    unknown = taken.known_us == 0
    for day in days:
        kwh = fsum(kwh for meter in day.consumers for kwh in meter.counted.value)
        factor = factor_of(day)
        unknown |= factor is None or not day.consumers
        if factor is not None:
            electricity.append(kwh * factor.kg_per_kwh)
            region, told = factors().regions[day.grid], f"{factor.year}: {factor.kg_per_kwh:g} kg/kWh ({factor.source})"
            of.add(Name(f"{region.zh} {told}", f"{region.en} {told}"))
        for each in day.returns:
            kg, said = of_methane(each, fsum(each.m3))
            gas.append(kg)
            of.add(Name(said, said))
    return Emission(
        None if unknown else fsum(electricity),
        fsum(gas) if returned.known_us else None,
        taken.known,
        returned.known,
        tuple(sorted(of, key=lambda each: each.en)),
    )


def factor_of(day: EnergyDay) -> GridFactor | None:
    """The grid's factor for a day, by its year; None where none is known."""
    try:
        return grid_factor(day.grid, day.day.year)
    except KeyError:
        return None


def of_methane(each: Return, m3: float) -> tuple[float, str]:
    """kg of CO₂ that so much of a return's methane stands for, and by what factors."""
    known = factors().methane
    density = known.kg_per_m3.at_0_degc if each.degc == 0 else known.kg_per_m3.at_20_degc
    gwp = known.gwp["ar5"]
    return m3 * density * gwp, f"{density:g} kg/m³, GWP100 {gwp:g} (AR5)"


@dataclass(frozen=True, slots=True)
class Stations:
    """Base stations of one generation. `count`: station days; `kwh`: theirs."""

    days: int
    kwh: Amount

    @property
    def per_day(self) -> float | None:
        """kWh of a station in a day of 24 hours of which it is known."""
        return self.kwh.value / self.kwh.known_us * 86_400e6 if self.kwh.known_us else None


def stations(days: Sequence[EnergyDay]) -> dict[int, Stations]:
    """By generation: 4, 5, or 0 of those that did not say."""
    found: dict[int, list[Amount]] = defaultdict(list)
    for day in days:
        for meter in day.of(Use.STATION):
            found[meter.generation].append(meter.counted.amount(day.widths))
    return {generation: Stations(len(each), total(each)) for generation, each in sorted(found.items())}


def five_to_four(of: Mapping[int, Stations]) -> float | None:
    """What a 5G station takes by what a 4G one does: about 3 as a rule; None where there are not both, or one took
    nothing."""
    five, four = (of[each].per_day if each in of else None for each in (5, 4))
    return five / four if five is not None and four else None
