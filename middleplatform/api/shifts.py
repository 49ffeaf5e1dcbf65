"""`/api/v1/shifts`: the shift log, and hand-overs that two people sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.manual_schemas import Strict
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Asked
from middleplatform.shifts import book
from middleplatform.shifts.book import LONGEST, Entry, Handover, ShiftError
from middleplatform.shifts.open_things import open_things
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
    """`subject`: the path that it is about, or ""; `corrects`: the entry that it corrects. Times µs UTC."""

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
    """`open`: alarms, tickets, runs and rotations that were open when it was offered, as far as the caller may see
    them. Times µs UTC."""

    id: int
    mine: str
    day: str
    shift: str
    at: int
    time: str
    goes: str
    words: str
    open: dict[str, list[dict[str, Any]]]
    state: str
    comes: str
    taken: int | None
    remarks: str


class HandoverList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    handovers: list[HandoverFacts]
    next: int | None


class EntryGiven(Strict):
    words: str = Field(min_length=1, max_length=LONGEST)
    point: str | None = Field(None, max_length=140)
    equipment: str | None = Field(None, max_length=140)
    corrects: int | None = Field(None, ge=1, le=2**31 - 1)


class Said(Strict):
    words: str = Field("", max_length=LONGEST)


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
    shown = [_entry(each) for each in found if sees([each.subject] if each.subject else [])]
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
    return Json(_entry(found), 201)


@router.get("/handovers", dependencies=READ, response_class=Json, responses=answers(HandoverList, 400, 401, 403))
async def list_handovers(request: Request, catalogue: Seen, asked: Annotated[PageQuery, Query()]) -> Json:
    """交接班，最新在前 · Hand-overs, the newest first."""
    mine, where, sees = catalogue.site.code, request.app.state.database, _sees(request, catalogue)
    found = await anyio.to_thread.run_sync(lambda: book.listed(where, mine, before=asked.before, limit=asked.limit))
    more = found[-1].id if len(found) == asked.limit else None
    return Json({"handovers": [_handover(each, sees) for each in found], "next": more})


@router.post(
    "/handovers",
    status_code=201,
    dependencies=WRITE,
    response_class=Json,
    responses={201: {"model": HandoverFacts}, **refusals(400, 401, 403, 409)},
)
async def offer(request: Request, asker: Asker, catalogue: Seen, given: Said) -> Json:
    """交班：交班人签字，列出未了事项 · Hand over: the one who goes signs, with what is open."""
    where, by, now = request.app.state.database, person(asker), times.now_us()
    mine, turn = catalogue.site.code, turn_at(catalogue.site, now)

    def work() -> Handover:
        return book.offer(where, mine, turn, by, given.words, open_things(where, mine, now))

    return await _done(request, catalogue, work, 201)


@router.get(
    "/handovers/{handover}", dependencies=READ, response_class=Json, responses=answers(HandoverFacts, 401, 403, 404)
)
async def one_handover(request: Request, catalogue: Seen, handover: Number) -> Json:
    """一次交接班 · One hand-over."""
    where, mine = request.app.state.database, catalogue.site.code
    return await _done(request, catalogue, lambda: book.find(where, mine, handover))


@router.post(
    "/handovers/{handover}/take",
    dependencies=WRITE,
    response_class=Json,
    responses=answers(HandoverFacts, 400, 401, 403, 404, 409),
)
async def take(request: Request, asker: Asker, catalogue: Seen, handover: Number, given: Said) -> Json:
    """接班：接班人签字（不能是交班人）· Take over: the one who comes signs, and is another person."""
    where, mine, by = request.app.state.database, catalogue.site.code, person(asker)
    return await _done(request, catalogue, lambda: book.take(where, mine, handover, by, given.words))


@router.post(
    "/handovers/{handover}/withdraw",
    dependencies=WRITE,
    response_class=Json,
    responses=answers(HandoverFacts, 401, 403, 404, 409),
)
async def withdraw(request: Request, asker: Asker, catalogue: Seen, handover: Number) -> Json:
    """撤回自己的交班 · Take an own offer back."""
    where, mine, by = request.app.state.database, catalogue.site.code, person(asker)
    return await _done(request, catalogue, lambda: book.withdraw(where, mine, handover, by))


async def _done(request: Request, catalogue: Catalogue, work: Callable[[], Handover], status: int = 200) -> Json:
    try:
        found = await anyio.to_thread.run_sync(work)
    except ShiftError as error:
        raise _refusal(error) from None
    return Json(_handover(found, _sees(request, catalogue)), status)


Sees = Callable[[list[str]], bool]


def _sees(request: Request, catalogue: Catalogue) -> Sees:
    """Whether all of these paths are within what the caller may see."""
    site = catalogue.site
    if site is request.app.state.catalogue.site:
        return lambda paths: True
    seen = {point.path for point in site.points} | {f"{site.code}/{name}" for name in site.equipment}
    return seen.issuperset


def _entry(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "time": times.iso(entry.at)}


def _handover(found: Handover, sees: Sees) -> dict[str, Any]:
    open_ = {kind: [each for each in things if sees(each["subjects"])] for kind, things in found.open.items()}
    return {**asdict(found), "open": open_, "time": times.iso(found.at)}


_STATUS = {
    "unknown_handover": 404,
    "unknown_entry": 404,
    "own_handover": 409,
    "not_own_handover": 409,
    "invalid_words": 400,
}


def _refusal(error: ShiftError) -> ApiError:
    return ApiError(_STATUS.get(error.code, 409), error.code, error.zh, error.en)
