"""The real adapters at the other end of simulated devices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from models.site.model import Connection, Point
from protocols import registry
from protocols.adapter import Adapter, LinkLost, Supports, Tag
from simulators.devices.device import Device
from tests.protocols.session import NotYetError, Session

NOW = 1_790_000_000_000_000


def tags(points: Sequence[Point]) -> list[Tag]:
    return [Tag(n, p.path, p.address, p.type, p.order, p.options) for n, p in enumerate(points)]


def adapter(of: Connection) -> Adapter[Any, Any]:
    kind = registry.adapter(of.adapter)
    return kind(kind.Settings.model_validate(dict(of.settings)))


def session(device: Device, mode: Supports = Supports.SUBSCRIBE) -> Session:
    return Session(adapter(device.connection), tags(device.points), mode)


async def show(device: Device, *values: float, texts: Sequence[str] = (), ts: int = NOW) -> np.ndarray:
    """Hold and serve, as a mine does."""
    shown = device.hold(np.array(values, float), texts or [""] * len(values))
    await device.serve(ts, np.ones(len(values), bool))
    return shown


async def until(met: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not in {seconds} s: {what}") from None


async def noticed(session: Session, row: int = 0) -> str:
    """Wait until the row is bad or the link lost, and give the reason."""
    await until(lambda: session.lost is not None or not session.latest[row].good, "a fault is noticed")
    reason = str(session.lost or session.latest[row].reason)
    assert reason.strip()
    return reason


async def recovers(
    device: Device, values: Mapping[int, float], mode: Supports = Supports.SUBSCRIBE, seconds: float = 30.0
) -> None:
    """As a gateway does: connect anew until the values are there."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                async with session(device, mode) as again:
                    await again.until_values(dict(values), seconds / 3.0)
                    return
            except (LinkLost, NotYetError):
                await asyncio.sleep(0.1)
