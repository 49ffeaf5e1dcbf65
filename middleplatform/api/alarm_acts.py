"""`/api/v1/alarms/…`: what people do about alarms: acknowledge, shelve, take out of service, reset, handle."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from middleplatform.alarms import acts, book
from middleplatform.alarms.condition import AlarmError, Suppression
from middleplatform.api import times
from middleplatform.api.alarm_reach import alarm_seen, done, may_allow, told
from middleplatform.api.alarm_schemas import (
    Acknowledged,
    AlarmFacts,
    Handled,
    HandlingFacts,
    Lifted,
    Noted,
    Number,
    Shelved,
    Silenced,
)
from middleplatform.api.alarm_sight import sees
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.responses import Json, answers, refusals

router = APIRouter(prefix="/alarms", tags=["alarms"])


@router.post(
    "/acknowledge",
    dependencies=[needs("alarm.act")],
    response_class=Json,
    responses=answers(Lifted, 400, 401, 403, 404),
)
async def acknowledge(request: Request, asker: Asker, catalogue: Seen, given: Acknowledged) -> Json:
    """确认一条或多条 · Acknowledge one or many, with a note; those that were not acknowledged before are answered."""
    mine, where, by = catalogue.site.code, request.app.state.database, person(asker)

    def work() -> list[int]:
        named, seen = book.subjects_of(where, mine), sees(catalogue)
        for number in given.alarms:
            if number not in named or not seen(named[number][1]):
                raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
        seen = None
        if given.seen is not None:
            if len(given.seen) != len(given.alarms):
                raise AlarmError("invalid_seen", "seen 应与 alarms 等长", "'seen' has one time for each of 'alarms'")
            seen = dict(zip(given.alarms, given.seen, strict=True))
        return acts.acknowledge(where, mine, given.alarms, by, given.note, seen)

    return Json({"acknowledged": await done(work)})


@router.post(
    "/{alarm}/shelve",
    dependencies=[needs("alarm.act")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def shelve(request: Request, asker: Asker, catalogue: Seen, alarm: Number, given: Shelved) -> Json:
    """搁置至某时，法定报警除外 · Let it be silent until a time; a statutory alarm never is."""
    asked = Silenced(reason=given.reason, end=given.end)
    return await _suppress(request, asker, catalogue, alarm, Suppression.SHELVED, asked)


@router.post(
    "/{alarm}/unshelve",
    dependencies=[needs("alarm.act")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def unshelve(request: Request, asker: Asker, catalogue: Seen, alarm: Number) -> Json:
    """取消搁置 · Let a shelved alarm speak again."""
    return await _unsuppress(request, asker, catalogue, alarm, Suppression.SHELVED)


@router.post(
    "/{alarm}/out-of-service",
    dependencies=[needs("alarm.suppress")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def out_of_service(request: Request, asker: Asker, catalogue: Seen, alarm: Number, given: Silenced) -> Json:
    """停用（检修） · Take an alarm out of service while work is done."""
    return await _suppress(request, asker, catalogue, alarm, Suppression.OUT_OF_SERVICE, given)


@router.post(
    "/{alarm}/in-service",
    dependencies=[needs("alarm.suppress")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def in_service(request: Request, asker: Asker, catalogue: Seen, alarm: Number) -> Json:
    """恢复使用 · Put it back into service."""
    return await _unsuppress(request, asker, catalogue, alarm, Suppression.OUT_OF_SERVICE)


@router.post(
    "/{alarm}/suppress",
    dependencies=[needs("alarm.suppress")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def suppress(request: Request, asker: Asker, catalogue: Seen, alarm: Number, given: Silenced) -> Json:
    """按设计抑制 · Suppress by design: it says nothing in this state of the plant."""
    return await _suppress(request, asker, catalogue, alarm, Suppression.BY_DESIGN, given)


@router.post(
    "/{alarm}/unsuppress",
    dependencies=[needs("alarm.suppress")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def unsuppress(request: Request, asker: Asker, catalogue: Seen, alarm: Number) -> Json:
    """取消抑制 · End a suppression by design."""
    return await _unsuppress(request, asker, catalogue, alarm, Suppression.BY_DESIGN)


@router.post(
    "/{alarm}/reset",
    dependencies=[needs("alarm.act")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404, 409),
)
async def reset(request: Request, asker: Asker, catalogue: Seen, alarm: Number, given: Noted) -> Json:
    """复位已锁定且已恢复的报警 · Let go of a latched alarm once the process has returned."""
    found, where, by = await alarm_seen(request, catalogue, alarm), request.app.state.database, person(asker)
    await done(lambda: acts.reset(where, catalogue.site.code, found.id, by, given.note))
    return await told(request, catalogue, await alarm_seen(request, catalogue, alarm))


@router.post(
    "/raises/{raised}/handling",
    status_code=201,
    dependencies=[needs("alarm.act")],
    response_class=Json,
    responses={201: {"model": HandlingFacts}, **refusals(400, 401, 403, 404)},
)
async def handling(
    request: Request,
    asker: Asker,
    catalogue: Seen,
    raised: Annotated[int, Path(ge=1, le=2**31 - 1, description="日志编号 · the raise's number in the journal")],
    given: Handled,
) -> Json:
    """填写处置记录：原因、措施、结果 · Write down why it came to a raise, what was done and what came of it."""
    mine, where, by = catalogue.site.code, request.app.state.database, person(asker)

    def work() -> dict[str, Any]:
        found = book.entries(where, mine, before=raised + 1, limit=1)
        named = book.subjects_of(where, mine)
        if not found or found[0].number != raised or not sees(catalogue)(named[found[0].alarm][1]):
            raise AlarmError("unknown_raise", f"没有编号 {raised} 的报警记录", f"the journal has no raise {raised}")
        return asdict(acts.handle(where, mine, raised, given.cause, given.measure, by, given.result))

    return Json(await done(work), 201)


async def _suppress(
    request: Request, asker: Asker, catalogue: Catalogue, alarm: int, kind: Suppression, given: Silenced
) -> Json:
    found, where, by = await alarm_seen(request, catalogue, alarm), request.app.state.database, person(asker)
    end = None if given.end is None else _end(given.end)
    asked = (where, catalogue.site.code, found.id, kind, by, given.reason, end, given.ticket, given.allowed_by)

    def work() -> None:
        if given.allowed_by is not None and not may_allow(where, given.allowed_by):
            raise AlarmError(
                "unknown_approver",
                f"没有可批准的用户 {given.allowed_by}",
                f"no user '{given.allowed_by}' may allow it: name one who may suppress alarms",
            )
        acts.suppress(*asked)

    await done(work)
    return await told(request, catalogue, await alarm_seen(request, catalogue, alarm))


async def _unsuppress(request: Request, asker: Asker, catalogue: Catalogue, alarm: int, kind: Suppression) -> Json:
    found, where, by = await alarm_seen(request, catalogue, alarm), request.app.state.database, person(asker)
    await done(lambda: acts.unsuppress(where, catalogue.site.code, found.id, kind, by))
    return await told(request, catalogue, await alarm_seen(request, catalogue, alarm))


def _end(text: str) -> int:
    """A time, or how long from now, as `30m` or `+30m`. Raises ApiError 400."""
    now, text = times.now_us(), text.strip()
    if text.lower().endswith(("s", "m", "h", "d", "w")) and not text.startswith("-"):
        return now + times.parse_duration(text.removeprefix("+"), "end")
    return times.parse_time(text, now, "end")
