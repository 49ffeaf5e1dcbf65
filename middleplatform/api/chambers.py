"""`/api/v1/chambers`: unattended chambers, what they are like now, and how they stand with their patrols."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.live import LiveTable
from middleplatform.api.responses import Json, answers
from middleplatform.patrols.checkins import last_checkins
from middleplatform.patrols.overdue import Duty, duties
from middleplatform.store.client import StoreError
from models.patrol import Chamber
from models.quality import GOOD
from models.site.model import Site

router = APIRouter(prefix="/chambers", tags=["control"])

STATE_ROLES = frozenset({"run.state", "pump.state", "switch.state", "control.mode", "fault.code"})
"""What of an equipment in a chamber is shown."""


class Words(BaseModel):
    zh: str
    en: str


class PatrolFacts(BaseModel):
    """`by`: who looks in; `since`: when the plan came into force; `last`: the last check-in, null where there was none
    in the `looked_back_s` before now, which do not reach back before the platform kept data; `due`: when the next is.
    Without a last one `due` is the latest instant, and `late_s` the least that it is overdue. Times µs UTC; `last_time`
    and `due_time` by the mine's clock."""

    every_s: float
    by: Words
    since: int
    looked_back_s: float
    last: int | None
    last_time: str | None
    due: int
    due_time: str
    overdue: bool
    late_s: float


class ChamberFacts(BaseModel):
    """`attended`: whether a reader sees somebody there now, null when that is not known; `values`: of equipment,
    environment, door and presence, as `/live` has them; `patrol`: null before the first plan, or without the store."""

    id: str
    name: Words
    attended: bool | None
    camera: str
    values: list[dict[str, Any]]
    patrol: PatrolFacts | None
    source: str


class ChamberList(BaseModel):
    """`incomplete`: the store is away, so that patrols are not known."""

    ts: int
    chambers: list[ChamberFacts]
    incomplete: bool


@router.get("", dependencies=[needs("live.read")], response_class=Json, responses=answers(ChamberList, 401, 403))
async def list_chambers(request: Request, catalogue: Seen) -> Json:
    """无人值守硐室 · The chambers all of which the caller may see: equipment, environment, door, presence, patrols."""
    now, site = times.now_us(), catalogue.site
    table: LiveTable = request.app.state.live
    table.refresh(now)
    known: dict[str, Duty] = {}
    incomplete = False
    if site.chambers:
        try:
            found = await request.app.state.door.ask(lambda store: last_checkins(store, site, now))
            known = {duty.chamber.id: duty for duty in duties(site, found.last, now, found.kept)}
        except (ApiError, StoreError):
            incomplete = True
    chambers = [_facts(catalogue, table, each, known.get(each.id), now) for each in site.chambers.values()]
    return Json({"ts": now, "chambers": chambers, "incomplete": incomplete})


def _facts(catalogue: Catalogue, table: LiveTable, chamber: Chamber, duty: Duty | None, now: int) -> dict[str, Any]:
    named = chamber.points()
    rows = [
        row
        for row in catalogue.rows.tolist()
        if (point := catalogue.points[row]).path in named
        or (point.equipment in chamber.equipment and point.role in STATE_ROLES)
    ]
    attended = None
    for row in rows:
        if catalogue.points[row].path == chamber.presence and table.shown[row] >= GOOD:
            attended = bool(table.value[row] >= 1)
    return {
        "id": chamber.id,
        "name": chamber.name.words(),
        "attended": attended,
        "camera": chamber.camera,
        "values": table.describe(np.array(rows, np.intp), now),
        "patrol": None if duty is None else _patrol(duty, catalogue.site),
        "source": chamber.source,
    }


def _patrol(duty: Duty, site: Site) -> dict[str, Any]:
    zone = ZoneInfo(site.time_zone)
    return {
        "every_s": duty.plan.every_s,
        "by": duty.plan.by.words(),
        "since": duty.since,
        "looked_back_s": round(duty.looked_s, 1),
        "last": duty.last,
        "last_time": None if duty.last is None else times.local(duty.last, zone),
        "due": duty.due,
        "due_time": times.local(duty.due, zone),
        "overdue": duty.overdue,
        "late_s": round(duty.late_s, 1),
    }
