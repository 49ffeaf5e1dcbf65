"""What roles may do in which mode (`policy.yaml`), and what writing a value to a point does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from models.control.effects import Effect
from models.site.model import Name, Point
from models.thing import CONTROL_MODES, ControlMode, Names, Strict

FILE = Path(__file__).resolve().parent / "policy.yaml"

NO_MODE = "none"
"""The mode of a machine that has no point for it."""
MODES: dict[str, Name] = {mode.name.lower(): CONTROL_MODES[mode] for mode in ControlMode} | {
    NO_MODE: Name("无控制方式测点", "no point for the mode")
}

Mode = Literal["unknown", "local", "remote", "auto", "inspection", "none"]
MayAct = Literal["restore", "tag", "untag", "take", "hand", "override", "settle"]


_MAY: dict[str, Name] = {
    "restore": Name("联动复位", "restore a linkage"),
    "tag": Name("挂牌", "hang a tag"),
    "untag": Name("摘牌", "take a tag off"),
    "take": Name("接管控制权", "take control"),
    "hand": Name("移交控制权", "hand control over"),
    "override": Name("越过闭锁", "override an interlock"),
    "settle": Name("处置不明记录", "settle what is left unknown"),
}


class RoleFact(Strict):
    name: Names
    does: dict[Effect, tuple[Mode, ...]] = Field(default_factory=dict)
    acts: tuple[MayAct, ...] = ()


class TwoPersons(Strict):
    effects: tuple[Effect, ...] = ()
    acts: tuple[MayAct, ...] = ()


class Direct(Strict):
    effects: tuple[Effect, ...] = ()
    roles: tuple[str, ...] = ()


Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Policy(Strict):
    """The file. Whoever judges by it gives the roles of a credential; a role that it does not know may nothing."""

    source: str
    date: str
    confirmed: bool
    select_s: Seconds
    seat_s: Seconds
    deadline_s: Annotated[float, Field(gt=0, le=20)]
    credential_days: Seconds
    effects: dict[Effect, Names]
    words: dict[str, dict[Effect, tuple[str, ...]]]
    other_words: dict[Effect, tuple[str, ...]]
    numbers: dict[str, dict[int, Effect]]
    always: dict[str, Effect]
    unclear: dict[str, Effect]
    roles: dict[str, RoleFact]
    two_persons: TwoPersons
    direct: Direct

    def effect(self, point: Point, value: float | str | None) -> Effect:
        """What writing `value` (in the point's unit, or a text; None: nobody can say) does."""
        unclear = self.unclear.get(point.role, self.always.get(point.role, Effect.SET))
        if self.always.get(point.role) is Effect.MODE:
            return Effect.MODE
        if value is None or isinstance(value, str) or not float(value).is_integer():
            return unclear
        code = int(value)
        if point.states:
            # Where its states have names, these alone say what a number means.
            return self._meant(point.role, point.states[code], unclear) if code in point.states else unclear
        return self.numbers.get(point.role, {}).get(code, unclear)

    def _meant(self, role: str, name: Name, unclear: Effect) -> Effect:
        words = self.words.get(role, self.other_words)
        found = {effect for effect, known in words.items() if name.zh in known or name.en.lower() in known}
        # Two names that say two things say nothing.
        return found.pop() if len(found) == 1 else unclear

    def named(self, effect: Effect) -> Name:
        return self.effects[effect].resolved()

    def named_roles(self, roles: Iterable[str]) -> Name:
        """Roles as people call them."""
        known = [self.roles[role].name.resolved() if role in self.roles else Name(role, role) for role in roles]
        return Name("、".join(each.zh for each in known), ", ".join(each.en for each in known))

    def does(self, roles: Iterable[str], effect: Effect) -> frozenset[str]:
        """The modes in which somebody with these roles may do it; empty: never."""
        return frozenset(mode for role in roles if role in self.roles for mode in self.roles[role].does.get(effect, ()))

    def named_act(self, act: str) -> Name:
        """What an act is called."""
        return _MAY.get(act, Name(act, act))

    def acts(self, roles: Iterable[str], act: str) -> bool:
        return any(act in self.roles[role].acts for role in roles if role in self.roles)

    def is_direct(self, roles: Iterable[str], effect: Effect) -> bool:
        """Whether it is carried out without a select before it."""
        return effect in self.direct.effects or not set(self.direct.roles).isdisjoint(roles)


def of_document(found: Mapping[str, object]) -> Policy:
    """A policy from the content of its file. Raises pydantic.ValidationError."""
    return Policy.model_validate(found)


@cache
def policy() -> Policy:
    """The one of this program."""
    return of_document(yaml.safe_load(FILE.read_text("utf-8")))
