"""What consumption cost by the hour's tariff, and what it would have cost in the cheapest hours of its day.

Costs are relative to the flat price until a flat price is given: a tariff publishes ratios, and the price of the flat
hours changes month by month and is the mine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import fsum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from models.tariffs import Period, cheapest, scheme_at


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Local hours of a time: `edges` [n + 1] µs UTC, the local `days` [n] and the `periods` [n] they lie in, the
    `ratios` [n] of their price to the flat one, and those of the `cheapest` [n] hours of the same day."""

    edges: NDArray[np.int64]
    days: tuple[date, ...]
    periods: tuple[Period, ...]
    ratios: NDArray[np.float64]
    cheapest: NDArray[np.float64]


def local_hours(zone: ZoneInfo, start: int, end: int) -> tuple[list[int], list[datetime]]:
    """The edges [n + 1] of the hours of [start, end), µs UTC, cut at whole local hours, and when each begins [n], local
    time; the first and the last may be shorter. Raises ValueError when the time is none."""
    if end <= start:
        raise ValueError("the time ends before it begins")
    edges, begins = [start], []
    while edges[-1] < end:
        local = datetime.fromtimestamp(edges[-1] // 1_000_000, UTC).astimezone(zone)
        begins.append(local)
        past = timedelta(minutes=local.minute, seconds=local.second)
        into = edges[-1] % 1_000_000 + round(past.total_seconds()) * 1_000_000
        edges.append(min(end, edges[-1] - into + 3_600_000_000))
    return edges, begins


def hours(tariff: str, zone: ZoneInfo, start: int, end: int) -> Hours:
    """As `local_hours`. Raises KeyError for a tariff that is not known, or not then."""
    edges, begins = local_hours(zone, start, end)
    periods, ratios, least = [], [], []
    for local in begins:
        scheme = scheme_at(tariff, local.date())
        period = scheme.at(local)
        periods.append(period)
        ratios.append(scheme.ratios.of(period))
        least.append(scheme.ratios.of(cheapest(scheme, local.date())))
    days = tuple(local.date() for local in begins)
    return Hours(np.array(edges, np.int64), days, tuple(periods), np.array(ratios), np.array(least))


@dataclass(frozen=True, slots=True)
class Cost:
    """`kwh` by period; `cost`, and what the same would have cost in the cheapest hours of each day, `least`: in the
    money of the price, or in kWh at the flat price where none was given."""

    kwh: Mapping[Period, float]
    cost: float
    least: float

    @property
    def total_kwh(self) -> float:
        return fsum(self.kwh.values())

    @property
    def dear(self) -> float:
        """What it cost beyond the least."""
        return self.cost - self.least


def cost(used: NDArray[np.float64], of: Hours, flat_price: Callable[[date], float] | None = None) -> Cost:
    """`used` [n]: kWh in each of the hours; `flat_price`: money a kWh in flat hours on a local day."""
    if len(used) != len(of.periods):
        raise ValueError(f"{len(used)} amounts for {len(of.periods)} hours")
    prices = np.array([flat_price(day) for day in of.days]) if flat_price is not None else np.ones(len(used))
    kwh = {
        period: fsum(used[[each is period for each in of.periods]].tolist())
        for period in Period
        if period in of.periods
    }
    return Cost(kwh, fsum((used * of.ratios * prices).tolist()), fsum((used * of.cheapest * prices).tolist()))
