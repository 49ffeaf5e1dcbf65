"""`/api/v1/sql`: read-only SQL for analysts over what they see."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.access.tokens import Grant
from middleplatform.api import forms, tables
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, unavailable
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.audit.log import tell
from middleplatform.sql.gate import LONGEST
from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.rewrite import rewrite
from middleplatform.sql.views import VIEWS
from middleplatform.store.client import INCOMPLETE
from middleplatform.store.sql import REFUSED

AT_ONCE = 2
"""Statements that run at once; so many more wait, and others are asked to come again."""
POINTS_NAMED = 1_000
LOOKED_S = 0.25
"""How often it is looked whether the one who asks is still there."""

log = structlog.get_logger("api")
router = APIRouter()

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="查询编号 · a name to stop it by")]


class SqlAsked(BaseModel):
    """A statement. Its `id`, chosen by the asker, is what `DELETE` names."""

    model_config = ConfigDict(extra="forbid")
    sql: str = Field(max_length=LONGEST, description="一条 SELECT · one SELECT statement in ClickHouse's language")
    id: Name | None = None
    format: Literal["", "json", "csv", "arrow", "parquet"] = ""


class SqlColumn(BaseModel):
    """Times are ISO 8601; whole numbers beyond 2^53 are text, as is the rest of their column; NaN is null."""

    name: str
    type: str
    values: list[Any]


class SqlAnswer(BaseModel):
    """`incomplete`: the store has received samples that it could not write in time: ask again."""

    rows: int
    incomplete: bool
    took_ms: int
    columns: list[SqlColumn]


class SqlTable(BaseModel):
    class Column(BaseModel):
        name: str
        type: str
        zh: str
        en: str

    name: str
    columns: list[Column]


class SqlTables(BaseModel):
    tables: list[SqlTable]


class Desk:
    """Bounds how many statements are here at once."""

    def __init__(self) -> None:
        self._limit = anyio.CapacityLimiter(2 * AT_ONCE)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place, or ApiError 503."""
        me = object()
        try:
            self._limit.acquire_on_behalf_of_nowait(me)
        except anyio.WouldBlock:
            raise unavailable("busy", "查询过多，请稍后重试", "too many statements at once: try again") from None
        try:
            yield
        finally:
            self._limit.release_on_behalf_of(me)


@router.get("/sql", dependencies=[needs("sql.run")], response_class=Json, responses=answers(SqlTables, 401))
async def sql_tables() -> Json:
    """可查询的表与列 · The tables that a statement may read, with their columns."""
    words = ("name", "type", "zh", "en")
    views = VIEWS.items()
    listed = [
        {"name": name, "columns": [dict(zip(words, each, strict=True)) for each in view.columns]}
        for name, view in views
    ]
    return Json({"tables": listed})


_FORMS = {
    media: {"schema": {"type": "string", "format": "binary"}} for form, media in forms.MEDIA.items() if form != "json"
}


@router.post(
    "/sql",
    dependencies=[needs("sql.run")],
    response_class=Json,
    responses={
        **answers(SqlAnswer, 400, 401, 404, 406, 413, 503),
        200: {"model": SqlAnswer, "content": _FORMS, "description": "JSON, CSV, Arrow or Parquet"},
    },
)
async def sql(request: Request, catalogue: Seen, grant: Asker, asked: SqlAsked) -> Response:
    """运行一条只读 SQL · Run one read-only statement over the tables that `GET` lists, which hold what the asker
    sees, each sample once. At most 10 s, 100,000 rows, 64 MB; it ends when the asker goes away."""
    form = asked.format or forms.accepted(request.headers.get("accept", ""))
    await anyio.to_thread.run_sync(lambda: tell(request.app.state.database, "sql.run", form, after={"sql": asked.sql}))
    named = await anyio.to_thread.run_sync(_points_of, asked.sql, catalogue.site.code)
    if named:
        catalogue.resolve(named, POINTS_NAMED, "sql")
    name = f"{_asker(grant)}/{asked.id or secrets.token_hex(8)}"
    points = catalogue.visible_ids().tolist()
    equipment, events = equipment_of(catalogue)
    began = time.monotonic()
    with request.app.state.sql.place():
        leaving = asyncio.create_task(_stop_when_left(request, name), name="sql-left")
        try:
            table = await request.app.state.door.ask(
                lambda store: store.sql(asked.sql, points, equipment, events, name)
            )
        finally:
            leaving.cancel()
    facts = table.schema.metadata or {}
    took = round((time.monotonic() - began) * 1000)
    refused = json.loads(facts[REFUSED]) if REFUSED in facts else None
    log.info("SQL", asker=name, took_ms=took, rows=table.num_rows, refused=refused and refused["code"])
    if refused:
        raise _refused(**refused)
    incomplete = INCOMPLETE in facts
    table = table.replace_schema_metadata(None)
    return await anyio.to_thread.run_sync(tables.WRITERS[form], table, {"incomplete": incomplete, "took_ms": took})


@router.delete("/sql/{id}", dependencies=[needs("sql.run")], status_code=204, responses=refusals(400, 401, 404, 503))
async def stop(request: Request, grant: Asker, id: Annotated[Name, Path()]) -> Response:  # noqa: A002
    """终止自己正在运行的查询 · Stop a running statement of one's own."""
    name = f"{_asker(grant)}/{id}"
    if not await request.app.state.door.ask(lambda store: store.stop_sql(name)):
        raise ApiError(
            404, "not_running", f"没有正在运行的查询“{id}”", f"no statement '{id}' of yours is running", "id"
        )
    return Response(status_code=204)


def equipment_of(catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """`<mine code>/<equipment>` of what is seen, and of those whose events are."""
    here = [f"{catalogue.site.code}/{name}" for name in catalogue.site.equipment]
    events = catalogue.events_of(None)
    return here, here if events is None else events


def _points_of(text: str, mine: str) -> tuple[str, ...]:
    """The points that a statement names. Raises ApiError 400 when it may not be run."""
    try:
        return rewrite(text, mine, {"points": 0, "equipment": 0, "events": 0}).points
    except SqlRefused as refused:
        raise _refused(refused.code, refused.zh, refused.en, refused.hint) from None


def _refused(code: str, zh: str, en: str, hint: str) -> ApiError:
    if code == "busy":
        return unavailable("busy", zh, en)
    return ApiError(400, f"sql_{code}", zh, en, "sql", hint=hint)


def _asker(grant: Grant) -> str:
    return grant.user or f"token-{grant.id}"


async def _stop_when_left(request: Request, name: str) -> None:
    while not await request.is_disconnected():  # noqa: ASYNC110
        await asyncio.sleep(LOOKED_S)
    await request.app.state.door.ask(lambda store: store.stop_sql(name))
