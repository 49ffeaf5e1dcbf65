"""`/api/v1/workshop/rules`: the rule bench, the linkages of the site's folder, and what they would do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from middleplatform.api.auth import PLACES, Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.workshop import Given, Short, Whole, sees_whole, work_on

router = APIRouter(prefix="/workshop/rules", tags=["workshop"])


class RowGiven(Given):
    at_s: float = Field(ge=0, le=86_400)
    values: Annotated[dict[Short, float | None], Field(max_length=200)]


class TrialGiven(Given):
    """`rules`: ids; none of them: all. `until_s`: how long it goes on."""

    rules: Annotated[list[Short], Field(max_length=500)] = Field(default_factory=list)
    rows: Annotated[list[RowGiven], Field(min_length=1, max_length=500)]
    until_s: float = Field(gt=0, le=86_400)


@router.get("", dependencies=[needs(PLACES)], response_class=Json, responses=answers(Whole, 401, 403, 404, 409))
async def rules(request: Request, catalogue: Seen) -> Json:
    """联动规则 · The linkages of the folder in words, and the points that each looks at."""
    sees_whole(request, catalogue)
    return Json({"rules": await work_on(request, lambda tools: tools.rules())})


@router.post(
    "/trial", dependencies=[needs(PLACES)], response_class=Json, responses=answers(Whole, 400, 401, 403, 404, 409)
)
async def trial(request: Request, catalogue: Seen, given: TrialGiven) -> Json:
    """试验联动规则，不写任何设备 · What rules would do on values over time. Nothing is written."""
    sees_whole(request, catalogue)
    rows = [row.model_dump() for row in given.rows]
    return Json(await work_on(request, lambda tools: tools.trial(given.rules, rows, given.until_s)))
