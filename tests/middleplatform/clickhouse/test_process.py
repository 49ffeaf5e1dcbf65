"""The store process on a bus and on two replicas: one server and the store itself are killed while samples flow."""

import asyncio
import signal

import pytest

from bus import subjects
from middleplatform.store.schema import SETTING
from tests.middleplatform.store.build import CODE, now
from tests.middleplatform.store.test_process import IDS, batch, stage, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.proof]


async def test_a_server_and_the_store_are_killed_while_samples_flow(tmp_path, replicas, monkeypatch):
    monkeypatch.setenv(SETTING, replicas.url("mine"))
    async with stage(tmp_path) as (_, store, gateway):
        await store.client()
        start, batches = now(), 40
        for number in range(1, batches + 1):
            data = batch(number, start + number).encode()
            await gateway.publish(subjects.samples(CODE, "edge1"), data, f"edge1-{number}")
            await asyncio.sleep(0.05)
            if number == 10:
                await asyncio.to_thread(replicas.servers[0].kill)
            if number == 20:
                await store.end(signal.SIGKILL)
                await store.start()
        client, end, expected = await store.client(), start + batches + 1, batches * len(IDS)

        def all_there():
            found = client.raw(IDS.tolist(), start, end, 2 * expected)
            return found if found.num_rows >= expected else None

        got = await until(all_there, 90)
        assert got.num_rows == expected
        keys = zip(got["point"].to_pylist(), got["ts"].to_pylist(), strict=True)
        values = dict(zip(keys, got["value"].to_pylist(), strict=True))
        for number in range(1, batches + 1):
            samples = batch(number, start + number).samples
            mine = [values[point, start + number] for point in samples.point.tolist()]
            assert mine == samples.value.tolist()
        assert not (tmp_path / "store" / "chdb").exists()
        assert replicas.url("mine") not in (tmp_path / "store" / "endpoint.json").read_text()
        assert await store.end(signal.SIGTERM) == 0
