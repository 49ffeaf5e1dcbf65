"""Off the bus and into the target: fetch, write, acknowledge; never more in hand than one round.

While the target is away the same lines are tried again, ever more rarely, and nothing more is fetched: the
streams keep the rest, as long as they keep anything. What they let go before it was mirrored is counted and told.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import structlog

from bus.connection import Bus, Consumer, Message
from bus.errors import BusUnavailable
from bus.subjects import SAFETY, SAMPLES, source_of
from middleplatform.mirror.lines import NONE, Lines
from middleplatform.mirror.target import LinesRefused, Target, TargetAway
from models.samples import Batch, WireError

log = structlog.get_logger("mirror")

DURABLE = "mirror"
MESSAGES = 256
FETCH_BYTES = 2 * 2**20
ROWS = 5_000
"""Lines of one request: what InfluxDB's documentation advises."""
ACK_WAIT_S = 10.0
"""How long what a killed mirror had in hand is missing. Nothing is fetched while a write waits, so that it does
not come a second time either."""
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class Counters:
    """What the mirror has done since it started, in samples where not said otherwise."""

    written: int = 0
    refused: int = 0
    """That the target will never take."""
    malformed: int = 0
    """Messages that could not be read."""
    missed: int = 0
    """Messages that the streams let go before they were mirrored."""


class Copying:
    """Runs until cancelled. `lines` may be replaced between two rounds, when the site changes."""

    def __init__(self, bus: Bus, target: Target, lines: Lines, thread: ThreadPoolExecutor) -> None:
        self._bus = bus
        self._target = target
        self.lines = lines
        self._thread = thread
        # One at a time: the target is slower than the bus, and a stream that waits does no harm.
        self._turn = asyncio.Lock()
        self._seen: dict[str, int] = {}
        self.counters = Counters()
        self.failing: str | None = None
        """Why nothing can be written now."""

    async def run(self) -> None:
        """Raises NotPermitted when the bus refuses."""
        async with asyncio.TaskGroup() as group:
            for stream in (SAFETY, SAMPLES):
                group.create_task(self._copy(stream))

    async def _copy(self, stream: str) -> None:
        consumer: Consumer = await self._bus.consumer(stream, DURABLE, ack_wait_s=ACK_WAIT_S)
        await self._remember(stream)
        while True:
            messages = await consumer.fetch(MESSAGES, FETCH_BYTES, 1.0)
            if not messages:
                continue
            self._note_gaps(stream, messages)
            async with self._turn:
                lines = pa.concat_arrays([self._read(message) for message in messages])
                for begin in range(0, len(lines), ROWS):
                    await self._write(lines.slice(begin, ROWS))
            await consumer.acknowledge(messages)

    async def _remember(self, stream: str) -> None:
        """Where the mirror was when it last stopped, so that what is gone since then is missed too."""
        with contextlib.suppress(BusUnavailable):
            found = await self._bus.control(f"CONSUMER.INFO.{stream}.{DURABLE}", None)
            if place := int(found["ack_floor"]["stream_seq"]):
                self._seen[stream] = place

    def _read(self, message: Message) -> pa.StringArray:
        try:
            batch = Batch.decode(message.data)
            if batch.gateway != source_of(message.subject):
                raise WireError(f"a batch of gateway '{batch.gateway}' came on the subject '{message.subject}'")
        except WireError as error:
            self.counters.malformed += 1
            log.warning("a message cannot be read and is not mirrored", error=str(error)[:200])
            return NONE
        return self.lines.of(batch.samples)

    async def _write(self, lines: pa.StringArray) -> None:
        """Until they are written; halved when the server refuses or cannot hold them, down to the line at fault."""
        attempt = 0
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._target.write, lines)
            except TargetAway as error:
                if self.failing is None:
                    log.error("镜像目标不可用，数据留在总线 · the mirror's target takes nothing", error=str(error))
                self.failing = str(error)
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
            except LinesRefused as error:
                self.failing = None
                if len(lines) > 1:
                    break
                self.counters.refused += 1
                log.error("a sample is refused by the mirror's target", line=lines[0].as_py()[:200], error=str(error))
                return
            else:
                if self.failing is not None:
                    log.info("镜像恢复 · the mirror writes again", tries=attempt + 1)
                self.failing = None
                self.counters.written += len(lines)
                return
        half = len(lines) // 2
        await self._write(lines.slice(0, half))
        await self._write(lines.slice(half))

    def _note_gaps(self, stream: str, messages: list[Message]) -> None:
        for message in messages:
            last = self._seen.get(stream)
            if last is not None and message.stream_sequence > last + 1:
                missed = message.stream_sequence - last - 1
                self.counters.missed += missed
                log.error("the bus let messages go before they were mirrored", stream=stream, messages=missed)
            self._seen[stream] = max(last or 0, message.stream_sequence)
