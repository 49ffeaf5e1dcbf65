"""`/api/v1/audit`: who did what, when and from where."""

from __future__ import annotations

import json
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Asker, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.audit.actor import acting
from middleplatform.audit.entry import Entry
from middleplatform.audit.log import entries, head

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
    limit: int = Field(100, ge=1, le=1_000)


@router.get(
    "/audit", dependencies=[needs("audit.read")], response_class=Json, responses=answers(AuditPage, 400, 401, 403)
)
async def audit(request: Request, asker: Asker, asked: Annotated[AuditQuery, Query()]) -> Json:
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
    more = found[-1].number if len(found) == asked.limit and found[-1].number > 1 else None
    return Json({"head": number, "head_digest": digest, "entries": [_facts(each) for each in found], "next": more})


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
