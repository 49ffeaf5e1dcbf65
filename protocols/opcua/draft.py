"""A draft of a point table from what a server has: rows in the columns of a site, for an engineer to
prune and name.

    adapter = OpcUa(settings); await adapter.connect()
    print(as_csv(await draft(adapter, "Machine", equipment="shearer_1", connection="shearer_opcua")))
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from protocols.adapter import Adapter, Node
from protocols.opcua.address import CALL

COLUMNS = (
    "equipment",
    "point",
    "connection",
    "group",
    "address",
    "type",
    "unit",
    "low",
    "high",
    "name_zh",
    "name_en",
)
SKIPPED = frozenset({"Server", "Aliases", "Locations"})
"""What every server has in its Objects folder, and no equipment has."""
READABLE = frozenset(
    {"Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double"}
    | {"String", "DateTime", "LocalizedText", "Duration", "UtcTime", "Number", "Integer", "UInteger", ""}
)
_TEXT = frozenset({"String", "LocalizedText"})


async def draft(
    adapter: Adapter[Any, Any],
    parent: str = "",
    *,
    equipment: str,
    connection: str,
    group: str = "",
    depth: int = 6,
    limit: int = 5_000,
) -> list[dict[str, str]]:
    """One row for each value and method below `parent` (a way or an address of `browse`), `depth` levels
    deep, at most `limit` rows. The point's name is made of the node's, unique in the draft; unit and range
    are the server's. A method's row is for writing. Raises AdapterError, LinkLost."""
    found: list[Node] = []
    level = [parent]
    seen: set[str] = set()
    for _ in range(depth):
        below: list[str] = []
        for way in level:
            for node in await adapter.browse(way):
                if not parent and not way and node.name in SKIPPED:
                    continue
                if node.address and node.address in seen:
                    continue  # a node may hang in several places
                seen.add(node.address)
                if node.address and (node.type in READABLE or node.address.startswith(CALL)):
                    found.append(node)
                    if len(found) >= limit:
                        return _rows(found, equipment, connection, group)
                if not node.address.startswith(CALL):
                    name = node.name.replace("/", "&/")
                    below.append(f"{way}/{name}" if way else name)
        level = below
        if not level:
            break
    return _rows(found, equipment, connection, group)


def _rows(found: Iterable[Node], equipment: str, connection: str, group: str) -> list[dict[str, str]]:
    taken: set[str] = set()
    rows = []
    for node in found:
        row = {
            "equipment": equipment,
            "point": _unique(node, taken),
            "connection": connection,
            "group": group,
            "address": node.address,
            "type": "text" if node.type in _TEXT else "",
            "unit": node.unit,
            "low": "" if math.isnan(node.low) else f"{node.low:g}",
            "high": "" if math.isnan(node.high) else f"{node.high:g}",
            "name_zh": node.name,
            "name_en": node.name,
        }
        rows.append(row)
    return rows


def _unique(node: Node, taken: set[str]) -> str:
    """A name of a-z 0-9 _ that no other row has: the node's; with its parent's; with a number."""
    own = _plain(node.name)
    longer = _plain(f"{node.parent.rpartition('/')[2]}_{node.name}")
    for name in (own, longer, *(f"{own[:34]}_{number}" for number in range(2, 100_000))):
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("more points of one name than a draft can hold")


def _plain(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40] or "point"


def as_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as a point table, CSV with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
