"""What a condition of the rules asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping

from models.site.model import Name
from models.thing import CONTROL_MODES
from models.utilisation.conditions import (
    Above,
    All,
    Any_,
    Begun,
    Condition,
    During,
    Follow,
    Is,
    Lasting,
    Not,
    Recently,
)
from models.vocabulary import roles

States = Mapping[tuple[str, str], Mapping[int, Name]]
"""(role, of whom) → what the values of its points are called."""
CONTROL_MODE = "control.mode"
_EVENTS = {"patrol": Name("巡检", "a patrol")}


def phrased(condition: Condition, states: States, owners: Mapping[str, Name]) -> Name:
    """`owners`: what the parts of a unit are called, by the name that rules give them."""
    if isinstance(condition, Is):
        return _is(condition, states, owners)
    if isinstance(condition, Above):
        return _above(condition, owners)
    if isinstance(condition, Follow):
        return _follow(condition)
    if isinstance(condition, During):
        return _during(condition)
    return _made_of([_within(part, states, owners) for part in condition.parts()], condition)


def _made_of(parts: list[Name], condition: Condition) -> Name:
    inner = parts[0]
    match condition:
        case All():
            inner = _joined(parts, "，且", " and ")
        case Any_():
            inner = _joined(parts, "，或", " or ")
        case Not():
            inner = Name(f"没有出现：{inner.zh}", f"not so: {inner.en}")
        case Recently():
            inner = Name(f"最近{condition.s:g}秒内{inner.zh}", f"within the last {condition.s:g} s {inner.en}")
        case Lasting():
            inner = _lasting(condition, inner)
        case Begun():
            held, run = parts
            inner = Name(f"本次运行（{run.zh}）开始时{held.zh}", f"when this run ({run.en}) began, {held.en}")
    return inner


def _during(condition: During) -> Name:
    kind = _EVENTS.get(condition.during, Name(condition.during, condition.during))
    return Name(
        f"{kind.zh}期间（每次最长{condition.longest:g}秒）", f"{kind.en} lasts (for {condition.longest:g} s at most)"
    )


def _is(condition: Is, states: States, owners: Mapping[str, Name]) -> Name:
    known = states.get((condition.role, condition.of or ""), {})
    if condition.role == CONTROL_MODE:
        known = CONTROL_MODES
    named = [known.get(value, Name(str(value), str(value))) for value in condition.is_]
    what, wanted = _whose(condition, owners), _joined(named, "或", " or ")
    return Name(f"{what.zh}为{wanted.zh}", f"{what.en} is {wanted.en}")


def _above(condition: Above, owners: Mapping[str, Name]) -> Name:
    what = _whose(condition, owners)
    if condition.above_rated is not None:
        share = f"{100 * condition.above_rated:g}"
        return Name(f"{what.zh}超过额定值的{share}%", f"{what.en} is over {share} % of what it is rated at")
    level = f"{condition.above:g} {roles()[condition.role].unit}".strip()
    return Name(f"{what.zh}超过{level}", f"{what.en} is over {level}")


def _lasting(condition: Lasting, inner: Name) -> Name:
    zh, en = f"{inner.zh}，持续超过{condition.s:g}秒", f"{inner.en}, for over {condition.s:g} s on end"
    if condition.through:
        zh += f"（中断不超过{condition.through:g}秒的视为持续）"
        en += f" (what is interrupted for up to {condition.through:g} s goes on)"
    return Name(zh, en)


def _follow(condition: Follow) -> Name:
    share = f"{100 * condition.share:g}"
    return Name(
        f"采煤机附近（前{condition.ahead}架至后{condition.behind}架，两端各{condition.ends}架除外）最近{condition.last}次"
        f"移架中，自动跟机不少于{share}%；少于{condition.least}次的不作判断",
        f"of the last {condition.last} moves of supports near the shearer ({condition.ahead} before it to "
        f"{condition.behind} behind it, without {condition.ends} at either end) at least {share} % followed by "
        f"themselves; of fewer than {condition.least} it is not judged",
    )


def _whose(condition: Is | Above, owners: Mapping[str, Name]) -> Name:
    role = roles()[condition.role].name
    zh, en = role.zh, role.en
    if condition.of:
        owner = owners.get(condition.of, Name(condition.of, condition.of))
        zh, en = f"{owner.zh}的{zh}", f"{owner.en}: {en}"
    every = condition.points == "all"
    return Name(f"各{zh}均" if every else zh, f"every {en}" if every else en)


def _within(part: Condition, states: States, owners: Mapping[str, Name]) -> Name:
    inner = phrased(part, states, owners)
    return Name(f"（{inner.zh}）", f"({inner.en})") if isinstance(part, (All, Any_, Lasting)) else inner


def _joined(parts: list[Name], zh: str, en: str) -> Name:
    return Name(zh.join(part.zh for part in parts), en.join(part.en for part in parts))
