"""Faults asked for over a real bus: what is answered, what is refused, what happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus import subjects
from bus.connection import Bus, BusUnavailable
from bus.errors import NotPermitted
from simulators.engine.engine import Engine
from simulators.faults.desk import LONGEST, Desk
from simulators.faults.dispatch import Faults
from tests.servers import CODE, RunningBus, mine_bus
from tests.simulators.faults.parts import Box, Tank, demo, engine


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[tuple[RunningBus, Bus, Engine, Tank]]:
    """A mine that answers, and the one who asks."""
    machines, tank = engine()
    faults = Faults(demo(), machines, {"belt_plc": Box()})
    stop = asyncio.Event()
    async with mine_bus(home) as server:
        serving = asyncio.create_task(Desk(faults, lambda: machines.now_us).serve(server.url, home, CODE, stop))
        async with await server.connect("trainer") as trainer:
            async with asyncio.timeout(60):
                while True:
                    try:
                        await asked(trainer, do="list")
                        break
                    except BusUnavailable:
                        await asyncio.sleep(0.1)
            yield server, trainer, machines, tank
        stop.set()
        await asyncio.wait_for(serving, 45)


async def asked(trainer: Bus, **request: object) -> dict:
    return json.loads(await trainer.request(subjects.fault(CODE), json.dumps(request).encode(), 10.0))


async def test_a_fault_is_made_told_and_ended(tmp_path: Path):
    async with served(tmp_path) as (_, trainer, machines, _):
        done = await asked(trainer, do="begin", fault="belt_slip", target="belt_101", amount=0.3, for_s=60)
        assert done["did"]["name"]["zh"] == "胶带打滑"
        assert "slip → 1 ≤ 15 s" in done["signs"]
        assert "打滑保护" in done["expected"]["zh"]
        assert machines.run(1)["belt_101.slip"][0] == 0.3
        (running,) = (await asked(trainer, do="list"))["running"]
        assert running["until_us"] - running["since_us"] == 60_000_000
        ended = await asked(trainer, do="end", fault="belt_slip", target="belt_101")
        assert ended["running"] == []
        assert machines.run(1)["belt_101.slip"][0] == 0.0


async def test_what_makes_no_sense_is_answered_in_words_and_does_nothing(tmp_path: Path):
    async with served(tmp_path) as (_, trainer, _, tank):
        for request, words in (
            ({"do": "begin", "fault": "belt_slipp", "target": "belt_101"}, "did you mean 'belt_slip'"),
            ({"do": "begin", "fault": "belt_slip", "target": "belt_7"}, "these can: belt_101"),
            ({"do": "begin", "fault": "belt_slip", "target": "belt_101", "amount": 1e400}, "must be"),
            ({"do": "end", "fault": "belt_slip", "target": "belt_101"}, "there are: none"),
            ({"do": "explode"}, "not understood"),
            ({"do": "list", "shell": "rm"}, "not understood"),
        ):
            assert words in (await asked(trainer, **request))["error"]
        for data in (b"", b"\xff\x00", b"[]", b"{" * 3000, b" " * (LONGEST + 1)):
            answer = json.loads(await trainer.request(subjects.fault(CODE), data, 10.0))
            assert "error" in answer
        assert tank.there == {}


async def test_only_the_trainer_may_ask(tmp_path: Path):
    async with served(tmp_path) as (server, _, _, tank):
        for process in ("operator", "engineer", "api"):
            async with await server.connect(process) as bus:
                with pytest.raises((NotPermitted, BusUnavailable)):
                    await asked(bus, do="begin", fault="belt_slip", target="belt_101")
        assert tank.there == {}


async def test_a_mine_goes_on_without_a_bus(tmp_path: Path):
    machines, _ = engine()
    stop = asyncio.Event()
    desk = Desk(Faults(demo(), machines), lambda: machines.now_us)
    await asyncio.wait_for(desk.serve("nats://127.0.0.1:1", tmp_path, CODE, stop), 30)  # no credential there
    assert machines.run(1)["belt_101!state"][0] == 1.0
