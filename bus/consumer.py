"""A durable pull consumer: what a process has not acknowledged comes again, whatever died meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.msg import Msg

from bus.errors import BusUnavailable, NotPermitted
from bus.link import Link, Listening

_log = structlog.get_logger("bus")

DEFAULT_MAX_ACK_PENDING = 4096
DEFAULT_ACK_WAIT_S = 60.0
RETRY_S = 0.5
"""Pause after an answer that says the stream or consumer is not there."""
_GRACE_S = 1.0
"""How much later than asked the server may end a pull before it is taken as lost."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream. `redelivered` when it came before and was not acknowledged; `stored`: when the stream
    took it, µs UTC by the server's clock."""

    data: bytes
    subject: str
    stream_sequence: int
    redelivered: bool
    reply: str = field(repr=False)
    stored: int = 0


class Consumer:
    """A durable of one stream. One task at a time may fetch."""

    def __init__(self, link: Link, stream: str, durable: str, max_ack_pending: int, ack_wait_s: float) -> None:
        self._link = link
        self._stream = stream
        self._durable = durable
        self._config = {
            "durable_name": durable,
            "name": durable,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(ack_wait_s * 1e9),
            "max_deliver": -1,
            "max_ack_pending": max_ack_pending,
            "max_waiting": 16,
            "replay_policy": "instant",
        }
        self._made = False
        self._inbox = f"{link.credential.inbox}.pull.{id(self):x}"
        self._pulls = 0
        self._ready: deque[Message] = deque()
        self._status: str | None = None
        self._arrived = asyncio.Event()
        self._listening = Listening(link, f"{self._inbox}.*", self._on_message)

    async def open(self) -> None:
        """Subscribe and make the durable. Raises NotPermitted."""
        await self._link.listen(self._listening)
        try:
            await self._make()
        except BusUnavailable as error:
            _log.warning("bus consumer not yet there", stream=self._stream, durable=self._durable, error=str(error))

    async def close(self) -> None:
        """Stop receiving; the durable stays and keeps its place."""
        await self._listening.stop()

    async def fetch(self, max_messages: int = 256, max_bytes: int | None = None, wait_s: float = 1.0) -> list[Message]:
        """What is there, at most `max_messages` and about `max_bytes`; waits up to `wait_s` seconds for
        the first. Empty when nothing came or the bus is away; then it has waited. Raises NotPermitted.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        got = self._take(max_messages)
        while not got:
            left = deadline - loop.time()
            if not await self._link.wait_connected(max(0.0, left)):
                return []
            try:
                if not self._made:
                    await self._make()
                await self._pull(max_messages, max_bytes, 0.0)
                got = self._take(max_messages)
                left = deadline - loop.time()
                if got or left <= 0:
                    return got
                await self._pull(1, None, left)
                got = self._take(max_messages)
                if got and max_messages > len(got):
                    size = max_bytes - sum(len(message.data) for message in got) if max_bytes else None
                    if size is None or size > 0:
                        await self._pull(max_messages - len(got), size, 0.0)
                        got += self._take(max_messages - len(got))
            except BusUnavailable:
                got = got or self._take(max_messages)
                if not got:
                    await asyncio.sleep(min(RETRY_S, max(0.0, deadline - loop.time())))
            if loop.time() >= deadline:
                break
        return got

    async def acknowledge(self, messages: Iterable[Message]) -> None:
        """Tell the stream that these are done. While the bus is away nothing is told: they come again."""
        try:
            for message in messages:
                await self._link.send(message.reply, b"")
        except BusUnavailable:
            return

    async def lag(self, timeout: float = 5.0) -> int:
        """Messages in the stream that were not yet acknowledged. Raises BusUnavailable."""
        found = await self._control(f"CONSUMER.INFO.{self._stream}.{self._durable}", None, timeout)
        return int(found["num_pending"]) + int(found["num_ack_pending"])

    async def _make(self) -> None:
        verb = f"CONSUMER.CREATE.{self._stream}.{self._durable}"
        await self._control(verb, {"stream_name": self._stream, "config": self._config, "action": ""}, 5.0)
        self._made = True

    async def _control(self, verb: str, request: dict[str, Any] | None, timeout: float) -> dict[str, Any]:
        answer = await self._link.ask(f"$JS.API.{verb}", json.dumps(request).encode() if request else b"", timeout)
        found: dict[str, Any] = json.loads(answer.data)
        if "error" in found:
            raise BusUnavailable(f"{verb}: {found['error'].get('description')}")
        return found

    async def _pull(self, messages: int, max_bytes: int | None, wait_s: float) -> None:
        """Ask for messages and return when the server has said its last word on it, or in time."""
        self._pulls += 1
        request: dict[str, Any] = {"batch": messages}
        if max_bytes is not None:
            request["max_bytes"] = max_bytes
        if wait_s > 0:
            request["expires"] = max(1, int(wait_s * 1e9))
        else:
            request["no_wait"] = True
        self._status = None
        self._arrived.clear()
        had = len(self._ready)
        reply = f"{self._inbox}.{self._pulls}"
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}"
        await self._link.send(subject, json.dumps(request).encode(), reply=reply)
        try:
            async with asyncio.timeout(wait_s + _GRACE_S):
                while self._status is None and len(self._ready) - had < messages and self._link.connected:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return
        if self._status is None:
            return
        if self._status.startswith("409 Message Size Exceeds") and len(self._ready) == had:
            # A single message larger than the bound: it has to come some day.
            await self._pull(1, None, wait_s)
        elif self._status.startswith(("503", "409 Consumer", "404 Consumer")):
            self._made = False
            raise BusUnavailable(f"stream {self._stream} has no consumer '{self._durable}' now")

    def _take(self, most: int) -> list[Message]:
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    async def _on_message(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status")
        if status is not None and not message.data and not message.reply.startswith("$JS.ACK."):
            if message.subject == f"{self._inbox}.{self._pulls}":
                self._status = f"{status} {headers.get('Description', '')}"
                self._arrived.set()
            return
        sequence, delivered, stored = _place(message.reply)
        self._ready.append(Message(message.data, message.subject, sequence, delivered > 1, message.reply, stored))
        self._arrived.set()


def _place(reply: str) -> tuple[int, int, int]:
    """Stream sequence, number of deliveries, and when it was stored (µs), from the subject on which a message is
    acknowledged."""
    tokens = reply.split(".")
    # $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<of the consumer>.<ns>… or, newer, with <domain>.<account>
    # before the stream
    at = 4 if len(tokens) == 9 else 6
    return int(tokens[at + 1]), int(tokens[at]), int(tokens[at + 3]) // 1000


__all__ = ["Consumer", "Message", "NotPermitted"]
