"""A small site for the API's tests: two machines, with a state, a text and a number on them."""

from __future__ import annotations

import math
import time

import numpy as np
import pyarrow as pa

from models.identity import point_id
from models.samples import Batch, Samples
from models.site.model import Area, Connection, Equipment, Kind, Limit, Name, Point, Retention, Site
from tests.servers import CODE

NAMES = {
    "belt1/speed": Name("带速", "belt speed"),
    "belt1/current": Name("电流", "current"),
    "belt1/running": Name("运行", "running"),
    "belt1/note": Name("备注", "note"),
    "pump1/level": Name("水位", "level"),
    "pump1/flow": Name("流量", "flow"),
}
KINDS = {"running": Kind.STATE, "note": Kind.TEXT}
SILENCE_S = 30.0
HOST = "plc.of-belt.example"
"""Where the device is on the network."""


def path_of(name: str) -> str:
    return f"{CODE}/{name}"


def id_of(name: str) -> int:
    return point_id(path_of(name))


def _point(name: str) -> Point:
    equipment, key = name.split("/")
    return Point(
        path=path_of(name),
        id=id_of(name),
        equipment=equipment,
        key=key,
        name=NAMES[name],
        role=f"belt.{key}" if equipment == "belt1" else f"pump.{key}",
        kind=KINDS.get(key, Kind.ANALOG),
        unit="m/s" if key == "speed" else "",
        retention=Retention.STATUTORY if name == "pump1/flow" else Retention.BULK,
        connection="on-edge1",
        group="fast",
        address="hr:1",
        type="int16",
        order="abcd",
        factor=1.0,
        offset=0.0,
        low=0.0,
        high=math.nan,
        dead_band=0.0,
        silence_s=SILENCE_S,
        states={0: Name("停止", "stopped"), 1: Name("运行", "running")} if key == "running" else {},
        limits=(Limit("hi", 5.0),) if key == "speed" else (),
    )


def site() -> Site:
    return Site(
        CODE,
        Name("试验矿", "test mine"),
        900,
        "low",
        "Asia/Shanghai",
        "1",
        {
            "east": Area("east", Name("东翼", "east wing"), None),
            "face1": Area("face1", Name("一号工作面", "face 1"), "east"),
            "sump": Area("sump", Name("水仓", "sump"), None),
        },
        {
            "belt1": Equipment("belt1", "belt_conveyor", Name("一号带式输送机", "belt 1"), "face1", "transport"),
            "pump1": Equipment("pump1", "pump", Name("一号水泵", "pump 1"), "sump", "drainage"),
        },
        {"on-edge1": Connection("on-edge1", "edge1", "modbus", {"host": HOST}, {})},
        tuple(sorted((_point(name) for name in NAMES), key=lambda point: point.path)),
    )


def now() -> int:
    return time.time_ns() // 1000


def samples(*rows: tuple[str, int, float, int], texts: list[str | None] | None = None) -> Samples:
    """Rows of (equipment/point, ts, value, quality)."""
    name, ts, value, quality = zip(*rows, strict=True)
    return Samples(
        np.array([id_of(each) for each in name], np.uint64),
        np.array(ts, np.int64),
        np.array(value, np.float64),
        np.array(quality, np.uint8),
        None if texts is None else pa.array(texts, pa.string()),
    )


def batch(number: int, *rows: tuple[str, int, float, int], texts: list[str | None] | None = None) -> Batch:
    return Batch("edge1", number, now(), samples(*rows, texts=texts))
