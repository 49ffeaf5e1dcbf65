"""`/api/v1/kpi`: the utilisation of the mine, its categories and units, and what is kept of each day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import Field

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.kpi_schemas import MineFacts, RevisionList, UnitList
from middleplatform.api.kpi_sight import in_sight
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.kpi.book import Kept
from middleplatform.kpi.state import trouble
from models.kpi.calendar import day_of, days, stretches
from models.kpi.day import MineDay, UnitDay
from models.kpi.over import FACE, Output, narrowed, normalised, output, over
from models.kpi.period import Mine, daily, period
from models.report.words import whys
from models.utilisation.figure import UNKNOWN, Figure
from models.utilisation.rules import Version, standard

MOST_DAYS = 800
"""Of one question."""
LAST_DAY = date(9998, 12, 31)
"""The calendar ends with 9999, and a day of the mine may end on the day after it began."""
PART = "part"
"""The standing of who sees a part of the mine."""

router = APIRouter(prefix="/kpi", tags=["kpi"])

READ = [needs("kpi.read")]
DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"


class RangeQuery(Asked):
    first: str = Field("", pattern=DATE, description="首日，缺省为今日 · the first day of the mine, by default today")
    last: str = Field("", pattern=DATE, description="末日（含），缺省为首日 · the last one, by default the first")


class FigureQuery(RangeQuery):
    by: Literal["", "day", "month", "year"] = Field("", description="分段 · how the range is divided; by default not")
    shift: str = Field("", pattern=r"^([0-9]{1,2}|rest)?$", description="班次序号 · a shift's number, or rest")


class UnitsQuery(RangeQuery):
    by: Literal["", "day"] = Field("", description="分段 · whether each day is told by itself")
    shift: str = Field("", pattern=r"^([0-9]{1,2}|rest)?$", description="班次序号 · a shift's number, or rest")
    category: str = Field("", max_length=40)
    unit: str = Field("", max_length=100, description="设备或硐室编号 · the id of a unit")


class DaysQuery(RangeQuery):
    section: Literal["utilisation", "energy", "production"] = "utilisation"
    all: bool = Field(False, description="含被替代的 · also those that others took the place of")


@router.get("/figure", dependencies=READ, response_class=Json, responses=answers(MineFacts, 400, 401, 403, 404))
async def figure(request: Request, catalogue: Seen, asked: Annotated[FigureQuery, Query()]) -> Json:
    """全矿智能化设备使用率 · The mine's utilisation over days, as a whole or by day, month or year, of a shift or all:
    rate, bounds, coverage, standing against the target, and its categories; output-weighted beside."""
    first, last = _range(catalogue, asked)
    where, sees = request.app.state.database, _sees(request.app.state.catalogue, catalogue)

    def look() -> dict[str, Any]:
        kept = book.read(where, catalogue.site.code, book.UTILISATION, first, last)
        made = {day: MineDay.read(each.document) for day, each in kept.items()}
        if asked.shift:
            _check_shift(catalogue, asked.shift, made.values())
        seen = {day: narrowed(each, sees, asked.shift) for day, each in made.items()}
        length = {"day": 10, "month": 7, "year": 4, "": 0}[asked.by]
        periods: dict[str, list[date]] = {}
        for day in days(first, last):
            periods.setdefault(day.isoformat()[:length], []).append(day)
        return {
            "mine": catalogue.site.code,
            "name": asdict(catalogue.site.name),
            "shift": asked.shift,
            "partial": not catalogue.scope.everything,
            "trouble": _trouble(where, catalogue),
            "periods": [_period(catalogue, name, own, kept, seen) for name, own in periods.items()],
        }

    return Json(await anyio.to_thread.run_sync(look))


@router.get("/units", dependencies=READ, response_class=Json, responses=answers(UnitList, 400, 401, 403, 404))
async def list_units(request: Request, catalogue: Seen, asked: Annotated[UnitsQuery, Query()]) -> Json:
    """各设备的使用率及未计入的原因 · The utilisation of each unit over days, or of one on each day kept, and why time
    did not count."""
    first, last = _range(catalogue, asked)
    where, sees = request.app.state.database, _sees(request.app.state.catalogue, catalogue)
    if asked.by and not asked.unit:
        raise ApiError(400, "which_unit", "按日列出时须指明单元 unit", "by day, name one unit", "unit")

    def look() -> dict[str, Any]:
        kept = book.read(where, catalogue.site.code, book.UTILISATION, first, last)
        made = {day: MineDay.read(each.document) for day, each in kept.items()}
        if asked.shift:
            _check_shift(catalogue, asked.shift, made.values())
        seen = {day: narrowed(each, sees, asked.shift) for day, each in made.items()}
        names = {"", asked.unit, asked.unit.removeprefix(f"{catalogue.site.code}/")}

        def told(*of: MineDay, wanted: Sequence[date] = ()) -> list[UnitDay]:
            fit = [unit for unit in over(of, wanted) if asked.category in ("", unit.category)]
            return [unit for unit in fit if not asked.unit or unit.id in names]

        version = _version(last)
        if asked.by:
            units = [
                _unit(unit, version) | {"day": day.isoformat(), "provisional": kept[day].provisional}
                for day, each in seen.items()
                for unit in told(each)
            ]
        else:
            whole = told(*seen.values(), wanted=list(days(first, last)))
            units = [_unit(unit, version) for unit in whole]
        return {
            "first": first.isoformat(),
            "last": last.isoformat(),
            "days": (last - first).days + 1,
            "missing": (last - first).days + 1 - len(kept),
            **_made(kept.values()),
            "trouble": _trouble(where, catalogue),
            "units": units,
        }

    found = await anyio.to_thread.run_sync(look)
    if asked.unit and not found["units"]:
        raise ApiError(
            404,
            "unknown_unit",
            f"这些日期没有单元“{shown(asked.unit)}”的指标",
            f"there are no figures of a unit '{shown(asked.unit)}' on these days",
            "unit",
        )
    return Json(found)


@router.get("/days", dependencies=READ, response_class=Json, responses=answers(RevisionList, 400, 401, 403))
async def list_days(request: Request, catalogue: Seen, asked: Annotated[DaysQuery, Query()]) -> Json:
    """各日保存的版本 · What is kept of each day: revisions with their digests and the versions they were made by."""
    first, last = _range(catalogue, asked)
    where, mine = request.app.state.database, catalogue.site.code

    def look() -> list[Kept]:
        if not asked.all:
            return list(book.read(where, mine, asked.section, first, last).values())
        return [each for day in days(first, last) for each in book.revisions(where, mine, asked.section, day)]

    found = await anyio.to_thread.run_sync(look)
    return Json({"revisions": [_revision(each) for each in found]})


def _range(catalogue: Catalogue, asked: RangeQuery) -> tuple[date, date]:
    today = day_of(catalogue.site, times.now_us())
    first = _date(asked.first, "first") or today
    last = _date(asked.last, "last") or first
    if last > LAST_DAY:
        raise ApiError(
            400, "invalid_date", f"日期不得晚于 {LAST_DAY}", f"the last day is {LAST_DAY} at the latest", "last"
        )
    if not first <= last or (last - first).days >= MOST_DAYS:
        raise ApiError(
            400,
            "wrong_range",
            f"末日不得早于首日，且至多 {MOST_DAYS} 天",
            f"the last day is not before the first, and there are at most {MOST_DAYS} days",
            "last",
            limit=MOST_DAYS,
        )
    return first, last


def _date(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ApiError(400, "invalid_date", f"没有日期 {text}", f"there is no day {text}", where) from None


def _check_shift(catalogue: Catalogue, shift: str, made: Iterable[MineDay]) -> None:
    known = {each.key for each in stretches(catalogue.site, day_of(catalogue.site, times.now_us()))}
    known |= {key for day in made for unit in day.units for key in unit.shifts}
    if shift not in known:
        there = "、".join(sorted(known))
        raise ApiError(
            404, "unknown_shift", f"没有班次 {shift}，有：{there}", f"there is no shift {shift}, but {there}", "shift"
        )


def _sees(whole: Catalogue, seen: Catalogue) -> Callable[[UnitDay], bool]:
    """Whether a unit's figures are in sight. Of what the site has no more only who sees all of it knows."""

    @cache
    def sees(unit: str, equipment: tuple[str, ...]) -> bool:
        return in_sight(whole, seen, unit, equipment)

    return lambda unit: sees(unit.id, unit.equipment)


def _version(day: date) -> Version:
    return standard().at(day) or standard().versions[0]


def _trouble(where: Place, catalogue: Catalogue) -> list[dict[str, str]]:
    return [{"zh": zh, "en": en} for zh, en in trouble(where, catalogue.site.code)]


def _period(
    catalogue: Catalogue,
    name: str,
    own: Sequence[date],
    kept: dict[date, Kept],
    seen: dict[date, MineDay],
) -> dict[str, Any]:
    there = [seen[day] for day in own if day in seen]
    version = _version(own[-1])
    found = period(Mine(catalogue.site.code, catalogue.site.name), own, daily(there), version)
    units = over(there)
    faces = {unit.id: unit.name for unit in units if unit.category == FACE}
    made = [kept[day] for day in own if day in kept]
    whole = catalogue.scope.everything
    whole_month = {(day.year, day.month) for day in own}
    return {
        "period": name,
        "first": own[0].isoformat(),
        "last": own[-1].isoformat(),
        "days": len(own),
        "missing": found.missing,
        **_made(made),
        "rate": found.figure.rate,
        "least": found.figure.least,
        "most": found.figure.most,
        "coverage": found.figure.coverage,
        # A target is the mine's: a part of it neither meets nor misses one.
        "standing": str(found.figure.standing) if whole else PART,
        "below": list(found.figure.below) if whole else [],
        "absent": list(found.figure.absent),
        "idle": list(found.figure.idle),
        "doubtful": list(found.figure.doubtful),
        "why": [asdict(each) | {"reason": str(each.reason)} for each in found.why] if whole else [],
        "why_words": asdict(whys(version, found.why if whole else ())),
        "rules": sorted({each.versions.rules for each in made}),
        "sites": sorted({each.versions.site for each in made}),
        "categories": [
            _category(key, own_figure, version, [unit for unit in units if unit.category == key])
            for key, own_figure in found.figure.categories.items()
        ],
        "normalised": [
            asdict(each) | {"name": asdict(faces[each.unit]), "met": each.met} for each in normalised(there, version)
        ]
        if len(whole_month) == 1
        else [],
    }


def _made(kept: Iterable[Kept]) -> dict[str, Any]:
    """Whether one of the days was not over, and when the newest was made."""
    made = list(kept)
    at = max((each.made_at for each in made), default=None)
    return {"provisional": any(each.provisional for each in made), "made_at": at}


def _category(key: str, own: Figure, version: Version, units: Iterable[UnitDay]) -> dict[str, Any]:
    of = version.categories[key]
    many = list(units)
    facts = {"key": key, "name": {"zh": of.name.zh, "en": of.name.en}, "weight": of.weight, "units": len(many)}
    return facts | _figure(own, version, output(many))


def _figure(own: Figure, version: Version, made: Output | None) -> dict[str, Any]:
    return {
        "rate": own.rate,
        "least": own.least,
        "most": own.most,
        "coverage": own.coverage,
        "assessable": own.assessable(version.coverage),
        "seconds": {
            "calendar": own.calendar / 1e6,
            "available": (own.calendar - own.excluded) / 1e6,
            "excluded": own.excluded / 1e6,
            "excluded_producing": (own.excluded_intelligent + own.excluded_by_hand) / 1e6,
            "excluded_by_hand": own.excluded_by_hand / 1e6,
            "producing": own.producing / 1e6,
            "intelligent": own.intelligent / 1e6,
            "by_hand": own.by_hand / 1e6,
            "idle": own.idle / 1e6,
            "open": own.open / 1e6,
            "blind": (own.blind + own.blind_by_hand) / 1e6,
        },
        "output": None if made is None else asdict(made) | {"rate": made.rate},
    }


def _unit(unit: UnitDay, version: Version) -> dict[str, Any]:
    category = version.categories.get(unit.category)
    words = {clause.key: clause.otherwise for clause in category.clauses()} if category is not None else {}
    own = unit.figure

    def said(clause: str) -> dict[str, str]:
        if clause == UNKNOWN:
            return {"zh": "数据缺失或不良，无法判定", "en": "data lacks or is bad: nobody knows"}
        return {"zh": words[clause].zh, "en": words[clause].en} if clause in words else {"zh": clause, "en": clause}

    return {
        "day": None,
        "provisional": None,
        "category": unit.category,
        "id": unit.id,
        "name": asdict(unit.name),
        "equipment": list(unit.equipment),
        "lacks": list(unit.lacks),
        "reasons": [
            {"clause": clause, "words": said(clause), "seconds": us / 1e6}
            for clause, us in sorted(own.reasons.items(), key=lambda each: -each[1])
        ],
        "shifts": {key: figure.rate for key, figure in sorted(unit.shifts.items())},
        **_figure(own, version, output([unit])),
    }


def _revision(kept: Kept) -> dict[str, Any]:
    return {
        "day": kept.day.isoformat(),
        "section": kept.section,
        "revision": kept.revision,
        "provisional": kept.provisional,
        "made": times.iso(kept.made_at),
        "made_us": kept.made_at,
        "superseded": None if kept.superseded_at is None else times.iso(kept.superseded_at),
        "superseded_us": kept.superseded_at,
        "rules": kept.versions.rules,
        "rules_digest": kept.versions.rules_digest,
        "site": kept.versions.site,
        "program": kept.versions.program,
        "digest": kept.digest,
    }
