"""`/api/v1/alarms/intervals`: when alarms of chosen points and machines lasted, as bands under their curves."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.alarms import book
from middleplatform.alarms.lasted import lasted
from middleplatform.api import times
from middleplatform.api.alarm_reach import telling_of
from middleplatform.api.alarm_schemas import Place
from middleplatform.api.alarm_sight import sees
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import Words

MOST_NAMED = 100
MOST = 1_000
"""Intervals in one answer, the newest."""

router = APIRouter(prefix="/alarms", tags=["alarms"])


class IntervalsQuery(Asked):
    point: Texts = Field([], max_length=MOST_NAMED, description="测点 · points by path or id")
    equipment: Texts = Field([], max_length=MOST_NAMED, description="设备（含其测点） · equipment, its points included")
    start: str = Field("-1d", min_length=1, max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs")
    end: str = Field("now", min_length=1, max_length=60, description="结束（不含） · up to, not with")


class IntervalFacts(BaseModel):
    """`begin` null: it was raised before what the journal was read of; `end` null: it has not returned. Times µs UTC.
    `priority`: what it is now."""

    alarm: int
    rule: str
    rule_name: Words
    subject: str
    name: Words
    equipment: Place | None
    kind: str
    priority: int
    begin: int | None
    end: int | None


class Intervals(BaseModel):
    """Oldest first; `truncated`: there are more than are told, older ones."""

    start: int
    end: int
    truncated: bool
    intervals: list[IntervalFacts]


@router.get(
    "/intervals",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(Intervals, 400, 401, 403, 404),
)
async def intervals(request: Request, catalogue: Seen, asked: Annotated[IntervalsQuery, Query()]) -> Json:
    """所选测点与设备的报警起止 · When alarms of these points and of this equipment lasted."""
    start, end = times.parse_range(asked.start, asked.end, times.now_us())
    whole = _whole(catalogue, asked)
    single = {catalogue.points[row].path for row in catalogue.resolve(asked.point, MOST_NAMED).tolist()}
    where, site, seen = request.app.state.database, catalogue.site, sees(catalogue)

    def look() -> dict[str, Any]:
        telling = telling_of(request.app.state, catalogue)
        chosen = {
            each.id: each
            for each in book.alarms_of(where, site.code, resting=True)
            if (each.subject in single or "/".join(each.subject.split("/")[:2]) in whole) and seen(each.subject)
        }
        found, more = lasted(where, chosen, start, end)
        facts = {number: telling.facts(each, lambda _: False) for number, each in chosen.items()}
        told = ("rule", "rule_name", "subject", "name", "equipment", "kind", "priority")
        return {
            "start": start,
            "end": end,
            "truncated": more or len(found) > MOST,
            "intervals": [
                {
                    "alarm": each.alarm,
                    **{key: facts[each.alarm][key] for key in told},
                    "begin": each.begin,
                    "end": each.end,
                }
                for each in found[-MOST:]
            ],
        }

    return Json(await anyio.to_thread.run_sync(look))


def _whole(catalogue: Catalogue, asked: IntervalsQuery) -> set[str]:
    """Of which equipment every alarm is wanted. Raises ApiError 404."""
    names = [name for text in asked.equipment for name in text.split(",") if name.strip()]
    return {catalogue.equipment_path(name) for name in names}
