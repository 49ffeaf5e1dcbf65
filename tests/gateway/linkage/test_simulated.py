"""Methane on a roadheader of the simulated mine `middle` opens its feeder, by the rules that the mine comes with."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import simulators
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.ledger import Ledger
from gateway.linkage.edge import Linkages
from gateway.telling import Telling
from gateway.writer import Writer
from models.command import Command, Outcome
from models.site import load
from simulators.design.mine import load_design
from simulators.mine import Mine
from tests.gateway.sites import Remembered
from tests.ports import free_port

MIDDLE = Path(simulators.__file__).parent / "mines" / "middle"
RULE, FEEDER = "edge_cut_roadheader_1", "feeder_2_02"
DEVICES = ("roadheader_plc_1", "substation_2")


def part_of_the_mine():
    """The two devices that the rule is about, on free ports, and the rule."""
    environment = {"SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x", "SEVENONES_SQL_PASSWORD": "x"}
    whole = load(MIDDLE, environment=environment)
    connections = {
        name: replace(whole.connections[name], settings={**whole.connections[name].settings, "port": free_port()})
        for name in DEVICES
    }
    points = tuple(point for point in whole.points if point.connection in DEVICES)
    [rule] = [one for one in whole.linkages if one.id == RULE]
    return replace(whole, connections=connections, points=points, linkages=(rule,))


async def until(condition, within):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


async def test_methane_on_the_roadheader_opens_its_feeder_within_two_seconds(tmp_path):
    site, clock, sink = part_of_the_mine(), WallClock(), Remembered()
    mine = Mine(site, tmp_path, 1, design=load_design(MIDDLE))
    taken, stop = [], asyncio.Event()
    for device in mine.devices.values():
        was = device.on_command
        device.on_command = lambda *what, was=was: (taken.append((clock.now(), what)), was(*what))[1]
    await mine.start()
    running = asyncio.create_task(mine.run(stop))
    devices = Devices("edge2", clock, sink)
    telling = Telling(site.code, "edge2", sink.emit_events)
    writer = Writer(devices, Ledger(tmp_path / "writes.json", clock.now), clock, telling)
    linkages = Linkages(site.code, "edge2", devices, writer, clock, sink.emit_events, tmp_path / "latches.json")
    try:
        await devices.apply(site)
        linkages.apply(site)
        command = f"{site.code}/{FEEDER}/command"
        breaker = devices.find(f"{site.code}/{FEEDER}/breaker")
        sensor = devices.find(f"{site.code}/roadheader_1/ch4")
        await until(lambda: all(at[0].acquisition.answered[at[1]] for at in (breaker, sensor)), 30)
        assert breaker[0].acquisition.value[breaker[1]] == 1 and not taken
        mine.faults.begin("drift", "roadheader_1/ch4", clock.now(), amount=3600.0)  # 1 % a second
        await until(lambda: taken, 3 * 4.0)
        at, what = taken[0]
        assert what[:3] == (FEEDER, "command", 2.0)
        [trip] = {e.id: e for e in sink.events if e.kind == "linkage" and e.attributes["act"] == "trip"}.values()
        seen = trip.attributes["inputs"][0]
        assert seen["point"].endswith("roadheader_1/ch4") and seen["value"] >= 1.5
        assert at - seen["ts"] < 3 * 2_000_000, "from the sample to the device"
        await until(lambda: breaker[0].acquisition.value[breaker[1]] == 0, 15)
        mine.faults.end("drift", "roadheader_1/ch4")
        await until(lambda: sensor[0].acquisition.value[sensor[1]] < 1.0, 15)
        close = Command("c1", command, 1, "王工", clock.now() + 5_000_000)
        assert (await writer.carry_out(close)).outcome is Outcome.REFUSED, "nobody closes it before it is restored"
        assert breaker[0].acquisition.value[breaker[1]] == 0 and RULE in linkages.latches.tripped
        assert (await linkages.restoring.restore(RULE, "通风科"))["outcome"] == "done"
    finally:
        await linkages.stop(1.0)
        await devices.stop(5.0)
        stop.set()
        await running
        await mine.close()
