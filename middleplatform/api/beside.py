"""What runs beside the serving of requests: nobody who asks waits for it, and it does not end unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

log = structlog.get_logger("api")

AGAIN_S = 5.0

Work = Callable[[], Awaitable[None]]
"""Runs until it is cancelled."""


def begun(works: Iterable[tuple[str, Work]], again_s: float = AGAIN_S) -> list[asyncio.Task[None]]:
    """Each in a task of its own, by its name."""
    return [asyncio.create_task(_kept_up(name, work, again_s), name=name) for name, work in works]


async def _kept_up(name: str, work: Work, again_s: float) -> None:
    """What ends, or fails in a way that it does not see to itself, is told of and begun again."""
    while True:
        try:
            await work()
            log.error("后台任务意外结束，重新开始 · what runs beside has ended and is begun again", what=name)
        except Exception:
            log.exception("后台任务出错，重新开始 · what runs beside has failed and is begun again", what=name)
        await asyncio.sleep(again_s)
