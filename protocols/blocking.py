"""Calls that may hang for ever (a dead network share, a database) without holding up the event loop.

Each runs in a daemon thread of its own: one that hangs takes no place from others in a pool, and
does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def call(function: Callable[[], T], limit_s: float) -> T:
    """What the function returns or raises. Raises TimeoutError after `limit_s`; the thread then goes on
    by itself, and what comes of it is forgotten."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True, name="blocking").start()
    async with asyncio.timeout(limit_s):
        return await answer
