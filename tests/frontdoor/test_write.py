"""`sevenones write` to a simulated device, through a real bus and a real gateway process."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from bus import subjects
from bus.connection import BusUnavailable, NotPermitted
from models.command import Command as Order
from models.events import EventBatch
from sevenones.commands.write import describe
from tests.gateway.folders import CODE, Command, Drive, ask, sevenones, sevenones_apart, until, write_site
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)
SETPOINT = f"{CODE}/belt/setpoint"


@pytest.fixture
async def plant(tmp_path):
    drive = Drive()
    await drive.device.start()
    async with mine_bus(tmp_path, CODE) as server:
        folder = write_site(tmp_path / "site", {"belt": drive.device.port})
        words = ("--site", str(folder), "--home", str(tmp_path), "--bus", server.url, "--write-every", "0.1")
        gateway = Command("gateway", *words)
        await gateway.start()
        try:
            await until(lambda: ask(tmp_path, "/state")["connections"]["belt"]["groups"]["fast"]["answered"] > 2)
            yield server, drive, gateway, ("--home", str(tmp_path), "--bus", server.url)
        finally:
            await gateway.end()
            await drive.device.close()


async def events(server):
    async with await server.connect("store") as store:
        consumer = await store.consumer(subjects.EVENTS, "store")
        found = []
        while messages := await consumer.fetch(100, None, 1.0):
            found += [event for message in messages for event in EventBatch.decode(message.data).events]
            await consumer.acknowledge(messages)
        return [{"equipment": event.equipment, "end": event.end, **event.attributes} for event in found]


async def test_write_shows_what_is_asks_writes_and_reads_back(plant):
    server, drive, _, where = plant
    code, said = await sevenones("write", SETPOINT, "3.25", *where, stdin="y\n")
    assert code == 0, said
    assert "给定速度 · Speed setpoint" in said and "now    0.0 m/s" in said and "new      3.25 m/s" in said
    assert "已写入 · done 3.25 m/s" in said
    assert drive.register(0) == 325
    code, said = await sevenones("write", SETPOINT, "1", *where, "--gateway", "edge1", stdin="n\n")
    assert code == 1 and "nothing was written" in said and drive.register(0) == 325
    code, said = await sevenones("write", f"{CODE}/belt/command", "启动", "--yes", "--who", "李工", *where)
    assert code == 0 and drive.register(1) == 1, said
    for words, reason in (
        ((SETPOINT, "5.5"), "outside 0 … 5 m/s"),
        ((SETPOINT, "-0.5"), "-0.5 is outside 0 … 5 m/s"),
        ((SETPOINT, "1.234"), "nearest are 1.23 and 1.24"),
        ((f"{CODE}/belt/speed", "1"), "not declared writable"),
        ((f"{CODE}/belt/none", "1"), "no gateway reads the point"),
    ):
        code, said = await sevenones(
            "write", *words, "--yes", *where, *(("--gateway", "edge1") if "none" not in words[0] else ())
        )
        assert code == 1 and reason in said, said
    told = await events(server)
    assert [event["outcome"] for event in told] == ["done", "done", "refused", "refused", "refused", "refused"]
    assert (told[0]["from"], told[0]["held"], told[1]["who"]) == (0.0, 3.25, "李工")


def test_numbers_are_shown_as_they_were_written():
    now = {"value": 330 * 0.01, "unit": "m/s", "states": {}, "age_s": None, "point": SETPOINT, "connected": True}
    now |= {"quality_words": {"zh": "好", "en": "good"}, "name": {"zh": "给定", "en": "Set"}, "unsettled": False}
    assert "now    3.3 m/s " in describe(now, "1", None)


async def test_no_other_credential_writes(plant):
    server, drive, _, _ = plant
    order = Order("c1", SETPOINT, 1.0, "x", 1 << 60).encode()
    for process in ("cli", "store", "gateway-edge1", "admin"):
        async with await server.connect(process) as bus:
            with pytest.raises(NotPermitted):
                await bus.request(subjects.command(CODE, "edge1"), order, 2.0)
    assert drive.register(0) == 0


async def test_a_gateway_killed_in_the_middle_of_a_write_reads_back_before_it_writes_again(plant, tmp_path):
    server, drive, gateway, where = plant
    sent = asyncio.Event()

    def take(*_):
        drive.device.delay_s, drive.device.fault = 30.0, "hang"
        sent.set()

    drive.device.written = take
    async with await server.connect("operator") as operator:
        words = ("write", SETPOINT, "2", "--yes", "--within", "2", *where, "--gateway", "edge1")
        asking = asyncio.create_task(sevenones_apart(*words))
        async with asyncio.timeout(30):
            await sent.wait()
        await gateway.end(signal.SIGKILL)
        (tmp_path / "metrics" / "gateway-edge1.json").unlink()
        drive.device.written, drive.device.delay_s = None, 0.0
        await gateway.start()
        await until(lambda: ask(tmp_path, "/state")["process"])

        async def look():
            request = json.dumps({"look": SETPOINT}).encode()
            try:
                return json.loads(await operator.request(subjects.command(CODE, "edge1"), request, 5.0))
            except BusUnavailable as error:
                return {"error": str(error)}

        async with asyncio.timeout(30):
            while "error" in (seen := await look()):
                await asyncio.sleep(0.1)
        assert seen["unsettled"]["to"] == 2
        code, said = await sevenones("write", SETPOINT, "4", "--yes", *where, "--gateway", "edge1")
        assert code == 1 and "outcome is unknown" in said and drive.register(0) == 200, said
        drive.device.fault = None
        async with asyncio.timeout(30):
            while (await look())["unsettled"]:
                await asyncio.sleep(0.1)
        code, said = await sevenones("write", SETPOINT, "4", "--yes", *where, "--gateway", "edge1")
        assert code == 0 and drive.register(0) == 400, said
        code, said = await asking
        assert code == 3 and "unknown" in said
    told = await events(server)
    assert [event["outcome"] for event in told] == ["unknown", "refused", "done", "done"]
    assert told[0]["end"] is None and told[2]["command"] == told[0]["command"] and told[2]["end"]
