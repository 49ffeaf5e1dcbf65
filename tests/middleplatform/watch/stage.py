"""A bus, a gateway that speaks, and a watch that may be stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from bus import subjects
from bus.connection import Bus
from bus.errors import BusUnavailable
from middleplatform.alarms import book
from middleplatform.alarms.condition import State
from middleplatform.database import Place
from middleplatform.watch.judging import Judging
from middleplatform.watch.process import today
from middleplatform.watch.watching import Watching
from models.site.model import Site
from tests.middleplatform.watch.build import batch, path_of, site
from tests.servers import CODE, RunningBus, mine_bus


@dataclass
class Stage:
    running: RunningBus
    gateway: Bus
    place: Place
    site: Site
    number: int = 0
    held: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def say(self, *rows: tuple[str, int, float]) -> None:
        """What a gateway sends: samples of one stream at a time."""
        self.number += 1
        where = subjects.safety if rows[0][0].endswith("ch4") else subjects.samples
        data, number = batch(self.number, rows).encode(), f"edge1-{self.number}"
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.gateway.publish(where(CODE, "edge1"), data, number)
                except BusUnavailable:  # the stream takes a number once, however often it is told
                    await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def watching(self, **more) -> AsyncIterator[Watching]:
        """A watch that runs; at the end it is stopped as by a kill: at once, nothing is put in order."""
        bus = await self.running.connect("watch")
        watching = Watching(bus, self.place, Judging(self.site, today(self.site)), ack_wait_s=1.0, **more)
        task = asyncio.create_task(watching.run())
        watching.task = task
        try:
            yield watching
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await bus.close()

    async def until(
        self, condition: Callable[[], bool], within: float = 60.0, watching: Watching | None = None
    ) -> None:
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(condition):
                if watching is not None and watching.task.done():
                    watching.task.result()
                await asyncio.sleep(0.03)

    async def lag(self) -> int:
        """Messages that are not acknowledged."""
        bus = await self.running.connect("watch")
        try:
            lags = []
            for stream in (subjects.SAFETY, subjects.SAMPLES):
                consumer = await bus.consumer(stream, "watch-alarms", ack_wait_s=1.0)
                lags.append(await consumer.lag())
                await consumer.close()
            return sum(lags)
        finally:
            await bus.close()

    def states(self) -> dict[str, State]:
        """By subject, of limits."""
        found = book.alarms_of(self.place, CODE)
        return {each.subject.removeprefix(f"{CODE}/"): each.state for each in found if each.rule == "limit.hi"}

    def journal(self) -> list[tuple[str, str, int, bool]]:
        """(subject, act, ts, late) of limits, oldest first."""
        found = book.entries(self.place, CODE, limit=100_000)[::-1]
        named = book.subjects_of(self.place, CODE)
        return [
            (named[each.alarm][1].removeprefix(f"{CODE}/"), str(each.what), each.ts, each.late)
            for each in found
            if named[each.alarm][0] == "limit.hi"
        ]


@contextlib.asynccontextmanager
async def stage(home, place: Place, made: Site | None = None) -> AsyncIterator[Stage]:
    async with mine_bus(home) as running:
        gateway = await running.connect("gateway-edge1")
        try:
            yield Stage(running, gateway, place, made or site())
        finally:
            await gateway.close()


__all__ = ["Sequence", "Stage", "path_of", "stage"]
