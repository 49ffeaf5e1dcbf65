"""`/api/v1/workshop`: devices asked through their gateways, points brought into the site's folder."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.api import times
from middleplatform.api.auth import PLACES, Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import who
from middleplatform.api.errors import ApiError, shown, unavailable
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.audit.log import tell
from middleplatform.workshop.asking import asked, recorded
from middleplatform.workshop.published import published
from middleplatform.workshop.tools import Draft, NewConnection, Tools, WorkshopRefused
from models.quality import GOOD

router = APIRouter(prefix="/workshop", tags=["workshop"])

MAX_TABLE = 4 << 20
"""Bytes of a point table; in a body they are a third more."""
MOST_DIAGNOSED = 60
"""Points of one diagnosis: their paths have to fit into one question."""
_Name = Annotated[str, Field(min_length=1, max_length=60)]
Short = Annotated[str, Field(max_length=200)]
_Words = Annotated[dict[Short, Short], Field(max_length=2_000)]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeviceGiven(Given):
    adapter: _Name
    settings: Annotated[dict[Short, Any], Field(max_length=60)]


class BoundGiven(Given):
    """How a row of a point table reads its address."""

    type: str = Field("", max_length=40)
    order: str = Field("", max_length=40)
    options: Annotated[dict[Short, Any], Field(max_length=20)] = Field(default_factory=dict)


class QuestionGiven(Given):
    """`device`: a URL, one of the gateway's connections, or a protocol with its settings."""

    gateway: _Name
    ask: Literal["connect", "probe", "browse", "read", "learn"]
    device: Annotated[str, Field(max_length=1_000)] | DeviceGiven | None = None
    password: str | None = Field(None, max_length=200)
    address: str | None = Field(None, max_length=1_000)
    count: int | None = Field(None, ge=1, le=125)
    type: str | None = Field(None, max_length=40)
    bound: BoundGiven | None = None
    value: float | None = None
    tolerance: float | None = Field(None, ge=0)
    among: Annotated[list[Short], Field(max_length=50)] | None = None
    units: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(max_length=16)] | None = None
    at: str | None = Field(None, max_length=200)
    below: str | None = Field(None, max_length=1_000)
    depth: int | None = Field(None, ge=1, le=12)


class DiagnosisQuery(Asked):
    q: str = Field("", max_length=200, description="搜索（中英文） · words to look for in path, names, unit, role")
    point: str = Field("", max_length=200, description="一个测点 · one point")
    connection: str = Field("", max_length=60)
    bad: bool = Field(False, description="只看质量不好的 · those alone whose quality is not good")
    limit: int = Field(40, ge=1, le=MOST_DIAGNOSED)
    offset: int = Field(0, ge=0, le=10_000_000)


class ConnectionGiven(Given):
    gateway: _Name
    adapter: _Name
    settings: Annotated[dict[Short, Any], Field(max_length=60)]
    groups: Annotated[dict[_Name, _Name], Field(max_length=20)]


class DraftGiven(Given):
    """`table`: a file in base64, its name `file`."""

    connection: _Name
    new: ConnectionGiven | None = None
    equipment: _Name
    template: str = Field("", max_length=60)
    name: Annotated[dict[Literal["zh", "en"], Short], Field()] = Field(default_factory=dict)
    area: str = Field("", max_length=60)
    group: str = Field("", max_length=60)
    file: str = Field(min_length=1, max_length=200)
    table: str = Field(max_length=MAX_TABLE * 4 // 3 + 4)
    words: dict[Literal["columns", "types", "orders", "tables", "units", "points"], _Words] = Field(
        default_factory=dict
    )
    register_: Literal["", "hr", "ir", "co", "di"] = Field("", alias="register")
    first: Literal[0, 1] = 0
    skip_unknown: bool = False
    keep: bool = True


class CommitGiven(Given):
    """`seen`: what the review said."""

    draft: DraftGiven
    seen: str = Field(min_length=64, max_length=64)


class Whole(BaseModel):
    """What a gateway, the folder or the judge of rules says; see docs/integrating-a-device.md."""

    model_config = ConfigDict(extra="allow")


@router.get("/gateways", dependencies=[needs("device.ask")], response_class=Json, responses=answers(Whole, 401, 403))
async def gateways(request: Request, catalogue: Seen) -> Json:
    """网关是否在线 · The gateways with their connections, and which of them are heard now."""
    silent = request.app.state.live.silent_s(times.now_us())
    site = catalogue.site
    listed = [
        {
            "name": name,
            "live": name not in silent,
            "silent_s": round(silent[name], 1) if name in silent else None,
            "connections": {one.name: one.adapter for one in site.connections.values() if one.gateway == name},
        }
        for name in site.gateways()
    ]
    return Json({"gateways": listed})


@router.post(
    "/questions",
    dependencies=[needs("device.ask")],
    response_class=Json,
    responses=answers(Whole, 400, 401, 403, 404, 409, 503),
)
async def ask(request: Request, catalogue: Seen, given: QuestionGiven) -> Json:
    """经网关询问设备（只读）· A question about a device, passed on to its gateway: who answers there, what it has, what
    stands at an address. Nothing is written to any device."""
    question = given.model_dump(exclude_none=True, exclude={"gateway"})
    if given.gateway not in catalogue.site.gateways():
        raise _unknown("gateway", "网关", "gateway", given.gateway)
    _within(catalogue, given)
    # Before it goes: what is not written down is not asked.
    database, facts = request.app.state.database, recorded(question)
    await anyio.to_thread.run_sync(lambda: tell(database, "device.ask", given.gateway, after=facts))
    try:
        return Json(await asked(request.app.state.bus, catalogue.site.code, given.gateway, question))
    except WorkshopRefused as error:
        raise _refusal(error) from None


@router.get("/connections", dependencies=[needs("device.ask")], response_class=Json, responses=answers(Whole, 401, 403))
async def connections(request: Request, catalogue: Seen) -> Json:
    """连接诊断 · How each gateway and connection does, as the gateway itself tells it; null of one that is silent."""
    site, seen = catalogue.site, catalogue.site.connections
    told = await _diagnosed(request, site.code, {name: {"connections": True} for name in site.gateways()})
    listed = []
    for name, found in told.items():
        own = {one.name: one.adapter for one in seen.values() if one.gateway == name}
        said = {} if found is None else found["connections"]
        listed.append(
            {
                "name": name,
                "state": None if found is None else found["gateway"],
                "connections": {each: said.get(each) for each in own},
                "adapters": own,
            }
        )
    return Json({"gateways": listed})


@router.get(
    "/diagnosis", dependencies=[needs("device.ask")], response_class=Json, responses=answers(Whole, 400, 401, 403, 404)
)
async def diagnosis(request: Request, catalogue: Seen, wanted: Annotated[DiagnosisQuery, Query()]) -> Json:
    """测点诊断 · Points by words or connection, with what a gateway last got for each: bytes, value, quality, why."""
    site, live = catalogue.site, request.app.state.live
    rows = [catalogue.one(wanted.point)] if wanted.point else catalogue.search(wanted.q, [], "", "")
    if wanted.connection:
        if wanted.connection not in site.connections:
            raise _unknown("connection", "连接", "connection", wanted.connection)
        rows = [row for row in rows if catalogue.points[row].connection == wanted.connection]
    live.refresh(times.now_us())
    if wanted.bad:
        rows = [row for row in rows if live.shown[row] < GOOD]
    page = rows[wanted.offset : wanted.offset + wanted.limit]
    questions: dict[str, dict[str, Any]] = {}
    for row in page:
        point = catalogue.points[row]
        if point.connection in site.connections:
            of = site.connections[point.connection].gateway
            questions.setdefault(of, {"points": []})["points"].append(point.path)
    told = await _diagnosed(request, site.code, questions)
    said = {path: facts for found in told.values() if found is not None for path, facts in found["points"].items()}
    points = []
    for row in page:
        point = catalogue.points[row]
        points.append({**catalogue.facts(row), "connection": point.connection, "told": said.get(point.path)})
    silent = [name for name, found in told.items() if found is None]
    return Json({"total": len(rows), "points": points, "silent": silent})


async def _diagnosed(
    request: Request, code: str, questions: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any] | None]:
    """Gateway → what it tells of itself; None for one that is silent."""
    silent = request.app.state.live.silent_s(times.now_us())

    async def one(name: str, question: Mapping[str, Any]) -> dict[str, Any] | None:
        if name in silent:
            return None
        try:
            return await asked(request.app.state.bus, code, name, {"ask": "diagnose", **question})
        except WorkshopRefused:
            return None

    found = await asyncio.gather(*(one(name, question) for name, question in questions.items()))
    return dict(zip(questions, found, strict=True))


@router.get(
    "/protocols", dependencies=[needs("device.ask")], response_class=Json, responses=answers(Whole, 401, 403, 404, 409)
)
async def protocols(request: Request) -> Json:
    """协议及其设置 · The installed protocols, and what their settings may hold."""
    return Json({"protocols": await work_on(request, lambda tools: tools.protocols())})


@router.get("/folder", dependencies=[needs(PLACES)], response_class=Json, responses=answers(Whole, 401, 403, 404, 409))
async def folder(request: Request, catalogue: Seen) -> Json:
    """配置目录 · What the site's folder has, whether it may be written here, and whether that is what was published."""
    sees_whole(request, catalogue)
    there, where = await work_on(request, lambda tools: tools.folder()), request.app.state.database
    digest = there.pop("digest")
    return Json({**there, "published": await anyio.to_thread.run_sync(published, where, catalogue.site, digest)})


@router.post(
    "/review",
    dependencies=[needs("site.write")],
    response_class=Json,
    responses=answers(Whole, 400, 401, 403, 404, 409),
)
async def review(request: Request, catalogue: Seen, given: DraftGiven) -> Json:
    """预览差异 · What a draft would change in the folder, with every mistake in it. Nothing is written."""
    sees_whole(request, catalogue)
    draft = _draft(given)
    return Json(await work_on(request, lambda tools: tools.review(draft)))


@router.post(
    "/commit",
    dependencies=[needs("site.write")],
    response_class=Json,
    responses=answers(Whole, 400, 401, 403, 404, 409),
)
async def commit(request: Request, asker: Asker, catalogue: Seen, given: CommitGiven) -> Json:
    """写入配置目录 · Write what was reviewed, whole or not at all, with a way back."""
    sees_whole(request, catalogue)
    draft, by, database = _draft(given.draft), who(asker), request.app.state.database
    found = await work_on(request, lambda tools: tools.commit(draft, given.seen, by))
    facts = {"connection": draft.connection, "files": found["written"]}
    await anyio.to_thread.run_sync(lambda: tell(database, "site.folder", draft.equipment, after=facts))
    return Json(found)


@router.post(
    "/undo", dependencies=[needs("site.write")], response_class=Json, responses=answers(Whole, 400, 401, 403, 404, 409)
)
async def undo(request: Request, catalogue: Seen) -> Json:
    """撤销上一次写入 · Take the latest change of the folder back."""
    sees_whole(request, catalogue)
    found = await work_on(request, lambda tools: tools.undo())
    database = request.app.state.database
    about = found["equipment"] or "undo"
    await anyio.to_thread.run_sync(lambda: tell(database, "site.folder", about, after=found))
    return Json(found)


async def work_on(request: Request, work: Any) -> Any:
    """What the tools of the site's folder answer. Raises ApiError where there are none, or where they refuse."""
    tools: Tools | None = request.app.state.workshop
    if tools is None:
        raise ApiError(
            409,
            "no_folder",
            "平台没有从配置目录运行，请在命令行使用 sevenones import",
            "the platform does not run from a site's folder: use sevenones import",
        )
    try:
        # One at a time: two that write would not see each other, and each takes much of a processor.
        async with request.app.state.working:
            return await anyio.to_thread.run_sync(work, tools)
    except WorkshopRefused as error:
        raise _refusal(error) from None


def _within(catalogue: Catalogue, given: QuestionGiven) -> None:
    """That the device is one that the caller may see: beyond the site's, devices belong to no part of the mine."""
    if given.device is None:
        raise ApiError(400, "no_device", "缺少 device", "'device' is missing", "device")
    site = catalogue.site
    if isinstance(given.device, str) and "://" not in given.device:
        found = site.connections.get(given.device)
        if found is None or found.gateway != given.gateway:
            raise _unknown("connection", "连接", "connection", given.device)
    elif not catalogue.scope.everything:
        raise ApiError(
            404,
            "unknown_connection",
            "您只可查看矿井的一部分：请用连接名询问",
            "you see a part of the mine: ask by the name of a connection",
            "device",
        )


def sees_whole(request: Request, catalogue: Catalogue) -> None:
    """The folder is the whole mine's. Raises ApiError 404 for who sees a part of it."""
    if catalogue.site is not request.app.state.catalogue.site:
        raise ApiError(
            404,
            "unknown_folder",
            "您只可查看矿井的一部分",
            "you see a part of the mine only, and the folder is all of it",
        )


def _draft(given: DraftGiven) -> Draft:
    try:
        table = base64.b64decode(given.table, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(400, "no_table", "点表不是 base64", "'table' is not base64", "table") from None
    new = None if given.new is None else NewConnection(**given.new.model_dump())
    return Draft(
        given.connection,
        new,
        given.equipment,
        given.template,
        given.name.get("zh", ""),
        given.name.get("en", ""),
        given.area,
        given.group,
        given.file,
        table,
        given.words,  # type: ignore[arg-type]
        given.register_,
        given.first,
        given.skip_unknown,
        given.keep,
    )


def _unknown(what: str, zh: str, en: str, name: str) -> ApiError:
    return ApiError(404, f"unknown_{what}", f"没有{zh} {shown(name)}", f"there is no {en} {shown(name)}", what)


def _refusal(error: WorkshopRefused) -> ApiError:
    if error.code == "gateway_silent":
        return unavailable(error.code, error.zh, error.en)
    return ApiError(400 if error.code == "too_large" else 409, error.code, error.zh, error.en)
