"""The store process on a real bus: what is published is stored once, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bus import subjects
from bus.errors import BusUnavailable
from bus.process import die_with_parent
from middleplatform.store.client import StoreClient, StoreError, StoreUnavailable, read_endpoint
from middleplatform.store.rollup_tables import HOUR
from models.events import EventBatch
from models.samples import Batch, Samples
from tests.middleplatform.store.build import CODE, event_of, id_of, now
from tests.servers import mine_bus

pytestmark = [pytest.mark.timeout(120), pytest.mark.long]
KEYS = [f"p{index}" for index in range(200)]
IDS = np.array([id_of(key) for key in KEYS], np.uint64)


def batch(number: int, ts: int, ids: np.ndarray = IDS) -> Batch:
    samples = Samples(ids, np.full(len(ids), ts, np.int64), ids % 1000 + number / 1e6, np.full(len(ids), 192, np.uint8))
    return Batch("edge1", number, now(), samples)


class Store:
    """The store program; `start`, `kill`, `stop`."""

    def __init__(self, home, url) -> None:
        self.home, self.url, self.child = home, url, None

    async def start(self) -> None:
        argv = (sys.executable, "-m", "tests.middleplatform.store.store_program", str(self.home), self.url)
        self.child = await asyncio.create_subprocess_exec(*argv, preexec_fn=die_with_parent)

    async def end(self, number: int) -> int:
        if self.child.returncode is None:
            self.child.send_signal(number)
        return await asyncio.wait_for(self.child.wait(), 60)

    async def client(self) -> StoreClient:
        """A client once the store answers."""
        for _ in range(300):
            try:
                client = StoreClient(read_endpoint(self.home), timeout_s=10)
                await asyncio.to_thread(client.status)
            except (StoreUnavailable, StoreError):
                await asyncio.sleep(0.1)
            else:
                return client
        raise AssertionError("the store did not come up")


@asynccontextmanager
async def stage(home):
    """A bus with a store on it, and a gateway's connection."""
    (home / "site").mkdir()
    (home / "site" / "points.json").write_text(json.dumps({"edge1": KEYS}))
    async with mine_bus(home) as running:
        store = Store(home, running.url)
        await store.start()
        gateway = await running.connect("gateway-edge1")
        try:
            yield running, store, gateway
        finally:
            await gateway.close()
            await store.end(signal.SIGKILL)


async def until(condition, within: float = 60.0):
    """The first true result of `condition`, run in a thread."""
    deadline = asyncio.get_running_loop().time() + within
    while not (found := await asyncio.to_thread(condition)):
        assert asyncio.get_running_loop().time() < deadline, "it did not come about in time"
        await asyncio.sleep(0.1)
    return found


async def test_killed_again_and_again_while_samples_flow_it_keeps_each_of_them_once(tmp_path):
    async with stage(tmp_path) as (_, store, gateway):
        await store.client()
        start, sent, done = now(), [], asyncio.Event()

        async def publish() -> None:
            subject = subjects.samples(CODE, "edge1")
            while not done.is_set():
                number = len(sent) + 1
                one = batch(number, start + number)
                await gateway.publish(subject, one.encode(), f"edge1-{number}")
                sent.append(one)
                await asyncio.sleep(0.005)

        publishing = asyncio.create_task(publish())
        chance = random.Random(5)
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0.3, 1.5))
            await store.end(signal.SIGKILL)
            await store.start()
            await store.client()
        await asyncio.sleep(0.5)
        done.set()
        await publishing
        assert len(sent) > 100

        client, end = await store.client(), start + len(sent) + 1
        expected = len(sent) * len(KEYS)
        await until(
            lambda: client.buckets(IDS.tolist(), start, end, end - start).column("n").to_numpy().sum() >= expected
        )
        got = client.raw(IDS.tolist(), start, end, 2 * expected)
        assert got.num_rows == expected, "a sample is there twice"
        order = np.argsort(IDS)
        value = np.stack([one.samples.value for one in sent])[:, order].T.ravel()
        assert (got.column("point").to_numpy() == np.repeat(IDS[order], len(sent))).all()
        assert (got.column("ts").to_numpy() == np.tile(start + 1 + np.arange(len(sent)), len(IDS))).all()
        assert (got.column("value").to_numpy() == value).all()
        latest = client.latest()
        assert latest.num_rows == len(KEYS) and set(latest.column("ts").to_pylist()) == {start + len(sent)}


async def test_a_new_mine_lacks_nothing_of_the_time_before_it_and_what_never_answers_from_its_gateways_first_sign(
    tmp_path,
):
    async with stage(tmp_path) as (_, store, gateway):
        client = await store.client()
        if (left := HOUR - now() % HOUR) < 30_000_000:
            await asyncio.sleep(left / 1e6)  # the last hour of those that are looked at is the present one all the time
        hour = now() // HOUR * HOUR
        asked = (IDS[:2].tolist(), [0, 1], hour - 3 * HOUR, hour + HOUR, HOUR)

        def found(name: str) -> list[list]:
            return np.reshape(client.quality(*asked).column(name).to_numpy(), (2, -1)).tolist()

        assert await asyncio.to_thread(found, "expected_us") == [[0] * 4] * 2  # its gateway was never there
        began = now()
        heartbeat = {"ts": began, "started": began, "connections": {}}
        await gateway.live(subjects.state(CODE, "gateway-edge1"), json.dumps(heartbeat).encode())
        await until(lambda: min(row[-1] for row in found("expected_us")) > 0)
        one = batch(1, now(), IDS[:1])
        await gateway.publish(subjects.samples(CODE, "edge1"), one.encode(), "edge1-1")
        await until(lambda: found("n")[0][-1] == 1)
        answers, never = found("completeness")
        assert np.isnan(answers[:3]).all() and np.isnan(never[:3]).all()
        assert 0 < answers[-1] < 1 and never[-1] == 0.0
        gaps = client.quality_intervals(IDS[1:2].tolist(), hour - 3 * HOUR, now(), "gateway", 0, 10).to_pylist()
        assert len(gaps) == 1 and began <= gaps[0]["begin"] <= one.samples.ts[0]
        await store.end(signal.SIGKILL)
        await store.start()
        client = await store.client()
        again = client.quality_intervals(IDS[1:2].tolist(), hour - 3 * HOUR, now(), "gateway", 0, 10).to_pylist()
        assert again[0]["begin"] == gaps[0]["begin"]


async def test_an_answer_covers_what_has_come_off_the_bus_and_all_streams_are_kept(tmp_path):
    async with stage(tmp_path) as (running, store, gateway):
        client = await store.client()
        listener, beats = await running.connect("cli"), []

        async def heard(_: str, data: bytes) -> None:
            beats.append(json.loads(data))

        await listener.listen(subjects.state(CODE, "store"), heard)
        ts = now()
        await gateway.publish(subjects.samples(CODE, "edge1"), batch(1, ts).encode(), "edge1-1")
        await gateway.publish(subjects.safety(CODE, "edge1"), batch(2, ts + 1).encode(), "edge1-2")
        events = EventBatch("edge1", 3, ts, [event_of("e1", ts)])
        await gateway.publish(subjects.events(CODE, "edge1"), events.encode(), "edge1-3")
        await gateway.publish(subjects.samples(CODE, "edge1"), b"noise", "edge1-4")
        await until(lambda: client.raw(IDS.tolist(), ts, ts + 10, 1000).num_rows == 400)
        await until(lambda: client.events(None, None, ts, ts + 1, 10).num_rows == 1)
        await until(lambda: client.status()["malformed"] == 1)

        def counted() -> tuple[int, int, int]:
            status = client.status()
            return status["rows"], status["events"], status["pending"]

        await until(lambda: counted() == (400, 1, 0))
        await until(lambda: client.status()["lag"] == {"SAMPLES": 0, "SAFETY": 0, "EVENTS": 0})
        await until(lambda: any(beat["rows"] == 400 for beat in beats))
        await listener.close()


async def test_a_new_catalogue_releases_and_a_broken_one_changes_nothing(tmp_path):
    async with stage(tmp_path) as (_, store, gateway):
        client, ts = await store.client(), now()
        new = np.array([id_of("new")], np.uint64)
        points = tmp_path / "site" / "points.json"
        points.write_text("{")
        await gateway.publish(subjects.samples(CODE, "edge1"), batch(1, ts, new).encode(), "edge1-1")
        await until(lambda: client.status()["quarantine_rows"] == 1)
        await asyncio.sleep(6)
        await gateway.publish(subjects.samples(CODE, "edge1"), batch(2, ts).encode(), "edge1-2")
        await until(lambda: client.raw(IDS.tolist(), ts, ts + 1, 1000).num_rows == 200)
        assert client.raw(new.tolist(), ts, ts + 1, 10).num_rows == 0
        points.write_text(json.dumps({"edge1": [*KEYS, "new"]}))
        await until(lambda: client.raw(new.tolist(), ts, ts + 1, 10).num_rows == 1)
        await until(lambda: client.status()["quarantine_rows"] == 0)
        await until(lambda: client.latest(new.tolist()).num_rows == 1)


async def test_it_answers_while_the_bus_is_away_and_goes_on_when_it_is_back(tmp_path):
    async with stage(tmp_path) as (running, store, gateway):
        client, ts = await store.client(), now()
        await gateway.publish(subjects.samples(CODE, "edge1"), batch(1, ts).encode(), "edge1-1")
        await until(lambda: client.raw(IDS.tolist(), ts, ts + 9, 1000).num_rows == 200)
        await running.process.kill()
        assert client.raw(IDS.tolist(), ts, ts + 9, 1000).num_rows == 200
        await running.process.start()
        two = batch(2, ts + 1).encode()
        async with asyncio.timeout(60):
            while True:
                try:
                    await gateway.publish(subjects.samples(CODE, "edge1"), two, "edge1-2")
                    break
                except BusUnavailable:  # it listens a moment before its streams are there
                    await asyncio.sleep(0.1)
        await until(lambda: client.raw(IDS.tolist(), ts, ts + 9, 1000).num_rows == 400)


async def test_its_files_are_its_owners_and_it_ends_in_order(tmp_path):
    async with stage(tmp_path) as (_, store, _gateway):
        await store.client()
        for path in (tmp_path / "store" / "endpoint.json", tmp_path / "metrics" / "store.json"):
            assert path.stat().st_mode & 0o777 == 0o600, path
        assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700

        facts = json.loads((tmp_path / "metrics" / "store.json").read_text())

        def get(token: str) -> str:
            request = urllib.request.Request(facts["url"], headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.read().decode()

        page = await asyncio.to_thread(get, facts["token"])
        assert (
            "sevenones_store_rows_total 0.0" in page and 'sevenones_store_quarantined_total{reason="unknown"}' in page
        )
        with pytest.raises(urllib.error.HTTPError, match="401"):
            await asyncio.to_thread(get, "wrong")

        assert await store.end(signal.SIGTERM) == 0
        assert not os.path.exists(tmp_path / "store" / "endpoint.json")  # noqa: PTH110


async def test_killed_while_it_rolls_up_late_data_it_keeps_every_dirty_window(tmp_path):
    """Data of past hours comes in, late and out of order, while the store is killed again and again: in the end the
    roll-ups of all of it are made, and the checks find them to be what the samples say."""
    async with stage(tmp_path) as (_, store, gateway):
        client = await store.client()
        base, number, chance = now() // HOUR * HOUR - 30 * HOUR, 0, random.Random(7)
        subject = subjects.samples(CODE, "edge1")
        expected: dict[int, int] = {}
        for _ in range(4):
            for _ in range(15):
                number += 1
                ts = base + chance.randrange(20) * HOUR + number * 20_000_000
                expected[ts // HOUR] = expected.get(ts // HOUR, 0) + 1
                await gateway.publish(subject, batch(number, ts).encode(), f"late-{number}")
            await asyncio.sleep(chance.uniform(0.2, 2.0))
            await store.end(signal.SIGKILL)
            await store.start()
            client = await store.client()
        await until(lambda: client.status()["dirty_hours"] == 0 and client.status()["lag"].get("SAMPLES") == 0, 90)
        ids = IDS[:5].tolist()
        await until(
            lambda: client.buckets(ids, base, base + 30 * HOUR, 30 * HOUR).column("n").to_pylist() == [number] * 5
        )
        await until(lambda: client.status()["dirty_hours"] == 0, 90)
        hours = client.buckets(IDS[:1].tolist(), base, base + 30 * HOUR, HOUR)
        got = zip(hours.column("ts").to_pylist(), hours.column("n").to_pylist(), strict=True)
        assert {ts // HOUR: n for ts, n in got if n} == expected
        found = client.upkeep("check").to_pylist()
        assert all(line["good"] for line in found), found
        assert {line["what"] for line in found} >= {"samples", "rollup_1m", "rollup_1h", "rollups"}
        assert client.upkeep("retention", apply=False).num_rows == 0
