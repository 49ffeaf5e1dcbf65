"""Where a Modbus value lies, from what a point table says: an address, its options, a manual's numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.site.model import Point
from simulators.encode.number import SIZES, EncodeError

ORDERS: Mapping[str, tuple[bool, bool]] = {
    "abcd": (False, False),
    "cdab": (True, False),
    "badc": (False, True),
    "dcba": (True, True),
}
"""Byte order → (words reversed, bytes swapped within each word)."""

ENCODINGS = ("ascii", "utf-8", "gbk", "gb18030")
_OF_MANUAL = {"0": "co", "1": "di", "3": "ir", "4": "hr"}
_ADDRESS = re.compile(
    r"(?:(?P<unit>\d+)/)?"
    r"(?:(?P<area>co|di|ir|hr):(?P<register>\d+)|(?P<table>[0134])(?:x(?P<long>\d{1,5})|(?P<number>\d{4,5})))"
    r"(?:\.(?P<bit>\d+)(?:-(?P<last>\d+))?|\[(?P<size>\d+)\])?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Modbus value lives: `area` co, di, ir or hr; `bit` of a register, or None, the lowest of
    `span`; `size` registers of a string or coils of a number, or 0 where the type says it."""

    unit: int
    area: str
    register: int
    bit: int | None
    span: int = 1
    size: int = 0


def place(address: str, unit: int, first_address: int | None = None) -> Place:
    """Read an address such as `hr:100`, `2/ir:7`, `hr:10.3`, `hr:10.4-6`, `hr:40[8]` or `40101`; `unit` where
    it names none; `first_address`: the number of the very first register, where a manual says one for all."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise EncodeError(f"'{address}' is not a Modbus address such as hr:100, 2/ir:7 or hr:10.3")
    area = match["area"] or _OF_MANUAL[match["table"]]
    bits = area in ("co", "di")
    bit = None if match["bit"] is None else int(match["bit"])
    last = bit if match["last"] is None else int(match["last"])
    if bit is not None and last is not None and (bits or not bit <= last <= 15):
        raise EncodeError(f"'{address}': only registers have bits, 0 to 15")
    number = int(match["register"] or match["long"] or match["number"])
    begin = (0 if match["area"] else 1) if first_address is None else first_address
    if not 0 <= number - begin <= 0xFFFF:
        raise EncodeError(f"'{address}': addresses go from {begin} to {begin + 65535}")
    span = 1 if bit is None or last is None else last - bit + 1
    return Place(int(match["unit"] or unit), area, number - begin, bit, span, int(match["size"] or 0))


def byte_order(size: int, order: str) -> list[int]:
    """For each byte as it lies in the registers, which byte of the big-endian value it is."""
    if order not in ORDERS:
        raise EncodeError(f"'{order}' is not a byte order: {', '.join(ORDERS)}")
    reverse, swap = ORDERS[order]
    words = [[2 * n, 2 * n + 1] for n in range(size // 2)]
    if reverse:
        words.reverse()
    return [byte for word in words for byte in (reversed(word) if swap else word)]


@dataclass(frozen=True, slots=True)
class Spot:
    """A point's place with how it is held there. `kind`: a type, "string", "bits" (of a register, `span`
    from `bit` on) or "coils" (`width` of them); `width`: addresses that it takes; `low_is_on`: 0 means on;
    `encoding` and `length` (bytes) of a string."""

    at: Place
    kind: str
    width: int
    order: str
    low_is_on: bool = False
    encoding: str = ""
    length: int = 0

    @property
    def swapped(self) -> bool:
        """Whether the bytes of each word stand the other way round."""
        return ORDERS[self.order][1]


def spot(point: Point, unit: int, first_address: int | None = None) -> Spot:
    """Where and how a point lies. Raises EncodeError."""
    at = place(point.address, unit, first_address)
    order = point.order or "abcd"
    if order not in ORDERS:
        raise EncodeError(f"{point.path}: '{order}' is not a byte order: {', '.join(ORDERS)}")
    low = str(point.options.get("active", "high")) == "low"
    if at.area in ("co", "di"):
        return Spot(at, "coils", at.size or 1, "abcd", low)
    if at.bit is not None:
        if str(point.options.get("bits", "lsb")) == "msb":
            # The manual counts from the highest.
            at = Place(at.unit, at.area, at.register, 16 - at.bit - at.span, at.span)
        return Spot(at, "bits", 1, order, low)
    kind = point.type or ("string" if at.size else "uint16")
    if kind == "string":
        length = int(point.options.get("length", 0))
        width = at.size or (length + 1) // 2
        encoding = str(point.options.get("encoding", "ascii")).lower()
        if not width or encoding not in ENCODINGS:
            raise EncodeError(f"{point.path}: a string needs registers, as in hr:40[8], and one of {ENCODINGS}")
        return Spot(at, kind, width, order, encoding=encoding, length=length or 2 * width)
    if kind != "bool" and kind not in SIZES:
        raise EncodeError(f"{point.path}: '{kind}' is not a type: bool, string, {', '.join(SIZES)}")
    return Spot(at, kind, SIZES.get(kind, 2) // 2, order, low)
