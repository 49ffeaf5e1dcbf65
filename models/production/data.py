"""What this house knows of machines (`machines.yaml`) and of what alarms say of them (`faults.yaml`)."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, model_validator

from models.thing import Key, Names, Number, Strict, Text

FOLDER = Path(__file__).parent
States = Annotated[tuple[int, ...], Field(min_length=1)]
Seconds = Annotated[Number, Field(ge=0, le=3600)]


class Machine(Strict):
    """How a kind of machine tells that it runs. `main`: its standstill is a stoppage of production."""

    role: Text
    running: States
    stopped: States
    main: bool = False
    counts: dict[Key, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if both := set(self.running) & set(self.stopped):
            raise ValueError(f"running and stopped at once: {sorted(both)}")
        return self


class Looking(Strict):
    """For stoppages, seconds."""

    least_s: Seconds
    before_s: Seconds
    after_s: Seconds


class Machines(Strict):
    source: Text
    effective_from: datetime.date
    machines: dict[Key, Machine]
    """By template."""
    stoppages: Looking


class Fault(Strict):
    """What a rule's alarm says of the machine that it is at."""

    group: Key
    fault: bool
    roles: tuple[Text, ...] = ()


class Faults(Strict):
    source: Text
    confirmed: bool
    effective_from: datetime.date
    groups: dict[Key, Names]
    rules: dict[Text, Fault]

    @model_validator(mode="after")
    def _grouped(self) -> Self:
        if unknown := sorted({each.group for each in self.rules.values()} - self.groups.keys()):
            raise ValueError(f"there is no group {', '.join(unknown)}")
        return self

    def of(self, rule: str, role: str) -> Fault | None:
        """What this rule says at a point of that role; None where it says nothing of a machine."""
        found = self.rules.get(rule)
        return found if found is not None and (not found.roles or role in found.roles) else None


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


@cache
def machines() -> Machines:
    return Machines.model_validate(_read("machines.yaml"))


@cache
def faults() -> Faults:
    return Faults.model_validate(_read("faults.yaml"))
