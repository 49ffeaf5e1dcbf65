"""`/api/v1/standard/report`: how far the points follow the standard, and what is proposed where they do not."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from middleplatform.api.auth import Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.routes import Asked, Texts
from middleplatform.api.schemas import Words
from middleplatform.governance import standard, table
from middleplatform.governance.findings import Finding
from middleplatform.governance.register import Register

router = APIRouter(tags=["governance"])


class RuleFacts(BaseModel):
    """`severity`: must or should. `assessed`: points to which it applies."""

    rule: str
    about: str
    severity: str
    zh: str
    en: str
    assessed: int
    broken: int


class FindingFacts(BaseModel):
    """`proposed`: the field and value that would follow the rule; with `factor` and `offset` where recorded values are
    to be converted (new = old * factor + offset)."""

    point: str
    rule: str
    about: str
    severity: str
    value: str
    why: Words
    proposed: dict[str, Any] | None


class StandardReport(BaseModel):
    """`following`: points that break no rule that must be followed; `share` of all, null without points."""

    day: str
    points: int
    following: int
    share: float | None
    rules: list[RuleFacts]
    dictionaries: list[dict[str, Any]]
    total: int
    offset: int
    findings: list[FindingFacts]


class ReportQuery(Asked):
    equipment: Texts = Field([], description="设备 · equipment ids")
    about: Literal["", "naming", "unit", "code", "class", "owner", "range"] = ""
    rule: str = Field("", max_length=40)
    severity: Literal["", "must", "should"] = ""
    day: datetime.date | None = Field(None, description="字典生效日，缺省今天 · the day whose dictionaries hold")
    format: Literal["json", "csv", "xlsx"] = "json"
    limit: int = Field(1_000, ge=1, le=100_000)
    offset: int = Field(0, ge=0, le=10_000_000)


_OTHER_FORMS = {media: {"schema": {"type": "string", "format": "binary"}} for media in table.MEDIA.values()}


@router.get(
    "/standard/report",
    dependencies=[needs("catalogue.read")],
    response_class=Json,
    responses={
        **answers(StandardReport, 400, 401, 403, 404),
        200: {"model": StandardReport, "content": _OTHER_FORMS, "description": "JSON, CSV or XLSX"},
    },
)
async def report(request: Request, catalogue: Seen, asked: Annotated[ReportQuery, Query()]) -> Response:
    """标准化报告 · Which points follow the rules of naming, unit and code, which do not, why, and what is proposed."""
    register: Register = request.app.state.register
    site, day = catalogue.site, asked.day or datetime.datetime.now(datetime.UTC).date()
    points = site.points
    if any(asked.equipment):
        points = tuple(catalogue.points[row] for row in catalogue.equipment(asked.equipment).tolist())

    def look() -> Response:
        found = standard.report(site, register.held(day), day, points)
        chosen = [each for each in found.findings if _fits(each, asked)]
        page = chosen[asked.offset : asked.offset + asked.limit]
        if asked.format != "json":
            rows = standard.rows(page)
            made = (
                table.as_csv(standard.HEADING, rows)
                if asked.format == "csv"
                else table.as_xlsx(standard.HEADING, rows, "标准化报告")
            )
            name = f"standard-{site.code}-{day.isoformat()}.{asked.format}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(made, headers=headers, media_type=table.MEDIA[asked.format])
        return Json(
            {
                **found.summary(),
                "total": len(chosen),
                "offset": asked.offset,
                "findings": [_facts(each) for each in page],
            }
        )

    return await anyio.to_thread.run_sync(look)


def _fits(finding: Finding, asked: ReportQuery) -> bool:
    rule = standard.rules()[finding.rule]
    return (
        asked.rule in {"", finding.rule} and asked.about in {"", rule.about} and asked.severity in {"", rule.severity}
    )


def _facts(finding: Finding) -> dict[str, Any]:
    rule = standard.rules()[finding.rule]
    return {
        "point": finding.point,
        "rule": finding.rule,
        "about": rule.about,
        "severity": rule.severity,
        "value": finding.value,
        "why": {"zh": finding.why.zh, "en": finding.why.en},
        "proposed": finding.proposed,
    }
