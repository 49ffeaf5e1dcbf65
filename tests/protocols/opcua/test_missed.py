"""After an outage: back by itself, and what the server kept meanwhile is read from its history."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from models.events import event_id
from models.identity import point_id
from protocols import registry
from tests.gateway.sites import CODE, connection, point
from tests.gateway.test_connection import Rig as ScriptedRig
from tests.protocols.opcua.machine import Machine, tag
from tests.protocols.opcua.test_sign_in import started
from tests.protocols.opcua.test_subscribe import running


def now() -> int:
    return time.time_ns() // 1000


async def test_what_happened_while_nobody_listened_is_read_from_history() -> None:
    """1,500 values of one node: more than one answer holds, from a server that gives no continuation point."""
    memory: dict[str, Any] = {}
    tags = [tag(0, "Speed"), tag(1, "Count"), tag(2, "Level"), tag(3, "Nothing")]
    async with started(Machine(history=True)) as machine:
        async with running(machine, tags, memory) as run:
            await machine.set(Speed=1, Level=1)
            await run.until(lambda: run.rows(0) and run.rows(0)[-1][0] == 1)
            assert not run.history
        base = now()
        values = {base + number: float(100 + number) for number in range(1500)}
        await machine.order(series="Speed", ts=base, count=1500, **{"from": 100})
        await machine.set(Count={"v": 7, "ts": base + 5}, Level=5)
        async with running(machine, tags, memory) as run:
            await run.until(lambda: run.adapter.counters()["history_samples_total"] >= 1501, 30)
            await machine.set(Level=6)
            await run.until(lambda: run.rows(2)[-1][0] == 6)
            index = np.concatenate([reading.index for reading in run.history])
            ts = np.concatenate([reading.ts for reading in run.history if reading.ts is not None])
            value = np.concatenate([reading.value for reading in run.history])
            speed = (index == 0) & (ts >= base)
            assert dict(zip(ts[speed].tolist(), value[speed].tolist(), strict=True)) == values
            assert value[(index == 1) & (ts == base + 5)].tolist() == [7]
            assert set(index.tolist()) == {0, 1}, "a node without history is not asked"
            first = next(n for n, reading in enumerate(run.readings) if reading is run.history[0])
            assert any(0 in r.index for r in run.readings[:first]), "the present comes first"
        async with running(machine, tags, memory, history_h=0) as run:
            await run.until(lambda: run.rows(0))
            await machine.set(Level=8)
            await run.until(lambda: run.rows(2)[-1][0] == 8)
            assert not run.history


async def test_a_session_that_ends_before_history_was_read_leaves_it_to_the_next() -> None:
    """A link that flaps after an outage: the present that came in between hides nothing of what was missed."""
    memory: dict[str, Any] = {}
    tags = [tag(0, "Speed")]
    async with started(Machine(history=True)) as machine:
        async with running(machine, tags, memory) as run:
            await machine.set(Speed=1)
            await run.until(lambda: run.rows(0) and run.rows(0)[-1][0] == 1)
        base = now() - 1_000
        await machine.order(series="Speed", ts=base, count=20, **{"from": 100})
        memory["newest"] = base - 30_000_000  # the outage was longer than the watchdog's time
        await machine.set(Speed=2)
        async with running(machine, tags, memory) as run:
            await run.until(lambda: bool(run.rows(0)))
            assert not run.history
        memory["newest"] = now() + 60_000_000  # and the present has long gone past it
        async with running(machine, tags, memory) as run:
            await run.until(lambda: run.adapter.counters()["history_samples_total"] >= 20, 30)
            await run.until(lambda: "unread" not in memory)


class Rig(ScriptedRig):
    """A connection with the real adapter."""

    def __init__(self, machine: Machine, points: list[Any], **more: Any) -> None:
        spec = connection("machine", "opcua", {"fast": 0.1}, **machine.settings(**more))
        super().__init__(spec, points)
        self.connection._adapters = registry.adapter


async def test_history_goes_the_gateways_way_and_the_present_stays() -> None:
    async with started(Machine(history=True)) as kept:
        points = [point(name, "machine", address=f"nsu=urn:test:machine;s={name}") for name in ("Speed", "Level")]
        async with Rig(kept, points) as rig:
            await kept.set(Speed=1)
            await rig.until(lambda: rig.quality("Speed") == 192 and rig.last("Speed")[1] == 1)
            assert rig.connection._adapter is not None
            rig.connection._adapter._lose(_lost())  # type: ignore[attr-defined]
            await rig.until(lambda: rig.quality("Speed") == 24)
            base = now()
            for number in range(3):
                await kept.set(Speed={"v": 10 + number, "ts": base + number})
            await rig.until(lambda: len([r for r in rig.sink.of("Speed") if r[1] in (10, 11, 12)]) >= 3)
            rows = {value: (ts, quality) for ts, value, quality in rig.sink.of("Speed")}
            assert [rows[10 + n] for n in range(3)] == [(base + n, 192) for n in range(3)]
            row = next(i for i, p in enumerate(rig.connection.table.points) if p.key == "Speed")
            assert rig.connection.acquisition.value[row] == 12
            for chunk in rig.sink.chunks:
                mine = (chunk.samples.point == point_id(f"{CODE}/e/Speed")) & np.isin(chunk.samples.value, (10, 11))
                assert not mine.any() or (chunk.late is not None and chunk.late[mine].all()), "history is not live"


def _lost() -> Any:
    from protocols.adapter import LinkLost

    return LinkLost("the link was cut")


async def test_a_connection_that_says_poll_asks_at_its_period(machine: Machine) -> None:
    points = [point("Speed", "machine", address="nsu=urn:test:machine;s=Speed")]
    async with Rig(machine, points, poll=True) as rig:
        await machine.set(Speed=3)
        await rig.until(lambda: rig.last("Speed") is not None and rig.last("Speed")[1] == 3)
        await rig.until(lambda: rig.connection.groups["fast"].answered >= 5)


async def test_p9_a_server_that_was_stopped_is_back_within_twenty_seconds(machine: Machine) -> None:
    """Stopped for some time and started again, the gateway's own waits included."""
    points = [point("Speed", "machine", address="nsu=urn:test:machine;s=Speed")]
    async with Rig(machine, points) as rig:
        await machine.set(Speed=1)
        await rig.until(lambda: rig.quality("Speed") == 192)
        await machine.stop()
        await rig.until(lambda: rig.quality("Speed") == 24)
        await rig.until(lambda: rig.connection.losses >= 4, 30)
        machine.shift += 1
        await machine.start()
        up = time.monotonic()
        await machine.set(Speed=5)
        await rig.until(lambda: rig.quality("Speed") == 192 and rig.last("Speed")[1] == 5, 30)
        assert time.monotonic() - up < 20


async def test_an_alarm_goes_the_gateways_way_and_gets_its_end_after_an_outage(machine: Machine) -> None:
    points = [point("Speed", "machine", address="nsu=urn:test:machine;s=Speed")]
    alarm = {"name": "Overload", "severity": 800, "from": "server"}
    async with Rig(machine, points, events={}) as rig:
        await rig.until(lambda: rig.quality("Speed") == 192)
        begun = now()
        await machine.order(event={**alarm, "active": True, "time": begun, "since": begun})
        await rig.until(lambda: rig.sink.events)
        assert rig.connection._adapter is not None
        rig.connection._adapter._lose(_lost())  # type: ignore[attr-defined]
        await rig.until(lambda: rig.quality("Speed") == 24)
        await rig.until(lambda: rig.quality("Speed") == 192)
        await machine.order(event={**alarm, "active": False, "time": begun + 9, "since": begun + 9})
        await rig.until(lambda: len(rig.sink.events) == 2)
        raised, cleared = rig.sink.events
        assert raised.id == cleared.id == event_id(f"{CODE}/e", "alarm", raised_key(begun))
        assert (raised.start, raised.end, cleared.end) == (begun, None, begun + 9)
        assert raised.equipment == f"{CODE}/e" and raised.source == "machine"


def raised_key(begun: int) -> str:
    """This server says no condition's id: its source and name stand for it."""
    return f"i=2253|Overload|{begun}"
