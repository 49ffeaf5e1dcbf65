"""`/api/v1/map`: the mine's map, as far as the caller sees the mine."""

from __future__ import annotations

from typing import Literal

import anyio
from fastapi import APIRouter
from pydantic import BaseModel

from middleplatform.api.auth import Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.schemas import Words
from middleplatform.minemap.drawing import drawing

router = APIRouter(prefix="/map", tags=["data"])


class FeatureFacts(BaseModel):
    """`rings`: positions [east, north, east, north, …] in whole cm from the origin; of an area its edge, then its
    holes. `facts`: what else the map's file says."""

    id: str
    layer: str
    name: Words
    kind: Literal["Point", "LineString", "Polygon"]
    rings: list[list[int]]
    equipment: str | None
    area: str | None
    facts: dict[str, str | float]


class Map(BaseModel):
    """`origin`: [east, north] in m of the coordinate `system`; both null where the site names none."""

    system: str | None
    origin: list[float] | None
    features: list[FeatureFacts]


@router.get("", dependencies=[needs("live.read")], response_class=Json, responses=answers(Map, 401, 403))
async def minemap(catalogue: Seen) -> Json:
    """全矿一张图 · The mine's map: features by layer, in the site's own plane coordinates."""
    return Json(await anyio.to_thread.run_sync(lambda: drawing(catalogue.site, whole=catalogue.scope.everything)))
