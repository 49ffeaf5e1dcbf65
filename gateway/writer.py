"""Writes to devices: one command at a time a connection, by rule, read back, and told as an event.

Guarantee: at most once. A command is noted on disk before it is sent; when nobody can know whether
it arrived (the link was lost, this process was killed), its outcome is unknown, and the point takes
no other write until it was read back. Refused without a write: a point that is not declared
writable, a value that its range, states, type or resolution do not allow, a second write within the
point's pause, a deadline that has passed. A shared command word is never read, changed and written
back here: between the reading and the writing its device may change it.

What stops a machine or takes its power away waits for none of this, whoever it is from; and what was
asked for before a stop and has not been sent yet is not sent after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import replace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import structlog

from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.inverse import Raw, Unwritable, invert
from gateway.leave import NO_LEAVE, Before, Interlock, Leave, check_expected, writing
from gateway.ledger import Ledger, Unsettled, fingerprint
from gateway.readback import Held, as_taken, next_value, present, read_back
from gateway.telling import Telling, judged, lost
from models.command import AHEAD_S, Answer, Command, CommandError, Outcome, Value
from models.site.model import Name, Point
from models.words import halves
from protocols.adapter import Adapter, AdapterError, LinkLost, Supports, WriteRefused, WriteUnknown

log = structlog.get_logger(__name__)

EVERY_S = 1.0
WRITE_S = 5.0
"""An adapter bounds its own waits; this bounds one that does not."""
VERIFY_S = 3.0
"""A device may take so long to show what was written."""
AGAIN_S = 0.2
SETTLE_S = 0.5
"""How often it is tried to read back a point whose write is unsettled."""
MOST_WAITING = 64
MOST_STOPPING = 1024
"""Of what stops: only so that whatever sends them cannot fill the memory."""


class Places(Protocol):
    """Where points are read: see devices.Devices."""

    def find(self, path: str) -> tuple[DeviceConnection, int] | None: ...


class Writer:
    """Carries commands out. `every_s`: the least pause between two writes of one point; `before`: judges each write in
    the moment in which it would be sent."""

    def __init__(
        self,
        devices: Places,
        ledger: Ledger,
        clock: WallClock,
        tell: Telling,
        every_s: float = EVERY_S,
        before: Before | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._devices = devices
        self._ledger = ledger
        self._clock = clock
        self._tell = tell
        self._every_s = every_s
        self._before = before
        self._turns: WeakKeyDictionary[DeviceConnection, asyncio.Lock] = WeakKeyDictionary()
        self._last: dict[str, float] = {}
        self._stopped: dict[str, float] = {}
        """When a machine was last to be stopped, by time.monotonic."""
        self._under_way: dict[str, asyncio.Task[Answer]] = {}
        """By what each command is: see ledger.fingerprint."""
        self._ids: Counter[str] = Counter()
        """Of the commands under way."""
        self._writing: set[str] = set()
        self._sending: dict[asyncio.Event, Point] = {}
        """What was let through and may be on its way to its device, stops aside; the event: it has ended."""
        self._noting: set[asyncio.Task[None]] = set()
        self.interlocks: list[Interlock] = []
        """What may refuse a command, asked just before it is written."""

    def blocked(self, path: str) -> Unsettled | None:
        """The write of unknown outcome for which this point takes no other."""
        return None if path in self._writing else self._ledger.unsettled.get(path)

    def knows(self, command: Command) -> bool:
        """Whether this very command was begun or answered before."""
        if fingerprint(command) in self._under_way:
            return True
        try:
            return self._ledger.answer_to(command) is not None
        except CommandError:
            return False

    def consider(self, command: Command) -> None:
        """What `carry_out` would find in its way now, but for what `before` and a permit say. Raises Unwritable."""
        place = self._devices.find(command.point)
        if place is None:
            raise Unwritable("网关没有该测点", f"this gateway has no point '{command.point}'")
        connection, row = place
        raw = self._possible(command, *place, self._clock.now())
        leave = self._granted(command, NO_LEAVE)
        if leave.urgent:
            self._in_time(command, *place)
            return
        self._ready(command, *place)
        self._check_interlocks(connection.table.points[row], raw)

    async def carry_out(self, command: Command, leave: Leave = NO_LEAVE) -> Answer:
        """Do what the command says, once: the same command again gets the same answer. Another one under its id is
        refused, but for what stops, which is carried out."""
        key = fingerprint(command)
        running = self._under_way.get(key)
        if running is None:
            leave = self._granted(command, leave)
            if self._ids[command.id] and not leave.free:
                return self._refused(command, "命令编号重复", f"the id '{command.id}' is another command's")
            try:
                known = self._ledger.answer_to(command)
            except CommandError as error:
                if not leave.free:
                    return self._refused(command, "命令编号重复", str(error))
                known = None
            if known is not None:
                return known
            if len(self._under_way) >= (MOST_STOPPING if leave.urgent else MOST_WAITING):
                return self._refused(command, "网关正忙", f"{len(self._under_way)} commands are under way already")
            # A task of its own: whoever asked may go away, the write goes on.
            running = asyncio.create_task(self._answered(command, leave), name=f"command-{command.id}")
            self._under_way[key] = running
            self._ids[command.id] += 1
            running.add_done_callback(lambda _: self._forget(key, command.id))
        return await asyncio.shield(running)

    def _granted(self, command: Command, leave: Leave) -> Leave:
        """The leave that it goes with: what stops waits for nothing, whoever it is from."""
        place = self._devices.find(command.point)
        if place is None or self._before is None:
            return leave
        point = place[0].table.points[place[1]]
        try:
            wanted = invert(point, command.value, command.unit, _bounds(*place)).wanted
        except Unwritable:
            return leave
        return replace(leave, urgent=True, free=True) if self._before.safe(point, wanted) else leave

    def _forget(self, key: str, command: str) -> None:
        del self._under_way[key]
        self._ids[command] -= 1
        if not self._ids[command]:
            del self._ids[command]

    async def run(self) -> None:
        """Read back, whenever their devices are there, the points whose writes are unsettled."""
        for entry in self._ledger.unsettled.values():
            log.error("write_outcome_unknown", point=entry.point, command=entry.id)
            self._tell.unknown(self._point(entry.point), entry)
        while True:
            await asyncio.sleep(SETTLE_S)
            for entry in list(self._ledger.unsettled.values()):
                if entry.point not in self._writing:
                    try:
                        await self._settle(entry)
                    except (AdapterError, NotImplementedError, OSError, TimeoutError) as error:
                        log.debug("not_settled", point=entry.point, reason=str(error))
                    except Exception:
                        log.exception("settle_failed", point=entry.point)

    async def sent(self, equipment: str, within_s: float) -> tuple[list[str], bool]:
        """What of a machine was let through before now, stops aside: its points; and whether nothing of it is under
        way any more, for which this waits so long at most."""
        mine = {ended: point for ended, point in self._sending.items() if point.equipment == equipment}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for ended in mine:
                    await ended.wait()
        return sorted({point.path for point in mine.values()}), all(ended.is_set() for ended in mine)

    async def stop(self, within_s: float) -> None:
        """Wait for the commands that are under way."""
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=within_s)

    # ---- one command

    async def _answered(self, command: Command, leave: Leave) -> Answer:
        began, asked = self._clock.now(), time.monotonic()
        place = self._devices.find(command.point)
        was: Value | None = None
        if place is None:
            answer = self._refused(command, "网关没有该测点", f"this gateway has no point '{command.point}'")
        else:
            was = present(*place)
            try:
                answer = await self._carried_out(command, *place, began, asked, leave)
            except Unwritable as why:
                answer = self._refused(command, why.reason.zh, why.reason.en)
            except OSError as error:
                words = f"it cannot be noted on this gateway's disk: {error.strerror or error}"
                answer = self._refused(command, f"无法在本机磁盘记录：{error.strerror or error}", words)
        self.counts[f"commands_{answer.outcome}_total"] += 1
        log.info("command", command=command.id, point=command.point, who=command.who, outcome=str(answer.outcome),
                 reason=answer.reason.en)  # fmt: skip
        self._ledger.remember(command, answer)
        self._tell.command(self._point(command.point), command, answer, began, was)
        if leave.urgent:
            self._note(command.point)
            return answer
        try:
            await self._ledger.save()
        except OSError as error:
            log.error("ledger_not_saved", error=str(error))
        return answer

    def _possible(self, command: Command, connection: DeviceConnection, row: int, began: int) -> Raw:
        """The raw value, if the point can take it at all."""
        point = connection.table.points[row]
        if not point.writable:
            raise Unwritable("该测点未声明为可写", "the point is not declared writable in its template")
        if not connection.acquisition.usable[row]:
            why = halves(connection.acquisition.reasons[row])
            raise Unwritable(f"测点配置有误：{why.zh}", f"the point is not configured right: {why.en}")
        raw = invert(point, command.value, command.unit, _bounds(connection, row))
        if command.deadline > began + AHEAD_S * 1e6:
            raise Unwritable(
                f"截止时间超过 {AHEAD_S:g} 秒，请核对时钟",
                f"the deadline is over {AHEAD_S:g} s ahead: check the clocks",
            )
        return raw

    async def _carried_out(
        self, command: Command, connection: DeviceConnection, row: int, began: int, asked: float, leave: Leave
    ) -> Answer:
        point, raw = connection.table.points[row], self._possible(command, connection, row, began)
        if leave.urgent:
            self._in_time(command, connection, row)
            self._permitted(point, raw, leave)
            if not leave.free and leave.asked is not None:
                self._not_stopped(point, leave.asked)
            if leave.free:
                self._stopped[point.equipment] = time.monotonic()
            self._last[point.path] = time.monotonic()
            return await self._at_once(command, connection, row, raw)
        # One at a time: the second of two commands must see what the first one did.
        async with self._turns.setdefault(connection, asyncio.Lock()):
            self._writing.add(point.path)
            try:
                return await self._in_turn(command, connection, row, raw, asked, leave)
            finally:
                self._writing.discard(point.path)

    async def _at_once(self, command: Command, connection: DeviceConnection, row: int, raw: Raw) -> Answer:
        """Beside whatever else is under way: the adapter sends one request after the other, and of two this one is
        later, for what it stops is not started any more."""
        point, adapter = connection.table.points[row], writing(connection)
        self._writing.add(point.path)
        before = self._ledger.unsettled.get(point.path)
        if before is not None and before.id not in self._ids:
            # Nobody will read back any more what came of it.
            words = Name(f"又写入了 {raw.wanted}", f"{raw.wanted} has been written since, before it was read back")
            self._tell.settled(point, before, Outcome.UNKNOWN, words, None, self._clock.now())
        entry = Unsettled(
            command.id, point.path, command.who, self._clock.now(), raw.value, raw.wanted, raw.tolerance,
            present(connection, row),
        )  # fmt: skip
        self._ledger.unsettled[point.path] = entry
        # Noted while it is sent: a linkage has its own note on disk and does it again after a kill, and what stops does
        # no harm when it is done twice.
        self._note(point.path)
        try:
            return await self._write(command, connection, adapter, row, raw)
        finally:
            self._writing.discard(point.path)

    def _note(self, path: str) -> None:
        task = asyncio.create_task(self._noted(path))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _noted(self, path: str) -> None:
        try:
            await self._ledger.save()
        except OSError as error:
            log.error("urgent_write_not_noted", point=path, error=str(error))

    def _check_interlocks(self, point: Point, raw: Raw) -> None:
        for interlock in self.interlocks:
            why = interlock(point.path, raw.wanted)
            if why is not None:
                raise Unwritable(why.zh, why.en)

    def _ready(self, command: Command, connection: DeviceConnection, row: int) -> Adapter[Any, Any]:
        """The adapter, if the point may be written now."""
        point = connection.table.points[row]
        adapter = self._in_time(command, connection, row)
        if point.path in self._ledger.unsettled:
            raise Unwritable("上一次写入结果未知，回读之前不再写入", "the last write's outcome is unknown: no other "
                             "write until the point was read back")  # fmt: skip
        wait = self._last.get(point.path, -1e9) + self._every_s - time.monotonic()
        if wait > 0:
            raise Unwritable(
                f"写入过于频繁，请 {wait:.1f} 秒后再试", f"too soon after the last write: wait {wait:.1f} s"
            )
        return adapter

    def _in_time(self, command: Command, connection: DeviceConnection, row: int) -> Adapter[Any, Any]:
        """The adapter, if it is not too late and the point is what the command expects: this holds for all."""
        if self._clock.now() > command.deadline:
            raise Unwritable("已过截止时间，未执行", "its deadline has passed: not carried out")
        adapter = writing(connection)
        check_expected(connection.table.points[row], command, present(connection, row))
        return adapter

    def _not_stopped(self, point: Point, asked: float) -> None:
        if self._stopped.get(point.equipment, -1.0) >= asked:
            raise Unwritable(
                f"此后已令 {point.equipment} 停止，未执行",
                f"{point.equipment} was ordered to stop since this was asked for: not carried out",
            )

    def _permitted(self, point: Point, raw: Raw, leave: Leave) -> None:
        if self._before is not None:
            self._before.passes(point, raw.wanted, urgent=leave.urgent)
        if not leave.free:
            self._check_interlocks(point, raw)
        if leave.permit is not None:
            leave.permit()

    async def _in_turn(
        self, command: Command, connection: DeviceConnection, row: int, raw: Raw, asked: float, leave: Leave
    ) -> Answer:
        point, now = connection.table.points[row], self._clock.now()
        self._not_stopped(point, asked)
        adapter = self._ready(command, connection, row)
        self._permitted(point, raw, leave)
        self._last[point.path] = time.monotonic()
        entry = Unsettled(
            command.id, point.path, command.who, now, raw.value, raw.wanted, raw.tolerance, present(connection, row)
        )
        self._ledger.unsettled[point.path] = entry
        try:
            await self._ledger.save()
        except OSError:
            del self._ledger.unsettled[point.path]
            raise
        try:
            if self._clock.now() > command.deadline:
                raise Unwritable("已过截止时间，未执行", "its deadline has passed: not carried out")
            # The disk may have taken its time: a tag that was hung, a stop or what tripped meanwhile holds.
            self._not_stopped(point, asked)
            self._permitted(point, raw, leave)
        except Unwritable:
            self._forget_entry(point, command)
            raise
        return await self._write(command, connection, adapter, row, raw)

    async def _write(
        self, command: Command, connection: DeviceConnection, adapter: Adapter[Any, Any], row: int, raw: Raw
    ) -> Answer:
        point = connection.table.points[row]
        taken = int(connection.acquisition.taken[row])
        # The write waits for a poll that is under way: at the deadline it ends, sent or not, rather than come late.
        left = (command.deadline - self._clock.now()) / 1e6
        ended = asyncio.Event()
        if self._before is not None and not self._before.safe(point, raw.wanted):
            self._sending[ended] = point
        try:
            try:
                async with asyncio.timeout(min(WRITE_S, left)):
                    await adapter.write(connection.table.tags[row], raw.value)
            finally:
                self._sending.pop(ended, None)
                ended.set()
            held = await self._verified(connection, adapter, row, raw, taken)
        except WriteRefused as error:
            said = halves(error)
            return self._settled(command, point, Outcome.REFUSED, f"设备拒绝：{said.zh}", said.en)
        except (LinkLost, TimeoutError, WriteUnknown) as error:
            return self._answer(command, point, Outcome.UNKNOWN, *lost(str(error) or "no answer in time"))
        except AdapterError as error:
            said = halves(error)
            return self._settled(command, point, Outcome.FAILED, f"写入失败：{said.zh}", said.en)
        except Exception as error:  # an adapter's own fault: it may have sent something before
            log.exception("write_failed", point=point.path)
            return self._answer(command, point, Outcome.UNKNOWN, *lost(f"the adapter failed: {error!r}"))
        return self._settled(command, point, *judged(point, raw, held))

    async def _verified(
        self, connection: DeviceConnection, adapter: Adapter[Any, Any], row: int, raw: Raw, taken: int
    ) -> Held:
        """What the device holds after the write: the written value, as soon as it does."""
        if adapter.verifies_writes:
            return Held(raw.value)
        held = Held(None, "no value has come since the write")
        try:
            async with asyncio.timeout(VERIFY_S):
                while True:
                    if Supports.READ in adapter.sheet.supports:
                        held = await read_back(connection, row)
                    else:
                        held = await next_value(connection, adapter, row, taken)
                        taken = int(connection.acquisition.taken[row])
                    if raw.same(held.value):
                        return held
                    await asyncio.sleep(AGAIN_S if Supports.READ in adapter.sheet.supports else 0)
        except TimeoutError:
            return held

    # ---- unsettled ones

    async def _settle(self, entry: Unsettled) -> None:
        place = self._devices.find(entry.point)
        if place is None or place[0].adapter is None:
            return
        connection, row = place
        point = connection.table.points[row]
        if Supports.READ in place[0].adapter.sheet.supports:
            held = await read_back(connection, row)
        else:
            acquisition = connection.acquisition
            if not acquisition.answered[row] or int(acquisition.at[row]) <= entry.began:
                return
            held = as_taken(connection, row)
        if held.value is None or self._ledger.unsettled.get(entry.point) is not entry:
            return
        outcome, zh, en, value = judged(point, entry.written, held)
        del self._ledger.unsettled[entry.point]
        self.counts["writes_settled_total"] += 1
        log.warning("write_read_back", point=entry.point, command=entry.id, outcome=str(outcome), value=value)
        self._tell.settled(point, entry, outcome, Name(zh, en), value, self._clock.now())
        await self._ledger.save()

    # ---- answers

    def _point(self, path: str) -> Point | None:
        place = self._devices.find(path)
        return None if place is None else place[0].table.points[place[1]]

    def _settled(
        self, command: Command, point: Point, outcome: Outcome, zh: str, en: str, value: Value | None = None
    ) -> Answer:
        self._forget_entry(point, command)
        return self._answer(command, point, outcome, zh, en, value)

    def _forget_entry(self, point: Point, command: Command) -> None:
        """Its outcome is known: unless an urgent command has been noted in its place since."""
        entry = self._ledger.unsettled.get(point.path)
        if entry is not None and entry.id == command.id:
            del self._ledger.unsettled[point.path]

    def _answer(
        self, command: Command, point: Point, outcome: Outcome, zh: str, en: str, value: Value | None = None
    ) -> Answer:
        return Answer(command.id, command.point, outcome, Name(zh, en), value, point.unit, self._clock.now())

    def _refused(self, command: Command, zh: str, en: str) -> Answer:
        return Answer(command.id, command.point, Outcome.REFUSED, Name(zh, en), at=self._clock.now())


def _bounds(connection: DeviceConnection, row: int) -> tuple[float, float] | None:
    """The raw numbers that the point's type can hold, as far as its adapter says."""
    adapter = connection.adapter
    try:
        return None if adapter is None else adapter.raw_range(connection.table.tags[row])
    except ValueError:
        return None
