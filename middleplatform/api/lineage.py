"""`/api/v1/lineage`: where a value comes from."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.access.tokens import Grant
from middleplatform.api import times
from middleplatform.api.auth import PLACES, Asker, Seen, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.governance import lineage
from middleplatform.governance.lineage import Graph, NotThen
from middleplatform.governance.sight import sees

MAX_WIDTH = 400 * 86_400 * times.SECOND

router = APIRouter(tags=["governance"])


class LineageOf(BaseModel):
    """`nodes` by `kind` (rollup, point, address, connection, gateway, equipment, template, role, dictionary, manual);
    `edges` lead from what was made to what it was made of. `site_version`: the one that held then, null when none is on
    record and the answer is of what runs now. `hidden`: inputs that you may not see. `bucket`: of a roll-up, what the
    store counts in it."""

    root: str
    at: int
    time: str
    site_version: dict[str, Any] | None
    nodes: list[dict[str, Any]]
    edges: list[dict[str, str]]
    hidden: int
    bucket: dict[str, Any] | None


class LineageQuery(Asked):
    point: str = Field(min_length=1, max_length=140, description="测点路径或编号 · a point by path or id")
    at: str = Field("now", max_length=60, description="时刻 · the instant of the value; of a bucket its start")
    width: str | None = Field(None, max_length=30, description="桶宽，查询汇总值时给出 · of a roll-up, such as 1m")


@router.get(
    "/lineage",
    dependencies=[needs("lineage.read")],
    response_class=Json,
    responses=answers(LineageOf, 400, 401, 403, 404, 503),
)
async def of_value(request: Request, catalogue: Seen, grant: Asker, asked: Annotated[LineageQuery, Query()]) -> Json:
    """数据血缘 · From a value, or with `width` a roll-up, back to points, device address, connection and gateway, with
    the versions of site, rule, template and dictionary that were in force, and what people corrected."""
    point = catalogue.points[catalogue.one(asked.point)]
    at = times.parse_time(asked.at, times.now_us(), "at")
    whole, where = request.app.state.catalogue.site, request.app.state.database
    seen = sees(whole, catalogue.site)
    bucket = None
    if asked.width is not None:
        width = times.parse_duration(asked.width, "width")
        if not 0 < width <= MAX_WIDTH:
            raise ApiError(400, "invalid_duration", "桶宽应在 400 天以内", "a width is from 1 µs to 400 days", "width")
        table = await request.app.state.door.ask(lambda store: store.buckets([point.id], at, at + width, width))
        bucket = next(iter(table.drop_columns(["point"]).to_pylist()), {"ts": at, "n": 0, "good_us": 0})

    def look() -> Graph:
        if asked.width is not None:
            return lineage.of_rollup(where, whole, seen, point.path, at, width)
        return lineage.of_point(where, whole, seen, point.path, at)

    try:
        graph = await anyio.to_thread.run_sync(look)
        version = await anyio.to_thread.run_sync(lineage.version_at, where, whole.code, at)
    except NotThen as error:
        raise ApiError(
            404,
            "not_then",
            f"{times.iso(at)} 生效的配置版本 {error.version} 中没有该测点",
            f"the site's version {error.version}, which held at {times.iso(at)}, has no such point",
            "at",
        ) from None
    return Json(
        {
            "root": graph.root,
            "at": at,
            "time": times.iso(at),
            "site_version": None
            if version is None
            else {
                "version": version.version,
                "number": version.number,
                "who": version.who,
                "at": version.at,
                "digest": version.digest,
            },
            "nodes": [_told(node, grant) for node in graph.nodes.values()],
            "edges": [{"from": made, "to": of, "how": how} for made, of, how in graph.edges],
            "hidden": graph.hidden,
            "bucket": bucket,
        }
    )


def _told(node: dict[str, Any], grant: Grant) -> dict[str, Any]:
    return node if PLACES in grant.may else {key: fact for key, fact in node.items() if key != "place"}
