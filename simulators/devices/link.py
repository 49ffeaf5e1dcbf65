"""The link in front of a device: a TCP relay that can be cut, lossy, slow, or in front of a device that hangs.

It listens where the site says that the device is, and hands on to where the device really listens; or, in
front of a device that is a client, from a port of its own to the broker.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import cast

_SWALLOWING = ("cut", "hang", "garbage")

MOST_HELD = 1 << 20
"""Bytes that one direction holds back at most; then its sender is no longer read."""
RETRY_S = 0.2
"""After this TCP sends again what was lost, then after twice as long, and so on (RFC 6298's usual least)."""
MOST_RETRIES = 6
"""After so many losses of one segment in a row the connection is given up."""


class Link:
    """Listens at `host` and `port`, and hands on to the device's own. `fault` makes it misbehave."""

    def __init__(self, host: str, port: int, device_host: str, device_port: int, seed: int = 1) -> None:
        self.host, self.port = host, port
        self.device_host, self.device_port = device_host, device_port
        self.dice = random.Random(seed)
        self.pairs: set[_Pair] = set()
        self._faults: dict[str, float] = {}
        self._server: asyncio.Server | None = None
        self._again: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; with port 0 on a free one, which `port` then names. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Pair(self), self.host, self.port, backlog=64)
        self.port = self._server.sockets[0].getsockname()[1]

    def fault(self, kind: str, amount: float) -> None:
        """Begin a fault, or with 0 end it: `cut`: nothing comes through and nothing is told; `hang`, `garbage`:
        what comes to the device is taken, and not or with rubbish answered; `delay`: a round trip takes so many
        seconds longer; `slow`: answers of the device do; `loss`: the share of segments lost, which TCP sends
        again later; `reset`: all connections end, and none is taken for so many seconds."""
        if kind == "reset":
            self.refuse(amount)
            return
        was, self._faults = self._faults, {**self._faults, kind: amount}
        if kind in _SWALLOWING:
            if was.get(kind) and not amount:
                # What was sent meanwhile is gone for good: connections that lived through it cannot go on.
                self.drop()
            return
        for pair in tuple(self.pairs):
            pair.hurry()

    @property
    def listening(self) -> bool:
        return self._server is not None

    def has(self, kind: str) -> float:
        """The amount of a fault, 0 without it."""
        return self._faults.get(kind, 0.0)

    def wait_s(self, *, from_device: bool) -> float | None:
        """How long the next segment is held back; None when TCP gives the connection up."""
        wait = self.has("delay") / 2.0 + (self.has("slow") if from_device else 0.0)
        loss, retry = self.has("loss"), RETRY_S
        for _ in range(MOST_RETRIES):
            if not loss or self.dice.random() >= loss:
                return wait
            wait, retry = wait + retry, retry * 2.0
        return None

    def drop(self) -> None:
        """End all connections at once."""
        for pair in tuple(self.pairs):
            pair.abort()

    def refuse(self, seconds: float) -> None:
        """End all connections and take none for so long."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._again = asyncio.get_running_loop().create_task(self._reopen(seconds))
        self.drop()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while True:
            try:
                await self.start()
                return
            except OSError:  # somebody took the port meanwhile
                await asyncio.sleep(0.5)

    async def close(self) -> None:
        """Stop listening and end all connections. May be called more than once."""
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
            self._again = None
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()


class _Way:
    """One direction of a pair: what is sent keeps its order, however long it is held back."""

    def __init__(self, pair: _Pair) -> None:
        self._pair = pair
        self.end: asyncio.Transport | None = None
        """Where it goes."""
        self.source: asyncio.Transport | None = None
        """Where it comes from."""
        self._held: deque[tuple[float, bytes]] = deque()
        self.size = 0
        """Bytes that are held back."""

    def send(self, data: bytes, wait: float | None) -> None:
        if wait is None:
            self._pair.abort()
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._held and wait <= 0.0:
            if self.end is not None:
                self.end.write(data)
            return
        due = max(now + wait, self._held[-1][0] if self._held else 0.0)
        self._held.append((due, data))
        self.size += len(data)
        if self.size > MOST_HELD and self.source is not None:
            self.source.pause_reading()
        loop.call_at(due, self.deliver)

    def deliver(self, *, at_once: bool = False) -> None:
        """Hand on what is due, or all that is held back."""
        now = asyncio.get_running_loop().time()
        was = self.size
        while self._held and (at_once or self._held[0][0] <= now):
            data = self._held.popleft()[1]
            self.size -= len(data)
            if self.end is not None and not self.end.is_closing() and not self._pair.link.has("cut"):
                self.end.write(data)
        if was > MOST_HELD >= self.size and self.source is not None:
            self.source.resume_reading()
        if not self._held and self._pair.ending:
            self._pair.finish()


class _Pair(asyncio.Protocol):
    """A client's connection, with the device's end of it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.client: asyncio.Transport | None = None
        self.device: asyncio.Transport | None = None
        self.ending = False
        self._waiting: list[bytes] = []
        self._to_device = _Way(self)
        self._to_client = _Way(self)
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.client = self._to_client.end = cast(asyncio.Transport, transport)
        self._to_device.source = self.client
        self.link.pairs.add(self)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(
                lambda: _Far(self), self.link.device_host, self.link.device_port
            )
        except OSError:
            self.abort()
            return
        self.device = self._to_device.end = self._to_client.source = cast(asyncio.Transport, transport)
        if self.client is None:
            self.device.abort()
            return
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        link = self.link
        if link.has("cut") or link.has("hang"):
            return
        if link.has("garbage"):
            if self.client is not None:
                self.client.write(link.dice.randbytes(link.dice.randint(9, 60)))
            return
        if self.device is None:
            self._waiting.append(data)
            return
        self._to_device.send(data, link.wait_s(from_device=False))

    def from_device(self, data: bytes) -> None:
        link = self.link
        if not any(map(link.has, _SWALLOWING)):
            self._to_client.send(data, link.wait_s(from_device=True))

    def connection_lost(self, error: Exception | None) -> None:
        self.client = None
        self.abort()

    def hurry(self) -> None:
        """Let go what is held back."""
        self._to_device.deliver(at_once=True)
        self._to_client.deliver(at_once=True)

    def finish(self) -> None:
        """The device has hung up: so does this end, when all that it said is told."""
        self.ending = True
        if self.client is not None and not self._to_client.size:
            self.client.close()

    def abort(self) -> None:
        self.link.pairs.discard(self)
        for end in (self.client, self.device):
            if end is not None:
                end.abort()
        self.device = None
        if self._opening is not None and self._opening is not asyncio.current_task():
            self._opening.cancel()

    def pause_writing(self) -> None:
        if self.device is not None:
            self.device.pause_reading()

    def resume_writing(self) -> None:
        if self.device is not None:
            self.device.resume_reading()


class _Far(asyncio.Protocol):
    """The device's end."""

    def __init__(self, pair: _Pair) -> None:
        self._pair = pair

    def data_received(self, data: bytes) -> None:
        self._pair.from_device(data)

    def connection_lost(self, error: Exception | None) -> None:
        # What it said last is still on its way.
        self._pair.device = None
        self._pair.finish()

    def pause_writing(self) -> None:
        if self._pair.client is not None:
            self._pair.client.pause_reading()

    def resume_writing(self) -> None:
        if self._pair.client is not None:
            self._pair.client.resume_reading()
