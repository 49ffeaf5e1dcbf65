"""A sensor of one gateway cuts the power behind another, over the bus alone: no store, no api, no watch."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bus import subjects
from gateway.process import run
from models.events import EventBatch
from tests.gateway.linkage.ranges import COMMAND, CUT, OPEN, Range, path
from tests.gateway.sites import CODE
from tests.servers import mine_bus


class Apart(Range):
    """The sensor is edge1's, the feeder edge2's."""

    async def open(self):
        return

    def site(self):
        made = super().site()
        connections = {name: replace(one, gateway="edge1" if name == "sensor" else "edge2")
                       for name, one in made.connections.items()}  # fmt: skip
        points = tuple(replace(one, silence_s=1.0) if one.key == "ch4" else one for one in made.points)
        return replace(made, connections=connections, points=points)

    async def __aexit__(self, *_):
        await self.sensor.close()
        await self.feeder.close()


async def test_a_sensor_of_another_gateway_trips_by_its_value_and_by_its_silence(tmp_path):
    far = replace(CUT, gateways=("edge2",), within_s=40.0, lost_after_s=1.0)
    async with mine_bus(tmp_path, gateways=("edge1", "edge2")) as bus, Apart(tmp_path, far) as range_:
        stops = {name: asyncio.Event() for name in ("edge1", "edge2")}

        def gateway(name):
            credential = bus.credentials.processes[f"gateway-{name}"]
            return asyncio.create_task(run(range_.site(), name, tmp_path, bus.url, credential, stops[name]))

        latches = tmp_path / "gateway" / "edge2" / "latches.json"
        tasks = [gateway("edge2")]
        await asyncio.sleep(0.5)
        assert not range_.writes, "a sensor that has not come yet is waited for"
        tasks.append(gateway("edge1"))
        store = await bus.connect("store")
        heard = asyncio.Event()

        async def beat(subject, data):
            heard.set()

        await store.listen(subjects.state(CODE, "gateway-edge1"), beat)
        async with asyncio.timeout(30):
            await heard.wait()
        await asyncio.sleep(1.5)
        assert not range_.writes
        range_.methane(1.6)
        began = range_.clock.now()
        await range_.until(lambda: (COMMAND, OPEN) in range_.writes, within=3 * 5)
        assert range_.clock.now() - began < 40_000_000
        assert latches.exists()
        # Once more from the beginning, by silence.
        stops["edge2"].set()
        await tasks[0]
        latches.unlink()
        range_.writes.clear()
        range_.methane(0.2)
        stops["edge2"] = asyncio.Event()
        tasks[0] = gateway("edge2")
        consumer = await store.consumer(subjects.EVENTS, "store")
        await asyncio.sleep(1.5)
        assert not range_.writes
        stops["edge1"].set()
        await range_.until(lambda: (COMMAND, OPEN) in range_.writes, within=30)
        lost = []
        async with asyncio.timeout(30):
            while not lost:
                messages = await consumer.fetch(500, None, 1)
                await consumer.acknowledge(messages)
                events = [event for message in messages for event in EventBatch.decode(message.data).events]
                lost = [event for event in events if event.kind == "linkage" and event.attributes["act"] == "lost"]
        assert lost[0].attributes["inputs"][0]["point"] == path("ch4") and lost[0].source == "gateway-edge2"
        stops["edge2"].set()
        await asyncio.gather(*tasks)
        await store.close()
