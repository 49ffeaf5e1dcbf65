"""Everything that the same bytes can mean, side by side, and which of it looks like a measurement.

Orders are those of a point table: for the bytes A (most significant) B C D … of a value, `abcd` is how they
come in the standard, `cdab` has the words in reverse, `badc` the bytes of each word, `dcba` all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

ORDERS = ("abcd", "cdab", "badc", "dcba")
NUMBERS = (
    "int16", "uint16", "bcd16",
    "int32", "uint32", "float32", "bcd32",
    "int48", "uint48",
    "int64", "uint64", "float64", "bcd64",
)  # fmt: skip
SIZE = {name: int(name[-2:]) // 8 for name in NUMBERS}
"""Bytes of each type."""
TEXTS = ("ascii", "gbk")

SMALLEST, LARGEST = 1e-4, 1e7
"""A measurement that is not zero lies between these, whatever its unit; a counter may be larger."""
LARGEST_COUNT = 1e10


@dataclass(frozen=True, slots=True)
class Meaning:
    """One way to read the bytes. `value` is None where the bytes cannot be of that type; `sensible` says that
    it looks like something that a device would measure or count."""

    type: str
    order: str
    value: float | int | None
    sensible: bool


def orders_of(kind: str) -> Sequence[str]:
    """The orders that make a difference for a type: a value of one word has but two."""
    return ORDERS if SIZE[kind] > 2 else ("abcd", "badc")


def arranged(raw: bytes, order: str) -> bytes:
    """The bytes of one value, most significant first."""
    if order == "abcd":
        return raw
    if order == "dcba":
        return raw[::-1]
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    return b"".join(words[::-1]) if order == "cdab" else b"".join(word[::-1] for word in words)


def number(raw: bytes, kind: str, order: str) -> float | int | None:
    """The bytes as one number of a type; None when they are no BCD."""
    data = arranged(raw[: SIZE[kind]], order)
    if kind.startswith("bcd"):
        digits = data.hex()
        return int(digits) if digits.isdecimal() else None
    if kind.startswith("float"):
        value: float = np.frombuffer(data, np.dtype(kind).newbyteorder(">"))[0].item()
        return value
    return int.from_bytes(data, "big", signed=kind.startswith("int"))


def meanings(raw: bytes, kinds: Sequence[str] = NUMBERS) -> Iterator[Meaning]:
    """All numbers that stand at the beginning of the bytes, for types that they are long enough for."""
    for kind in kinds:
        if SIZE[kind] > len(raw):
            continue
        for order in orders_of(kind):
            value = number(raw, kind, order)
            yield Meaning(kind, order, value, value is not None and sensible(value, kind))


def sensible(value: float | int, kind: str) -> bool:
    """Whether a number looks like a measurement or a count: finite, and of a plausible size."""
    if not math.isfinite(value):
        return False
    if kind.startswith("float"):
        return value == 0 or SMALLEST <= abs(value) <= LARGEST
    if kind in ("int16", "uint16", "bcd16"):
        return True
    # The bytes of another type, taken for an integer, nearly always fill its upper half.
    return abs(value) <= (LARGEST_COUNT if SIZE[kind] > 4 else LARGEST)


def text(raw: bytes, encoding: str) -> tuple[str, bool]:
    """The bytes as text up to its padding, unprintable characters as a dot, and whether all of it is printable."""
    end = len(raw.rstrip(b"\0 \xff"))
    said = raw[:end].decode({"ascii": "ascii", "gbk": "gb18030"}[encoding], errors="replace")
    shown = "".join(char if char.isprintable() and char != "\ufffd" else "." for char in said)
    # Two printable bytes are chance; four are hardly.
    return shown, shown == said and end >= 4 and len(said.strip()) > 1


def bits(word: bytes) -> str:
    """The bits of one word, bit 15 first, in fours."""
    digits = format(int.from_bytes(word, "big"), f"0{8 * len(word)}b")
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
