"""What a tag takes up in a device, and what its type can hold: for `sevenones check`, never for reading."""

from __future__ import annotations

from protocols.adapter import Tag
from protocols.modbus.address import parse
from protocols.modbus.datatype import DATA_TYPES


def span(tag: Tag) -> tuple[tuple[int | None, str], int, int] | None:
    """The unit and table, and the first and last register. None for bits: that a register is read as
    a word and bit by bit is usual."""
    target = parse(tag)
    if target.bit >= 0 or target.table.of_bits:
        return None
    return (target.unit, target.table.words), target.start, target.start + target.width - 1


def raw_range(tag: Tag) -> tuple[float, float] | None:
    """What a whole number's type, or its bits, can hold; a float holds whatever there is."""
    target = parse(tag)
    kind = DATA_TYPES[target.type]
    if target.type == "bool" or not kind.high:
        return None
    if target.bit >= 0 or target.table.of_bits:
        return 0.0, 2.0 ** (target.width if target.table.of_bits else target.span) - 1
    return float(kind.low), float(kind.high)
