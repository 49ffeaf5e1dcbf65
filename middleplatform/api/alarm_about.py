"""`/api/v1/alarms/{alarm}/about`: all that the one who answers an alarm needs to know of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from middleplatform.alarms import book
from middleplatform.alarms.advice import advice
from middleplatform.alarms.condition import Act, Alarm
from middleplatform.api import times
from middleplatform.api.alarm_journal import must_be_handled
from middleplatform.api.alarm_reach import alarm_seen, done, telling_of
from middleplatform.api.alarm_schemas import AlarmFacts, Number
from middleplatform.api.alarm_sight import SOURCES, sees
from middleplatform.api.auth import Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.schemas import Words
from models.alarms.rule import Rule, version_of
from models.site.model import Site

router = APIRouter(prefix="/alarms", tags=["alarms"])

MOST = 50
"""Consequences that are told; how many there are is said."""
_WEEK_US = 7 * 86_400_000_000


class RuleFacts(BaseModel):
    """The rule as it is today. Delays in seconds; `level` and `restore` in the point's unit, null where it has none."""

    version: int
    source: str
    effective_from: str
    confirmed: bool
    on_s: float
    off_s: float
    level: float | None
    restore: float | None
    latching: bool
    reason: str
    approved_by: str


class AdviceFacts(BaseModel):
    """What it means, what mostly causes it, what follows when nothing is done, what to do."""

    means: Words
    causes: Words
    follows: Words
    do: Words
    source: Words
    effective_from: str
    confirmed: bool


class About(BaseModel):
    """`raised`: the number of the last raise in the journal, null once that is over. `level_at_raise`: the limit that
    held when it was raised, null where none did or it is not known any more. `rule` null: the site has no
    such rule now; then `own` is from what the platform judges it where the rule is one of its own, else null.
    `raises_week`: how often it was raised in the last seven days, and `alike_week` all alarms of its rule."""

    alarm: AlarmFacts
    raised: int | None
    to_handle: bool
    level_at_raise: float | None
    rule: RuleFacts | None
    own: Words | None
    advice: AdviceFacts | None
    cause: AlarmFacts | None
    consequences: list[AlarmFacts]
    consequence_count: int
    raises_week: int
    alike_week: int


@router.get(
    "/{alarm}/about",
    dependencies=[needs("alarm.read")],
    response_class=Json,
    responses=answers(About, 400, 401, 403, 404),
)
async def about(request: Request, catalogue: Seen, alarm: Number) -> Json:
    """一条报警的含义、限值、前因后果、处理建议 · What an alarm means, its limit, cause and effects, what to do."""
    found = await alarm_seen(request, catalogue, alarm)

    def look() -> dict[str, Any]:
        state, site, seen = request.app.state, catalogue.site, sees(catalogue)
        where, mine, now = state.database, site.code, times.now_us()
        telling, week = telling_of(state, catalogue), (now - _WEEK_US, now + 1)
        known = {each.id: each for each in book.alarms_of(where, mine, resting=True) if seen(each.subject)}
        below = [each for each in known.values() if each.cause == found.id and each.state != "normal"]
        above = known.get(found.cause) if found.cause is not None else None
        raises = [each for each in book.entries(where, mine, alarm=found.id, what=Act.RAISE, limit=50) if not each.late]
        alike = [each.id for each in known.values() if each.rule == found.rule]
        shown = [found, *below[:MOST], *([above] if above else [])]
        values = book.raised_values(where, [each.id for each in shown])

        def told(each: Alarm) -> dict[str, Any]:
            return telling.facts(each, known.__contains__, values.get(each.id))

        rule = state.rule_names.rule(found.rule, found.subject)
        role = next((point.role for point in site.points if point.path == found.subject), "")
        words, own = advice(found.rule, role), SOURCES.get(found.rule)
        return {
            "alarm": told(found),
            "raised": raises[0].number if raises else None,
            "to_handle": must_be_handled(found),
            "level_at_raise": level_at_raise(found, rule, site),
            "rule": None if rule is None else {name: getattr(rule, name) for name in RuleFacts.model_fields},
            "own": None if rule is not None or own is None else asdict(own),
            "advice": None if words is None else asdict(words),
            "cause": None if above is None else told(above),
            "consequences": [told(each) for each in below[:MOST]],
            "consequence_count": len(below),
            "raises_week": book.count(where, mine, alarm=found.id, within=week, what=Act.RAISE),
            "alike_week": book.count(where, mine, among=alike, within=week, what=Act.RAISE),
        }

    return Json(await done(look))


def level_at_raise(alarm: Alarm, rule: Rule | None, site: Site) -> float | None:
    """The limit of the version of its rule by which it was raised last."""
    if rule is not None and rule.version == alarm.rule_version:
        return rule.level
    kind = alarm.rule.removeprefix("limit.")
    limits = (limit for point in site.points if point.path == alarm.subject for limit in point.limits)
    return next(
        (each.value for each in limits if each.kind == kind and version_of(each.effective_from) == alarm.rule_version),
        None,
    )
