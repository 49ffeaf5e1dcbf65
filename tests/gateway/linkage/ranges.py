"""A range of power at a real Modbus device: a methane sensor, a feeder that obeys, its feed, and rules over them."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace

from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.ledger import Ledger
from gateway.linkage.edge import Linkages
from gateway.telling import Telling
from gateway.writer import Writer
from models.command import Command
from models.site.model import Act, Comparison, Conditions, Kind, Linkage, Name, OnLost, Restore
from simulators.devices.modbus import Area, ModbusDevice, Unit
from tests.gateway.sites import CODE, Remembered, connection, point, site

CH4, COMMAND, FEED, SPARE = 0, 1, 2, 3
OPEN, CLOSE = 2, 1
STATES = {0: Name("无", "none"), 1: Name("合", "close"), 2: Name("分", "open"), 3: Name("复位", "reset")}


def path(key):
    return f"{CODE}/e/{key}"


def at_least(key, value, lasting_s=0.0):
    return Comparison(path(key), value, math.inf, lasting_s, f"{key} ≥ {value:g}")


def below(key, value):
    return Comparison(path(key), -math.inf, math.nextafter(value, 0), 0.0, f"{key} < {value:g}")


def equals(key, value):
    return Comparison(path(key), value, value, 0.0, f"{key} = {value:g}")


CUT = Linkage(
    id="cut",
    name=Name("断电", "cut-off"),
    act=Act.POWER_OFF,
    mine=False,
    when=Conditions((at_least("ch4", 1.5),), every=False),
    then=(equals("feed", 0),),
    command={path("command"): OPEN},
    within_s=2.0,
    source="test",
    gateways=("edge1",),
    restore=Restore(Conditions((below("ch4", 1.0),), every=True), automatic=False),
    on_lost=OnLost.TRIP,
    lost_after_s=1.5,
    priority=1,
    latched=True,
)
SPRAY = replace(
    CUT, id="spray", act=Act.START, when=Conditions((at_least("ch4", 0.8),), every=False), then=(), priority=2,
    command={path("spare"): 1}, restore=None, on_lost=OnLost.HOLD, latched=False,
)  # fmt: skip


class Range:
    """The devices, the gateway's parts on them, and what they did. Sensor and feeder are two devices."""

    def __init__(self, folder, *rules, period_s=0.1):
        self.folder, self.rules, self.period_s = folder, rules or (CUT,), period_s
        self.gas, self.power = Area(2, 4), Area(2, 4)
        self.sensor = ModbusDevice({1: Unit({"hr": self.gas})})
        self.feeder = ModbusDevice({1: Unit({"hr": self.power})})
        self.obeys, self.writes, self.noted = True, [], []
        self.feeder.written = self._written
        self.clock = WallClock()

    def _written(self, _unit, _function, address):
        value = self.read(self.power, address)
        self.writes.append((address, value))
        file = self.folder / "latches.json"
        self.noted.append(json.loads(file.read_text())["tripped"] if file.exists() else [])
        if address == COMMAND and self.obeys:
            self.put(self.power, FEED, {OPEN: 0, CLOSE: 1}.get(value, self.read(self.power, FEED)))

    @staticmethod
    def put(area, address, value):
        image = area.image
        area.image = image[: 2 * address] + int(value).to_bytes(2, "big") + image[2 * address + 2 :]

    @staticmethod
    def read(area, address):
        return int.from_bytes(area.image[2 * address : 2 * address + 2], "big")

    def methane(self, value):
        self.put(self.gas, CH4, round(100 * value))

    async def __aenter__(self):
        self.put(self.power, FEED, 1)
        self.methane(0.3)
        await self.sensor.start()
        await self.feeder.start()
        await self.open()
        return self

    def site(self):
        word = {"kind": Kind.STATE, "type": "uint16", "unit": ""}
        groups = {"fast": self.period_s}
        where = {"host": "127.0.0.1", "timeout_s": 1.0}
        points = [
            point("ch4", connection="sensor", address="hr:0", factor=0.01, type="uint16", unit="%CH4"),
            point("command", connection="feeder", address="hr:1", states=STATES, writable=True, **word),
            point("feed", connection="feeder", address="hr:2", **word),
            point("spare", connection="feeder", address="hr:3", states=STATES, writable=True, **word),
        ]
        made = site(
            [
                connection("sensor", "modbus", groups, port=self.sensor.port, **where),
                connection("feeder", "modbus", groups, port=self.feeder.port, **where),
            ],
            points,
        )
        return replace(made, linkages=tuple(self.rules))

    async def open(self):
        self.sink = Remembered()
        self.devices = Devices("edge1", self.clock, self.sink)
        self.ledger = Ledger(self.folder / "writes.json", self.clock.now)
        emit = self.sink.emit_events
        self.writer = Writer(self.devices, self.ledger, self.clock, Telling(CODE, "edge1", emit), every_s=0.0)
        self.linkages = Linkages(
            CODE, "edge1", self.devices, self.writer, self.clock, emit, self.folder / "latches.json"
        )
        await self.devices.apply(self.site())
        self.linkages.apply(self.site())
        await self.until(lambda: all(bool(one.acquisition.answered.all()) for one in self.devices))

    async def lose(self):
        """End all tasks as a kill does: nothing is brought to an end, nothing written."""
        if self.linkages._timer is not None:
            self.linkages._timer.cancel()
        for task in [*self.linkages._acting._tasks.values(), *self.writer._under_way.values()]:
            task.cancel()
        await self.devices.stop(5.0)

    async def __aexit__(self, *_):
        await self.linkages.stop(1.0)
        await self.lose()
        await self.sensor.close()
        await self.feeder.close()

    @staticmethod
    async def until(condition, within=15.0):
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.005)

    def told(self, act):
        """The events of one act, the latest telling of each."""
        found = {e.id: e for e in self.sink.events if e.kind == "linkage" and e.attributes["act"] == act}
        return list(found.values())

    async def write(self, key, value):
        deadline = self.clock.now() + 5_000_000
        return await self.writer.carry_out(Command(f"c{len(self.sink.events)}", path(key), value, "王工", deadline))
