"""`/api/v1/exports`: files of raw samples, of any size."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import anyio
import numpy as np
from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.access.tokens import Grant
from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.forms import MEDIA
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Texts, chosen_rows
from middleplatform.api.schemas import Words
from middleplatform.audit.log import tell
from middleplatform.export import ExportRefused, Exports, Job, Order, Owner
from middleplatform.export.room import expected_bytes

_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})", re.ASCII)

router = APIRouter()
Id = Annotated[str, Path(pattern="^[0-9a-f]{24}$", max_length=24)]


class ExportOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    point: Texts = Field(
        [], max_length=10_000, description="测点，缺省为全部 · points; neither these nor equipment: all"
    )
    equipment: Texts = Field([], max_length=1_000, description="设备 · equipment ids")
    start: str = Field(max_length=60, description="开始 · -30d, ISO 8601 with zone, or µs since 1970")
    end: str = Field("now", max_length=60, description="结束（不含） · up to, not with; at most now")
    format: Literal["parquet", "arrow", "csv"] = "parquet"


class ExportFacts(BaseModel):
    """`rows_expected` is an upper bound, `bytes_expected` an estimate. `file` is null until the state is `done`.
    `words`: why it failed, or what there is to know. Times are µs since 1970."""

    id: str
    state: Literal["waiting", "running", "done", "failed"]
    format: Literal["parquet", "arrow", "csv"]
    points: int
    start: int
    end: int
    progress: float
    rows: int
    rows_expected: int
    bytes: int
    bytes_expected: int
    created: int
    finished: int | None
    expires: int | None
    incomplete: bool
    words: Words | None
    file: str | None


class ExportList(BaseModel):
    exports: list[ExportFacts]


class Removed(BaseModel):
    removed: str


@router.post(
    "/exports",
    dependencies=[needs("export.run")],
    status_code=202,
    response_class=Json,
    responses={202: {"model": ExportFacts}, **refusals(400, 401, 403, 404, 413, 429, 503)},
)
async def order(request: Request, catalogue: Seen, grant: Asker, ordered: ExportOrder) -> Json:
    """导出原始样本到文件 · Have raw samples written to a file: answers with the export's id at once; ask for its
    progress, then fetch the file. In the order of day (UTC), point id and time. It is kept for a day."""
    rows = chosen_rows(catalogue, ordered.point, ordered.equipment)
    if not len(rows):
        raise ApiError(400, "no_point", "没有可导出的测点", "there is no point to export", "point")
    now = times.now_us()
    start, end = times.parse_range(ordered.start, ordered.end, now)
    if start >= now:
        raise ApiError(
            400,
            "future_range",
            f"起始时间（{times.iso(start)}）在将来，尚无样本",
            f"the start ({times.iso(start)}) is in the future: there are no samples yet",
            "start",
        )
    points = sorted((catalogue.points[row] for row in rows.tolist()), key=lambda point: point.id)
    ids, paths = tuple(point.id for point in points), tuple(point.path for point in points)
    wanted = Order(ids, paths, start, min(end, now), ordered.format)
    exports: Exports = request.app.state.exports
    try:
        job = await anyio.to_thread.run_sync(exports.submit, _owner(grant), wanted)
    except ExportRefused as refused:
        status = 413 if refused.code == "no_room" else 429
        headers = {"Retry-After": "60"} if status == 429 else None
        raise ApiError(status, refused.code, refused.zh, refused.en, headers=headers) from None
    told = {"points": len(ids), "first": paths[:20], "start": start, "end": wanted.end, "format": ordered.format}
    await anyio.to_thread.run_sync(lambda: tell(request.app.state.database, "export.order", job.id, after=told))
    return Json(_facts(exports, job), 202)


@router.get(
    "/exports",
    dependencies=[needs("export.run")],
    response_class=Json,
    responses=answers(ExportList, 401, 403),
)
async def listed(request: Request, catalogue: Seen, grant: Asker) -> Json:
    """导出列表 · One's exports, the newest first; who manages users sees those of all points within his scope."""
    exports: Exports = request.app.state.exports
    found = [job for job in await anyio.to_thread.run_sync(exports.of, None) if _is_known(job, catalogue, grant)]
    return Json({"exports": [_facts(exports, job) for job in found]})


@router.get(
    "/exports/{export}",
    dependencies=[needs("export.run")],
    response_class=Json,
    responses=answers(ExportFacts, 400, 401, 403, 404),
)
async def one(request: Request, catalogue: Seen, grant: Asker, export: Id) -> Json:
    """导出进度 · How far an export is."""
    return Json(_facts(request.app.state.exports, await _job(request, catalogue, grant, export)))


@router.get(
    "/exports/{export}/file",
    dependencies=[needs("export.run")],
    response_class=FileResponse,
    responses={
        200: {"content": {media: {} for form, media in MEDIA.items() if form != "json"}, "description": "whole"},
        206: {"content": {media: {} for form, media in MEDIA.items() if form != "json"}, "description": "a range"},
        **refusals(400, 401, 403, 404, 409, 416),
    },
)
async def file(request: Request, catalogue: Seen, grant: Asker, export: Id) -> FileResponse:
    """下载导出文件 · The file. A download that broke off goes on with `Range: bytes=<have>-` and `If-Range: <ETag>`."""
    exports: Exports = request.app.state.exports
    job = await _job(request, catalogue, grant, export)
    if job.state != "done":
        words = job.words or ("尚未完成", "not done yet")
        raise ApiError(
            409, "not_ready", f"文件尚不可取（{job.state}）：{words[0]}", f"the file is {job.state}: {words[1]}"
        )
    if not _is_within(job, catalogue):
        raise _unknown(export)  # what one may see has become less since
    path = exports.file(job)
    if not path.is_file() or path.stat().st_size != job.bytes:
        raise ApiError(
            409,
            "file_damaged",
            "导出文件缺失或长度有变，请重新导出",
            "the export's file is gone or not as long as it was written: order it anew",
        )
    asked = {"range": request.headers.get("range", "")[:100]}
    await anyio.to_thread.run_sync(lambda: tell(request.app.state.database, "export.fetch", job.id, after=asked))
    _check_range(request.headers.get("range"), job.bytes)
    name = f"samples-{job.id}.{job.order.form}"
    return FileResponse(path, media_type=MEDIA[job.order.form], filename=name)


@router.delete(
    "/exports/{export}",
    dependencies=[needs("export.run")],
    response_class=Json,
    responses=answers(Removed, 400, 401, 403, 404),
)
async def remove(request: Request, catalogue: Seen, grant: Asker, export: Id) -> Json:
    """删除导出 · Delete an export and its file; one that runs is ended."""
    job = await _job(request, catalogue, grant, export)
    await anyio.to_thread.run_sync(request.app.state.exports.remove, job)
    await anyio.to_thread.run_sync(tell, request.app.state.database, "export.remove", job.id)
    return Json({"removed": job.id})


def _owner(grant: Grant) -> Owner:
    return Owner(grant.user, grant.id)


def _is_within(job: Job, catalogue: Catalogue) -> bool:
    """Whether all that the export holds is seen."""
    return bool(np.isin(np.array(job.order.ids, np.uint64), catalogue.visible_ids()).all())


def _is_known(job: Job, catalogue: Catalogue, grant: Grant) -> bool:
    """Whether there is such an export for the one who asks."""
    return job.owner.is_same(_owner(grant)) or ("users.manage" in grant.may and _is_within(job, catalogue))


async def _job(request: Request, catalogue: Catalogue, grant: Grant, export: str) -> Job:
    """Raises ApiError 404."""
    exports: Exports = request.app.state.exports
    found = await anyio.to_thread.run_sync(exports.get, export, None)
    if found is None or not _is_known(found, catalogue, grant):
        raise _unknown(export)
    return found


def _unknown(export: str) -> ApiError:
    return ApiError(
        404,
        "unknown_export",
        f"没有导出 {export}：可能已过期或删除",
        f"there is no export {export}: it may have expired or been deleted",
        "export",
    )


def _check_range(asked: str | None, size: int) -> None:
    """Raises ApiError 416 for a range that is not one piece of the file."""
    if asked is None:
        return
    found = _RANGE.fullmatch(asked.strip())
    first, _, last = asked.strip().partition("=")[2].partition("-")
    backwards = bool(first and last) and int(last) < int(first) if found else False
    nothing = found is not None and (int(first) >= size if first else int(last) == 0)
    if found is None or backwards or nothing:
        raise ApiError(
            416,
            "no_such_range",
            f"文件共 {size} 字节，没有所请求的范围",
            f"the file has {size} bytes: there is no such range; ask for one, such as bytes=1000-",
            "Range",
            headers={"Content-Range": f"bytes */{size}"},
        )


def _facts(exports: Exports, job: Job) -> dict[str, Any]:
    words = job.words
    if words is None and job.state == "done" and not job.rows:
        words = ("该时段内这些测点没有样本", "these points have no samples in this range")
    return {
        "id": job.id,
        "state": job.state,
        "format": job.order.form,
        "points": len(job.order.ids),
        "start": job.order.start,
        "end": job.order.end,
        "progress": round(job.progress, 4),
        "rows": job.rows,
        "rows_expected": job.rows_expected,
        "bytes": job.bytes,
        "bytes_expected": expected_bytes(job),
        "created": job.created,
        "finished": job.finished,
        "expires": exports.expires(job),
        "incomplete": job.incomplete,
        "words": words and {"zh": words[0], "en": words[1]},
        "file": f"/api/v1/exports/{job.id}/file" if job.state == "done" else None,
    }
