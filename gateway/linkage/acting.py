"""What a tripped linkage does: note it, write, write again until it is read back, and watch what must follow."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.leave import Leave
from gateway.linkage.judge import Of, Seen
from gateway.linkage.latches import Latch, Latches
from gateway.linkage.telling import Saying
from gateway.writer import Writer
from models.command import Answer, Command, Outcome, Value
from models.site.model import Act, Linkage, Name

log = structlog.get_logger(__name__)

DEADLINE_S = 5.0
"""Of one attempt."""
AGAIN_S, OFTEN_S, SELDOM_S = 0.1, 1.0, 10.0
"""The first pause before another attempt, the longest of the first attempts, and that of those after them."""
MANY = 30
LOOK_S = 0.1

See = Callable[[Of, int], list[Seen]]
Holds = Callable[[Of, int], bool]


STOPS = (Act.POWER_OFF, Act.STOP)
"""Acts that are written until they hold, however late, and again when what must follow ceases to."""


@dataclass(eq=False)
class _Trip:
    latch: Latch
    reason: Name
    inputs: Sequence[Seen]
    see: See
    holds: Holds
    written: dict[str, Any] = field(default_factory=dict)
    fault: int | None = None
    """Since when what must follow does not."""


class Acting:
    """One task a tripped rule."""

    def __init__(self, devices: Devices, writer: Writer, clock: WallClock, latches: Latches, saying: Saying) -> None:
        self._devices, self._writer, self._clock = devices, writer, clock
        self._latches, self._saying = latches, saying
        self._trips: dict[str, _Trip] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[Any]] = set()

    def trip(self, rule: Linkage, latch: Latch, reason: Name, inputs: Sequence[Seen], see: See, holds: Holds) -> None:
        """Begin. From now on its word holds on the points that it commands."""
        self._latches.tripped[rule.id] = latch
        self._begin(rule, _Trip(latch, reason, inputs, see, holds))

    def go_on(self, rule: Linkage, latch: Latch, see: See, holds: Holds) -> None:
        """Go on with what was tripped before, by this process or the one before it."""
        running = self._trips.get(rule.id)
        if running is not None:
            running.see, running.holds = see, holds
            return
        reason = Name("网关重启前已动作", "it had tripped before this gateway was started")
        self._begin(rule, _Trip(latch, reason, (), see, holds))

    def end(self, rule: Linkage, now: int, reason: Name) -> None:
        """It holds no more: a rule that is not latched is ready again."""
        trip = self._stop(rule.id)
        if trip is not None:
            self._keep(self._latches.release(rule.id))
            self._say(rule, trip, end=now, reason=reason)

    def restore(self, rule: Linkage, now: int, who: str, inputs: Sequence[Seen] = ()) -> asyncio.Task[dict[str, Any]]:
        """Release it, and write what its restore commands: in this order, so that a gateway that is killed in between
        leaves the power off."""
        trip = self._stop(rule.id)
        self._latches.tripped.pop(rule.id, None)  # at once: it is not restored twice
        return self._keep(self._restored(rule, trip, now, who, inputs))

    async def forget(self, rule: str, now: int, who: str) -> None:
        """Release what no rule speaks of any more."""
        self._stop(rule)
        await self._latches.release(rule)
        reason = Name("规则已不在配置中，闭锁已解除", "released: the site has no such rule any more")
        self._saying.say("restore", rule, now, reason, end=now, more={"who": who})

    async def stop(self, within_s: float) -> None:
        """Wait for what is being written, then end."""
        tasks = [*self._tasks.values(), *self._others]
        for task in self._tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)

    # ---- one trip

    def _begin(self, rule: Linkage, trip: _Trip) -> None:
        self._trips[rule.id] = trip
        task = asyncio.create_task(self._carry_out(rule, trip), name=f"linkage-{rule.id}")
        task.add_done_callback(_told)
        self._tasks[rule.id] = task

    def _stop(self, rule: str) -> _Trip | None:
        task = self._tasks.pop(rule, None)
        if task is not None:
            task.cancel()
        return self._trips.pop(rule, None)

    def _keep(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        return task

    async def _carry_out(self, rule: Linkage, trip: _Trip) -> None:
        latch = trip.latch
        if not latch.done:
            await self._latches.trip(latch)
            self._say(rule, trip)
            await self._write_all(rule, trip)
            await self._latches.done(rule.id)
            self._say(rule, trip)
        await self._watch(rule, trip)

    async def _write_all(self, rule: Linkage, trip: _Trip) -> None:
        await asyncio.gather(*(self._write(rule, trip, path, value) for path, value in trip.latch.command.items()))

    async def _write(self, rule: Linkage, trip: _Trip, path: str, value: float) -> None:
        pause, attempts = AGAIN_S, 0
        while True:
            if rule.act not in STOPS and self._clock.now() > trip.latch.at + rule.within_s * 1e6:
                # What starts is not started late: somebody may have stopped it meanwhile, or work on it.
                trip.written[path] = {"to": value, "outcome": "not in time", "attempts": attempts}
                return
            holder = self._latches.holder(path)
            if holder is not None and holder.rule != rule.id and holder.command[path] != value:
                trip.written[path] = {"to": value, "outcome": "overruled", "reason": f"the rule {holder.rule} holds it"}
                return
            place = self._devices.find(path)
            if place is not None and place[0].adapter is not None:
                attempts += 1
                answer = await self._once(rule, path, value)
                trip.written[path] = {"to": value, "outcome": str(answer.outcome), "at": answer.at,
                                      "attempts": attempts, "reason": answer.reason.en}  # fmt: skip
                # A command word that the device takes and clears again is known by what follows.
                if answer.outcome is Outcome.DONE or (rule.then and trip.holds(Of.THEN, self._clock.now())):
                    return
                if attempts == 1:
                    self._say(rule, trip)
                pause = min(2 * pause, OFTEN_S if attempts < MANY else SELDOM_S)
                await asyncio.sleep(pause)
            else:
                await asyncio.sleep(LOOK_S)

    async def _once(self, rule: Linkage, path: str, value: float) -> Answer:
        command = Command(
            f"linkage-{uuid.uuid4().hex}", path, value, f"linkage {rule.id}"[:80],
            self._clock.now() + int(DEADLINE_S * 1e6),
        )  # fmt: skip
        # What stops or takes power away goes past tags and interlocks; what starts does not.
        return await self._writer.carry_out(command, Leave(urgent=True, free=rule.act in STOPS))

    async def _watch(self, rule: Linkage, trip: _Trip) -> None:
        """Whether what must follow does, as long as the trip lasts: by samples that were taken after its time."""
        after = trip.latch.at + int(rule.within_s * 1e6)
        while rule.then:
            await asyncio.sleep(LOOK_S)
            now = self._clock.now()
            if now < after:
                continue
            seen = trip.see(Of.THEN, now)
            wrong = [one for one in seen if not one.met and (one.ts >= after or one.lost)]
            if wrong and trip.fault is None:
                trip.fault = now
                shown = "; ".join(f"{one.comparison.text}, and it is {one.value:g}" for one in wrong)
                zh = "；".join(f"应为 {one.comparison.text}，实为 {one.value:g}" for one in wrong)
                reason = Name(f"馈电异常：已断电而仍有电：{zh}", f"cut but still live: {shown}")
                self._saying.say("feed_fault", rule, now, reason, inputs=seen)
                if rule.act in STOPS:
                    self._keep(self._write_all(rule, trip))
            elif not wrong and trip.fault is not None and all(one.met for one in seen):
                reason = Name("馈电恢复正常", "what must follow has followed")
                self._saying.say("feed_fault", rule, trip.fault, reason, end=now, inputs=seen)
                trip.fault = None

    async def _restored(
        self, rule: Linkage, trip: _Trip | None, now: int, who: str, inputs: Sequence[Seen]
    ) -> dict[str, Any]:
        await self._latches.save()
        answers: dict[str, Any] = {}
        for path, value in (rule.restore.command if rule.restore else {}).items():
            command = Command(
                f"restore-{uuid.uuid4().hex}", path, value, f"linkage {rule.id} restored by {who}"[:80],
                self._clock.now() + int(DEADLINE_S * 1e6),
            )  # fmt: skip
            answer = await self._writer.carry_out(command)
            answers[path] = {"to": value, "outcome": str(answer.outcome), "reason": answer.reason.en}
        if trip is not None:
            if trip.fault is not None:
                self._saying.say("feed_fault", rule, trip.fault, Name("联动已复位", "the rule was restored"), end=now)
            self._say(rule, trip, end=now)
        reason = Name(f"{who} 复位", f"restored by {who}")
        self._saying.say("restore", rule, now, reason, end=self._clock.now(), inputs=inputs,
                         more={"who": who, "written": answers})  # fmt: skip
        return answers

    def _say(self, rule: Linkage, trip: _Trip, end: int | None = None, reason: Name | None = None) -> None:
        latch = self._latches.tripped.get(rule.id, trip.latch)
        more = {"written": trip.written, "done": latch.done}
        shown = (
            trip.reason if reason is None else Name(f"{trip.reason.zh}；{reason.zh}", f"{trip.reason.en}; {reason.en}")
        )
        self._saying.say("trip", rule, trip.latch.at, shown, end=end, inputs=trip.inputs, more=more)


def forbidden(latches: Latches, path: str, value: Value) -> Name | None:
    """Why a point may not be given this value while a linkage holds it; None when it may."""
    for latch in latches.tripped.values():
        wanted = latch.command.get(path)
        if latch.held and wanted is not None and wanted != value:
            return Name(
                f"联动 {latch.rule} 已动作并闭锁，须先复位",
                f"the linkage {latch.rule} has tripped and holds this point: it must be restored first",
            )
    return None


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("linkage_task_failed", task=task.get_name(), error=repr(task.exception()))
