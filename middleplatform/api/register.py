"""`/api/v1/catalogue`: the register of points, searched in Chinese and English."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import anyio
import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.access.tokens import Grant
from middleplatform.api.auth import PLACES, Asker, Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import Range, Words
from middleplatform.governance.register import Held, Register, classes_of, entry
from models.site.model import Point, Site

router = APIRouter(tags=["governance"])


class Registered(BaseModel):
    """A point with all that is known of it. `sensor_code`, `class` and `owner` come from the dictionaries of the day;
    null (or an empty list) where none names the point."""

    point: str
    id: str
    key: str
    name: Words
    meaning: dict[str, str] | None
    role: str
    kind: str
    unit: str
    range: Range
    states: dict[str, Words]
    limits: list[dict[str, Any]]
    retention: str
    silence_s: float
    equipment: dict[str, Any]
    area: list[dict[str, Any]]
    template: dict[str, Any] | None
    source: dict[str, Any]
    sensor_code: dict[str, Any] | None
    class_: list[dict[str, Any]] = Field(alias="class")
    owner: dict[str, str] | None


class RegisterPage(BaseModel):
    total: int
    offset: int
    day: str
    points: list[Registered]


class RegisterQuery(Asked):
    q: str = Field("", max_length=200, description="搜索（中英文，按相关度） · words to search, the best found first")
    point: Texts = Field([], description="测点路径或编号 · points by path or id")
    equipment: Texts = Field([], description="设备 · equipment ids")
    area: str = Field("", max_length=40, description="区域（含下级） · an area, those within it included")
    subsystem: str = Field("", max_length=40, description="子系统 · category of the template, such as safety")
    role: str = Field("", max_length=100)
    kind: Literal["", "analog", "state", "counter", "text"] = ""
    retention: Literal["", "bulk", "statutory"] = ""
    sensor_code: str = Field("", max_length=4, description="国家传感器编码 · a code, or `none` for points without one")
    class_: str = Field("", max_length=40, alias="class", description="数据分类（含下级），none 为未分类 · a class")
    owner: str = Field("", max_length=100, description="责任人，none 为未指定 · an owner, or `none`")
    gateway: str = Field("", max_length=60)
    day: datetime.date | None = Field(None, description="字典生效日，缺省今天 · the day whose dictionaries hold")
    limit: int = Field(100, ge=1, le=2_000)
    offset: int = Field(0, ge=0, le=10_000_000)


@router.get(
    "/catalogue",
    dependencies=[needs("catalogue.read")],
    response_class=Json,
    responses=answers(RegisterPage, 400, 401, 403, 404),
)
async def register(request: Request, catalogue: Seen, grant: Asker, asked: Annotated[RegisterQuery, Query()]) -> Json:
    """数据目录 · Every point with meaning, unit, range, source, owner, class, retention and national sensor code."""
    chosen = set(catalogue.resolve(asked.point, 2_000).tolist()) if any(asked.point) else None
    if any(asked.equipment):
        of_equipment = set(catalogue.equipment(asked.equipment).tolist())
        chosen = of_equipment if chosen is None else chosen & of_equipment
    whole: Register = request.app.state.register
    site, points = catalogue.site, catalogue.points
    day = asked.day or datetime.datetime.now(datetime.UTC).date()

    def look() -> dict[str, Any]:
        held = whole.held(day)
        rows = catalogue.rows if chosen is None else np.intersect1d(catalogue.rows, list(chosen))
        # Few are found, and only these are looked at one by one.
        found = whole.find(asked.q, held, rows)
        if _filters(asked):
            found = [index for index in found if _fits(points[index], site, asked, held)]
        page = found[asked.offset : asked.offset + asked.limit]
        return {
            "total": len(found),
            "offset": asked.offset,
            "day": day.isoformat(),
            "points": [_told(entry(points[index], site, held), grant) for index in page],
        }

    return Json(await anyio.to_thread.run_sync(look))


def _told(entry: dict[str, Any], grant: Grant) -> dict[str, Any]:
    return entry if PLACES in grant.may else {**entry, "source": {**entry["source"], "place": {}}}


def _filters(asked: RegisterQuery) -> bool:
    """Whether anything narrows what was found."""
    return any(getattr(asked, name) for name in _FILTERS)


_FILTERS = ("area", "subsystem", "role", "kind", "retention", "sensor_code", "class_", "owner", "gateway")


def _fits(point: Point, site: Site, asked: RegisterQuery, held: Held) -> bool:
    for wanted, has in ((asked.role, point.role), (asked.kind, point.kind), (asked.retention, point.retention)):
        if wanted and wanted != has:
            return False
    if asked.sensor_code and (point.sensor_code or "none") != asked.sensor_code:
        return False
    if asked.gateway:
        connection = site.connections.get(point.connection)
        if connection is None or connection.gateway != asked.gateway:
            return False
    return _stands(point, site, asked) and _assigned(point, asked, held)


def _stands(point: Point, site: Site, asked: RegisterQuery) -> bool:
    """Whether the point's equipment is of the subsystem and in the area that are asked for."""
    equipment = site.equipment.get(point.equipment)
    if asked.subsystem and (equipment is None or equipment.subsystem != asked.subsystem):
        return False
    if asked.area:
        return equipment is not None and asked.area in site.areas_around(equipment.area)
    return True


def _assigned(point: Point, asked: RegisterQuery, held: Held) -> bool:
    if asked.owner:
        owner = held.owned.of(point)
        if (owner["owner"] if owner is not None else "none") != asked.owner:
            return False
    if asked.class_:
        codes = [each["code"] for each in classes_of(held.classified.of(point), held)] or ["none"]
        return asked.class_ in codes
    return True
