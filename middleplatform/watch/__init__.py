"""The watch: judges what the bus keeps, and writes what it finds into the alarms' book.

A process of its own with durable places of its own on the bus. Nothing is acknowledged before what came of it is kept,
together with how far the streams are judged and what the engine remembers: a kill at any moment loses no alarm and
repeats none.
"""

from __future__ import annotations

from typing import Any


async def run(*arguments: Any, **named: Any) -> None:
    """The watch process: see `middleplatform.watch.process.run`."""
    from middleplatform.watch.process import run as process

    await process(*arguments, **named)
