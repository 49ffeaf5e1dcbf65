"""The one store: ingest from the bus, the time-series engine, and answers over Arrow Flight on loopback.

Only this package touches the engine, and only its process opens it; others use `client.StoreClient`.
"""

from __future__ import annotations

from typing import Any


async def run(*arguments: Any, **named: Any) -> None:
    """The store process: see `middleplatform.store.process.run`."""
    from middleplatform.store.process import run as process

    await process(*arguments, **named)
