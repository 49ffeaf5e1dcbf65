"""What a process does until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any


async def until_stopped(stop: asyncio.Event, work: Sequence[asyncio.Task[Any]]) -> None:
    """Let the tasks run until `stop` is set or one of them ends; then all are ended. Raises what one of them raised."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*work, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in work:
            if task.done():
                task.result()
    finally:
        for task in (*work, stopping):
            task.cancel()
        await asyncio.gather(*work, stopping, return_exceptions=True)
