"""A bounded queue in memory, for while even the local bus server restarts.

Delivery: at least once, in order within a subject, as long as the process lives and the bound is
not reached. Buffer policy: over the bound the oldest bulk entries go first, counted by rows; safety
entries go last; entries whose source holds back until they are done are not dropped. Metrics:
`depth_bytes`, `depth_entries`, `dropped_rows`, `dropped_safety_rows`, `refusals`, `full`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import structlog

from bus.connection import Bus
from bus.errors import BusUnavailable, MessageTooBig, PublishRefused, StreamFull

_log = structlog.get_logger("bus")

DEFAULT_BYTES = 256 << 20
DEFAULT_OUTSTANDING = 8
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
OVERHEAD = 512
"""Bytes that an entry is counted with beside its data."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One message on its way. `done(True)` is called once the stream has it, `done(False)` when it was
    dropped; neither when the process ends first. `rows` is what `dropped_rows` counts. `kept`: its
    source waits for `done` and holds back meanwhile, so it is never dropped to make room."""

    subject: str
    data: bytes
    message_id: str
    rows: int = 1
    safety: bool = False
    kept: bool = False
    done: Callable[[bool], None] = lambda _: None

    @property
    def size(self) -> int:
        return len(self.data) + OVERHEAD


@dataclass(slots=True, eq=False)
class _Lane:
    """The entries of one subject, oldest first. The first `sent` of them are on their way."""

    subject: str
    safety: bool
    entries: deque[tuple[int, Entry]] = field(default_factory=deque)
    sent: int = 0
    refused: bool = False
    full: bool = False
    filled: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryBridge:
    """Entries offered here are published in order, each subject by itself, until the stream has them.

    A subject whose stream is full waits without holding up the others.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES, outstanding: int = DEFAULT_OUTSTANDING) -> None:
        self.max_bytes = max_bytes
        self.outstanding = outstanding
        self.depth_bytes = 0
        self.dropped_rows = 0
        """Rows dropped, of both classes."""
        self.dropped_safety_rows = 0
        self.refusals = 0
        """How often a stream answered and did not take an entry."""
        self._arrivals = 0
        self._lanes: dict[str, _Lane] = {}
        self._new_lane = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def depth_entries(self) -> int:
        """How many entries wait or are on their way."""
        return sum(len(lane.entries) for lane in self._lanes.values())

    @property
    def full(self) -> bool:
        """Whether a stream refuses entries now because it is full."""
        return any(lane.full for lane in self._lanes.values())

    def offer(self, entry: Entry) -> None:
        """Take an entry; over the bound the oldest ones are dropped, bulk first."""
        lane = self._lanes.get(entry.subject)
        if lane is None:
            lane = self._lanes[entry.subject] = _Lane(entry.subject, entry.safety)
            self._new_lane.set()
        self._arrivals += 1
        lane.entries.append((self._arrivals, entry))
        self.depth_bytes += entry.size
        self._empty.clear()
        while self.depth_bytes > self.max_bytes and self._drop_oldest():
            pass
        lane.filled.set()

    async def run(self, bus: Bus) -> None:
        """Publish what is offered, until cancelled; what is then left stays."""
        running: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._new_lane.clear()
                for subject, lane in self._lanes.items():
                    if subject not in running:
                        running[subject] = group.create_task(self._run_lane(bus, lane))
                await self._new_lane.wait()

    async def drain(self, wait_s: float) -> bool:
        """Whether all that was offered has gone within `wait_s` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._empty.wait()
        return self.depth_bytes == 0

    async def _run_lane(self, bus: Bus, lane: _Lane) -> None:
        wait = FIRST_WAIT_S
        while True:
            while not lane.entries:
                lane.filled.clear()
                await lane.filled.wait()
            if await self._send(bus, lane):
                wait = FIRST_WAIT_S
                continue
            if not bus.connected:
                await bus.wait_connected()
                wait = FIRST_WAIT_S
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _send(self, bus: Bus, lane: _Lane) -> bool:
        """Send the oldest entries together and settle them. False when some have to be sent again."""
        window = [entry for _, entry in islice(lane.entries, self.outstanding)]
        lane.sent = len(window)
        try:
            results = await asyncio.gather(
                *(bus.publish(entry.subject, entry.data, entry.message_id) for entry in window),
                return_exceptions=True,
            )
        finally:
            lane.sent = 0
        again: list[tuple[int, Entry]] = []
        refused: PublishRefused | None = None
        full = False
        for entry, result in zip(window, results, strict=True):
            place = lane.entries.popleft()
            if result is None:
                self._settle(entry, taken=True)
            elif isinstance(result, MessageTooBig):
                _log.error("message too big, dropped", subject=entry.subject, rows=entry.rows, error=str(result))
                self._settle(entry, taken=False)
            else:
                again.append(place)
                if isinstance(result, PublishRefused):
                    self.refusals += 1
                    refused = refused or result
                    full = full or isinstance(result, StreamFull)
                elif not isinstance(result, BusUnavailable):
                    _log.error("publish failed", subject=entry.subject, error=repr(result))
        lane.entries.extendleft(reversed(again))
        if refused is not None and not lane.refused:
            _log.error("stream refuses", subject=lane.subject, waiting=len(lane.entries), error=str(refused))
        lane.refused, lane.full = refused is not None, full
        return not again

    def _drop_oldest(self) -> bool:
        """Drop the oldest entry that is not on its way, bulk before safety. False when there is none."""
        for safety in (False, True):
            places = [
                (lane.entries[place][0], place, lane)
                for lane in self._lanes.values()
                if lane.safety is safety and (place := _first_droppable(lane)) is not None
            ]
            if places:
                _, place, lane = min(places, key=lambda found: found[0])
                _, entry = lane.entries[place]
                del lane.entries[place]
                self._settle(entry, taken=False)
                return True
        return False

    def _settle(self, entry: Entry, *, taken: bool) -> None:
        self.depth_bytes -= entry.size
        if not taken:
            self.dropped_rows += entry.rows
            if entry.safety:
                self.dropped_safety_rows += entry.rows
        if self.depth_bytes == 0:
            self._empty.set()
        entry.done(taken)


def _first_droppable(lane: _Lane) -> int | None:
    waiting = enumerate(islice(lane.entries, lane.sent, None), lane.sent)
    return next((place for place, (_, entry) in waiting if not entry.kept), None)
