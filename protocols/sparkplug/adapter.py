"""The adapter `sparkplug`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from models.quality import Quality
from models.site.model import Name
from protocols.adapter import Adapter, Deliver, Delivers, Delivery, LinkLost, Node, Reading, Sheet, Supports, Tag
from protocols.findings import Finding, FindingBook
from protocols.mqtt.bounds import BYTES_AT_ONCE, MESSAGES_AT_ONCE, limits
from protocols.mqtt.columns import Message
from protocols.mqtt.link import LINK_COUNTS, Link
from protocols.sparkplug.address import parse_address
from protocols.sparkplug.browse import Found, children, listen
from protocols.sparkplug.commands import rebirth
from protocols.sparkplug.host import COUNTS, Host
from protocols.sparkplug.settings import SparkplugSettings
from protocols.sparkplug.state import HostState
from protocols.sparkplug.wire import MAX_PAYLOAD_BYTES
from protocols.sparkplug.writing import write

TICK_S = 0.2
"""How often it is looked whether a birth is due."""
TYPES = ("", "number", "bool", "text", "number_text")
MAX_ELEMENT = 1_000_000


class Sparkplug(Adapter[SparkplugSettings, None]):
    """A Sparkplug B host application: nodes and devices are born, send what changes, and die."""

    sheet = Sheet(
        name="sparkplug",
        title=Name("Sparkplug B 主机", "Sparkplug B host"),
        supports=Supports.SUBSCRIBE | Supports.WRITE | Supports.BROWSE,
        delivers=Delivers.AT_LEAST_ONCE,
        source_time=True,
        remarks=Name(
            "会话持久，写入总线后才确认；规范规定节点以 QoS 0 发布，主机不在时的变化不保留，重连后由重生报文补当前值。",
            "A persistent session, acknowledged only after the bus has the data. The specification has nodes publish "
            "with QoS 0, which no broker keeps for a host that is away: a new birth then brings the present values.",
        ),
        limits=limits(MAX_PAYLOAD_BYTES),
        holds=True,
    )
    verifies_writes: ClassVar[bool] = True
    Settings: ClassVar[type[SparkplugSettings]] = SparkplugSettings

    def __init__(self, settings: SparkplugSettings) -> None:
        super().__init__(settings)
        self._link: Link | None = None
        self._state: HostState | None = None
        self._found: Found | None = None
        self._book = FindingBook()
        self._counts = dict.fromkeys((*LINK_COUNTS, *COUNTS), 0)

    @classmethod
    def check(cls, tag: Tag) -> None:
        parse_address(tag.address)
        if tag.type not in TYPES:
            raise ValueError(
                f"没有类型 '{tag.type}'，有 {', '.join(filter(None, TYPES))}，或不写：度量是什么由节点说明 · "
                f"the type '{tag.type}' is unknown; there are {', '.join(filter(None, TYPES))}, or nothing: "
                "the node itself says what a metric is"
            )
        if tag.order:
            raise ValueError(
                f"Sparkplug 测点没有字节序，此处给出了 '{tag.order}' · "
                f"a Sparkplug point has no byte order, and '{tag.order}' is given"
            )
        unknown = set(tag.options) - {"element"}
        if unknown:
            raise ValueError(
                f"没有选项 '{min(unknown)}'，有 element · the option '{min(unknown)}' is unknown; there is element"
            )
        element = str(tag.options.get("element", "0"))
        if not element.isdecimal() or int(element) > MAX_ELEMENT:
            raise ValueError(
                f"选项 element 为 '{element}'，应为 0 至 {MAX_ELEMENT:,} 的数 · "
                f"the option element is '{element}'; it is a number from 0 to {MAX_ELEMENT:,}"
            )

    async def connect(self) -> None:
        self._state = HostState(self.settings.host_id) if self.settings.host_id else None
        link = Link(self.settings, self._counts, self._state.will if self._state else None)
        self._link = link
        try:
            await link.open()
        except BaseException:
            await self.close()
            raise

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        link = self._link
        if link is None:
            raise LinkLost("与代理的此连接没有打开 · this connection to the broker is not open")
        host = Host(tags, self._counts, self._book, self.settings.rebirth_wait_s)
        own = [self._state.topic] if self._state else []
        granting = asyncio.create_task(link.subscribe([*host.patterns, *own]))
        ticking = asyncio.create_task(self._tick(link))
        granting.add_done_callback(lambda _: link.poke())
        granted = False
        try:
            while True:
                messages = await link.take(MESSAGES_AT_ONCE, BYTES_AT_ONCE)
                now = time.monotonic()
                if messages:
                    await self._pass_on(link, host, messages, deliver, now)
                if granting.done() and not granted:
                    granted = True
                    if refused := [pattern for pattern in granting.result() if pattern not in own]:
                        await deliver(Delivery(_refused(host, refused)))
                    if self._state:
                        self._state.say(link, online=True)
                    host.begin(now)
                for node in host.to_ask(now) if granted else ():
                    link.publish(*rebirth(node.group, node.name))
                if granted and (silent := host.overdue(now)) is not None:
                    await deliver(Delivery(silent))
        finally:
            for task in (granting, ticking):
                task.cancel()
            await asyncio.gather(granting, ticking, return_exceptions=True)

    @staticmethod
    async def _tick(link: Link) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            link.poke()

    async def _pass_on(self, link: Link, host: Host, messages: Sequence[Message], deliver: Deliver, now: float) -> None:
        if self._state and any(map(self._state.contradicted, messages)):
            self._state.say(link, online=True)
        reading = host.decode(messages, now)
        numbers = [message.number for message in messages if message.number >= 0]
        if reading is None:
            link.acknowledge(numbers)
        else:
            await deliver(Delivery(reading, lambda: link.acknowledge(numbers)))

    async def write(self, tag: Tag, value: float | str) -> None:
        await write(self.settings, tag, value)

    async def browse(self, parent: str = "") -> Sequence[Node]:
        if self._found is None or not parent:
            self._found = await listen(self.settings)
        return children(self._found, parent)

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            if self._state:
                with contextlib.suppress(Exception):
                    self._state.say(link, online=False)
            await link.close()

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def findings(self) -> Sequence[Finding]:
        return self._book.all()


def _refused(host: Host, patterns: Sequence[str]) -> Reading:
    """All tags of groups that the broker would not grant, as bad."""
    reasons = {
        index: f"代理拒绝订阅 '{pattern}'：此用户无权读取 · "
        f"the broker refuses the subscription to '{pattern}': this user may not read it"
        for pattern in patterns
        for index in host.refused(pattern)
    }
    return Reading(
        index=np.fromiter(reasons, np.int32, len(reasons)),
        value=np.full(len(reasons), np.nan),
        quality=np.full(len(reasons), Quality.BAD_CONFIGURATION, np.uint8),
        reasons=reasons,
    )
