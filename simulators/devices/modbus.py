"""A Modbus server, TCP or RTU inside TCP, lean enough for a hundred thousand points from one process.

A request is answered with a slice of its unit's image; any number of requests in one segment; several unit
ids. All of it runs on the event loop's thread, so an image that is replaced between two callbacks changes
all at once.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Mapping
from typing import Literal, cast

from simulators.devices.frames import NoModbusError, rtu_answer, rtu_requests, tcp_answer, tcp_requests
from simulators.devices.registers import NO_ANSWER, Area, RefusedError, Unit, images_of, put

__all__ = ["Area", "Fault", "ModbusDevice", "Unit", "images_of", "put"]

Fault = Literal["hang", "close", "refuse", "garbage"]


class ModbusDevice:
    """One listening Modbus device. With `rtu`, RTU frames inside TCP, as a transparent serial server has them:
    a unit that is not there says nothing.

    `fault` makes it misbehave: "hang" takes requests and never answers, "close" drops the
    connection at each request, "refuse" stops listening, "garbage" answers bytes that are no
    Modbus. `delay_s` holds each answer back. `before` is called before requests are answered,
    `written` after a write with (unit, function, address).
    """

    def __init__(self, units: Mapping[int, Unit], host: str = "127.0.0.1", port: int = 0, *, rtu: bool = False) -> None:
        self.units = dict(units)
        self.host = host
        self.port = port
        self.rtu = rtu
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
                raise RefusedError(NO_ANSWER)
            answer = there.answer(function, body)
        except RefusedError as refused:
            return bytes((function | 0x80, refused.code))
        if function not in (1, 2, 3, 4, 8) and self.written is not None:
            self.written(unit, function, struct.unpack_from(">H", body)[0])
        return answer

    def rubbish(self) -> bytes:
        """What a unit says that has lost its mind."""
        return self.noise.randbytes(self.noise.randint(9, 60))


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
        if device.fault is not None:
            self._misbehave(device.fault, transport)
            return
        if device.before is not None:
            device.before()
        data = self._rest + data if self._rest else data
        try:
            requests, self._rest = rtu_requests(data) if device.rtu else tcp_requests(data)
        except NoModbusError:
            transport.abort()
            return
        framed = rtu_answer if device.rtu else tcp_answer
        answers: list[bytes] = []
        for request in requests:
            unit = device.units.get(request.unit)
            if unit is None and device.rtu:
                continue
            fault = "" if unit is None else unit.fault
            if fault == "hang":
                continue
            answer = framed(request, device.respond(*request[1:])) if not fault else device.rubbish()
            if unit is not None and unit.delay_s:
                self._later(device.delay_s + unit.delay_s, answer)
            else:
                answers.append(answer)
        if answers and device.delay_s:
            self._later(device.delay_s, b"".join(answers))
        elif answers:
            transport.write(b"".join(answers))

    def _later(self, seconds: float, data: bytes) -> None:
        asyncio.get_running_loop().call_later(seconds, self._write, data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _misbehave(self, fault: Fault, transport: asyncio.Transport) -> None:
        if fault == "garbage":
            transport.write(self._device.rubbish())
        elif fault != "hang":
            transport.abort()
