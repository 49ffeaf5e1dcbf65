"""What is kept of a mine's energy on one day: every counter by the hour, and all by which cost and carbon follow."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from models.kpi.amount import Buckets


class Use(StrEnum):
    """What a counter of kWh is to the mine: what it takes from the grid, what machines take, what base stations do."""

    INCOMING = "incoming"
    LOAD = "load"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter of kWh by the hour. `equipment`: what it measures, as the site said on that day; `system`: of
    `models.energy.systems`; `generation` of a base station: 4 or 5, 0 where it is not known."""

    point: str
    use: Use
    equipment: tuple[str, ...]
    system: str
    counted: Buckets
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Belt:
    """A belt whose length is known; `carried`: tonnes by the hour, None where no counter of it tells them."""

    equipment: str
    km: float
    carried: Buckets | None


@dataclass(frozen=True, slots=True)
class Return:
    """Methane in one return airway by the hour: `m3` of pure methane at `degc`, known of `known_us`; `points`: by which
    it was reckoned."""

    name: str
    degc: int
    points: tuple[str, ...]
    m3: tuple[float, ...]
    known_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """Of each hour [n]: the tariff's period, its price and that of the day's cheapest hours as multiples of the flat
    price; `flat`: money a kWh in flat hours, () where the site does not say it for all of the day."""

    tariff: str
    periods: tuple[str, ...]
    ratios: tuple[float, ...]
    cheapest: tuple[float, ...]
    flat: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class EnergyDay:
    """`edges` [n + 1]: of the day's hours, µs UTC; `hours` [n]: which local hour each is, 0 to 23; `prices`: None where
    the site has no tariff, or it is not known for the day; `grid`: the region of its factor, "" where nobody said;
    `output`: counters of the coal that the mine raised, t; `site`: the version of the site that it was made by."""

    mine: str
    day: date
    site: str
    edges: tuple[int, ...]
    hours: tuple[int, ...]
    prices: Prices | None
    grid: str
    meters: tuple[Meter, ...] = ()
    output: tuple[tuple[str, Buckets], ...] = ()
    belts: tuple[Belt, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """How long each hour is, µs."""
        return tuple(b - a for a, b in zip(self.edges[:-1], self.edges[1:], strict=True))

    def of(self, *uses: Use) -> tuple[Meter, ...]:
        """The meters of these uses."""
        return tuple(meter for meter in self.meters if meter.use in uses)

    @property
    def consumers(self) -> tuple[Meter, ...]:
        """The meters by which the mine's consumption is told: the incoming ones, or where it has none all others."""
        return self.of(Use.INCOMING) or self.of(Use.LOAD, Use.STATION)

    def document(self) -> str:
        """As canonical JSON: the same day gives the same text."""
        prices = self.prices
        facts = {
            "mine": self.mine,
            "day": self.day.isoformat(),
            "site": self.site,
            "edges": list(self.edges),
            "hours": list(self.hours),
            "prices": None
            if prices is None
            else [prices.tariff, *map(list, (prices.periods, prices.ratios, prices.cheapest, prices.flat))],
            "grid": self.grid,
            "meters": [
                [m.point, m.use, list(m.equipment), m.system, m.counted.facts(), m.generation] for m in self.meters
            ],
            "output": [[point, counted.facts()] for point, counted in self.output],
            "belts": [[b.equipment, b.km, None if b.carried is None else b.carried.facts()] for b in self.belts],
            "returns": [[r.name, r.degc, list(r.points), list(r.m3), list(r.known_us)] for r in self.returns],
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @staticmethod
    def read(document: str) -> EnergyDay:
        """What `document` wrote."""
        facts = json.loads(document)
        return EnergyDay(
            facts["mine"],
            date.fromisoformat(facts["day"]),
            facts["site"],
            tuple(facts["edges"]),
            tuple(facts["hours"]),
            _prices(facts["prices"]),
            facts["grid"],
            tuple(_meter(*each) for each in facts["meters"]),
            tuple((point, Buckets.read(counted)) for point, counted in facts["output"]),
            tuple(Belt(name, km, None if said is None else Buckets.read(said)) for name, km, said in facts["belts"]),
            tuple(Return(name, degc, *map(tuple, columns)) for name, degc, *columns in facts["returns"]),
        )

    def seen(self, points: Container[str], equipment: Container[str]) -> EnergyDay:
        """What of it a caller sees who sees these points, by path, and this equipment: consumption and transport of
        equipment that he sees, whole, and all else by the points that it was reckoned by."""
        return replace(
            self,
            meters=tuple(
                m
                for m in self.meters
                if (all(e in equipment for e in m.equipment) if m.equipment else m.point in points)
            ),
            output=tuple(each for each in self.output if each[0] in points),
            belts=tuple(belt for belt in self.belts if belt.equipment in equipment),
            returns=tuple(each for each in self.returns if all(point in points for point in each.points)),
        )


def _meter(
    point: str, use: str, equipment: Sequence[str], system: str, counted: Sequence[Any], generation: int
) -> Meter:
    return Meter(point, Use(use), tuple(equipment), system, Buckets.read(counted), generation)


def _prices(facts: Sequence[Any] | None) -> Prices | None:
    if facts is None:
        return None
    tariff, *columns = facts
    return Prices(tariff, *(tuple(column) for column in columns))
