"""`/api/v1/audit`: who did what, when and from where."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.audit.actor import acting
from middleplatform.audit.entry import Entry
from middleplatform.audit.log import entries, head
from middleplatform.audit.verify import Report, verify
from middleplatform.database import Place
from middleplatform.governance import table

_CHAIN_S = 10.0
"""For so long an answer about the chain is given again: to look at every entry must not be a burden."""

router = APIRouter()


class AuditEntry(BaseModel):
    """`what`: the act; `about`: whom or what it touched; `origin`: the address that asked, `CLI`, `process`, `bus`.
    `digest` follows from all the other fields and from `previous`, the digest of the entry before."""

    number: int
    at: int
    time: str
    who: str
    origin: str
    what: str
    about: str
    before: Any
    after: Any
    previous: str
    digest: str


class AuditPage(BaseModel):
    """The newest first. `head`: the number and digest of the newest entry of all, which `sevenones audit verify`
    holds against what the bus was told. `next`: what to give as `before` for the page that follows."""

    head: int
    head_digest: str
    entries: list[AuditEntry]
    next: int | None


class AuditQuery(Asked):
    who: str = Field("", max_length=160, description="谁 · a user, or token:<id>:<name>")
    what: str = Field("", max_length=40, description="行为，或以点结尾的前缀 · an act, or how acts begin: user.")
    about: str = Field("", max_length=300, description="对象 · whom or what it touched")
    start: str = Field("", max_length=60, description="开始 · -1d, ISO 8601 with zone, or µs since 1970")
    end: str = Field("", max_length=60, description="结束（不含） · up to, not with")
    before: int | None = Field(None, ge=1, le=2**53, description="编号小于此 · entries below this number")
    format: Literal["json", "csv", "xlsx"] = "json"
    limit: int = Field(100, ge=1, le=10_000)


class Broken(BaseModel):
    """`kind`: changed, missing, truncated, appended, unreadable. `number`: the entry, 0 for all of the log."""

    kind: str
    number: int
    words: Words


class ChainState(BaseModel):
    """Whether each entry follows from the one before. `checked`: when that was looked at, µs UTC. `anchored`: the
    newest entry that this process told the bus, 0 for none yet; `trouble`: why a newer one is not there."""

    entries: int
    whole: bool
    findings: list[Broken]
    checked: int
    head: int
    anchored: int
    trouble: str | None


class ChainProbe:
    """Looks at every entry of the log, one at a time, and not at every question."""

    def __init__(self, where: Place) -> None:
        self._where = where
        self._lock = asyncio.Lock()
        self._looked = float("-inf")
        self._found: tuple[Report, int, int] | None = None

    async def look(self) -> tuple[Report, int, int]:
        """What was found, the head's number then, and when (µs UTC)."""
        async with self._lock:
            if self._found is None or time.monotonic() - self._looked > _CHAIN_S:
                at = times.now_us()
                number, _ = await anyio.to_thread.run_sync(head, self._where)
                self._found = await anyio.to_thread.run_sync(verify, self._where), number, at
                self._looked = time.monotonic()
            return self._found


_FORMS = {media: {"schema": {"type": "string", "format": "binary"}} for media in table.MEDIA.values()}
_HEADING = (
    "编号 number",
    "时间 time",
    "何人 who",
    "来处 origin",
    "行为 act",
    "对象 about",
    "之前 before",
    "之后 after",
)


@router.get(
    "/audit",
    dependencies=[needs("audit.read")],
    response_class=Json,
    responses={
        **answers(AuditPage, 400, 401, 403),
        200: {"model": AuditPage, "content": _FORMS, "description": "JSON, CSV or XLSX"},
    },
)
async def audit(request: Request, asker: Asker, asked: Annotated[AuditQuery, Query()]) -> Response:
    """审计日志 · The audit log, the newest first. Who sees only a part of the mine reads only of the own acts: an entry
    may speak of anything."""
    now, where = times.now_us(), request.app.state.database
    start = times.parse_time(asked.start, now, "start") if asked.start else None
    end = times.parse_time(asked.end, now, "end") if asked.end else None
    own = "" if asker.scope.everything else acting().who
    alien = bool(own and asked.who and asked.who != own)

    def read() -> tuple[tuple[int, str], list[Entry]]:
        if alien:
            return head(where), []
        limits = {"limit": asked.limit, "before": asked.before, "start": start, "end": end}
        return head(where), entries(where, who=own or asked.who, what=asked.what, about=asked.about, **limits)  # type: ignore[arg-type]

    (number, digest), found = await anyio.to_thread.run_sync(read)
    if asked.format != "json":
        return await anyio.to_thread.run_sync(_sheet, found, asked.format)
    more = found[-1].number if len(found) == asked.limit and found[-1].number > 1 else None
    return Json({"head": number, "head_digest": digest, "entries": [_facts(each) for each in found], "next": more})


@router.get(
    "/audit/chain", dependencies=[needs("audit.read")], response_class=Json, responses=answers(ChainState, 401, 403)
)
async def chain(request: Request) -> Json:
    """审计链是否完整 · Whether the log is a chain that holds, and up to where the bus was told of it. What the bus was
    told this process cannot read: `sevenones audit verify` with the auditor's credential holds the log against it."""
    found, number, at = await request.app.state.chain.look()
    anchoring = request.app.state.anchoring
    return Json(
        {
            "entries": found.entries,
            "whole": found.whole,
            "findings": [
                {"kind": each.kind, "number": each.number, "words": {"zh": each.zh, "en": each.en}}
                for each in found.findings
            ],
            "checked": at,
            "head": number,
            "anchored": anchoring.number,
            "trouble": anchoring.trouble,
        }
    )


def _sheet(found: list[Entry], form: str) -> Response:
    rows = [
        [str(each.number), times.iso(each.at), each.who, each.origin, each.what, each.about, *_texts(each)]
        for each in found
    ]
    made = table.as_csv(_HEADING, rows) if form == "csv" else table.as_xlsx(_HEADING, rows, "审计日志")
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    return Response(made, headers=headers, media_type=table.MEDIA[form])


def _texts(entry: Entry) -> tuple[str, str]:
    return entry.before or "", entry.after or ""


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "time": times.iso(entry.at),
        "who": entry.who,
        "origin": entry.origin,
        "what": entry.what,
        "about": entry.about,
        "before": _opened(entry.before),
        "after": _opened(entry.after),
        "previous": entry.previous,
        "digest": entry.digest,
    }


def _opened(text: str | None) -> Any:
    """What the JSON says; the text itself when somebody has changed it to what is none."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
