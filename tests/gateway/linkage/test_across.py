"""A sensor of one gateway cuts the power behind another, over the bus alone: no store, no api, no watch."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np

from bus import authority, subjects
from gateway.linkage.hear import Far
from gateway.process import run
from models.control.order import Act, Order
from models.events import EventBatch
from models.quality import Quality
from models.samples import Batch, Samples
from tests.gateway.linkage.ranges import COMMAND, CUT, OPEN, Range, path
from tests.gateway.sites import CODE, point
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


async def restored(bus, signer, range_):
    """What becomes of a signed order to restore the cut-off behind edge2."""
    now = range_.clock.now()
    order = Order(id=f"r{now}", act=Act.RESTORE, site=CODE, gateway="edge2", serial="", deadline=now + 5_000_000,
                  equipment="cut", reason="已排放")  # fmt: skip
    data = await bus.request(subjects.command(CODE, "edge2"), signer.sign(order).encode(), 15.0)
    return json.loads(data)["outcome"]


def test_a_gateway_that_is_silent_is_so_whatever_the_wall_clock_says_and_whatever_version_is_applied():
    one = point("ch4", silence_s=10.0)
    far = Far("edge1", [one])
    now = 5_000_000
    assert far.quality(now)[0] == Quality.BAD_LAST_KNOWN, "never heard"
    samples = Samples(np.array([one.id], np.uint64), np.array([9_000_000_000_000_000]), np.array([0.4]),
                      np.array([192], np.uint8))  # fmt: skip
    assert far.take(Batch("edge1", 1, 0, samples), now)
    again = Far("edge1", [point("other"), one])
    again.carry_on(far)
    for patient in (far.quality, lambda at: again.quality(at)[1:]):
        assert patient(now + 12_000_000)[0] == 192 and patient(now + 12_000_001)[0] == Quality.BAD_LAST_KNOWN
    assert again.value[1] == 0.4


def test_a_gateway_whose_clock_is_set_back_is_heard():
    one, now = point("ch4"), 1_772_380_800_000_000
    far = Far("edge1", [one])

    def says(value, ts):
        columns = np.array([one.id], np.uint64), np.array([ts]), np.array([value]), np.array([192], np.uint8)
        far.take(Batch("edge1", 1, ts, Samples(*columns)), 0)
        return float(far.value[0])

    assert says(0.3, now + 3_600_000_000) == 0.3  # its clock was an hour ahead
    assert says(1.7, now) == 1.7 and far.ts[0] == now
    assert says(0.2, now - 1_000_000) == 1.7, "what came late is not what is so now"


async def test_a_sensor_of_another_gateway_trips_by_its_value_and_by_its_silence(tmp_path):
    far = replace(CUT, gateways=("edge2",), within_s=40.0, lost_after_s=3.0)
    async with mine_bus(tmp_path, gateways=("edge1", "edge2")) as bus, Apart(tmp_path, far) as range_:
        stops = {name: asyncio.Event() for name in ("edge1", "edge2")}
        authority.init(tmp_path, CODE)
        authority.issue(tmp_path, "周工", ["safety"], tmp_path / "zhou", range_.clock.now())
        signer = authority.signer(tmp_path / "zhou")

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
        # A person restores it over the bus, as soon as it may be.
        api = await bus.connect("api")
        assert await restored(api, signer, range_) == "refused"
        range_.methane(0.2)
        async with asyncio.timeout(30):
            while await restored(api, signer, range_) != "done":
                await asyncio.sleep(0.2)
        assert json.loads(latches.read_text()) == {"tripped": []}
        await api.close()
        # Once more from the beginning, by silence.
        stops["edge2"].set()
        await tasks[0]
        range_.writes.clear()
        stops["edge2"] = asyncio.Event()
        tasks[0] = gateway("edge2")
        consumer = await store.consumer(subjects.EVENTS, "store")
        await asyncio.sleep(4.0)  # the sensor is said again each second, and so heard by then
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
