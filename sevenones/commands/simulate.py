"""`sevenones simulate`: the devices of a site, without a mine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.commands import simulate_faults, simulate_truth
from sevenones.loading import loading

if TYPE_CHECKING:
    from simulators.faults.scenario import Read


def simulate(
    context: typer.Context,
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site folder")] = None,
    mine: Annotated[
        str, typer.Option(help="自带的模拟矿井 · a mine that comes with this program: demo, newcomer, …, big")
    ] = "",
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    seed: Annotated[int, typer.Option(min=0, help="模拟随机种子 · the simulation's seed")] = 1,
    scenario: Annotated[
        Path | None, typer.Option(help="情景文件：矿井与故障 · a scenario file: its mine, and what goes wrong when")
    ] = None,
    bus: Annotated[
        str | None, typer.Option(help="总线地址，以便远程制造故障 · the bus, over which faults can be asked for")
    ] = None,
    points: Annotated[
        int, typer.Option(min=10, max=1_000_000, help="big 的测点数 · with --mine big, how many points")
    ] = 100_000,
    backfill: Annotated[
        str, typer.Option(help="不运行，而是回填过去的数据 · do not run, fill the store with the past: 30d, 12h, 90m")
    ] = "",
    until: Annotated[str, typer.Option(help="回填至，默认现在 · fill up to this ISO time, by default now")] = "",
) -> None:
    """运行模拟设备 · run the simulated devices of a site, and log the truth that they know. Ctrl-C ends it."""
    if context.invoked_subcommand is not None:
        return
    with loading():
        from models.site import SiteErrors, load
        from sevenones.stand_in import surroundings
        from simulators import run
        from simulators.design.mine import load_design
        from simulators.devices.device import DeviceError

    played = _scenario(scenario, site, mine) if scenario is not None else None
    big = mine == "big" and site is None
    folder = played.folder if played is not None else home if big else _folder(site, mine)

    if backfill or until:
        from sevenones.commands.backfilling import backfill as fill

        if big or not backfill:
            sys.exit("--backfill 用于矿井，不用于 big · give --backfill a length and a mine other than big")
        fill(folder, home, backfill, until, seed)
        return

    # asyncua tells each client's coming and going, and its server's every start, as warnings.
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    # asyncio's, each write to a client that has gone.
    logging.getLogger("asyncio").setLevel(logging.ERROR)

    environment = {} if big else surroundings(home)

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if big:
            from simulators.load.big import serve

            await serve(points, home, seed, stop)
        else:
            loaded, design = load(folder, environment=environment), load_design(folder)
            chosen = played.scenario if played is not None else None
            await run(loaded, home, seed, stop, bus=bus, scenario=chosen, design=design)

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


def _scenario(path: Path, site: Path | None, mine: str) -> Read:
    """The scenario, checked against its mine."""
    from models.site import SiteErrors
    from simulators.faults.scenario_check import load_scenario

    if site is not None or mine:
        sys.exit("情景文件已指定矿井，不要再给 --site 或 --mine · the scenario names its mine: no --site, no --mine")
    try:
        return load_scenario(path, os.environ)[0]
    except SiteErrors as error:
        sys.exit(str(error))


app = typer.Typer(invoke_without_command=True)
app.callback()(simulate)
app.command()(simulate_faults.fault)
app.command()(simulate_faults.faults)
app.command()(simulate_faults.check)
app.command()(simulate_faults.rehearse)
app.command()(simulate_truth.truth)
app.command()(simulate_truth.alarms)
