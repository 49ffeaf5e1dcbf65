"""What a tag takes up in a device, and what its type can hold: for `sevenones check`, never for reading."""

from __future__ import annotations

import re

from protocols.adapter import Tag
from protocols.modbus.address import parse

_WHOLE = re.compile(r"(u?)int(\d+)")


def span(tag: Tag) -> tuple[tuple[int | None, str], int, int] | None:
    """The unit and table, and the first and last register. None for a bit: that a register is read as
    a word and bit by bit is usual."""
    target = parse(tag)
    if target.bit >= 0 or target.table.of_bits:
        return None
    return (target.unit, target.table.words), target.start, target.start + target.width - 1


def raw_range(tag: Tag) -> tuple[float, float] | None:
    """What an integer type can hold; a float holds whatever there is."""
    match = _WHOLE.fullmatch(parse(tag).type)
    if match is None:
        return None
    bits = int(match[2])
    return (0.0, 2.0**bits - 1) if match[1] else (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1)
