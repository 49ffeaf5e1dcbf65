"""Reading one place of a device: its bytes as they came, and what the protocol itself says of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from models.quality import GOOD
from protocols.adapter import Adapter, AdapterError, Deliver, Delivery, LinkLost, Reading, Supports, Tag

WAIT_S = 20.0
"""How long a device that sends by itself is listened to."""
MOST_WORDS = 125
MOST_TRIES = 6


@dataclass(frozen=True, slots=True)
class Seen:
    """What one word, node or path of the device held. `value` is None where there was none."""

    address: str
    value: float | None
    text: str | None
    quality: int
    reason: str
    ts: int


@dataclass(frozen=True, slots=True)
class Binding:
    """How a row of a point table has an address read."""

    type: str = ""
    order: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """An answer. `words`: the bytes of each word as they came, None where the device refused it or the protocol
    has none to show. `took_s`: the time of all reads. `bound`: what a binding makes of the same bytes; None where
    none was asked for."""

    seen: Sequence[Seen]
    words: Sequence[bytes | None]
    took_s: float
    bound: Seen | None = None

    @property
    def raw(self) -> bytes:
        """The bytes from the first address on, up to the first word that is not there."""
        return run(self.words, 0)

    @property
    def width(self) -> int:
        """Bytes of one word; 0 when there is none."""
        return next((len(word) for word in self.words if word is not None), 0)


def run(words: Sequence[bytes | None], at: int, most: int = MOST_WORDS) -> bytes:
    """The bytes of at most `most` words from the word `at` on, up to the first that is not there."""
    return b"".join(takewhile(lambda word: word is not None, words[at : at + most]))  # type: ignore[arg-type]


async def look(
    device: Adapter[Any, Any], address: str, count: int = 1, kind: str = "", binding: Binding | None = None
) -> Look:
    """Read `count` neighbouring words from `address` on over a connected adapter, and the value that a binding makes
    of them. Raises ValueError for an address that cannot be one, LinkLost, AdapterError."""
    if not 1 <= count <= MOST_WORDS:
        raise ValueError(
            f"一次可看 1 至 {MOST_WORDS} 个字，不是 {count} 个 · "
            f"between 1 and {MOST_WORDS} words can be looked at in one go, not {count}"
        )
    tags = [Tag(0, "look", address, kind)] if kind else list(device.words(address, count))
    for tag in tags:
        device.check(tag)
    asked, own, refused = tags, None, None
    if binding is not None:
        own, refused = _bound(device, address, binding, len(tags))
    if own is not None:
        # Read together, so that the value is that of the bytes beside it. Where a protocol has no neighbours, the
        # tag alone: a device that sends by itself tells an address once.
        asked = [*tags, own] if len(tags) > 1 else [own]
    started = time.monotonic()
    reading = await _read(device, asked)
    took = time.monotonic() - started
    if own is not None and len(tags) == 1:
        tags = [own]
    rows = {int(index): row for row, index in enumerate(reading.index)}
    seen = [_seen(reading, rows.get(tag.index), tag) for tag in tags]
    bound = refused if own is None else _seen(reading, rows.get(own.index), own)
    return Look(seen, _words(reading, tags), took, bound)


def _bound(device: Adapter[Any, Any], address: str, binding: Binding, words: int) -> tuple[Tag | None, Seen | None]:
    """The tag of a binding; or, where its type does not suit the address, why: the bytes can be read all the same."""
    index = words if words > 1 else 0
    tag = Tag(index, "bound", address, binding.type, binding.order, binding.options)
    try:
        device.check(tag)
    except ValueError as error:
        return None, Seen(address, None, None, 0, str(error), 0)
    return tag, None


async def _read(device: Adapter[Any, Any], tags: Sequence[Tag]) -> Reading:
    if Supports.READ in device.sheet.supports:
        plan = device.plan(tags)
        reading = await device.read(plan)
        for _ in range(MOST_TRIES):
            # A block that was refused is narrowed down over several reads: go on while that brings news.
            before = dict(reading.reasons)
            if not before:
                break
            reading = await device.read(plan)
            if dict(reading.reasons) == before:
                break
        return reading
    if Supports.SUBSCRIBE not in device.sheet.supports:
        raise AdapterError(
            f"协议 {device.sheet.name} 既不能读也不能订阅 · "
            f"the protocol {device.sheet.name} can neither be read nor subscribed to"
        )
    return await _first_delivery(device, tags)


async def _first_delivery(device: Adapter[Any, Any], tags: Sequence[Tag]) -> Reading:
    arrived: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()

    async def take(delivery: Delivery) -> None:
        if len(delivery.reading) and not arrived.done():
            arrived.set_result(delivery.reading)

    deliver: Deliver = take
    listening = asyncio.create_task(device.subscribe(tags, deliver))
    try:
        async with asyncio.timeout(WAIT_S):
            await asyncio.wait({listening, arrived}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise LinkLost(
            f"{WAIT_S:g} 秒内没有收到数据，设备是否向此处发送，多久一次？ · "
            f"nothing came within {WAIT_S:g} s: does the device send there, and how often?"
        ) from None
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    if arrived.done():
        return arrived.result()
    failure = listening.exception()
    raise failure if failure is not None else LinkLost("订阅结束，没有收到值 · the subscription ended without a value")


def _seen(reading: Reading, row: int | None, tag: Tag) -> Seen:
    if row is None:
        return Seen(tag.address, None, None, 0, "设备没有答复此地址 · the device did not answer for it", 0)
    value = float(reading.value[row])
    text = reading.text[row].as_py() if reading.text is not None else None
    ts = int(reading.ts[row]) if reading.ts is not None else 0
    reason = reading.reasons.get(tag.index, "")
    return Seen(tag.address, value if value == value else None, text, int(reading.quality[row]), reason, ts)  # noqa: PLR0124


def _words(reading: Reading, tags: Sequence[Tag]) -> list[bytes | None]:
    if reading.raw is None:
        return [None] * len(tags)
    good = {int(index) for index, quality in zip(reading.index, reading.quality, strict=True) if quality >= GOOD}
    return [reading.raw(tag.index) if tag.index in good else None for tag in tags]
