"""`/api/v1/kpi/findings`: what the checks found in what figures were made of; listed, changing no figure."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.kpi_sight import in_sight
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words
from middleplatform.kpi import book
from middleplatform.kpi.findings_day import FINDINGS
from models.kpi.calendar import days
from models.kpi.findings import Finding, FindingsDay

router = APIRouter(prefix="/kpi", tags=["kpi"])

MOST_DAYS = 31
MOST = 10_000
"""Findings in one answer."""


class FindingsQuery(Asked):
    """Days of the mine, both included."""

    first: date = Field(description="第一天 · the first day, as 2026-03-01")
    last: date = Field(description="最后一天（含） · the last day, with it")
    unit: str | None = Field(None, min_length=1, max_length=100, description="单元 · a unit's own id")


class FindingFacts(BaseModel):
    """[start, end) µs UTC. `numbers`: what shows it; `points`: whose samples do: ask `/history` for them."""

    day: date
    check: str
    category: str
    unit: str
    equipment: str
    start: int
    end: int
    start_time: str
    end_time: str
    numbers: dict[str, float]
    points: list[str]
    words: Words


class Findings(BaseModel):
    """`missing`: days that nobody has looked at; `checks`: day → the version of the checks; `more`: there are more than
    are told."""

    mine: str
    first: date
    last: date
    missing: list[date]
    checks: dict[str, str]
    findings: list[FindingFacts]
    more: bool


@router.get(
    "/findings", dependencies=[needs("kpi.read")], response_class=Json, responses=answers(Findings, 400, 401, 403)
)
async def findings(request: Request, catalogue: Seen, asked: Annotated[FindingsQuery, Query()]) -> Json:
    """防作弊检查的发现（只列出，不改指标） · What the checks found: listed with its evidence, correcting nothing."""
    count = (asked.last - asked.first).days + 1
    if count < 1:
        raise ApiError(400, "empty_range", "last 早于 first", "last is before first", "last")
    if count > MOST_DAYS:
        words = f"最多 {MOST_DAYS} 天", f"the range has {count} days, at most {MOST_DAYS} are answered at once"
        raise ApiError(400, "too_many_days", *words, "last", limit=MOST_DAYS)
    whole: Catalogue = request.app.state.catalogue
    where, mine, zone = request.app.state.database, whole.site.code, ZoneInfo(whole.site.time_zone)
    kept = await anyio.to_thread.run_sync(book.read, where, mine, FINDINGS, asked.first, asked.last)
    read = {day: FindingsDay.read(each.document) for day, each in kept.items()}
    found = [
        _facts(day, each, zone)
        for day, of in read.items()
        for each in of.findings
        if asked.unit in (None, each.unit) and in_sight(whole, catalogue, each.unit, of.units[each.unit])
    ]
    return Json(
        {
            "mine": mine,
            "first": asked.first,
            "last": asked.last,
            "missing": [day for day in days(asked.first, asked.last) if day not in kept],
            "checks": {day.isoformat(): of.checks for day, of in read.items()},
            "findings": found[:MOST],
            "more": len(found) > MOST,
        }
    )


def _facts(day: date, finding: Finding, zone: ZoneInfo) -> dict[str, Any]:
    words = finding.words
    return {
        "day": day,
        **{name: getattr(finding, name) for name in ("check", "category", "unit", "equipment", "start", "end")},
        "start_time": times.local(finding.start, zone),
        "end_time": times.local(finding.end, zone),
        "numbers": dict(finding.numbers),
        "points": list(finding.points),
        "words": {"zh": words.zh, "en": words.en},
    }
