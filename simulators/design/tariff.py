"""Time-of-use tariffs: which hours are sharp, peak, flat and valley, by date, as data."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, model_validator

from simulators.design.strict import Strict

PERIODS = ("sharp", "peak", "flat", "valley")
"""尖 峰 平 谷, as a meter's registers."""

Hours = tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=1, le=24)]]


class Season(Strict):
    """Months with the same hours; each pair is [from, until) in local hours."""

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    sharp: tuple[Hours, ...] = ()
    peak: tuple[Hours, ...] = ()
    valley: tuple[Hours, ...] = ()

    def hours(self) -> list[int]:
        """For each hour of the day the index of its period. Raises ValueError when two claim the same."""
        day = [PERIODS.index("flat")] * 24
        taken: set[int] = set()
        for period in ("sharp", "peak", "valley"):
            for begin, end in getattr(self, period):
                claimed = set(range(begin, end))
                if not claimed or claimed & taken:
                    raise ValueError(f"{period} {begin}-{end}: 时段为空或重叠 · the hours are none or taken")
                taken |= claimed
                for hour in claimed:
                    day[hour] = PERIODS.index(period)
        return day


class Scheme(Strict):
    """One published tariff, in force from a date until the next."""

    source: str = Field(min_length=1, max_length=200)
    effective_from: date
    confirmed: bool = False
    seasons: tuple[Season, ...]

    @model_validator(mode="after")
    def _a_whole_year(self) -> Scheme:
        if sorted(month for season in self.seasons for month in season.months) != list(range(1, 13)):
            raise ValueError("seasons: 十二个月应各出现一次 · each month must be named once")
        for season in self.seasons:
            season.hours()
        return self


def published(province: str) -> tuple[Scheme, ...]:
    """The tariffs that `tariffs.yaml` knows of a province. Raises KeyError."""
    text = (Path(__file__).parent / "tariffs.yaml").read_text("utf-8")
    return TypeAdapter(dict[str, tuple[Scheme, ...]]).validate_python(yaml.safe_load(text))[province]
