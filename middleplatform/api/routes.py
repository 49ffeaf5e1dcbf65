"""The small routes: health, sign-in, points, live, events."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Annotated, Any

import anyio
import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.access.throttle import Throttle
from middleplatform.access.tokens import create_token
from middleplatform.access.users import check_password
from middleplatform.api import times
from middleplatform.api.auth import Asker
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.live import NEVER, LiveTable
from middleplatform.api.responses import Json
from middleplatform.store.client import StoreClient, StoreError

SESSION_DAYS = 1.0
FREE_BY_USER, FREE_BY_ADDRESS = 5, 50
"""Attempts to sign in that need not wait."""
LIVE_MOST = 10_000

router = APIRouter()


class Health(BaseModel):
    """What works now. `degraded` says in words what does not."""

    status: str
    version: str
    mine: str
    store: bool
    bus: bool
    live_age_s: float | None
    degraded: list[str]


@router.get("/health", tags=["open"])
async def health(request: Request) -> Health:
    """是否正常，无需令牌 · How it goes; the one route that needs no token."""
    state = request.app.state
    degraded = []
    try:
        await state.door.ask(StoreClient.status)
        store = True
    except StoreError as error:
        store = False
        degraded.append(f"store: {error}")
    if not state.bus.connected:
        degraded.append("bus: not connected, live values stand still")
    table: LiveTable = state.live
    age = None if table.newest == NEVER else round((times.now_us() - table.newest) / 1e6, 3)
    if age is None or age > 60:
        degraded.append("live: nothing new for a minute")
    return Health(
        status="degraded" if degraded else "ok",
        version=version("sevenones"),
        mine=state.catalogue.site.code,
        store=store,
        bus=state.bus.connected,
        live_age_s=age,
        degraded=degraded,
    )


class SignIn(BaseModel):
    user: str = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=200)


@router.post("/sign-in", tags=["open"])
async def sign_in(request: Request, given: SignIn) -> dict[str, Any]:
    """用户名与密码换取一天有效的令牌 · A token for a day, for user and password."""
    throttle: Throttle = request.app.state.throttle
    address = request.client.host if request.client else ""
    keys = {(given.user, address): FREE_BY_USER, address: FREE_BY_ADDRESS}
    if wait := throttle.begin(keys):
        raise ApiError(
            429, "throttled", f"失败次数过多，请 {wait:.0f} 秒后再试", f"too many failures: wait {wait:.0f} s",
            headers={"Retry-After": str(int(wait) + 1)},
        )  # fmt: skip
    home = request.app.state.home
    role = await anyio.to_thread.run_sync(check_password, home, given.user, given.password)
    if role is None:
        raise ApiError(401, "wrong_sign_in", "用户名或密码错误", "the user or the password is wrong")
    throttle.succeeded(list(keys))
    token = await anyio.to_thread.run_sync(create_token, home, "sign-in", role, SESSION_DAYS, given.user)
    return {"token": token, "user": given.user, "role": role, "expires_s": int(SESSION_DAYS * 86_400)}


@router.get("/points", response_class=Json)
async def points(
    request: Request,
    _: Asker,
    q: Annotated[str, Query(max_length=200, description="搜索（中英文） · words to look for")] = "",
    equipment: Annotated[str | None, Query(max_length=100)] = None,
    role: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Json:
    """测点目录 · The points: meaning, unit, range, limits, source."""
    catalogue: Catalogue = request.app.state.catalogue
    found = catalogue.search(q, equipment, role)
    chosen = found[offset : offset + limit]
    return Json({"total": len(found), "points": [catalogue.describe(row) for row in chosen]})


def chosen_rows(catalogue: Catalogue, point: list[str], equipment: str | None) -> np.ndarray:
    """Rows of the points named, or of an equipment, or all. Raises ApiError."""
    if point:
        return np.array(catalogue.find(point, most=LIVE_MOST), np.intp)
    if equipment is not None and equipment not in catalogue.site.equipment:
        raise ApiError(
            404,
            "unknown_equipment",
            f"没有设备“{equipment[:80]}”",
            f"there is no equipment '{equipment[:80]}'",
            "equipment",
        )
    return np.array(catalogue.search("", equipment, None), np.intp)


@router.get("/live", response_class=Json)
async def live(
    request: Request,
    _: Asker,
    point: Annotated[list[str] | None, Query(description="测点，缺省为全部 · points; none: all")] = None,
    equipment: Annotated[str | None, Query(max_length=100)] = None,
) -> Json:
    """当前值 · What each point is now. What is stale is bad, however good it was."""
    now = times.now_us()
    rows = chosen_rows(request.app.state.catalogue, point or [], equipment)
    if len(rows) > LIVE_MOST:
        raise ApiError(
            400, "too_many_points", f"测点超过 {LIVE_MOST}：请指明设备或测点",
            f"more than {LIVE_MOST} points: name an equipment or points", "equipment",
        )  # fmt: skip
    table: LiveTable = request.app.state.live
    return Json({"time": times.iso(now), "ts": now, "values": table.describe(rows, now)})


@router.get("/events", response_class=Json)
async def events(
    request: Request,
    _: Asker,
    equipment: Annotated[str | None, Query(max_length=100, description="设备编号 · an equipment's id")] = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    start: Annotated[str, Query(max_length=60)] = "-1d",
    end: Annotated[str, Query(max_length=60)] = "now",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> Json:
    """事件 · Events that touch the range."""
    now = times.now_us()
    begin, finish = times.parse(start, "start", now), times.parse(end, "end", now)
    if begin >= finish:
        raise ApiError(400, "empty_range", "开始须早于结束", "the range is empty: start must lie before end", "start")
    if equipment is not None and "/" not in equipment:
        equipment = f"{request.app.state.catalogue.site.code}/{equipment}"
    table = await request.app.state.door.ask(lambda store: store.events(equipment, kind, begin, finish, limit))
    rows = table.to_pylist()
    for row in rows:
        row["attributes"] = json.loads(row["attributes"])
    return Json({"events": rows})
