"""The open door: REST and WebSocket over what the store keeps and what the bus tells now."""

from __future__ import annotations

from typing import Any


async def run(*arguments: Any, **named: Any) -> None:
    """The API process: see `middleplatform.api.process.run`."""
    from middleplatform.api.process import run as process

    await process(*arguments, **named)
