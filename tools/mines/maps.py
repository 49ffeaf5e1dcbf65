"""A maker's map of points, turned into the rows of one equipment.

In an address `{+4}` is the equipment's base plus 4, `{+4:5}` the same with five digits, `{unit}` its unit, `{id}` its
id, `{Id}` its id as a name (`belt_101` → `Belt101`). A point without an address has its protocol's usual one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache

from tools.mines.description import HERE
from tools.mines.item import Item

COLUMNS = (
    "equipment", "point", "connection", "group", "address", "type", "order", "scale", "offset", "unit", "low", "high",
    "options", "no_value", "rollover",
)  # fmt: skip
_BASE = re.compile(r"\{\+(\d+)(?::(\d))?\}")


def pascal(name: str) -> str:
    """`cut_current_a` → `CutCurrentA`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@cache
def lines(name: str) -> tuple[dict[str, str], ...]:
    """The lines of maps/<name>.csv."""
    with (HERE / "maps" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def rows(item: Item, adapter: str, mine: str) -> Iterator[dict[str, str]]:
    """The rows of a point table for one equipment."""
    for line in lines(item.map):
        address = line["address"] or usual(adapter, item, line["point"], mine)
        address = _BASE.sub(lambda found: f"{item.base + int(found[1]):0{found[2] or 1}d}", address)
        for word, text in (("{unit}", str(item.unit)), ("{id}", item.id), ("{Id}", pascal(item.id))):
            address = address.replace(word, text)
        yield {**line, "equipment": item.id, "connection": item.connection, "address": address}


def usual(adapter: str, item: Item, key: str, mine: str) -> str:
    """The address of a point whose map says none."""
    if adapter == "opcua":
        return f"nsu=urn:sevenones:simulators;s={{Id}}.{pascal(key)}"
    if adapter == "mqtt":
        return f"mine/{{id}}/state#values.{key}"
    if adapter == "sparkplug":
        return f"{mine}/{item.connection}/{{id}}:{pascal(key)}"
    if adapter == "sql":
        return f"{{id}}.{key}"
    raise ValueError(f"maps/{item.map}.csv: '{key}' has no address, and {adapter} has no usual one")
