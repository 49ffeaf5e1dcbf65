"""The round of the watch: hear, judge, keep, acknowledge.

What was found is kept at once. What was judged without finding anything is kept now and then, and until then the bus
would bring it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bus.connection import Bus, Message
from bus.errors import BusUnavailable
from bus.subjects import SAFETY, SAMPLES
from middleplatform.alarms import book
from middleplatform.alarms.annunciation import annunciation
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.alarms.hold import REFUSED, Hold
from middleplatform.alarms.keeping import MOST, forget
from middleplatform.database import DatabaseError, Place
from middleplatform.watch.clock import Clock, quiet_us
from middleplatform.watch.escalation import escalations
from middleplatform.watch.judging import DEAF, Judging
from middleplatform.watch.line import ACK_WAIT_S, Line, in_order

log = structlog.get_logger("watch")
T = TypeVar("T")

DURABLE = "watch-alarms"
STREAMS = (SAFETY, SAMPLES)
KEEP_S = 1.0
"""How long what was judged without finding anything waits to be kept."""
KEEP_MESSAGES = 1_000
TICK_S = 0.25
ESCALATE_US = 5_000_000
"""How often it is looked whether somebody has to be told who was not told before."""
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
FIRST_LOOK_US = 600_000_000
"""A watch that never judged begins with what is this old, and not with all that the streams keep."""
LOOK_S = 10.0
"""How often it is looked whether a stream was made anew, which the bus does without losing its connection."""


@dataclass(slots=True)
class Counters:
    """What the watch has done since it started; `rounds`: transactions; `refused`: changes that the relational store
    will never take, which is a defect of ours: they are in the log alone."""

    messages: int = 0
    raised: int = 0
    returned: int = 0
    late: int = 0
    rounds: int = 0
    refused: int = 0


class Watching:
    """Runs until cancelled."""

    def __init__(
        self,
        bus: Bus,
        where: Place,
        judging: Judging,
        wall: Callable[[], int] = lambda: time.time_ns() // 1000,
        ack_wait_s: float = ACK_WAIT_S,
    ) -> None:
        self._bus, self._where, self.judging, self._wall = bus, where, judging, wall
        self._ack_wait_s = ack_wait_s
        self._there = asyncio.Event()
        self._lines: list[Line] = []
        self._waiting: list[Change] = []
        self._missed = 0
        self._kept = 0.0
        self._escalated = 0
        self._turn = asyncio.Lock()
        self.clock = Clock(quiet_us(judging.site), wall())
        self.counters = Counters()
        self.deaf = False
        self.failing: str | None = None
        """Why nothing can be kept now."""
        self.outdated = False
        """Whether the rules are not those of the site as it is now, because that cannot be read or bound."""
        self._judged: int | None = None

    async def run(self) -> None:
        """Raises NotPermitted when the bus refuses, Superseded when another watch has begun."""
        self._hold = await self._until(lambda: Hold(self._where, self.judging.site.code, DURABLE))
        raised = await self._until(self._raised)
        self.deaf = (DEAF, self.judging.site.code) in raised
        self._waiting += self.judging.restore(self._hold.memory, raised, self._wall())
        while True:
            await self._begin()
            filling = [asyncio.create_task(line.run()) for line in self._lines]
            try:
                await self._rounds(filling)
            finally:
                for task in filling:
                    task.cancel()
                await asyncio.gather(*filling, return_exceptions=True)
            log.warning("总线流已重建，从头判别 · a stream was made anew: it is judged from its beginning")

    @property
    def missed(self) -> int:
        """Messages that the streams let go before they were judged."""
        return self._missed + sum(line.missed for line in self._lines)

    @property
    def behind(self) -> bool:
        """Whether the streams have more than was judged."""
        return not all(line.drained and not line.ready for line in self._lines)

    @property
    def behind_s(self) -> float:
        """How long before now the bus took what was judged last; 0 where there is no more."""
        return max(0.0, (self._wall() - self._judged) / 1e6) if self.behind and self._judged is not None else 0.0

    async def follow(self, change: Callable[[], list[Change]]) -> None:
        """Let `change` exchange what is judged by, between two rounds; what its rules raised and no longer know is
        returned."""
        async with self._turn:
            self._waiting += await asyncio.to_thread(change)
            self.clock.quiet_us = quiet_us(self.judging.site)
            self._waiting += self.judging.withdrawn(await self._until(self._raised), self._wall())

    async def forget(self) -> None:
        """Drop what is over of the journal; another time where the store does not take it now."""
        how = annunciation(self.judging.today)
        try:
            while True:
                gone = await asyncio.to_thread(forget, self._where, self.judging.site.code, how, self._wall())
                if gone < MOST:
                    return
                await asyncio.sleep(TICK_S)
        except (SQLAlchemyError, DatabaseError) as error:
            log.error("过期报警日志未能清理 · what is over stays in the journal", error=str(error)[:500])

    async def _begin(self) -> None:
        """Stand where the book says that the streams were judged up to."""
        self._missed = self.missed
        first = self._wall() - FIRST_LOOK_US

        def reached(stream: str, born: int) -> int:
            return book.reached(self._where, DURABLE, stream, born)

        while True:
            self._lines = [Line(self._bus, stream, DURABLE, self._there, self._ack_wait_s) for stream in STREAMS]
            try:
                for line in self._lines:
                    await line.begin(reached, first)
                return
            except BusUnavailable:
                await self._keep(self._silence())
                await asyncio.sleep(RETRY_S[1])

    async def _rounds(self, filling: Sequence[asyncio.Task[None]]) -> None:
        """Until a stream is another one than it was."""
        clock = asyncio.get_running_loop().time
        reconnects, looked = self._bus.reconnects, clock()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._there.wait()
            self._there.clear()
            for task in filling:
                if task.done():
                    task.result()
            due = self._bus.reconnects != reconnects or clock() - looked > LOOK_S
            if due and self._bus.connected:
                with contextlib.suppress(BusUnavailable):
                    if any([await line.anew() for line in self._lines]):
                        return
                    reconnects, looked = self._bus.reconnects, clock()
            async with self._turn:
                messages = in_order(self._lines)
                changes, self._waiting = self._waiting, []
                changes += await asyncio.to_thread(self._judge, messages)
                changes += self._silence()
                turned = {(each.rule, each.subject) for each in changes}
                due = await self._until(self._escalate)
                changes += [each for each in due if (each.rule, each.subject) not in turned]
                self.counters.messages += len(messages)
                await self._keep(changes)

    def _judge(self, messages: Sequence[Message]) -> list[Change]:
        changes = self.judging.judge(messages) if messages else []
        if messages:
            self._judged = messages[-1].stored
        wall = self._wall()
        self.clock.heard((each.stored for each in messages), wall)
        self.clock.pass_by(wall, hearing=self._bus.connected and not self.behind)
        return changes + (self.judging.tick(self.clock.now) if self.clock.now else [])

    def _silence(self) -> list[Change]:
        wall = self._wall()
        deaf = self.clock.deaf(wall)
        if deaf == self.deaf:
            return []
        self.deaf = deaf
        return [self.judging.deaf(Act.RAISE if deaf else Act.RETURN, wall)]

    async def _keep(self, changes: list[Change]) -> None:
        """What was found at once, and what was only judged when it is time."""
        unsettled = sum(line.unsettled for line in self._lines)
        clock = asyncio.get_running_loop().time()
        if not changes and (not unsettled or (unsettled < KEEP_MESSAGES and clock - self._kept < KEEP_S)):
            return
        reached = [
            Position(DURABLE, line.stream, line.born, line.judged) for line in self._lines if line.born and line.judged
        ]
        memory, heard = self.judging.engine.memory(), self.clock.unbroken
        try:
            await self._until(lambda: self._hold.keep(reached, changes, memory, heard))
        except REFUSED:
            changes = await self._until(lambda: self._sift(changes))
            await self._until(lambda: self._hold.keep(reached, changes, memory, heard))
        self._kept = clock
        self.counters.rounds += 1
        for each in changes:
            self.counters.late += each.late
            self.counters.raised += each.act is Act.RAISE and not each.late
            self.counters.returned += each.act is Act.RETURN and not each.late
        kept = {position.stream: position.sequence for position in reached}
        for line in self._lines:
            if line.stream in kept:
                await line.settle(kept[line.stream])

    def _sift(self, changes: list[Change]) -> list[Change]:
        """Those that the relational store takes; one that it never will must not keep all others from being kept."""
        if self._hold.takes(changes):
            return changes
        if len(changes) > 1:
            half = len(changes) // 2
            return self._sift(changes[:half]) + self._sift(changes[half:])
        self.counters.refused += 1
        log.error(
            "关系库拒收一条报警记录，请报告 · the store refuses a change: please report it", change=str(changes[0])
        )
        return []

    async def _until(self, work: Callable[[], T]) -> T:
        """Do it in a thread until the relational store takes it; nothing more is judged meanwhile. Raises what the
        store says of what it will never take."""
        attempt = 0
        while True:
            try:
                done = await asyncio.to_thread(work)
            except REFUSED:
                self.failing = None
                raise
            except (SQLAlchemyError, DatabaseError) as error:
                if self.failing is None:
                    log.error(
                        "关系库不可用，报警留待写入 · alarms cannot be kept now; they wait", error=str(error)[:500]
                    )
                self.failing = str(error)[:500]
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
            else:
                self.failing = None
                return done

    def _escalate(self) -> list[Change]:
        try:
            return self._escalations()
        except (SQLAlchemyError, DatabaseError):
            raise
        except Exception:
            self.judging.failed()
            return []

    def _escalations(self) -> list[Change]:
        wall = self._wall()
        if abs(wall - self._escalated) < ESCALATE_US:  # whichever way the clock was set
            return []
        self._escalated = wall
        return escalations(self._where, self.judging.site.code, annunciation(self.judging.today), wall)

    def _raised(self) -> list[tuple[str, str]]:
        """What the book has as active."""
        return book.active(self._where, self.judging.site.code)
