"""Subscriptions: what the server reports of its own accord, from publish responses to columns.

A publish response is one list of (client handle, DataValue); it waits whole in a bounded inbox until
it is turned to columns. When the inbox is full the publish loop waits: the server then keeps the
changes in each item's queue, and says so when that overflows.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from asyncua import ua

from models.quality import Quality
from protocols.adapter import Deliver, Delivery, LinkLost, Tag
from protocols.opcua.address import UnknownNamespaceError, parse_address
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import OVERFLOW, quality_of, words
from protocols.opcua.variant import bad_reading, reading, type_name

log = structlog.get_logger(__name__)

INBOX = 64
"""Publish responses that may wait."""

NOTIFICATIONS_AT_ONCE = 1_000
"""Values in one publish response: it is decoded in one go, while the other connections wait."""
ROWS_AT_ONCE = 5_000

_CLOCK = 0
"""The client handle of the server's own clock; tag i has the handle i + 1."""


@dataclass(slots=True)
class _Feed:
    """One subscription. `heard` is the loop's time of its last sign of data."""

    id: int
    heard: float
    clock: bool = False
    sequence: int = 0
    tags: int = 0


@dataclass(slots=True)
class _Inbox:
    """Publish responses on their way; `put` waits while it is full."""

    lost: LinkLost | None = None
    _waiting: deque[tuple[_Feed, Any]] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, feed: _Feed, message: Any) -> None:
        while len(self._waiting) >= INBOX and self.lost is None:
            self._room.clear()
            await self._room.wait()
        self._waiting.append((feed, message))
        self._arrived.set()

    def lose(self, why: LinkLost) -> None:
        self.lost = self.lost or why
        self._arrived.set()
        self._room.set()

    async def wait(self, seconds: float) -> None:
        """Until something is there or the link is lost, at most so long."""
        if self._waiting or self.lost is not None:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    def take(self) -> tuple[_Feed, Any] | None:
        if not self._waiting:
            return None
        self._room.set()
        return self._waiting.popleft()


class Feeds:
    """All subscriptions of one session, until the link is lost."""

    def __init__(self, session: Session, settings: OpcUaSettings, tags: Sequence[Tag], counts: dict[str, int]) -> None:
        self._session = session
        self._settings = settings
        self._tags = {tag.index: tag for tag in tags}
        self._types = {tag.index: type_name(tag.type) for tag in tags}
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._inbox = _Inbox()
        self._feeds: list[_Feed] = []
        self._refused: dict[int, tuple[str, int]] = {}
        """Tag index → reason and quality, of those that the server does not watch."""

    def lose(self, why: LinkLost) -> None:
        """The session's word that the link is gone."""
        self._inbox.lose(why)

    async def run(self, deliver: Deliver) -> None:
        """Subscribe, deliver, watch. Ends only by LinkLost or cancellation."""
        await self._watch(self._tags)
        if self._refused:
            await deliver(Delivery(bad_reading(self._refused)))
        retry = self._loop.time() + self._settings.retry_s
        tick = min(1.0, self._settings.watchdog_s / 4)
        while True:
            await self._inbox.wait(tick)
            index, values = self._drain()
            if index:
                self._counts["samples_total"] += len(index)
                before = self._loop.time()
                await deliver(Delivery(reading(index, values, self._types)))
                held = self._loop.time() - before
                for feed in self._feeds:
                    feed.heard += held
                continue
            if self._inbox.lost is not None:
                raise self._inbox.lost
            self._bark()
            if self._refused and self._loop.time() >= retry:
                await self._watch({index: self._tags[index] for index in self._refused})
                retry = self._loop.time() + self._settings.retry_s

    # ---- what came

    async def _on_publish(self, feed: _Feed, result: Any) -> None:
        """Called by the publish loop, which waits for it. Must not raise: asyncua would only log it."""
        if not feed.clock:
            feed.heard = self._loop.time()
        message = result.NotificationMessage
        if not message.NotificationData:
            return
        for part in message.NotificationData:
            if isinstance(part, ua.StatusChangeNotification):
                self.lose(LinkLost(f"{self._session.where} ended the subscription: {words(int(part.Status.value))}"))
                return
        await self._inbox.put(feed, message)

    def _drain(self) -> tuple[list[int], list[Any]]:
        """Index and DataValue of what waits, up to a fair number of rows."""
        index: list[int] = []
        values: list[Any] = []
        while len(index) < ROWS_AT_ONCE and (taken := self._inbox.take()):
            feed, message = taken
            self._check_sequence(feed, int(message.SequenceNumber))
            for part in message.NotificationData:
                if isinstance(part, ua.DataChangeNotification):
                    self._spread(feed, part.MonitoredItems, index, values)
        return index, values

    def _spread(self, feed: _Feed, items: Sequence[Any], index: list[int], values: list[Any]) -> None:
        overflows = 0
        for item in items:
            handle = item.ClientHandle
            if handle == _CLOCK:
                feed.heard = self._loop.time()
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
            log.warning("opcua_server_queue_overflow", server=self._session.where, values=overflows)

    def _check_sequence(self, feed: _Feed, number: int) -> None:
        """A number that is left out is a notification that did not arrive: start anew, from current values."""
        expected = feed.sequence % 0xFFFFFFFF + 1
        if feed.sequence and number != expected:
            self._counts["gaps_total"] += 1
            self.lose(
                LinkLost(f"{self._session.where} sent notification {number} where {expected} was due: one is lost")
            )
        feed.sequence = number

    def _bark(self) -> None:
        """The data watchdog: a link that looks up but carries nothing is lost."""
        limit = self._settings.watchdog_s
        for feed in self._feeds:
            silent = self._loop.time() - feed.heard
            if silent > limit:
                raise LinkLost(
                    f"{self._session.where} is connected but sent no data for {silent:.1f} s (watchdog_s is {limit:g})"
                )

    # ---- subscribing

    async def _watch(self, tags: Mapping[int, Tag]) -> None:
        """Have the server watch these tags; those it refuses are in `_refused` afterwards."""
        if self._feeds:
            self._session.namespaces = await self._session.ask(self._session.read_namespaces())
        nodes: dict[int, Any] = {}
        for index, tag in tags.items():
            try:
                nodes[index] = parse_address(tag.address).node_id(self._session.namespaces)
            except UnknownNamespaceError as error:
                self._refused[index] = (str(error), int(Quality.BAD_CONFIGURATION))
        waiting = list(nodes.items())
        if not self._feeds:
            await self._add_feed()
        while waiting:
            room = self._settings.max_items_per_subscription - self._feeds[-1].tags
            if room <= 0:
                await self._add_feed()
                continue
            count = min(room, self._settings.max_items_per_call)
            some, waiting = waiting[:count], waiting[count:]
            await self._add_items(self._feeds[-1], some)

    async def _add_feed(self) -> None:
        settings = self._settings
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = settings.publishing_ms
        keep_alive = max(1, math.floor(settings.watchdog_s * 1000 / 3 / settings.publishing_ms))
        parameters.RequestedMaxKeepAliveCount = keep_alive
        parameters.RequestedLifetimeCount = max(3 * keep_alive, math.ceil(60_000 / settings.publishing_ms))
        parameters.MaxNotificationsPerPublish = NOTIFICATIONS_AT_ONCE
        feed = _Feed(0, self._loop.time())
        try:
            made = await self._session.ask(
                self._session.services.create_subscription(parameters, lambda result: self._on_publish(feed, result))
            )
        except ServiceRefusedError as error:
            raise LinkLost(f"{self._session.where} refuses a subscription: {error}") from None
        feed.id = made.SubscriptionId
        self._feeds.append(feed)
        answer = await self._create(feed, [_item(_CLOCK, ua.NodeId(2258), 1000.0, 1)])
        # A server without a clock to watch is heard by its keep-alives alone.
        feed.clock = not isinstance(answer, ServiceRefusedError) and answer[0].StatusCode.is_good()

    async def _add_items(self, feed: _Feed, nodes: Sequence[tuple[int, Any]]) -> None:
        settings = self._settings
        items = [_item(index + 1, node, settings.sampling_ms, settings.queue_size) for index, node in nodes]
        answer = await self._create(feed, items)
        if isinstance(answer, ServiceRefusedError):
            for index, _ in nodes:
                self._refused[index] = (f"the server refuses to watch it: {answer}", quality_of(answer.status))
            return
        for (index, node), result in zip(nodes, answer, strict=True):
            if result.StatusCode.is_good():
                feed.tags += 1
                self._refused.pop(index, None)
                if result.RevisedQueueSize < settings.queue_size:
                    self._counts["queues_shortened_total"] += 1
            else:
                status = int(result.StatusCode.value)
                why = f"the server refuses to watch {node.to_string()}: {words(status)}"
                self._refused[index] = (why, quality_of(status))

    async def _create(self, feed: _Feed, items: Sequence[Any]) -> Any:
        """The server's result for each item, or its refusal of them all."""
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = feed.id
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        parameters.ItemsToCreate = list(items)
        try:
            return await self._session.ask(self._session.services.create_monitored_items(parameters))
        except ServiceRefusedError as error:
            return error


def _item(handle: int, node: Any, sampling_ms: float, queue_size: int) -> Any:
    """A request to watch one node's value."""
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters.ClientHandle = handle
    item.RequestedParameters.SamplingInterval = sampling_ms
    item.RequestedParameters.QueueSize = queue_size
    item.RequestedParameters.DiscardOldest = True
    return item
