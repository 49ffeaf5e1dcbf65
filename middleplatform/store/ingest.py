"""Off the bus and onto the disk: fetch, gather for a quarter of a second, write, acknowledge.

Delivery: at least once from the bus, once in the store (the same rows again change nothing). What is
fetched and not yet written is bounded in bytes; beyond that the streams keep it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog

from bus.connection import Bus, Consumer, Message
from bus.errors import BusUnavailable
from bus.subjects import STREAMS
from middleplatform.store.engine import EngineError
from middleplatform.store.writer import Writer

log = structlog.get_logger("store")

GATHER_S = 0.25
"""How long the oldest fetched message waits for others before all are written."""
SPACING_S = 0.1
"""The least time between two writes that questions ask for: they share one."""
MAX_BYTES = 16 * 2**20
"""Bytes of messages held in memory; at this much the fetching pauses."""
WRITE_BYTES = 4 * 2**20
"""Bytes gathered at which writing does not wait any longer."""
ACK_WAIT_S = 5.0
"""What is not acknowledged by then comes again: the longest that a killed store's last fetch is missing."""
SETTLE_S = 3.0
_FETCH_BYTES = 2 * 2**20
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_LOOK_S = 10.0
DURABLE = "store"


class Ingest:
    """Runs until cancelled. `pending` counts the messages that are fetched and not yet on disk."""

    def __init__(self, bus: Bus, writer: Writer, thread: ThreadPoolExecutor) -> None:
        self._bus = bus
        self._writer = writer
        self._thread = thread
        self._gathered: list[tuple[Consumer, str, Message]] = []
        self._held: set[tuple[str, int]] = set()
        self._bytes = 0
        self._since = 0.0
        self._fetched = 0
        self._durable = 0
        self._asked = False
        self._changed = asyncio.Condition()
        self._consumers: dict[str, Consumer] = {}
        self.failing: str | None = None
        """The engine's words while writing fails."""
        self.lag: dict[str, int] = {}
        """Messages that each stream holds for us, at the last look."""

    @property
    def pending(self) -> int:
        return self._fetched - self._durable

    async def run(self) -> None:
        """Consume every stream. Raises NotPermitted when the bus refuses."""
        work = [self._fetch(stream) for stream in STREAMS]
        tasks = [asyncio.create_task(each) for each in (*work, self._write(), self._look())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> bool:
        """Whether all that is fetched by now is on disk; waited for, a few seconds at most."""
        target = self._fetched
        if self._durable >= target:
            return True
        async with self._changed:
            self._asked = self._asked or bool(self._gathered)
            self._changed.notify_all()
            try:
                async with asyncio.timeout(SETTLE_S):
                    await self._changed.wait_for(lambda: self._durable >= target)
            except TimeoutError:
                log.warning("an answer may lack the newest samples: they are not on disk yet", pending=self.pending)
                return False
        return True

    async def _fetch(self, stream: str) -> None:
        consumer = self._consumers[stream] = await self._bus.consumer(stream, DURABLE, ack_wait_s=ACK_WAIT_S)
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._bytes < MAX_BYTES)
            messages = await consumer.fetch(256, _FETCH_BYTES, 1.0)
            # While writing takes long, what we still hold is brought again: once is enough.
            messages = [each for each in messages if (stream, each.stream_sequence) not in self._held]
            if not messages:
                continue
            async with self._changed:
                if not self._gathered:
                    self._since = asyncio.get_running_loop().time()
                self._gathered += [(consumer, stream, message) for message in messages]
                self._bytes += sum(len(message.data) for message in messages)
                self._fetched += len(messages)
                self._held.update((stream, message.stream_sequence) for message in messages)
                self._changed.notify_all()

    async def _write(self) -> None:
        clock = asyncio.get_running_loop().time
        last = clock() - SPACING_S
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._gathered)
                try:
                    async with asyncio.timeout_at(self._since + GATHER_S):
                        await self._changed.wait_for(lambda: self._asked or self._bytes >= WRITE_BYTES)
                except TimeoutError:
                    pass
            if self._asked and self._bytes < WRITE_BYTES:
                await asyncio.sleep(last + SPACING_S - clock())
            async with self._changed:
                batch, size = self._gathered, self._bytes
                self._gathered, self._asked = [], False
            last = clock()
            await self._until_written([(stream, message) for _, stream, message in batch])
            async with self._changed:
                self._durable += len(batch)
                self._bytes -= size
                self._changed.notify_all()
            for consumer in {id(consumer): consumer for consumer, _, _ in batch}.values():
                await consumer.acknowledge(message for owner, _, message in batch if owner is consumer)
            # One may be on its way to us again while it is acknowledged. Should the bus not have heard us, it comes
            # once more after that.
            done = {(stream, message.stream_sequence) for _, stream, message in batch}
            asyncio.get_running_loop().call_later(ACK_WAIT_S, self._held.difference_update, done)

    async def _look(self) -> None:
        while True:
            for stream, consumer in tuple(self._consumers.items()):
                try:
                    self.lag[stream] = await consumer.lag()
                except BusUnavailable:
                    self.lag.pop(stream, None)
            await asyncio.sleep(_LOOK_S)

    async def _until_written(self, messages: list[tuple[str, Message]]) -> None:
        attempt = 0
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.write, messages)
            except EngineError as error:
                if self.failing is None:
                    log.error("samples cannot be written; they wait on the bus", error=str(error))
                self.failing = str(error)
                await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1
            else:
                if self.failing is not None:
                    log.info("samples are written again", tries=attempt + 1)
                self.failing = None
                return
