"""The checks of what a figure was made of (`checks.yaml`): dated versions, read and checked."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, model_validator

from models.thing import Key, Names, Number, Strict, Text
from models.utilisation.conditions import AnyCondition
from models.vocabulary import roles

FILE = Path(__file__).with_name("checks.yaml")

Seconds = Annotated[Number, Field(gt=0, le=86_400)]
Role = Annotated[str, Field(min_length=1, max_length=80)]


class _Check(Strict):
    key: Key
    name: Names
    template: Key

    def conditions(self) -> tuple[AnyCondition, ...]:
        """Those by which it is judged."""
        return ()

    def extra(self) -> tuple[str, ...]:
        """Roles that it reads besides those of its conditions."""
        return ()

    def roles(self) -> frozenset[str]:
        """All that it reads; it is asked of machines that have a point of each."""
        return frozenset(self.extra()) | {role for one in self.conditions() for role, _ in one.reads()}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for role in sorted(self.roles()):
            if role not in roles():
                raise ValueError(f"{self.key}: there is no role '{role}' (models/roles.yaml)")
        if any(of for one in self.conditions() for _, of in one.reads()):
            raise ValueError(f"{self.key}: a check is of one machine; 'of' has no meaning in it")
        return self


class Contradiction(_Check):
    kind: Literal["contradiction"]
    when: AnyCondition
    least_s: Seconds
    near_s: Seconds = 600

    def conditions(self) -> tuple[AnyCondition, ...]:
        return (self.when,)


class ZeroLoad(_Check):
    kind: Literal["zero_load"]
    during: AnyCondition
    counter: Role
    longest_s: Seconds

    def conditions(self) -> tuple[AnyCondition, ...]:
        return (self.during,)

    def extra(self) -> tuple[str, ...]:
        return (self.counter,)


class OwnCounter(_Check):
    kind: Literal["own_counter"]
    during: AnyCondition
    counter: Role
    share: Annotated[Number, Field(gt=0, lt=1)]
    within_h: Annotated[Number, Field(ge=0, le=24)]

    def conditions(self) -> tuple[AnyCondition, ...]:
        return (self.during,)

    def extra(self) -> tuple[str, ...]:
        return (self.counter,)


class ModeChanges(_Check):
    kind: Literal["mode_changes"]
    role: Role
    most: Annotated[int, Field(ge=1, le=3600)]

    def extra(self) -> tuple[str, ...]:
        return (self.role,)


class Frozen(_Check):
    kind: Literal["frozen"]
    role: Role
    during: AnyCondition
    longest_s: Seconds

    def conditions(self) -> tuple[AnyCondition, ...]:
        return (self.during,)

    def extra(self) -> tuple[str, ...]:
        return (self.role,)


Check = Annotated[Contradiction | ZeroLoad | OwnCounter | ModeChanges | Frozen, Field(discriminator="kind")]


class Version(Strict):
    """What is looked for on days from `effective_from` on."""

    version: Text
    effective_from: datetime.date
    source: Text
    confirmed: bool
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]


class Checks(Strict):
    """All versions, the oldest first."""

    versions: Annotated[tuple[Version, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [version.effective_from for version in self.versions]
        if dates != sorted(set(dates)):
            raise ValueError("versions stand in the order of their dates, no two from the same day on")
        return self

    def at(self, day: datetime.date) -> Version:
        """The version in force on a local date: before the first one, the first."""
        return next((one for one in reversed(self.versions) if one.effective_from <= day), self.versions[0])


@cache
def standard() -> Checks:
    """This house's checks."""
    return Checks.model_validate(yaml.safe_load(FILE.read_text("utf-8")))
