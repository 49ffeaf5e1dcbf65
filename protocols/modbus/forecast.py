"""What can be said of a device's registers and of a plan before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.adapter import Request, Tag
from protocols.modbus.address import HIGHEST, parse
from protocols.modbus.planner import Plan

HEADER = 7
"""Bytes of Modbus TCP before the function code."""


def neighbours(address: str, count: int) -> Sequence[Tag]:
    """The registers (or single bits) from an address on, each as a tag of its own; none beyond the last address."""
    target = parse(Tag(0, "words", address))
    if target.bit >= 0:
        address = address.rpartition(".")[0]
    front = address[: address.rindex(":") + 1]
    last = min(target.start + count - 1, HIGHEST)
    return [Tag(index, "words", f"{front}{start}") for index, start in enumerate(range(target.start, last + 1))]


def asked_by(plan: Plan) -> Sequence[Request]:
    """The requests of one poll, as blocks are joined now."""
    found = []
    for piece in plan.pieces:
        size = (piece.count + 7) // 8 if piece.table.of_bits else 2 * piece.count
        last = piece.start + piece.count - 1
        what = f"unit {piece.unit}, {piece.table.words} {piece.start} to {last}"
        found.append(Request(what, piece.count, HEADER + 5, HEADER + 2 + size))
    return found
