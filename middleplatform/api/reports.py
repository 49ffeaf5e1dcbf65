"""`/api/v1/reports`: reports made, listed, fetched and verified."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.access.tokens import Grant
from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.reports import making, record, verify
from middleplatform.reports.fonts import FontMissing
from middleplatform.reports.language import Language
from middleplatform.reports.making import File
from middleplatform.reports.record import Report
from middleplatform.reports.verify import Verdict
from models.report.build import Order, ReportRefused
from models.report.content import Kind, normal_code
from models.words import halves

router = APIRouter(prefix="/reports", tags=["kpi"])
RUN = [needs("report.run")]
MEDIA = {
    File.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    File.PDF: "application/pdf",
}
Code = Annotated[str, Path(min_length=20, max_length=40, description="验证码 · the verification code")]


class ReportFacts(BaseModel):
    """`made_at`, `time`: when its content was first made, µs UTC and ISO; `names`: of its mines, as far as the platform
    knows them."""

    id: int
    code: str
    kind: str
    mines: list[str]
    names: dict[str, Words]
    first: str
    last: str
    shift: str
    made_at: int
    time: str
    who: str
    files: list[str]


class ReportList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    reports: list[ReportFacts]
    next: int | None


class DifferenceFacts(BaseModel):
    where: str
    says: str
    should: str


class NewerFacts(BaseModel):
    mine: str
    section: str
    day: str


class VerdictFacts(BaseModel):
    """`good`: it is as recorded, and its days still say so. `report` is null for a content that nobody recorded;
    `differences`: between the file and the record, the first of the `differing` that there are; `same`: whether the
    days that it was made of say the same, null where they are not all kept (`why`); `newer`: days of which a newer
    revision is kept since; `received`: by mine, how many of its days came ready-made, with no evidence here;
    `reworded`: the figures are the same, and this program says them in other words; `made_by`, `program`: the version
    that made the report, and this one."""

    good: bool
    code: str
    report: ReportFacts | None
    differences: list[DifferenceFacts]
    differing: int
    same: bool | None
    why: Words | None
    newer: list[NewerFacts]
    received: dict[str, int]
    reworded: bool
    made_by: str
    program: str


class ReportOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["shift", "daily", "monthly", "bureau"]
    first: datetime.date
    last: datetime.date | None = Field(None, description="缺省同首日 · by default the first day alone")
    mines: list[Annotated[str, Field(pattern="^[0-9A-Za-z]{1,12}$")]] = Field([], max_length=500)
    shift: str = Field("", pattern="^([1-9]|rest)?$")


class ListQuery(Asked):
    kind: Literal["", "shift", "daily", "monthly", "bureau"] = ""
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


class FileQuery(Asked):
    language: Literal["zh", "en", "both"] = "zh"
    file: Literal["xlsx", "pdf"] = "pdf"


@router.post(
    "",
    status_code=201,
    dependencies=RUN,
    response_class=Json,
    responses={201: {"model": ReportFacts}, **refusals(400, 401, 403, 404, 409)},
)
async def make(request: Request, asker: Asker, catalogue: Seen, given: ReportOrder) -> Json:
    """编制报表 · Make a report of the days that are kept; what says the same as an earlier one has its code. `mines`:
    by default this mine, and all that the platform knows for the bureau's."""
    _whole(asker)
    where, site = request.app.state.database, catalogue.site
    kind = Kind(given.kind)
    names = {site.code: {str(at): shift.name for at, shift in enumerate(site.shifts, start=1)}}

    def work() -> Report:
        mines = tuple(given.mines)
        if not mines:
            mines = tuple(each.mine for each in book.mines(where)) if kind is Kind.BUREAU else (site.code,)
        order = Order(kind, mines, given.first, given.last or given.first, given.shift)
        return making.make(where, order, person(asker), names).report

    try:
        return Json(await anyio.to_thread.run_sync(lambda: _facts(work(), _names(where))), 201)
    except ReportRefused as refused:
        raise ApiError(409, "no_report", refused.zh, refused.en) from None


@router.get("", dependencies=RUN, response_class=Json, responses=answers(ReportList, 400, 401, 403))
async def list_all(request: Request, asker: Asker, asked: Annotated[ListQuery, Query()]) -> Json:
    """报表列表，最新在前 · The reports that were made, the newest first; none for those who see a part of the mine
    only: a report is of all of it."""
    if not asker.scope.everything:
        return Json({"reports": [], "next": None})
    where = request.app.state.database

    def look() -> dict[str, Any]:
        found = record.listed(where, Kind(asked.kind) if asked.kind else None, asked.before, asked.limit)
        names = _names(where)
        more = found[-1].id if len(found) == asked.limit else None
        return {"reports": [_facts(each, names) for each in found], "next": more}

    return Json(await anyio.to_thread.run_sync(look))


@router.get(
    "/{code}/file",
    dependencies=RUN,
    response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA.values()}}, **refusals(400, 401, 403, 404, 409)},
)
async def download(request: Request, asker: Asker, code: Code, asked: Annotated[FileQuery, Query()]) -> Response:
    """下载报表 · The file of a report: the same bytes whenever it is fetched from the same program."""
    where, file, language = request.app.state.database, File(asked.file), Language(asked.language)
    report = await _report(where, asker, code)

    def work() -> tuple[str, bytes]:
        content = record.content_of(where, report.code)
        name = making.file_name(content, file, language)
        return name, making.draw(content, file, language, report.made_at)

    try:
        name, raw = await anyio.to_thread.run_sync(work)
    except FontMissing as missing:
        said = halves(missing)
        raise ApiError(409, "no_font", said.zh, said.en) from None
    return Response(raw, media_type=MEDIA[file], headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get(
    "/{code}/verify",
    dependencies=RUN,
    response_class=Json,
    responses=answers(VerdictFacts, 400, 401, 403, 404),
)
async def verify_code(request: Request, asker: Asker, code: Code) -> Json:
    """按验证码核验 · Whether the code is known, the days that the report was made of still say the same, and whether
    newer revisions of them are kept."""
    where = request.app.state.database
    report = await _report(where, asker, code)

    def work() -> dict[str, Any]:
        return _verdict(verify.verify_code(where, report.code), _names(where))

    return Json(await anyio.to_thread.run_sync(work))


@router.post(
    "/verify",
    dependencies=RUN,
    response_class=Json,
    responses=answers(VerdictFacts, 400, 401, 403, 404, 413),
)
async def verify_file(
    request: Request, asker: Asker, body: Annotated[bytes, Body(media_type="application/octet-stream")]
) -> Json:
    """核验文件 · A workbook or PDF against what is recorded under its code: what in it was changed is named."""
    _whole(asker)
    where = request.app.state.database

    def work() -> dict[str, Any]:
        return _verdict(verify.verify_file(where, body), _names(where))

    try:
        return Json(await anyio.to_thread.run_sync(work))
    except verify.NoReport as wrong:
        raise ApiError(400, "no_report", wrong.zh, wrong.en) from None


def _whole(asker: Grant) -> None:
    """Raises ApiError 404: a report tells of all of a mine, which for the caller does not exist."""
    if not asker.scope.everything:
        raise ApiError(
            404,
            "unknown_report",
            "报表涉及全矿，超出您的范围",
            "a report is of a whole mine, of which you see a part only",
        )


async def _report(where: Place, asker: Grant, code: str) -> Report:
    """Raises ApiError 404."""
    _whole(asker)
    normal = normal_code(code)
    report = None if normal is None else await anyio.to_thread.run_sync(record.find, where, normal)
    if report is None:
        raise ApiError(404, "unknown_report", "没有该验证码的报表", "there is no report of this code", "code")
    return report


Names = Mapping[str, dict[str, str]]


def _names(where: Place) -> Names:
    """What the mines are called that the platform knows, by their codes."""
    return {each.mine: each.name.words() for each in book.mines(where)}


def _verdict(found: Verdict, names: Names) -> dict[str, Any]:
    return {
        "good": found.good,
        "code": found.code,
        "report": None if found.report is None else _facts(found.report, names),
        "differences": [{"where": d.where, "says": d.says, "should": d.should} for d in found.differences],
        "differing": found.differing,
        "same": found.same,
        "why": None if found.why is None else found.why.words(),
        "newer": [{"mine": m, "section": s, "day": d.isoformat()} for m, s, d in found.newer[:1_000]],
        "received": dict(found.received),
        "reworded": found.reworded,
        "made_by": found.programs[0],
        "program": found.programs[1],
    }


def _facts(report: Report, names: Names) -> dict[str, Any]:
    return {
        "id": report.id,
        "code": report.code,
        "kind": str(report.kind),
        "mines": list(report.mines),
        "names": {mine: names[mine] for mine in report.mines if mine in names},
        "first": report.first.isoformat(),
        "last": report.last.isoformat(),
        "shift": report.shift,
        "made_at": report.made_at,
        "time": times.iso(report.made_at),
        "who": report.who,
        "files": [f"/api/v1/reports/{report.code}/file?file={each}" for each in File],
    }
