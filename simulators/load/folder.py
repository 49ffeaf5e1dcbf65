"""The site folder of a mine that only makes load."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MINE_CODE = "140581999001"
GATEWAY = "edge1"

_SITE = {
    "code": MINE_CODE,
    "name": {"zh": "负载试验矿", "en": "load test mine"},
    "capacity_kt": 1200,
    "gas_class": "high",
    "time_zone": "Asia/Shanghai",
}


@dataclass(frozen=True)
class Box:
    """One equipment of load: `points` points `p00000` …, read over a connection that boxes may share.
    `address(n)`: where its n-th point is."""

    equipment: str
    points: int
    connection: str
    address: Callable[[int], str]
    type: str = ""
    order: str = ""
    group: str = ""
    options: str = ""


@dataclass(frozen=True)
class Way:
    """One connection: its adapter, settings, and poll groups as connections.yaml has them."""

    adapter: str
    settings: Mapping[str, Any]
    groups: Mapping[str, Any] = field(default_factory=dict)


def path_of(box: Box, number: int) -> str:
    """The path of a box's point."""
    return f"{MINE_CODE}/{box.equipment}/p{number:05d}"


def write_site(folder: Path, ways: Mapping[str, Way], boxes: Sequence[Box], *, gateway: str = GATEWAY) -> None:
    """A site folder from which gateway and platform can work."""
    for name in ("templates", "equipment", "points"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _dump(folder / "site.yaml", _SITE)
    _dump(folder / "areas.yaml", {"areas": {"mine": {"name": {"zh": "矿井", "en": "mine"}}}})
    points = {
        f"p{n:05d}": {"name": {"zh": f"测点{n}", "en": f"point {n}"}, "role": "load.value", "kind": "analog"}
        for n in range(max(box.points for box in boxes))
    }
    template = {"id": "load", "name": {"zh": "负载", "en": "load"}, "category": "other", "points": points}
    _dump(folder / "templates" / "load.yaml", template)
    connections = {
        name: {"gateway": gateway, "adapter": way.adapter, "settings": dict(way.settings)}
        | ({"groups": dict(way.groups)} if way.groups else {})
        for name, way in ways.items()
    }
    _dump(folder / "connections.yaml", {"connections": connections})
    equipment = {
        box.equipment: {"template": "load", "name": {"zh": f"负载{n}", "en": f"load {n}"}, "area": "mine"}
        for n, box in enumerate(boxes)
    }
    _dump(folder / "equipment" / "load.yaml", {"equipment": equipment})
    with (folder / "points" / "load.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("equipment", "point", "connection", "group", "address", "type", "order", "options"))
        for box in boxes:
            table.writerows(
                (
                    *(box.equipment, f"p{n:05d}", box.connection, box.group),
                    *(box.address(n), box.type, box.order, box.options),
                )
                for n in range(box.points)
            )


def _dump(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
