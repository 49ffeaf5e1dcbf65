"""What gateways hold now and tell when they are asked: the tags that hang on machines, and other lists."""

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


async def told_by(
    bus: Asking, code: str, gateways: Sequence[str], question: bytes, key: str
) -> dict[str, dict[str, Any] | None]:
    """Gateway → what it tells to a question, whose answer holds a list of objects under `key`; None for one that did
    not answer in time, or not so."""

    async def ask(name: str) -> dict[str, Any] | None:
        try:
            found = orjson.loads(await bus.request(subjects.command(code, name), question, TAGS_S))
        except (BusError, ValueError):
            return None
        listed = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(listed, list) and all(isinstance(each, dict) for each in listed) else None

    return dict(zip(gateways, await asyncio.gather(*map(ask, gateways)), strict=True))


async def hanging(bus: Asking, code: str, gateways: Sequence[str]) -> dict[str, list[dict[str, Any]] | None]:
    """Gateway → its tags as it tells them, each with `equipment`; None for one that did not answer in time."""
    found = await told_by(bus, code, gateways, b'{"tags": true}', "tags")
    return {name: None if told is None else _tags(name, told["tags"]) for name, told in found.items()}


def _tags(gateway: str, told: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    if not all(isinstance(tag.get("equipment"), str) for tag in told):
        return None
    return [{**tag, "gateway": gateway} for tag in told]
