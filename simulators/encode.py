"""From engineering values to what a device holds, and back to what that means.

A device holds raw numbers of a type: raw = (value − offset) / factor, rounded and held within the
type. What it then really shows, decoded(raw) · factor + offset, is the truth. This is the
simulators' own arithmetic and layout: it shares no code with the adapters it is there to check.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.site.model import Point

TYPES: Mapping[str, str] = {
    "bool": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}
"""numpy codes of the types that a point table may name."""

ORDERS: Mapping[str, tuple[bool, bool]] = {
    "abcd": (False, False),
    "cdab": (True, False),
    "badc": (False, True),
    "dcba": (True, True),
}
"""Byte order → (words reversed, bytes swapped within each word)."""

AREAS = ("co", "di", "ir", "hr")
_ADDRESS = re.compile(r"(?:(?P<unit>\d+)/)?(?P<area>co|di|ir|hr):(?P<register>\d+)(?:\.(?P<bit>\d+))?")


class EncodeError(ValueError):
    """A point whose address, type or order no device of ours can hold."""


def quantise(values: NDArray[np.float64], kind: str) -> NDArray[np.generic]:
    """Values as the type holds them: rounded half to even and held at the type's ends. A NaN cannot
    be an integer: EncodeError."""
    code = TYPES[kind]
    if code.startswith("f"):
        with np.errstate(over="ignore"):
            return values.astype(code)
    if not np.isfinite(values).all():
        raise EncodeError(f"a value that is no finite number cannot be held as {kind}")
    whole = np.rint(values)
    if kind == "bool":
        return (whole != 0).astype(code)
    bounds = np.iinfo(code)
    # float64 cannot hold the largest 64-bit integers: stay at the double below.
    high = np.nextafter(float(bounds.max), 0.0) if bounds.bits == 64 else float(bounds.max)
    return np.clip(whole, float(bounds.min), high).astype(code)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Modbus value lives: `area` co, di, ir or hr; `bit` of a register, or None."""

    unit: int
    area: str
    register: int
    bit: int | None


def place(address: str, unit: int) -> Place:
    """Read an address such as `hr:100`, `2/ir:7` or `hr:10.3`; `unit` where it names none."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise EncodeError(f"'{address}' is not a Modbus address such as hr:100, 2/ir:7 or hr:10.3")
    bit = None if match["bit"] is None else int(match["bit"])
    if bit is not None and (bit > 15 or match["area"] in ("co", "di")):
        raise EncodeError(f"'{address}': only registers have bits, 0 to 15")
    register = int(match["register"])
    if register > 0xFFFF:
        raise EncodeError(f"'{address}': addresses end at 65535")
    return Place(int(match["unit"] or unit), match["area"], register, bit)


def byte_order(size: int, order: str) -> list[int]:
    """For each byte as it lies in the registers, which byte of the big-endian value it is."""
    if order not in ORDERS:
        raise EncodeError(f"'{order}' is not a byte order: {', '.join(ORDERS)}")
    reverse, swap = ORDERS[order]
    words = [[2 * n, 2 * n + 1] for n in range(size // 2)]
    if reverse:
        words.reverse()
    return [byte for word in words for byte in (reversed(word) if swap else word)]


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """Points of one type in one area of one unit. `rows`: which values; `target`: [n, size] byte
    positions in the area's image; for bits of registers `bits` [n] and `target` [n, 1] registers."""

    kind: str
    unit: int
    area: str
    rows: NDArray[np.intp]
    target: NDArray[np.intp]
    bits: NDArray[np.uint16] | None


class RegisterLayout:
    """How the points of one Modbus connection lie in its units' areas."""

    def __init__(self, points: Sequence[Point], unit: int = 1) -> None:
        self.points = tuple(points)
        self.factor = np.array([p.factor for p in points], np.float64)
        self.offset = np.array([p.offset for p in points], np.float64)
        columns: dict[tuple[str, int, str, bool], list[tuple[int, list[int], int]]] = {}
        self.extent: dict[tuple[int, str], set[int]] = {}
        """Addresses that exist, for each (unit, area)."""
        for row, point in enumerate(self.points):
            at = place(point.address, unit)
            kind = point.type or ("bool" if at.area in ("co", "di") or at.bit is not None else "uint16")
            if kind not in TYPES:
                raise EncodeError(f"{point.path}: '{kind}' is not a type: {', '.join(TYPES)}")
            known = self.extent.setdefault((at.unit, at.area), set())
            if at.area in ("co", "di"):
                columns.setdefault(("bool", at.unit, at.area, False), []).append((row, [at.register], 0))
                known.add(at.register)
            elif at.bit is not None:
                columns.setdefault(("bool", at.unit, at.area, True), []).append((row, [at.register], at.bit))
                known.add(at.register)
            else:
                held = "uint16" if kind == "bool" else kind
                size = np.dtype(TYPES[held]).itemsize
                sources = byte_order(size, point.order or "abcd")
                # target[value byte] = position in the image
                target = [0] * size
                for position, source in enumerate(sources):
                    target[source] = 2 * at.register + position
                columns.setdefault((held, at.unit, at.area, False), []).append((row, target, 0))
                known.update(range(at.register, at.register + size // 2))
        self._columns = [
            _Column(
                kind,
                of_unit,
                area,
                np.array([row for row, _, _ in members], np.intp),
                np.array([target for _, target, _ in members], np.intp),
                np.array([bit for _, _, bit in members], np.uint16) if as_bits else None,
            )
            for (kind, of_unit, area, as_bits), members in columns.items()
        ]

    def encode(
        self, values: NDArray[np.float64], images: Mapping[tuple[int, str], NDArray[np.uint8]]
    ) -> NDArray[np.float64]:
        """Put the values (one a point) into the images, which hold registers big-endian, coils a byte
        each; give back what the device now shows, in the points' units."""
        raw = (values - self.offset) / self.factor
        decoded = np.empty_like(raw)
        for column in self._columns:
            held = quantise(raw[column.rows], column.kind)
            decoded[column.rows] = held.astype(np.float64)
            image = images[column.unit, column.area]
            if column.bits is None:
                data = held.astype(held.dtype.newbyteorder(">")).view(np.uint8).reshape(column.target.shape)
                image[column.target] = data
                continue
            words = image.view(">u2")
            registers = column.target[:, 0]
            mask = np.uint16(1) << column.bits
            state = words.astype(np.uint16)
            np.bitwise_and.at(state, registers, ~mask)
            np.bitwise_or.at(state, registers, np.where(held != 0, mask, np.uint16(0)))
            words[registers] = state[registers]
        return decoded * self.factor + self.offset
