"""`/api/v1/control/unknown`: commands of which nobody knows what came of them, and what a person saw at the machine.

All of it stands in the audit log: what was asked for, what was answered, and as an entry of its own what was seen.
Nothing that the gateway holds is changed by that: a point takes other writes once it was read back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.manual_schemas import Reason, Strict
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.schemas import Words
from middleplatform.audit.entry import Entry
from middleplatform.audit.log import tell
from middleplatform.database import Place, connect
from middleplatform.database.tables.audit import audit
from models.control.order import Act
from models.site.model import Name

router = APIRouter(prefix="/control/unknown", tags=["control"])

BACK_US = 7 * 86_400_000_000
LATE_US = 60_000_000
"""An order's deadline and the wait for its answer are over by then: what has no end has none."""
SETTLE = "command.settle"
COMING = {"signature", "credential", "order"}
"""A refusal by these says nothing of the first coming of the same order: that it came before, or is late by now."""
KNOWN = {"done", "failed", "refused"}


class Settlement(BaseModel):
    """What a person saw at the machine. `at`: µs UTC."""

    who: str
    at: int
    seen: Literal["done", "not_done"]
    reason: str


class UnknownCommand(BaseModel):
    """`who` brought it, `at` µs UTC; `value`: what it would write, `state` what the point calls that; `settled`: null
    while nobody has looked, else the last who did."""

    id: str
    point: str
    who: str
    at: int
    value: float | str | None
    state: Words
    settled: Settlement | None


class UnknownList(BaseModel):
    """Of the last seven days, the newest first. `ts`: the platform's clock, µs UTC."""

    ts: int
    commands: list[UnknownCommand]


class SettlementGiven(Strict):
    point: str = Field(min_length=1, max_length=160)
    seen: Literal["done", "not_done"]
    reason: Reason


@router.get(
    "", dependencies=[needs("control.read")], response_class=Json, responses=answers(UnknownList, 400, 401, 403, 404)
)
async def unknown(
    request: Request,
    catalogue: Seen,
    equipment: Annotated[str, Query(min_length=1, max_length=60, description="设备 · equipment")],
) -> Json:
    """结果未知的命令及现场核实 · A machine's commands of unknown outcome, and what was seen of each."""
    catalogue.equipment_path(equipment)
    rows = catalogue.equipment([equipment]).tolist()
    paths = [catalogue.points[row].path for row in rows if catalogue.points[row].writable]
    where, now = request.app.state.database, times.now_us()
    found = await anyio.to_thread.run_sync(lambda: unknown_of(_told(where, paths, now - BACK_US), now))
    return Json({"ts": now, "commands": [_named(each, catalogue) for each in found]})


@router.post(
    "/{command}",
    status_code=201,
    dependencies=[needs("control.order")],
    response_class=Json,
    responses={201: {"model": UnknownCommand}, **refusals(400, 401, 403, 404)},
)
async def settle(
    request: Request,
    asker: Asker,
    catalogue: Seen,
    command: Annotated[str, Path(min_length=1, max_length=64, description="命令编号 · the command's id")],
    given: SettlementGiven,
) -> Json:
    """现场核实：已执行或未执行，写明依据 · Say what was seen at the machine; it is added, nothing is changed."""
    path = catalogue.points[catalogue.one(given.point)].path
    where, now, by = request.app.state.database, times.now_us(), person(asker)

    def find() -> dict[str, Any] | None:
        told = unknown_of(_told(where, [path], now - BACK_US), now)
        return next((each for each in told if each["id"] == command), None)

    if await anyio.to_thread.run_sync(find) is None:
        raise ApiError(
            404,
            "not_unknown",
            "近七日没有这条结果未知的命令：可能已有结果，请刷新",
            "there is no such command of unknown outcome in the last seven days: it may be known by now, look again",
            "command",
        )
    seen = {"id": command, "seen": given.seen, "reason": given.reason.strip(), "by": by}
    await anyio.to_thread.run_sync(lambda: tell(where, SETTLE, path, after=seen))
    found = await anyio.to_thread.run_sync(find)
    return Json(_named(found or {}, catalogue), 201)


def unsettled(where: Place, paths: Collection[str], now: int) -> list[dict[str, Any]]:
    """The commands to these points of which neither the outcome is known nor what anybody saw, the newest first."""
    told = [entry for entry in _told(where, None, now - BACK_US) if entry.about in paths]
    return [
        {name: value for name, value in each.items() if name != "settled"}
        for each in unknown_of(told, now)
        if each["settled"] is None
    ]


def _told(where: Place, paths: Sequence[str] | None, start: int) -> list[Entry]:
    """What was asked, answered and seen of these points, or of all, since then, the oldest first."""
    since = select(func.min(audit.c.number)).where(audit.c.at >= start).scalar_subquery()
    wanted = audit.c.what.in_(["command.ask", "command.end", SETTLE])
    query = select(audit).where(audit.c.number >= since, wanted).order_by(audit.c.number)
    if paths is not None:
        query = query.where(audit.c.about.in_(paths))
    with connect(where).connect() as connection:
        return [Entry(*row) for row in connection.execute(query)]


def unknown_of(told: Iterable[Entry], now: int) -> list[dict[str, Any]]:
    """The commands of which no outcome is known, the newest first."""
    asked: dict[tuple[str, str], dict[str, Any]] = {}
    known: set[tuple[str, str]] = set()
    for entry in told:
        after = json.loads(entry.after or "{}")
        if entry.what == "command.ask":
            order = after.get("order", after)
            if order.get("act") == Act.EXECUTE and not order.get("dry"):
                facts = {"id": order.get("id"), "point": entry.about, "who": entry.who, "at": entry.at}
                asked.setdefault((entry.about, str(order.get("id"))),
                                 {**facts, "value": order.get("value"), "settled": None, "ends": 0})  # fmt: skip
            continue
        key = (entry.about, str(after.get("id")))
        one = asked.get(key)
        if one is None:
            continue
        if entry.what == SETTLE:
            one["settled"] = {"who": after["by"], "at": entry.at, "seen": after["seen"], "reason": after["reason"]}
        elif after.get("outcome") in KNOWN and not (one["ends"] and after.get("check") in COMING):
            known.add(key)
        one["ends"] += entry.what == "command.end"
    found = [each for key, each in asked.items() if key not in known and (each["ends"] or now - each["at"] > LATE_US)]
    return [{name: value for name, value in each.items() if name != "ends"} for each in reversed(found)]


def _named(each: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    state = catalogue.points[catalogue.one(each["point"])].called(each["value"]) or Name("", "")
    return {**each, "state": state.words()}
