"""A version of the site applied as a difference, to real Modbus devices and a real bus."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bus import subjects
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.numbers import BatchNumbers
from gateway.outbox import Outbox
from gateway.pressure import Pressure
from models.identity import point_id
from models.quality import Quality
from models.samples import concat
from models.site import load
from tests.gateway.folders import CODE, Drive, write_site
from tests.gateway.sites import Remembered
from tests.gateway.test_process import whole
from tests.servers import mine_bus


@pytest.fixture
async def drives():
    found = [Drive() for _ in range(3)]
    for drive in found:
        await drive.device.start()
    yield found
    for drive in found:
        await drive.device.close()


async def until(condition, within=30.0):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


def rows_of(sink, path):
    samples = sink.samples()
    return samples.take(samples.point == point_id(f"{CODE}/{path}"))


async def test_only_what_a_version_changes_is_touched(tmp_path, drives):
    one, two, three = drives
    sink = Remembered()
    devices = Devices("edge1", WallClock(), sink)
    ports = {"one": one.device.port, "two": two.device.port}
    await devices.apply(load(write_site(tmp_path / "a", ports)))
    try:
        await until(lambda: one.connects == 1 and two.connects == 1 and len(sink.chunks) > 6)
        assert len(devices) == 2
        same = {connection.spec.name: connection for connection in devices}["one"]
        # two gets another period and loses a point, three is new, one is as it was
        site = write_site(
            tmp_path / "b",
            {**ports, "three": three.device.port},
            periods={"two": "200 ms"},
            points={"two": ("setpoint", "speed")},
            remark="second",
        )
        applied = await devices.apply(load(site))
        assert (applied.added, applied.changed, applied.kept) == (("three",), ("two",), ("one",))
        await until(lambda: two.connects == 2 and three.connects == 1)
        assert one.connects == 1 and same in list(devices)
        bad = rows_of(sink, "two/command")
        assert bad.quality.tolist().count(Quality.BAD_OUT_OF_SERVICE) == 1
        before = len(rows_of(sink, "one/speed"))
        await until(lambda: len(rows_of(sink, "one/speed")) > before + 5)

        applied = await devices.apply(load(write_site(tmp_path / "c", {"one": one.device.port})))
        assert applied.removed == ("three", "two") and applied.kept == ("one",)
        for path in ("two/speed", "two/setpoint", "three/speed", "three/command"):
            rows = rows_of(sink, path)
            assert rows.quality[-1] == Quality.BAD_OUT_OF_SERVICE, "and it is the last word on it"
            assert rows.quality.tolist().count(Quality.BAD_OUT_OF_SERVICE) == 1
            assert np.isnan(rows.value[-1])
        counted = len(sink.samples())
        await until(lambda: len(sink.samples()) > counted + 10)
        assert not two.device.links and not three.device.links, "the devices' connections are closed"
        assert one.connects == 1
        steps = np.diff(rows_of(sink, "one/speed").ts)
        assert steps.min() > 0 and steps.max() < 3 * 1_000_000, "the untouched one has not missed a beat"
    finally:
        await devices.stop(5.0)


async def test_a_device_that_moves_to_another_connection_is_never_said_to_be_out_of_service(tmp_path, drives):
    one, two, _ = drives
    sink = Remembered()
    devices = Devices("edge1", WallClock(), sink)
    folder = write_site(tmp_path / "a", {"one": one.device.port, "two": two.device.port})
    await devices.apply(load(folder))
    try:
        await until(lambda: len(rows_of(sink, "one/speed")) > 3)
        equipment = folder / "equipment" / "drives.yaml"
        text = equipment.read_text().replace("connection: one", "connection: two")
        for old, new in (("hr:0", "hr:6"), ("hr:1", "hr:7"), ("hr:2", "hr:8")):
            text = text.replace(old, new, 1)
        equipment.write_text(text)
        applied = await devices.apply(load(folder))
        assert applied.changed == ("one", "two")
        before = len(rows_of(sink, "one/setpoint"))
        await until(lambda: len(rows_of(sink, "one/setpoint")) > before)
        assert Quality.BAD_OUT_OF_SERVICE not in sink.samples().quality
    finally:
        await devices.stop(5.0)


async def test_p19_a_backlog_in_the_buffer_survives_a_version_that_is_applied(tmp_path, drives):
    one, two, three = drives
    async with mine_bus(tmp_path / "home", CODE) as server:
        numbers = BatchNumbers(tmp_path / "numbers")
        clock = WallClock()
        outbox = Outbox(CODE, "edge1", numbers, clock.now, Pressure(lambda _: None))
        put, read = outbox.put, Remembered()

        def remembered(chunk):
            read.put(chunk)
            put(chunk)

        outbox.put = remembered
        devices = Devices("edge1", clock, outbox)
        bus = await server.connect("gateway-edge1")
        running = [asyncio.create_task(outbox.bridge.run(bus)), asyncio.create_task(outbox.run(bus))]
        try:
            ports = {"one": one.device.port, "two": two.device.port}
            await devices.apply(load(write_site(tmp_path / "a", ports)))
            await until(lambda: outbox.rows_sent > 10)
            await server.process.kill()
            await until(lambda: outbox.bridge.depth_entries > 5)
            ports = {"one": one.device.port, "three": three.device.port}
            await devices.apply(load(write_site(tmp_path / "b", ports)))
            waiting = outbox.bridge.depth_entries
            assert waiting > 5, "what waits was not thrown away"
            await until(lambda: outbox.bridge.depth_entries > waiting + 5)
            await server.process.start()
            await devices.stop(5.0)
            assert await outbox.drain(bus, 30.0)
        finally:
            await devices.stop(5.0)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await bus.close()
            numbers.close()
        stored = concat([batch.samples for batch in await whole(server, subjects.SAMPLES)])
        kept = set(zip(stored.point.tolist(), stored.ts.tolist(), strict=True))
        taken = read.samples()
        missing = set(zip(taken.point.tolist(), taken.ts.tolist(), strict=True)) - kept
        assert not missing and len(taken) == len(stored), "each sample once, from before, during and after"
