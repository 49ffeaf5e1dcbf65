"""What can be said of a device's registers and of a plan before anything is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from protocols.adapter import Request, Tag
from protocols.modbus.address import HIGHEST, parse
from protocols.modbus.place import Place
from protocols.modbus.planner import Plan
from protocols.modbus.rtu import line_s

_NUMBERED = re.compile(r"(?P<front>(?:\d+/)?(?:[a-z]{2}:|[0134]x|[0134]))(?P<number>\d+)", re.ASCII)


def neighbours(address: str, count: int) -> Sequence[Tag]:
    """The registers (or single bits) from an address on, each as a tag of its own, counted as that address is;
    none beyond the last address."""
    start = parse(Tag(0, "words", re.sub(r"\.\d.*|\[.*", "", address))).start
    match = _NUMBERED.match(address)
    assert match is not None  # noqa: S101 - it was parsed
    front, number = match["front"], match["number"]
    return [
        Tag(index, "words", f"{front}{int(number) + index:0{len(number)}d}")
        for index in range(min(count, HIGHEST + 1 - start))
    ]


def asked_by(plan: Plan, place: Place) -> Sequence[Request]:
    """The requests of one poll, as blocks are joined now, and how long each takes on a serial line."""
    head = 7 if place.transport == "tcp" else 3
    found = []
    for piece in plan.pieces:
        if piece.ask_after == math.inf:
            continue
        size = (piece.count + 7) // 8 if piece.table.of_bits else 2 * piece.count
        last = piece.start + piece.count - 1
        what = f"unit {piece.unit}, {piece.table.words} {piece.start} to {last}"
        sent, received = head + 5, head + 2 + size
        found.append(Request(what, piece.count, sent, received, line_s(place, sent, received)))
    return found
