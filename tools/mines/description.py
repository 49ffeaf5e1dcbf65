"""What is a mine's own: its names, its size, its makers; read from mines/<name>.yaml."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

HERE = Path(__file__).resolve().parent
SUPPORT_M = 1.5
"""From one support to the next."""
MINES = ("low", "middle", "high")


class Mine(BaseModel):
    """One mine. Lengths in m, coordinates as the site's system has them (x north, y east, z up)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    code: str = Field(pattern=r"^[0-9]{12}$")
    zh: str
    en: str
    county_zh: str
    county_en: str
    gas_class: str
    port: int
    """The first of its ports."""
    origin: tuple[float, float, float]
    """The collar of the main incline."""
    bearing: float
    """Degrees from north to the way the main roads run."""
    face: str
    district: str
    headings: tuple[str, str]
    incline_m: float
    dip: float
    """Of the main incline, degrees."""
    main_m: float
    """The main roads from the shaft bottom to the district."""
    district_m: float
    """The district's roads."""
    panel_m: float
    advanced_m: float
    """What the face has won of its panel."""
    heading_m: tuple[float, float]
    supports: int
    support_map: str
    support_hosts: int = 1
    belts: dict[str, str]
    """Belt → its maker's map."""
    meters: str
    roadheaders: tuple[str, str]
    aux_fans: str
    utilisation: dict[str, float]
    """Category → share of producing time that is worked intelligently (equal weights)."""
    simulation: dict[str, Any]
    """What this mine's simulation.yaml says otherwise than the others'."""

    @property
    def lift_m(self) -> float:
        """Of the main incline."""
        return round(self.incline_m * math.sin(math.radians(self.dip)), 1)

    @property
    def face_m(self) -> float:
        return self.supports * SUPPORT_M


def read(name: str) -> Mine:
    """The description of the mine of that name. Raises OSError, yaml.YAMLError, pydantic.ValidationError."""
    return Mine.model_validate(yaml.safe_load((HERE / "mines" / f"{name}.yaml").read_text(encoding="utf-8")))
