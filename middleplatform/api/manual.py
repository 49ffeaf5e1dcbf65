"""`/api/v1/manual`: values and events that people enter or correct, with approval by somebody else."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
import structlog
from fastapi import APIRouter, Path, Query, Request

from middleplatform.api import manual_checks, times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import who
from middleplatform.api.errors import ApiError
from middleplatform.api.manual_schemas import (
    Decision,
    EntriesQuery,
    EntryDetail,
    EntryFacts,
    EntryList,
    EventGiven,
    ValuesGiven,
    VersionsOf,
    VersionsQuery,
)
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.governance import manual
from middleplatform.governance.manual import Entry, ManualRefused
from middleplatform.governance.publish import before
from middleplatform.store.errors import StoreError

log = structlog.get_logger("governance")
router = APIRouter(prefix="/manual", tags=["governance"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="录入编号 · the entry's number")]


@router.post(
    "/values",
    status_code=201,
    dependencies=[needs("manual.write")],
    response_class=Json,
    responses={201: {"model": EntryFacts}, **refusals(400, 401, 403, 404)},
)
async def enter_values(request: Request, asker: Asker, catalogue: Seen, given: ValuesGiven) -> Json:
    """录入或更正数值 · Ask for samples to be entered, or corrected where there are any. They hold once approved."""
    point = catalogue.points[catalogue.one(given.point)]
    told = manual_checks.samples(point, [each.model_dump() for each in given.samples], times.now_us())
    mine, where = catalogue.site.code, request.app.state.database
    return await _done(lambda: manual.enter_values(where, mine, point.path, told, given.reason, who(asker)), 201)


@router.post(
    "/events",
    status_code=201,
    dependencies=[needs("manual.write")],
    response_class=Json,
    responses={201: {"model": EntryFacts}, **refusals(400, 401, 403, 404, 503)},
)
async def enter_event(request: Request, asker: Asker, catalogue: Seen, given: EventGiven) -> Json:
    """录入或更正事件 · Ask for an event to be entered, or corrected. It holds once approved."""
    if not catalogue.events_of(given.equipment):
        raise ApiError(
            404, "unknown_equipment", "您的范围不含事件", "events are not within what you may see", "equipment"
        )
    equipment = catalogue.equipment_path(given.equipment)
    body = manual_checks.event(given.model_dump(), times.now_us())
    was = None
    if given.corrects is not None:
        wanted, start = given.corrects.id, times.parse_time(given.corrects.start, times.now_us(), "corrects.start")
        table = await request.app.state.door.ask(
            lambda store: store.events([equipment], body["kind"], start, start + 1, 10_000)
        )
        was = next((row for row in table.to_pylist() if (row["id"], row["equipment"]) == (wanted, equipment)), None)
        if was is None:
            raise ApiError(
                404,
                "unknown_event",
                "该设备在此时刻没有这一事件",
                "this equipment has no such event of this kind at that start",
                "corrects",
            )
        body["id"] = wanted
    mine, where = catalogue.site.code, request.app.state.database
    return await _done(lambda: manual.enter_event(where, mine, equipment, body, was, given.reason, who(asker)), 201)


@router.get(
    "/entries",
    dependencies=[needs("history.read")],
    response_class=Json,
    responses=answers(EntryList, 400, 401, 403, 404),
)
async def list_entries(request: Request, catalogue: Seen, asked: Annotated[EntriesQuery, Query()]) -> Json:
    """人工录入与更正 · Entries, the newest first."""
    mine, where = catalogue.site.code, request.app.state.database
    subjects = _subjects(request, catalogue)
    if asked.point:
        subjects = [catalogue.points[catalogue.one(asked.point)].path]

    def look() -> list[dict[str, Any]]:
        found = manual.entries(where, mine, asked.state, subjects, asked.limit, asked.before)
        firsts = manual.firsts(where, found)
        return [
            {**_facts(each), "first": first, "count": count}
            for each in found
            for count, first in (firsts.get(each.id, (0, None)),)
        ]

    return Json({"entries": await anyio.to_thread.run_sync(look)})


@router.get(
    "/entries/{entry}",
    dependencies=[needs("history.read")],
    response_class=Json,
    responses=answers(EntryDetail, 400, 401, 403, 404),
)
async def one_entry(request: Request, catalogue: Seen, entry: Number) -> Json:
    """一条录入 · One entry with its samples, and what the store had before."""
    found = await _seen(request, catalogue, entry)
    rows = await anyio.to_thread.run_sync(manual.samples, request.app.state.database, found.id)
    known = found.kept is not None
    if found.kind == "value" and found.state == "waiting":
        known = await _with_present(request, found, rows)
    samples = [{k: v for k, v in row.items() if k != "entry"} for row in rows]
    return Json({**_facts(found), "samples": samples, "was_known": known})


@router.post(
    "/entries/{entry}/approve",
    dependencies=[needs("manual.approve")],
    response_class=Json,
    responses=answers(EntryFacts, 400, 401, 403, 404),
)
async def approve(request: Request, asker: Asker, catalogue: Seen, entry: Number, given: Decision) -> Json:
    """审批通过（不能审批自己的录入）· Approve: it goes to the store. Nobody approves an entry of one's own."""
    return await _decide(request, catalogue, entry, who(asker), given.reason, approved=True)


@router.post(
    "/entries/{entry}/reject",
    dependencies=[needs("manual.approve")],
    response_class=Json,
    responses=answers(EntryFacts, 400, 401, 403, 404),
)
async def reject(request: Request, asker: Asker, catalogue: Seen, entry: Number, given: Decision) -> Json:
    """驳回 · Reject: nothing changes in the store."""
    return await _decide(request, catalogue, entry, who(asker), given.reason, approved=False)


@router.post(
    "/entries/{entry}/withdraw",
    dependencies=[needs("manual.write")],
    response_class=Json,
    responses=answers(EntryFacts, 400, 401, 403, 404),
)
async def withdraw(request: Request, asker: Asker, catalogue: Seen, entry: Number) -> Json:
    """撤回自己的录入 · Withdraw an entry of one's own on which nobody has decided."""
    found = await _seen(request, catalogue, entry)
    where = request.app.state.database
    return await _done(lambda: manual.withdraw(where, found.mine, found.id, who(asker)))


@router.get(
    "/versions",
    dependencies=[needs("history.read")],
    response_class=Json,
    responses=answers(VersionsOf, 400, 401, 403, 404),
)
async def versions(request: Request, catalogue: Seen, asked: Annotated[VersionsQuery, Query()]) -> Json:
    """测点数值的各版本 · Every version of a point's samples that people entered or corrected, the original kept."""
    point = catalogue.points[catalogue.one(asked.point)].path
    begin, finish = times.parse_range(asked.start, asked.end, times.now_us())
    mine, where, most = catalogue.site.code, request.app.state.database, asked.limit + 1
    found = await anyio.to_thread.run_sync(lambda: manual.versions(where, mine, point, begin, finish, most))
    for row in found:
        row["number"] = str(row["number"])
        row["time"] = times.iso(row["ts"])
    return Json({"point": point, "versions": found[: asked.limit], "truncated": len(found) > asked.limit})


async def _with_present(request: Request, entry: Entry, rows: list[dict[str, Any]]) -> bool:
    """Put beside the samples of an entry that waits what it would replace, so that nobody approves unseen. Whether the
    store told it."""
    try:
        had = await request.app.state.door.ask(lambda store: before(store, entry, rows))
    except (ApiError, StoreError):
        return False
    there = {row["ts"]: row for row in had}
    for row in rows:
        old = there.get(row["ts"])
        row.update({f"was_{name}": None if old is None else old[name] for name in ("value", "quality", "text")})
    return True


async def _decide(request: Request, catalogue: Catalogue, entry: int, by: str, reason: str, *, approved: bool) -> Json:
    found = await _seen(request, catalogue, entry)
    where = request.app.state.database
    answer = await _done(lambda: manual.decide(where, found.mine, found.id, by, approve=approved, reason=reason))
    log.info("人工录入已审批 · a manual entry was decided on", entry=entry, approved=approved, by=by)
    if approved:
        request.app.state.approved.set()
    return answer


async def _seen(request: Request, catalogue: Catalogue, entry: int) -> Entry:
    """An entry of what the caller may see; any other does not exist. Raises ApiError 404."""
    mine, where = catalogue.site.code, request.app.state.database
    subjects = _subjects(request, catalogue)
    try:
        found = await anyio.to_thread.run_sync(manual.get, where, mine, entry)
        if subjects is not None and found.subject not in subjects:
            raise ManualRefused("unknown_entry", f"没有人工录入 {entry}", f"there is no manual entry {entry}")
    except ManualRefused as error:
        raise _refusal(error) from None
    return found


def _subjects(request: Request, catalogue: Catalogue) -> list[str] | None:
    """Points and equipment that the caller may see; None for all."""
    site = catalogue.site
    if site is request.app.state.catalogue.site:
        return None
    equipment = site.equipment if catalogue.scope.events else ()
    return [*(point.path for point in site.points), *(f"{site.code}/{name}" for name in equipment)]


async def _done(work: Any, status: int = 200) -> Json:
    try:
        return Json(_facts(await anyio.to_thread.run_sync(work)), status)
    except ManualRefused as error:
        raise _refusal(error) from None


_STATUS = {"unknown_entry": 404, "own_entry": 403, "not_own_entry": 403}


def _refusal(error: ManualRefused) -> ApiError:
    return ApiError(_STATUS.get(error.code, 400), error.code, error.zh, error.en)


def _facts(entry: Entry) -> dict[str, Any]:
    names = (
        "id", "kind", "subject", "start", "end", "body", "was", "reason", "who", "at", "state", "decided_by",
        "decided_at", "decision", "published",
    )  # fmt: skip
    number = None if entry.number is None else str(entry.number)
    return {**{name: getattr(entry, name) for name in names}, "time": times.iso(entry.at), "number": number}
