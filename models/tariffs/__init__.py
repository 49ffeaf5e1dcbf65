"""Time-of-use tariffs as dated data: which period of the tariff a local hour lies in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, model_validator

from models.thing import Strict, Text


class Period(StrEnum):
    """尖 峰 平 谷"""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"

    @property
    def dear(self) -> bool:
        """Whether what can wait should."""
        return self in (Period.SHARP, Period.PEAK)


Hours = tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=1, le=24)]]


class Season(Strict):
    """Months with the same hours."""

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    sharp: tuple[Hours, ...] = ()
    peak: tuple[Hours, ...] = ()
    valley: tuple[Hours, ...] = ()

    def at(self, hour: int) -> Period:
        """Of a local hour, 0 to 23."""
        for period in (Period.SHARP, Period.PEAK, Period.VALLEY):
            if any(begin <= hour < end for begin, end in getattr(self, period)):
                return period
        return Period.FLAT


class Scheme(Strict):
    """A published tariff, in force from a date until the next one's."""

    source: Text
    effective_from: date
    confirmed: bool = True
    seasons: tuple[Season, ...]

    @model_validator(mode="after")
    def _whole_year_once(self) -> Scheme:
        if sorted(month for season in self.seasons for month in season.months) != list(range(1, 13)):
            raise ValueError("each month stands in one season")
        for season in self.seasons:
            claimed = [h for pairs in (season.sharp, season.peak, season.valley) for a, b in pairs for h in range(a, b)]
            if len(set(claimed)) < len(claimed):
                raise ValueError("an hour stands in two periods")
        return self


@lru_cache(maxsize=1)
def tariffs() -> Mapping[str, tuple[Scheme, ...]]:
    """All that are known, by name."""
    text = files("models.tariffs").joinpath("published.yaml").read_text("utf-8")
    found: Any = yaml.safe_load(text)
    return TypeAdapter(dict[str, tuple[Scheme, ...]]).validate_python(found)


def period_at(tariff: str, local: datetime) -> Period:
    """The period that a local time lies in. Raises KeyError for a tariff, or a time, that is not known."""
    in_force = [scheme for scheme in tariffs()[tariff] if scheme.effective_from <= local.date()]
    if not in_force:
        raise KeyError(f"{tariff} is not known for {local.date()}")
    scheme = max(in_force, key=lambda each: each.effective_from)
    season = next(season for season in scheme.seasons if local.month in season.months)
    return season.at(local.hour)
