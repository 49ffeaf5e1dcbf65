"""The tags that hang on machines now, asked of every gateway: they are held at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from bus import subjects
from bus.errors import BusError

TAGS_S = 2.0


class Asking(Protocol):
    """What this needs of the bus: see bus.connection.Bus."""

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes: ...


async def hanging(bus: Asking, code: str, gateways: Sequence[str]) -> dict[str, list[dict[str, Any]] | None]:
    """Gateway → its tags as it tells them, each with `equipment`; None for one that did not answer in time."""

    async def ask(name: str) -> list[dict[str, Any]] | None:
        try:
            found = orjson.loads(await bus.request(subjects.command(code, name), b'{"tags": true}', TAGS_S))
            return [{**tag, "gateway": name} for tag in found["tags"] if isinstance(tag["equipment"], str)]
        except (BusError, ValueError, KeyError, TypeError):
            return None

    return dict(zip(gateways, await asyncio.gather(*map(ask, gateways)), strict=True))
