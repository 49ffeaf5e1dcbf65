"""`/api/v1/alarms`: what is wrong now, the journal of what happened, and what people do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import APIRouter, Path, Query, Request

from middleplatform.alarms import acts, book
from middleplatform.alarms.condition import Alarm, AlarmError, State, Suppression
from middleplatform.api import times
from middleplatform.api.alarm_schemas import (
    Acknowledged,
    AlarmFacts,
    AlarmList,
    AlarmsQuery,
    Handled,
    HandlingFacts,
    Journal,
    JournalQuery,
    Lifted,
    Noted,
    Shelved,
    Silenced,
)
from middleplatform.api.alarm_sight import Telling, check_area, sees
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers, refusals

router = APIRouter(prefix="/alarms", tags=["alarms"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="报警编号 · the alarm's number")]
T = TypeVar("T")
_ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED})
_UNACKNOWLEDGED = frozenset({State.UNACKNOWLEDGED, State.RETURNED, State.LATCHED})


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
        telling, seen = Telling(site), sees(catalogue)
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
        return {"total": len(found), "offset": asked.offset, "counts": counts(known), "alarms": facts}

    return Json(await anyio.to_thread.run_sync(look))


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
        await _seen(request, catalogue, asked.alarm)

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
        return acts.acknowledge(where, mine, given.alarms, by, given.note)

    return Json({"acknowledged": await _done(work)})


@router.get(
    "/{alarm}",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(AlarmFacts, 400, 401, 403, 404),
)
async def one_alarm(request: Request, catalogue: Seen, alarm: Number) -> Json:
    """一条报警 · One alarm as it is now."""
    return await _told(request, catalogue, await _seen(request, catalogue, alarm))


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
    found, where, by = await _seen(request, catalogue, alarm), request.app.state.database, person(asker)
    await _done(lambda: acts.reset(where, catalogue.site.code, found.id, by, given.note))
    return await _told(request, catalogue, await _seen(request, catalogue, alarm))


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
    """填写处置记录：原因与措施 · Write down why it came to a raise and what was done."""
    mine, where, by = catalogue.site.code, request.app.state.database, person(asker)

    def work() -> dict[str, Any]:
        found = book.entries(where, mine, before=raised + 1, limit=1)
        named = book.subjects_of(where, mine)
        if not found or found[0].number != raised or not sees(catalogue)(named[found[0].alarm][1]):
            raise AlarmError("unknown_raise", f"没有编号 {raised} 的报警记录", f"the journal has no raise {raised}")
        return asdict(acts.handle(where, mine, raised, given.cause, given.measure, by))

    return Json(await _done(work), 201)


def counts(known: Sequence[Alarm]) -> dict[str, Any]:
    """What is open, by how urgent it is; what is suppressed is counted apart and in nothing else."""
    heard = [each for each in known if not each.suppressed and each.state is not State.NORMAL]
    priorities = Counter(str(each.priority) for each in heard)
    return {
        "open": len(heard),
        "unacknowledged": sum(each.state in _UNACKNOWLEDGED for each in heard),
        "active": sum(each.state in _ACTIVE for each in heard),
        "suppressed": sum(bool(each.suppressed) for each in known),
        "priorities": dict(sorted(priorities.items())),
    }


async def _seen(request: Request, catalogue: Catalogue, number: int) -> Alarm:
    """An alarm in the caller's scope; any other does not exist. Raises ApiError 404."""

    def look() -> Alarm:
        found = book.find(request.app.state.database, catalogue.site.code, number)
        if not sees(catalogue)(found.subject):
            raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
        return found

    return await _done(look)


async def _told(request: Request, catalogue: Catalogue, alarm: Alarm) -> Json:
    def look() -> dict[str, Any]:
        named, seen = book.subjects_of(request.app.state.database, catalogue.site.code), sees(catalogue)
        return Telling(catalogue.site).facts(alarm, lambda number: number in named and seen(named[number][1]))

    return Json(await anyio.to_thread.run_sync(look))


async def _suppress(
    request: Request, asker: Asker, catalogue: Catalogue, alarm: int, kind: Suppression, given: Silenced
) -> Json:
    found, where, by = await _seen(request, catalogue, alarm), request.app.state.database, person(asker)
    end = None if given.end is None else _end(given.end)
    asked = (where, catalogue.site.code, found.id, kind, by, given.reason, end, given.ticket)
    await _done(lambda: acts.suppress(*asked))
    return await _told(request, catalogue, await _seen(request, catalogue, alarm))


async def _unsuppress(request: Request, asker: Asker, catalogue: Catalogue, alarm: int, kind: Suppression) -> Json:
    found, where, by = await _seen(request, catalogue, alarm), request.app.state.database, person(asker)
    await _done(lambda: acts.unsuppress(where, catalogue.site.code, found.id, kind, by))
    return await _told(request, catalogue, await _seen(request, catalogue, alarm))


def _end(text: str) -> int:
    """A time, or how long from now, as `30m`. Raises ApiError 400."""
    now = times.now_us()
    if text.strip().lower().endswith(("s", "m", "h", "d", "w")) and not text.startswith("-"):
        return now + times.parse_duration(text, "end")
    return times.parse_time(text, now, "end")


async def _done(work: Callable[[], T]) -> T:
    try:
        return await anyio.to_thread.run_sync(work)
    except AlarmError as error:
        raise ApiError(_STATUS.get(error.code, 400), error.code, error.zh, error.en) from None


_STATUS = {
    "unknown_alarm": 404,
    "unknown_raise": 404,
    "unknown_ticket": 404,
    "statutory_alarm": 409,
    "suppressed_already": 409,
    "not_suppressed": 409,
    "not_latched": 409,
    "still_active": 409,
}
