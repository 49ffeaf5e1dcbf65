"""Having a server watch values and events: subscriptions by rate, split when large, and asking again
for what it refused.

Tags of one rate share subscriptions of bounded size. Each subscription watches the server's clock too,
so that silence of the values can be told from silence of the link.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from models.quality import Quality
from protocols.adapter import LinkLost, Tag
from protocols.opcua.address import UnknownNamespaceError, readable
from protocols.opcua.inbox import Feed
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import name, quality_of, words

CLOCK = 0
"""The client handle of the server's own clock; tag i has the handle i + 1."""
EVENTS = 0x7FFFFFFF
"""The client handle of the events; to some servers the highest of all numbers is none."""
NOTIFICATIONS_AT_ONCE = 1_000
"""Values in one publish response: it is decoded in one go, while the other connections wait."""
LONGEST_RETRY_S = 300.0
DEFAULT_SAMPLING_MS = 250.0
MAX_QUEUE = 100_000

Publish = Callable[[Feed, Any], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often the server looks at a value, how often it sends, and how many changes it keeps for us."""

    sampling_ms: float
    publishing_ms: float
    queue_size: int


def rate_of(tag: Tag, settings: OpcUaSettings) -> Rate:
    """A tag's own option, else the connection's setting, else its group's period. The queue holds what is
    sampled in two publishing intervals, so that one late request loses nothing."""
    sampling = tag.options.get("sampling_ms", settings.sampling_ms)
    if sampling is None:
        sampling = tag.period_s * 1000 or DEFAULT_SAMPLING_MS
    publishing = min(max(settings.publishing_ms, sampling), settings.watchdog_s * 1000 / 3)
    needed = math.ceil(2 * publishing / sampling) + 1 if sampling else settings.queue_size
    queue = int(tag.options.get("queue_size", min(max(settings.queue_size, needed), MAX_QUEUE)))
    return Rate(float(sampling), float(publishing), queue)


@dataclass(slots=True)
class Refusal:
    """Why the server does not watch a tag, as words and quality, and when it is asked again."""

    why: str
    quality: int
    due: float
    wait: float
    news: bool = True


class Watch:
    """The subscriptions of one session."""

    def __init__(
        self, session: Session, settings: OpcUaSettings, tags: Sequence[Tag], counts: dict[str, int], publish: Publish
    ) -> None:
        self.feeds: list[Feed] = []
        self.nodes: dict[int, Any] = {}
        """Tag index → node id, of those that the server watches."""
        self.refused: dict[int, Refusal] = {}
        self._session = session
        self._settings = settings
        self._tags = {tag.index: tag for tag in tags}
        self._rates = {tag.index: rate_of(tag, settings) for tag in tags}
        self._counts = counts
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._open: dict[Rate, Feed] = {}

    async def start(self) -> None:
        """Watch all tags; those that the server refuses are in `refused` afterwards. Raises LinkLost."""
        await self._watch(self._tags)
        if not self.feeds:
            await self.add_feed(self._settings.publishing_ms)

    async def again(self) -> None:
        """Ask again for what is due of that which was refused."""
        now = self._loop.time()
        due = {index: self._tags[index] for index, refusal in self.refused.items() if refusal.due <= now}
        if due:
            # The server may have got the namespace meanwhile.
            self._session.namespaces = await self._session.ask(self._session.read_namespaces())
            await self._watch(due)

    def news(self) -> dict[int, tuple[str, int]]:
        """Refusals that were not told yet: tag index → words and quality."""
        found = {index: (r.why, r.quality) for index, r in self.refused.items() if r.news}
        for index in found:
            self.refused[index].news = False
        return found

    def _refuse(self, index: int, why: str, quality: int) -> None:
        before = self.refused.get(index)
        wait = self._settings.retry_s if before is None else min(2 * before.wait, LONGEST_RETRY_S)
        news = before is None or before.news or before.why != why
        self.refused[index] = Refusal(why, quality, self._loop.time() + wait, wait, news)

    async def _watch(self, tags: Mapping[int, Tag]) -> None:
        by_rate: dict[Rate, list[tuple[int, Any]]] = {}
        for index, tag in tags.items():
            try:
                node = readable(tag.address).node_id(self._session.namespaces)
                by_rate.setdefault(self._rates[index], []).append((index, node))
            except (UnknownNamespaceError, ValueError) as error:
                self._refuse(index, str(error), int(Quality.BAD_CONFIGURATION))
        for rate, waiting in by_rate.items():
            left = waiting
            while left:
                feed = self._open.get(rate)
                if feed is None or feed.tags >= self._settings.max_items_per_subscription:
                    feed = self._open[rate] = await self.add_feed(rate.publishing_ms)
                room = self._settings.max_items_per_subscription - feed.tags
                count = min(room, self._settings.max_items_per_call, self._session.limits.watch)
                some, left = left[:count], left[count:]
                await self._add_items(feed, rate, some)

    async def add_feed(self, publishing_ms: float) -> Feed:
        """A new subscription, with the server's clock in it. Raises LinkLost when it is refused."""
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = publishing_ms
        keep_alive = max(1, math.floor(self._settings.watchdog_s * 1000 / 3 / publishing_ms))
        parameters.RequestedMaxKeepAliveCount = keep_alive
        parameters.RequestedLifetimeCount = max(3 * keep_alive, math.ceil(60_000 / publishing_ms))
        parameters.MaxNotificationsPerPublish = NOTIFICATIONS_AT_ONCE
        feed = Feed(0, self._loop.time(), publishing_ms / 1000)
        try:
            made = await self._session.ask(
                self._session.services.create_subscription(parameters, lambda result: self._publish(feed, result))
            )
        except ServiceRefusedError as error:
            raise LinkLost(
                f"{self._session.where} 拒绝订阅：{name(error.status)} · "
                f"{self._session.where} refuses a subscription: {error}"
            ) from None
        feed.id = made.SubscriptionId
        self.feeds.append(feed)
        answer = await self.create(feed, [value_item(CLOCK, ua.NodeId(2258), 1000.0, 1)])
        # A server without a clock to watch is heard by its keep-alives alone.
        feed.clock = not isinstance(answer, ServiceRefusedError) and answer[0].StatusCode.is_good()
        return feed

    async def _add_items(self, feed: Feed, rate: Rate, nodes: Sequence[tuple[int, Any]]) -> None:
        items = [value_item(index + 1, node, rate.sampling_ms, rate.queue_size) for index, node in nodes]
        answer = await self.create(feed, items)
        if isinstance(answer, ServiceRefusedError):
            for index, _ in nodes:
                self._refuse(
                    index,
                    f"服务器拒绝监视：{name(answer.status)} · the server refuses to watch it: {answer}",
                    quality_of(answer.status),
                )
            # What the server will not take here it may take in a subscription of its own.
            self._open = {r: f for r, f in self._open.items() if f is not feed}
            return
        for (index, node), result in zip(nodes, answer, strict=True):
            if result.StatusCode.is_good():
                feed.tags += 1
                self.nodes[index] = node
                self.refused.pop(index, None)
                if result.RevisedQueueSize < rate.queue_size:
                    self._counts["queues_shortened_total"] += 1
            else:
                status = int(result.StatusCode.value)
                why = (
                    f"服务器拒绝监视 {node.to_string()}：{name(status)} · "
                    f"the server refuses to watch {node.to_string()}: {words(status)}"
                )
                self._refuse(index, why, quality_of(status))

    async def create(self, feed: Feed, items: Sequence[Any]) -> Any:
        """The server's result for each item, or its refusal of them all."""
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = feed.id
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        parameters.ItemsToCreate = list(items)
        try:
            answer = await self._session.ask(self._session.services.create_monitored_items(parameters))
        except ServiceRefusedError as error:
            return error
        if len(answer) != len(items):
            raise LinkLost(
                f"{self._session.where} 答复了 {len(answer)} 项，请求的是 {len(items)} 项 · "
                f"{self._session.where} answered for {len(answer)} items where {len(items)} were asked for"
            )
        return answer


def value_item(handle: int, node: Any, sampling_ms: float, queue_size: int) -> Any:
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
