"""The way to a store that hangs is short."""

from __future__ import annotations

import asyncio
import threading

import pytest

from middleplatform.api import door as door_module
from middleplatform.api.door import CONCURRENT, StoreDoor
from middleplatform.api.errors import ApiError


async def test_behind_a_store_that_hangs_nobody_waits_for_long(monkeypatch, tmp_path):
    monkeypatch.setattr(door_module, "TURN_S", 0.2)
    monkeypatch.setattr(StoreDoor, "_current", lambda self: None)
    door, hangs = StoreDoor(tmp_path), threading.Event()
    hanging = [asyncio.create_task(door.ask(lambda _: hangs.wait(30))) for _ in range(CONCURRENT)]
    await asyncio.sleep(0)
    try:
        with pytest.raises(ApiError) as refusal:
            await asyncio.wait_for(door.ask(lambda _: None), 10)
        assert refusal.value.status == 503
    finally:
        hangs.set()
    assert await asyncio.gather(*hanging) == [True] * CONCURRENT
    assert await door.ask(lambda _: "answered") == "answered"
