"""A Modbus TCP server, lean enough for a hundred thousand points from one process.

Registers lie in one byte image for each area; a request is answered with a slice of it. Functions
1 to 6, 15 and 16; any number of requests in one segment; several unit ids. All of it runs on the
event loop's thread, so an image that is replaced between two callbacks changes all at once.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

Fault = Literal["hang", "close", "refuse", "garbage"]

_HEADER = struct.Struct(">HHHBB")
_TWO = struct.Struct(">HH")
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE, _NO_ANSWER = 1, 2, 3, 11
_MAX_REGISTERS, _MAX_BITS = 125, 2000
_MAX_WRITE_REGISTERS, _MAX_WRITE_BITS = 123, 1968


class _RefusedError(Exception):
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
            raise _RefusedError(_ILLEGAL_ADDRESS)

    def write(self, address: int, data: bytes) -> None:
        """Overwrite from an address on, leaving whoever holds the old image its own."""
        image = bytearray(self.image)
        image[address * self.width : address * self.width + len(data)] = data
        self.image = image


class Unit:
    """A unit id's four tables."""

    __slots__ = ("areas",)

    def __init__(self, areas: Mapping[str, Area]) -> None:
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
        """The response to a request: function and data. Raises _RefusedError."""
        if function in (3, 4):
            area = self.areas["hr" if function == 3 else "ir"]
            address, count = _pair(body, 4)
            if not 1 <= count <= _MAX_REGISTERS:
                raise _RefusedError(_ILLEGAL_VALUE)
            area.check(address, count)
            return bytes((function, 2 * count)) + area.image[2 * address : 2 * (address + count)]
        if function in (1, 2):
            area = self.areas["co" if function == 1 else "di"]
            address, count = _pair(body, 4)
            if not 1 <= count <= _MAX_BITS:
                raise _RefusedError(_ILLEGAL_VALUE)
            area.check(address, count)
            bits = np.frombuffer(area.image, np.uint8, count, address)
            packed = np.packbits(bits, bitorder="little").tobytes()
            return bytes((function, len(packed))) + packed
        return self._write(function, body)

    def _write(self, function: int, body: bytes) -> bytes:
        if function == 5:
            address, value = _pair(body, 4)
            if value not in (0, 0xFF00):
                raise _RefusedError(_ILLEGAL_VALUE)
            area, data, count = self.areas["co"], bytes((int(value != 0),)), 1
        elif function == 6:
            address, _ = _pair(body, 4)
            area, data, count = self.areas["hr"], body[2:4], 1
        elif function in (15, 16):
            if len(body) < 6:
                raise _RefusedError(_ILLEGAL_VALUE)
            address, count = _TWO.unpack_from(body)
            data = body[5:]
            size, most = (2 * count, _MAX_WRITE_REGISTERS) if function == 16 else ((count + 7) // 8, _MAX_WRITE_BITS)
            if not 1 <= count <= most or body[4] != size or len(data) != size:
                raise _RefusedError(_ILLEGAL_VALUE)
            area = self.areas["hr" if function == 16 else "co"]
            if function == 15:
                data = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little").tobytes()
        else:
            raise _RefusedError(_ILLEGAL_FUNCTION)
        area.check(address, count)
        area.write(address, data)
        return bytes((function,)) + body[:4]


def _pair(body: bytes, size: int) -> tuple[int, int]:
    if len(body) != size:
        raise _RefusedError(_ILLEGAL_VALUE)
    return _TWO.unpack(body)


class ModbusDevice:
    """One listening Modbus TCP device.

    `fault` makes it misbehave: "hang" takes requests and never answers, "close" drops the
    connection at each request, "refuse" stops listening, "garbage" answers bytes that are no
    Modbus. `delay_s` holds each answer back. `before` is called before requests are answered,
    `written` after a write with (unit, function, address).
    """

    def __init__(self, units: Mapping[int, Unit], host: str = "127.0.0.1", port: int = 0) -> None:
        self.units = dict(units)
        self.host = host
        self.port = port
        self.delay_s = 0.0
        self.before: Callable[[], None] | None = None
        self.written: Callable[[int, int, int], None] | None = None
        self.requests = 0
        self.links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._fault: Fault | None = None
        self._reopening: asyncio.Task[None] | None = None
        self.noise = random.Random(1)

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        was, self._fault = self._fault, fault
        if fault == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
            self.drop()
        elif was == "refuse" and fault != "refuse":
            self._reopening = asyncio.get_running_loop().create_task(self.start())

    async def start(self) -> None:
        """Listen; with port 0 on a free one, which `port` then names."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), self.host, self.port, backlog=64)
        self.port = self._server.sockets[0].getsockname()[1]

    def drop(self) -> None:
        """Cut all connections."""
        for link in tuple(self.links):
            link.abort()

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        if self._reopening is not None:
            await self._reopening
        if self._server is not None:
            self._server.close()
        self.drop()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def respond(self, unit: int, function: int, body: bytes) -> bytes:
        """The response to one request, without its header."""
        self.requests += 1
        there = self.units.get(unit)
        try:
            if there is None:
                raise _RefusedError(_NO_ANSWER)
            answer = there.answer(function, body)
        except _RefusedError as refused:
            return bytes((function | 0x80, refused.code))
        if function not in (1, 2, 3, 4) and self.written is not None:
            self.written(unit, function, _TWO.unpack_from(body)[0])
        return answer


class _Link(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, device: ModbusDevice) -> None:
        self._device = device
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, for uvloop's transports are no asyncio.Transport.
        self._transport = cast(asyncio.Transport, transport)
        self._device.links.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._device.links.discard(self)
        self._transport = None

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        device, transport = self._device, self._transport
        if transport is None:
            return
        fault = device.fault
        if fault is not None:
            self._misbehave(fault, transport)
            return
        if device.before is not None:
            device.before()
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        answers: list[bytes] = []
        while end - at >= 8:
            transaction, protocol, length, unit, function = _HEADER.unpack_from(data, at)
            if protocol != 0 or not 2 <= length <= 254:
                transport.abort()
                return
            after = at + 6 + length
            if after > end:
                break
            answer = device.respond(unit, function, data[at + 8 : after])
            answers.append(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit))
            answers.append(answer)
            at = after
        self._rest = data[at:]
        if not answers:
            return
        if device.delay_s:
            asyncio.get_running_loop().call_later(device.delay_s, self._write, b"".join(answers))
        else:
            transport.write(b"".join(answers))

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _misbehave(self, fault: Fault, transport: asyncio.Transport) -> None:
        if fault == "garbage":
            transport.write(self._device.noise.randbytes(self._device.noise.randint(9, 60)))
        elif fault != "hang":
            transport.abort()


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
