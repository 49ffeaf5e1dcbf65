"""Calls that may hang for ever (a dead network share, a database) without holding up the event loop.

Each runs in a daemon thread of its own: one that hangs takes no place from others in a pool, and
does not keep the process from ending. Of those that hang at one place there are at most MOST_HANGING:
a share that is dead for days is asked again and again, and each thread is memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")

MOST_HANGING = 16
_HANGING: Counter[Hashable] = Counter()
_COUNTING = threading.Lock()


async def call(function: Callable[[], T], limit_s: float, place: Hashable = None) -> T:
    """What the function returns or raises. Raises TimeoutError after `limit_s`; the thread then goes on
    by itself, and what comes of it is forgotten. Raises it at once while MOST_HANGING threads hang at `place`."""
    if place is not None and _HANGING[place] >= MOST_HANGING:
        raise TimeoutError
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    thread_hangs = ended = False

    def run() -> None:
        nonlocal ended
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        with _COUNTING:
            ended = True
            if thread_hangs:
                _count(place, -1)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True, name="blocking").start()
    try:
        async with asyncio.timeout(limit_s):
            return await answer
    finally:
        with _COUNTING:
            if not ended:
                thread_hangs = True
                _count(place, 1)


def _count(place: Hashable, change: int) -> None:
    _HANGING[place] += change
    if not _HANGING[place]:
        del _HANGING[place]
