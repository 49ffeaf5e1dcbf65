"""How a value is written in registers: the types, and in which order its bytes stand.

Order, for the bytes A (most significant) B C D … of a value as they come in the registers:

    abcd  ABCD EFGH   big-endian, the standard
    cdab  words in reverse: 32 bits CDAB, 64 bits GHEFCDAB
    badc  the bytes of each word swapped: 32 bits BADC, 64 bits BADCFEHG
    dcba  all in reverse: 32 bits DCBA, 64 bits HGFEDCBA

A value of 16 bits has one word: abcd and cdab are AB, badc and dcba are BA. A bit of a register is
counted after that swap. Single bits (coils, discrete inputs) have no order; a string has abcd or badc.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

ORDERS = ("abcd", "cdab", "badc", "dcba")


class DataType(NamedTuple):
    """`words`: registers it takes, 0 where the site says how many. `dtype` is how numpy sees the gathered
    words, 48 bits with an empty word behind them. `digits`: decimal ones, for BCD."""

    words: int
    dtype: str
    low: int = 0
    high: int = 0
    digits: int = 0


def _integer(bits: int, signed: bool) -> DataType:
    size = 64 if bits == 48 else bits
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return DataType(bits // 16, f"{'' if signed else 'u'}int{size}", low, high)


def _bcd(digits: int) -> DataType:
    return DataType(digits // 4, f"uint{4 * digits}", 0, 10**digits - 1, digits)


DATA_TYPES = {
    "bool": DataType(1, "uint16", 0, 1),
    "int16": _integer(16, True),
    "uint16": _integer(16, False),
    "int32": _integer(32, True),
    "uint32": _integer(32, False),
    "int48": _integer(48, True),
    "uint48": _integer(48, False),
    "int64": _integer(64, True),
    "uint64": _integer(64, False),
    "float32": DataType(2, "float32"),
    "float64": DataType(4, "float64"),
    "bcd16": _bcd(4),
    "bcd32": _bcd(8),
    "bcd64": _bcd(16),
    "string": DataType(0, "uint16"),
}
WIDTH = {name: kind.words for name, kind in DATA_TYPES.items() if kind.words}
"""How many registers each type takes, those of one size."""


def wire_order(order: str) -> tuple[bool, Literal["<", ">"]]:
    """Whether words are gathered last first, and the byte order in which numpy then sees one number: words
    in reverse and bytes swapped is one little-endian number, hence only two views."""
    return order in ("cdab", "badc"), "<" if order in ("badc", "dcba") else ">"


def packed(kind: DataType, value: int | float, order: str) -> bytes:
    """A number in registers, first address first."""
    backwards, view = wire_order(order)
    if kind.digits:
        value = int(str(value), 16)
    if kind.words == 3:
        value = int(value) << 16
    data = np.array([value], kind.dtype).astype(np.dtype(kind.dtype).newbyteorder(view)).tobytes()
    if kind.words == 3:
        data = data[:6] if view == ">" else data[2:]
    if backwards:
        data = b"".join(data[at : at + 2] for at in range(len(data) - 2, -2, -2))
    return data
