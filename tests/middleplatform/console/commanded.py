"""The platform on a real port beside a real gateway with a simulated device, whose commands a browser gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bus import subjects
from bus.connection import Bus
from middleplatform.access import users
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from models.site.model import Name, Site
from tests.gateway.control.benches import PLACE, POINTS, Bench
from tests.gateway.sites import CODE
from tests.middleplatform.api.build import now, samples
from tests.middleplatform.api.stage import PASSWORD, Stage, _answers, threaded
from tests.ports import free_port
from tests.servers import mine_bus

NAMES = {
    "belt_101": Name("101 皮带", "belt 101"),
    "belt_102": Name("102 皮带", "belt 102"),
    "feeder_1": Name("1 号馈电", "feeder 1"),
    "ch4_101": Name("101 甲烷", "methane 101"),
    "plain": Name("素机", "plain one"),
}
KEYS = {
    "command": Name("控制命令", "Command"),
    "mode": Name("控制方式", "Control mode"),
    "mode_command": Name("方式命令", "Mode command"),
    "speed_set": Name("给定速度", "Speed setpoint"),
    "running": Name("运行状态", "Running"),
    "ch4": Name("甲烷", "Methane"),
    "set": Name("设定", "Setting"),
}


@dataclass
class Commanded(Stage):
    """`bench`: the gateway with its device and persons, in the stage's loop; `doorkeeper`: its end of the bus."""

    bench: Bench | None = None
    doorkeeper: Bus | None = None

    def set(self, place: str, value: int) -> None:
        """What the device's register is from now on, once the gateway has read it."""
        self.within(self.bench.is_seen(place, value))

    def hold_selections(self, seconds: float) -> None:
        """So long the gateway lets a selection live from now on: a busy machine takes longer than the rule's 30 s to
        show it, to arm a second person and to press."""
        self.bench.control._selects.lasting_s = seconds

    def register(self, place: str) -> int:
        return self.call(lambda: self.bench.register(place))

    def folder(self, name: str, *roles: str, **scope) -> Path:
        """A person's folder."""
        self.call(lambda: self.bench.person(name, *roles, **scope))
        return self.bench.home / "people" / name

    def away(self, silent: bool) -> None:
        """The gateway no longer answers, or does again."""

        async def turn() -> None:
            if silent:
                await self.doorkeeper.close()
            else:
                self.doorkeeper = await self.bus_of.connect("gateway-edge1")
                await self.doorkeeper.answer(subjects.command(CODE, "edge1"), self.bench.orders.answer)

        self.within(turn())


def called(made: Site) -> Site:
    """The bench's site with names that people give their machines."""
    return replace(
        made,
        equipment={name: replace(each, name=NAMES[name]) for name, each in made.equipment.items()},
        points=tuple(replace(each, name=KEYS[each.key]) for each in made.points),
    )


@asynccontextmanager
async def _standing(
    home: Path, loop: asyncio.AbstractEventLoop, made_by: Callable[[Path], Bench]
) -> AsyncIterator[Commanded]:
    async with mine_bus(home, CODE) as running, made_by(home / "edge") as bench:
        doorkeeper = await running.connect("gateway-edge1")
        await doorkeeper.answer(subjects.command(CODE, "edge1"), bench.orders.answer)
        users.create_user(home, "olga", PASSWORD, role="administrator")
        made, bus = called(bench.site()), await running.connect("api")
        table = LiveTable(made)
        app, port = build(Catalogue(made), table, bus, home), free_port()
        serving = server(app, "127.0.0.1", port)
        tasks = [asyncio.create_task(serving.serve()), asyncio.create_task(_telling(table, bench))]
        stage = Commanded(home, f"http://127.0.0.1:{port}", loop, "", "", app, bus, bench=bench, doorkeeper=doorkeeper)
        stage.bus_of = running
        try:
            await _answers(stage.url, lambda _: True)
            yield stage
        finally:
            serving.should_exit = True
            await asyncio.wait_for(tasks[0], 20)
            tasks[1].cancel()
            with suppress(asyncio.CancelledError):
                await tasks[1]
            await bus.close()
            await stage.doorkeeper.close()


async def _telling(table: LiveTable, bench: Bench) -> None:
    """What the gateway reads, as it tells it."""
    while True:
        rows = [
            (f"{machine}/{key}", now(), bench.register(f"{machine}/{key}") * (0.1 if states is None else 1.0), 192)
            for machine, key, _, states in POINTS
            if f"{machine}/{key}" in PLACE
        ]
        table.beat("edge1")
        table.update(samples(*rows), now(), "edge1")
        await asyncio.sleep(0.3)


@contextmanager
def commanded(
    home: Path, *, signed: bool = True, made_by: Callable[[Path], Bench] | None = None
) -> Iterator[Commanded]:
    """`made_by`: the gateway's bench in a folder, a plain one by default."""
    make = made_by or (lambda folder: Bench(folder, signed=signed))
    with threaded(lambda loop: _standing(home, loop, make)) as stage:
        yield stage
