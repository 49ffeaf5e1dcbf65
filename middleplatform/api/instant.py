"""`/api/v1/live/at` and `/api/v1/alarms/at`: what every point was, and which alarms stood, at one instant."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from middleplatform.alarms.then import stood
from middleplatform.alarms.watched import watched
from middleplatform.api import times
from middleplatform.api.alarm_reach import telling_of
from middleplatform.api.alarm_schemas import AlarmFacts
from middleplatform.api.alarm_sight import sees
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts, answerable_rows
from middleplatform.store.client import BACK_US, INCOMPLETE
from models.quality import Quality
from models.utilisation.signal import hold

router = APIRouter()

_TIME = "时刻 · the instant: ISO 8601 with zone, -10m, or µs since 1970; not one that is still to come"
MOST_ALARMS = 2_000


class InstantQuery(Asked):
    time: str = Field(max_length=60, description=_TIME)
    point: Texts = Field([], description="测点，缺省为全部 · points by path or id; neither point nor equipment: all")
    equipment: Texts = Field([], description="设备 · equipment ids")


class Then(BaseModel):
    """Columns of equal length, a row for each point: what it was at the instant, as `/live` would have told it. A value
    that is older than its hold is stale and its quality 20; a point without a sample in the `looked_back_s` before the
    instant has quality 32 and no value. `ts` in µs, null for none. `text` null: no point here has one. `incomplete`:
    samples that had come may lack in it: ask again."""

    time: str
    ts_us: int
    looked_back_s: float
    incomplete: bool
    point: list[str]
    value: list[float | None]
    quality: list[int]
    ts: list[int | None]
    text: list[str | None] | None
    manual: list[bool]


class AlarmsQuery(Asked):
    time: str = Field(max_length=60, description=_TIME)


class AlarmsThen(BaseModel):
    """The alarms that were not at rest at the instant, the most urgent first, at most 2,000 of the `total`. Priority
    and kind are those of the rule's last raise. Not `watched`: nobody judged then, and no alarm says nothing."""

    time: str
    ts_us: int
    watched: bool
    total: int
    time_zone: str
    alarms: list[AlarmFacts]


@router.get(
    "/live/at",
    tags=["data"],
    dependencies=[needs("history.read")],
    response_class=Json,
    responses=answers(Then, 400, 401, 403, 404, 503),
)
async def live_at(request: Request, catalogue: Seen, asked: Annotated[InstantQuery, Query()]) -> Json:
    """某一时刻各测点的值 · What each point was at an instant that is past."""
    at = _past(asked.time)
    rows = answerable_rows(catalogue, asked.point, asked.equipment)
    ids = catalogue.ids[rows].tolist()
    table = await request.app.state.door.ask(lambda store: store.instant(ids, at)) if ids else None
    return Json(await anyio.to_thread.run_sync(_then, catalogue, rows, table, at))


@router.get(
    "/alarms/at",
    tags=["alarms"],
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(AlarmsThen, 400, 401, 403),
)
async def alarms_at(request: Request, catalogue: Seen, asked: Annotated[AlarmsQuery, Query()]) -> Json:
    """某一时刻的报警 · Which alarms stood at an instant that is past."""
    at = _past(asked.time)
    mine, where = catalogue.site.code, request.app.state.database

    def look() -> dict[str, Any]:
        seen, telling = sees(catalogue), telling_of(request.app.state, catalogue)
        known = [(alarm, value) for alarm, value in stood(where, mine, at) if seen(alarm.subject)]
        nameable = {alarm.id for alarm, _ in known}.__contains__
        return {
            "time": times.iso(at),
            "ts_us": at,
            "watched": bool(len(watched(where, mine, at, at + 1))),
            "total": len(known),
            "time_zone": catalogue.site.time_zone,
            "alarms": [
                {**telling.facts(alarm, nameable, value), "chattering": False} for alarm, value in known[:MOST_ALARMS]
            ],
        }

    return Json(await anyio.to_thread.run_sync(look))


def _past(text: str) -> int:
    """Raises ApiError 400 for an instant that is still to come."""
    now = times.now_us()
    at = times.parse_time(text, now, "time")
    if at > now:
        raise ApiError(400, "still_to_come", "该时刻尚未到来", f"{times.iso(at)} is still to come", "time")
    return at


def _then(catalogue: Catalogue, rows: NDArray[np.intp], table: pa.Table | None, at: int) -> dict[str, Any]:
    """The rows' columns; `table`: of each point that had one its last sample, ordered by point."""
    n = len(rows)
    value, ts, text = np.full(n, np.nan), np.zeros(n, np.int64), np.full(n, None, object)
    quality, manual = np.full(n, Quality.BAD_WAITING, np.uint8), np.zeros(n, np.bool_)
    if table is not None and table.num_rows:
        of, ids = table["point"].to_numpy(), catalogue.ids[rows]
        place = np.minimum(np.searchsorted(of, ids), len(of) - 1)
        known = np.flatnonzero(of[place] == ids)
        place = place[known]
        value[known], ts[known] = table["value"].to_numpy()[place], table["ts"].to_numpy()[place]
        quality[known], manual[known] = table["quality"].to_numpy()[place], table["manual"].to_numpy()[place]
        text[known] = table["text"].to_numpy()[place]
        holds = np.array([hold(catalogue.points[row]) for row in rows[known].tolist()], np.int64)
        quality[known[at - ts[known] > holds]] = Quality.BAD_LAST_KNOWN
    return {
        "time": times.iso(at),
        "ts_us": at,
        "looked_back_s": BACK_US / 1e6,
        "incomplete": table is not None and INCOMPLETE in (table.schema.metadata or {}),
        "point": [catalogue.points[row].path for row in rows.tolist()],
        "value": value,
        "quality": quality,
        "ts": [each or None for each in ts.tolist()],
        "text": text.tolist() if any(text) else None,
        "manual": manual,
    }
