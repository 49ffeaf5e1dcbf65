"""`/api/v1/kpi/definitions`: what the figures mean: the rules in words, by what source, since when, if confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.access.policies import policy_of
from middleplatform.api import times
from middleplatform.api.auth import needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.database import Place
from models.access import document
from models.energy.carbon import factors, grid_factor
from models.energy.systems import systems
from models.kpi import checks, exclusions
from models.kpi.calendar import day_of
from models.kpi.targets import belt_target
from models.report.words import source, utilisation_definitions
from models.site.model import Name, Site
from models.tariffs import scheme_at
from models.utilisation.phrased import States, phrased
from models.utilisation.rules import Category, Clause, standard
from models.vocabulary import roles

router = APIRouter(prefix="/kpi", tags=["kpi"])
DECIDES = "ticket.approve"


class Dated(BaseModel):
    """Data that hold from a date on. `confirmed`: by an authority."""

    version: str
    effective_from: str
    source: Words
    confirmed: bool


class ClauseFacts(BaseModel):
    """`asks`: what must hold; `otherwise`: what is said of time in which it does not; `if_measured`: it is not asked of
    a unit that has no such point."""

    key: str
    asks: Words
    otherwise: Words
    if_measured: bool


class CategoryFacts(BaseModel):
    """`producing`, `intelligent`: clauses that must all hold; `stood`: what proves that a unit did not produce;
    `output`: by what its work is weighed beside by time. Null where there is none."""

    key: str
    name: Words
    weight: float
    producing: list[ClauseFacts]
    intelligent: list[ClauseFacts]
    stood: Words | None
    output: Words | None


class RulesFacts(Dated):
    """Shares from 0 to 1. `words`: what utilisation, coverage, least, most and the target are."""

    coverage: float
    target_mine: float
    target_category: float
    digest: str
    words: list[Words]
    categories: list[CategoryFacts]


class BeltFacts(Dated):
    from_kt: int
    rate: float


class CauseFacts(BaseModel):
    """Of one ticket at most `longest_h`; of a unit's month at most `most_of_month`; `asked_within_h`: so long after it
    begins at the latest, `approved_within_h`: after it ends (0: before it does); `approvals`: by how many others."""

    key: str
    name: Words
    longest_h: float
    most_of_month: float
    asked_within_h: float
    approved_within_h: float
    approvals: int


class ExclusionFacts(Dated):
    """`most_of_month`: of all causes together; `decided_by`: the roles that may decide, never on an own ticket."""

    most_of_month: float
    decided_by: list[Words]
    causes: list[CauseFacts]


class FactorFacts(BaseModel):
    """kg of CO₂ a kWh of a grid, published for a year."""

    grid: str
    name: Words
    year: int
    kg_per_kwh: float
    source: Words
    confirmed: bool


class MethaneFacts(BaseModel):
    """kg a m³, and what it stands for in CO₂ over a hundred years."""

    at_0_degc: float
    at_20_degc: float
    gwp: dict[str, float]
    source: Words
    confirmed: bool


class TariffFacts(Dated):
    """`ratios`: the price by period as a multiple of the flat one."""

    ratios: dict[str, float]


class EnergyFacts(BaseModel):
    """By what the mine's cost and carbon are reckoned; null where its site does not say."""

    grid: FactorFacts | None
    methane: MethaneFacts
    tariff: TariffFacts | None
    systems: dict[str, Words]


class Definitions(BaseModel):
    """Of a day of the mine. Null where nothing was in force."""

    day: str
    rules: RulesFacts
    belts: BeltFacts | None
    exclusions: ExclusionFacts
    checks: Dated
    energy: EnergyFacts


class DefinitionsQuery(Asked):
    day: date | None = Field(None, description="矿井日，缺省为今日 · a day of the mine, by default today")


@router.get(
    "/definitions", dependencies=[needs("kpi.read")], response_class=Json, responses=answers(Definitions, 400, 401, 403)
)
async def definitions(request: Request, asked: Annotated[DefinitionsQuery, Query()]) -> Json:
    """指标口径：含义、来源、生效日期、是否确认 · What the figures mean, by what source, since when, if confirmed."""
    site: Site = request.app.state.catalogue.site
    day = asked.day or day_of(site, times.now_us())
    version = standard().at(day)
    if version is None:
        raise ApiError(400, "no_rules", f"{day} 尚无口径", f"no rules were in force on {day}", "day")
    deciders = await anyio.to_thread.run_sync(_deciders, request.app.state.database)
    belts, left, checked = belt_target(day), exclusions.standard().at(day), checks.standard().at(day)
    return Json(
        {
            "day": day.isoformat(),
            "rules": {
                **_dated(version),
                "coverage": version.coverage,
                "target_mine": version.target.mine,
                "target_category": version.target.category,
                "digest": version.digest,
                "words": [each.words() for each in utilisation_definitions(version)],
                "categories": [_category(key, own, site) for key, own in version.categories.items()],
            },
            "belts": None if belts is None else {**_dated(belts), "from_kt": belts.from_kt, "rate": belts.rate},
            "exclusions": {**_dated(left), **_left(left), "decided_by": deciders},
            "checks": _dated(checked),
            "energy": _energy(site, day),
        }
    )


def _dated(version: Any) -> dict[str, Any]:
    return {
        "version": getattr(version, "version", ""),
        "effective_from": version.effective_from.isoformat(),
        "source": source(version.source).words(),
        "confirmed": version.confirmed,
    }


def _category(key: str, own: Category, site: Site) -> dict[str, Any]:
    states, owners = _states(own, site), {name: _template(site, each) for name, each in own.with_.items()}
    output = None if own.output is None else roles()[own.output.role].name

    def clause(one: Clause) -> dict[str, Any]:
        return {
            "key": one.key,
            "asks": phrased(one.when, states, owners).words(),
            "otherwise": one.otherwise.resolved().words(),
            "if_measured": one.if_measured,
        }

    return {
        "key": key,
        "name": own.name.resolved().words(),
        "weight": own.weight,
        "producing": [clause(each) for each in own.producing],
        "intelligent": [clause(each) for each in own.intelligent],
        "stood": None if own.stood is None else phrased(own.stood, states, owners).words(),
        "output": None if output is None else output.resolved().words(),
    }


def _states(own: Category, site: Site) -> States:
    """What the site calls the values of what this category reads."""
    of = {template: name for name, template in own.with_.items()} | dict.fromkeys(own.templates, "")
    found: dict[tuple[str, str], Mapping[int, Name]] = {}
    for point in site.points:
        machine = site.equipment.get(point.equipment.rpartition("/")[2])
        if point.states and machine is not None and machine.template in of:
            found.setdefault((point.role, of[machine.template]), point.states)
    return found


def _template(site: Site, key: str) -> Name:
    known = site.templates.get(key)
    return Name(key, key) if known is None else known.name


def _deciders(where: Place) -> list[dict[str, str]]:
    """What the roles are called that may decide on tickets, as the policy holds now."""
    told = document()["roles"]
    return [told[name]["name"] for name, may in policy_of(where).roles.items() if DECIDES in may]


def _left(version: exclusions.Version) -> dict[str, Any]:
    return {
        "most_of_month": version.most_of_month,
        "causes": [
            {
                "key": str(cause),
                "name": own.name.resolved().words(),
                "longest_h": own.longest_h,
                "most_of_month": own.most_of_month,
                "asked_within_h": own.asked_within_h,
                "approved_within_h": own.approved_within_h,
                "approvals": own.approvals,
            }
            for cause, own in version.causes.items()
        ],
    }


def _energy(site: Site, day: date) -> dict[str, Any]:
    methane = factors().methane
    return {
        "grid": _grid(site.basis.grid, day.year),
        "methane": {
            "at_0_degc": methane.kg_per_m3.at_0_degc,
            "at_20_degc": methane.kg_per_m3.at_20_degc,
            "gwp": dict(methane.gwp),
            "source": source(methane.source).words(),
            "confirmed": methane.confirmed,
        },
        "tariff": _tariff(site.basis.tariff, day),
        "systems": {key: each.resolved().words() for key, each in ((k, v.name) for k, v in systems().items())},
    }


def _grid(region: str, year: int) -> dict[str, Any] | None:
    try:
        found = grid_factor(region, year)
    except KeyError:
        return None
    return {
        "grid": region,
        "name": factors().regions[region].model_dump(),
        "year": found.year,
        "kg_per_kwh": found.kg_per_kwh,
        "source": source(found.source).words(),
        "confirmed": found.confirmed,
    }


def _tariff(name: str, day: date) -> dict[str, Any] | None:
    try:
        found = scheme_at(name, day)
    except KeyError:
        return None
    ratios = {key: own for key, own in found.ratios.model_dump().items() if own is not None}
    return {**_dated(found), "version": name, "ratios": ratios}
