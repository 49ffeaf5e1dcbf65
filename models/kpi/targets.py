"""What the belts of a city's mines are held against (`targets.yaml`): dated versions, read and checked."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, model_validator

from models.thing import Key, Strict, Text
from models.utilisation.rules import Share

FILE = Path(__file__).with_name("targets.yaml")


class BeltTarget(Strict):
    """`from_kt`: capacity from which on a mine must have belt central control, kt a year; `rate`: from which on it
    counts as having it."""

    version: Text
    effective_from: datetime.date
    category: Key
    from_kt: Annotated[int, Field(gt=0)]
    rate: Share
    source: Text
    confirmed: bool


class Targets(Strict):
    """All versions, the oldest first."""

    belts: Annotated[tuple[BeltTarget, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [each.effective_from for each in self.belts]
        if dates != sorted(set(dates)):
            raise ValueError("versions stand in the order of their dates, no two from the same day on")
        return self


@cache
def targets() -> Targets:
    """All of the file."""
    return Targets.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


def belt_target(day: datetime.date) -> BeltTarget | None:
    """The version in force on a local date; None before the first."""
    return next((each for each in reversed(targets().belts) if each.effective_from <= day), None)
