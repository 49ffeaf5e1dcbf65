"""MQTT 3.1.1 by hand: a client library refuses what a forger would send."""

from __future__ import annotations

import asyncio
from typing import Self

CONNECT, PUBLISH, SUBSCRIBE, PING = 0x10, 0x30, 0x82, 0xC0
_PROTOCOL = b"\x00\x04MQTT\x04"
_CLEAN, _WILL, _LOGIN = 0x02, 0x04, 0xC0
REFUSED = 0x80


def _text(words: str | bytes) -> bytes:
    data = words.encode() if isinstance(words, str) else words
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((kind, *length)) + body


class Wire:
    """One connection. `alive` is False once the server has ended it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.alive = True

    @classmethod
    async def open(cls, port: int, user: str, password: str, *, will: str = "", saying: bytes = b"") -> Self:
        """Signed in; `will` is published with `saying` when the connection breaks."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port))
        flags = _CLEAN | _LOGIN | (_WILL if will else 0)
        last = _text(will) + _text(saying) if will else b""
        body = _PROTOCOL + bytes((flags, 0, 60)) + _text(f"forger-{id(made)}") + last + _text(user) + _text(password)
        made._writer.write(_packet(CONNECT, body))
        await made._answer()
        return made

    async def publish(self, topic: str, payload: bytes) -> None:
        """With QoS 0; returns when the server has dealt with it."""
        self._writer.write(_packet(PUBLISH, _text(topic) + payload))
        self._writer.write(_packet(PING, b""))
        await self._answer()

    async def subscribe(self, topic: str) -> bool:
        """Whether the server granted it."""
        self._writer.write(_packet(SUBSCRIBE, b"\x00\x01" + _text(topic) + b"\x00"))
        answer = await self._answer()
        return bool(answer) and answer[-1] != REFUSED

    def drop(self) -> None:
        """As a cable that is cut: without a goodbye."""
        self._writer.transport.abort()

    async def _answer(self) -> bytes:
        """The next packet's body that is no message; empty, and no longer alive, when the server ended it."""
        while self.alive:
            try:
                head = await self._reader.readexactly(2)
                body = await self._reader.readexactly(head[1])
            except (asyncio.IncompleteReadError, ConnectionError):
                self.alive = False
                break
            if head[0] & 0xF0 != PUBLISH:
                return bytes((0, *body))
        return b""
