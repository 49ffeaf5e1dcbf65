"""Virtual mines: physics, devices that speak the real protocols, and the truth that they know.

Nothing here knows the adapters, the gateway or the platform, so the truth cannot share their bugs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from models.site.model import Site

if TYPE_CHECKING:
    from simulators.design.mine import MineDesign
    from simulators.faults.scenario import Scenario


async def run(
    site: Site,
    home: Path,
    seed: int,
    stop: asyncio.Event,
    *,
    bus: str | None = None,
    scenario: Scenario | None = None,
    design: MineDesign | None = None,
) -> None:
    """Serve the devices of a site until `stop`; the truth goes to `<home>/truth/`. `bus`: the address of one
    over which faults may be asked for; `scenario`: its faults begin and end as it goes; `design`: what is simulated
    (`simulators.design.mine.load_design`), by default something plausible for each equipment."""
    from simulators.mine import run as run_mine

    await run_mine(site, home, seed, stop, bus=bus, scenario=scenario, design=design)
