"""One stream in its own order, each message once, however the bus brings them.

After a kill what was not acknowledged comes again, and what is new may come before it: whatever is ahead of the next
number waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bus.connection import Bus, Message
from bus.errors import BusUnavailable

log = structlog.get_logger("watch")

MESSAGES = 64
ACK_WAIT_S = 3.0
"""What is not acknowledged by then comes again: how long a killed watch's last messages are missing at most."""
LOOK_S = 1.0
"""How long a fetch waits for a first message."""
GAP_WAITS = 3
"""After so many times the acknowledgement's wait it is asked whether a number that did not come is gone."""


class Line:
    """`ready` holds what may be judged, in order. `there` is set whenever that, or how things stand, changes."""

    def __init__(self, bus: Bus, stream: str, durable: str, there: asyncio.Event, ack_wait_s: float) -> None:
        self.stream = stream
        self._bus, self._durable, self._there = bus, durable, there
        self._ack_wait_s = ack_wait_s
        self._ahead: dict[int, Message] = {}
        self._again: list[Message] = []
        self._gap_since: float | None = None
        self._taken: list[Message] = []
        self.ready: list[Message] = []
        self._first = 0
        self.born = 0
        self.next = 0
        """The number that comes next."""
        self.drained = False
        """Whether all that the stream had was fetched at the last look."""
        self.missed = 0
        """Messages that the stream let go before they were judged."""

    async def begin(self, reached: Callable[[str, int], int], first: int) -> None:
        """Go on after what is `reached` of the stream (by its name and when it was made, 0: never judged); where it
        never was, with what was stored from `first` (µs) on. Raises BusUnavailable, NotPermitted."""
        state = await self._bus.stream_state(self.stream)
        last = await asyncio.to_thread(reached, self.stream, state.born)
        self.next = max(last + 1, state.first_sequence, 1)
        self._first = 0 if last else first
        if last and self.next > last + 1:
            self._count_missed(self.next - last - 1)
        self._consumer = await self._bus.consumer(self.stream, self._durable, ack_wait_s=self._ack_wait_s)
        self.born = state.born

    async def anew(self) -> bool:
        """Whether the stream is another one than it was. Raises BusUnavailable."""
        return (await self._bus.stream_state(self.stream)).born != self.born

    async def run(self) -> None:
        """Fetch until cancelled. Raises NotPermitted."""
        try:
            await self._fill()
        finally:
            await self._consumer.close()

    async def _fill(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            while len(self.ready) > MESSAGES:  # judging is behind: the stream keeps the rest
                self._there.set()
                await asyncio.sleep(0.02)
            messages = await self._consumer.fetch(MESSAGES, None, LOOK_S)
            for message in messages:
                if message.stream_sequence < self.next:
                    self._again.append(message)
                else:
                    self._ahead[message.stream_sequence] = message
            self._line_up()
            if not self._ahead:
                self._gap_since = None
            elif self._gap_since is None:
                self._gap_since = clock()
            elif clock() - self._gap_since > GAP_WAITS * self._ack_wait_s:
                await self._pass_gap()
            self.drained = len(messages) < MESSAGES and not self._ahead and self._bus.connected
            if messages or self.drained:
                self._there.set()

    def take(self, until: int | None) -> list[Message]:
        """What was stored up to a time (µs; None: all): it is judged now, and acknowledged by `settle` later."""
        count = len(self.ready)
        if until is not None:
            count = next((place for place, each in enumerate(self.ready) if each.stored > until), count)
        taken, self.ready = self.ready[:count], self.ready[count:]
        self._taken += taken
        return taken

    async def settle(self, kept: int) -> None:
        """All up to the number `kept` is kept: the bus need not bring it again. A second copy of what is not yet
        judged stays open as the first one does."""
        held = [*self._taken, *self._again]
        self._taken, self._again = [], [each for each in held if each.stream_sequence > kept]
        await self._consumer.acknowledge(each for each in held if each.stream_sequence <= kept)

    @property
    def judged(self) -> int:
        """The last number that was taken."""
        return (self.ready[0].stream_sequence if self.ready else self.next) - 1

    @property
    def unsettled(self) -> int:
        return len(self._taken) + len(self._again)

    def _line_up(self) -> None:
        while (message := self._ahead.pop(self.next, None)) is not None:
            (self.ready if message.stored >= self._first else self._again).append(message)
            self.next += 1

    async def _pass_gap(self) -> None:
        """What the stream let go will not come, nor what was acknowledged before by one whose book is not ours, as
        after a restore; all else is waited for, however long the bus takes to bring it again."""
        self._gap_since = None
        try:
            first = (await self._bus.stream_state(self.stream)).first_sequence
            consumer = await self._bus.control(f"CONSUMER.INFO.{self.stream}.{self._durable}", None)
        except BusUnavailable:
            return
        to = min(max(first, int(consumer["ack_floor"]["stream_seq"]) + 1), *self._ahead)
        if to <= self.next:
            return
        self._count_missed(to - self.next)
        self.next = to
        self._ahead = {number: each for number, each in self._ahead.items() if number >= to}
        self._line_up()

    def _count_missed(self, count: int) -> None:
        self.missed += count
        log.error(
            "总线上的数据在判别之前已丢失 · the bus let messages go before they were judged",
            stream=self.stream,
            messages=count,
        )


def in_order(lines: list[Line]) -> list[Message]:
    """What may be judged now of all streams, by when it was stored: never what one stream stored before another one's
    messages that are still to come."""
    # The bus's clock may have been set back meanwhile: the newest counts, not the last.
    behind = [max((each.stored for each in line.ready), default=0) for line in lines if not line.drained]
    until = min(behind) if behind else None
    taken = [message for line in lines for message in line.take(until)]
    taken.sort(key=lambda message: message.stored)
    return taken
