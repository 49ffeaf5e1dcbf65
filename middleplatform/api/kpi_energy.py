"""`/api/v1/kpi/energy`: what a mine used over any days, what it cost, what it emitted, and by what it was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.kpi_days import AmountFacts, DaysQuery, Range, RatioFacts, figures
from middleplatform.api.responses import Json, answers
from middleplatform.kpi.book import ENERGY
from models.energy.day import EnergyDay, Meter, Use
from models.energy.figure import Consumption, consumption, emission, five_to_four, methane, rest, stations
from models.energy.intensity import electricity_per_tonne, methane_per_tonne, per_tonne, per_tonne_km
from models.energy.systems import OTHER, systems

router = APIRouter(prefix="/kpi", tags=["kpi"])


class Words(BaseModel):
    zh: str
    en: str


class CostFacts(BaseModel):
    """`relative`: kWh at the flat price that would have cost as much, `least` had all been taken in the day's cheapest
    hours; `money`, `least_money` by the mine's price. Null where of a day no tariff, or no price, is known, or nothing
    of what was used; `known`: the part of the time that they are of."""

    relative: float | None
    least: float | None
    money: float | None
    least_money: float | None
    known: float | None


class Used(BaseModel):
    """kWh; `hours`: by the local hour, 0 to 23; `periods`: by the tariff's."""

    kwh: AmountFacts
    hours: dict[str, AmountFacts]
    periods: dict[str, AmountFacts]
    cost: CostFacts


class SystemFacts(Used):
    id: str
    name: Words
    per_tonne: RatioFacts


class EquipmentFacts(Used):
    """`equipment`: what one meter measures, or several of the same equipment; `points`: those meters."""

    equipment: list[str]
    points: list[str]
    names: list[Words]
    system: str


class RestFacts(BaseModel):
    """kWh that came in and no meter counted; null where the incoming is not metered, not known, or out of sight;
    `money`: what all cost less what the systems did, null where that is not known; `known`: the part of the time of
    which it is. `unheard`: counters that were not known for all of the time, which makes it larger."""

    kwh: float | None
    money: float | None
    known: float | None
    unheard: list[str]


class StationFacts(BaseModel):
    """Base stations of a generation: 4, 5, or 0 of those that did not say which. `per_day`: kWh of one in a day."""

    station_days: int
    kwh: AmountFacts
    per_day: float | None


class EmissionFacts(BaseModel):
    """kg of CO₂, of methane what stands for as much; null where not known, else of so much of the time, `…_known`.
    `of`: by which factors."""

    electricity: float | None
    methane: float | None
    electricity_known: float | None
    methane_known: float | None
    of: list[Words]


class IntensityFacts(BaseModel):
    """`kwh_per_t`: of all that was used; `kwh_per_t_km`: by belt; `kg_per_t`: of CO₂."""

    kwh_per_t: RatioFacts
    kwh_per_t_km: dict[str, RatioFacts]
    electricity_kg_per_t: RatioFacts
    methane_kg_per_t: RatioFacts


class EnergyFigures(Range):
    """`incoming`: whether `used` is what came in from the grid; else it is what all meters in sight counted.
    `five_to_four`: a 5G station's kWh a day by a 4G one's, about 3 as a rule; null where there are not both."""

    incoming: bool
    used: Used
    rest: RestFacts
    systems: list[SystemFacts]
    equipment: list[EquipmentFacts]
    stations: dict[str, StationFacts]
    five_to_four: float | None
    methane_m3: AmountFacts
    emission: EmissionFacts
    intensity: IntensityFacts


@router.get(
    "/energy", dependencies=[needs("kpi.read")], response_class=Json, responses=answers(EnergyFigures, 400, 401, 403)
)
async def energy(request: Request, catalogue: Seen, asked: Annotated[DaysQuery, Query()]) -> Json:
    """能耗、费用与碳排放 · Energy, its cost and its carbon over days, by equipment, system, hour and tariff period."""
    return Json(
        await figures(request, catalogue, asked, ENERGY, EnergyDay.read, lambda days: energy_facts(catalogue, days))
    )


def energy_facts(catalogue: Catalogue, days: Sequence[EnergyDay]) -> dict[str, Any]:
    """Of days in their order."""
    loads = [meter for day in days for meter in day.of(Use.LOAD, Use.STATION)]
    own = {meter.system for meter in loads}
    known = stations(days)
    groups = {meter.equipment: meter.system for meter in loads}
    return {
        "incoming": bool(days) and all(day.of(Use.INCOMING) for day in days),
        "used": _used(consumption(days, lambda day: day.consumers)),
        "rest": asdict(rest(days)),
        "systems": [
            {
                "id": key,
                "name": systems()[key].name.model_dump(),
                **_used(consumption(days, lambda day, key=key: _of_system(day, key))),
                "per_tonne": per_tonne(days, lambda day, key=key: _of_system(day, key)).facts(),
            }
            for key in (*systems(), *sorted(own - systems().keys()))
            if key in own
        ],
        "equipment": [
            {
                "equipment": list(equipment),
                "points": sorted({meter.point for day in days for meter in _of_equipment(day, equipment)}),
                "names": [name_of(catalogue, each) for each in equipment],
                "system": system or OTHER,
                **_used(consumption(days, lambda day, equipment=equipment: _of_equipment(day, equipment))),
            }
            for equipment, system in sorted(groups.items())
        ],
        "stations": {
            str(generation): {"station_days": each.days, "kwh": each.kwh.facts(), "per_day": each.per_day}
            for generation, each in known.items()
        },
        "five_to_four": five_to_four(known),
        "methane_m3": methane(days).facts(),
        "emission": asdict(emission(days)),
        "intensity": {
            "kwh_per_t": per_tonne(days, lambda day: day.consumers).facts(),
            "kwh_per_t_km": {name: each.facts() for name, each in per_tonne_km(days).items()},
            "electricity_kg_per_t": electricity_per_tonne(days).facts(),
            "methane_kg_per_t": methane_per_tonne(days).facts(),
        },
    }


def _of_system(day: EnergyDay, system: str) -> list[Meter]:
    return [meter for meter in day.of(Use.LOAD, Use.STATION) if meter.system == system]


def _of_equipment(day: EnergyDay, equipment: tuple[str, ...]) -> list[Meter]:
    return [meter for meter in day.of(Use.LOAD, Use.STATION) if meter.equipment == equipment]


def _used(of: Consumption) -> Mapping[str, Any]:
    return {
        "kwh": of.amount.facts(),
        "hours": {str(hour): each.facts() for hour, each in of.hours.items()},
        "periods": {period: each.facts() for period, each in of.periods.items()},
        "cost": asdict(of.cost),
    }


def name_of(catalogue: Catalogue, equipment: str) -> dict[str, str]:
    """As the site calls it now; its id where it is no more."""
    known = catalogue.site.equipment.get(equipment)
    return {"zh": equipment, "en": equipment} if known is None else {"zh": known.name.zh, "en": known.name.en}
