"""A device that does what a test tells it, behind the real adapter interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from models.site.model import Name
from protocols.adapter import (
    Adapter,
    Deliver,
    Delivers,
    Delivery,
    LinkLost,
    Reading,
    Settings,
    Sheet,
    SignInRefused,
    Supports,
    Tag,
)


class Device:
    """What the script says now. `mode`: answer, hang, garbage, lost, refused (the connection), sign-in, crash."""

    def __init__(self) -> None:
        self.mode = "answer"
        self.slow_s = 0.0
        self.connects = 0
        self.reads = 0
        self.closed = 0
        self.at_once = 0
        self.most_at_once = 0
        self.value: Callable[[str, int], float] = lambda address, read: float(read)
        self.times: Callable[[int], int] | None = None
        self.inbox: asyncio.Queue[Delivery] = asyncio.Queue()


DEVICES: dict[str, Device] = {}


class ScriptedSettings(Settings):
    device: str


class Scripted(Adapter[ScriptedSettings, list[Tag]]):
    """Polled."""

    sheet: ClassVar[Sheet] = Sheet(
        "scripted", Name("脚本", "scripted"), Supports.READ, Delivers.LATEST, False, Name("测试", "for tests")
    )
    Settings = ScriptedSettings

    @property
    def device(self) -> Device:
        return DEVICES[self.settings.device]

    @classmethod
    def check(cls, tag: Tag) -> None:
        if tag.address.startswith("wrong"):
            raise ValueError(f"'{tag.address}' is no address")

    async def connect(self) -> None:
        self.device.connects += 1
        if self.device.mode == "refused":
            raise LinkLost("connection refused")
        if self.device.mode == "sign-in":
            raise SignInRefused("the user 'gateway' is refused")

    def plan(self, tags: Sequence[Tag]) -> list[Tag]:
        return list(tags)

    async def read(self, plan: list[Tag]) -> Reading:
        device = self.device
        device.reads += 1
        read = device.reads
        device.at_once += 1
        device.most_at_once = max(device.most_at_once, device.at_once)
        try:
            await asyncio.sleep(device.slow_s)
            if device.mode == "hang":
                await asyncio.Event().wait()
        finally:
            device.at_once -= 1
        if device.mode == "lost":
            raise LinkLost("the device closed the connection")
        if device.mode == "crash":
            raise ZeroDivisionError("a mistake in the adapter")
        index = np.array([tag.index for tag in plan], np.int32)
        value = np.array([device.value(tag.address, read) for tag in plan], np.float64)
        quality = np.full(len(plan), 192, np.uint8)
        if device.mode == "garbage":
            return Reading(index + 1000, value, quality)
        times = None if device.times is None else np.array([device.times(read)] * len(plan), np.int64)
        return Reading(index, value, quality, ts=times, raw=lambda _: b"\x01\x02")

    async def close(self) -> None:
        self.device.closed += 1


class Told(Scripted):
    """Subscribed; its device keeps what is not acknowledged."""

    sheet: ClassVar[Sheet] = Sheet(
        "told", Name("脚本", "told"), Supports.SUBSCRIBE, Delivers.AT_LEAST_ONCE, True, Name("测试", "for tests")
    )

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        while True:
            await deliver(await self.device.inbox.get())


class Changes(Told):
    """Subscribed; reports every change while connected."""

    sheet: ClassVar[Sheet] = Sheet(
        "changes", Name("脚本", "changes"), Supports.SUBSCRIBE, Delivers.EVERY_CHANGE, True, Name("测试", "for tests")
    )

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        getter = asyncio.ensure_future(self.device.inbox.get())
        try:
            while True:
                done, _ = await asyncio.wait({getter}, timeout=0.05)
                if done:
                    await deliver(getter.result())
                    getter = asyncio.ensure_future(self.device.inbox.get())
                if self.device.mode == "lost":
                    raise LinkLost("the session is gone")
        finally:
            getter.cancel()


KINDS: dict[str, type[Adapter[Any, Any]]] = {"scripted": Scripted, "told": Told, "changes": Changes}


def adapters(name: str) -> type[Adapter[Any, Any]]:
    """Stands in for protocols.registry.adapter."""
    return KINDS[name]


def delivery(
    values: Sequence[tuple[int, float, int]], acknowledge: Callable[[], None] = lambda: None, quality: int = 192
) -> Delivery:
    """Rows of (tag index, value, source time; 0: none)."""
    index, value, times = zip(*values, strict=True)
    reading = Reading(
        np.array(index, np.int32),
        np.array(value, np.float64),
        np.full(len(values), quality, np.uint8),
        ts=np.array(times, np.int64),
    )
    return Delivery(reading, acknowledge)
