"""Publish responses on their way from the session to columns, in a bounded queue.

When it is full the publish loop waits: the server then keeps the changes in each item's queue, and
says so when that overflows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from protocols.adapter import LinkLost

INBOX = 64
"""Publish responses that may wait."""


@dataclass(slots=True)
class Feed:
    """One subscription. `heard` is the loop's time of its last sign of data; `publishing_s` its interval."""

    id: int
    heard: float
    publishing_s: float = 0.5
    clock: bool = False
    sequence: int = 0
    tags: int = 0


@dataclass(slots=True)
class Inbox:
    """`put` waits while it is full."""

    lost: LinkLost | None = None
    _waiting: deque[tuple[Feed, Any]] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, feed: Feed, message: Any) -> None:
        while len(self._waiting) >= INBOX and self.lost is None:
            self._room.clear()
            await self._room.wait()
        self._waiting.append((feed, message))
        self._arrived.set()

    def lose(self, why: LinkLost) -> None:
        self.lost = self.lost or why
        self._arrived.set()
        self._room.set()

    async def wait(self, seconds: float) -> None:
        """Until something is there or the link is lost, at most so long."""
        if self._waiting or self.lost is not None:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    def take(self) -> tuple[Feed, Any] | None:
        if not self._waiting:
            return None
        self._room.set()
        return self._waiting.popleft()
