"""An outbox at work between a test and a bus."""

from __future__ import annotations

import asyncio
import contextlib


@contextlib.asynccontextmanager
async def running(outbox, bus):
    tasks = [asyncio.create_task(outbox.bridge.run(bus)), asyncio.create_task(outbox.run(bus))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
