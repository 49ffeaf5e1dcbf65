"""`/api/v1/history`: raw samples or buckets of one or many points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import anyio
import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from middleplatform.api import forms, times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import MAX_POINTS
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import History
from middleplatform.store.client import StoreClient

MAX_ROWS = 1_000_000
DEFAULT_ROWS = 100_000
MAX_BUCKETS = 200_000
"""Points times buckets in one answer."""

_MINUTE = 60 * times.SECOND
_UNITS = ((60 * _MINUTE, 360 * _MINUTE), (15 * _MINUTE, 30 * _MINUTE), (_MINUTE, _MINUTE))
"""What widths that are left to us are multiples of, µs, and from which width on: roll-ups are kept of these."""

OTHER_FORMS = {
    media: {"schema": {"type": "string", "format": "binary"}} for form, media in forms.MEDIA.items() if form != "json"
}

router = APIRouter()


class HistoryQuery(Asked):
    point: Texts = Field(
        min_length=1,
        description=f"测点路径或编号，可重复或以逗号分隔 · paths or ids, repeated or by commas, at most {MAX_POINTS}",
    )
    start: str = Field("-1h", max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs since 1970")
    end: str = Field("now", max_length=60, description="结束（不含） · up to, not with")
    buckets: int | None = Field(None, ge=1, le=20_000, description="分桶数 · how many buckets")
    width: str | None = Field(None, max_length=30, description="桶宽 · a bucket's width, such as 60s")
    limit: int | None = Field(
        None,
        ge=1,
        le=MAX_ROWS,
        description=f"最多样本数 · at most so many raw samples, the rest is cut off and `truncated` says so; "
        f"without it more than {DEFAULT_ROWS} are refused",
    )
    format: Literal["", "json", "csv", "arrow", "parquet", "xlsx"] = Field(
        "", description="格式，缺省按 Accept 头 · form of the answer, else by the Accept header; xlsx by this"
    )


@router.get(
    "/history",
    dependencies=[needs("history.read")],
    response_class=Json,
    responses={
        **answers(History, 400, 401, 404, 406, 503),
        200: {"model": History, "content": OTHER_FORMS, "description": "JSON, CSV, Arrow or Parquet"},
    },
)
async def history(request: Request, catalogue: Seen, asked: Annotated[HistoryQuery, Query()]) -> Response:
    """原始样本或分桶统计 · Raw samples (neither `buckets` nor `width`), or buckets with min, max,
    time-weighted mean, first, last, worst quality and good time (µs); the value that still holds when a
    bucket opens counts in min, max and mean. What the store has received and not yet written is included.
    Buckets begin at `start`; asked for by number and a minute or more wide, they begin and end at whole minutes (from
    half an hour on at whole quarters, from six hours on at whole hours), for which roll-ups are kept, and may be
    fewer. One with neither sample nor good time is absent."""
    rows = catalogue.resolve(asked.point, MAX_POINTS)
    if not len(rows):
        raise ApiError(400, "no_point", "请指明测点", "name a point: its path or its id", "point")
    form = asked.format or forms.accepted(request.headers.get("accept", ""))
    begin, finish = times.parse_range(asked.start, asked.end, times.now_us())
    begin = aligned(begin, finish, asked.buckets)
    width = bucket_width(begin, finish, asked.buckets, asked.width, len(rows))
    if width is not None and asked.limit is not None:
        raise ApiError(
            400, "limit_of_raw", "limit 只用于原始样本", "limit is for raw samples, not for buckets", "limit"
        )
    ids = [catalogue.points[row].id for row in rows.tolist()]
    limit = asked.limit or DEFAULT_ROWS
    question = _raw(ids, begin, finish, limit + 1) if width is None else _buckets(ids, begin, finish, width)
    table = await request.app.state.door.ask(question)
    truncated = width is None and table.num_rows > limit
    if truncated and asked.limit is None:
        raise ApiError(
            400,
            "too_many_rows",
            f"样本超过 {limit} 条：请缩短时段，或用 buckets=500 分桶，或给出 limit（至多 {MAX_ROWS}）",
            f"more than {limit} samples: take a shorter range, or buckets=500, or give a limit (at most {MAX_ROWS})",
            "limit",
            limit=limit,
        )
    shown = table.slice(0, limit) if truncated else table
    kind: Literal["samples", "buckets"] = "samples" if width is None else "buckets"
    answer = forms.Answer(catalogue, rows, shown, begin, finish, width, truncated, kind)
    return await anyio.to_thread.run_sync(forms.write, answer, form)


def bucket_width(begin: int, finish: int, buckets: int | None, width: str | None, points: int) -> int | None:
    """A bucket's width in µs; None for raw samples. Raises ApiError 400."""
    if buckets is not None and width is not None:
        raise ApiError(400, "both", "buckets 与 width 只能给一个", "give buckets or width, not both", "width")
    if buckets is None and width is None:
        return None
    if width is not None:
        step = times.parse_duration(width, "width")
    else:
        step = -(-(finish - begin) // (buckets or 1))
        whole = _whole(step)
        step = -(-step // whole) * whole
    if not 0 < step <= 3_660 * 86_400 * times.SECOND:
        raise ApiError(
            400,
            "invalid_width",
            "桶宽须大于零且不超过 3660 天",
            "a bucket's width must be above 0 and at most 3660 days",
            "width" if width is not None else "buckets",
        )
    count = -(-(finish - begin) // step) * points
    if count > MAX_BUCKETS:
        raise ApiError(
            400,
            "too_many_buckets",
            f"共 {count} 个桶，最多 {MAX_BUCKETS}：请加宽，或减少测点",
            f"{count} buckets over all points, at most {MAX_BUCKETS}: make them wider, or name fewer points",
            "width" if width is not None else "buckets",
            limit=MAX_BUCKETS,
        )
    return step


def _whole(step: int) -> int:
    """The unit of which buckets of about `step` µs are made when their width is left to us: roll-ups answer those of
    whole minutes, longer ones of whole quarters and long ones of whole hours."""
    return next((unit for unit, least in _UNITS if step >= least), 1)


def aligned(begin: int, finish: int, buckets: int | None) -> int:
    """The start of a range that is cut in so many buckets, moved back to a whole minute or hour."""
    whole = _whole(-(-(finish - begin) // buckets)) if buckets is not None else 1
    return begin // whole * whole


def _raw(ids: list[int], begin: int, finish: int, limit: int) -> Callable[[StoreClient], pa.Table]:
    return lambda store: store.raw(ids, begin, finish, limit)


def _buckets(ids: list[int], begin: int, finish: int, width: int) -> Callable[[StoreClient], pa.Table]:
    return lambda store: store.buckets(ids, begin, finish, width)
