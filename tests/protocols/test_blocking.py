"""Calls that hang cost one thread and nobody's time."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from protocols import blocking


async def test_what_it_returns_or_raises_comes_back() -> None:
    assert await blocking.call(lambda: 7, 10) == 7
    with pytest.raises(ZeroDivisionError):
        await blocking.call(lambda: 1 // 0, 10)


async def test_many_that_hang_hold_up_neither_the_loop_nor_each_other_nor_the_end() -> None:
    hanging = threading.Event()
    began = time.monotonic()
    calls = [asyncio.create_task(blocking.call(hanging.wait, 0.2)) for _ in range(50)]
    assert await blocking.call(lambda: "others go on", 10) == "others go on"
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, TimeoutError) for result in results)
    assert time.monotonic() - began < 10
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "blocking")
    hanging.set()


async def test_one_that_is_cancelled_is_forgotten() -> None:
    hanging = threading.Event()
    task = asyncio.create_task(blocking.call(hanging.wait, 60))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hanging.set()
    await asyncio.sleep(0.05)  # what comes of it now reaches nobody, and breaks nothing


async def test_a_place_that_hangs_for_days_takes_a_bounded_number_of_threads() -> None:
    before, free = threading.active_count(), threading.Event()
    for _ in range(3 * blocking.MOST_HANGING):
        with pytest.raises(TimeoutError):
            await blocking.call(free.wait, 0.002, "dead")
    assert threading.active_count() - before <= blocking.MOST_HANGING
    assert await blocking.call(lambda: 5, 5.0, "alive") == 5, "another place is asked all the same"
    free.set()
    async with asyncio.timeout(30):
        while threading.active_count() > before:
            await asyncio.sleep(0.01)
    assert await blocking.call(lambda: 7, 5.0, "dead") == 7, "and so is this one, once it answers again"
    assert "dead" not in blocking._HANGING
