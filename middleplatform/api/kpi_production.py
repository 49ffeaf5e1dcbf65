"""`/api/v1/kpi/production`, `/api/v1/kpi/stoppages`: what a mine raised, what its machines did, and why they stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.kpi_days import AmountFacts, DaysQuery, Range, RatioFacts, figures
from middleplatform.api.kpi_energy import Words, name_of
from middleplatform.api.responses import Json, answers
from middleplatform.database import Place
from middleplatform.kpi.book import PRODUCTION, UTILISATION, read
from models.kpi.day import MineDay
from models.production.data import faults
from models.production.day import ProductionDay, Times
from models.production.figure import MachineFigure, by_machine, output, output_by_shift, pareto
from models.production.stoppages import NO_ALARM, NO_JOURNAL, UNSEEN
from models.utilisation.figure import Figure
from models.utilisation.rules import standard

router = APIRouter(prefix="/kpi", tags=["kpi"])

HOUR_US = 3_600_000_000
NOT_A_GROUP: Mapping[str, tuple[str, str]] = {
    NO_ALARM: ("无报警", "no alarm came with it"),
    UNSEEN: ("开始不明", "its beginning was not seen"),
    NO_JOURNAL: ("当日报警判别未运行", "alarms were not judged on that day"),
}


class TimesFacts(BaseModel):
    """Hours. `calendar`: all; `planned`: in which production was planned; `running`, `standing`: known of all;
    `producing`, `idle`: known of the planned ones."""

    calendar: float
    planned: float
    running: float
    standing: float
    producing: float
    idle: float


class ReliabilityFacts(BaseModel):
    """`failures`: that began; `unclear`: fault alarms of which nobody knows whether the machine stood; `ran_on`: those
    in which it did not stand; `rate`: failures in 1,000 operating hours; of so many `days`."""

    failures: int
    unclear: int
    ran_on: int
    days: int
    operating_h: float
    down_h: float
    rate: float | None
    mtbf_h: float | None
    mttr_h: float | None


class MachineFacts(BaseModel):
    """ISO 22400-2: `availability` = producing / planned, of the part `coverage` of the planned time; `effectiveness` =
    tonnes / what it is rated at in its running time; `power_on` = running / (running + standing) of all time, planned
    or not, as far as it is known, which is the part `power_on_known` of it; `intelligence`: the utilisation of its unit
    over the days of which it is kept, null of a machine that has none, of the part `intelligence_known` of the time in
    which it produced or may have; `overall`: the product of the three, null where one of them is. Each of the parts is
    one of all the days asked for. `days`: on so many of those that are kept it was there; `reliability`: null where
    alarms were not judged."""

    id: str
    name: Words
    days: int
    times: TimesFacts
    shifts: dict[str, TimesFacts]
    counts: dict[str, AmountFacts]
    availability: float | None
    coverage: float | None
    power_on: float | None
    power_on_known: float | None
    effectiveness: RatioFacts
    intelligence: float | None
    intelligence_known: float | None
    overall: float | None
    reliability: ReliabilityFacts | None


class ProductionFigures(Range):
    """`tonnes`: that the mine raised; `shifts`: by the number of the shift, `rest` outside of them; `coverage_needed`:
    a rate of a lesser part of its time than this is not assessable, by the rules of the last day."""

    coverage_needed: float
    tonnes: AmountFacts
    shifts: dict[str, AmountFacts]
    machines: list[MachineFacts]


class CauseFacts(BaseModel):
    """`cause`: the rule of the alarm that came first with the stops, or `none`, `unseen`, `no_journal`; `by`: the
    equipment at which it came, "" where there is none or it is out of sight; `upto`: the part of all lost time that
    this line and those before it make."""

    cause: str
    group: str
    group_name: Words
    by: str
    equipment: str
    name: Words
    stops: int
    lost_h: float
    upto: float


class StoppageFigures(Range):
    """The costliest first; `days_without_journal`: on which alarms were not judged."""

    days_without_journal: int
    causes: list[CauseFacts]


@router.get(
    "/production",
    dependencies=[needs("kpi.read")],
    response_class=Json,
    responses=answers(ProductionFigures, 400, 401, 403),
)
async def production(request: Request, catalogue: Seen, asked: Annotated[DaysQuery, Query()]) -> Json:
    """产量、工时与可靠性 · Tonnes, webs, advance, holes, machine hours, availability, failures over days."""
    where, mine = request.app.state.database, request.app.state.catalogue.site.code

    def told(days: Sequence[ProductionDay]) -> dict[str, Any]:
        return production_facts(catalogue, days, _intelligence(where, mine, asked), _needed(asked.last))

    return Json(await figures(request, catalogue, asked, PRODUCTION, ProductionDay.read, told))


@router.get(
    "/stoppages",
    dependencies=[needs("kpi.read")],
    response_class=Json,
    responses=answers(StoppageFigures, 400, 401, 403),
)
async def stoppages(request: Request, catalogue: Seen, asked: Annotated[DaysQuery, Query()]) -> Json:
    """停产帕累托：原因与设备 · Why the main machines stood in planned time, by cause and equipment."""
    return Json(
        await figures(
            request, catalogue, asked, PRODUCTION, ProductionDay.read, lambda days: stoppage_facts(catalogue, days)
        )
    )


def _needed(day: date) -> float:
    """The coverage that makes a rate assessable; before there were any rules, that of the first ones."""
    known = standard()
    return (known.at(day) or known.versions[0]).coverage


Intelligence = Mapping[str, tuple[float | None, float | None]]
"""By unit: its rate of utilisation over the days of which it is kept, and the part known of all the days asked for."""


def _intelligence(where: Place, mine: str, asked: DaysQuery) -> Intelligence:
    found: dict[str, Figure] = {}
    days = read(where, mine, UTILISATION, asked.first, asked.last)
    for kept in days.values():
        for unit in MineDay.read(kept.document).units:
            found[unit.id] = found.get(unit.id, Figure()) + unit.figure
    part = len(days) / ((asked.last - asked.first).days + 1)
    return {
        unit: (figure.rate, None if figure.coverage is None else figure.coverage * part)
        for unit, figure in found.items()
    }


def production_facts(
    catalogue: Catalogue, days: Sequence[ProductionDay], intelligence: Intelligence, coverage_needed: float
) -> dict[str, Any]:
    """Of days in their order."""
    return {
        "coverage_needed": coverage_needed,
        "tonnes": output(days).facts(),
        "shifts": {key: each.facts() for key, each in output_by_shift(days).items()},
        "machines": [
            _machine(catalogue, each, *intelligence.get(each.id, (None, None))) for each in by_machine(days).values()
        ],
    }


def stoppage_facts(catalogue: Catalogue, days: Sequence[ProductionDay]) -> dict[str, Any]:
    """Of days in their order."""
    return {
        "days_without_journal": sum(not day.journal for day in days),
        "causes": [
            {
                "cause": each.cause,
                "group": each.group,
                "group_name": _group(each.group),
                "by": each.by,
                "equipment": each.equipment,
                "name": name_of(catalogue, each.equipment),
                "stops": each.stops,
                "lost_h": each.lost_us / HOUR_US,
                "upto": each.upto,
            }
            for each in pareto(days)
        ],
    }


def _machine(
    catalogue: Catalogue, machine: MachineFigure, intelligence: float | None, known: float | None
) -> dict[str, Any]:
    told = machine.reliability
    return {
        "id": machine.id,
        "name": name_of(catalogue, machine.id),
        "days": machine.days,
        "times": _times(machine.times),
        "shifts": {key: _times(each) for key, each in machine.shifts.items()},
        "counts": {what: each.facts() for what, each in machine.counts.items()},
        "availability": machine.availability,
        "coverage": machine.coverage,
        "power_on": machine.power_on,
        "power_on_known": machine.power_on_known,
        "effectiveness": machine.effectiveness.facts(),
        "intelligence": intelligence,
        "intelligence_known": known,
        "overall": machine.equipment_effectiveness(intelligence),
        "reliability": None
        if told is None
        else {
            "failures": told.failures,
            "unclear": told.unclear,
            "ran_on": told.ran_on,
            "days": told.days,
            "operating_h": told.operating_us / HOUR_US,
            "down_h": told.down_us / HOUR_US,
            "rate": told.rate,
            "mtbf_h": told.mtbf_h,
            "mttr_h": told.mttr_h,
        },
    }


def _times(times: Times) -> dict[str, float]:
    return {name: us / HOUR_US for name, us in asdict(times).items()}


def _group(key: str) -> dict[str, str]:
    if key in NOT_A_GROUP:
        zh, en = NOT_A_GROUP[key]
        return {"zh": zh, "en": en}
    known = faults().groups.get(key)
    return {"zh": key, "en": key} if known is None else known.model_dump()
