"""An interlock asks about what another gateway reads: by its live values over a real bus, and only while they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from bus import subjects
from gateway.control.elsewhere import Elsewhere
from models.control.order import Act
from models.quality import GOOD, Quality
from models.samples import Batch, Samples
from tests.gateway.control.benches import FEEDER, Bench, failed
from tests.gateway.sites import CODE, connection
from tests.servers import mine_bus

METHANE = f"{CODE}/ch4_101/ch4"
SILENCE_S = 1.0


class Apart(Bench):
    """The methane sensor is edge2's: the feeder, which closes below 0.8 %, is ours."""

    def site(self):
        made = super().site()
        points = tuple(
            replace(one, connection="far", silence_s=SILENCE_S) if one.path == METHANE else one for one in made.points
        )
        far = replace(connection("far", "scripted"), gateway="edge2")
        return replace(made, connections={**made.connections, "far": far}, points=points)


class Sensor:
    """What edge2 says of it."""

    def __init__(self, bus, bench):
        self.bus, self.clock, self.number = bus, bench.clock.wall, 0
        self.point = next(point for point in bench.site().points if point.path == METHANE)

    async def says(self, value, quality=GOOD):
        self.number += 1
        now = self.clock.now()
        one = Samples(
            np.array([self.point.id], np.uint64), np.array([now], np.int64), np.array([value]),
            np.array([quality], np.uint8),
        )  # fmt: skip
        await self.bus.live(subjects.live(CODE, "edge2"), Batch("edge2", self.number, now, one).encode())


@pytest.fixture
async def both(tmp_path):
    async with mine_bus(tmp_path / "bus", CODE, gateways=("edge1", "edge2")) as server:
        ours, theirs = await server.connect("gateway-edge1"), await server.connect("gateway-edge2")
        bench = Apart(tmp_path)
        bench.elsewhere = Elsewhere(CODE, bench.clock.monotonic)
        async with bench:
            task = asyncio.create_task(bench.elsewhere.run(ours))
            yield bench, Sensor(theirs, bench)
            task.cancel()
        await ours.close()
        await theirs.close()


async def test_it_holds_by_good_values_that_are_not_too_old_and_by_nothing_else(both):
    bench, sensor = both
    zhao = bench.person("赵工", "electrician")

    async def close():
        return failed(await bench.send(zhao, Act.SELECT, point=FEEDER, value=1))

    assert await close() == ["interlock"], "nothing is known before it was heard"
    async with asyncio.timeout(15):
        while await close():  # it is being listened to a moment after the start
            await sensor.says(0.3)
            await asyncio.sleep(0.05)
    await sensor.says(0.9)
    await bench.until(lambda: bench.elsewhere.good(METHANE) == 0.9)
    assert await close() == ["interlock"]
    await sensor.says(0.3)
    await bench.until(lambda: bench.elsewhere.good(METHANE) == 0.3)
    bench.gate.use(bench.site())
    assert await close() == [], "a new version of the site forgets nothing that it asks about as before"
    await sensor.says(0.2, Quality.UNCERTAIN)
    await bench.until(lambda: bench.elsewhere.good(METHANE) is None)
    assert await close() == ["interlock"], "what is only uncertain starts nothing"
    await sensor.says(0.3)
    await bench.until(lambda: bench.elsewhere.good(METHANE) == 0.3)
    bench.clock.set_s -= 3600.0
    bench.clock.ahead_s += SILENCE_S + 3.0
    refused = await bench.send(zhao, Act.SELECT, point=FEEDER, value=1)
    assert failed(refused) == ["interlock"] and "not known" in refused["reason"]["en"], (
        "silent, whatever the clock says"
    )
    assert (await bench.send(zhao, Act.EXECUTE, point=FEEDER, value=2))["outcome"] == "done", "switching off always"
