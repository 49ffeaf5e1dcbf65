"""A whole mine from the demo's site: what clients read is what the truth says, and a seed decides all."""

from __future__ import annotations

import asyncio
import signal
import struct
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from asyncua import Node, ua
from pymodbus.client import AsyncModbusTcpClient

import simulators
from models.site import load
from models.site.model import Site
from simulators.design.mine import MineDesign, load_design
from simulators.devices.mqtt import MqttPoints
from simulators.mine import Mine, run
from simulators.plant import Plant
from simulators.plant.sketch import sketch
from simulators.truth import read_truth
from tests.ports import free_port
from tests.protocols.mqtt.broker import PASSWORD, Broker
from tests.simulators.points import connection, point
from tests.simulators.points import site as make_site
from tests.simulators.test_mqtt_device import Listener
from tests.simulators.test_opcua_device import client

DEMO = Path(simulators.__file__).parent / "mines" / "demo"


@pytest.fixture
def demo() -> Site:
    return load(
        DEMO,
        environment={
            "SEVENONES_MODBUS_PORT": str(free_port()),
            "SEVENONES_OPCUA_PORT": str(free_port()),
            "SEVENONES_MQTT_PORT": str(free_port()),
            "SEVENONES_OPCUA_PASSWORD": "opcua",
            "SEVENONES_MQTT_PASSWORD": "mqtt",
        },
    )


class Clock:
    """A tenth of a second each time it is asked."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000_000

    def __call__(self) -> int:
        self.now += 100_000
        return self.now


async def truth_of(site: Site, home: Path, seed: int, steps: int) -> list[dict[str, float]]:
    mine = Mine(site, home, seed, Clock())
    for _ in range(steps):
        await mine.step()
    mine.truth.close()
    return read_truth(home).to_pylist()


async def test_the_same_seed_gives_the_same_truth_and_another_does_not(demo: Site, tmp_path: Path) -> None:
    one = await truth_of(demo, tmp_path / "1", 7, 300)
    two = await truth_of(demo, tmp_path / "2", 7, 300)
    other = await truth_of(demo, tmp_path / "3", 8, 300)
    assert len(one) > 1000
    assert one == two
    assert one != other


async def test_a_clock_set_back_gives_no_instant_two_values(demo: Site, tmp_path: Path) -> None:
    clock = Clock()
    mine = Mine(demo, tmp_path, 1, clock)
    for n in range(60):
        if n % 20 == 10:
            clock.now -= 60_000_000
        await mine.step()
    mine.truth.close()
    rows = read_truth(tmp_path).to_pylist()
    assert len({(row["point"], row["ts"]) for row in rows}) == len(rows)


def plant_of(site: Site, design: MineDesign | None, dt: float = 1.0) -> Plant:
    return Plant(site, design or sketch(site), seed=1, start_us=1_790_000_000_000_000, dt=dt)


@pytest.mark.parametrize("drawn", [True, False])
def test_every_point_of_the_demo_is_modelled_and_within_its_range(demo: Site, drawn: bool) -> None:
    plant = plant_of(demo, load_design(DEMO) if drawn else None)
    block, texts = plant.run(2 * 3600), plant.texts()
    for p in demo.points:
        channel = f"{p.equipment}.{p.key}"
        if p.kind == "text":
            assert channel in texts
            continue
        if p.writable:
            continue
        value = block[channel]
        assert np.isfinite(value).all(), p.path
        assert not (value < p.low).any(), p.path
        assert not (value > p.high).any(), p.path
        assert p.kind != "state" or not p.states or {int(v) for v in np.unique(value)} <= set(p.states), p.path


def test_a_stopped_belt_stops_the_belt_before_it_and_the_shearer(demo: Site) -> None:
    plant = plant_of(demo, load_design(DEMO), dt=0.5)
    shearer = plant.parts.longwalls[0]
    plant.run(3600)
    for _ in range(60):
        if abs(plant.run(120)["shearer_3205.speed"][-1]) > 1:
            break
    plant.disturb("belt_101", "pull_cord", 7)
    block = plant.run(120)
    assert (block["belt_101!state"][-1], block["belt_101.pull_cord"][-1], block["belt_102.running"][-1]) == (5, 1, 0)
    assert plant.texts()["shearer_3205.fault_text"] == "运输闭锁 · transport lock"
    assert not shearer.transport_ready
    block = plant.run(120)
    assert [block[name][-1] for name in ("belt_101.speed", "belt_102.speed", "shearer_3205.speed")] == [0, 0, 0]
    plant.disturb("belt_101", "pull_cord", 0)
    plant.run(2)
    plant.command("belt_101", "command", 3)
    block = plant.run(4000)
    outby, inby = block["belt_101!state"] == 3, block["belt_102.speed"] > 0
    assert (outby[-1], inby[-1]) == (True, True)
    assert not (inby & ~outby).any()


@pytest.fixture
async def belt_mine(tmp_path: Path) -> AsyncIterator[tuple[Site, Path, asyncio.Task[None]]]:
    """One belt on Modbus, running in real time."""
    points = [
        point("speed", "hr:0", "float32", order="cdab"),
        point("flow", "hr:2", "float32", factor=3.6),
        point("power", "ir:0", "uint16", factor=0.1),
        point("energy", "ir:2", "float64", order="dcba"),
        point("motor_temp_1", "ir:6", "int16", factor=0.1, offset=-50.0),
        point("running", "hr:9.3", "bool"),
        point("mode", "hr:10", "uint16"),
    ]
    settings = {"host": "127.0.0.1", "port": str(free_port()), "unit": 1}
    site = make_site(points, [connection("c1", "modbus", settings, 0.2)], {"belt1": "belt_conveyor"})
    stop = asyncio.Event()
    task = asyncio.create_task(run(site, tmp_path, 3, stop))
    await asyncio.sleep(0.1)
    yield site, tmp_path, task
    stop.set()
    await task


async def test_what_a_client_reads_is_the_truth_of_that_instant(
    belt_mine: tuple[Site, Path, asyncio.Task[None]],
) -> None:
    site, home, task = belt_mine
    client = AsyncModbusTcpClient("127.0.0.1", port=int(site.connections["c1"].settings["port"]), timeout=2)
    for _ in range(300):
        assert not task.done()
        if await client.connect():
            break
        await asyncio.sleep(0.1)
    reads = []
    for _ in range(60):
        before = time.time_ns() // 1000
        holding = (await client.read_holding_registers(0, count=11)).registers
        middle = time.time_ns() // 1000
        inputs = (await client.read_input_registers(0, count=7)).registers
        after = time.time_ns() // 1000
        reads.append((before, middle, after, holding, inputs))
        await asyncio.sleep(0.043)
    client.close()
    deadline = time.monotonic() + 30
    while (truth := read_truth(home).to_pandas()).ts.max() <= reads[-1][2]:
        assert time.monotonic() < deadline, "the truth does not reach the disk"
        await asyncio.sleep(0.2)
    assert truth.groupby("point").ts.is_monotonic_increasing.all()
    columns = {p.key: truth[truth.point == p.id] for p in site.points}
    assert len(columns["speed"]) > 20

    def in_effect(key: str, start: int, end: int) -> list[float]:
        column = columns[key]
        first = max(int(np.searchsorted(column.ts, start, side="right")) - 1, 0)
        last = int(np.searchsorted(column.ts, end, side="right"))
        return column.value.iloc[first:last].tolist()

    for before, middle, after, holding, inputs in reads:
        words = struct.pack(">7H", *inputs)
        decoded = {
            "speed": struct.unpack(">f", struct.pack(">2H", holding[1], holding[0]))[0],
            "flow": struct.unpack(">f", struct.pack(">2H", *holding[2:4]))[0] * 3.6,
            "running": float(holding[9] >> 3 & 1),
            "mode": float(holding[10]),
        }
        for key, value in decoded.items():
            assert value in in_effect(key, before, middle), key
        decoded = {
            "power": inputs[0] * 0.1,
            "energy": struct.unpack("<d", words[4:12])[0],
            "motor_temp_1": struct.unpack(">h", words[12:14])[0] * 0.1 + -50.0,
        }
        for key, value in decoded.items():
            assert value in in_effect(key, middle, after), key


async def test_mqtt_and_opcua_tell_exactly_the_rows_of_the_truth(tmp_path: Path) -> None:
    """The demo's whole mine in real time: each message and each change is a row of the truth, with its time."""
    broker = Broker(tmp_path / "broker")
    broker.start()
    url_port = free_port()
    site = load(
        DEMO,
        environment={
            "SEVENONES_MODBUS_PORT": str(free_port()),
            "SEVENONES_OPCUA_PORT": str(url_port),
            "SEVENONES_MQTT_PORT": str(broker.port),
            "SEVENONES_OPCUA_PASSWORD": "opcua",
            "SEVENONES_MQTT_PASSWORD": PASSWORD,
        },
    )
    listener = Listener(broker.port)
    mine, stop = Mine(site, tmp_path, 1, design=load_design(DEMO)), asyncio.Event()
    mine.plant.warm_up(3600)
    # A face has pauses: begin in one of its long stretches.
    for _ in range(200):
        if abs(mine.plant.run(600)["shearer_3205.speed"]).min() > 1:
            break
    told: list[tuple[int, int, float]] = []
    try:
        await mine.start()
        running = asyncio.create_task(mine.run(stop))
        url = f"opc.tcp://127.0.0.1:{url_port}/sevenones"
        made = tmp_path / "simulators" / "shearer_opcua" / "server.der"
        async with await client(url, tmp_path, "gateway", "opcua", server_certificate=made) as peer:
            space = await peer.get_namespace_index("urn:sevenones:simulators")
            points = [p for p in site.points if p.connection == "shearer_opcua" and p.kind != "text"]
            by_node = {f"ns={space};{p.address.rpartition(';')[2]}": p for p in points}
            epoch = datetime(1970, 1, 1, tzinfo=UTC)

            class Handler:
                def datachange_notification(self, node: Node, value: float, data: ua.DataChangeNotification) -> None:
                    p = by_node[node.nodeid.to_string()]
                    when = (data.monitored_item.Value.SourceTimestamp - epoch) // timedelta(microseconds=1)
                    told.append((p.id, when, value * p.factor + p.offset))

            subscription = await peer.create_subscription(100, Handler())
            nodes = [peer.get_node(name) for name in by_node]
            await subscription.subscribe_data_change(nodes, queuesize=1000)
            await asyncio.sleep(4)
            sent = ("mine/methane_t1/state", "mine/methane_t2/state")
            deadline = time.monotonic() + 60
            while len({ts for _, ts, _ in told}) <= 10 or min(len(listener.of(each)) for each in sent) < 4:
                assert time.monotonic() < deadline, "hardly anything is told"
                await asyncio.sleep(0.1)
        stop.set()
        await running
    finally:
        await mine.close()
        (device,) = (each for each in mine.devices.values() if isinstance(each, MqttPoints))
        for _ in range(300):  # until it has heard all that the broker has taken
            if len(listener.messages) >= device.acknowledged:
                break
            await asyncio.sleep(0.1)
        listener.close()
        broker.stop(signal.SIGKILL)
    truth = {(row["point"], row["ts"]): row["value"] for row in read_truth(tmp_path).to_pylist()}
    assert len({ts for _, ts, _ in told}) > 10
    assert [(p, ts) for p, ts, value in told if truth.get((p, ts)) != value] == []
    by_address = {p.address: p for p in site.points}
    gases = [("mine/methane_t2/state#values.lel", 0.05), ("mine/methane_t1/state#values.ch4", 1.0)]
    for address, factor in gases:
        documents = listener.of(address.partition("#")[0])
        key = address.rpartition(".")[2]
        got = {document["ts"] * 1000: document["values"][key] * factor for document in documents}
        assert len(got) >= 4
        number = by_address[address].id
        assert got == {ts: value for (p, ts), value in truth.items() if p == number}
    rooms = listener.of("mine/pump_room/state")
    number = by_address["mine/pump_room/state#values.level"].id
    for document in rooms:
        when = (datetime.fromisoformat(document["ts"]) - epoch) // timedelta(microseconds=1)
        assert truth[number, when] == document["values"]["level"] * 0.01


async def test_a_port_that_is_taken_is_told_in_plain_words(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site = make_site([point("speed", "hr:0")], [connection("c1", "modbus", {"port": port})], {"belt1": "belt_conveyor"})
    with pytest.raises(Exception, match=f"connection 'c1': cannot listen on 127.0.0.1:{port}"):
        await run(site, tmp_path, 1, asyncio.Event())
    server.close()
