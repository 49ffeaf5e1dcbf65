"""`/api/v1/alarms`: what is wrong now, the journal of what happened, and what people do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request

from middleplatform.alarms import book
from middleplatform.alarms.performance import performance
from middleplatform.api import times
from middleplatform.api.alarm_board import board, how_now, standing
from middleplatform.api.alarm_reach import alarm_seen, done, telling_of, told
from middleplatform.api.alarm_schemas import (
    AlarmFacts,
    AlarmList,
    AlarmsQuery,
    Groups,
    GroupsQuery,
    Journal,
    JournalQuery,
    Number,
    Performance,
    PerformanceQuery,
)
from middleplatform.api.alarm_sight import check_area, sees
from middleplatform.api.auth import Seen, needs
from middleplatform.api.responses import Json, answers

router = APIRouter(prefix="/alarms", tags=["alarms"])


@router.get(
    "",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(AlarmList, 400, 401, 403, 404),
)
async def list_alarms(request: Request, catalogue: Seen, asked: Annotated[AlarmsQuery, Query()]) -> Json:
    """报警，最紧急、最新在前 · The alarms that are not at rest, the most urgent and newest first."""
    site, where = catalogue.site, request.app.state.database
    if asked.area is not None:
        check_area(site, asked.area)
    machine = None if asked.equipment is None else catalogue.equipment_path(asked.equipment).partition("/")[2]

    def look() -> dict[str, Any]:
        telling, seen = telling_of(request.app.state, catalogue), sees(catalogue)
        known = [each for each in book.alarms_of(where, site.code, resting=asked.resting) if seen(each.subject)]
        found = [
            each
            for each in known
            if (not asked.state or each.state == asked.state)
            and (asked.priority is None or each.priority == asked.priority)
            and (not asked.kind or each.kind == asked.kind)
            and (asked.suppressed == "all" or bool(each.suppressed) == (asked.suppressed == "yes"))
            and (machine is None or telling.equipment(each.subject) == machine)
            and (asked.area is None or asked.area in telling.areas(each.subject))
        ]
        page = found[asked.offset : asked.offset + asked.limit]
        nameable = {each.id for each in known}.__contains__
        facts = [telling.facts(each, nameable) for each in page]
        return {"total": len(found), "offset": asked.offset, **standing(request.app.state, known), "alarms": facts}

    return Json(await anyio.to_thread.run_sync(look))


@router.get(
    "/groups",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(Groups, 400, 401, 403, 404),
)
async def groups(request: Request, catalogue: Seen, asked: Annotated[GroupsQuery, Query()]) -> Json:
    """成组的报警：原因及其后果、同类 · Each cause with its consequences, and what is alike, as one."""
    if asked.area is not None:
        check_area(catalogue.site, asked.area)
    return Json(await done(lambda: board(request.app.state, catalogue, asked.area, asked.offset, asked.limit)))


@router.get(
    "/performance",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(Performance, 400, 401, 403),
)
async def figures(request: Request, catalogue: Seen, asked: Annotated[PerformanceQuery, Query()]) -> Json:
    """报警系统指标（ISA-18.2） · Rates, the ten worst, stale ones, floods, priorities, time to acknowledge."""
    mine, where, now = catalogue.site.code, request.app.state.database, times.now_us()
    begin, end = times.parse_range(asked.start, asked.end, now)

    def look() -> dict[str, Any]:
        among, seen = None, sees(catalogue)
        if not catalogue.scope.everything:
            among = [number for number, name in book.subjects_of(where, mine).items() if seen(name[1])]
        return performance(where, mine, begin, end, how_now(), now=now, among=among)

    return Json(await done(look))


@router.get(
    "/journal",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(Journal, 400, 401, 403, 404),
)
async def journal(request: Request, catalogue: Seen, asked: Annotated[JournalQuery, Query()]) -> Json:
    """报警日志，最新在前 · What happened to alarms, newest first, with the handling records of raises."""
    mine, where = catalogue.site.code, request.app.state.database
    within = None
    if asked.start is not None or asked.end is not None:
        within = times.parse_range(asked.start or "0", asked.end or str(times.LATEST), times.now_us())
    if asked.alarm is not None:
        await alarm_seen(request, catalogue, asked.alarm)

    def look() -> dict[str, Any]:
        seen, among = sees(catalogue), None
        if not catalogue.scope.everything:
            among = [number for number, name in book.subjects_of(where, mine).items() if seen(name[1])]
        looked: dict[str, Any] = {"alarm": asked.alarm, "among": among, "within": within}
        found = book.entries(where, mine, **looked, before=asked.before, limit=asked.limit)
        named = book.subjects_of(where, mine)  # after them, so that it knows the newest
        handled: dict[int, list[dict[str, Any]]] = {}
        for start in range(0, len(found), book.MOST):
            for each in book.handlings_of(where, mine, [entry.number for entry in found[start : start + book.MOST]]):
                handled.setdefault(each.raised, []).append(asdict(each))
        entries = [
            {
                **asdict(each),
                "rule": named[each.alarm][0],
                "subject": named[each.alarm][1],
                "time": times.iso(each.ts),
                "handlings": handled.get(each.number, []),
            }
            for each in found
        ]
        return {"entries": entries, "next": found[-1].number if len(found) == asked.limit else None}

    return Json(await anyio.to_thread.run_sync(look))


@router.get(
    "/{alarm}",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404),
)
async def one_alarm(request: Request, catalogue: Seen, alarm: Number) -> Json:
    """一条报警 · One alarm as it is now."""
    return await told(request, catalogue, await alarm_seen(request, catalogue, alarm))
