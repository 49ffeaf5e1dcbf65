"""From a database's rows to the samples' stream through a whole gateway, that is killed in between."""

from __future__ import annotations

import asyncio
import time

import pytest

from bus import subjects
from tests.gateway.sites import CODE
from tests.protocols.gatewaychild import Child, Stream, running
from tests.protocols.sql.source import Source
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)


async def test_kill_9_between_reading_and_acknowledging_loses_no_row(postgres, tmp_path):
    source = Source(postgres)
    settings = source.settings(tmp_path / "state", start="beginning", overlap_rows=0, rows_per_poll=10, timeout_s=10)
    written = 0
    async with mine_bus(tmp_path / "bus", CODE) as server, await server.connect("store") as store:
        stream = Stream(await store.consumer(subjects.SAMPLES, "store"))

        def values() -> set[int]:
            rows = stream.of("ch4")
            return set(rows.take(rows.quality == 192).value.astype(int).tolist())

        child = Child(server, "sql", settings, {"ch4": "CH4"})
        async with running(child):
            for _ in range(2):
                goal = len(values()) + 25
                await child.start()
                deadline = time.monotonic() + 40
                while len(values()) < goal:
                    assert time.monotonic() < deadline, "nothing comes"
                    source.add("CH4", written)
                    written += 1
                    if written % 10 == 0:
                        await stream.read()
                await child.end()
            await child.start()
            deadline = time.monotonic() + 40
            while values() != set(range(written)):
                assert time.monotonic() < deadline, f"lost: {sorted(set(range(written)) - values())}"
                await stream.read()
                await asyncio.sleep(0.1)
