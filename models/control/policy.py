"""What roles may do in which mode (`policy.yaml`), and what writing a value to a point does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from models.site.model import Kind, Name, Point
from models.thing import CONTROL_MODES, ControlMode, Names, Strict

FILE = Path(__file__).resolve().parent / "policy.yaml"

NO_MODE = "none"
"""The mode of a machine that has no point for it."""
MODES: dict[str, Name] = {mode.name.lower(): CONTROL_MODES[mode] for mode in ControlMode} | {
    NO_MODE: Name("无控制方式测点", "no point for the mode")
}

Mode = Literal["unknown", "local", "remote", "auto", "inspection", "none"]
MayAct = Literal["restore", "tag", "untag", "take", "hand", "override"]


class Effect(StrEnum):
    """What a command does to its machine."""

    START = "start"
    STOP = "stop"
    RESET = "reset"
    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    MODE = "mode"
    SET = "set"


class EffectFact(Strict):
    zh: str
    en: str
    safe: bool = False


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
    effects: dict[Effect, EffectFact]
    words: dict[Effect, tuple[str, ...]]
    numbers: dict[str, dict[int, Effect]]
    always: dict[str, Effect]
    unclear: dict[str, Effect]
    roles: dict[str, RoleFact]
    two_persons: TwoPersons
    direct: Direct

    def effect(self, point: Point, value: float | str | None) -> Effect:
        """What writing `value` (in the point's unit, or a text; None: nobody can say) does."""
        unclear = self.unclear.get(point.role, self.always.get(point.role, Effect.SET))
        if value is None:
            return unclear
        if isinstance(value, str) and point.kind is not Kind.STATE:
            return unclear
        code = None if isinstance(value, str) else int(value) if float(value).is_integer() else None
        if self.always.get(point.role) is Effect.MODE:
            return Effect.MODE
        if point.kind is Kind.STATE and code is not None and code in point.states:
            named = point.states[code]
            for effect, words in self.words.items():
                if named.zh in words or named.en.lower() in words:
                    return self._of_role(point.role, effect)
        if code is not None and code in self.numbers.get(point.role, {}):
            return self.numbers[point.role][code]
        return unclear

    @staticmethod
    def _of_role(role: str, effect: Effect) -> Effect:
        """`none` and `stop` of a breaker switch nothing on: they are its off."""
        if role == "command.breaker":
            return {Effect.STOP: Effect.POWER_OFF, Effect.START: Effect.POWER_ON}.get(effect, effect)
        return effect

    def safe(self, effect: Effect) -> bool:
        return self.effects[effect].safe

    def named(self, effect: Effect) -> Name:
        return Name(self.effects[effect].zh, self.effects[effect].en)

    def does(self, roles: Iterable[str], effect: Effect) -> frozenset[str]:
        """The modes in which somebody with these roles may do it; empty: never."""
        return frozenset(mode for role in roles if role in self.roles for mode in self.roles[role].does.get(effect, ()))

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
