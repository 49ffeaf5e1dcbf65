"""A Modbus TCP device on bare asyncio, whose bytes a test can bend: a second opinion beside pymodbus' server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

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

    def reply(
        self, body: bytes, *, transaction: int | None = None, unit: int | None = None, function: int = 0
    ) -> bytes:
        """A frame that answers this request, or that nearly does."""
        tid = self.transaction if transaction is None else transaction
        return frame(tid, self.unit if unit is None else unit, bytes([function or self.function]) + body)

    def refuse(self, code: int) -> bytes:
        return frame(self.transaction, self.unit, bytes([self.function | 0x80, code]))


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


Twist = Callable[[Request, asyncio.StreamWriter], Awaitable[bytes | None]]


class RawDevice:
    """`registers` and `bits` are by unit and address, 0 where nothing was put. `twist` sees each request
    first: what it returns is sent in place of the right answer; None lets the right answer be sent."""

    def __init__(self, twist: Twist | None = None) -> None:
        self.port = free_port()
        self.registers: dict[tuple[int, int], int] = {}
        self.bits: dict[tuple[int, int], int] = {}
        self.requests: list[Request] = []
        self.connections = 0
        self.twist = twist
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
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                start, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
                transaction = int.from_bytes(head[:2], "big")
                request = Request(len(self.requests) + 1, transaction, head[6], pdu[0], start, count, pdu[1:])
                self.requests.append(request)
                answer = await self.twist(request, writer) if self.twist else None
                writer.write(self.answer(request) if answer is None else answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

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
