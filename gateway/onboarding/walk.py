"""Walking through what a device has, and drafting point-table rows of it."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.adapter import Adapter, AdapterError, Node

MOST_NODES = 20_000
DEEPEST = 12
SKIPPED = frozenset({"Server", "Types", "Views", "Aliases", "Locations"})
"""What every OPC UA server has at its root about itself; walked only when it is asked for."""
DRAFT = ("equipment", "point", "connection", "group", "address", "type", "unit", "name_zh", "name_en")


@dataclass(frozen=True, slots=True)
class Step:
    """One node, `depth` levels below where the walk began. `way` is what `--below` takes. `trouble`: why what is
    below it could not be listed."""

    node: Node
    way: str
    depth: int
    trouble: str = ""


async def walk(device: Adapter[Any, Any], below: str = "", depth: int = 1, most: int = MOST_NODES) -> list[Step]:
    """What is below a node, down to `depth` levels, in the device's own order, at most `most` nodes. Raises
    AdapterError when the beginning itself cannot be listed."""
    found: list[Step] = []
    await _level(device, below, 1, min(depth, DEEPEST), most, found)
    return found


async def _level(device: Adapter[Any, Any], below: str, level: int, depth: int, most: int, found: list[Step]) -> None:
    for node in await device.browse(below):
        if len(found) >= most:
            return
        way = f"{below}/{node.name.replace('/', '&/')}" if below else node.name.replace("/", "&/")
        place = len(found)
        found.append(Step(node, way, level))
        folder = not node.address and not (level == 1 and not below and node.name in SKIPPED)
        if folder and level < depth:
            try:
                await _level(device, way, level + 1, depth, most, found)
            except AdapterError as error:
                found[place] = Step(node, way, level, str(error))


def draft(steps: Sequence[Step], connection: str, equipment: str, group: str = "") -> list[dict[str, str]]:
    """Rows of a point table for the nodes that have a value or can be called: names to be gone over, addresses and
    units as the device says. Its ranges stay out: the table's are in the template's unit."""
    taken: set[str] = set()
    rows = []
    for step in steps:
        node = step.node
        if not node.address:
            continue
        name = "".join(char if char.isprintable() else " " for char in node.name).strip()
        chinese = any("\u4e00" <= char <= "\u9fff" for char in name)
        rows.append(
            {
                "equipment": equipment,
                "point": _key(step.way, taken),
                "connection": connection,
                "group": group,
                "address": node.address,
                "type": "",
                "unit": node.unit,
                "name_zh": name if chinese else "",
                "name_en": "" if chinese else name,
            }
        )
    return rows


def _key(way: str, taken: set[str]) -> str:
    """A point's key made of its name, with so much of what is above it as makes it the only one."""
    parts = deque(part.replace("\0", "/") for part in way.replace("&/", "\0").split("/"))
    for candidate in _candidates(parts):
        if candidate and candidate not in taken:
            taken.add(candidate)
            return candidate
    raise AssertionError("the numbers never end")


def _candidates(parts: deque[str]) -> Iterator[str]:
    slugs = [_slug(part) for part in parts]
    for first in range(len(slugs) - 1, -1, -1):
        yield "_".join(filter(None, slugs[first:]))[:40].strip("_")
    base = slugs[-1] or "point"
    number = 1
    while True:
        number += 1
        yield f"{base[:34]}_{number}"


def _slug(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def as_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """The rows as a file that Excel opens with its Chinese whole."""
    text = io.StringIO()
    writer = csv.DictWriter(text, DRAFT, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
