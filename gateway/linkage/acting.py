"""What a tripped linkage does: note it, write, write again until it is read back, and watch what must follow. Where all
that must follow is so already, nothing is written until it is so no more.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.leave import NO_LEAVE, Leave, Permit
from gateway.linkage.judge import Of, Seen
from gateway.linkage.latches import Latch, Latches
from gateway.linkage.meant import ENERGISES, STOPS, effects, stopping
from gateway.linkage.telling import Saying
from gateway.linkage.trip import Holds, See, Trip
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


class Acting:
    """One task a tripped rule."""

    def __init__(self, devices: Devices, writer: Writer, clock: WallClock, latches: Latches, saying: Saying) -> None:
        self._devices, self._writer, self._clock = devices, writer, clock
        self._latches, self._saying = latches, saying
        self._trips: dict[str, Trip] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[Any]] = set()

    def trip(
        self, rule: Linkage, latch: Latch, reason: Name, inputs: Sequence[Seen], see: See, holds: Holds, *, waits: bool
    ) -> None:
        """Begin. From now on its word holds on the points that it commands. `waits`: all that must follow is so
        already."""
        self._latches.tripped[rule.id] = latch
        self._begin(rule, Trip(rule, latch, reason, inputs, see, holds, self._clock.monotonic(), waits=waits))

    def go_on(self, rule: Linkage, latch: Latch, see: See, holds: Holds) -> None:
        """Go on with what was tripped before, by this process or the one before it."""
        running = self._trips.get(rule.id)
        if running is not None:
            running.see, running.holds = see, holds
            return
        reason = Name("网关重启前已动作", "it had tripped before this gateway was started")
        self._begin(rule, Trip(rule, latch, reason, (), see, holds, self._clock.monotonic(), resumed=True))

    def end(self, rule: str, now: int, reason: Name) -> None:
        """It holds no more: a rule that is not latched is ready again."""
        trip = self._stop(rule)
        # Released here and not in a task: what rises again meanwhile is a trip of its own.
        self._latches.tripped.pop(rule, None)
        if trip is not None:
            self._keep(self._latches.save())
            self._say(trip, end=now, reason=reason)

    def restore(
        self, rule: Linkage, now: int, who: str, inputs: Sequence[Seen] = (), permit: Permit | None = None
    ) -> asyncio.Task[dict[str, Any]]:
        """Release it, and write what its restore commands here: in this order, so that a gateway that is killed in
        between leaves the power off."""
        trip = self._stop(rule.id)
        self._latches.tripped.pop(rule.id, None)  # at once: it is not restored twice
        return self._keep(self._restored(rule, trip, now, who, inputs, permit))

    async def forget(self, rule: str, now: int, who: str) -> None:
        """Release what no rule speaks of any more."""
        trip = self._stop(rule)
        await self._latches.release(rule)
        reason = Name("规则已不在配置中，闭锁已解除", "released: the site has no such rule any more")
        if trip is not None:
            self._say(trip, end=now, reason=reason)
        self._saying.say("restore", rule, now, reason, end=now, more={"who": who})

    async def stop(self, within_s: float) -> None:
        """Wait for what is being written, then end."""
        tasks = [*self._tasks.values(), *self._others]
        for task in self._tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)

    # ---- one trip

    def _begin(self, rule: Linkage, trip: Trip) -> None:
        self._trips[rule.id] = trip
        task = asyncio.create_task(self._carry_out(rule, trip), name=f"linkage-{rule.id}")
        task.add_done_callback(_told)
        self._tasks[rule.id] = task

    def _stop(self, rule: str) -> Trip | None:
        task = self._tasks.pop(rule, None)
        if task is not None:
            task.cancel()
        return self._trips.pop(rule, None)

    def _keep(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        return task

    async def _carry_out(self, rule: Linkage, trip: Trip) -> None:
        latch = trip.latch
        if latch.done:
            await self._watch(rule, trip)
            return
        await self._latches.trip(latch)
        self._say(trip)
        if trip.waits:
            await self._needed(rule, trip)
        # Beside each other: what one device never takes must not hide that what must follow does not.
        await asyncio.gather(self._carry_through(rule, trip), self._watch(rule, trip))

    async def _carry_through(self, rule: Linkage, trip: Trip) -> None:
        await self._write_all(rule, trip, trip.latch.command)
        await self._latches.done(rule.id)
        self._say(trip)

    async def _needed(self, rule: Linkage, trip: Trip) -> None:
        """Until what must follow is so no more. Its time runs from then on."""
        now = self._clock.now()
        # What starts does so only while its condition holds.
        while trip.holds(Of.THEN, now) or not (rule.act in STOPS or trip.holds(Of.WHEN, now)):
            await asyncio.sleep(LOOK_S)
            now = self._clock.now()
        was = Name("已不再是应有状态", "what must follow is so no more")
        self._say(trip, end=now, reason=was)
        trip.waits, trip.inputs = False, trip.see(Of.THEN, now)
        trip.reason = Name(f"{trip.reason.zh}；{was.zh}", f"{trip.reason.en}; {was.en}")
        trip.latch, trip.began = replace(trip.latch, at=now), self._clock.monotonic()
        await self._latches.trip(trip.latch)
        self._say(trip)

    async def _write_all(self, rule: Linkage, trip: Trip, paths: Iterable[str]) -> None:
        await asyncio.gather(*(self._write(rule, trip, path) for path in paths if path not in trip.writing))

    async def _write(self, rule: Linkage, trip: Trip, path: str) -> None:
        trip.writing.add(path)
        try:
            await self._write_until(rule, trip, path, trip.latch.command[path])
        finally:
            trip.writing.discard(path)

    async def _write_until(self, rule: Linkage, trip: Trip, path: str, value: float) -> None:
        """Until the device has it, or it may be written no more."""
        pause, attempts = AGAIN_S, 0
        while self._trips.get(rule.id) is trip:
            does = effects(self._devices, trip.latch.command)
            stops = path in stopping(rule, does)
            if not stops and (trip.resumed or self._clock.monotonic() > trip.due()):
                # What starts is not started late: somebody may have stopped it meanwhile, or work on it.
                last = trip.written.get(path, {})
                trip.written[path] = {**last, "to": value, "outcome": "not in time", "attempts": attempts}
                return
            holder = self._latches.holder(path)
            if holder is not None and holder.rule != rule.id and holder.command[path] != value:
                trip.written[path] = {"to": value, "outcome": "overruled", "reason": f"the rule {holder.rule} holds it"}
                return
            place = self._devices.find(path)
            there = place is not None and place[0].adapter is not None
            if there and (stops or trip.holds(Of.WHEN, self._clock.now())):
                attempts += 1
                leave = Leave(urgent=True, free=stops, asked=trip.began / 1e6 if does[path] in ENERGISES else None)
                answer = await self._once(rule, path, value, leave)
                trip.written[path] = {"to": value, "outcome": str(answer.outcome), "at": answer.at,
                                      "attempts": attempts, "reason": answer.reason.en}  # fmt: skip
                if answer.outcome is Outcome.DONE or self._followed(rule, trip, path, answer.outcome, stops=stops):
                    return
                if attempts == 1:
                    self._say(trip)
                pause = min(2 * pause, OFTEN_S if attempts < MANY else SELDOM_S)
                await asyncio.sleep(pause)
            else:
                await asyncio.sleep(LOOK_S)

    def _followed(self, rule: Linkage, trip: Trip, path: str, outcome: Outcome, *, stops: bool) -> bool:
        """Whether what must follow says that a command is done which was not read back: a command word that the device
        takes and clears again. That all of it is so may be another command's doing, or have been so before: of one that
        stops among others, only what is said of the same machine tells."""
        now = self._clock.now()
        if not stops:
            return trip.holds(Of.THEN, now)
        if outcome is not Outcome.FAILED:
            return False
        if len(rule.command) == 1:
            return trip.holds(Of.THEN, now)
        own = [one for one in trip.see(Of.THEN, now) if _machine(one.comparison.point) == _machine(path)]
        return bool(own) and all(one.met and not one.lost for one in own)

    async def _once(self, rule: Linkage, path: str, value: float, leave: Leave) -> Answer:
        """What stops or takes power away goes past tags and interlocks; what starts does not, nor past a person's stop
        since it tripped."""
        command = Command(
            f"linkage-{uuid.uuid4().hex}", path, value, f"linkage {rule.id}"[:80],
            self._clock.now() + int(DEADLINE_S * 1e6),
        )  # fmt: skip
        return await self._writer.carry_out(command, leave)

    async def _watch(self, rule: Linkage, trip: Trip) -> None:
        """Whether what must follow does, as long as the trip lasts: by samples that were taken after its time. While it
        does not, what stops is written again and again."""
        again = 0
        while rule.then and self._trips.get(rule.id) is trip:
            await asyncio.sleep(LOOK_S)
            now, monotonic = self._clock.now(), self._clock.monotonic()
            late = monotonic - trip.due()
            if late < 0:
                continue
            seen = trip.see(Of.THEN, now)
            # By its age, and not by its time: the clock may have been set meanwhile.
            wrong = [one for one in seen if not one.met and (now - one.ts <= late or one.lost)]
            if wrong and trip.fault is None:
                trip.fault = now
                self._faulty(rule, wrong, seen, now)
            if wrong and monotonic >= again:
                again = monotonic + int(SELDOM_S * 1e6)
                paths = stopping(rule, effects(self._devices, trip.latch.command))
                self._keep(self._write_all(rule, trip, paths))
            elif trip.fault is not None and all(one.met for one in seen):
                reason = Name("馈电恢复正常", "what must follow has followed")
                self._saying.say("feed_fault", rule, trip.fault, reason, end=now, inputs=seen)
                trip.fault, again = None, 0

    def _faulty(self, rule: Linkage, wrong: Sequence[Seen], seen: Sequence[Seen], now: int) -> None:
        shown = "; ".join(f"{one.comparison.text}, and it is {one.value:g}" for one in wrong)
        zh = "；".join(f"应为 {one.comparison.text}，实为 {one.value:g}" for one in wrong)
        reason = (
            Name(f"馈电异常：已断电而仍有电：{zh}", f"cut but still live: {shown}")
            if rule.act is Act.POWER_OFF
            else Name(f"应随之发生的没有发生：{zh}", f"what must follow does not: {shown}")
        )
        self._saying.say("feed_fault", rule, now, reason, inputs=seen)

    async def _restored(
        self, rule: Linkage, trip: Trip | None, now: int, who: str, inputs: Sequence[Seen], permit: Permit | None
    ) -> dict[str, Any]:
        await self._latches.save()
        answers: dict[str, Any] = {}
        for path, value in rule.restores().items():
            if self._devices.find(path) is None:
                continue  # another gateway's, which has a latch of its own
            command = Command(
                f"restore-{uuid.uuid4().hex}", path, value, f"linkage {rule.id} restored by {who}"[:80],
                self._clock.now() + int(DEADLINE_S * 1e6),
            )  # fmt: skip
            leave = NO_LEAVE if permit is None else Leave(permit=partial(permit, path, value))
            answer = await self._writer.carry_out(command, leave)
            answers[path] = {"to": value, "outcome": str(answer.outcome), "reason": answer.reason.en}
        if trip is not None:
            if trip.fault is not None:
                self._saying.say("feed_fault", rule, trip.fault, Name("联动已复位", "the rule was restored"), end=now)
            self._say(trip, end=now)
        reason = Name(f"{who} 复位", f"restored by {who}")
        self._saying.say("restore", rule, now, reason, end=self._clock.now(), inputs=inputs,
                         more={"who": who, "written": answers})  # fmt: skip
        return answers

    def _say(self, trip: Trip, end: int | None = None, reason: Name | None = None) -> None:
        rule = trip.rule
        latch = self._latches.tripped.get(rule.id, trip.latch)
        more = {"written": trip.written, "done": latch.done}
        shown = (
            trip.reason if reason is None else Name(f"{trip.reason.zh}；{reason.zh}", f"{trip.reason.en}; {reason.en}")
        )
        act = "not_needed" if trip.waits else "trip"
        self._saying.say(act, rule, trip.latch.at, shown, end=end, inputs=trip.inputs, more=more)


def forbidden(latches: Latches, path: str, value: Value) -> Name | None:
    """Why a point may not be given this value while a linkage holds it; None when it may."""
    if latches.unreadable:
        return Name(
            "闭锁记录无法读取，尚无矿井配置，不知哪些联动已动作",
            "the latches cannot be read and no site says which there may be: nothing is written",
        )
    for latch in latches.tripped.values():
        wanted = latch.command.get(path)
        if not latch.held or wanted is None or wanted == value:
            continue
        if latch.doubt:
            return Name(
                f"闭锁记录无法读取，联动 {latch.rule} 可能已动作，须先复位",
                f"the latches could not be read, and the linkage {latch.rule} may have tripped: restore it first",
            )
        return Name(
            f"联动 {latch.rule} 已动作并闭锁，须先复位",
            f"the linkage {latch.rule} has tripped and holds this point: it must be restored first",
        )
    return None


def _machine(path: str) -> str:
    return path.rpartition("/")[0]


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("linkage_task_failed", task=task.get_name(), error=repr(task.exception()))
