"""The adapter `mqtt`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import structlog

from models.quality import Quality
from models.site.model import Name
from protocols.adapter import (
    Adapter,
    AdapterError,
    Deliver,
    Delivers,
    Delivery,
    LinkLost,
    Node,
    Reading,
    Sheet,
    Supports,
    Tag,
    WriteRefused,
    WriteUnknown,
)
from protocols.findings import Finding, FindingBook
from protocols.mqtt.binding import Binding
from protocols.mqtt.bounds import BYTES_AT_ONCE, MESSAGES_AT_ONCE, limits
from protocols.mqtt.columns import Message
from protocols.mqtt.command import Command, refused
from protocols.mqtt.decode import COUNTS, Decoder
from protocols.mqtt.form import MAX_PAYLOAD_BYTES
from protocols.mqtt.link import LINK_COUNTS, Link
from protocols.mqtt.seen import Seen
from protocols.mqtt.settings import MqttSettings
from protocols.mqtt.topic import fewest

log = structlog.get_logger(__name__)


class Mqtt(Adapter[MqttSettings, None]):
    """Subscribes to topics and reads values out of their payloads; writes by commands to topics."""

    sheet = Sheet(
        name="mqtt",
        title=Name("MQTT 3.1.1 / 5", "MQTT 3.1.1 / 5"),
        supports=Supports.SUBSCRIBE | Supports.WRITE | Supports.BROWSE,
        delivers=Delivers.AT_LEAST_ONCE,
        source_time=True,
        remarks=Name(
            "会话持久，QoS 1：数据写入总线之后才向代理确认，未确认的消息重连后重发。",
            "A persistent session with QoS 1: a message is acknowledged to the broker only after the bus has its data; "
            "what was not acknowledged comes again after a reconnect.",
        ),
        limits=limits(MAX_PAYLOAD_BYTES),
    )
    verifies_writes: ClassVar[bool] = True
    Settings: ClassVar[type[MqttSettings]] = MqttSettings

    def __init__(self, settings: MqttSettings) -> None:
        super().__init__(settings)
        self._link: Link | None = None
        self._book = FindingBook()
        self._seen = Seen()
        self._counts = dict.fromkeys((*LINK_COUNTS, *COUNTS), 0)

    @classmethod
    def check(cls, tag: Tag) -> None:
        Binding.of(tag)
        Command.of(tag)

    async def connect(self) -> None:
        link = Link(self.settings, self._counts)
        self._link = link
        try:
            await link.open()
        except BaseException:
            await self.close()
            raise

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        link = self._link
        if link is None:
            raise LinkLost("此 MQTT 连接没有打开 · this MQTT connection is not open")
        decoder = Decoder(tags, self._counts, self._book, self.settings.discover)
        granting = asyncio.create_task(link.subscribe(fewest(decoder.patterns)))
        granting.add_done_callback(lambda _: link.poke())
        granted = False
        try:
            while True:
                messages = await link.take(MESSAGES_AT_ONCE, BYTES_AT_ONCE)
                if messages:
                    await self._pass_on(link, decoder, messages, deliver)
                if granting.done() and not granted:
                    granted = True
                    if patterns := granting.result():
                        await self._ungranted(decoder, patterns, deliver)
        finally:
            granting.cancel()
            await asyncio.gather(granting, return_exceptions=True)

    async def _pass_on(self, link: Link, decoder: Decoder, messages: Sequence[Message], deliver: Deliver) -> None:
        malformed = self._counts["malformed_total"]
        self._seen.note(messages)
        reading = decoder.decode(messages)
        if self._counts["malformed_total"] > malformed:
            log.warning("mqtt_malformed", total=self._counts["malformed_total"], host=self.settings.host)
        if reading is None:
            link.acknowledge(_numbers(messages))
        else:
            await deliver(_delivery(link, reading, messages))

    async def _ungranted(self, decoder: Decoder, patterns: Sequence[str], deliver: Deliver) -> None:
        for pattern in patterns:
            self._book.note("subscription refused", pattern, "the broker does not let this user read it")
        reading = _refused(decoder, patterns)
        if len(reading):
            await deliver(Delivery(reading))

    # ---- writing

    async def write(self, tag: Tag, value: float | str) -> None:
        """Send the tag's command and wait until the device itself says the value: over a link of its own,
        so that the values of the connection's points go their way meanwhile."""
        command = Command.of(tag)
        if command is None:
            raise refused(tag)
        payload = command.payload(value)
        link = Link(self.settings, dict.fromkeys(LINK_COUNTS, 0), passing=True)
        try:
            await link.open()
            if await link.subscribe([command.answer.topic]):
                raise WriteRefused(
                    f"代理不允许此用户读取 '{command.answer.topic}'：无法核实写入 · "
                    f"the broker does not let this user read '{command.answer.topic}': no way to verify"
                )
            await link.command(command.topic, payload)
            await self._confirmed(link, command, tag, value)
        finally:
            await link.close()

    async def _confirmed(self, link: Link, command: Command, tag: Tag, value: float | str) -> None:
        last: float | str | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.timeout_s):
                while True:
                    messages = await link.take(MESSAGES_AT_ONCE, BYTES_AT_ONCE)
                    link.acknowledge(_numbers(messages))
                    for message in messages:
                        seen = command.says(message)
                        last = last if seen is None else seen
                        if seen is not None and command.confirmed(value, seen):
                            return
        where = f"'{command.answer.topic}#{command.answer.extractor.path}'"
        within, within_zh = f"within {self.settings.timeout_s:g} s", f"在 {self.settings.timeout_s:g} 秒内"
        if last is None:
            raise WriteUnknown(
                f"{tag.path} 的命令已发出，{where} {within_zh}没有消息：未核实 · "
                f"the command for {tag.path} went out, and {where} said nothing {within}: it is not verified"
            )
        raise WriteUnknown(
            f"{tag.path} 的命令已发出，{where} {within_zh}仍为 {last} · "
            f"the command for {tag.path} went out, and {where} still said {last} {within}"
        )

    # ---- looking around

    async def browse(self, parent: str = "") -> Sequence[Node]:
        """ "" gives the topics that are spoken on, a topic the fields of its newest payload. It listens for
        `browse_s`, over a link of its own, to the patterns of `discover`, or to all topics."""
        topic = parent.replace("&/", "/")  # a way, as the tools write it
        if topic not in self._seen:
            await self._listen()
        return self._seen.fields(topic) if topic else self._seen.topics()

    @classmethod
    def below(cls, node: Node) -> str:
        """A topic is its own way."""
        return node.name

    async def _listen(self) -> None:
        link = Link(self.settings, dict.fromkeys(LINK_COUNTS, 0), passing=True)
        patterns = fewest(self.settings.discover or ["#"])
        try:
            await link.open()
            if len(refused := await link.subscribe(patterns)) == len(patterns):
                raise AdapterError(
                    f"代理不允许此用户订阅 {', '.join(refused)}，请在设置 discover 中写明可读的主题 · "
                    f"the broker does not let this user listen to {', '.join(refused)}: name what it may read in the "
                    "setting discover"
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.browse_s):
                    while True:
                        messages = await link.take(MESSAGES_AT_ONCE, BYTES_AT_ONCE)
                        self._seen.note(messages)
                        link.acknowledge(_numbers(messages))
        finally:
            await link.close()

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def findings(self) -> Sequence[Finding]:
        return self._book.all()


def _numbers(messages: Sequence[Message]) -> list[int]:
    return [message.number for message in messages if message.number >= 0]


def _delivery(link: Link, reading: Reading, messages: Sequence[Message]) -> Delivery:
    numbers = _numbers(messages)
    return Delivery(reading, lambda: link.acknowledge(numbers))


def _refused(decoder: Decoder, patterns: Sequence[str]) -> Reading:
    """All tags of patterns that the broker would not grant, as bad."""
    reasons = {
        index: f"代理拒绝订阅 '{pattern}'：此用户无权读取 · "
        f"the broker refuses the subscription to '{pattern}': this user may not read it"
        for pattern in patterns
        for index in decoder.indices(pattern)
    }
    return Reading(
        index=np.fromiter(reasons, np.int32, len(reasons)),
        value=np.full(len(reasons), np.nan),
        quality=np.full(len(reasons), Quality.BAD_CONFIGURATION, np.uint8),
        reasons=reasons,
    )
