"""`/api/v1/dictionaries`: what dictionaries there are, what they hold, and new ones loaded while the platform runs."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import anyio
import structlog
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.access.tokens import Grant
from middleplatform.api import times
from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.governance import dictionaries
from middleplatform.governance.assigned import Assigned
from middleplatform.governance.dictionaries import DictionaryRefused, Edition
from models.dictionaries.read import DictionaryErrors, read
from models.dictionaries.shape import kinds
from models.words import halves

PROBLEMS = 50
LONGEST_WHO = 80
"""Characters that the relational store keeps of who did something."""
"""Mistakes that a refusal names."""

log = structlog.get_logger("governance")
router = APIRouter(tags=["governance"])


class EditionFacts(BaseModel):
    """`version` 0 is the program's own. `at` and `time`: when it was loaded."""

    kind: str
    version: int
    edition: str
    effective_from: str
    source: str
    who: str
    at: int | None
    time: str | None
    digest: str
    entries: int


class KindFacts(BaseModel):
    """`holds`: the version of today, null when none holds yet."""

    kind: str
    name: Words
    means: Words
    columns: list[dict[str, Any]]
    holds: int | None
    versions: list[EditionFacts]


class DictionaryList(BaseModel):
    kinds: list[KindFacts]


class DictionaryFacts(EditionFacts):
    total: int
    offset: int
    rows: list[dict[str, str]]


class Loaded(EditionFacts):
    """`new`: false when this very content was there already."""

    new: bool


class RowsQuery(Asked):
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="版本，缺省为当日生效者 · by default the one that holds"
    )
    day: datetime.date | None = Field(None, description="生效日，缺省今天 · the day, by default today")
    limit: int = Field(1_000, ge=1, le=20_000)
    offset: int = Field(0, ge=0, le=1_000_000)


class LoadQuery(Asked):
    file: str = Field(
        min_length=1,
        max_length=100,
        description="文件名，后缀决定格式 · the file's name; .yaml, .csv or .xlsx says its form",
    )
    kind: str = Field("", max_length=40, description="种类，文件内未写时必填 · needed where the file does not say it")
    edition: str = Field("", max_length=300)
    source: str = Field("", max_length=300)
    effective_from: str = Field("", max_length=10)


@router.get(
    "/dictionaries",
    dependencies=[needs("catalogue.read")],
    response_class=Json,
    responses=answers(DictionaryList, 401, 403),
)
async def list_all(request: Request) -> Json:
    """字典及版本 · The kinds of dictionaries, their columns and versions, and which version holds today."""
    where, today = request.app.state.database, _today()

    def look() -> list[dict[str, Any]]:
        found = dictionaries.editions(where)
        return [
            {
                "kind": kind.id,
                "name": kind.name.words(),
                "means": kind.means.words(),
                "columns": [
                    {"name": c.name, "title": c.title, "key": c.key, "needs": c.needs or c.key} for c in kind.columns
                ],
                "holds": None if (held := dictionaries.effective(where, kind.id, today)) is None else held.version,
                "versions": [_facts(each) for each in found if each.kind == kind.id],
            }
            for kind in kinds().values()
        ]

    return Json({"kinds": await anyio.to_thread.run_sync(look)})


@router.get(
    "/dictionaries/{kind}",
    dependencies=[needs("catalogue.read")],
    response_class=Json,
    responses=answers(DictionaryFacts, 400, 401, 403, 404),
)
async def show(
    request: Request, catalogue: Seen, asked: Annotated[RowsQuery, Query()], kind: str = Path(max_length=40)
) -> Json:
    """一个字典 · The rows of a dictionary: the version that holds on a day, or the one asked for. Of rows that say to
    which points they apply, those that do to one that is seen."""
    where, day = request.app.state.database, asked.day or _today()

    def look() -> dict[str, Any] | None:
        if asked.version is None:
            found = dictionaries.effective(where, kind, day)
        else:
            found = next((e for e in dictionaries.editions(where, kind) if e.version == asked.version), None)
        if found is None:
            return None
        rows = dictionaries.entries(where, found)
        if not catalogue.scope.everything and any("applies_to" in row for row in rows):
            rows = tuple(Assigned(rows, catalogue.site).touching(catalogue.site.points))
        page = [dict(row) for row in rows[asked.offset : asked.offset + asked.limit]]
        return {**_facts(found), "total": len(rows), "offset": asked.offset, "rows": page}

    found = await anyio.to_thread.run_sync(look)
    if found is None:
        raise ApiError(
            404,
            "unknown_dictionary",
            f"没有该字典或版本，种类有 {'、'.join(kinds())}",
            f"there is no such dictionary or version; the kinds are {', '.join(kinds())}",
            "kind",
        )
    return Json(found)


@router.post(
    "/dictionaries",
    dependencies=[needs("dictionary.write")],
    response_class=Json,
    responses=answers(Loaded, 400, 401, 403, 413),
)
async def load(
    request: Request,
    asker: Asker,
    asked: Annotated[LoadQuery, Query()],
    body: Annotated[bytes, Body(media_type="application/octet-stream")],
) -> Json:
    """装载字典 · Load a dictionary from a file's bytes (YAML, CSV, XLSX). One mistake refuses all of it."""
    if not asker.scope.everything:
        raise ApiError(
            403,
            "beyond_your_scope",
            "字典对全矿有效，而您的范围只是其中一部分",
            "a dictionary holds for the whole mine, of which you may see a part only",
        )
    facts = asked.model_dump(exclude={"file"})

    def work() -> tuple[Edition, bool]:
        return dictionaries.load(request.app.state.database, read(body, asked.file, facts), who(asker))

    try:
        found, new = await anyio.to_thread.run_sync(work)
    except DictionaryErrors as error:
        first = halves(error.problems[0].message)
        problems = [{"where": each.where, "message": each.message} for each in error.problems[:PROBLEMS]]
        raise ApiError(
            400,
            "wrong_dictionary",
            f"字典有 {len(error.problems)} 处错误，未装载：{first.zh}",
            f"the dictionary has {len(error.problems)} mistakes and was not loaded: {first.en}",
            error.problems[0].where or None,
            problems=problems,
        ) from None
    except DictionaryRefused as error:
        raise ApiError(400, "refused", str(error), str(error)) from None
    log.info("字典已装载 · dictionary loaded", kind=found.kind, version=found.version, who=found.who, new=new)
    return Json({**_facts(found), "new": new})


def who(grant: Grant) -> str:
    """How a caller is named in records: the user, or the token by number and name, as in the audit log."""
    return grant.user or f"token:{grant.id}:{grant.name}"[:LONGEST_WHO]


def person(grant: Grant) -> str:
    """Who answers for it: of a token the user who made it, so that nobody is a second person by a token."""
    return grant.user or grant.maker or who(grant)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _facts(edition: Edition) -> dict[str, Any]:
    return {
        "kind": edition.kind,
        "version": edition.version,
        "edition": edition.edition,
        "effective_from": edition.effective_from.isoformat(),
        "source": edition.source,
        "who": edition.who,
        "at": edition.at,
        "time": None if edition.at is None else times.iso(edition.at),
        "digest": edition.digest,
        "entries": edition.entries,
    }
