"""Modbus devices on bare asyncio, whose bytes a test can bend: a second opinion beside pymodbus' server.
`RawDevice` speaks Modbus TCP, `RtuDevice` RTU, inside TCP or on a serial line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.protocols.peer import free_port


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received. `serial` counts all of the device's requests from 1."""

    serial: int
    transaction: int
    unit: int
    function: int
    start: int
    count: int
    body: bytes
    rtu: bool = False

    def reply(
        self, body: bytes, *, transaction: int | None = None, unit: int | None = None, function: int = 0
    ) -> bytes:
        """A frame that answers this request, or that nearly does."""
        tid = self.transaction if transaction is None else transaction
        return self._frame(tid, self.unit if unit is None else unit, bytes([function or self.function]) + body)

    def refuse(self, code: int) -> bytes:
        return self._frame(self.transaction, self.unit, bytes([self.function | 0x80, code]))

    def _frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        return rtu_frame(unit, pdu) if self.rtu else frame(transaction, unit, pdu)


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """The checksum bit by bit, as the standard's text has it: not the way the adapter does it."""
    data, value = bytes([unit]) + pdu, 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return data + bytes([value & 0xFF, value >> 8])


class Writer(Protocol):
    """What a twist can do with a connection."""

    def write(self, data: bytes, /) -> None: ...

    def close(self) -> None: ...


Twist = Callable[[Request, Any], Awaitable[bytes | None]]


class Memory:
    """`registers` and `bits` are by unit and address, 0 where nothing was put. `twist` sees each request
    first: what it returns is sent in place of the right answer; None lets the right answer be sent."""

    def __init__(self, twist: Twist | None = None) -> None:
        self.registers: dict[tuple[int, int], int] = {}
        self.bits: dict[tuple[int, int], int] = {}
        self.requests: list[Request] = []
        self.twist = twist

    def answer(self, request: Request) -> bytes:  # noqa: PLR0911
        """The right answer; writes write."""
        places = [(request.unit, request.start + n) for n in range(request.count)]
        match request.function:
            case 1 | 2:
                packed = bytearray((request.count + 7) // 8)
                for n, place in enumerate(places):
                    packed[n // 8] |= self.bits.get(place, 0) << n % 8
                return request.reply(bytes([len(packed)]) + packed)
            case 3 | 4:
                data = b"".join(self.registers.get(place, 0).to_bytes(2, "big") for place in places)
                return request.reply(bytes([len(data)]) + data)
            case 5:
                self.bits[request.unit, request.start] = int(request.count == 0xFF00)
                return request.reply(request.body)
            case 6:
                self.registers[request.unit, request.start] = request.count
                return request.reply(request.body)
            case 8:
                return request.reply(request.body)
            case 15:
                for n, place in enumerate(places):
                    self.bits[place] = request.body[5 + n // 8] >> n % 8 & 1
                return request.reply(request.body[:4])
            case 16:
                for n, place in enumerate(places):
                    self.registers[place] = int.from_bytes(request.body[5 + 2 * n : 7 + 2 * n], "big")
                return request.reply(request.body[:4])
            case 22:
                keep, put = request.count, int.from_bytes(request.body[4:6], "big")
                old = self.registers.get((request.unit, request.start), 0)
                self.registers[request.unit, request.start] = (old & keep) | (put & ~keep & 0xFFFF)
                return request.reply(request.body)
        return request.refuse(1)

    async def respond(self, request: Request, writer: Any) -> None:
        """Take note of a request and answer it."""
        self.requests.append(request)
        answer = await self.twist(request, writer) if self.twist else None
        with contextlib.suppress(RuntimeError):  # uvloop's, when the adapter has left
            writer.write(self.answer(request) if answer is None else answer)

    def read(self, unit: int, pdu: bytes, *, transaction: int = 0, rtu: bool = False) -> Request:
        """A request from its bytes."""
        start, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        return Request(len(self.requests) + 1, transaction, unit, pdu[0], start, count, pdu[1:], rtu)


class RawDevice(Memory):
    """A device of Modbus TCP on a port of loopback."""

    def __init__(self, twist: Twist | None = None) -> None:
        super().__init__(twist)
        self.port = free_port()
        self.connections = 0
        self.open_connections = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> RawDevice:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                await self.respond(self.read(head[6], pdu, transaction=int.from_bytes(head[:2], "big")), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.open_connections -= 1
            self._writers.discard(writer)
            writer.close()


class RtuDevice(Memory):
    """Units that speak RTU: on a serial line (a pseudo terminal, whose name is `port`), or inside TCP. It answers
    one request after the other, as units do."""

    def __init__(self, twist: Twist | None = None, *, serial: bool = False) -> None:
        super().__init__(twist)
        self.serial = serial
        self.port: int | str = 0 if serial else free_port()
        self.overlaps = 0
        """Requests that came before the one before them was answered."""
        self._server: asyncio.Server | None = None
        self._writers: set[Any] = set()
        self._fds: list[int] = []
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> dict[str, Any]:
        if self.serial:
            return {"transport": "serial", "port": self.port, "baud": 115200}
        return {"transport": "rtu-over-tcp", "host": "127.0.0.1", "port": self.port}

    async def __aenter__(self) -> RtuDevice:
        if self.serial:
            ours, theirs = os.openpty()
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self._fds = [ours, theirs]
            self.port = os.ttyname(theirs)
            stream = _Stream(self, _Terminal(self, ours))
            asyncio.get_running_loop().add_reader(ours, stream.readable, ours)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", int(self.port))
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for job in list(self._jobs):
            job.cancel()
        self.unplug()
        await asyncio.sleep(0)

    def unplug(self) -> None:
        """Take the serial line away."""
        for fd in self._fds:
            asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)
        self._fds = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        stream = _Stream(self, writer)
        try:
            while data := await reader.read(4096):
                stream.feed(data)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def start(self, job: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return task


class _Terminal:
    """The device's end of the serial line."""

    def __init__(self, device: RtuDevice, fd: int) -> None:
        self._device, self._fd = device, fd

    def write(self, data: bytes) -> None:
        if self._device._fds:
            with contextlib.suppress(OSError):
                os.write(self._fd, data)

    def close(self) -> None:
        self._device.unplug()


class _Stream:
    """Requests out of what one connection sends."""

    def __init__(self, device: RtuDevice, writer: Any) -> None:
        self._device, self._writer = device, writer
        self._buffer = b""
        self._answering: asyncio.Task[None] | None = None

    def readable(self, fd: int) -> None:
        with contextlib.suppress(OSError):
            self.feed(os.read(fd, 4096))

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) > 7:
            function = self._buffer[1]
            size = 9 + self._buffer[6] if function in (15, 16) else 10 if function == 22 else 8
            if len(self._buffer) < size:
                return
            whole, self._buffer = self._buffer[:size], self._buffer[size:]
            assert rtu_frame(whole[0], whole[1:-2]) == whole, "the adapter's checksum is wrong"
            request = self._device.read(whole[0], whole[1:-2], rtu=True)
            if self._answering is not None and not self._answering.done():
                self._device.overlaps += 1
            self._answering = self._device.start(self._device.respond(request, self._writer))
