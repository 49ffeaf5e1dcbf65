"""`/api/v1/alarms`: what is wrong now, the journal of what happened, and what people do about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from middleplatform.alarms import book
from middleplatform.alarms.groups import urgency
from middleplatform.alarms.performance import performance
from middleplatform.api import times
from middleplatform.api.alarm_board import board, how_now, members, standing
from middleplatform.api.alarm_choice import standing as choice
from middleplatform.api.alarm_reach import alarm_seen, done, telling_of, told
from middleplatform.api.alarm_schemas import (
    AlarmFacts,
    AlarmList,
    AlarmsQuery,
    Groups,
    GroupsQuery,
    Number,
    Performance,
    PerformanceQuery,
)
from middleplatform.api.alarm_sight import sees
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
    where = request.app.state.database
    telling = telling_of(request.app.state, catalogue)
    fits = choice(asked, catalogue, telling)

    def look() -> dict[str, Any]:
        seen = sees(catalogue)
        known = [
            each for each in book.alarms_of(where, catalogue.site.code, resting=asked.resting) if seen(each.subject)
        ]
        found = sorted((each for each in known if fits(each)), key=urgency)
        if asked.group is not None:
            found = members(catalogue, telling, found, asked.group)
        page = found[asked.offset : asked.offset + asked.limit]
        nameable = {each.id for each in known}.__contains__
        values = book.raised_values(where, [each.id for each in page])
        facts = [telling.facts(each, nameable, values.get(each.id)) for each in page]
        return {"total": len(found), "offset": asked.offset, **standing(request.app.state, known), "alarms": facts}

    return Json(await done(look))


@router.get(
    "/groups",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(Groups, 400, 401, 403, 404),
)
async def groups(request: Request, catalogue: Seen, asked: Annotated[GroupsQuery, Query()]) -> Json:
    """成组的报警：原因及其后果、同类 · Each cause with its consequences, and what is alike, as one."""
    fits = choice(asked, catalogue, telling_of(request.app.state, catalogue))
    return Json(await done(lambda: board(request.app.state, catalogue, fits, asked.offset, asked.limit)))


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
        found = performance(where, mine, begin, end, how_now(catalogue.site), now=now, among=among)
        telling = telling_of(request.app.state, catalogue)
        for those in (found["top_ten"], found["stale"]["alarms"], found["chattering"]):
            for each in those:
                each.update(telling.called(each["rule"], each["subject"]))
        return found

    return Json(await done(look))


@router.get(
    "/{alarm}",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404),
)
async def one_alarm(request: Request, catalogue: Seen, alarm: Number) -> Json:
    """一条报警 · One alarm as it is now."""
    return await told(request, catalogue, await alarm_seen(request, catalogue, alarm))
