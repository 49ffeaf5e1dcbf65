"""`/api/v1/quality`: how good the data is, of points, equipment, subsystems or the mine, by hour or day."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import anyio
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.door import StoreDoor
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import Words
from middleplatform.store.client import INCOMPLETE, StoreClient
from models.quality import label

HOUR, DAY = 3_600_000_000, 86_400_000_000
MOST_POINTS = 100_000
"""Points that may be named or meant by one question."""
MOST_ROWS = 20_000
MOST_CELLS = 100_000
"""Scores that one question for a grid computes; of these it answers a part."""

router = APIRouter(tags=["quality"])


class QualityQuery(Asked):
    by: Literal["point", "equipment", "subsystem", "mine"] = Field("mine", description="归并 · of what")
    width: Literal["hour", "day"] = Field("hour", description="小时或（本地）日 · hours, or days of local time")
    point: Texts = Field([], description="测点，缺省为全部 · points by path or id; neither point nor equipment: all")
    equipment: Texts = Field([], description="设备 · equipment ids")
    start: str = Field("-1d", max_length=60, description="开始，取整 · from the hour or day that holds it")
    end: str = Field("now", max_length=60, description="结束 · up to the end of the hour or day that holds it")


class GridQuery(QualityQuery):
    subsystem: str = Field("", max_length=40, description="子系统 · category of the equipment's template")
    limit: int = Field(100, ge=1, le=1_000, description="几行 · groups at once")
    offset: int = Field(0, ge=0, le=1_000_000)


class IntervalsQuery(Asked):
    point: Texts = Field([], description="测点，缺省为全部 · points by path or id; neither point nor equipment: all")
    equipment: Texts = Field([], description="设备 · equipment ids")
    start: str = Field("-1d", max_length=60, description="开始 · -10m, ISO 8601 with zone, or µs since 1970")
    end: str = Field("now", max_length=60, description="结束（不含） · up to, not with")
    cause: Literal["", "device", "link", "gateway", "clock", "configuration"] = Field("", description="原因 · cause")
    least: str = Field("0s", max_length=30, description="至少多长 · how long one lasts at least, such as 1m")
    limit: int = Field(1_000, ge=1, le=10_000)


class Interval(BaseModel):
    """`quality`: null where silent. `breaks`: the rule of validity that was broken."""

    point: str
    begin: str
    end: str
    begin_us: int
    end_us: int
    seconds: float
    cause: str
    breaks: str | None
    quality: int | None
    words: Words


class IntervalsFound(BaseModel):
    """`total`: how many there are, `limit` aside."""

    total: int
    incomplete: bool
    intervals: list[Interval]


class Seconds(BaseModel):
    """How much of the time of all points was good, uncertain, bad, or silent: nothing known."""

    good: float
    uncertain: float
    bad: float
    silent: float


class QualityRow(BaseModel):
    """Shares are from 0 to 1, null where nothing is known; `score` from 0 to 100. `causes_s` and `broken_s`: seconds
    that were not good, by cause and by the rule of validity that was broken. `p50_ms`, `p99_ms`: from a sample's time
    until it was stored."""

    of: str
    time: str
    ts: int
    points: int
    samples: int
    score: float | None
    completeness: float | None
    timeliness: float | None
    validity: float | None
    consistency: float | None
    uniqueness: float | None
    p50_ms: float | None
    p99_ms: float | None
    polls_due: int
    polls_answered: int
    seconds: Seconds
    causes_s: dict[str, float]
    broken_s: dict[str, float]


class QualityFound(BaseModel):
    """`incomplete`: hours that are open, or that late samples touched just now, may lack."""

    by: str
    width_us: int
    incomplete: bool
    rows: list[QualityRow]


class GridRow(BaseModel):
    """`scores`: from 0 to 100, one for each of the grid's times, null where nothing is known; `score`: their mean."""

    of: str
    points: int
    score: float | None
    scores: list[float | None]


class QualityGrid(BaseModel):
    """`times`: begins of the hours or days, µs UTC. `total`: groups there are, `limit` aside."""

    by: str
    width_us: int
    incomplete: bool
    times: list[int]
    total: int
    offset: int
    rows: list[GridRow]


@router.get(
    "/quality",
    dependencies=[needs("quality.read")],
    response_class=Json,
    responses=answers(QualityFound, 400, 401, 403, 404, 503),
)
async def quality(request: Request, catalogue: Seen, asked: Annotated[QualityQuery, Query()]) -> Json:
    """数据质量 · Completeness, timeliness, validity, consistency and uniqueness, with a score, of each point,
    equipment, subsystem or the mine, by hour or day; what has come and is not yet written is included."""
    rows = chosen(catalogue, asked.point, asked.equipment)
    if not rows:
        return Json({"by": asked.by, "width_us": HOUR, "incomplete": False, "rows": []})
    names, table, width = await _assessed(request, catalogue, asked, rows, MOST_ROWS)
    incomplete = INCOMPLETE in (table.schema.metadata or {})
    made = await anyio.to_thread.run_sync(_rows, table, names)
    return Json({"by": asked.by, "width_us": width, "incomplete": incomplete, "rows": made})


@router.get(
    "/quality/grid",
    dependencies=[needs("quality.read")],
    response_class=Json,
    responses=answers(QualityGrid, 400, 401, 403, 404, 503),
)
async def grid(request: Request, catalogue: Seen, asked: Annotated[GridQuery, Query()]) -> Json:
    """质量热图 · The scores alone, of each group one for each hour or day, the worst group first: by the mean of its
    scores that are known; groups of which none is known come last."""
    rows = chosen(catalogue, asked.point, asked.equipment)
    if asked.subsystem:
        of = {name for name, each in catalogue.site.equipment.items() if each.subsystem == asked.subsystem}
        rows = [row for row in rows if catalogue.points[row].equipment.rpartition("/")[2] in of]
    if not rows:
        empty = {"times": [], "total": 0, "offset": asked.offset, "rows": []}
        return Json({"by": asked.by, "width_us": HOUR, "incomplete": False, **empty})
    names, table, width = await _assessed(request, catalogue, asked, rows, MOST_CELLS)
    incomplete = INCOMPLETE in (table.schema.metadata or {})
    made = await anyio.to_thread.run_sync(_grid, table, names, asked.offset, asked.limit)
    return Json({"by": asked.by, "width_us": width, "incomplete": incomplete, "offset": asked.offset, **made})


async def _assessed(
    request: Request, catalogue: Catalogue, asked: QualityQuery, rows: list[int], most: int
) -> tuple[list[str], pa.Table, int]:
    """The groups' names, what the store says of them, and the width of its windows in µs. Raises ApiError."""
    names, groups = _groups(catalogue, rows, asked.by)
    begin, finish = times.parse_range(asked.start, asked.end, times.now_us())
    width = HOUR if asked.width == "hour" else DAY
    start = _floor(begin, asked.width, catalogue.site.time_zone)
    count = -(-(finish - start) // width) * len(names)
    if count > most:
        raise ApiError(
            400,
            "too_many_values",
            f"共 {count} 行，最多 {most}：请缩短时段或改用更粗的归并",
            f"{count} rows, at most {most}: take a shorter range, days, or a wider grouping",
            "start",
            limit=most,
        )
    ids = [catalogue.points[row].id for row in rows]
    return names, await _ask(request, lambda store: store.quality(ids, groups, start, finish, width)), width


@router.get(
    "/quality/intervals",
    dependencies=[needs("quality.read")],
    response_class=Json,
    responses=answers(IntervalsFound, 400, 401, 403, 404, 503),
)
async def intervals(request: Request, catalogue: Seen, asked: Annotated[IntervalsQuery, Query()]) -> Json:
    """不良区间 · Every stretch in which a point was not good or silent, with its cause, by begin; when there are more
    than `limit` the longest of them."""
    rows = chosen(catalogue, asked.point, asked.equipment)
    begin, finish = times.parse_range(asked.start, asked.end, times.now_us())
    least = times.parse_duration(asked.least, "least")
    if not rows:
        return Json({"total": 0, "incomplete": False, "intervals": []})
    ids = [catalogue.points[row].id for row in rows]
    cause, limit = asked.cause or None, asked.limit
    table = await _ask(request, lambda store: store.quality_intervals(ids, begin, finish, cause, least, limit))
    incomplete = INCOMPLETE in (table.schema.metadata or {})
    made = await anyio.to_thread.run_sync(_listed, table, dict(zip(ids, rows, strict=True)), catalogue)
    total = table.column("of")[0].as_py() if table.num_rows else 0
    return Json({"total": total, "incomplete": incomplete, "intervals": made})


def _listed(table: pa.Table, row_of: dict[int, int], catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "point": catalogue.points[row_of[row["point"]]].path,
            "begin": times.iso(row["begin"]),
            "end": times.iso(row["end"]),
            "begin_us": row["begin"],
            "end_us": row["end"],
            "seconds": (row["end"] - row["begin"]) / 1e6,
            "cause": row["cause"],
            "breaks": row["breaks"] or None,
            "quality": None if row["silent"] else row["quality"],
            "words": _SILENCE if row["silent"] else {each: label(row["quality"], each) for each in ("zh", "en")},
        }
        for row in table.to_pylist()
    ]


_SILENCE = {
    "zh": "静默：超过最长静默的两倍没有数据",
    "en": "silent: nothing came for over twice the longest silence",
}


def chosen(catalogue: Catalogue, point: list[str], equipment: list[str]) -> list[int]:
    """Indices of the points and of the equipment's points that are named, or of all that are seen. Raises ApiError."""
    found: set[int] = set()
    if any(point):
        found.update(catalogue.resolve(point, MOST_POINTS).tolist())
    if any(equipment):
        found.update(catalogue.equipment(equipment).tolist())
    rows = sorted(found) if any(point) or any(equipment) else catalogue.rows.tolist()
    if len(rows) > MOST_POINTS:
        raise ApiError(
            400,
            "too_many_points",
            f"测点超过 {MOST_POINTS}：请指明设备或测点",
            f"{len(rows)} points, at most {MOST_POINTS} at once: name equipment or points",
            "equipment",
            limit=MOST_POINTS,
        )
    return rows


async def _ask(request: Request, question: Callable[[StoreClient], pa.Table]) -> pa.Table:
    door: StoreDoor = request.app.state.door
    return await door.computed(question, "not_assessed", "无法评价", "this is not assessed")


def _groups(catalogue: Catalogue, rows: list[int], by: str) -> tuple[list[str], list[int]]:
    """The names of the groups, sorted, and the place among them of each point's."""

    def name(row: int) -> str:
        point = catalogue.points[row]
        if by == "point":
            return point.path
        if by == "mine":
            return catalogue.site.code
        short = point.equipment.rpartition("/")[2]
        if by == "equipment":
            return short
        equipment = catalogue.site.equipment.get(short)
        return equipment.subsystem if equipment is not None else ""

    each = [name(row) for row in rows]
    names = sorted(set(each))
    place = {name: index for index, name in enumerate(names)}
    return names, [place[name] for name in each]


def _floor(us: int, width: str, zone: str) -> int:
    """The begin of the hour, or of the local day moved to a whole hour of UTC."""
    if width == "day":
        local = datetime.datetime.fromtimestamp(us // 1_000_000, ZoneInfo(zone))
        us = int(local.replace(hour=0, minute=0, second=0).timestamp()) * 1_000_000
    return us // HOUR * HOUR


def _grid(table: pa.Table, names: list[str], offset: int, limit: int) -> dict[str, Any]:
    windows, column = np.unique(table.column("ts").to_numpy(), return_inverse=True)
    row = table.column("group").to_numpy()
    scores = np.full((len(names), len(windows)), np.nan)
    scores[row, column] = table.column("score").to_numpy(zero_copy_only=False).astype(np.float64)
    points = np.zeros(len(names), np.int64)
    np.maximum.at(points, row, table.column("points").to_numpy())
    known = ~np.isnan(scores)
    count = known.sum(axis=1)
    mean = np.where(count > 0, np.where(known, scores, 0).sum(axis=1) / np.maximum(count, 1), np.inf)
    order = np.argsort(mean, kind="stable")[offset : offset + limit].tolist()
    return {
        "times": windows.tolist(),
        "total": len(names),
        "rows": [
            {
                "of": names[place],
                "points": int(points[place]),
                "score": round(float(mean[place]), 1) if count[place] else None,
                "scores": [None if math.isnan(each) else round(each, 1) for each in scores[place].tolist()],
            }
            for place in order
        ],
    }


_CAUSES = ("device", "link", "gateway", "clock", "configuration")
_RULES = ("range", "rate", "frozen", "null")


def _rows(table: pa.Table, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "of": names[row["group"]],
            "time": times.iso(row["ts"]),
            "ts": row["ts"],
            "points": row["points"],
            "samples": row["n"],
            **{
                name: row[name]
                for name in ("score", "completeness", "timeliness", "validity", "consistency", "uniqueness")
            },
            "p50_ms": row["p50_us"] / 1e3,
            "p99_ms": row["p99_us"] / 1e3,
            "polls_due": row["due"],
            "polls_answered": row["answered"],
            "seconds": {name: row[f"{name}_us"] / 1e6 for name in ("good", "uncertain", "bad", "silent")},
            "causes_s": {name: row[f"{name}_us"] / 1e6 for name in _CAUSES},
            "broken_s": {name: row[f"{name}_us"] / 1e6 for name in _RULES},
        }
        for row in table.to_pylist()
    ]
