"""What a device holds for one point: as last taken, asked beside the polls, or awaited where it sends by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gateway.connection import DeviceConnection
from models.command import Value
from models.quality import UNCERTAIN
from models.site.model import Kind
from protocols.adapter import Adapter, LinkLost, Reading, Supports

READ_S = 5.0
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Held:
    """`value`: raw, as decoded; None, with the reason, when the point reads bad."""

    value: Value | None
    reason: str = ""


async def read_back(connection: DeviceConnection, row: int) -> Held:
    """Ask the device. Raises LinkLost when it is not connected or does not answer in time."""
    adapter = connection.adapter
    if adapter is None:
        raise LinkLost(connection.reason or "设备没有连接 · the device is not connected")
    if Supports.READ not in adapter.sheet.supports:
        raise NotImplementedError(f"{adapter.sheet.name} does not read when asked")
    tag = replace(connection.table.tags[row], index=0)
    try:
        async with asyncio.timeout(READ_S) as limit:
            reading = await adapter.read(adapter.plan([tag]))
    except TimeoutError:
        if not limit.expired():
            raise
        raise LinkLost(f"设备在 {READ_S:g} 秒内没有应答 · the device did not answer within {READ_S:g} s") from None
    return held(reading, 0)


async def next_value(connection: DeviceConnection, adapter: Adapter[Any, Any], row: int, taken: int) -> Held:
    """The next value that the device sends by itself, after the point's `taken` first ones. Waits for as
    long as it takes. Raises LinkLost when the connection ends."""
    acquisition = connection.acquisition
    while int(acquisition.taken[row]) <= taken:
        if connection.adapter is not adapter:
            raise LinkLost(connection.reason or "连接已结束 · the connection ended")
        await asyncio.sleep(LOOK_S)
    return held(acquisition.readings[row], row)


def held(reading: Reading, row: int) -> Held:
    """What a reading says of a point; of several values the last."""
    places = np.flatnonzero(reading.index == row)
    if not len(places):
        return Held(None, "the adapter gave no value")
    place = int(places[-1])
    if int(reading.quality[place]) < UNCERTAIN:
        return Held(None, reading.reasons.get(row) or "the value is bad")
    words = None if reading.text is None else reading.text[place].as_py()
    if words is not None:
        return Held(str(words))
    number = float(reading.value[place])
    return Held(number) if np.isfinite(number) else Held(None, f"the device sent {number}, which is no number")


def as_taken(connection: DeviceConnection, row: int) -> Held:
    """What the connection last took of the point, raw."""
    reading: Reading | None = connection.acquisition.readings[row]
    if reading is None or not connection.acquisition.answered[row]:
        return Held(None, "nothing has come for this point yet")
    return held(reading, row)


def present(connection: DeviceConnection, row: int) -> Value | None:
    """The point's present value in its unit, or its text; None while it is bad."""
    acquisition = connection.acquisition
    if not acquisition.answered[row] or int(acquisition.quality[row]) < UNCERTAIN:
        return None
    if connection.table.points[row].kind is Kind.TEXT:
        taken = as_taken(connection, row).value
        return taken if isinstance(taken, str) else None
    number = float(acquisition.value[row])
    return number if np.isfinite(number) else None
