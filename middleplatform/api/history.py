"""`/api/v1/history`: raw samples or buckets of one or many points, as JSON, CSV, Arrow or Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Annotated, Any, Literal

import anyio
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Query, Request, Response
from pyarrow import csv, parquet

from middleplatform.api import times
from middleplatform.api.auth import Asker
from middleplatform.api.catalogue import MAX_POINTS, Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json
from middleplatform.store.client import StoreClient

MAX_ROWS = 1_000_000
MAX_BUCKETS = 100_000
"""Points times buckets in one answer."""
DEFAULT_RANGE_US = 3_600_000_000

router = APIRouter()
Format = Literal["json", "csv", "arrow", "parquet"]


@router.get("/history", response_class=Json)
async def history(
    request: Request,
    _: Asker,
    point: Annotated[
        list[str],
        Query(description=f"测点路径或编号，可重复或以逗号分隔 · path or id, repeated or by commas, ≤ {MAX_POINTS}"),
    ],
    start: Annotated[
        str, Query(max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs since 1970")
    ] = "-1h",
    end: Annotated[str, Query(max_length=60, description="结束（不含） · up to, not with")] = "now",
    buckets: Annotated[int | None, Query(ge=1, le=20_000, description="分桶数 · how many buckets")] = None,
    width: Annotated[str | None, Query(max_length=30, description="桶宽 · a bucket's width, such as 60s")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS, description="原始样本上限 · most raw samples")] = 100_000,
    format: Annotated[Format, Query(description="格式 · form of the answer")] = "json",  # noqa: A002
) -> Response:
    """原始样本或分桶统计 · Raw samples (neither `buckets` nor `width`), or buckets with min, max,
    time-weighted mean, first, last, worst quality and good time. What the store has received and not
    yet written is included."""
    catalogue: Catalogue = request.app.state.catalogue
    rows = catalogue.find(point)
    now = times.now_us()
    begin, finish = times.parse(start, "start", now), times.parse(end, "end", now)
    if begin >= finish:
        raise ApiError(400, "empty_range", "开始须早于结束", "the range is empty: start must lie before end", "start")
    ids = [catalogue.points[row].id for row in rows]
    step = _width(begin, finish, buckets, width, len(rows))
    question = _raw(ids, begin, finish, limit) if step is None else _buckets(ids, begin, finish, step)
    table = await request.app.state.door.ask(question)
    if step is None and table.num_rows > limit:
        raise ApiError(
            400, "too_many_rows", f"样本超过 {limit} 条：请缩短时段、使用 buckets=，或提高 limit（至多 {MAX_ROWS}）",
            f"more than {limit} samples: ask for a shorter range, for buckets=, or a higher limit (at most {MAX_ROWS})",
            "limit",
        )  # fmt: skip
    write = {"json": _json, "csv": _csv, "arrow": _arrow, "parquet": _parquet}[format]
    return await anyio.to_thread.run_sync(write, catalogue, rows, table, step)


def _width(begin: int, finish: int, buckets: int | None, width: str | None, points: int) -> int | None:
    """A bucket's width in µs; None for raw samples."""
    if buckets is not None and width is not None:
        raise ApiError(400, "both", "buckets 与 width 只能给一个", "give buckets or width, not both", "width")
    if buckets is None and width is None:
        return None
    step = times.span_us(width, "width") if width is not None else -(-(finish - begin) // (buckets or 1))
    if step <= 0:
        raise ApiError(400, "bad_span", "桶宽须大于零", "a bucket's width must be above 0", "width")
    count = -(-(finish - begin) // step) * points
    if count > MAX_BUCKETS:
        raise ApiError(
            400, "too_many_buckets", f"共 {count} 个桶，最多 {MAX_BUCKETS}：请加宽",
            f"{count} buckets over all points, at most {MAX_BUCKETS}: make them wider", "width",
        )  # fmt: skip
    return step


def _raw(ids: list[int], begin: int, finish: int, limit: int) -> Callable[[StoreClient], pa.Table]:
    return lambda store: store.raw(ids, begin, finish, limit + 1)


def _buckets(ids: list[int], begin: int, finish: int, step: int) -> Callable[[StoreClient], pa.Table]:
    return lambda store: store.buckets(ids, begin, finish, step)


def _json(catalogue: Catalogue, rows: list[int], table: pa.Table, step: int | None) -> Response:
    """One object a point with its columns side by side."""
    points = table.column("point").to_numpy()
    key = "samples" if step is None else "buckets"
    series: list[dict[str, Any]] = []
    for row in rows:
        point = catalogue.points[row]
        part = table.filter(pa.array(points == np.uint64(point.id)))
        columns: dict[str, Any] = {}
        for name in part.schema.names:
            if name == "point":
                continue
            column = part.column(name)
            if name == "text":
                if column.null_count < len(column):
                    columns[name] = column.to_pylist()
                continue
            columns[name] = np.ascontiguousarray(column.to_numpy())
        series.append({"point": point.path, "id": str(point.id), "unit": point.unit, key: columns})
    body: dict[str, Any] = {"series": series}
    if step is not None:
        body["width_us"] = step
    return Json(body)


def _with_paths(catalogue: Catalogue, table: pa.Table) -> pa.Table:
    """The table with the points' paths in front of their ids."""
    rows = catalogue.rows_of_ids(table.column("point").to_numpy())
    used, place = np.unique(rows, return_inverse=True)
    names = pa.array([catalogue.points[row].path for row in used.tolist()], pa.string())
    paths = pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), names)
    return table.add_column(0, "path", paths)


def _csv(catalogue: Catalogue, _: list[int], table: pa.Table, __: int | None) -> Response:
    full = _with_paths(catalogue, table)
    full = full.set_column(0, "path", full.column("path").cast(pa.string()))
    moment = pc.strftime(full.column("ts").cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%SZ")
    full = full.add_column(1, "time", moment)
    if "text" in full.schema.names and full.column("text").null_count == full.num_rows:
        full = full.drop_columns(["text"])
    sink = io.BytesIO()
    sink.write("\ufeff".encode())  # Excel then reads it as UTF-8
    csv.write_csv(full, sink)
    headers = {"Content-Disposition": 'attachment; filename="history.csv"'}
    return Response(sink.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _arrow(catalogue: Catalogue, _: list[int], table: pa.Table, __: int | None) -> Response:
    sink = pa.BufferOutputStream()
    full = _with_paths(catalogue, table)
    with pa.ipc.new_stream(sink, full.schema) as writer:
        writer.write_table(full)
    return Response(sink.getvalue().to_pybytes(), media_type="application/vnd.apache.arrow.stream")


def _parquet(catalogue: Catalogue, _: list[int], table: pa.Table, __: int | None) -> Response:
    sink = io.BytesIO()
    parquet.write_table(_with_paths(catalogue, table), sink, compression="zstd")
    headers = {"Content-Disposition": 'attachment; filename="history.parquet"'}
    return Response(sink.getvalue(), media_type="application/vnd.apache.parquet", headers=headers)
