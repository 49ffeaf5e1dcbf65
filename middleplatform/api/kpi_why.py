"""`/api/v1/kpi/intervals` and `/api/v1/kpi/why`: a unit's figure opened down to its intervals, and each of these down
to the values that decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.kpi_sight import in_sight
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.kpi.evidence import UnitSpans
from middleplatform.kpi.opened import Opened, decided, opened, site_then
from middleplatform.kpi.reading import Reader
from middleplatform.store.client import StoreError
from models.kpi import exclusions
from models.kpi.calendar import day_of
from models.site.model import Name, Site
from models.utilisation.answer import told
from models.utilisation.figure import TIMES
from models.utilisation.why import Counted, Interval, added
from models.utilisation.witness import Event, Missing, Moves, Value, Witness
from models.words import halves

router = APIRouter(prefix="/kpi", tags=["kpi"])

Unit = Annotated[str, Field(min_length=1, max_length=100, description="单元，如 belt_101 · a unit's own id")]
Category = Annotated[
    str | None, Field(min_length=1, max_length=40, description="类别 · its category, where two share it")
]
Revision = Annotated[int | None, Field(ge=1, le=2**31 - 1, description="修订号，缺省为最新 · by default the newest")]


class IntervalsQuery(Asked):
    unit: Unit
    category: Category = None
    day: date = Field(description="矿井日 · a day of the mine, as 2026-03-02")
    shift: str = Field("", pattern=r"^([0-9]{1,2}|rest)?$", description="班次序号 · a shift's number, or rest")
    revision: Revision = None
    counted: Counted | None = None
    limit: int = Field(1_000, ge=1, le=10_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class WhyQuery(Asked):
    unit: Unit
    category: Category = None
    at: str = Field(max_length=60, description="时刻 · -10m, ISO 8601 with zone, or µs since 1970")
    revision: Revision = None


class IntervalFacts(BaseModel):
    """[start, end) µs UTC, `start_time` and `end_time` by the mine's clock. `counted`: as what; `clause`: the rule
    that decided, by its key, null where all held or none was asked; `unsure`: so near to a change, or entered by
    a person, that it may have been otherwise; `words`: why."""

    start: int
    end: int
    start_time: str
    end_time: str
    seconds: float
    counted: str
    clause: str | None
    unsure: bool
    words: Words


class Made(BaseModel):
    """Of which day and revision, and by which versions it was made."""

    mine: str
    day: date
    revision: int
    provisional: bool
    made_at: int
    rules: str
    site: str
    category: str
    unit: str
    name: Words


class Intervals(Made):
    """`figure`: µs that all intervals of the unit add up to, with `reasons`; `lacks`: clauses that can never be known
    of it; `total`: intervals that fit, `next`: the `offset` of the next page, null at the end."""

    start: int
    end: int
    figure: dict[str, Any]
    lacks: list[str]
    total: int
    next: int | None
    intervals: list[IntervalFacts]


class WitnessFacts(BaseModel):
    """What decided, in words. `kind`: value, missing, moves, event; `at`: the instant that was looked at, µs UTC. Of a
    value: `point` and `id` open its history; `value` null where nobody knows; `told_at`: its sample's time; `since`:
    since when it says the same; `level`, `wanted`: what it is held against. Of moves of supports: how many, and how
    many followed by themselves."""

    kind: str
    words: Words
    at: int | None = None
    point: str | None = None
    id: str | None = None
    value: float | None = None
    told_at: int | None = None
    good: bool | None = None
    since: int | None = None
    holds: bool | None = None
    level: float | None = None
    wanted: list[int] | None = None
    count: int | None = None
    automatic: int | None = None
    share: float | None = None
    points: list[str] | None = None


class TicketWords(BaseModel):
    ticket: int
    cause: str
    words: Words


class Why(Made):
    """`witnesses`: the values that decided, as the store holds them now; `incomplete`: the store is away, so that there
    are none; `tickets`: those that leave the instant out."""

    at: int
    time: str
    interval: IntervalFacts
    witnesses: list[WitnessFacts]
    tickets: list[TicketWords]
    incomplete: bool


@router.get(
    "/intervals",
    dependencies=[needs("kpi.read")],
    response_class=Json,
    responses=answers(Intervals, 400, 401, 403, 404, 409),
)
async def intervals(request: Request, catalogue: Seen, asked: Annotated[IntervalsQuery, Query()]) -> Json:
    """一个单元一天（或其一班）的区间，合计等于其指标 · A unit's intervals of a day, or of one shift of it: together
    they are its figure exactly."""
    day, parts = await _opened(request, catalogue, asked.day, asked.revision, asked.unit, asked.category)
    every = _of_shift(day, day.intervals(parts), asked.shift) if asked.shift else day.intervals(parts)
    fit = [each for each in every if asked.counted in (None, each.counted)]
    page = fit[asked.offset : asked.offset + asked.limit]
    more = asked.offset + len(page)
    figure, zone = added(every), ZoneInfo(catalogue.site.time_zone)
    return Json(
        {
            **_made(day, parts[-1]),
            "start": day.evidence.start,
            "end": day.evidence.end,
            "figure": {**{name: getattr(figure, name) for name in TIMES}, "reasons": dict(figure.reasons)},
            "lacks": list(parts[-1].lacks),
            "total": len(fit),
            "next": more if more < len(fit) else None,
            "intervals": [_interval(each, zone) for each in page],
        }
    )


@router.get(
    "/why", dependencies=[needs("kpi.read")], response_class=Json, responses=answers(Why, 400, 401, 403, 404, 409)
)
async def why(request: Request, catalogue: Seen, asked: Annotated[WhyQuery, Query()]) -> Json:
    """为什么这一刻（不）计入 · Why an instant of a unit counts or not: the clause, and the values that decided."""
    whole: Site = request.app.state.catalogue.site
    at = times.parse_time(asked.at, times.now_us(), "at")
    day, parts = await _opened(request, catalogue, day_of(whole, at), asked.revision, asked.unit, asked.category)
    part = next((each for each in parts if each.start <= at < each.end), None)
    interval = next((each for each in day.intervals(parts) if each.start <= at < each.end), None)
    if part is None or interval is None:
        raise ApiError(
            404,
            "no_figures",
            f"{asked.unit} 在该时刻没有指标：当日指标只做到 {times.iso(day.evidence.end)}",
            f"'{asked.unit}' has no figures at that instant: the day was made up to {times.iso(day.evidence.end)}",
            "at",
        )
    then = await anyio.to_thread.run_sync(site_then, request.app.state.database, whole, at)
    found, incomplete = await _witnesses(request, then, day, part, interval, at)
    zone = ZoneInfo(whole.time_zone)
    return Json(
        {
            **_made(day, part),
            "at": at,
            "time": times.local(at, zone),
            "interval": _interval(interval, zone),
            "witnesses": [_witness(each, then, at) for each in found],
            "tickets": [_ticket(each.ticket, each.kind, day) for each in day.tickets(part, at)],
            "incomplete": incomplete,
        }
    )


def _of_shift(day: Opened, every: Sequence[Interval], shift: str) -> list[Interval]:
    """What of the intervals lies in a shift of the day, cut at its ends. Raises ApiError 404."""
    own = [(start, end) for key, start, end in day.evidence.stretches if key == shift]
    if not own:
        there = "、".join(sorted({key for key, *_ in day.evidence.stretches}))
        zh, en = f"当日没有班次 {shift}，有：{there}", f"the day has no shift {shift}, but {there}"
        raise ApiError(404, "unknown_shift", zh, en, "shift")
    return [
        replace(each, start=max(each.start, start), end=min(each.end, end))
        for start, end in own
        for each in every
        if each.start < end and start < each.end
    ]


async def _opened(
    request: Request, catalogue: Catalogue, on: date, revision: int | None, unit: str, category: str | None
) -> tuple[Opened, list[UnitSpans]]:
    """A kept day, and the parts of it of one unit that the caller may see. Raises ApiError 404, 409."""
    whole: Catalogue = request.app.state.catalogue
    known = catalogue.site.equipment.keys() | catalogue.site.chambers.keys()
    if not catalogue.scope.everything and unit not in known:
        raise _unknown(unit)
    try:
        found = await anyio.to_thread.run_sync(opened, request.app.state.database, whole.site.code, on, revision)
    except LookupError as gone:
        said = halves(gone.args[0])
        raise ApiError(409, "rules_gone", said.zh, said.en) from None
    if found is None:
        which = "" if revision is None else f" {revision}"
        raise ApiError(
            404,
            "no_figures",
            f"{on} 没有可展开的指标{which}：由 sevenones figures 生成",
            f"there are no figures{which} of {on} to open: `sevenones figures` makes them",
            "day",
        )
    parts = [each for each in found.of(unit, category) if in_sight(whole, catalogue, each.id, each.equipment)]
    if not parts:
        owning = [each for each in found.evidence.units if unit in each.equipment]
        owners = {each.id for each in owning if in_sight(whole, catalogue, each.id, each.equipment)}
        raise _part(unit, sorted(owners)) if owners - {unit} else _unknown(unit)
    if len({each.category for each in parts}) > 1:
        named = ", ".join(sorted({each.category for each in parts}))
        raise ApiError(
            400,
            "which_category",
            f"“{shown(unit)}”属于多个类别：{named}；请指明 category",
            f"'{shown(unit)}' is of several categories: {named}. Name the category",
            "category",
        )
    return found, parts


def _part(unit: str, owners: Sequence[str]) -> ApiError:
    """Of a machine that has no figures of its own."""
    named = ", ".join(owners)
    zh = f"“{shown(unit)}”不单独计量，属于单元 {named}：请查询该单元"
    en = f"'{shown(unit)}' has no figures of its own: it is a part of {named}. Ask for that"
    return ApiError(404, "part_of_unit", zh, en, "unit")


def _unknown(unit: str) -> ApiError:
    zh, en = f"没有单元“{shown(unit)}”的指标", f"there are no figures of a unit '{shown(unit)}'"
    return ApiError(404, "unknown_unit", zh, en, "unit")


async def _witnesses(
    request: Request, then: Site, day: Opened, part: UnitSpans, interval: Interval, at: int
) -> tuple[tuple[Witness, ...], bool]:
    try:
        where = request.app.state.database
        asking = partial(decided, site=then, rules=day.evidence.rules, part=part, interval=interval, at=at, where=where)
        return await request.app.state.door.ask(lambda store: asking(Reader(store))), False
    except (ApiError, StoreError):
        return (), True


def _made(day: Opened, part: UnitSpans) -> dict[str, Any]:
    return {
        "mine": day.evidence.mine,
        "day": day.evidence.day,
        "revision": day.kept.revision,
        "provisional": day.kept.provisional,
        "made_at": day.kept.made_at,
        "rules": day.evidence.rules,
        "site": day.evidence.site,
        "category": part.category,
        "unit": part.id,
        "name": part.name.words(),
    }


def _interval(interval: Interval, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "start": interval.start,
        "end": interval.end,
        "start_time": times.local(interval.start, zone),
        "end_time": times.local(interval.end, zone),
        "seconds": interval.us / 1e6,
        "counted": interval.counted,
        "clause": None if interval.clause is None else interval.clause.key,
        "unsure": interval.unsure,
        "words": interval.words.words(),
    }


def _witness(witness: Witness, site: Site, at: int) -> dict[str, Any]:
    words = told(witness, site, at).words()
    match witness:
        case Value():
            point = {"point": witness.point.path, "id": str(witness.point.id)}
            names = ("at", "value", "told_at", "good", "since", "holds", "level")
            wanted = {"wanted": list(witness.wanted) or None}
            return {"kind": "value", "words": words, **point, **{n: getattr(witness, n) for n in names}, **wanted}
        case Missing():
            return {"kind": "missing", "words": words}
        case Moves():
            names = ("at", "count", "automatic", "share", "unsure")
            points = [point.path for point in witness.points]
            return {"kind": "moves", "words": words, **{n: getattr(witness, n) for n in names}, "points": points}
        case Event():
            return {"kind": "event", "words": words, "at": witness.at, "holds": witness.lasted}


def _ticket(number: int, cause: str, day: Opened) -> dict[str, Any]:
    version = exclusions.standard().at(day.evidence.day)
    name = version.causes[exclusions.Cause(cause)].name.resolved()
    words = Name(f"工单 {number}：{name.zh}", f"ticket {number}: {name.en}")
    return {"ticket": number, "cause": cause, "words": words.words()}
