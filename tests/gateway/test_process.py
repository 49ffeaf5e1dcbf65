"""The whole gateway as a process, with real devices and a real bus: killed, without a bus, asked questions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict

import aiomqtt
import numpy as np
import pytest

from bus import subjects
from models.identity import point_id
from models.quality import Quality
from models.samples import Batch, concat
from simulators.devices.modbus import Area, ModbusDevice, Unit
from tests.gateway.sites import CODE
from tests.ports import free_port
from tests.servers import mine_bus

pytestmark = [pytest.mark.timeout(120), pytest.mark.long]


def identity(key):
    return point_id(f"{CODE}/e/{key}")


class Plc:
    """A Modbus device whose one register counts 20 times a second."""

    def __init__(self):
        self.area = Area(2, 10)
        self.port = free_port()
        self.device = ModbusDevice({1: Unit({"hr": self.area})}, port=self.port)
        self.device.before = self.count

    def count(self):
        self.area.image = (int(time.time() * 20) % 65536).to_bytes(2, "big") * 10


class Gateway:
    """The child process."""

    def __init__(self, server, plc, silent, home):
        self.order = {
            "home": str(home),
            "bus": server.url,
            "modbus": plc.port,
            "silent": silent.port,
            "mqtt": server.mqtt_port,
            "password": server.credentials.mqtt_password("gateway"),
        }
        self.home = home
        self.child = None

    async def start(self):
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway.child", json.dumps(self.order), stdout=asyncio.subprocess.DEVNULL
        )

    async def end(self, number):
        if self.child is not None and self.child.returncode is None:
            self.child.send_signal(number)
        return await self.child.wait()

    def ask(self, path, token=None):
        known = json.loads((self.home / "metrics" / "gateway-edge1.json").read_text())
        headers = {"Authorization": f"Bearer {known['token'] if token is None else token}"}
        request = urllib.request.Request(known["url"] + path, headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode()

    async def answers(self, path, within=60.0):
        began = time.monotonic()
        while True:
            try:
                return await asyncio.to_thread(self.ask, path)
            except (OSError, ValueError):
                assert time.monotonic() - began < within
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def stack(home, **options):
    """Bus, two Modbus devices and a gateway that is not yet started."""
    plc, silent = Plc(), Plc()
    async with mine_bus(home, CODE, mqtt=True, **options) as server:
        await plc.device.start()
        await silent.device.start()
        gateway = Gateway(server, plc, silent, home)
        try:
            yield server, plc, silent, gateway
        finally:
            if gateway.child is not None:
                await gateway.end(signal.SIGKILL)
            await plc.device.close()
            await silent.device.close()


async def whole(server, stream):
    """All batches of a stream, in its order."""
    async with await server.connect("store") as store:
        consumer = await store.consumer(stream, "store")
        found = []
        while messages := await consumer.fetch(200, None, 1.5):
            found += [Batch.decode(message.data) for message in messages]
            await consumer.acknowledge(messages)
        return found


def answered(state, connection="plc"):
    """How many polls the device that counts has answered, or another."""
    return state["connections"][connection]["groups"]["fast"]["answered"]


async def polled(gateway, times, within=30.0):
    """Until both devices have answered so many polls."""
    async with asyncio.timeout(within):
        while True:
            state = json.loads(await gateway.answers("/state"))
            if min(answered(state), answered(state, "silent")) >= times:
                return
            await asyncio.sleep(0.1)


async def until_quality(gateway, key, *wanted, within=30.0):
    """What the gateway says of a point, once its quality is one of those."""
    async with asyncio.timeout(within):
        while True:
            told = json.loads(await gateway.answers(f"/diagnostics?point={CODE}/e/{key}"))
            if told["quality"] in wanted:
                return told
            await asyncio.sleep(0.1)


def of(batches, key):
    samples = concat([batch.samples for batch in batches])
    return samples.take(samples.point == identity(key))


async def publish(server, until, sent, first=0):
    """Messages `first`, `first` + 1 … as a device sends them, each noted once the broker has taken it."""
    number = first
    async with aiomqtt.Client(
        "127.0.0.1",
        server.mqtt_port,
        username="simulator",
        password=server.credentials.mqtt_password("simulator"),
        identifier="device",
    ) as client:
        while not until.is_set():
            ts = time.time_ns() // 1_000_000
            await client.publish("mine/chamber/state", json.dumps({"v": number, "ts": ts}), qos=1)
            sent[number] = ts * 1000
            number += 1
            await asyncio.sleep(0.02)


async def subscribed(server, gateway, within=30.0):
    """Until a message of the device arrives: from then on the broker keeps what the gateway does not take."""
    said, arrived = {}, asyncio.Event()
    publishing = asyncio.create_task(publish(server, arrived, said, first=-1_000_000))
    async with asyncio.timeout(within):
        while not json.loads(await gateway.answers(f"/diagnostics?point={CODE}/e/message"))["samples_taken"]:
            await asyncio.sleep(0.1)
    arrived.set()
    await publishing


async def all_messages(server, sent, within=45.0):
    """The batches of the stream, once it has every message."""
    batches, missing = [], set(sent)
    async with await server.connect("store") as store:
        consumer = await store.consumer(subjects.SAMPLES, "store")
        deadline = time.monotonic() + within
        while missing and time.monotonic() < deadline:
            messages = await consumer.fetch(200, None, 1.0)
            found = [Batch.decode(message.data) for message in messages]
            await consumer.acknowledge(messages)
            batches += found
            if found:
                missing -= set(of(found, "message").value.tolist())
    return batches


async def test_kill_9_again_and_again_loses_nothing_that_was_acknowledged(tmp_path):
    async with stack(tmp_path) as (server, _, _, gateway):
        await gateway.start()
        await subscribed(server, gateway)
        sent, done = {}, asyncio.Event()
        publishing = asyncio.create_task(publish(server, done, sent))
        for _ in range(3):
            await asyncio.sleep(1.3)
            await gateway.end(signal.SIGKILL)
            await asyncio.sleep(0.2)
            await gateway.start()
            await gateway.answers("/state")
        await asyncio.sleep(2.5)
        done.set()
        await publishing
        # The bus's broker sends what a dead client had not acknowledged again only after 10 s.
        await asyncio.sleep(11.0)
        bulk = await all_messages(server, sent)
        assert await gateway.end(signal.SIGTERM) == 0
        bulk += await whole(server, subjects.SAMPLES)
        safety = await whole(server, subjects.SAFETY)

        for batches in (bulk, safety):
            numbers = [batch.number for batch in batches]
            assert numbers == sorted(set(numbers)), "numbers strictly increase, over three deaths"
        message = of(bulk, "message")
        good = message.take((message.quality == 192) & (message.value >= 0))
        assert set(good.value.astype(int).tolist()) == set(sent), "every message that the broker took is there"
        by_value = defaultdict(set)
        for ts, value in zip(good.ts.tolist(), good.value.tolist(), strict=True):
            by_value[int(value)].add(ts)
        assert all(by_value[number] == {ts} for number, ts in sent.items()), "each with the source's own time"

        for key, batches in (("polled", bulk), ("safety", safety)):
            rows = of(batches, key)
            good = rows.take(rows.quality == 192)
            assert len(good) > 20 and np.diff(good.ts).min() > 0
            wrong = np.abs((good.ts / 1e6 * 20) % 65536 - good.value)
            # 20 counts a second: within 500 ms, and three times that where both processes wait for the processor.
            assert np.minimum(wrong, 65536 - wrong).max() <= 3 * 10, "a value is of its own time"
        assert not (set(of(bulk, "safety").ts) or set(of(safety, "polled").ts))


async def test_a_device_that_stops_answering_is_bad_in_time_and_the_others_keep_their_rate(tmp_path):
    async with stack(tmp_path) as (server, _, silent, gateway):
        await gateway.start()
        await polled(gateway, 10)
        before = json.loads(await gateway.answers("/state"))
        silent.device.fault = "hang"
        began = time.time_ns() // 1000
        await asyncio.sleep(3.0)
        after = json.loads(await gateway.answers("/state"))
        told = await until_quality(gateway, "other", Quality.BAD_COMMUNICATION, Quality.BAD_NOT_CONNECTED)
        assert told["reason"]
        polls = [answered(state) for state in (before, after)]
        elapsed = (after["ts"] - before["ts"]) / 1e6
        # Each poll of the other takes its second: had this one to wait for it, there were one a second or none.
        assert (polls[1] - polls[0]) / elapsed >= 5 * 0.7, "five polls a second, as before"
        silent.device.fault = None
        await until_quality(gateway, "other", 192)
        await asyncio.sleep(1.0)
        assert await gateway.end(signal.SIGTERM) == 0
        rows = of(await whole(server, subjects.SAMPLES), "other")
        bad = rows.take((rows.quality < 64) & (rows.ts > began))
        assert len(bad) and bad.ts[0] - began <= 3 * 1_200_000, "the half second of grace, and one poll before it"
        assert np.isnan(bad.value).all()
        assert rows.quality[-2] == 192, "it recovered by itself"
        assert rows.quality[-1] == Quality.BAD_NOT_CONNECTED, "until the gateway was stopped"


async def test_it_starts_without_a_bus_and_says_so_and_catches_up(tmp_path):
    async with stack(tmp_path) as (server, _, _, gateway):
        await server.process.kill()
        await gateway.start()
        page = await gateway.answers("/metrics")
        assert "sevenones_gateway_bus_connected 0.0" in page
        async with asyncio.timeout(30):
            while answered(json.loads(await gateway.answers("/state"))) < 12:
                await asyncio.sleep(0.1)
        started = time.time_ns() // 1000
        await server.process.start()
        async with asyncio.timeout(30):
            while "sevenones_gateway_bus_connected 1.0" not in await gateway.answers("/metrics"):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)
        assert await gateway.end(signal.SIGTERM) == 0
        rows = of(await whole(server, subjects.SAMPLES), "polled")
        early = rows.take((rows.quality == 192) & (rows.ts < started - 500_000))
        assert len(early) >= 5, "what was read without a bus is there"


async def test_a_gateway_that_is_stopped_says_that_its_points_are_not_known_any_more_and_one_that_starts_again_goes_on(
    tmp_path,
):
    async with stack(tmp_path) as (server, _, _, gateway):
        await gateway.start()
        await polled(gateway, 5)
        assert await gateway.end(signal.SIGTERM) == 0
        stopped = time.time_ns() // 1000
        await gateway.start()
        await polled(gateway, 5)
        assert await gateway.end(signal.SIGTERM) == 0
        bulk, safety = await whole(server, subjects.SAMPLES), await whole(server, subjects.SAFETY)
        for key, batches in (("polled", bulk), ("other", bulk), ("safety", safety)):
            rows = of(batches, key)
            before = rows.take(rows.ts <= stopped)
            assert before.quality[-1] == Quality.BAD_NOT_CONNECTED and np.isnan(before.value[-1]), key
            assert 192 in before.quality[:-1]
            after = rows.take(rows.ts > stopped)
            assert 192 in after.quality and after.quality[-1] == Quality.BAD_NOT_CONNECTED, key


async def test_the_local_door_shows_counts_and_points_and_needs_its_token(tmp_path):
    async with stack(tmp_path) as (server, _, _, gateway):
        async with await server.connect("cli") as _listener:
            await gateway.start()
            await until_quality(gateway, "polled", 192)
        page = await gateway.answers("/metrics")
        for line in (
            'polls_due_total{connection="plc",group="fast"}',
            'polls_answered_total{connection="plc",group="fast"}',
            'poll_overruns_total{connection="plc",group="fast"}',
            'samples_total{connection="plc"}',
            'samples_suppressed_total{connection="plc"}',
            'reconnects_total{connection="plc"}',
            "dropped_rows_total",
            "publish_refused_total",
            "buffered_bytes",
            'adapter_total{connection="chamber",counter="malformed_total"}',
        ):
            assert f"sevenones_gateway_{line}" in page, line
        assert CODE + "/e/polled" in json.loads(await gateway.answers("/diagnostics"))["points"]
        shown = json.loads(await gateway.answers(f"/diagnostics?point={CODE}/e/polled"))
        assert shown["quality"] == 192 and len(bytes.fromhex(shown["raw_hex"])) == 2
        assert int.from_bytes(bytes.fromhex(shown["raw_hex"]), "big") == shown["decoded"]
        for path, token, status in (
            ("/metrics", "wrong", 401),
            ("/metrics", "", 401),
            ("/none", None, 404),
            ("/diagnostics?point=none", None, 404),
        ):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                await asyncio.to_thread(gateway.ask, path, token)
            assert refusal.value.code == status
            assert json.loads(refusal.value.read())["error"]
        mode = (gateway.home / "metrics" / "gateway-edge1.json").stat().st_mode
        assert mode & 0o777 == 0o600


async def test_live_values_and_heartbeats_go_out(tmp_path):
    async with stack(tmp_path) as (server, _, _, gateway), await server.connect("api") as api:
        live, beats = [], []

        async def on_live(subject, data):
            live.append(Batch.decode(data))

        async def on_beat(subject, data):
            beats.append(json.loads(data))

        await api.listen(subjects.live(CODE, "*"), on_live)
        await api.listen(subjects.state(CODE, "*"), on_beat)
        await gateway.start()
        wanted, up = {identity("polled"), identity("safety")}, False
        async with asyncio.timeout(60):
            while not (up and live and wanted <= set(concat([b.samples for b in live]).point.tolist())):
                await asyncio.sleep(0.1)
                up = bool(beats) and beats[-1]["connections"]["plc"]["state"] == "up"
        assert beats[-1]["process"] == "gateway-edge1"
        assert server.credentials.mqtt_password("gateway") not in json.dumps(beats)
