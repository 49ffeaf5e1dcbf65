"""`sevenones demo`: a simulated mine, whole, on this machine."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sevenones.home import HomeError


def demo(
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    port: Annotated[
        int, typer.Option(min=1024, max=65500, help="接口端口，其余端口依次递增 · the API's port; the others follow it")
    ] = 8700,
    mine: Annotated[
        str,
        typer.Option(help="自带的模拟矿井 · a simulated mine that comes with this program: demo, low, middle, high"),
    ] = "demo",
    seed: Annotated[int, typer.Option(help="模拟随机种子 · the simulation's seed")] = 1,
) -> None:
    """启动完整的模拟矿井 · run a whole simulated mine: bus, devices, gateway, store, API. Ctrl-C ends it."""
    from bus.errors import BusError
    from sevenones.demo import Demo, DemoError

    console = Console(highlight=False, markup=False, emoji=False)

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await Demo(home, port, seed, console, mine=mine).run(stop)

    try:
        asyncio.run(main())
    except (HomeError, DemoError, BusError) as error:
        console.print(str(error), style="bold red", soft_wrap=True, markup=False)
        sys.exit(1)
