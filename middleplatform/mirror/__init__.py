"""A copy of chosen points in a server that takes InfluxDB's v2 write API, for tools that read there.

A process of its own with a durable place of its own on the bus: whatever becomes of it or of that server, the
store and the gateways never notice.
"""

from __future__ import annotations

from typing import Any


async def run(*arguments: Any, **named: Any) -> None:
    """The mirror process: see `middleplatform.mirror.process.run`."""
    from middleplatform.mirror.process import run as process

    await process(*arguments, **named)
