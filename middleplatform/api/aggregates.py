"""Aggregates over raw samples: integral, state durations, quantiles, and points on one grid."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

import anyio
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from pydantic import Field

from middleplatform.api import forms, times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import MAX_POINTS, Catalogue
from middleplatform.api.door import StoreDoor
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.history import OTHER_FORMS, bucket_width
from middleplatform.api.responses import Json, answers, encode
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import History, Joined
from middleplatform.store.client import INCOMPLETE, StoreClient

MAX_CELLS = 1_000_000
"""Points times instants in one answer."""
MAX_SHARES = 20
_SHARE = re.compile(r"[01](?:\.[0-9]{1,6})?", re.ASCII)

router = APIRouter()


class RangeQuery(Asked):
    point: Texts = Field(
        min_length=1,
        description=f"测点路径或编号，可重复或以逗号分隔 · paths or ids, repeated or by commas, at most {MAX_POINTS}",
    )
    start: str = Field("-1h", max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs since 1970")
    end: str = Field("now", max_length=60, description="结束（不含） · up to, not with")
    format: Literal["", "json", "csv", "arrow", "parquet"] = Field(
        "", description="格式，缺省按 Accept 头 · form of the answer; without it the Accept header says"
    )


class BucketQuery(RangeQuery):
    width: str | None = Field(None, max_length=30, description="桶宽，缺省为整个时段 · default: one for the range")


class QuantileQuery(BucketQuery):
    q: str = Field("0.05,0.5,0.95", max_length=200, description="分位数，0 至 1 · from 0 to 1, by commas")


class GridQuery(RangeQuery):
    step: str = Field("1m", max_length=30, description="网格间隔 · from one instant to the next")


class JoinQuery(GridQuery):
    quality: bool = Field(False, description="是否附质量列 · whether the qualities come along")


def _described(model: Any) -> dict[str, Any]:
    return {
        "dependencies": [needs("history.read")],
        "response_class": Json,
        "responses": {
            **answers(model, 400, 401, 404, 406, 503),
            200: {"model": model, "content": OTHER_FORMS, "description": "JSON, CSV, Arrow or Parquet"},
        },
    }


@router.get("/aggregates/integral", **_described(History))
async def integral(request: Request, catalogue: Seen, asked: Annotated[BucketQuery, Query()]) -> Response:
    """积分 · The integral of each point over its good time: `integral` in the point's unit times seconds, and
    `good_us`. Nothing is made up for time that is not good or not known: compare `good_us` with the width."""
    return await _buckets(request, catalogue, asked, StoreClient.integral)


@router.get("/aggregates/states", **_described(History))
async def states(request: Request, catalogue: Seen, asked: Annotated[BucketQuery, Query()]) -> Response:
    """状态时长 · For each state how long (`duration_us`) and how often (`times`) a point was in it. The rows of a
    bucket sum to its width: the row whose state is null is time that is not good or not known."""
    return await _buckets(request, catalogue, asked, StoreClient.states)


@router.get("/aggregates/quantiles", **_described(History))
async def quantiles(request: Request, catalogue: Seen, asked: Annotated[QuantileQuery, Query()]) -> Response:
    """分位数 · Weighted by time: `p95` is the least value that the point was at or below for 95 % of its good time."""
    shares = _shares(asked.q)
    return await _buckets(request, catalogue, asked, partial(StoreClient.quantiles, shares=shares))


@router.get("/resample", **_described(History))
async def resample(request: Request, catalogue: Seen, asked: Annotated[GridQuery, Query()]) -> Response:
    """重采样 · What each point was at start, start + step, …: the last sample's value while it holds, at most for
    the point's hold age. Without a good value there it is null, and `quality` says why (20: none holds any more)."""
    grid = await _grid(request, catalogue, asked)
    answer = forms.Answer(catalogue, grid.rows, grid.table, grid.start, grid.end, grid.step)
    return await anyio.to_thread.run_sync(forms.write, answer, grid.form)


@router.get("/join", **_described(Joined))
async def join(request: Request, catalogue: Seen, asked: Annotated[JoinQuery, Query()]) -> Response:
    """对齐连接 · Many points side by side on one grid, as `resample` has each of them: a row an instant, a column a
    point (CSV, Arrow, Parquet; with `quality=true` also `<point>:quality`)."""
    grid = await _grid(request, catalogue, asked)
    return await anyio.to_thread.run_sync(_joined, catalogue, grid, asked.quality)


class _Grid:
    """A grid as it came: `rows` the points named, `table` dense by ascending id, µs."""

    def __init__(self, rows: NDArray[np.intp], table: pa.Table, start: int, end: int, step: int, form: str) -> None:
        self.rows, self.table, self.start, self.end, self.step, self.form = rows, table, start, end, step, form


async def _grid(request: Request, catalogue: Catalogue, asked: GridQuery) -> _Grid:
    rows, start, end, form = _range(request, catalogue, asked)
    step = times.parse_duration(asked.step, "step")
    if step <= 0:
        raise ApiError(400, "invalid_width", "间隔须大于零", "the step must be above 0", "step")
    cells = -(-(end - start) // step) * len(rows)
    if cells > MAX_CELLS:
        raise ApiError(
            400,
            "too_many_values",
            f"共 {cells} 个值，最多 {MAX_CELLS}：请加大间隔、缩短时段或减少测点",
            f"{cells} values over all points, at most {MAX_CELLS}: take a longer step, a shorter range or fewer points",
            "step",
            limit=MAX_CELLS,
        )
    table = await _ask(request, lambda store: store.grid(_ids(catalogue, rows), start, end, step))
    return _Grid(rows, table, start, end, step, form)


async def _buckets(
    request: Request, catalogue: Catalogue, asked: BucketQuery, question: Callable[..., pa.Table]
) -> Response:
    rows, start, end, form = _range(request, catalogue, asked)
    width = bucket_width(start, end, None if asked.width else 1, asked.width or None, len(rows))
    width = min(width or 0, end - start)  # one for the whole range is exactly that
    table = await _ask(request, lambda store: question(store, _ids(catalogue, rows), start, end, width))
    answer = forms.Answer(catalogue, rows, table, start, end, width, kind="buckets")
    return await anyio.to_thread.run_sync(forms.write, answer, form)


def _range(request: Request, catalogue: Catalogue, asked: RangeQuery) -> tuple[NDArray[np.intp], int, int, str]:
    """Rows of the points, start and end in µs, form. Raises ApiError."""
    rows = catalogue.resolve(asked.point, MAX_POINTS)
    if not len(rows):
        raise ApiError(400, "no_point", "请指明测点", "name a point: its path or its id", "point")
    form = asked.format or forms.accepted(request.headers.get("accept", ""))
    return rows, *times.parse_range(asked.start, asked.end, times.now_us()), form


def _ids(catalogue: Catalogue, rows: NDArray[np.intp]) -> list[int]:
    return [catalogue.points[row].id for row in rows.tolist()]


async def _ask(request: Request, question: Callable[[StoreClient], pa.Table]) -> pa.Table:
    door: StoreDoor = request.app.state.door
    return await door.computed(question, "not_computed", "无法计算", "this is not computed")


def _shares(text: str) -> list[int]:
    """Parts of a million. Raises ApiError 400."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(_SHARE.fullmatch(word) and float(word) <= 1 for word in words):
        raise ApiError(
            400,
            "invalid_quantile",
            f"“{shown(text)}”不是分位数：0 至 1 之间，至多六位小数，以逗号分隔",
            f"'{shown(text)}' are not quantiles: from 0 to 1 with at most six decimals, separated by commas",
            "q",
        )
    shares = list(dict.fromkeys(round(float(word) * 1_000_000) for word in words))
    if len(shares) > MAX_SHARES:
        raise ApiError(
            400, "too_many_quantiles", f"分位数最多 {MAX_SHARES} 个", f"at most {MAX_SHARES} quantiles at once", "q"
        )
    return shares


def _joined(catalogue: Catalogue, grid: _Grid, quality: bool) -> Response:
    ids = np.array(_ids(catalogue, grid.rows), np.uint64)
    place = np.searchsorted(np.sort(ids), ids).tolist()
    value = grid.table.column("value").to_numpy().reshape(len(ids), -1)
    code = grid.table.column("quality").to_numpy().reshape(len(ids), -1)
    ts = grid.table.column("ts").to_numpy()[: value.shape[1]]
    points = [catalogue.points[row] for row in grid.rows.tolist()]
    incomplete = INCOMPLETE in (grid.table.schema.metadata or {})
    headers = {"X-Incomplete": "true" if incomplete else "false"}
    if grid.form != "json":
        columns: dict[str, Any] = {"time": pa.array(ts, pa.timestamp("us", tz="UTC")), "ts": ts}
        for at, point in zip(place, points, strict=True):
            columns[point.path] = value[at]
            if quality:
                columns[f"{point.path}:quality"] = code[at]
        if grid.form in {"csv", "parquet"}:
            headers["Content-Disposition"] = f'attachment; filename="join.{grid.form}"'
        return forms.tabular(pa.table(columns), grid.form, headers)
    body = {
        "start": times.iso(grid.start),
        "end": times.iso(grid.end),
        "start_us": grid.start,
        "end_us": grid.end,
        "step_us": grid.step,
        "incomplete": incomplete,
        "time": [f"{moment}Z" for moment in ts.astype("M8[us]").astype("U26").tolist()],
        "ts": ts,
        "points": [
            {"point": point.path, "id": str(point.id), "unit": point.unit, "value": value[at]}
            | ({"quality": code[at]} if quality else {})
            for at, point in zip(place, points, strict=True)
        ],
    }
    return Response(encode(body), headers=headers, media_type=forms.MEDIA["json"])
