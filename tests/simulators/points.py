"""Points for the simulators' tests, made by hand."""

from __future__ import annotations

import math
from typing import Any

from models.identity import point_id
from models.site.model import Connection, Equipment, Group, Kind, Name, Point, Retention, Site

CODE = "140581999000"


def point(key: str, address: str, held: str = "float32", equipment: str = "belt1", **more: Any) -> Point:
    path = f"{CODE}/{equipment}/{key}"
    facts: dict[str, Any] = {
        "path": path,
        "id": point_id(path),
        "equipment": equipment,
        "key": key,
        "name": Name(key, key),
        "role": key.replace("-", "."),
        "kind": Kind.ANALOG,
        "unit": "",
        "retention": Retention.BULK,
        "connection": "c1",
        "group": "fast",
        "address": address,
        "type": held,
        "order": "abcd",
        "factor": 1.0,
        "offset": 0.0,
        "low": math.nan,
        "high": math.nan,
        "dead_band": 0.0,
        "silence_s": 30.0,
    }
    return Point(**(facts | more))


def site(points: list[Point], connections: list[Connection], templates: dict[str, str]) -> Site:
    """`templates`: equipment id → template id."""
    return Site(
        code=CODE,
        name=Name("试验矿", "test mine"),
        capacity_kt=1200,
        gas_class="high",
        time_zone="Asia/Shanghai",
        version="test",
        areas={},
        equipment={name: Equipment(name, template, Name(name, name), "face") for name, template in templates.items()},
        connections={connection.name: connection for connection in connections},
        points=tuple(sorted(points, key=lambda p: p.path)),
    )


def connection(name: str, adapter: str, settings: dict[str, Any], period_s: float = 1.0) -> Connection:
    return Connection(name, "edge1", adapter, settings, {"fast": Group("fast", period_s)})
