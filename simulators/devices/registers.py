"""A Modbus unit: its four tables, and how it answers requests.

Registers lie in one byte image for each table; a request is answered with a slice of it. Functions 1 to 6,
8 (give a number back), 15, 16 and 22 (bits of a register).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

_ONE, _TWO, _THREE = struct.Struct(">H"), struct.Struct(">HH"), struct.Struct(">HHH")
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER = 1, 2, 3, 11
_MAX_REGISTERS, _MAX_BITS = 125, 2000
_MAX_WRITE_REGISTERS, _MAX_WRITE_BITS = 123, 1968

Taking = Callable[[str, int, bytes, int], int]
"""Asked before a write with its area, address, data and the mask of the register's bits that it means; gives
an exception code, or 0 when it may be."""


_Write = tuple[str, int, bytes, int, int]
"""Area, address, data, how many addresses, and the mask of the register's bits that are meant."""


class RefusedError(Exception):
    """A request that gets an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Area:
    """One of a unit's four tables. `image`: bytes-like, two bytes big-endian a register, or one byte
    (0 or 1) a bit. `known` has a non-zero byte for each address that exists."""

    __slots__ = ("image", "known", "width")

    def __init__(self, width: int, size: int, known: Iterable[int] | None = None) -> None:
        self.width = width
        self.image: bytes | bytearray | memoryview = bytes(size * width)
        if known is None:
            self.known = bytearray(b"\1") * size
        else:
            self.known = bytearray(size)
            for address in known:
                self.known[address] = 1

    def check(self, address: int, count: int) -> None:
        if address + count > len(self.known) or self.known.find(0, address, address + count) != -1:
            raise RefusedError(ILLEGAL_ADDRESS)

    def write(self, address: int, data: bytes) -> None:
        """Overwrite from an address on, leaving whoever holds the old image its own."""
        image = bytearray(self.image)
        image[address * self.width : address * self.width + len(data)] = data
        self.image = image


class Unit:
    """A unit id's four tables. `fault` "hang" answers nothing, "garbage" with bytes that are no Modbus; `delay_s`
    holds its answers back; `most_registers` is the most that it gives at once."""

    def __init__(self, areas: Mapping[str, Area], most_registers: int = _MAX_REGISTERS) -> None:
        self.fault = ""
        self.delay_s = 0.0
        self.most_registers = most_registers
        self.taking: Taking | None = None
        empty = {"co": Area(1, 0), "di": Area(1, 0), "ir": Area(2, 0), "hr": Area(2, 0)}
        self.areas = {**empty, **areas}

    @staticmethod
    def with_addresses(known: Mapping[str, Iterable[int]]) -> Unit:
        """A unit in which just these addresses of each area exist, all zero."""
        areas = {}
        for name, addresses in known.items():
            there = sorted(addresses)
            areas[name] = Area(2 if name in ("hr", "ir") else 1, there[-1] + 1 if there else 0, there)
        return Unit(areas)

    def answer(self, function: int, body: bytes) -> bytes:
        """The response to a request: function and data. Raises RefusedError."""
        if function in (3, 4):
            area = self.areas["hr" if function == 3 else "ir"]
            address, count = _pair(body, 4)
            if not 1 <= count <= self.most_registers:
                raise RefusedError(ILLEGAL_VALUE)
            area.check(address, count)
            return bytes((function, 2 * count)) + area.image[2 * address : 2 * (address + count)]
        if function in (1, 2):
            area = self.areas["co" if function == 1 else "di"]
            address, count = _pair(body, 4)
            if not 1 <= count <= _MAX_BITS:
                raise RefusedError(ILLEGAL_VALUE)
            area.check(address, count)
            bits = np.frombuffer(area.image, np.uint8, count, address)
            packed = np.packbits(bits, bitorder="little").tobytes()
            return bytes((function, len(packed))) + packed
        return self._write(function, body)

    def _write(self, function: int, body: bytes) -> bytes:
        if function == 8 and _pair(body, 4)[0] == 0:
            return bytes((function,)) + body
        if function in (5, 6):
            name, address, data, count, mask = self._single(function, body)
        elif function in (15, 16):
            name, address, data, count, mask = self._several(function, body)
        elif function == 22:
            name, address, data, count, mask = self._masked(body)
        else:
            raise RefusedError(ILLEGAL_FUNCTION)
        area = self.areas[name]
        area.check(address, count)
        code = self.taking(name, address, data, mask) if self.taking is not None else 0
        if code:
            raise RefusedError(code)
        area.write(address, data)
        return bytes((function,)) + body[: 6 if function == 22 else 4]

    def _single(self, function: int, body: bytes) -> _Write:
        address, value = _pair(body, 4)
        if function == 6:
            return "hr", address, body[2:4], 1, 0xFFFF
        if value not in (0, 0xFF00):
            raise RefusedError(ILLEGAL_VALUE)
        return "co", address, bytes((int(value != 0),)), 1, 0xFFFF

    def _several(self, function: int, body: bytes) -> _Write:
        if len(body) < 6:
            raise RefusedError(ILLEGAL_VALUE)
        address, count = _TWO.unpack_from(body)
        data = body[5:]
        size, most = (2 * count, _MAX_WRITE_REGISTERS) if function == 16 else ((count + 7) // 8, _MAX_WRITE_BITS)
        if not 1 <= count <= most or body[4] != size or len(data) != size:
            raise RefusedError(ILLEGAL_VALUE)
        if function == 15:
            data = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little").tobytes()
        return "hr" if function == 16 else "co", address, data, count, 0xFFFF

    def _masked(self, body: bytes) -> _Write:
        if len(body) != 6:
            raise RefusedError(ILLEGAL_VALUE)
        address, keep, bits = _THREE.unpack(body)
        mask = 0xFFFF ^ keep
        self.areas["hr"].check(address, 1)
        (word,) = _ONE.unpack_from(self.areas["hr"].image, 2 * address)
        return "hr", address, _ONE.pack(word & keep | bits & mask), 1, mask


def _pair(body: bytes, size: int) -> tuple[int, int]:
    if len(body) != size:
        raise RefusedError(ILLEGAL_VALUE)
    return _TWO.unpack(body)


def images_of(units: Mapping[int, Unit]) -> dict[tuple[int, str], NDArray[np.uint8]]:
    """Writable copies of all units' images, to encode into."""
    return {
        (number, name): np.frombuffer(area.image, np.uint8).copy()
        for number, unit in units.items()
        for name, area in unit.areas.items()
    }


def put(units: Mapping[int, Unit], images: Mapping[tuple[int, str], NDArray[np.uint8]]) -> None:
    """Make the images what the units serve, all at once."""
    for (number, name), image in images.items():
        units[number].areas[name].image = image.tobytes()
