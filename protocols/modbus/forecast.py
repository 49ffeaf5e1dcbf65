"""What can be said of a device's registers and of a plan before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.adapter import Request, Tag
from protocols.modbus.address import HIGHEST, TABLES, parse
from protocols.modbus.planner import Plan

_SHORT = {table: name for name, table in TABLES.items()}
_TCP_HEADER, _RTU_FRAME = 7, 3
"""Bytes besides function code and data: of Modbus TCP, and of a serial frame with its check sum."""


def neighbours(address: str, count: int) -> Sequence[Tag]:
    """The registers (or single bits) from an address on, each as a tag of its own; none beyond the last address."""
    target = parse(Tag(0, "words", address))
    unit = "" if target.unit is None else f"{target.unit}/"
    last = min(target.start + count - 1, HIGHEST)
    starts = range(target.start, last + 1)
    return [Tag(index, "words", f"{unit}{_SHORT[target.table]}:{start}") for index, start in enumerate(starts)]


def asked_by(plan: Plan, settings: Any) -> Sequence[Request]:
    """The requests of one poll, as blocks are joined now."""
    serial = getattr(settings, "transport", "tcp")
    around = _TCP_HEADER if serial == "tcp" else _RTU_FRAME
    found = []
    for piece in plan.pieces:
        sent = around + 5
        received = around + 2 + ((piece.count + 7) // 8 if piece.table.of_bits else 2 * piece.count)
        last = piece.start + piece.count - 1
        what = f"unit {piece.unit}, {piece.table.words} {piece.start} to {last}"
        line_s = _on_the_line(sent + received, settings) if serial == "serial" else 0.0
        found.append(Request(what, piece.count, sent, received, line_s))
    return found


def _on_the_line(characters: int, settings: Any) -> float:
    """Seconds that a request and its reply take at the line's speed, with the silence of 3.5 characters that ends
    each (1.75 ms above 19200 bit/s, as the serial line specification of 2006 has it)."""
    bits = 1 + 8 + (settings.parity != "none") + settings.stop
    character = bits / settings.baud
    silence = 3.5 * character if settings.baud <= 19200 else 0.00175
    return float(characters * character + 2 * silence)
