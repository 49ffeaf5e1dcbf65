"""The way out: samples of all connections become numbered batches, and go to the bus.

Every flush sends the present values live, unpersisted, before and apart from the durable batches,
so that a backlog never delays the present. Statutory samples go to a stream of their own.

Delivery: at least once, each batch under one message id. Buffer: bus.bridge.MemoryBridge; what a
device keeps until it is acknowledged is never dropped, its connection waits in `room` instead.
Metrics: flushes, live messages, rows sent, rows dropped by point, and the bridge's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from bus import subjects
from bus.bridge import Entry, MemoryBridge
from gateway.chunk import Chunk, Receipt
from gateway.numbers import BatchNumbers
from gateway.pressure import Pressure
from gateway.receipts import Outstanding, Token
from models.events import Event, EventBatch
from models.samples import Batch, Samples, concat

log = structlog.get_logger(__name__)

MAX_ROWS = 250_000
MAX_BYTES = 6 << 20
"""Of one encoded batch; the bus server takes 8 MiB."""
MAX_EVENTS = 10_000
"""Of one batch: encoding it takes tens of milliseconds, in which the event loop waits."""
THREAD_ROWS = 50_000
"""From this many rows on, a thread encodes, so that the event loop keeps its time."""


class Live(Protocol):
    """The part of bus.connection.Bus that sends present values."""

    @property
    def connected(self) -> bool: ...

    async def live(self, subject: str, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`flush_s`: between flushes; `flush_rows`: flush earlier at so many; `buffer_bytes`: memory for
    encoded batches that the bus has not taken."""

    flush_s: float = 0.2
    flush_rows: int = MAX_ROWS
    buffer_bytes: int = 256 << 20


@dataclass(slots=True)
class _Pending:
    """Samples of one kind that wait for the next flush."""

    subject: str
    safety: bool
    samples: list[Samples] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def put(self, samples: Samples, receipt: Receipt | None) -> None:
        self.samples.append(samples)
        if receipt is not None:
            receipt.hold()
            self.receipts.append(receipt)

    def taken(self) -> _Pending:
        """What was put, leaving this one empty."""
        found = _Pending(self.subject, self.safety, self.samples, self.receipts)
        self.samples, self.receipts = [], []
        return found


class Outbox:
    """A chunk.Sink. `run` flushes until cancelled; the bridge's own `run` publishes; `drain` ends it."""

    def __init__(
        self,
        code: str,
        gateway: str,
        numbers: BatchNumbers,
        now: Callable[[], int],
        pressure: Pressure,
        limits: Limits | None = None,
    ) -> None:
        self.gateway = gateway
        self.limits = limits or Limits()
        self.bridge = MemoryBridge(self.limits.buffer_bytes)
        self.pressure = pressure
        self.live_messages = self.flushes = self.rows_sent = self.batches_sent = self.rows_dropped = 0
        self.dropped_by_point: dict[int, int] = {}
        self._numbers = numbers
        self._now = now
        self._live_subject = subjects.live(code, gateway)
        self._events_subject = subjects.events(code, gateway)
        samples = subjects.samples(code, gateway)
        self._safety = _Pending(subjects.safety(code, gateway), safety=True)
        self._kept = _Pending(samples, safety=False)
        self._bulk = _Pending(samples, safety=False)
        self._live: list[Chunk] = []
        self._rows = 0
        self._outstanding = Outstanding()
        self._refusals = 0
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._flushing = asyncio.Lock()

    # ---- in

    def put(self, chunk: Chunk) -> None:
        """See chunk.Sink."""
        samples, receipt, statutory = chunk.samples, chunk.receipt, chunk.statutory
        self._live.append(chunk)
        self._rows += len(samples)
        common = self._bulk if receipt is None else self._kept
        if isinstance(statutory, bool):
            (self._safety if statutory else common).put(samples, receipt)
        else:
            if statutory.any():
                self._safety.put(samples.take(statutory), receipt)
            if not statutory.all():
                common.put(samples.take(~statutory), receipt)
        if self._rows >= self.limits.flush_rows:
            self._full.set()
            self._look_for_room()

    async def room(self) -> None:
        """See chunk.Sink."""
        await self._room.wait()

    def settle(self, receipt: Receipt) -> None:
        """See chunk.Sink."""
        self._outstanding.wait_for_all(receipt)
        for pending in (self._kept, self._safety):
            if pending.receipts:
                receipt.hold()
                pending.receipts.append(receipt)

    def emit_events(self, events: Sequence[Event], receipt: Receipt | None = None) -> None:
        """Send events, as one batch where they fit. Raises ValueError when one has too large attributes."""
        number = self._numbers.at_once()
        data = EventBatch(self.gateway, number, self._now(), events).encode()
        if (len(data) > MAX_BYTES or len(events) > MAX_EVENTS) and len(events) > 1:
            half = len(events) // 2
            self.emit_events(events[:half], receipt)
            self.emit_events(events[half:], receipt)
            return
        token = None
        if receipt is not None:
            receipt.hold()
            token = self._outstanding.begin([receipt])
        message_id = f"{self.gateway}-{number}"
        done = self._when_done(data, len(events), token)
        self.bridge.offer(Entry(self._events_subject, data, message_id, len(events), True, token is not None, done))

    # ---- out

    async def run(self, bus: Live) -> None:
        while True:
            try:
                async with asyncio.timeout(self.limits.flush_s):
                    await self._full.wait()
            except TimeoutError:
                pass
            await self.flush(bus)
            if self.bridge.refusals > self._refusals:
                self._refusals = self.bridge.refusals
                self.pressure.refused()
            else:
                self.pressure.relax()

    async def drain(self, bus: Live, within_s: float) -> bool:
        """Flush what is left and wait until the bus has it; the bridge must run meanwhile. Whether it has."""
        await self.flush(bus)
        return await self.bridge.drain(within_s)

    async def flush(self, bus: Live) -> None:
        """Make batches of what was put, send them live, and hand them to the bridge."""
        async with self._flushing:
            chunks, self._live = self._live, []
            self._rows = 0
            self._full.clear()
            if chunks:
                self.flushes += 1
                await self._flush(bus, chunks)
            self._look_for_room()

    async def _flush(self, bus: Live, chunks: list[Chunk]) -> None:
        received = self._now()
        parts = [pending.taken() for pending in (self._safety, self._kept, self._bulk) if pending.samples]
        # Noted before anything is awaited, so that what is asked to be settled now finds them.
        tokens = [self._outstanding.begin(part.receipts) if part.receipts else None for part in parts]
        encoded = [await self._encode(concat(part.samples), received) for part in parts]
        if bus.connected:
            await self._send_live(bus, chunks, [data for batches in encoded for data, _, _ in batches], received)
        for part, token, batches in zip(parts, tokens, encoded, strict=True):
            # A receipt stands for all batches of its part: the ones before the last are tokens too.
            more = [self._outstanding.begin([]) if token else None for _ in batches[1:]]
            if token and more:
                more[-1].receipts, token.receipts = token.receipts, []  # type: ignore[union-attr]
            for (data, number, rows), held in zip(batches, [token, *more], strict=True):
                done = self._when_done(data, rows, held)
                message_id = f"{self.gateway}-{number}"
                self.bridge.offer(Entry(part.subject, data, message_id, rows, part.safety, held is not None, done))

    async def _send_live(self, bus: Live, chunks: list[Chunk], encoded: Iterable[bytes], received: int) -> None:
        sources: set[Hashable] = {chunk.source for chunk in chunks}
        if len(sources) < len(chunks) or any(chunk.late is not None for chunk in chunks):
            present = [c.samples if c.late is None else c.samples.take(~c.late) for c in chunks]
            newest = newest_of_each(concat(present))
            encoded = [data for data, _, _ in await self._encode(newest, received)] if len(newest) else []
        try:
            async with asyncio.timeout(1.0):
                for data in encoded:
                    await bus.live(self._live_subject, data)
                    self.live_messages += 1
        except TimeoutError:
            log.warning("live_dropped", reason="the connection to the bus does not take it")

    async def _encode(self, samples: Samples, received: int) -> list[tuple[bytes, int, int]]:
        """Batches of bounded size: bytes, number and rows of each."""
        if len(samples) > MAX_ROWS:
            half = len(samples) // 2
            first = await self._encode(_slice(samples, 0, half), received)
            return first + await self._encode(_slice(samples, half, len(samples)), received)
        number = self._numbers.at_once()
        batch = Batch(self.gateway, number, received, samples)
        if len(samples) >= THREAD_ROWS:
            data = await asyncio.get_running_loop().run_in_executor(None, batch.encode)
        else:
            data = batch.encode()
        if len(data) > MAX_BYTES and len(samples) > 1:
            half = len(samples) // 2
            first = await self._encode(_slice(samples, 0, half), received)
            return first + await self._encode(_slice(samples, half, len(samples)), received)
        return [(data, number, len(samples))]

    def _when_done(self, data: bytes, rows: int, token: Token | None) -> Callable[[bool], None]:
        def done(taken: bool) -> None:
            if taken:
                self.batches_sent += 1
                self.rows_sent += rows
            else:
                self._count_dropped(data, rows)
            if token is not None:
                self._outstanding.finish(token)
            if not self._room.is_set():
                self._look_for_room()

        return done

    def _count_dropped(self, data: bytes, rows: int) -> None:
        self.rows_dropped += rows
        try:
            points = Batch.decode(data).samples.point
        except ValueError:  # a batch of events
            points = np.empty(0, np.uint64)
        for point, count in zip(*(column.tolist() for column in np.unique(points, return_counts=True)), strict=True):
            self.dropped_by_point[point] = self.dropped_by_point.get(point, 0) + count
        log.error(
            "samples_dropped",
            rows=rows,
            total=self.rows_dropped,
            hint="the bus takes nothing and the memory buffer is full: make room on its disk, or bring it back",
        )

    def _look_for_room(self) -> None:
        if self.bridge.depth_bytes > self.bridge.max_bytes // 2 or self._rows >= self.limits.flush_rows:
            self._room.clear()
        else:
            self._room.set()


def newest_of_each(samples: Samples) -> Samples:
    """Of each point the one sample with the highest time; of equal times the last."""
    order = np.lexsort((samples.ts, samples.point))
    ordered = samples.point[order]
    last: NDArray[np.bool_] = np.ones(len(order), np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return samples.take(order[last])


def _slice(samples: Samples, start: int, end: int) -> Samples:
    text = None if samples.text is None else samples.text.slice(start, end - start)
    part = slice(start, end)
    return Samples(samples.point[part], samples.ts[part], samples.value[part], samples.quality[part], text)
