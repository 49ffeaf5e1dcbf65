"""`/api/v1/kpi/city`: all mines side by side, for those who see them all."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.kpi import cities
from middleplatform.kpi.cities import View
from models.kpi.city import BeltCoverage, City, Step
from models.kpi.mine import MineFigure
from models.kpi.period import Period
from models.report.words import whys

router = APIRouter(tags=["kpi"])


class CategoryFacts(BaseModel):
    """Shares, null where nothing produced; times in µs."""

    category: str
    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    intelligent_us: int
    by_hand_us: int
    excluded_us: int


class FigureFacts(BaseModel):
    """The mean of the categories by weight, its bounds and coverage; `standing`: met, missed, not_assessable;
    `below`: categories below their target, `doubtful`: those of which too little is known."""

    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    standing: str
    below: list[str]
    doubtful: list[str]
    categories: list[CategoryFacts]


class MineFacts(FigureFacts):
    """`place` is null where the mine is not assessable, and `why` then says why; `belts`: covered, not_covered,
    not_assessable, none; null where the mine need not have belt central control."""

    place: int | None
    mine: str
    name: Words
    capacity_kt: float | None
    gas_class: str
    days: int
    days_kept: int
    why: Words | None
    belts: str | None


class BeltFacts(BaseModel):
    """`share`: covered of the mines that must be, null where none is known to be and not all are known; `unknown`: of
    how many nobody knows; `unknown_capacity`: mines of which nobody said whether they must."""

    share: float | None
    covered: int
    unknown: int
    mines: int
    from_kt: int
    rate: float
    version: str
    source: str
    confirmed: bool
    unknown_capacity: list[str]


class StepFacts(BaseModel):
    month: str
    days: int
    days_kept: int
    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    standing: str


class CityFacts(BaseModel):
    """`first` to `last`: the days that were looked at; a month that runs ends yesterday. `made_at`: when the newest of
    them was made, µs UTC, null where none is kept. `group`: of all mines' times
    added up by category, no mean of their rates."""

    month: str
    first: str
    last: str
    made_at: int | None
    rules: str
    target_mine: float
    target_category: float
    coverage_needed: float
    met: int
    assessable: int
    group: FigureFacts
    mines: list[MineFacts]
    belts: BeltFacts | None
    trend: list[StepFacts]


class CityQuery(Asked):
    month: str = Field(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月 · the month, 2026-03")
    months: int = Field(6, ge=1, le=24, description="趋势月数 · months of the trend")


@router.get(
    "/kpi/city",
    dependencies=[needs("kpi.read")],
    response_class=Json,
    responses=answers(CityFacts, 400, 401, 403, 404),
)
async def look(request: Request, asker: Asker, asked: Annotated[CityQuery, Query()]) -> Json:
    """全市煤矿：排名、达标、皮带集中控制、趋势 · All mines of the platform: places, targets, belts, the trend. For
    those whose scope is everything; for others there is no city."""
    if not asker.scope.everything:
        raise ApiError(
            404,
            "unknown_city",
            "您的范围内没有全市数据",
            "there is no city within your scope: it is for those who see everything",
        )
    where, (year, month) = request.app.state.database, map(int, asked.month.split("-"))
    try:
        found = await anyio.to_thread.run_sync(cities.view, where, year, month, times.now_us(), asked.months)
    except cities.NothingToSee as nothing:
        raise ApiError(400, "no_day_yet", nothing.zh, nothing.en, "month") from None
    return Json(facts(asked.month, found))


def facts(month: str, view: View) -> dict[str, Any]:
    """What the route answers."""
    city, version = view.city, view.city.version
    places = {each.mine.code: at for at, each in enumerate(city.ranked, start=1)}
    return {
        "month": month,
        "first": city.days[0].isoformat() if city.days else f"{month}-01",
        "last": view.until.isoformat(),
        "made_at": view.made_at,
        "rules": version.version,
        "target_mine": version.target.mine,
        "target_category": version.target.category,
        "coverage_needed": version.coverage,
        "met": city.met,
        "assessable": len(city.ranked),
        "group": _figure(city.group),
        "mines": [_mine(each, places.get(each.mine.code), city) for each in city.periods],
        "belts": None if city.belts is None else _belts(city.belts),
        "trend": [_step(each) for each in view.trend],
    }


def _mine(each: Period, place: int | None, city: City) -> dict[str, Any]:
    state = None if city.belts is None else city.belts.mines.get(each.mine.code)
    return {
        "place": place,
        "mine": each.mine.code,
        "name": each.mine.name.words(),
        "capacity_kt": each.mine.capacity_kt,
        "gas_class": each.mine.gas_class,
        "days": len(each.days),
        "days_kept": len(each.kept),
        "why": whys(city.version, each.why).words() if each.why else None,
        "belts": state and str(state),
        **_figure(each.figure),
    }


def _figure(own: MineFigure) -> dict[str, Any]:
    return {
        "rate": own.rate,
        "least": own.least,
        "most": own.most,
        "coverage": own.coverage,
        "standing": str(own.standing),
        "below": list(own.below),
        "doubtful": list(own.doubtful),
        "categories": [
            {
                "category": key,
                "rate": figure.rate,
                "least": figure.least,
                "most": figure.most,
                "coverage": figure.coverage,
                "intelligent_us": figure.intelligent,
                "by_hand_us": figure.by_hand,
                "excluded_us": figure.excluded,
            }
            for key, figure in own.categories.items()
        ],
    }


def _belts(own: BeltCoverage) -> dict[str, Any]:
    return {
        "share": own.share,
        "covered": sum(str(each) == "covered" for each in own.mines.values()),
        "unknown": own.unknown,
        "mines": len(own.mines),
        "from_kt": own.target.from_kt,
        "rate": own.target.rate,
        "version": own.target.version,
        "source": own.target.source,
        "confirmed": own.target.confirmed,
        "unknown_capacity": list(own.unknown_capacity),
    }


def _step(each: Step) -> dict[str, Any]:
    return {
        "month": f"{each.first:%Y-%m}",
        "days": each.days,
        "days_kept": each.kept,
        "rate": each.rate,
        "least": each.least,
        "most": each.most,
        "coverage": each.coverage,
        "standing": str(each.standing),
    }
