"""A mine of methane sensors (statutory) and belts (bulk) for the watch's tests."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from models.identity import point_id
from models.samples import Batch, Samples
from models.site.model import Area, Connection, Equipment, Kind, Limit, Name, Point, Retention, Site
from tests.servers import CODE

NAME = Name("测点", "point")
SECOND = 1_000_000


def path_of(name: str) -> str:
    return f"{CODE}/{name}"


def id_of(name: str) -> int:
    return point_id(path_of(name))


def now() -> int:
    return time.time_ns() // 1000


def _point(name: str, silence_s: float) -> Point:
    equipment, key = name.split("/")
    methane = key == "ch4"
    return Point(
        path=path_of(name),
        id=id_of(name),
        equipment=equipment,
        key=key,
        name=NAME,
        role="ch4" if methane else "belt.speed",
        kind=Kind.ANALOG,
        unit="%",
        retention=Retention.STATUTORY if methane else Retention.BULK,
        connection="on-edge1",
        group="fast",
        address="hr:1",
        type="int16",
        order="abcd",
        factor=1.0,
        offset=0.0,
        low=float("nan"),
        high=float("nan"),
        dead_band=0.0,
        silence_s=silence_s,
        limits=(Limit("hi", 1.0, None, "《煤矿安全规程》(2022)", "2022-04-01"),),
    )


def site(gas: int = 2, belts: int = 2, silence_s: float = 600.0) -> Site:
    """Points `gas<n>/ch4` and `belt<n>/speed`, with a limit of 1.0 each."""
    names = [f"gas{n}/ch4" for n in range(gas)] + [f"belt{n}/speed" for n in range(belts)]
    equipment = {name.split("/")[0]: Equipment(name.split("/")[0], "other", NAME, "face1") for name in names}
    points = tuple(sorted((_point(name, silence_s) for name in names), key=lambda point: point.path))
    connections = {"on-edge1": Connection("on-edge1", "edge1", "modbus", {}, {})}
    areas = {"face1": Area("face1", NAME, None)}
    return Site(CODE, NAME, 900, "high", "Asia/Shanghai", "1", areas, equipment, connections, points)


def batch(number: int, rows: Sequence[tuple[str, int, float]]) -> Batch:
    """Good samples: (name, ts, value)."""
    name, ts, value = zip(*rows, strict=True)
    samples = Samples(
        np.array([id_of(each) for each in name], np.uint64),
        np.array(ts, np.int64),
        np.array(value, np.float64),
        np.full(len(rows), 192, np.uint8),
    )
    return Batch("edge1", number, now(), samples)
