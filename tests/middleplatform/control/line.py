"""The demonstration's belt line with nothing else of that mine: simulators over real sockets, a gateway, a bus. The
simulated clock goes forty times as fast as the wall's, and the sequences' times are cut to match."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from bus import credentials, subjects
from bus.connection import Bus
from bus.process import die_with_parent
from middleplatform.api.live import LiveTable
from middleplatform.control.attend import Seal, attend, unsigned
from middleplatform.control.driver import LEASE_S
from models.samples import Batch
from models.sequence import Condition, Sequence, Step
from models.site import load
from models.site.model import Site
from simulators.design.mine import MineDesign
from simulators.mine import STEP_S, Mine
from tests.ports import free_port
from tests.servers import RunningBus, mine_bus

DEMO = Path(__file__).parents[3] / "simulators" / "mines" / "demo"
CODE = "140525000001"
FAST = 40


def write_line(folder: Path, port: int) -> Path:
    """The folder of the two belts."""
    for part in ("equipment", "points", "sequences"):
        (folder / part).mkdir(parents=True)
    for name in ("site.yaml", "areas.yaml", "equipment/transport.yaml", "points/belts.csv", "sequences/belts.yaml"):
        shutil.copy(DEMO / name, folder / name)
    plc = yaml.safe_load((DEMO / "connections.yaml").read_text("utf-8"))["connections"]["belt_plc"]
    plc["settings"]["port"] = port
    (folder / "connections.yaml").write_text(yaml.safe_dump({"connections": {"belt_plc": plc}}), "utf-8")
    return folder


def design() -> MineDesign:
    """The belts as the demonstration has them, but that nobody else starts them or resets a trip."""
    belts = yaml.safe_load((DEMO / "simulation.yaml").read_text("utf-8"))["belts"]
    return MineDesign.model_validate({"belts": {**belts, "crew_resets_after_s": None}})


def cut(sequence: Sequence) -> Sequence:
    """The sequence with its times and lengths cut as the simulated clock is fast."""

    def condition(each: Condition) -> Condition:
        return replace(each, lasting_s=each.lasting_s / FAST)

    def step(each: Step) -> Step:
        empties = each.empties
        if empties is not None:
            empties = replace(empties, length_m=empties.length_m / FAST, margin_s=empties.margin_s / FAST)
        until, keep = (tuple(map(condition, part)) for part in (each.until, each.keep))
        return replace(each, until=until, keep=keep, empties=empties, within_s=max(each.within_s / 2, 30.0))

    steps, abort = (tuple(map(step, part)) for part in (sequence.steps, sequence.abort))
    return replace(sequence, steps=steps, abort=abort, warning_s=sequence.warning_s / FAST)


class Line:
    """What a test sees and does."""

    def __init__(self, home: Path, bus: RunningBus, site: Site, mine: Mine) -> None:
        self.home, self.bus, self.site, self.mine = home, bus, site, mine

    def value(self, channel: str) -> float:
        """What is true now, not what anybody was told: `belt_101.speed`, or `belt_101!state` of the truth."""
        return float(self.mine._now.values[-1, self.mine.plant.columns[channel]])

    async def until(self, condition, within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        """The gateway, as a process of its own: who is to know its first values listens before."""
        words = ("gateway", "--site", str(self.home / "site"), "--home", str(self.home), "--bus", self.bus.url)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sevenones", *words, preexec_fn=die_with_parent, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield
        finally:
            child.kill()
            await child.wait()


@asynccontextmanager
async def line(home: Path) -> AsyncIterator[Line]:
    """The devices and the bus. Both belts stand, in remote mode."""
    site = load(write_line(home / "site", free_port()))
    mine = Mine(site, home, 7, design=design())
    for belt in ("belt_101", "belt_102"):
        mine.plant.command(belt, "mode_command", 2)
        mine.plant.command(belt, "command", 2)
    mine.plant.warm_up(60.0)
    async with mine_bus(home, CODE) as bus:
        await mine.start()
        stepping = asyncio.create_task(_step(mine))
        try:
            yield Line(home, bus, site, mine)
        finally:
            stepping.cancel()
            await asyncio.gather(stepping, return_exceptions=True)
            await mine.close()


async def _step(mine: Mine) -> None:
    loop = asyncio.get_running_loop()
    began, steps = loop.time(), 0
    while True:
        due = int((loop.time() - began) * FAST / STEP_S)
        if due > steps:
            await mine.step(due - steps)
            steps = due
        await asyncio.sleep(STEP_S)


@asynccontextmanager
async def present(home: Path, url: str) -> AsyncIterator[tuple[Bus, LiveTable]]:
    """The bus and the present values, as a process has them."""
    live = LiveTable(load(home / "site"))
    async with await Bus.connect(url, credentials.load(home, "api"), name="drive", wait_s=10) as bus:

        async def take(subject: str, data: bytes) -> None:
            gateway = subjects.source_of(subject)
            live.beat(gateway)
            live.update(Batch.decode(data).samples, gateway=gateway)

        async def beat(subject: str, _: bytes) -> None:
            live.beat(subjects.source_of(subject).removeprefix("gateway-"))

        await bus.listen(subjects.live(CODE, "*"), take)
        await bus.listen(subjects.state(CODE, "*"), beat)
        yield bus, live


@asynccontextmanager
async def driving(
    home: Path, bus: Bus, live: LiveTable, seal: Seal = unsigned, lease_s: float = LEASE_S
) -> AsyncIterator[None]:
    """The driver, on the relational store of the home."""
    task = asyncio.create_task(attend(bus, load(home / "site"), home, live, seal, lease_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
