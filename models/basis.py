"""What a site says of itself that its figures are reckoned by: tariff, region, ratings, meters, output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Price:
    """Money a kWh in flat hours, from a local date on; of a month's bill or a contract."""

    flat: float
    effective_from: date
    source: str


@dataclass(frozen=True, slots=True)
class ReturnAir:
    """One way by which air leaves the mine: paths of its methane (`ch4`, %CH4) and of its air: volumes (m³/s) that add
    up. `degc`: the temperature that the volumes are given for, 0 or 20."""

    ch4: str
    air: tuple[str, ...]
    degc: int


@dataclass(frozen=True, slots=True)
class Basis:
    """`tariff`, `grid`: names in `models/tariffs` and `models/energy`, "" where nothing is said; `rated`: (equipment,
    role) → what that quantity is rated at, in the role's unit; `meters`: a meter's counter → the equipment that it
    measures; `incoming`: counters of what the mine takes from the grid; `output`: counters of the coal that it raises;
    `lengths_km`: of belts; `maintenance`: equipment → the shifts in which it is maintained and no production is planned
    of it, by their number in the site's order from 1. Points are paths, equipment ids."""

    tariff: str = ""
    grid: str = ""
    prices: tuple[Price, ...] = ()
    rated: Mapping[tuple[str, str], float] = field(default_factory=dict)
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incoming: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    lengths_km: Mapping[str, float] = field(default_factory=dict)
    return_air: Mapping[str, ReturnAir] = field(default_factory=dict)
    maintenance: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    source: str = ""

    def price(self, day: date) -> float | None:
        """On a local date; None before the first."""
        known = [price for price in self.prices if price.effective_from <= day]
        return max(known, key=lambda price: price.effective_from).flat if known else None
