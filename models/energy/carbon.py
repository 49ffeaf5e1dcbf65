"""CO₂ behind electricity, and methane that leaves with the return air, by dated factors (`factors.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, model_validator

from models.thing import Names, Strict, Text

FILE = Path(__file__).with_name("factors.yaml")


class GridFactor(Strict):
    """What a kWh from the grid stands for, as published for a year."""

    year: Annotated[int, Field(ge=1990, le=2100)]
    kg_per_kwh: Annotated[float, Field(gt=0, lt=2)]
    source: Text
    confirmed: bool


class Density(Strict):
    at_0_degc: Annotated[float, Field(gt=0.6, lt=0.8)]
    at_20_degc: Annotated[float, Field(gt=0.6, lt=0.8)]


class Methane(Strict):
    kg_per_m3: Density
    gwp: dict[Literal["ar5", "ar6"], Annotated[float, Field(gt=20, lt=100)]]
    source: Text
    confirmed: bool


class Factors(Strict):
    """`regions`: what each grid is called."""

    regions: dict[str, Names]
    grid: dict[str, Annotated[tuple[GridFactor, ...], Field(min_length=1)]]
    methane: Methane

    @model_validator(mode="after")
    def _named(self) -> Self:
        if lacking := self.grid.keys() - self.regions.keys():
            raise ValueError(f"there are no names of {', '.join(sorted(lacking))}")
        return self


@cache
def factors() -> Factors:
    """All of the file."""
    return Factors.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


def grid_factor(region: str, year: int) -> GridFactor:
    """The factor for consumption in a year: the newest published for it or for a year before. Raises KeyError for a
    region that is not known, or a year before all of its factors."""
    known = [factor for factor in factors().grid[region] if factor.year <= year]
    if not known:
        raise KeyError(f"{region} has no factor for {year} or before")
    return max(known, key=lambda factor: factor.year)


@dataclass(frozen=True, slots=True)
class Carbon:
    """kg of CO₂, or of what stands for as much. `electricity` by the grid, `methane` in the return air; `of`: the
    factors that it was reckoned with."""

    electricity: float
    methane: float
    of: Mapping[str, str]

    @property
    def total(self) -> float:
        return self.electricity + self.methane


def carbon(
    kwh: float, region: str, year: int, methane_m3: float, gwp: Literal["ar5", "ar6"] = "ar5", degc: Literal[0, 20] = 20
) -> Carbon:
    """Of `kwh` in a year and of `methane_m3`, m³ of pure methane at `degc` and atmospheric pressure."""
    factor, methane = grid_factor(region, year), factors().methane
    density = methane.kg_per_m3.at_0_degc if degc == 0 else methane.kg_per_m3.at_20_degc
    return Carbon(
        kwh * factor.kg_per_kwh,
        methane_m3 * density * methane.gwp[gwp],
        {
            "grid": f"{region} {factor.year}: {factor.kg_per_kwh:g} kg/kWh ({factor.source})",
            "methane": f"{density:g} kg/m³, GWP100 {methane.gwp[gwp]:g} ({gwp.upper()})",
        },
    )
