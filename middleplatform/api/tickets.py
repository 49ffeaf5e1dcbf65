"""`/api/v1/tickets`: exclusions, maintenance and what has to be approved, decided on by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.manual_schemas import Decision, Reason, Strict, Time
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Asked
from middleplatform.kpi import exclusions
from middleplatform.tickets import book
from middleplatform.tickets.book import MOST_NEEDED, Kind, State, Ticket, TicketError
from models.kpi.exclusions import Cause

router = APIRouter(prefix="/tickets", tags=["governance"])

MOST_NAMED = 200
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="工单编号 · the ticket's number")]
Name = Annotated[str, Field(min_length=1, max_length=140)]


class TicketGiven(Strict):
    """`end` null: until it is closed; `needed`: how many have to approve. `excluded_time` leaves time of machines and
    chambers out of the figures: it has a `cause` and an `end`, and keeps within the limits of its cause."""

    kind: Kind
    cause: Cause | None = None
    point: list[Name] = Field([], max_length=MOST_NAMED)
    equipment: list[Name] = Field([], max_length=MOST_NAMED)
    chamber: list[Name] = Field([], max_length=MOST_NAMED)
    start: Time = "now"
    end: Time | None = None
    needed: int = Field(1, ge=1, le=MOST_NEEDED)
    reason: Reason


class DecisionFacts(BaseModel):
    who: str
    approved: bool
    note: str
    at: int


class TicketFacts(BaseModel):
    """`extent`: paths of points, equipment and chambers; `start` to before `end`: when it is to hold; `cause`: of
    excluded time. Times µs UTC; `start_time` and `end_time` by the mine's clock."""

    id: int
    mine: str
    kind: str
    state: str
    reason: str
    extent: list[str]
    start: int
    start_time: str
    end: int | None
    end_time: str | None
    who: str
    at: int
    time: str
    needed: int
    closed_at: int | None
    cause: str | None
    decisions: list[DecisionFacts]


class TicketList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    tickets: list[TicketFacts]
    next: int | None


class TicketsQuery(Asked):
    state: Literal["", "waiting", "approved", "rejected", "withdrawn", "closed"] = ""
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


@router.get(
    "",
    dependencies=[needs("ticket.read")],
    response_class=Json,
    responses=answers(TicketList, 400, 401, 403),
)
async def list_tickets(request: Request, catalogue: Seen, asked: Annotated[TicketsQuery, Query()]) -> Json:
    """工单，最新在前 · Tickets, the newest first: those whose whole extent the caller may see."""
    mine, where = catalogue.site.code, request.app.state.database
    state = State(asked.state) if asked.state else None

    def look() -> list[Ticket]:
        return book.listed(where, mine, state=state, before=asked.before, limit=asked.limit)

    found, seen = await anyio.to_thread.run_sync(look), _seen_by(request, catalogue)
    more = found[-1].id if len(found) == asked.limit else None
    return Json({"tickets": [_facts(catalogue, ticket) for ticket in found if seen(ticket)], "next": more})


@router.post(
    "",
    status_code=201,
    dependencies=[needs("ticket.write")],
    response_class=Json,
    responses={201: {"model": TicketFacts}, **refusals(400, 401, 403, 404)},
)
async def open_ticket(request: Request, asker: Asker, catalogue: Seen, given: TicketGiven) -> Json:
    """开工单 · Ask for something: it holds once as many have approved as it needs."""
    points = catalogue.resolve(given.point, MOST_NAMED).tolist() if given.point else []
    extent = [catalogue.points[index].path for index in points]
    extent += [catalogue.equipment_path(name) for name in given.equipment]
    extent += [_chamber(catalogue, name) for name in given.chamber]
    now = times.now_us()
    start = times.parse_time(given.start, now, "start")
    end = None if given.end is None else times.parse_time(given.end, now, "end")
    mine, where, by = catalogue.site.code, request.app.state.database, person(asker)
    if (given.kind is Kind.EXCLUDED_TIME) != (given.cause is not None):
        raise ApiError(
            400,
            "cause_of_excluded_time",
            "剔除时段（excluded_time）须写原因 cause，其他工单不写",
            "a ticket of excluded_time has a cause, any other has none",
            "cause",
        )
    if given.cause is not None:
        site, leaving = catalogue.site, (given.cause, by, given.reason, extent, start, end)
        return await _done(request, lambda: exclusions.ask(where, site, *leaving, given.needed), 201)
    opening = (where, mine, given.kind, by, given.reason, extent, start, end, given.needed)
    return await _done(request, lambda: book.open_ticket(*opening), 201)


@router.get(
    "/{ticket}",
    dependencies=[needs("ticket.read")],
    response_class=Json,
    responses=answers(TicketFacts, 400, 401, 403, 404),
)
async def one_ticket(request: Request, catalogue: Seen, ticket: Number) -> Json:
    """一张工单 · One ticket, with who decided what."""
    return Json(_facts(catalogue, await _seen(request, catalogue, ticket)))


@router.post(
    "/{ticket}/approve",
    dependencies=[needs("ticket.approve")],
    response_class=Json,
    responses=answers(TicketFacts, 400, 401, 403, 404, 409),
)
async def approve(request: Request, asker: Asker, catalogue: Seen, ticket: Number, given: Decision) -> Json:
    """批准（不能批准自己的）· Approve, each once and nobody an own one."""
    found, where, by = await _seen(request, catalogue, ticket), request.app.state.database, person(asker)
    if found.kind is Kind.EXCLUDED_TIME:
        site = request.app.state.catalogue.site
        return await _done(request, lambda: exclusions.approve(where, site, found.id, by, given.reason))
    return await _done(request, lambda: book.decide(where, found.mine, found.id, by, approve=True, words=given.reason))


@router.post(
    "/{ticket}/reject",
    dependencies=[needs("ticket.approve")],
    response_class=Json,
    responses=answers(TicketFacts, 400, 401, 403, 404, 409),
)
async def reject(request: Request, asker: Asker, catalogue: Seen, ticket: Number, given: Decision) -> Json:
    """驳回 · Reject: one who does is enough."""
    found, where, by = await _seen(request, catalogue, ticket), request.app.state.database, person(asker)
    return await _done(request, lambda: book.decide(where, found.mine, found.id, by, approve=False, words=given.reason))


@router.post(
    "/{ticket}/withdraw",
    dependencies=[needs("ticket.write")],
    response_class=Json,
    responses=answers(TicketFacts, 400, 401, 403, 404, 409),
)
async def withdraw(request: Request, asker: Asker, catalogue: Seen, ticket: Number) -> Json:
    """撤回自己的工单 · Take back an own ticket that waits."""
    found, where, by = await _seen(request, catalogue, ticket), request.app.state.database, person(asker)
    return await _done(request, lambda: book.withdraw(where, found.mine, found.id, by))


@router.post(
    "/{ticket}/close",
    dependencies=[needs("ticket.write")],
    response_class=Json,
    responses=answers(TicketFacts, 400, 401, 403, 404, 409),
)
async def close(request: Request, catalogue: Seen, ticket: Number) -> Json:
    """结束已批准的工单 · End an approved one: the work is done, the exclusion over."""
    found, where = await _seen(request, catalogue, ticket), request.app.state.database
    return await _done(request, lambda: book.close(where, found.mine, found.id))


async def _seen(request: Request, catalogue: Catalogue, number: int) -> Ticket:
    """A ticket whose whole extent the caller may see; any other does not exist. Raises ApiError 404."""
    mine, where = catalogue.site.code, request.app.state.database
    try:
        found = await anyio.to_thread.run_sync(book.find, where, mine, number)
        if not _seen_by(request, catalogue)(found):
            raise TicketError("unknown_ticket", f"没有工单 {number}", f"there is no ticket {number}")
    except TicketError as error:
        raise _refusal(error) from None
    return found


def _seen_by(request: Request, catalogue: Catalogue) -> Callable[[Ticket], bool]:
    site = catalogue.site
    if site is request.app.state.catalogue.site:
        return lambda ticket: True
    named = {f"{site.code}/{name}" for name in (*site.equipment, *site.chambers)}
    seen = {point.path for point in site.points} | named
    return lambda ticket: seen.issuperset(ticket.extent)


def _chamber(catalogue: Catalogue, name: str) -> str:
    """`<mine code>/<chamber>`. Raises ApiError 404."""
    code, chambers = catalogue.site.code, catalogue.site.chambers
    short = name.strip().removeprefix(f"{code}/")
    if short not in chambers:
        known = ", ".join(sorted(chambers)[:20]) or "-"
        zh, en = f"没有硐室 {shown(name)}；有：{known}", f"there is no chamber '{shown(name)}'; there are: {known}"
        raise ApiError(404, "unknown_chamber", zh, en, "chamber")
    return f"{code}/{short}"


async def _done(request: Request, work: Callable[[], Ticket], status: int = 200) -> Json:
    try:
        return Json(_facts(request.app.state.catalogue, await anyio.to_thread.run_sync(work)), status)
    except TicketError as error:
        raise _refusal(error) from None


_STATUS = {
    "unknown_ticket": 404,
    "own_ticket": 403,
    "not_own_ticket": 403,
    "decided_already": 409,
    "wrong_state": 409,
    "too_late": 409,
}


def _refusal(error: TicketError) -> ApiError:
    return ApiError(_STATUS.get(error.code, 400), error.code, error.zh, error.en)


def _facts(catalogue: Catalogue, ticket: Ticket) -> dict[str, Any]:
    zone = ZoneInfo(catalogue.site.time_zone)
    return {
        **asdict(ticket),
        "time": times.iso(ticket.at),
        "start_time": times.local(ticket.start, zone),
        "end_time": None if ticket.end is None else times.local(ticket.end, zone),
    }
