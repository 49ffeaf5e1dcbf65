"""One connection to one device: connect, poll or subscribe, and begin again for ever.

Whatever a device or its adapter does stays in here: its own points go bad, with the reason.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from pydantic import ValidationError

from gateway.acquire import SWEEP_S, Acquisition
from gateway.backoff import Backoff
from gateway.chunk import Receipt, Sink
from gateway.clock import WallClock, own_time
from gateway.memory import Memory
from gateway.occurrences import Occurrences
from gateway.points import PointTable
from gateway.schedule import Lane, PollGroup
from models.quality import UNCERTAIN, Quality
from models.site import model
from models.words import at
from protocols import registry
from protocols.adapter import Adapter, AdapterError, Delivers, Delivery, LinkLost, SignInRefused, Supports
from protocols.findings import Finding, joined
from protocols.words import of_settings

log = structlog.get_logger(__name__)

CONNECT_LIMIT_S = 30.0
READ_LIMIT_S = 30.0
"""An adapter bounds its own waits; these bound one that does not."""
CLOSE_LIMIT_S = 5.0
GRACE_S = 0.5
"""A poll may take this long, however short its period, before its points are bad."""
LOOK_S = 0.1
"""How often a poll that takes too long is looked at again."""
LAG_S = 0.1
"""A look that comes this late says that this process was busy, and nothing about the device."""
STEADY_S = 10.0
"""A link that lived this long and answered is one that works: the next loss begins a new back-off."""
SIGN_IN_S = 5.0


class State(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    REFUSED = "sign-in refused"
    MISCONFIGURED = "misconfigured"


class DeviceConnection:
    """The task of one connection and what it knows of it. `run` ends only by cancellation."""

    def __init__(
        self,
        spec: model.Connection,
        points: tuple[model.Point, ...],
        phases: Mapping[tuple[str, str], float],
        clock: WallClock,
        sink: Sink,
        adapters: Callable[[str], type[Adapter[Any, Any]]] = registry.adapter,
        memory: Path | None = None,
    ) -> None:
        """`memory`: the file in which the counters' bases outlive this process; None: they do not."""
        self.spec = spec
        self.state = State.CONNECTING
        self.reason = ""
        self.since = clock.now()
        self.connects = 0
        self.losses = 0
        self.counts: dict[str, int] = {}
        self.errors = 0
        periods = {group.name: group.period_s for group in spec.groups.values()}
        # Neighbours in a group are neighbours in the columns: then a group's rows are one slice.
        points = tuple(sorted(points, key=lambda point: (point.formula is not None, point.group)))
        self.table = PointTable.build(points, periods, SWEEP_S)
        self.rows = {point.path: row for row, point in enumerate(points)}
        self.acquisition = Acquisition(spec.name, self.table, sink.put, spec)
        self.occurrences = Occurrences(spec.name, points, sink.emit_events)
        self.groups = {
            group.name: PollGroup(
                group.name,
                period_us := max(1, round(group.period_s * 1e6)),
                clock.first_instant(period_us, round(phases.get((spec.name, group.name), 0.0) * 1e6)),
                group.priority,
            )
            for group in spec.groups.values()
            if any(point.group == group.name for point in points if point.formula is None)
        }
        guards = self.acquisition.guards
        self._bases = None
        if memory is not None and guards is not None and len(guards.counters.places):
            self._bases = Memory(memory, guards.counters)
        self._clock = clock
        self._sink = sink
        self._adapters = adapters
        self._adapter: Adapter[Any, Any] | None = None
        self._memory: dict[str, Any] = {}
        self._ever_up = False
        self._answers = 0
        self._subscribed_since: int | None = None
        self._holds = False
        self._found: Sequence[Finding] = ()
        # Not for secrecy: only so that many devices do not come back in step.
        self._backoff = Backoff(random.Random(spec.name))  # noqa: S311

    @property
    def adapter(self) -> Adapter[Any, Any] | None:
        """The adapter while the device is connected, for what is asked beside the reading of its points."""
        return self._adapter if self.state is State.UP else None

    # ---- life

    async def run(self) -> None:
        if self._bases is not None:
            self._bases.recall()  # only now: the connection that this one replaces kept them as it ended
        sweeping = asyncio.create_task(self._sweep())
        try:
            made = self._make()
            if made is None:
                await asyncio.Event().wait()
            while made is not None:
                await self._once(*made)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            if self._bases is not None:
                self._bases.keep_now()

    def _make(self) -> tuple[type[Adapter[Any, Any]], Any] | None:
        """The adapter's class and settings; None, and all points bad, when the site's files are wrong."""
        try:
            kind = self._adapters(self.spec.adapter)
            settings = kind.Settings.model_validate(dict(self.spec.settings))
        except ValidationError as error:
            words = of_settings(error)
        except Exception as error:  # an adapter from outside may raise anything while it is loaded
            words = str(error) or repr(error)
        else:
            self._exclude_wrong_points(kind, self._subscribes(kind, settings))
            return kind, settings
        self._turn(State.MISCONFIGURED, words)
        self.acquisition.mark(Quality.BAD_CONFIGURATION, words, self._clock.now())
        return None

    def _exclude_wrong_points(self, kind: type[Adapter[Any, Any]], subscribes: bool) -> None:
        if subscribes:
            self.groups.clear()  # their periods are for polling
        derived = self.acquisition.derived
        rows = [] if derived is None else list(derived.unusable)
        reasons = [] if derived is None else list(derived.unusable.values())
        for tag, point in zip(self.table.tags, self.table.points, strict=True):
            if point.formula is not None:
                continue
            try:
                kind.check(tag)
                if not subscribes and point.group not in self.groups:
                    raise ValueError(f"连接没有分组 '{point.group}' · the connection has no poll group '{point.group}'")
            except Exception as error:
                rows.append(tag.index)
                reasons.append(str(error))
                log.error("point_misconfigured", point=tag.path, address=tag.address, reason=str(error))
        self.acquisition.exclude(np.array(rows, np.intp), reasons, self._clock.now())

    @staticmethod
    def _subscribes(kind: type[Adapter[Any, Any]], settings: Any) -> bool:
        supports = kind.sheet.supports
        wants_poll = bool(getattr(settings, "poll", False)) and Supports.READ in supports
        return Supports.SUBSCRIBE in supports and not wants_poll

    async def _once(self, kind: type[Adapter[Any, Any]], settings: Any) -> None:
        """One life of one adapter, and the wait after it."""
        began, answers = time.monotonic(), self._answers
        self._turn(State.CONNECTING, self.reason)
        try:
            adapter = kind(settings)
            adapter.memory = self._memory
            await self._live(adapter, self._subscribes(kind, settings))
            reason, refused = "the adapter ended the connection by itself", False
        except SignInRefused as error:
            reason, refused = str(error), True
        except LinkLost as error:
            reason, refused = str(error), False
        except AdapterError as error:
            reason, refused = str(error), False
        except Exception as error:  # whatever an adapter does wrong disturbs its own points only
            self.errors += 1
            log.exception("adapter_failed", connection=self.spec.name, adapter=self.spec.adapter)
            reason, refused = f"the adapter failed: {type(error).__name__}: {error}", False
        self._lost(reason or "the link is lost", refused)
        answered = self._answers > answers
        await asyncio.sleep(
            max(
                self._backoff.next(answered=answered, steady=answered and time.monotonic() - began >= STEADY_S),
                SIGN_IN_S if refused else 0.0,
            )
        )

    async def _live(self, adapter: Adapter[Any, Any], subscribe: bool) -> None:
        self._adapter = adapter
        try:
            try:
                async with asyncio.timeout(CONNECT_LIMIT_S) as limit:
                    await adapter.connect()
            except TimeoutError:
                if not limit.expired():
                    raise
                raise LinkLost(
                    f"{CONNECT_LIMIT_S:g} 秒内没有连接上 · no connection within {CONNECT_LIMIT_S:g} s"
                ) from None
            self._ever_up = True
            self.connects += 1
            self.acquisition.clock.skew.begin()
            self._turn(State.UP, "")
            log.info("connected", connection=self.spec.name)
            if subscribe:
                await self._subscribe(adapter)
            else:
                await self._poll(adapter)
        finally:
            self._subscribed_since = None
            self._keep_counters(adapter)
            self._found = self.findings()
            self._adapter = None
            closing = asyncio.create_task(adapter.close())
            await asyncio.wait({closing}, timeout=CLOSE_LIMIT_S)
            if not closing.done():
                closing.cancel()
                log.error("close_hangs", connection=self.spec.name, adapter=self.spec.adapter)
            elif not closing.cancelled() and closing.exception() is not None:
                log.error("close_failed", connection=self.spec.name, error=str(closing.exception()))

    def _lost(self, reason: str, refused: bool) -> None:
        self.losses += 1
        if self.state is State.UP or reason != self.reason:
            log.warning("connection_lost", connection=self.spec.name, reason=reason)
        self._turn(State.REFUSED if refused else State.DOWN, reason)
        code = Quality.BAD_COMMUNICATION if self._ever_up else Quality.BAD_NOT_CONNECTED
        self.acquisition.mark(code, reason, self._clock.now())

    def _turn(self, state: State, reason: str) -> None:
        if state is not self.state:
            self.since = self._clock.now()
        self.state, self.reason = state, reason

    # ---- subscribed

    async def _subscribe(self, adapter: Adapter[Any, Any]) -> None:
        delivers = adapter.sheet.delivers
        keeps = delivers is Delivers.AT_LEAST_ONCE
        every_change = delivers is Delivers.EVERY_CHANGE
        self._holds = every_change or adapter.sheet.holds
        self._subscribed_since = self._clock.now()

        async def deliver(delivery: Delivery) -> None:
            if keeps:
                await self._sink.room()
            now = self._clock.now()
            receipt = Receipt(delivery.acknowledge)
            self._answers += 1
            if delivery.history:
                self.acquisition.take_history(delivery.reading, now, receipt if keeps else None)
            elif len(delivery.reading):
                self.acquisition.take(
                    delivery.reading,
                    instant=now,
                    actual=now,
                    current=every_change,
                    receipt=receipt if keeps else None,
                )
            if delivery.events:
                self.occurrences.take(delivery.events, now, receipt if keeps else None)
            if keeps:
                self._sink.settle(receipt)
            receipt.release()

        asked = self._asked()
        await adapter.subscribe([tag for tag in self.table.tags if asked[tag.index]], deliver)

    def _asked(self) -> np.ndarray[Any, Any]:
        """The points that the adapter is asked for."""
        return self.acquisition.usable & ~self.table.derived

    # ---- polled

    async def _poll(self, adapter: Adapter[Any, Any]) -> None:
        plans = {}
        members: dict[str, np.ndarray[Any, Any]] = {}
        asked = self._asked()
        for name in self.groups:
            tags = [
                tag
                for tag, point in zip(self.table.tags, self.table.points, strict=True)
                if point.group == name and asked[tag.index]
            ]
            if not tags:
                continue
            members[name] = np.array([tag.index for tag in tags], np.intp)
            try:
                plans[name] = adapter.plan(tags)
            except Exception as error:
                log.exception("plan_failed", connection=self.spec.name, group=name)
                reasons = [at("适配器无法安排此分组的轮询 · the adapter cannot plan this poll group", error)] * len(
                    tags
                )
                self.acquisition.exclude(members[name], reasons, self._clock.now())
        lane = Lane(self.groups[name] for name in plans)
        lane.resume(self._clock.monotonic())
        usual_s = 0.0
        while True:
            group, wait = lane.next(self._clock.monotonic())
            if group is None:
                await asyncio.sleep(min(wait / 1e6, 3600.0))
                continue
            began = self._clock.monotonic()
            # A device that is merely slow shall not flicker: it gets half as long again as it usually takes.
            watch = _Overdue(self, lane, members, began, usual_s)
            try:
                async with asyncio.timeout(max(READ_LIMIT_S, 3 * group.period_s)) as limit:
                    reading = await adapter.read(plans[group.name])
            except TimeoutError:
                if not limit.expired():
                    raise
                raise LinkLost(
                    "读取长时间没有返回 · the adapter did not come back from reading in any reasonable time"
                ) from None
            finally:
                watch.stop()
            ended = self._clock.monotonic()
            actual = self._clock.at(ended)
            instant = own_time(self._clock.at(group.instant_us), actual, group.period_us)
            self.acquisition.take(reading, instant=instant, actual=actual, current=True, source=group.name)
            answered = int(reading.quality.max(initial=0)) >= UNCERTAIN
            group.ended(ended, answered)
            if answered:
                self._answers += 1
                self.reason = ""
                usual_s = max((ended - began) / 1e6, usual_s * 0.9)

    def leave(self, reason: str) -> None:
        """Nobody reads these points from now on: what is known of them ends here, or the time until
        somebody does again would pass for one in which they stayed as they were."""
        known = np.flatnonzero(self.acquisition.usable & self.acquisition.answered)
        self.acquisition.mark(Quality.BAD_NOT_CONNECTED, reason, self._clock.now(), known)

    def monotonic(self) -> int:
        """µs of the clock that polls are scheduled on."""
        return self._clock.monotonic()

    def overdue(self, rows: np.ndarray[Any, Any], seconds: float) -> None:
        reason = f"no answer for {seconds:.1f} s"
        self.reason = reason
        self.acquisition.mark(Quality.BAD_COMMUNICATION, reason, self._clock.now(), rows)

    # ---- always

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                self.acquisition.sweep(self._clock.now(), subscribed_since=self._subscribed_since, holds=self._holds)
                if self._bases is not None:
                    await self._bases.keep(time.monotonic())
            except Exception:
                self.errors += 1
                log.exception("sweep_failed", connection=self.spec.name)

    def _keep_counters(self, adapter: Adapter[Any, Any]) -> None:
        for name, value in adapter.counters().items():
            self.counts[name] = self.counts.get(name, 0) + value

    def counters(self) -> dict[str, int]:
        """The adapter's counts over all its lives."""
        found = dict(self.counts)
        if self._adapter is not None:
            for name, value in self._adapter.counters().items():
                found[name] = found.get(name, 0) + value
        return found

    def findings(self) -> Sequence[Finding]:
        """What the device sent and could not be used, over all lives of its adapter, the latest last; and that its
        clock is off, while it is."""
        found = self._found if self._adapter is None else joined(self._found, self._adapter.findings())
        clock = self.acquisition.clock.finding(self.spec.name)
        return found if clock is None else [*found, clock]


class _Overdue:
    """While one read is under way: marks the points of the groups whose polls wait too long for it."""

    def __init__(
        self,
        connection: DeviceConnection,
        lane: Lane,
        members: Mapping[str, np.ndarray[Any, Any]],
        began: int,
        usual_s: float,
    ) -> None:
        self._connection, self._lane, self._members = connection, lane, members
        self._began, self._usual_s = began, usual_s
        self._loop = asyncio.get_running_loop()
        self._wait(min(self._limit(group) for group in lane.groups))

    def _limit(self, group: PollGroup) -> float:
        return max(0.9 * group.period_s, GRACE_S, 1.5 * self._usual_s)

    def _wait(self, seconds: float) -> None:
        self._expected = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        if self._loop.time() - self._expected > LAG_S:
            # We were busy ourselves: the answer may be here, only not yet read.
            self._wait(LOOK_S)
            return
        now = self._connection.monotonic()
        for group in self._lane.groups:
            since = max(group.instant_us, self._began)
            if group.instant_us <= now and (now - since) / 1e6 >= self._limit(group) - 0.005:
                self._connection.overdue(self._members[group.name], (now - self._began) / 1e6)
        self._wait(LOOK_S)

    def stop(self) -> None:
        self._timer.cancel()
