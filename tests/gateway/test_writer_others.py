"""Writing to devices that describe themselves, and to those that only send by themselves."""

from __future__ import annotations

import asyncio
import json
import time
from typing import ClassVar

import aiomqtt
import pytest

from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.ledger import Ledger
from gateway.telling import Telling
from gateway.writer import Writer
from models.command import Command, Outcome
from models.site.model import Name
from protocols.adapter import Delivers, LinkLost, Sheet, Supports
from tests.gateway.scripted import DEVICES, Device, Told, delivery
from tests.gateway.sites import CODE, Remembered, connection, point, site
from tests.protocols.mqtt.broker import PASSWORD, USER
from tests.protocols.mqtt.conftest import broker
from tests.protocols.opcua.conftest import machine
from tests.protocols.opcua.machine import Machine

__all__ = ["broker", "machine"]


class Bench:
    def __init__(self, folder, made, **more):
        self.clock, self.events = WallClock(), []
        self.devices = Devices("edge1", self.clock, Remembered(), **more)
        self.made = made
        ledger = Ledger(folder / "writes.json", self.clock.now)
        self.writer = Writer(self.devices, ledger, self.clock, Telling(CODE, "edge1", self.events.extend), 0.0)

    async def __aenter__(self):
        await self.devices.apply(self.made)
        self.task = asyncio.create_task(self.writer.run())
        async with asyncio.timeout(30):
            while next(iter(self.devices)).adapter is None:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await self.devices.stop(5.0)

    async def write(self, key, value):
        command = Command(f"c{time.monotonic_ns()}", f"{CODE}/e/{key}", value, "x", self.clock.now() + 10_000_000)
        return await self.writer.carry_out(command)


async def test_an_opc_ua_value_is_written_and_read_back(tmp_path, machine: Machine):
    spec = connection("opc", "opcua", {}, **machine.settings())
    points = [
        point(key, "opc", "", address=f"nsu=urn:test:machine;s={name}", writable=True, **more)
        for key, name, more in (
            ("speed", "Speed", {"factor": 0.1}),
            ("count", "Count", {}),
            ("level", "Level", {"type": "float32"}),
            ("locked", "Locked", {}),
        )
    ]
    async with Bench(tmp_path, site([spec], points)) as bench:
        answer = await bench.write("speed", 1.25)
        assert (answer.outcome, answer.value) == (Outcome.DONE, 1.25)
        assert await machine.order(get="Speed") == pytest.approx(12.5)
        assert (await bench.write("count", 7)).outcome is Outcome.DONE and await machine.order(get="Count") == 7
        assert (await bench.write("level", 0.1)).outcome is Outcome.DONE
        refused = await bench.write("locked", 1)
        assert refused.outcome is Outcome.REFUSED and refused.reason.zh.startswith("设备拒绝")
        odd = await bench.write("count", 1.5)
        assert odd.outcome in (Outcome.FAILED, Outcome.REFUSED) and await machine.order(get="Count") == 7


class Echo(Told):
    """Sends by itself, takes writes, and shows what was written a little later, if its mode says so."""

    sheet: ClassVar[Sheet] = Sheet(
        "echo", Name("回显", "echo"), Supports.SUBSCRIBE | Supports.WRITE, Delivers.AT_LEAST_ONCE, True, Name("", "")
    )

    async def write(self, tag, value):
        if self.device.mode == "lost":
            self.device.mode = "answer"
            await self.device.inbox.put(delivery([(tag.index, float(value), time.time_ns() // 1000)]))
            raise LinkLost("the link broke")
        now = time.time_ns() // 1000
        await self.device.inbox.put(delivery([(tag.index, -1.0, now)]))
        if self.device.mode == "answer":
            later = delivery([(tag.index, float(value), now + 1)])
            asyncio.get_running_loop().call_later(0.1, self.device.inbox.put_nowait, later)


async def test_a_device_that_sends_by_itself_is_verified_by_what_it_sends_after_the_write(tmp_path):
    device = DEVICES["d"] = Device()
    spec = connection("told", "echo", {}, device="d")
    made = site([spec], [point("a", "told", "", address="a", writable=True, factor=0.5)])
    async with Bench(tmp_path, made, adapters=lambda _: Echo) as bench:
        answer = await bench.write("a", 4)
        assert (answer.outcome, answer.value) == (Outcome.DONE, 4)
        device.mode = "mute"
        answer = await bench.write("a", 6)
        assert answer.outcome is Outcome.FAILED and answer.value == -0.5
        device.mode = "lost"
        answer = await bench.write("a", 8)
        assert answer.outcome is Outcome.UNKNOWN
        async with asyncio.timeout(15):
            while bench.writer.blocked(f"{CODE}/e/a"):
                await asyncio.sleep(0.02)
        assert bench.events[-1].attributes["outcome"] == "done" and bench.events[-1].attributes["held"] == 8
        assert [event.attributes["outcome"] for event in bench.events] == ["done", "failed", "unknown", "done"]


async def test_an_mqtt_device_is_written_by_a_command_and_says_itself_what_it_holds(tmp_path, broker):
    async def fan(answers):
        async with aiomqtt.Client("127.0.0.1", broker.port, username="device", password=PASSWORD) as client:
            await client.subscribe("mine/fan/set", qos=1)
            ready.set()
            async for message in client.messages:
                wanted = json.loads(message.payload)["to"]
                got.append(wanted)
                if answers(wanted) is not None:
                    await client.publish("mine/fan/seen", json.dumps({"speed": answers(wanted)}), qos=1)
                await client.publish("mine/fan/state", json.dumps({"speed": answers(wanted) or 39}), qos=1)

    ready, got = asyncio.Event(), []
    login = {"user": USER, "password": PASSWORD, "client_id": "gw", "timeout_s": 3}
    spec = connection("fan", "mqtt", {}, host="127.0.0.1", port=broker.port, **login)
    options = {"command": "mine/fan/set", "template": '{"to": {value}}', "read_back": "mine/fan/seen#speed"}
    made = site([spec], [point("speed", "fan", "", address="mine/fan/state#speed", writable=True, options=options,
                               factor=0.1)])  # fmt: skip
    device = asyncio.create_task(fan({30: 30, 40: 39}.get))
    async with Bench(tmp_path, made) as bench, asyncio.timeout(60):
        await ready.wait()
        answer = await bench.write("speed", 3)
        assert (answer.outcome, answer.value) == (Outcome.DONE, 3), answer
        for value, words in ((4, "still said 39"), (5, "not verified")):
            answer = await bench.write("speed", value)
            assert answer.outcome is Outcome.UNKNOWN and words in answer.reason.en
            while bench.writer.blocked(f"{CODE}/e/speed") is not None:  # until it says itself what it holds
                await asyncio.sleep(0.02)
        assert got == [30, 40, 50]
    device.cancel()
    await asyncio.gather(device, return_exceptions=True)
