"""Time-of-use tariffs as dated data: which period of the tariff a local hour lies in, and what it costs there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, model_validator

from models.thing import Strict, Text


class Period(StrEnum):
    """尖 峰 平 谷 深谷"""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"
    DEEP_VALLEY = "deep_valley"

    @property
    def dear(self) -> bool:
        """Whether what can wait should."""
        return self in (Period.SHARP, Period.PEAK)

    @property
    def cheap(self) -> bool:
        """Whether what can wait should have waited for it."""
        return self in (Period.VALLEY, Period.DEEP_VALLEY)


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


Ratio = Annotated[float, Field(gt=0, le=10)]


class Ratios(Strict):
    """The price in each period, as a multiple of the flat one."""

    sharp: Ratio
    peak: Ratio
    valley: Ratio
    deep_valley: Ratio | None = None
    flat: Ratio = 1.0

    def of(self, period: Period) -> float:
        """Where a scheme has no deep valley of its own, the valley's."""
        ratio: float | None = getattr(self, period.value)
        return self.valley if ratio is None else ratio


class Scheme(Strict):
    """A published tariff, in force from a date until the next one's. `deep_valley`: hours of public holidays."""

    source: Text
    effective_from: date
    confirmed: bool = True
    ratios: Ratios
    seasons: tuple[Season, ...]
    deep_valley: tuple[Hours, ...] = ()

    def at(self, local: datetime) -> Period:
        """Of a local time."""
        if self.deep_valley and is_holiday(local.date()) and any(a <= local.hour < b for a, b in self.deep_valley):
            return Period.DEEP_VALLEY
        return next(season for season in self.seasons if local.month in season.months).at(local.hour)

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


class Holidays(Strict):
    """The public holidays of a year that have a tariff of their own, [first day, last day] each."""

    source: Text
    confirmed: bool
    days: tuple[tuple[date, date], ...]


@lru_cache(maxsize=1)
def holidays() -> Mapping[int, Holidays]:
    """By year. Of a year that is not there nothing is known, and no day is taken for a holiday."""
    text = files("models.tariffs").joinpath("holidays.yaml").read_text("utf-8")
    return TypeAdapter(dict[int, Holidays]).validate_python(yaml.safe_load(text))


@lru_cache(maxsize=4096)
def is_holiday(day: date) -> bool:
    """Whether the tariffs of public holidays hold on a local day."""
    year = holidays().get(day.year)
    return year is not None and any(first <= day <= last for first, last in year.days)


def scheme_at(tariff: str, day: date) -> Scheme:
    """The scheme in force on a local day. Raises KeyError for a tariff, or a day, that is not known."""
    in_force = [scheme for scheme in tariffs()[tariff] if scheme.effective_from <= day]
    if not in_force:
        raise KeyError(f"{tariff} is not known for {day}")
    return max(in_force, key=lambda each: each.effective_from)


def period_at(tariff: str, local: datetime) -> Period:
    """The period that a local time lies in. Raises KeyError for a tariff, or a time, that is not known."""
    return scheme_at(tariff, local.date()).at(local)


def cheapest(scheme: Scheme, day: date) -> Period:
    """The period of a local day whose hours cost least."""
    midnight = datetime(day.year, day.month, day.day)
    periods = {scheme.at(midnight + timedelta(hours=hour)) for hour in range(24)}
    return min(periods, key=lambda period: (scheme.ratios.of(period), period))
