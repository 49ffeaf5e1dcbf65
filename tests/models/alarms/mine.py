"""A small mine made by hand, and samples of it."""

from __future__ import annotations

import numpy as np

from models.samples import Samples
from models.site.model import Equipment, Kind, Limit, Name, Point, Retention, Site

START = 1_800_000_000_000_000
"""µs UTC."""
NOBODY = Name("无", "none")
REGULATION = "《煤矿安全规程》(2022)第四百九十八条"


def point(
    path: str,
    role: str,
    *,
    number: int,
    kind: Kind = Kind.ANALOG,
    limits: tuple[Limit, ...] = (),
    statutory: bool = False,
    silence_s: float = 10.0,
) -> Point:
    equipment, _, key = path.partition("/")
    return Point(
        path=f"m/{path}",
        id=number,
        equipment=equipment,
        key=key,
        name=NOBODY,
        role=role,
        kind=kind,
        unit="",
        retention=Retention.STATUTORY if statutory else Retention.BULK,
        connection="c",
        group="default",
        address="",
        type="",
        order="",
        factor=1.0,
        offset=0.0,
        low=np.nan,
        high=np.nan,
        dead_band=0.0,
        silence_s=silence_s,
        limits=limits,
    )


def site(*points: Point, templates: dict[str, str] | None = None) -> Site:
    """`templates`: of equipment whose template matters."""
    known = {one.equipment: Equipment(one.equipment, "other", NOBODY, "face") for one in points}
    for name, template in (templates or {}).items():
        known[name] = Equipment(name, template, NOBODY, "face")
    ordered = tuple(sorted(points, key=lambda one: one.path))
    return Site("m", NOBODY, 1200, "high", "Asia/Shanghai", "1", {}, known, {}, ordered)


METHANE = (
    Limit("hi", 1.0, None, REGULATION, "2022-04-01"),
    Limit("hihi", 1.5, 1.0, REGULATION, "2022-04-01"),
)


def methane() -> Site:
    """One sensor with its state: points ch4 (7) and state (8)."""
    return site(
        point("gas/ch4", "ch4", number=7, limits=METHANE, statutory=True),
        point("gas/state", "sensor.state", number=8, kind=Kind.STATE, statutory=True),
    )


Row = tuple[int, float, float] | tuple[int, float, float, int]
"""Point id, seconds after START, value, and quality where that is not good."""


def at(seconds: float) -> int:
    """µs UTC."""
    return START + round(seconds * 1e6)


def samples(*rows: Row) -> Samples:
    return Samples(
        np.array([row[0] for row in rows], np.uint64),
        np.array([at(row[1]) for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([row[3] if len(row) > 3 else 192 for row in rows], np.uint8),
    )
