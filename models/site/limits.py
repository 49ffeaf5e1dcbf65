"""The limits of an equipment's points: the template's, those of the place where it hangs, and the mine's own.

Each goes before the one named first, kind by kind. A mine's own limit says why; on a statutory point
it may be stricter than the rule and never looser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from models.site.model import Kind, Limit, Retention
from models.site.problems import hinted
from models.site.schema import EquipmentEntry, OwnLimit
from models.thing import LimitFact, PointModel, Template, check_limit_order

Say = Callable[[tuple[str | int, ...], str], None]
"""Takes a mistake: its path below the equipment, and what is wrong."""


def limits_of(template: Template, entry: EquipmentEntry, say: Say) -> dict[str, tuple[Limit, ...]]:
    """By point key. What is wrong is said, and what is wrong is left out."""
    facts: dict[str, tuple[LimitFact, ...]] = {key: model.limits for key, model in template.points.items()}
    if entry.limit_set is not None:
        chosen = template.limit_sets.get(entry.limit_set)
        if chosen is None:
            zh = f"模板 '{template.id}' 没有限值组 '{entry.limit_set}'"
            en = f"the template '{template.id}' has no limit set '{entry.limit_set}'"
            say(("limit_set",), hinted(zh, en, entry.limit_set, template.limit_sets))
        else:
            facts |= chosen.points
    found = {key: resolved(limits) for key, limits in facts.items() if limits}
    for key, own in entry.limits.items():
        model = template.points.get(key)
        if model is None:
            zh, en = f"模板 '{template.id}' 没有测点 '{key}'", f"the template '{template.id}' has no point '{key}'"
            say(("limits", key), hinted(zh, en, key, template.points))
        elif mistake := _mistake(model, facts[key], own):
            say(("limits", key), mistake)
        else:
            kept = [limit for limit in facts[key] if limit.kind not in {limit.kind for limit in own}]
            found[key] = resolved((*kept, *own))
    return found


def resolved(facts: Iterable[LimitFact]) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            fact.kind,
            fact.value,
            fact.restore,
            fact.source,
            fact.effective_from.isoformat(),
            fact.confirmed,
            fact.reason if isinstance(fact, OwnLimit) else "",
        )
        for fact in facts
    )


def _mistake(model: PointModel, given: Sequence[LimitFact], own: Sequence[OwnLimit]) -> str:
    """Why a point cannot have these limits of the mine's own; "" when it can."""
    if model.kind in (Kind.STATE, Kind.TEXT):
        return f"{model.kind.value} 类测点没有限值 · a point of kind {model.kind.value} has no limits"
    for limit in own:
        below, above = (
            model.low is not None and limit.value < model.low,
            model.high is not None and limit.value > model.high,
        )
        if below or above:
            return (
                f"限值 {limit.kind} {limit.value:g} 超出量程 low 到 high · "
                f"the limit {limit.kind} {limit.value:g} is outside what the value can be, low to high"
            )
    if model.retention is Retention.STATUTORY:
        latest = _latest(given)
        for limit in own:
            rule = latest.get(limit.kind)
            if rule is not None and _looser(limit, rule):
                return (
                    f"限值 {limit.kind} {_shown_zh(limit)} 比{rule.source}的 {_shown_zh(rule)} 宽松："
                    "法定测点上，矿方自定的限值只能更严 · "
                    f"the limit {limit.kind} {_shown(limit)} is looser than {_shown(rule)} of {rule.source}: on a "
                    "statutory point a mine's own limit may only be stricter"
                )
    kept = tuple(limit for limit in given if limit.kind not in {limit.kind for limit in own})
    try:
        check_limit_order((*kept, *own))
    except ValueError as error:
        return str(error)
    return ""


def _latest(limits: Iterable[LimitFact]) -> Mapping[str, LimitFact]:
    return {limit.kind: limit for limit in sorted(limits, key=lambda fact: fact.effective_from)}


def _looser(own: LimitFact, rule: LimitFact) -> bool:
    side = 1 if own.kind.startswith("hi") else -1
    ends = [limit.value if limit.restore is None else limit.restore for limit in (own, rule)]
    return side * own.value > side * rule.value or side * ends[0] > side * ends[1]


def _shown_zh(limit: LimitFact) -> str:
    return f"{limit.value:g}" + ("" if limit.restore is None else f"（复位 {limit.restore:g}）")


def _shown(limit: LimitFact) -> str:
    return f"{limit.value:g}" + ("" if limit.restore is None else f" (restore {limit.restore:g})")
