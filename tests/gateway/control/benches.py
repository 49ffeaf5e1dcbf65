"""A gateway's doors over a real Modbus device, with persons of an authority: two belts and a feeder."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import orjson

from bus import authority
from gateway.clock import WallClock
from gateway.control.control import Control
from gateway.control.gate import Gate
from gateway.control.record import Record
from gateway.control.tags import Tags
from gateway.control.verifier import Verifier
from gateway.devices import Devices
from gateway.ledger import Ledger
from gateway.orders import Orders
from gateway.telling import Telling
from gateway.writer import Writer
from models.control.effects import Effect
from models.control.order import Act, Order
from models.control.policy import policy
from models.identity import point_id
from models.site.interlocks import Interlock, Requirement
from models.site.model import Area, Equipment, Kind, Name, Point
from models.thing import CONTROL_MODES
from simulators.devices.modbus import Area as Registers
from simulators.devices.modbus import ModbusDevice, Unit
from tests.gateway.sites import CODE, Remembered, connection, point, site

RUN = {0: Name("无", "none"), 1: Name("启动", "start"), 2: Name("停止", "stop"), 3: Name("复位", "reset")}
BREAKER = {0: Name("无", "none"), 1: Name("合闸", "close"), 2: Name("分闸", "open"), 3: Name("复位", "reset")}
STATE = {0: Name("停止", "stopped"), 1: Name("运行", "running")}
MODES = {int(mode): name for mode, name in CONTROL_MODES.items()}

POINTS = [
    ("belt_101", "command", "command.run", RUN),
    ("belt_101", "mode", "control.mode", MODES),
    ("belt_101", "mode_command", "command.mode", MODES),
    ("belt_101", "speed_set", "command.speed", None),
    ("belt_102", "command", "command.run", RUN),
    ("belt_102", "running", "run.state", STATE),
    ("feeder_1", "command", "command.breaker", BREAKER),
    ("feeder_1", "mode", "control.mode", MODES),
    ("ch4_101", "ch4", "ch4", None),
    ("plain", "set", "", None),
]
"""Their registers, in this order: 0, 1, …"""
PLACE = {f"{machine}/{key}": at for at, (machine, key, _, _) in enumerate(POINTS)}
AREAS = {"belt_101": "face", "belt_102": "roadway", "feeder_1": "face", "ch4_101": "face", "plain": "roadway"}
PLACES = ("face", "roadway")
BELT, FEEDER, SPEED = "belt_101/command", "feeder_1/command", "belt_101/speed_set"


def made_site(port):
    """`belt_101` starts only onto a running `belt_102`; `feeder_1` closes only below 0.8 % methane."""
    points = []
    for machine, key, role, states in POINTS:
        path = f"{CODE}/{machine}/{key}"
        kind = Kind.ANALOG if states is None else Kind.STATE
        analog = {} if states is not None else {"factor": 0.1, "low": 0.0, "high": 8.0}
        made: Point = point(
            key, address=f"hr:{PLACE[f'{machine}/{key}']}", type="uint16", unit="", role=role, kind=kind,
            states=states or {}, writable=key in ("command", "mode_command", "speed_set", "set"), **analog,
        )  # fmt: skip
        points.append(replace(made, path=path, id=point_id(path), equipment=machine))
    interlocks = (
        Interlock(
            "onto_102", Name("前级胶带运行", "the outby belt runs"), "belt_101", "", (Effect.START,),
            (Requirement(f"{CODE}/belt_102/running", "equals", 1.0),), "test",
        ),
        Interlock(
            "gas", Name("瓦斯低于复电值", "methane below restore"), "feeder_1", f"{CODE}/feeder_1/command",
            (Effect.POWER_ON,), (Requirement(f"{CODE}/ch4_101/ch4", "below", 0.8),), "test",
        ),
    )  # fmt: skip
    made = site([connection("plc", "modbus", {"fast": 0.02}, host="127.0.0.1", port=port, timeout_s=1.0)], points)
    return replace(
        made,
        areas={name: Area(name, Name(name, name), None if name == "mine" else "mine") for name in ("mine", *PLACES)},
        equipment={name: Equipment(name, "t", Name(name, name), area) for name, area in AREAS.items()},
        interlocks=interlocks,
    )  # fmt: skip


class Monotonic:
    """A clock that a test may push ahead, and of which it may set the wall clock."""

    def __init__(self):
        self.ahead_s = self.set_s = 0.0
        self.wall = WallClock()

    def now(self):
        return self.wall.now() + int(self.set_s * 1e6)

    def monotonic(self):
        return self.wall.monotonic() + int(self.ahead_s * 1e6)


class Bench:
    """The device, the gateway's doors and the persons. `home` outlives `shut` and `open`, like a gateway's."""

    def __init__(self, home, *, signed=True):
        self.home = home
        self.registers = Registers(2, len(POINTS))
        self.device = ModbusDevice({1: Unit({"hr": self.registers})})
        self.clock, self.events, self.count, self.persons = Monotonic(), [], 0, {}
        self.elsewhere = None
        if signed:
            authority.init(home, CODE)

    def site(self):
        return made_site(self.device.port)

    async def __aenter__(self):
        await self.device.start()
        self.set("belt_101/mode", 2)
        self.set("feeder_1/mode", 2)
        await self.open()
        return self

    async def __aexit__(self, *_):
        await self.shut()
        await self.device.close()

    async def open(self):
        self.devices = Devices("edge1", self.clock.wall, Remembered())
        made = self.site()
        await self.devices.apply(made)
        kept = self.home / "gateway" / "control"
        self.tags = Tags(kept / "tags.json")
        self.gate = Gate(self.devices, self.tags, policy(), self.elsewhere)
        self.gate.use(made)
        ledger = Ledger(self.home / "writes.json", self.clock.now)
        telling = Telling(CODE, "edge1", self.events.extend)
        self.writer = Writer(self.devices, ledger, self.clock, telling, 0.0, self.gate)
        record = Record(CODE, "edge1", self.events.extend)
        self.control = Control(
            CODE, "edge1", Verifier.of(self.home, kept), self.devices, self.writer, self.gate, self.tags, self.clock,
            record, policy(),
        )  # fmt: skip
        self.orders = Orders(self.devices, self.writer, self.clock, self.control, telling)
        self.task = asyncio.create_task(self.writer.run())
        acquisition = next(iter(self.devices)).acquisition
        await self.until(lambda: bool(acquisition.answered.all()))

    async def shut(self):
        self.task.cancel()
        await self.writer.stop(1.0)
        await self.devices.stop(5.0)

    async def until(self, condition, within=15.0):
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.005)

    # ---- the device

    def set(self, place, value):
        at = 2 * PLACE[place]
        self.registers.image = self.registers.image[:at] + struct.pack(">H", value) + self.registers.image[at + 2 :]

    def register(self, place):
        at = 2 * PLACE[place]
        return int.from_bytes(self.registers.image[at : at + 2], "big")

    async def is_seen(self, place, value):
        """Set a register and wait until the gateway has read it."""
        self.set(place, value)
        connection, row = self.devices.find(f"{CODE}/{place}")
        factor = connection.table.points[row].factor
        await self.until(lambda: abs(float(connection.acquisition.value[row]) - value * factor) < 1e-9)

    # ---- persons and orders

    def person(self, name, *roles, **scope):
        if name not in self.persons:
            folder = self.home / "people" / name
            authority.issue(self.home, name, list(roles), folder, self.clock.now(), **scope)
            self.persons[name] = authority.signer(folder)
        return self.persons[name]

    def order(self, act, **more):
        self.count += 1
        facts = {"id": f"o{self.count}", "deadline": self.clock.now() + 5_000_000, "gateway": "edge1", **more}
        if "point" in facts:
            facts["point"] = f"{CODE}/{facts['point']}"
        return Order(act=act, site=CODE, serial="", **facts)

    async def send(self, signer, act, *, second=None, **more):
        envelope = signer.sign(self.order(act, **more))
        return await self.ask((envelope if second is None else second.join(envelope)).encode())

    async def ask(self, data):
        return orjson.loads(await self.orders.answer("subject", data))

    async def command(self, signer, place, value, *, second=None, **more):
        """Select and execute; the answer of whichever was the last that could be asked."""
        selected = await self.send(signer, Act.SELECT, point=place, value=value)
        if selected["outcome"] != "selected":
            return selected
        more = {"nonce": selected["nonce"], **more}
        return await self.send(signer, Act.EXECUTE, second=second, point=place, value=value, **more)


def failed(answer):
    """The checks that an answer's trace says have failed."""
    return [each["check"] for each in answer["trace"] if not each["passed"]]
