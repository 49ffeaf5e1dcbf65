"""One command to a node or device, and the wait for what it says then.

Over a link of its own: the node is asked for its births, which say the metric's type, then the command goes out
(QoS 0, as the specification has it), and the data after it must bring the value: of a time after the command, by
the node's own clock, whose time the birth has just told.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from dataclasses import replace

import numpy as np

from models.quality import GOOD
from protocols.adapter import AdapterError, LinkLost, Reading, Tag, WriteRefused, WriteUnknown
from protocols.findings import FindingBook
from protocols.mqtt.link import LINK_COUNTS, Link
from protocols.sparkplug.address import parse_address
from protocols.sparkplug.commands import command, rebirth
from protocols.sparkplug.host import COUNTS, PREFIX, Host
from protocols.sparkplug.settings import SparkplugSettings

AT_ONCE, BYTES_AT_ONCE = 500, 500_000


async def write(settings: SparkplugSettings, tag: Tag, value: float | str) -> None:
    """Raises WriteRefused, WriteUnknown, LinkLost, or AdapterError for a value that does not fit."""
    if "element" in tag.options:
        raise WriteRefused(
            f"{tag.path} 是数组的元素：命令只能写整个数组 · "
            f"{tag.path} is an element of an array: a command would have to write the whole array"
        )
    address = parse_address(tag.address)
    host = Host([replace(tag, index=0)], dict.fromkeys(COUNTS, 0), FindingBook(), math.inf, history=False)
    source = host.nodes[address.group, address.node].sources[address.device]
    where = tag.address.partition(":")[0]
    link = Link(settings, dict.fromkeys(LINK_COUNTS, 0), passing=True)
    try:
        await link.open()
        pattern = f"{PREFIX}/{address.group}/+/{address.node}/#"
        if await link.subscribe([pattern]):
            raise WriteRefused(
                f"代理不允许此用户读取 '{pattern}'：无法核实写入 · "
                f"the broker does not let this user read '{pattern}': there would be no way to verify"
            )
        link.publish(*rebirth(address.group, address.node))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.timeout_s):
                while not source.born:
                    await _heard(link, host)
        if not source.born:
            raise LinkLost(
                f"{where} 在 {settings.timeout_s:g} 秒内没有答复出生请求 · "
                f"{where} has not answered a request for its birth within {settings.timeout_s:g} s"
            )
        code = source.types.get(address.metric.encode())
        if code is None:
            raise AdapterError(
                f"{where} 的出生报文中没有度量 '{address.metric}' · "
                f"the birth of {where} has no metric '{address.metric}'"
            )
        since_us = source.born_ms * 1000 or time.time_ns() // 1000
        link.publish(*command(address, code, value))
        await _confirmed(link, host, settings.timeout_s, tag, value, since_us)
    finally:
        await link.close()


async def _heard(link: Link, host: Host) -> Reading | None:
    messages = await link.take(AT_ONCE, BYTES_AT_ONCE)
    link.acknowledge([message.number for message in messages if message.number >= 0])
    return host.decode(messages, time.monotonic())


async def _confirmed(link: Link, host: Host, within_s: float, tag: Tag, value: float | str, since_us: int) -> None:
    last: float | str | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                reading = await _heard(link, host)
                for said in _values(reading, since_us) if reading is not None else ():
                    last = said
                    if _same(said, value):
                        return
    said = "said nothing" if last is None else f"still said {last}"
    said_zh = "没有消息" if last is None else f"仍为 {last}"
    raise WriteUnknown(
        f"{tag.path} 的命令已发出，其设备在 {within_s:g} 秒内{said_zh} · "
        f"the command for {tag.path} went out, and its device {said} within {within_s:g} s"
    )


def _values(reading: Reading, since_us: int) -> list[float | str]:
    """The good ones, save those that were so before then; one without a time is of now."""
    times = np.zeros(len(reading), np.int64) if reading.ts is None else reading.ts
    present = (reading.quality >= GOOD) & ((times == 0) | (times >= since_us))
    texts = [None] * len(reading) if reading.text is None else reading.text.to_pylist()
    rows = zip(reading.value.tolist(), texts, present.tolist(), strict=True)
    return [value if text is None else text for value, text, now in rows if now]


def _same(said: float | str, asked: float | str) -> bool:
    if isinstance(said, str):
        return said == str(asked)
    try:
        return math.isclose(said, float(asked), rel_tol=1e-6, abs_tol=1e-12)
    except ValueError:
        return False
