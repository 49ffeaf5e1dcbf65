"""A gateway killed with -9 while it cuts the power, with no bus, no store and no api anywhere."""

from __future__ import annotations

import asyncio
import json
import random
import sys

import pytest

from bus import credentials
from tests.gateway import folders
from tests.gateway.linkage.ranges import CLOSE, COMMAND, FEED, OPEN, Range
from tests.gateway.sites import CODE
from tests.ports import free_port


class Killed(Range):
    """A range whose gateway is a process."""

    async def open(self):
        credentials.make_all(self.folder, CODE, ("edge1",))
        self.process = None
        await self.start()

    async def start(self):
        order = {"home": str(self.folder), "sensor": self.sensor.port, "feeder": self.feeder.port,
                 "bus": f"nats://127.0.0.1:{free_port()}"}  # fmt: skip
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway.linkage.child", json.dumps(order),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        before = self.feeder.requests, self.sensor.requests
        await self.until(lambda: self.feeder.requests > before[0] and self.sensor.requests > before[1], within=45)

    async def kill(self):
        self.process.kill()
        await self.process.wait()

    def tripped(self):
        file = self.folder / "gateway" / "edge1" / "latches.json"
        return json.loads(file.read_text())["tripped"] if file.exists() else []

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            await self.kill()
        await self.sensor.close()
        await self.feeder.close()


async def test_the_power_is_cut_in_time_without_a_platform_and_stays_cut_over_a_kill(tmp_path):
    async with Killed(tmp_path) as range_:
        range_.methane(1.6)
        began = range_.clock.now()
        await range_.until(lambda: (COMMAND, OPEN) in range_.writes, within=3 * 2.0)
        took = range_.clock.now() - began
        assert took < 3 * 2_000_000
        assert [latch["rule"] for latch in range_.tripped()] == ["cut"], "noted before it was written"
        await range_.kill()
        range_.methane(0.2)
        await range_.start()
        await range_.until(lambda: range_.tripped()[0]["done"])
        await asyncio.sleep(1.0)
        # Until it has told where its door is now: what it told before it was killed is still there.
        [shown] = await folders.until(lambda: folders.ask(tmp_path, "/linkage")["tripped"])
        assert (shown["rule"], shown["held"]) == ("cut", True)
        assert range_.read(range_.power, FEED) == 0 and (COMMAND, CLOSE) not in range_.writes
        assert range_.tripped()[0]["rule"] == "cut", "nothing restores by itself"


@pytest.mark.proof
@pytest.mark.timeout(3600)
async def test_killed_at_any_moment_a_decision_is_carried_out_or_was_never_made(tmp_path):
    chance = random.Random(11)
    async with Killed(tmp_path) as range_:
        for _ in range(40):
            range_.methane(1.6)
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            await range_.kill()
            noted, written = bool(range_.tripped()), (COMMAND, OPEN) in range_.writes
            assert noted or not written, "written and not noted"
            range_.methane(0.2)
            await range_.start()
            if noted:
                await range_.until(lambda: range_.read(range_.power, FEED) == 0)
                assert range_.tripped()[0]["rule"] == "cut"
            await range_.kill()
            (tmp_path / "gateway" / "edge1" / "latches.json").unlink(missing_ok=True)
            range_.put(range_.power, FEED, 1)
            range_.put(range_.power, COMMAND, 0)
            range_.writes.clear()
            await range_.start()
