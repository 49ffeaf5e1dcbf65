"""The few packets of MQTT that a tool needs to knock at a broker, and to leave nothing of itself there."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.onboarding.door import Door, DoorShut, knock

VERSIONS = {"3.1.1": 4, "5": 5}


async def open_broker(settings: Any, timeout_s: float) -> Door:
    """A connection to the broker of these settings. Raises DoorShut, OSError for TLS files that cannot be read."""
    return await knock(settings.host, settings.port, timeout_s, settings.tls.context() if settings.tls else None)


def connect_packet(level: int, client: str, user: str, password: str) -> bytes:
    """A request for a clean session: nothing of us stays at the broker."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = _text("MQTT") + bytes((level, flags)) + (10).to_bytes(2, "big")
    if level == 5:
        body += b"\0"
    body += _text(client)
    if user:
        body += _text(user)
        if password:
            body += _text(password)
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes((digit | (0x80 if size else 0),))
        if not size:
            return b"\x10" + length + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


async def forget(settings: Any, client: str, timeout_s: float = 3.0) -> None:
    """Sign in as a client for a clean session and leave: what the broker kept for it is gone. Never raises."""
    try:
        opened = await open_broker(settings, timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                level = VERSIONS[settings.protocol]
                opened.writer.write(connect_packet(level, client, settings.user, settings.secret()))
                await opened.reader.read(64)
                opened.writer.write(b"\xe0\0")
                await opened.writer.drain()
        finally:
            await opened.close()
    except (DoorShut, OSError, TimeoutError):
        pass
