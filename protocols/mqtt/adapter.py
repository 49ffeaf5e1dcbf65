"""The adapter `mqtt`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import structlog

from models.quality import Quality
from models.site.model import Name
from protocols.adapter import Adapter, Deliver, Delivers, Delivery, LinkLost, Reading, Sheet, Supports, Tag
from protocols.mqtt.address import parse_address
from protocols.mqtt.clock import Clock
from protocols.mqtt.columns import Message
from protocols.mqtt.decode import TYPES, Decoder
from protocols.mqtt.link import Link
from protocols.mqtt.settings import MqttSettings

log = structlog.get_logger(__name__)

MESSAGES_AT_ONCE = 500
BYTES_AT_ONCE = 500_000
"""One delivery is decoded in one go: this bounds how long it keeps the other connections waiting."""


class Mqtt(Adapter[MqttSettings, None]):
    """Subscribes to topics and reads values out of their JSON payloads."""

    sheet = Sheet(
        name="mqtt",
        title=Name("MQTT 3.1.1 / 5", "MQTT 3.1.1 / 5"),
        supports=Supports.SUBSCRIBE,
        delivers=Delivers.AT_LEAST_ONCE,
        source_time=True,
        remarks=Name(
            "会话持久，QoS 1：数据写入总线之后才向代理确认，未确认的消息重连后重发。",
            "A persistent session with QoS 1: a message is acknowledged to the broker only after the bus has its data; "
            "what was not acknowledged comes again after a reconnect.",
        ),
    )
    Settings: ClassVar[type[MqttSettings]] = MqttSettings

    def __init__(self, settings: MqttSettings) -> None:
        super().__init__(settings)
        self._link: Link | None = None
        self._counts = dict.fromkeys(
            (
                "messages_total",
                "acknowledged_total",
                "malformed_total",
                "unmatched_total",
                "absent_total",
                "unreadable_times_total",
                "redelivered_total",
                "sessions_resumed_total",
            ),
            0,
        )

    @classmethod
    def check(cls, tag: Tag) -> None:
        parse_address(tag.address)
        if tag.type not in TYPES:
            raise ValueError(
                f"the type '{tag.type}' is unknown; there are {', '.join(filter(None, TYPES))}, or nothing"
            )
        if tag.order:
            raise ValueError(f"an MQTT point has no byte order, and '{tag.order}' is given")
        Clock.from_options(tag.options)

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
            raise LinkLost("this MQTT connection is not open")
        decoder = Decoder(tags, self._counts)
        granting = asyncio.create_task(link.subscribe(decoder.patterns))
        granting.add_done_callback(lambda _: link.poke())
        granted = False
        try:
            while True:
                messages = await link.take(MESSAGES_AT_ONCE, BYTES_AT_ONCE)
                if messages:
                    await self._pass_on(link, decoder, messages, deliver)
                if granting.done() and not granted:
                    granted = True
                    if refused := granting.result():
                        await deliver(Delivery(_refused(decoder, refused)))
        finally:
            granting.cancel()
            await asyncio.gather(granting, return_exceptions=True)

    async def _pass_on(self, link: Link, decoder: Decoder, messages: Sequence[Message], deliver: Deliver) -> None:
        malformed = self._counts["malformed_total"]
        reading = decoder.decode(messages)
        if self._counts["malformed_total"] > malformed:
            log.warning("mqtt_malformed", total=self._counts["malformed_total"], host=self.settings.host)
        if reading is None:
            link.acknowledge(_numbers(messages))
        else:
            await deliver(_delivery(link, reading, messages))

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)


def _numbers(messages: Sequence[Message]) -> list[int]:
    return [message.number for message in messages if message.number >= 0]


def _delivery(link: Link, reading: Reading, messages: Sequence[Message]) -> Delivery:
    numbers = _numbers(messages)
    return Delivery(reading, lambda: link.acknowledge(numbers))


def _refused(decoder: Decoder, patterns: Sequence[str]) -> Reading:
    """All tags of patterns that the broker would not grant, as bad."""
    reasons = {
        index: f"the broker refuses the subscription to '{pattern}': this user may not read it"
        for pattern in patterns
        for index in decoder.indices(pattern)
    }
    return Reading(
        index=np.fromiter(reasons, np.int32, len(reasons)),
        value=np.full(len(reasons), np.nan),
        quality=np.full(len(reasons), Quality.BAD_CONFIGURATION, np.uint8),
        reasons=reasons,
    )
