"""Virtual mines: physics, devices that speak the real protocols, and the truth that they know.

Nothing here knows the adapters, the gateway or the platform, so the truth cannot share their bugs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.site.model import Site


async def run(site: Site, home: Path, seed: int, stop: asyncio.Event) -> None:
    """Serve the devices of a site until `stop`; the truth goes to `<home>/truth/`."""
    from simulators.mine import run as run_mine

    await run_mine(site, home, seed, stop)
