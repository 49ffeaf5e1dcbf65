"""Versions of the site: which there were, who brought them, what each holds, what differs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import PLACES, Seen, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.governance import versions
from middleplatform.governance.sight import sees
from middleplatform.governance.versions import PartChange, SiteVersion, UnknownVersion

router = APIRouter(prefix="/site", tags=["governance"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="版本，从 1 起 · the version, counted from 1")]


class VersionFacts(BaseModel):
    """`number` is the version's number on the bus, null for files that were never published."""

    version: int
    digest: str
    number: int | None
    who: str
    at: int
    time: str
    note: str
    back_to: int | None


class VersionList(BaseModel):
    mine: str
    versions: list[VersionFacts]


class VersionDetail(VersionFacts):
    """`parts`: how many of each kind it has; nothing for who sees a part of the mine only."""

    parts: dict[str, int]


class Change(BaseModel):
    """`change`: added, changed, removed. `fields`: old and new value of each fact that differs."""

    kind: str
    name: str
    change: str
    fields: dict[str, list[Any]]


class Difference(BaseModel):
    old: int
    new: int
    counts: dict[str, dict[str, int]]
    changes: list[Change]
    truncated: bool


class VersionsQuery(Asked):
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="此版本之前 · versions below this one")


class DifferenceQuery(Asked):
    to: int = Field(ge=1, le=2**31 - 1, description="与哪个版本比较 · the version to compare with")
    kind: Literal["", "mine", "area", "template", "equipment", "connection", "point", "linkage"] = ""
    limit: int = Field(1_000, ge=1, le=10_000)


@router.get(
    "/versions",
    dependencies=[needs(PLACES)],
    response_class=Json,
    responses=answers(VersionList, 400, 401, 403),
)
async def site_versions(request: Request, catalogue: Seen, asked: Annotated[VersionsQuery, Query()]) -> Json:
    """配置版本，最新在前 · The site's versions with who and when, newest first."""
    mine, where = catalogue.site.code, request.app.state.database
    found = await anyio.to_thread.run_sync(versions.versions, where, mine, asked.limit, asked.before)
    return Json({"mine": mine, "versions": [_facts(version) for version in found]})


@router.get(
    "/versions/{version}",
    dependencies=[needs(PLACES)],
    response_class=Json,
    responses=answers(VersionDetail, 400, 401, 403, 404),
)
async def site_version(request: Request, catalogue: Seen, version: Number) -> Json:
    """一个版本 · One version, and how many parts of each kind it has."""
    mine, where = catalogue.site.code, request.app.state.database

    def look() -> dict[str, Any]:
        whole = catalogue.site is request.app.state.catalogue.site
        parts = versions.counts(where, mine, version)
        parts = parts if whole else {}
        return {**_facts(versions.versions(where, mine, 1, version + 1)[0]), "parts": parts}

    return Json(await _asked(look))


@router.get(
    "/versions/{version}/diff",
    dependencies=[needs(PLACES)],
    response_class=Json,
    responses=answers(Difference, 400, 401, 403, 404),
)
async def site_difference(
    request: Request, catalogue: Seen, version: Number, asked: Annotated[DifferenceQuery, Query()]
) -> Json:
    """两个版本的差异 · What differs from `version` to the version `to`: every area, template, equipment, connection,
    point and linkage that was added, changed (with old and new values) or removed."""
    mine, where = catalogue.site.code, request.app.state.database
    found = await _asked(lambda: versions.difference(where, mine, version, asked.to))
    seen = sees(request.app.state.catalogue.site, catalogue.site)
    changes = [_change(each) for each in found if asked.kind in {"", each.kind} and seen(each.kind, each.name)]
    counts: dict[str, dict[str, int]] = {}
    for each in changes:
        of_kind = counts.setdefault(each["kind"], {"added": 0, "changed": 0, "removed": 0})
        of_kind[each["change"]] += 1
    return Json(
        {
            "old": version,
            "new": asked.to,
            "counts": counts,
            "changes": changes[: asked.limit],
            "truncated": len(changes) > asked.limit,
        }
    )


async def _asked(look: Any) -> Any:
    try:
        return await anyio.to_thread.run_sync(look)
    except UnknownVersion as error:
        there = "" if error.there is None else f"{error.there[0]} … {error.there[1]}"
        raise ApiError(
            404,
            "unknown_version",
            f"没有版本 {error.version}，现有 {there or '无'}",
            f"there is no version {error.version}; there are {there or 'none yet'}",
            "version",
        ) from None


def _change(change: PartChange) -> dict[str, Any]:
    what = "added" if change.old is None else "removed" if change.new is None else "changed"
    return {"kind": change.kind, "name": change.name, "change": what, "fields": change.fields}


def _facts(version: SiteVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "digest": version.digest,
        "number": version.number,
        "who": version.who,
        "at": version.at,
        "time": times.iso(version.at),
        "note": version.note,
        "back_to": version.back_to,
    }
