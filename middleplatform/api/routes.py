"""The data's small routes: points, live, events."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.live import LiveTable
from middleplatform.api.responses import Json, answers, encode
from middleplatform.api.schemas import Events, Live, Points
from middleplatform.store.client import INCOMPLETE
from models.quality import label

LIVE_MOST = 10_000
"""Points whose live values one request gets."""

router = APIRouter()

Texts = list[Annotated[str, Field(max_length=20_000)]]


class Asked(BaseModel):
    """A route's query. A parameter that the route does not have is refused: it would be a slip of the pen."""

    model_config = ConfigDict(extra="forbid")


class PointsQuery(Asked):
    q: str = Field("", max_length=200, description="搜索（中英文） · words to look for in path, names, unit, role")
    equipment: Texts = Field([], description="设备，可重复或以逗号分隔 · equipment ids, repeated or by commas")
    role: str = Field("", max_length=100)
    kind: Literal["", "analog", "state", "counter", "text"] = ""
    limit: int = Field(1_000, ge=1, le=10_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class LiveQuery(Asked):
    point: Texts = Field([], description="测点，缺省为全部 · points by path or id; neither point nor equipment: all")
    equipment: Texts = Field([], description="设备 · equipment ids")


class EventsQuery(Asked):
    equipment: str | None = Field(None, max_length=100, description="设备编号 · an equipment's id")
    kind: str | None = Field(None, max_length=100)
    start: str = Field("-1d", max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs since 1970")
    end: str = Field("now", max_length=60, description="结束（不含） · up to, not with")
    limit: int = Field(1_000, ge=1, le=10_000)


@router.get(
    "/points", dependencies=[needs("catalogue.read")], response_class=Json, responses=answers(Points, 400, 401, 404)
)
async def points(catalogue: Seen, asked: Annotated[PointsQuery, Query()]) -> Json:
    """测点目录 · The points: names, unit, role, range, limits, states, equipment."""
    found = catalogue.search(asked.q, asked.equipment, asked.role, asked.kind)
    chosen = found[asked.offset : asked.offset + asked.limit]
    return Json({"total": len(found), "offset": asked.offset, "points": [catalogue.facts(row) for row in chosen]})


def chosen_rows(catalogue: Catalogue, point: list[str], equipment: list[str]) -> NDArray[np.intp]:
    """Rows of the points and of the equipments named, or of all when none is. Raises ApiError."""
    parts = []
    if any(point):
        parts.append(catalogue.resolve(point, most=LIVE_MOST))
    if any(equipment):
        parts.append(catalogue.equipment(equipment))
    rows = np.concatenate(parts) if parts else catalogue.rows
    if len(parts) > 1:
        rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
    return rows


def answerable_rows(catalogue: Catalogue, point: list[str], equipment: list[str]) -> NDArray[np.intp]:
    """The same, where they are answered at once. Raises ApiError beyond LIVE_MOST too."""
    rows = chosen_rows(catalogue, point, equipment)
    if len(rows) > LIVE_MOST:
        raise ApiError(
            400,
            "too_many_points",
            f"测点超过 {LIVE_MOST}：请指明设备或测点",
            f"{len(rows)} points, at most {LIVE_MOST} are answered at once: name equipment or points",
            "equipment",
            limit=LIVE_MOST,
        )
    return rows


@router.get("/live", dependencies=[needs("live.read")], response_class=Json, responses=answers(Live, 400, 401, 404))
async def live(request: Request, catalogue: Seen, asked: Annotated[LiveQuery, Query()]) -> Json:
    """当前值 · What each point is now. What is stale is bad, however good it was."""
    rows = answerable_rows(catalogue, asked.point, asked.equipment)
    now = times.now_us()
    table: LiveTable = request.app.state.live
    table.refresh(now)
    return Json({"time": times.iso(now), "ts": now, "values": table.describe(rows, now)})


@router.get(
    "/events", dependencies=[needs("events.read")], response_class=Json, responses=answers(Events, 400, 401, 404, 503)
)
async def events(request: Request, catalogue: Seen, asked: Annotated[EventsQuery, Query()]) -> Json:
    """事件 · Events that touch the range, by start; `truncated` when there are more than `limit`."""
    begin, finish = times.parse_range(asked.start, asked.end, times.now_us())
    equipment = catalogue.events_of(asked.equipment)
    if equipment == []:
        return Json({"events": [], "truncated": False, "incomplete": False})
    kind, limit = asked.kind, asked.limit
    table = await request.app.state.door.ask(lambda store: store.events(equipment, kind, begin, finish, limit + 1))
    rows = [_event(row) for row in table.slice(0, limit).to_pylist()]
    incomplete = INCOMPLETE in (table.schema.metadata or {})
    return Json({"events": rows, "truncated": table.num_rows > limit, "incomplete": incomplete})


def _whole(digits: str) -> int | float:
    """A whole number, as exactly as a reader of the answer could take it: a device may tell one of any length."""
    found = int(digits)
    return found if -(2**63) <= found < 2**64 else float(digits)


def _event(row: dict[str, Any]) -> dict[str, Any]:
    try:
        attributes = json.loads(row["attributes"], parse_int=_whole)
        encode(attributes)  # what is nested too deep for an answer must not keep the other events out of it
        row["attributes"] = attributes
    except (ValueError, TypeError, RecursionError):
        row["attributes"] = {"text": row["attributes"]}
    row["start_time"] = times.iso(row["start"])
    row["end_time"] = None if row["end"] is None else times.iso(row["end"])
    row["quality_words"] = {"zh": label(row["quality"], "zh"), "en": label(row["quality"], "en")}
    return row
