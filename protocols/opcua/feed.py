"""What the server reports of its own accord, from publish responses to deliveries, until the link is lost.

A publish response is one list of (client handle, DataValue), or of events; it waits whole in a bounded
inbox until it is turned to columns. Once the present is there, what was missed is read from history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import structlog
from asyncua import ua

from protocols.adapter import Deliver, Delivery, LinkLost, Occurrence, Reading, Tag
from protocols.opcua.address import UnknownNamespaceError, parse_address
from protocols.opcua.alarms import Alarms, Conditions, event_item
from protocols.opcua.history import missed
from protocols.opcua.inbox import Feed, Inbox
from protocols.opcua.options import state_readers
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import OVERFLOW, name, words
from protocols.opcua.variant import bad_reading, microseconds, reading, type_name
from protocols.opcua.watch import CLOCK, EVENTS, Watch

log = structlog.get_logger(__name__)

ROWS_AT_ONCE = 5_000
COMPLAIN_S = 10.0
"""Between two lines in the log about the same."""
SETTLE_S = 2.0
"""The present comes first: history is read so long after subscribing."""


class Feeds:
    """All subscriptions of one session, until the link is lost."""

    def __init__(
        self,
        session: Session,
        settings: OpcUaSettings,
        tags: Sequence[Tag],
        counts: dict[str, int],
        memory: dict[str, Any],
    ) -> None:
        self._session = session
        self._settings = settings
        self._types = {tag.index: type_name(tag.type) for tag in tags}
        self._states = state_readers(tags, session)
        self._counts = counts
        self._memory = memory
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._watch = Watch(session, settings, tags, counts, self._on_publish)
        self._alarms: Alarms | None = None
        self._events = Feed(0, 0.0)
        self._complained: dict[str, float] = {}
        self._missed: AsyncIterator[Reading] | None = None
        self._missed_due = 0.0

    def lose(self, why: LinkLost) -> None:
        """The session's word that the link is gone."""
        self._inbox.lose(why)

    async def run(self, deliver: Deliver) -> None:
        """Subscribe, deliver, watch. Ends only by LinkLost or cancellation."""
        await self._watch.start()
        await self._tell_refused(deliver)
        if self._settings.events is not None:
            await self._listen()
        self._ask_for_missed()
        tick = min(1.0, self._settings.watchdog_s / 4)
        due = self._loop.time() + tick
        while True:
            await self._inbox.wait(tick if self._missed is None else 0.05)
            came = await self._hand_over(deliver)
            if not came and self._inbox.lost is not None:
                raise self._inbox.lost
            await self._take_missed(deliver)
            # Also while values never cease to come.
            if self._loop.time() >= due:
                due = self._loop.time() + tick
                await self._look_after(deliver)

    async def _hand_over(self, deliver: Deliver) -> bool:
        """Deliver what waits; whether there was any."""
        index, values, events = self._drain()
        if not index and not events:
            return False
        self._counts["samples_total"] += len(index)
        self._counts["events_total"] += len(events)
        found = reading(index, values, self._types, self._states)
        await self._deliver(deliver, Delivery(found, events=events))
        if found.ts is not None and len(found):
            self._remember(int(found.ts.max()))
        return True

    async def _look_after(self, deliver: Deliver) -> None:
        """What has to be done now and then."""
        self._bark()
        await self._watch.again()
        if self._alarms is not None and self._alarms.refresh_required:
            await self._refresh()
        await self._tell_refused(deliver)

    async def _tell_refused(self, deliver: Deliver) -> None:
        if news := self._watch.news():
            await self._deliver(deliver, Delivery(bad_reading(news)))

    async def _deliver(self, deliver: Deliver, delivery: Delivery) -> None:
        """Hand over. Time in which the gateway holds us back is no silence of the server."""
        before = self._loop.time()
        await deliver(delivery)
        held = self._loop.time() - before
        for feed in self._watch.feeds:
            feed.heard += held

    # ---- what came

    async def _on_publish(self, feed: Feed, result: Any) -> None:
        """Called by the publish loop, which waits for it. Must not raise: asyncua would only log it."""
        if not feed.clock:
            feed.heard = self._loop.time()
        message = result.NotificationMessage
        if not message.NotificationData:
            return
        for part in message.NotificationData:
            if isinstance(part, ua.StatusChangeNotification):
                status, where = int(part.Status.value), self._session.where
                self.lose(
                    LinkLost(f"{where} 结束了订阅：{name(status)} · {where} ended the subscription: {words(status)}")
                )
                return
        await self._inbox.put(feed, message)

    def _drain(self) -> tuple[list[int], list[Any], list[Occurrence]]:
        """Index and DataValue of what waits, up to a fair number of rows, and the events."""
        index: list[int] = []
        values: list[Any] = []
        events: list[Occurrence] = []
        while len(index) + len(events) < ROWS_AT_ONCE and (taken := self._inbox.take()):
            feed, message = taken
            self._check_sequence(feed, int(message.SequenceNumber))
            for part in message.NotificationData:
                if isinstance(part, ua.DataChangeNotification):
                    self._spread(feed, part.MonitoredItems or (), index, values)
                elif isinstance(part, ua.EventNotificationList):
                    self._tell(part.Events or (), events)
        return index, values, events

    def _spread(self, feed: Feed, items: Sequence[Any], index: list[int], values: list[Any]) -> None:
        overflows = 0
        for item in items:
            handle = item.ClientHandle
            if handle == CLOCK:
                feed.heard = self._loop.time()
                if item.Value.Value is not None and isinstance(item.Value.Value.Value, datetime):
                    self._remember(microseconds(item.Value.Value.Value))
                continue
            if handle - 1 not in self._types:
                continue
            index.append(handle - 1)
            values.append(item.Value)
            status = item.Value.StatusCode
            if status is not None and status.value & OVERFLOW == OVERFLOW:
                overflows += 1
        if overflows:
            self._counts["overflows_total"] += overflows
            self._complain("opcua_server_queue_overflow", f"{overflows} values")

    def _tell(self, items: Sequence[Any], events: list[Occurrence]) -> None:
        now = time.time_ns() // 1000
        for item in items:
            if self._alarms is None or item.ClientHandle != EVENTS:
                continue
            try:
                events += self._alarms.tell(item.EventFields, now)
            except (ValueError, TypeError, AttributeError, OverflowError) as error:
                self._counts["malformed_events_total"] += 1
                self._complain("opcua_event_malformed", str(error)[:200])

    def _complain(self, what: str, reason: str) -> None:
        """Say it in the log, not more often than is of use: all of it is counted."""
        now = self._loop.time()
        if now - self._complained.get(what, -COMPLAIN_S) >= COMPLAIN_S:
            self._complained[what] = now
            log.warning(what, server=self._session.where, reason=reason)

    def _check_sequence(self, feed: Feed, number: int) -> None:
        """A number that is left out is a notification that did not arrive: start anew, from current values."""
        expected = feed.sequence % 0xFFFFFFFF + 1
        if feed.sequence and number != expected:
            self._counts["gaps_total"] += 1
            self.lose(
                LinkLost(
                    f"{self._session.where} 发来第 {number} 号通知，应为第 {expected} 号：丢失了一个 · "
                    f"{self._session.where} sent notification {number} where {expected} was due: one is lost"
                )
            )
        feed.sequence = number

    def _bark(self) -> None:
        """The data watchdog: a link that looks up but carries nothing is lost."""
        limit = self._settings.watchdog_s
        for feed in self._watch.feeds:
            silent = self._loop.time() - feed.heard
            if silent > limit:
                raise LinkLost(
                    f"{self._session.where} 已连接，但 {silent:.1f} 秒没有数据（watchdog_s 为 {limit:g}） · "
                    f"{self._session.where} is connected but sent no data for {silent:.1f} s (watchdog_s is {limit:g})"
                )

    # ---- what was missed

    def _remember(self, newest: int) -> None:
        """How far the server's own time has come, µs UTC, for the session after this one."""
        self._memory["newest"] = max(min(newest, time.time_ns() // 1000), self._memory.get("newest", 0))

    def _ask_for_missed(self) -> None:
        newest, hours = self._memory.get("newest", 0), self._settings.history_h
        if not newest or not hours or not self._watch.nodes:
            return
        now = time.time_ns() // 1000
        # What was sampled shortly before the link went may not have been sent.
        since = max(newest - round(self._settings.watchdog_s * 1e6), now - round(hours * 3.6e9))
        # A session that ended before it had read what was missed leaves that to this one, whatever came meanwhile.
        since = self._memory["unread"] = max(min(since, self._memory.get("unread", since)), now - round(hours * 3.6e9))
        self._missed = missed(self._session, dict(self._watch.nodes), self._types, self._states, since, now)
        self._missed_due = self._loop.time() + SETTLE_S

    async def _take_missed(self, deliver: Deliver) -> None:
        """One piece of it, when the present is there."""
        if self._missed is None or self._loop.time() < self._missed_due:
            return
        try:
            piece = await anext(self._missed)
        except StopAsyncIteration:
            self._missed = None
            self._memory.pop("unread", None)
            return
        self._counts["history_samples_total"] += len(piece)
        await self._deliver(deliver, Delivery(piece, history=True))

    # ---- events

    async def _listen(self) -> None:
        """Subscribe to the events. A server without them goes on without them."""
        settings, session = self._settings.events, self._session
        if settings is None:
            return
        try:
            node = parse_address(settings.node).node_id(session.namespaces)
            feed = await self._watch.add_feed(self._settings.publishing_ms)
            answer = await self._watch.create(feed, [event_item(EVENTS, node, settings.queue_size)])
            if isinstance(answer, ServiceRefusedError):
                raise answer
            if not answer[0].StatusCode.is_good():
                raise ServiceRefusedError(int(answer[0].StatusCode.value))
        except (UnknownNamespaceError, ServiceRefusedError) as error:
            self._counts["events_refused_total"] += 1
            log.error("opcua_events_refused", server=session.where, node=settings.node, reason=str(error))
            return
        tags = {node: index for index, node in self._watch.nodes.items()}
        conditions = self._memory.setdefault("conditions", Conditions())
        self._alarms = Alarms(settings, conditions, session.namespaces, tags)
        self._events = feed
        await self._refresh()

    async def _refresh(self) -> None:
        """Have the server tell again of the conditions that it retains. Not every server can."""
        if self._alarms is not None:
            self._alarms.refresh_required = False
        call = ua.CallMethodRequest()
        call.ObjectId, call.MethodId = ua.NodeId(2782), ua.NodeId(3875)
        call.InputArguments = [ua.Variant(self._events.id, ua.VariantType.UInt32)]
        try:
            await self._session.ask(self._session.services.call([call]))
        except ServiceRefusedError:
            return
