"""`/api/v1/alarms/journal`: what happened to alarms, and which raises have their handling record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from starlette.datastructures import State

from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Alarm, Entry, Kind
from middleplatform.api import times
from middleplatform.api.alarm_choice import of_these
from middleplatform.api.alarm_reach import alarm_seen, telling_of
from middleplatform.api.alarm_schemas import Journal, JournalQuery
from middleplatform.api.alarm_sight import sees
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.responses import Json, answers

router = APIRouter(prefix="/alarms", tags=["alarms"])


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
        looked: dict[str, Any] = {
            "alarm": asked.alarm,
            "among": _among(request.app.state, catalogue, asked),
            "within": within,
            "what": Act(asked.what) if asked.what else None,
            "handled": {"missing": False, "kept": True}.get(asked.handled),
        }
        found = book.entries(where, mine, **looked, before=asked.before, limit=asked.limit)
        return {
            "entries": told_entries(request.app.state, catalogue, found),
            "next": found[-1].number if len(found) == asked.limit else None,
            "total": book.count(where, mine, **looked) if asked.handled else None,
            "time_zone": catalogue.site.time_zone,
        }

    return Json(await anyio.to_thread.run_sync(look))


def must_be_handled(alarm: Alarm) -> bool:
    """Power cuts and abnormal feeds, and of alarms those that are law (煤矿安全监控系统 报警、断电、馈电异常)."""
    return alarm.statutory or alarm.kind is not Kind.ALARM


def told_entries(state: State, catalogue: Catalogue, found: Iterable[Entry]) -> list[dict[str, Any]]:
    """Lines of the journal with what their alarms are called and the handling records of raises."""
    lines, where, mine = list(found), state.database, catalogue.site.code
    handled: dict[int, list[dict[str, Any]]] = {}
    for start in range(0, len(lines), book.MOST):
        for each in book.handlings_of(where, mine, [entry.number for entry in lines[start : start + book.MOST]]):
            handled.setdefault(each.raised, []).append(asdict(each))
    known = book.named(where, mine, {each.alarm for each in lines})  # after them, so that it knows the newest
    facts = _facts(state, catalogue, known)
    return [
        {
            **asdict(each),
            **facts[each.alarm],
            "time": times.iso(each.ts),
            "handlings": handled.get(each.number, []),
            "to_handle": each.what is Act.RAISE and not each.late and must_be_handled(known[each.alarm]),
        }
        for each in lines
    ]


def _facts(state: State, catalogue: Catalogue, known: Mapping[int, Alarm]) -> dict[int, dict[str, Any]]:
    telling = telling_of(state, catalogue)
    return {
        number: {name: fact for name, fact in telling.facts(each).items() if name in _OF_ALARM}
        for number, each in known.items()
    }


_OF_ALARM = frozenset(
    ("rule", "subject", "name", "equipment", "area", "rule_name", "kind", "priority", "statutory", "unit")
)


def _among(state: State, catalogue: Catalogue, asked: JournalQuery) -> list[int] | None:
    """The alarms whose lines are wanted, None for all."""
    mine, seen = catalogue.site.code, sees(catalogue)
    fits = of_these(asked, catalogue, telling_of(state, catalogue))
    if fits is None and not asked.handled and asked.rule is None:
        if catalogue.scope.everything:
            return None
        return [number for number, name in book.subjects_of(state.database, mine).items() if seen(name[1])]
    return [
        each.id
        for each in book.alarms_of(state.database, mine, resting=True)
        if seen(each.subject)
        and (fits is None or fits(each))
        and (asked.rule is None or each.rule == asked.rule)
        and (not asked.handled or must_be_handled(each))
    ]
