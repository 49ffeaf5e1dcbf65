"""Simulated Sparkplug B nodes: their bytes against the real reader, their life with a real broker and host."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.site.model import Kind
from protocols.adapter import WriteUnknown
from protocols.sparkplug.values import CODES, python_value
from protocols.sparkplug.wire import parse
from simulators.devices.device import DeviceError
from simulators.devices.sparkplug import SparkplugNodes
from simulators.devices.sparkplug_wire import DATATYPES, Metric, WireError, metrics, payload
from tests.protocols.mqtt.broker import PASSWORD, Broker
from tests.simulators.points import connection, point
from tests.simulators.reading import NOW, adapter, noticed, session, show, tags, until

NAMES = {
    "int8": "Int8", "int16": "Int16", "int32": "Int32", "int64": "Int64", "uint8": "UInt8", "uint16": "UInt16",
    "uint32": "UInt32", "uint64": "UInt64", "float32": "Float", "float64": "Double", "bool": "Boolean",
    "string": "String",
}  # fmt: skip


def test_the_types_have_the_specifications_numbers() -> None:
    assert {kind: CODES[name] for kind, name in NAMES.items()} == DATATYPES


def values_of(kind: str) -> st.SearchStrategy[Any]:
    if kind.startswith("float"):
        return st.floats(allow_nan=False, allow_infinity=False, width=int(kind[5:]))
    if kind in ("bool", "string"):
        return st.booleans() if kind == "bool" else st.text(max_size=30)
    bits = int(kind.lstrip("uint"))
    return st.integers(0, 2**bits - 1) if kind[0] == "u" else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@given(st.data(), st.sampled_from(sorted(DATATYPES)), st.integers(0, 2**40), st.integers(0, 255))
@settings(deadline=None, max_examples=300)
def test_what_is_written_is_read_by_the_real_reader_and_by_our_own(data: Any, kind: str, ms: int, seq: int) -> None:
    value = data.draw(values_of(kind))
    told = [Metric("a/b", DATATYPES[kind], value, 7, ms), Metric("", DATATYPES[kind], None, 300, ms)]
    wire = payload(ms, told, seq)
    read = parse(wire)
    assert (read.timestamp, read.seq, len(read.metrics)) == (ms, seq, 2)
    first, second = read.metrics
    assert (first.name, first.alias, first.timestamp) == (b"a/b", 7, ms)
    assert python_value(first, first.datatype, None) == value
    assert second.is_null and second.alias == 300 and not second.name
    assert [metric.value for metric in metrics(wire)] == [value, None]


@given(st.binary(max_size=60))
def test_rubbish_is_read_or_refused_and_never_more(data: bytes) -> None:
    try:
        metrics(data)
    except WireError:
        return


POINTS = [
    replace(each, order="")
    for each in (
        point("speed", "mine/belt/drive:Motor/Speed", "", unit="m/s", factor=0.5),
        point("total", "mine/belt/drive:Total", "uint32", kind=Kind.COUNTER),
        point("run", "mine/belt/drive:Run", "bool", kind=Kind.STATE, writable=True),
        point("set", "mine/belt:Set", "float32", unit="m/s", factor=0.5, writable=True),
        point("text", "mine/belt:Text", "text", kind=Kind.TEXT),
        point("fan", "mine/fan/one:On", "", kind=Kind.STATE, role="run.state"),
    )
]


@pytest.fixture
async def device(broker: Broker) -> AsyncIterator[SparkplugNodes]:
    facts = {"host": "127.0.0.1", "port": broker.port, "user": "gateway", "password": PASSWORD, "client_id": "g"}
    of = connection("c1", "sparkplug", {**facts, "timeout_s": 3, "rebirth_wait_s": 1})
    made = SparkplugNodes(of, POINTS)
    await say(made, 2.5, 100, math.nan, math.nan, 1)
    await made.start()
    yield made
    await made.close()


async def say(
    device: SparkplugNodes, speed: float, total: float, run: float, at: float, fan: float, n: int = 0
) -> None:
    await show(device, speed, total, run, at, math.nan, fan, texts=["", "", "", "", "检修", ""], ts=NOW + n * 1_000_000)


async def test_births_data_and_texts_come_with_their_times(device: SparkplugNodes) -> None:
    async with session(device) as reading:
        await reading.until_values({0: 5.0, 1: 100, 2: 0, 3: 0, 5: 1}, 20)
        assert reading.latest[0].ts == NOW and reading.latest[4].text == "检修"
        for n in range(1, 300):
            await say(device, 2.5 + n, 100 + n, math.nan, math.nan, n % 2, n)
        await reading.until_values({0: 603.0, 1: 399, 5: 1}, 20)
        assert reading.latest[0].ts == NOW + 299_000_000
        counters = reading.adapter.counters()
        assert counters["gaps_total"] == counters["undecodable_total"] == counters["malformed_total"] == 0


async def test_only_what_changed_is_told(device: SparkplugNodes) -> None:
    async with session(device) as reading:
        await reading.until_values({0: 5.0}, 20)
        changed = np.arange(6) == 0
        for n in range(1, 4):
            device.hold(np.array([2.5 + n, 100, math.nan, math.nan, math.nan, 1]), [""] * 6)
            await device.serve(NOW + n * 1_000_000, changed)
            await reading.until_values({0: 5.0 + 2 * n}, 20)
        assert reading.readings[-1].index.tolist() == [0]
        assert reading.latest[1].ts == NOW


async def test_a_dropped_node_dies_by_its_will_and_is_born_again_with_the_next_session(device: SparkplugNodes) -> None:
    async with session(device) as reading:
        await reading.until_values({0: 5.0, 5: 1}, 20)
        births = device.births
        device.fault("reset", 0.5)
        await noticed(reading, 0)
        await say(device, 3.5, 107, math.nan, math.nan, 0, 5)
        await reading.until_values({0: 7.0, 1: 0, 5: 0}, 30)
        assert reading.latest[0].ts >= NOW + 5_000_000
        assert device.births > births
        assert reading.adapter.counters()["deaths_total"] >= 1


async def test_a_node_that_leaves_in_order_says_so(device: SparkplugNodes) -> None:
    async with session(device) as reading:
        await reading.until_values({0: 5.0}, 20)
        await device.close()
        await noticed(reading, 0)


async def test_commands_to_node_and_device_are_taken_told_or_refused(device: SparkplugNodes) -> None:
    taken: list[tuple[str, str, float | str]] = []
    device.on_command = lambda *what: taken.append(what)

    async def tell() -> None:
        n = 0
        while True:
            n += 1
            shown = device.hold(np.array([2.5, 100, math.nan, math.nan, math.nan, 1]), [""] * 6)
            await device.serve(NOW + n * 100_000, np.zeros(len(shown), bool))
            await asyncio.sleep(0.1)

    telling = asyncio.create_task(tell())
    client, places = adapter(device.connection), tags(POINTS)
    await client.connect()
    try:
        await until(lambda: device.births >= 2, "it is born")
        for row, raw in ((2, 1.0), (3, 3.0), (2, 1.0)):  # the last changes nothing, and is told nonetheless
            await client.write(places[row], raw)
        assert taken == [("belt1", "run", 1.0), ("belt1", "set", 1.5), ("belt1", "run", 1.0)]
        device.on_command = lambda *_: "就地控制 · in local mode"
        with pytest.raises(WriteUnknown):
            await client.write(places[2], 0.0)
        with pytest.raises(WriteUnknown):
            await client.write(places[0], 9.0)
    finally:
        telling.cancel()
        await client.close()


async def test_a_jumping_clock_and_rubbish(device: SparkplugNodes) -> None:
    async with session(device) as reading:
        await reading.until_values({0: 5.0}, 20)
        device.fault("clock_jump", 50)
        await say(device, 3.0, 100, math.nan, math.nan, 1, 1)
        await reading.until_values({0: 6.0}, 20)
        assert reading.latest[0].ts == NOW + 51_000_000
        device.fault("clock_jump", 0)
        device.fault("garbage", 1)
        await say(device, 3.5, 100, math.nan, math.nan, 1, 60)
        await until(lambda: reading.adapter.counters()["malformed_total"] >= 1, "rubbish is counted")
        assert reading.latest[0].value == 6.0
        device.fault("garbage", 0)
        await say(device, 4.0, 100, math.nan, math.nan, 1, 61)
        await reading.until_values({0: 8.0}, 20)


def test_addresses_that_are_none_are_refused() -> None:
    for address, words in (("mine:x", "is not <group>"), ("mine/belt:", "is not <group>")):
        with pytest.raises(DeviceError, match=words):
            SparkplugNodes(connection("c1", "sparkplug", {}), [point("a", address, "")])
    with pytest.raises(DeviceError, match="has the metric"):
        SparkplugNodes(connection("c1", "sparkplug", {}), [point(key, "m/n:x", "") for key in "ab"])
