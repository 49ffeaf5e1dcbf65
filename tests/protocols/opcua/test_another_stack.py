"""The same against a server on node-opcua, which shares no code with the library that we use."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from protocols.adapter import SignInRefused, Tag
from protocols.opcua import OpcUa
from tests.ports import free_port
from tests.protocols.opcua.machine import SHARED
from tests.protocols.opcua.server import PASSWORD, USER
from tests.protocols.opcua.test_subscribe import Running, running
from tests.stacks.node import Stack, stack

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


class Other:
    """The running server, with as much of Machine as `running` uses."""

    def __init__(self, server: Stack, port: int) -> None:
        self.server = server
        self.port = port

    def adapter(self, **more: Any) -> OpcUa:
        plain = {
            "url": f"opc.tcp://127.0.0.1:{self.port}/node",
            "user": USER,
            "password": PASSWORD,
            "certificate_dir": str(SHARED / "client"),
            "accept": ["host_name"],
            "timeout_s": 5,
            "watchdog_s": 5,
            "sampling_ms": 20,
            "publishing_ms": 50,
            "queue_size": 200,
        }
        return OpcUa(OpcUa.Settings.model_validate(plain | more))

    async def order(self, **words: Any) -> None:
        await self.server.ask(**words)
        assert (await self.server.tell())["done"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Other]:
    folder: Path = tmp_path_factory.mktemp("pki")
    port = free_port()
    async with stack("opcua.js", str(port), str(folder), within_s=120) as server:
        yield Other(server, port)


def tag(index: int, name: str, **more: Any) -> Tag:
    return Tag(index, "p", f"nsu=urn:test:node;s={name}", **more)


@asynccontextmanager
async def fed(other: Other, tags: list[Tag], memory: Any = None, **more: Any) -> AsyncIterator[Running]:
    async with running(other, tags, memory, **more) as run:  # type: ignore[arg-type]
        yield run


@pytest.mark.parametrize("security", ["basic256sha256", "aes256sha256rsapss"])
async def test_values_come_signed_and_encrypted_and_one_bad_node_stops_nothing(other: Other, security: str) -> None:
    late = f"Late_{security}"
    async with fed(other, [tag(0, "Speed"), tag(1, "Count"), tag(2, late)], security=security, retry_s=0.3) as run:
        await run.until(lambda: all(run.rows(index) for index in range(3)), 15)
        assert "BadNodeIdUnknown" in run.last(2)[0].reasons[2]
        for number in range(1, 4):
            await other.order(set={"Speed": number + 0.5, "Count": -number})
            await run.until(lambda n=number: (run.rows(0)[-1], run.rows(1)[-1]) == ((n + 0.5, 192), (-n, 192)), 15)
        reading, row = run.last(0)
        assert reading.ts is not None and abs(int(reading.ts[row]) - time.time_ns() // 1000) < 60_000_000
        await other.order(bad="Speed")
        await run.until(lambda: run.rows(0)[-1][1] == 16, 15)
        await other.order(add=late)
        await run.until(lambda: run.rows(2)[-1] == (2.5, 192), 15)
        assert run.adapter.counters()["gaps_total"] == 0


async def test_a_server_that_takes_few_nodes_at_once_is_asked_for_no_more(other: Other) -> None:
    names = ["Speed", "Count", "Kept", "Temperature", "Nothing", "None"]
    tags = [tag(index, name) for index, name in enumerate(names)]
    adapter = other.adapter()
    await adapter.connect()
    try:
        assert adapter._session is not None
        limits = adapter._session.limits
        assert (limits.read, limits.watch, limits.history, limits.translate) == (4, 2, 1, 3)
        reading = await adapter.read(adapter.plan(tags))
        assert reading.quality[4:].tolist() == [4, 4] and (reading.quality[:4] != 4).all()
    finally:
        await adapter.close()
    async with fed(other, tags) as run:
        await run.until(lambda: all(run.rows(index) for index in range(6)), 15)
        assert all("BadNodeIdUnknown" in run.last(index)[0].reasons[index] for index in (4, 5))


async def test_reading_browsing_and_writing(other: Other) -> None:
    adapter = other.adapter()
    await adapter.connect()
    try:
        await other.order(set={"Count": 11})
        reading = await adapter.read(adapter.plan([tag(0, "Count"), tag(1, "Nothing")]))
        assert reading.value[0] == 11 and reading.quality.tolist() == [192, 4]
        found = {node.name: node for node in await adapter.browse("Device")}
        assert found["Temperature"].unit == "°C" and (found["Temperature"].low, found["Temperature"].high) == (-20, 120)
        await adapter.write(tag(0, "Count"), 12.0)
        assert (await adapter.read(adapter.plan([tag(0, "Count")]))).value.tolist() == [12]
    finally:
        await adapter.close()


async def test_an_alarm_with_its_end_also_when_it_was_cleared_while_we_were_away(other: Other) -> None:
    memory: dict[str, Any] = {}
    await other.order(set={"Temperature": 20})
    events = {"equipment": "machine_1", "min_severity": 1}
    async with fed(other, [tag(0, "Temperature")], memory, events=events) as run:
        await run.until(lambda: run.rows(0), 15)
        await other.order(set={"Temperature": 95})
        await run.until(lambda: any(told.end is None for told in run.events), 15)
        raised = next(told for told in run.events if told.end is None)
        assert raised.kind == "alarm" and raised.attributes["condition"] == "Hot"
        assert raised.attributes["active"] is True and raised.tag == -1
        await other.order(set={"Temperature": 30})
        await run.until(lambda: any(told.key == raised.key and told.end is not None for told in run.events), 15)
        await other.order(set={"Temperature": 96})
        await run.until(lambda: run.events[-1].end is None and run.events[-1].key != raised.key, 15)
        again = run.events[-1].key
    async with fed(other, [tag(0, "Temperature")], memory, events=events) as run:
        await run.until(lambda: run.events, 15)
        assert run.events[-1].key == again and run.events[-1].end is None, "told again by a refresh, with its key"
        assert run.adapter.counters()["malformed_events_total"] == 0
    await other.order(set={"Temperature": 20})
    async with fed(other, [tag(0, "Temperature")], memory, events=events) as run:
        await run.until(lambda: any(told.key == again and told.end is not None for told in run.events), 15)


async def test_what_was_missed_is_read_from_its_history(other: Other) -> None:
    memory: dict[str, Any] = {}
    async with fed(other, [tag(0, "Kept")], memory) as run:
        await other.order(set={"Kept": 1})
        await run.until(lambda: run.rows(0) and run.rows(0)[-1][0] == 1, 15)
    for number in range(2, 52):
        await other.order(set={"Kept": number})
        time.sleep(0.002)  # the server's own clock tells in whole milliseconds
    async with fed(other, [tag(0, "Kept")], memory) as run:
        await run.until(lambda: run.adapter.counters()["history_samples_total"] >= 50, 15)
        value = np.concatenate([reading.value for reading in run.history]).tolist()
        assert [v for v in value if v >= 2] == list(range(2, 52))


async def test_who_may_not_is_told_so(other: Other) -> None:
    for wrong, words in (
        ({"password": "wrong"}, "the user 'gateway' or the password"),
        ({"user": "", "password": ""}, "anonymous"),
        ({"security": "aes128sha256rsaoaep"}, "does not offer"),
        ({"security": "none"}, "does not offer"),
    ):
        adapter = other.adapter(**wrong)
        with pytest.raises(SignInRefused, match=words):
            await adapter.connect()
        await adapter.close()
