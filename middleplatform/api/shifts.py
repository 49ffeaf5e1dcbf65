"""`/api/v1/shifts`: the shift log, and hand-overs that two people sign."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.hanging import hanging
from middleplatform.api.latches import latched
from middleplatform.api.manual_schemas import Plain, Strict
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Asked
from middleplatform.api.unknown import unsettled
from middleplatform.shifts import book, seeing
from middleplatform.shifts.book import LONGEST, Entry, Handover, ShiftError, State
from middleplatform.shifts.open_things import UNANSWERED, Things, changed, left_out, listed, open_things
from middleplatform.shifts.turn import turn_at

router = APIRouter(prefix="/shifts", tags=["control"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="交班编号 · the hand-over's number")]
READ, WRITE = [needs("shift.read")], [needs("shift.write")]


class Words(BaseModel):
    zh: str
    en: str


class ShiftFacts(BaseModel):
    """The shift of now; `day`: the local date on which it began. Times µs UTC."""

    day: str
    name: Words
    start: int
    end: int


class EntryFacts(BaseModel):
    """`subject`: the path that it is about, or ""; `corrects`: the entry that it corrects; `time`: by the mine's
    clock, as `day` and `shift` are. Times µs UTC."""

    id: int
    mine: str
    day: str
    shift: str
    at: int
    time: str
    who: str
    subject: str
    words: str
    corrects: int | None


class EntryList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    now: ShiftFacts
    entries: list[EntryFacts]
    next: int | None


class HandoverFacts(BaseModel):
    """`open`: alarms, tickets, runs, rotations, tags, latched linkages and unknown commands that were open when it was
    offered, as far as the caller may see them; `unanswered`: gateways that could not say which tags hang and which
    linkages are latched; `left_out`: kind → how many more were open
    than `open` tells, of the whole mine; `changed`: what has `appeared` and is `gone` since then, when it is looked at
    before it is taken, and when it is taken; `time`: by the mine's clock. Times µs UTC."""

    id: int
    mine: str
    day: str
    shift: str
    at: int
    time: str
    goes: str
    words: str
    open: dict[str, list[dict[str, Any]]]
    unanswered: list[str]
    left_out: dict[str, int]
    changed: dict[str, dict[str, list[dict[str, Any]]]] | None
    state: str
    comes: str
    taken: int | None
    remarks: str


class OpenFacts(BaseModel):
    """As of a hand-over; `hidden`: how much more is open that the caller may not see. Such a one signs nothing."""

    open: dict[str, list[dict[str, Any]]]
    unanswered: list[str]
    left_out: dict[str, int]
    hidden: int


class HandoverList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    handovers: list[HandoverFacts]
    next: int | None


class EntryGiven(Strict):
    words: Annotated[str, Field(min_length=1, max_length=LONGEST), Plain]
    point: str | None = Field(None, max_length=140)
    equipment: str | None = Field(None, max_length=140)
    corrects: int | None = Field(None, ge=1, le=2**31 - 1)


class Said(Strict):
    words: Annotated[str, Field(max_length=LONGEST), Plain] = ""


class LogQuery(Asked):
    day: str = Field("", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    shift: str = Field("", max_length=60, description="班次中文名 · the shift's Chinese name")
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


class PageQuery(Asked):
    limit: int = Field(50, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


@router.get("/log", dependencies=READ, response_class=Json, responses=answers(EntryList, 400, 401, 403))
async def read_log(request: Request, catalogue: Seen, asked: Annotated[LogQuery, Query()]) -> Json:
    """值班日志，最新在前 · The shift log, the newest first, and the shift of now."""
    mine, where, sees = catalogue.site.code, request.app.state.database, _sees(request, catalogue)

    def look() -> list[Entry]:
        return book.entries(where, mine, day=asked.day, shift=asked.shift, before=asked.before, limit=asked.limit)

    found = await anyio.to_thread.run_sync(look)
    now = turn_at(catalogue.site, times.now_us())
    facts = {"day": now.day.isoformat(), "name": asdict(now.name), "start": now.start, "end": now.end}
    more = found[-1].id if len(found) == asked.limit else None
    zone = _zone(catalogue)
    shown = [_entry(each, zone) for each in found if not each.subject or sees([each.subject])]
    return Json({"now": facts, "entries": shown, "next": more})


@router.post(
    "/log",
    status_code=201,
    dependencies=WRITE,
    response_class=Json,
    responses={201: {"model": EntryFacts}, **refusals(400, 401, 403, 404)},
)
async def write_log(request: Request, asker: Asker, catalogue: Seen, given: EntryGiven) -> Json:
    """记一条值班日志；不可修改，只能更正 · Write an entry into the log of the shift of now: it is never changed."""
    subject = ""
    if given.point:
        subject = catalogue.points[int(catalogue.resolve([given.point], 1)[0])].path
    elif given.equipment:
        subject = catalogue.equipment_path(given.equipment)
    where, by, turn = request.app.state.database, person(asker), turn_at(catalogue.site, times.now_us())
    mine = catalogue.site.code
    try:
        found = await anyio.to_thread.run_sync(
            lambda: book.write(where, mine, turn, by, given.words, subject, given.corrects)
        )
    except ShiftError as error:
        raise _refusal(error) from None
    return Json(_entry(found, _zone(catalogue)), 201)


@router.get("/open", dependencies=READ, response_class=Json, responses=answers(OpenFacts, 401, 403))
async def open_now(request: Request, catalogue: Seen) -> Json:
    """现在的未了事项：交班时将列出 · What is open now, as a hand-over would list it."""
    things, sees = await _open_now(request), _sees(request, catalogue)
    shown = {kind: [each for each in those if sees(each["subjects"])] for kind, those in listed(things).items()}
    return Json(
        {
            "open": shown,
            "unanswered": [each["id"] for each in things.get(UNANSWERED, ())],
            "left_out": left_out(things),
            "hidden": seeing.hidden(things, sees),
        }
    )


@router.get("/handovers", dependencies=READ, response_class=Json, responses=answers(HandoverList, 400, 401, 403))
async def list_handovers(request: Request, catalogue: Seen, asked: Annotated[PageQuery, Query()]) -> Json:
    """交接班，最新在前 · Hand-overs, the newest first."""
    mine, where, sees = catalogue.site.code, request.app.state.database, _sees(request, catalogue)
    found = await anyio.to_thread.run_sync(lambda: book.listed(where, mine, before=asked.before, limit=asked.limit))
    more = found[-1].id if len(found) == asked.limit else None
    zone = _zone(catalogue)
    return Json({"handovers": [_handover(each, sees, zone) for each in found], "next": more})


@router.post(
    "/handovers",
    status_code=201,
    dependencies=WRITE,
    response_class=Json,
    responses={201: {"model": HandoverFacts}, **refusals(400, 401, 403, 409)},
)
async def offer(request: Request, asker: Asker, catalogue: Seen, given: Said) -> Json:
    """交班：交班人签字，列出未了事项 · Hand over: the one who goes signs, with what is open."""
    where, by = request.app.state.database, person(asker)
    site = request.app.state.catalogue.site
    turn, things, sees = turn_at(site, times.now_us()), await _open_now(request), _sees(request, catalogue)

    def work() -> Handover:
        seeing.check_whole(things, sees)
        return book.offer(where, site.code, turn, by, given.words, things)

    return _told(request, catalogue, await _done(request, catalogue, work), status=201)


@router.get(
    "/handovers/{handover}", dependencies=READ, response_class=Json, responses=answers(HandoverFacts, 401, 403, 404)
)
async def one_handover(request: Request, catalogue: Seen, handover: Number) -> Json:
    """一次交接班 · One hand-over, and what has changed since it was offered while it waits to be taken."""
    where, mine = request.app.state.database, catalogue.site.code
    found = await _done(request, catalogue, lambda: book.find(where, mine, handover))
    if found.state is not State.OFFERED:
        return _told(request, catalogue, found)
    return _told(request, catalogue, found, await _open_now(request))


@router.post(
    "/handovers/{handover}/take",
    dependencies=WRITE,
    response_class=Json,
    responses=answers(HandoverFacts, 400, 401, 403, 404, 409),
)
async def take(request: Request, asker: Asker, catalogue: Seen, handover: Number, given: Said) -> Json:
    """接班：接班人签字（不能是交班人）· Take over: the one who comes signs, and is another person."""
    where, mine, by = request.app.state.database, catalogue.site.code, person(asker)
    sees, things = _sees(request, catalogue), await _open_now(request)

    def work() -> Handover:
        for each in (book.find(where, mine, handover).open, things):  # the one is what it was when it was offered
            seeing.check_whole(each, sees)
        return book.take(where, mine, handover, by, given.words)

    return _told(request, catalogue, await _done(request, catalogue, work), things)


@router.post(
    "/handovers/{handover}/withdraw",
    dependencies=WRITE,
    response_class=Json,
    responses=answers(HandoverFacts, 401, 403, 404, 409),
)
async def withdraw(request: Request, asker: Asker, catalogue: Seen, handover: Number) -> Json:
    """撤回自己的交班 · Take an own offer back."""
    where, mine, by = request.app.state.database, catalogue.site.code, person(asker)
    found = await _done(request, catalogue, lambda: book.withdraw(where, mine, handover, by))
    return _told(request, catalogue, found)


async def _done(request: Request, catalogue: Catalogue, work: Callable[[], Handover]) -> Handover:
    try:
        return await anyio.to_thread.run_sync(work)
    except ShiftError as error:
        raise _refusal(error) from None


def _told(
    request: Request, catalogue: Catalogue, found: Handover, now: Things | None = None, status: int = 200
) -> Json:
    """`now`: what is open now, where it is told what has changed."""
    return Json(_handover(found, _sees(request, catalogue), _zone(catalogue), now), status)


async def _open_now(request: Request) -> Things:
    """What is open in the whole mine."""
    site, where = request.app.state.catalogue.site, request.app.state.database
    bus = request.app.state.bus
    tags, latches = await asyncio.gather(hanging(bus, site.code, site.gateways()), latched(bus, site))

    def look() -> Things:
        now, told = times.now_us(), {point.path for point in site.points if point.writable}
        return open_things(where, site, now, tags, latches, unsettled(where, told, now))

    return await anyio.to_thread.run_sync(look)


Sees = Callable[[Sequence[str]], bool]


def _sees(request: Request, catalogue: Catalogue) -> Sees:
    """Whether all of these paths, and at least one, are within what the caller may see."""
    site = catalogue.site
    if site is request.app.state.catalogue.site:
        return lambda paths: True
    seen = {point.path for point in site.points} | {f"{site.code}/{name}" for name in site.equipment}
    return lambda paths: bool(paths) and seen.issuperset(paths)


def _zone(catalogue: Catalogue) -> ZoneInfo:
    return ZoneInfo(catalogue.site.time_zone)


def _entry(entry: Entry, zone: ZoneInfo) -> dict[str, Any]:
    return {**asdict(entry), "time": times.local(entry.at, zone)}


def _handover(found: Handover, sees: Sees, zone: ZoneInfo, now: Things | None = None) -> dict[str, Any]:
    def seen(kinds: Things) -> dict[str, Any]:
        return {kind: [each for each in things if sees(each["subjects"])] for kind, things in kinds.items()}

    since = None if now is None else {side: seen(kinds) for side, kinds in changed(found.open, now).items()}
    return {
        **asdict(found),
        "open": seen(listed(found.open)),
        "unanswered": [each["id"] for each in found.open.get(UNANSWERED, ())],
        "left_out": left_out(found.open),
        "changed": since,
        "time": times.local(found.at, zone),
    }


_STATUS = {
    "unknown_handover": 404,
    "unknown_entry": 404,
    "own_handover": 409,
    "not_own_handover": 409,
    "invalid_words": 400,
}


def _refusal(error: ShiftError) -> ApiError:
    return ApiError(_STATUS.get(error.code, 409), error.code, error.zh, error.en)
