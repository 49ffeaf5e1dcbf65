"""Single Modbus requests for a probe, on TCP, in either framing; every odd answer is told apart."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from gateway.onboarding.door import Door, knock


class Silent(Exception):
    """Nothing came within the time-out."""


class HungUp(Exception):
    """The other side closed the connection instead of answering."""


class Crossed(Exception):
    """Another unit or function answered than was asked: the device mixes up its replies."""


class Foreign(Exception):
    """What came is no Modbus: `data` is its beginning."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data[:16].hex())
        self.data = data


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: `exception` 0 with `data` after the function code, or the code of a refusal."""

    exception: int
    data: bytes
    took_s: float


@dataclass(slots=True)
class Wire:
    """Asks one request at a time, with a pause between two. `rtu`: frames of a serial line over TCP."""

    host: str
    port: int
    timeout_s: float
    pause_s: float
    rtu: bool = False
    requests: int = 0
    _door: Door | None = None
    _transaction: int = 0
    _asked_at: float = field(default=0.0)

    async def open(self) -> float:
        """Seconds that connecting took. Raises DoorShut."""
        await self.close()
        self._door = await knock(self.host, self.port, self.timeout_s)
        return self._door.took_s

    async def close(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            await door.close()

    async def ask(self, unit: int, function: int, body: bytes) -> Answer:
        """The answer. Raises Silent, HungUp, Foreign, Crossed; after each the next request takes a new connection."""
        if self._door is None:
            await self.open()
        door = self._door
        assert door is not None  # noqa: S101 - opened above
        await asyncio.sleep(max(0.0, self._asked_at + self.pause_s - time.monotonic()))
        self.requests += 1
        self._transaction = self._transaction % 60_000 + 1
        pdu = bytes((unit, function)) + body
        frame = pdu + crc(pdu) if self.rtu else self._header(len(pdu)) + pdu
        answered = False
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                door.writer.write(frame)
                found = await (self._rtu_reply(door) if self.rtu else self._reply(door))
            answered = True
        except TimeoutError:
            raise Silent from None
        except (OSError, asyncio.IncompleteReadError) as error:
            partial = getattr(error, "partial", b"")
            if partial:
                raise Foreign(partial) from None
            raise HungUp from None
        finally:
            self._asked_at = time.monotonic()
            if not answered:
                await self.close()
        took = self._asked_at - started
        if found[0] != unit or found[1] & 0x7F != function:
            await self.close()
            raise Crossed(f"unit {unit}, function {function} was asked; unit {found[0]}, function {found[1]} answered")
        if found[1] & 0x80:
            return Answer(found[2] if len(found) > 2 else 0xFF, b"", took)
        return Answer(0, found[2:], took)

    def _header(self, length: int) -> bytes:
        return self._transaction.to_bytes(2, "big") + b"\0\0" + length.to_bytes(2, "big")

    async def _reply(self, door: Door) -> bytes:
        while True:
            head = await door.reader.readexactly(6)
            length = int.from_bytes(head[4:6], "big")
            if head[2:4] != b"\0\0" or not 3 <= length <= 254:
                raise Foreign(head + await _rest(door))
            frame = await door.reader.readexactly(length)
            if int.from_bytes(head[:2], "big") == self._transaction:
                return frame

    async def _rtu_reply(self, door: Door) -> bytes:
        head = await door.reader.readexactly(3)
        size = 2 if head[1] & 0x80 else head[2] + 2
        rest = await door.reader.readexactly(size)
        if crc(head + rest[:-2]) != rest[-2:]:
            raise Foreign(head + rest)
        return head + rest[:-2]


async def _rest(door: Door) -> bytes:
    try:
        async with asyncio.timeout(0.1):
            return await door.reader.read(64)
    except (TimeoutError, OSError):
        return b""


def crc(data: bytes) -> bytes:
    """The check sum at the end of a serial frame."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")
