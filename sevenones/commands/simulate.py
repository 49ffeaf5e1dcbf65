"""`sevenones simulate`: the devices of a site, without a mine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def simulate(
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site folder")] = None,
    mine: Annotated[
        str, typer.Option(help="自带的模拟矿井 · a mine that comes with this program: demo, newcomer, …, big")
    ] = "",
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    seed: Annotated[int, typer.Option(min=0, help="模拟随机种子 · the simulation's seed")] = 1,
    points: Annotated[
        int, typer.Option(min=10, max=1_000_000, help="big 的测点数 · with --mine big, how many points")
    ] = 100_000,
) -> None:
    """运行模拟设备 · run the simulated devices of a site, and log the truth that they know. Ctrl-C ends it."""
    from models.site import SiteErrors, load
    from simulators import run
    from simulators.devices.device import DeviceError

    big = mine == "big" and site is None
    folder = home if big else _folder(site, mine)

    # asyncua tells each client's coming and going, and its server's every start, as warnings.
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    # asyncio's, each write to a client that has gone.
    logging.getLogger("asyncio").setLevel(logging.ERROR)

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if big:
            from simulators.load.big import serve

            await serve(points, home, seed, stop)
        else:
            await run(load(folder, environment=os.environ), home, seed, stop)

    try:
        # Not uvloop: asyncua's server goes on writing to a client that was killed, which asyncio's
        # transports take and uvloop's answer with an error and a traceback.
        asyncio.run(main())
    except (SiteErrors, DeviceError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _folder(site: Path | None, mine: str) -> Path:
    import simulators

    if (site is None) == (not mine):
        sys.exit("请给出 --site 或 --mine · give --site or --mine, one of the two")
    if site is not None:
        return site
    bundled = Path(simulators.__file__).parent / "mines"
    known = sorted(path.name for path in bundled.iterdir() if (path / "site.yaml").exists())
    if mine not in known:
        sys.exit(f"没有自带的矿井 '{mine}' · there is no mine '{mine}': {', '.join([*known, 'big'])}")
    return bundled / mine
