"""The link between an edge's bus server and the mine's is cut for a minute; the gateway dies inside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.config import Upstream
from middleplatform.store.client import StoreClient, StoreUnavailable, read_endpoint
from models.samples import Batch
from models.site import load
from sevenones.demo import BUNDLED_SITE
from sevenones.supervisor import python
from tests.endtoend.streams import pairs_of
from tests.ports import free_port
from tests.proxy import Proxy
from tests.servers import RunningBus, mine_bus

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400), pytest.mark.long]

BEFORE_S, CUT_S, CATCH_UP_S = 8, 60, 100
KILL_AT_S, RESTART_AT_S = 20, 23
SLOWEST_LIVE_US = 1_000_000
"""The period of the demo's groups, the slow ones apart: so long after the last one comes the next live batch."""


def now_us() -> int:
    return time.time_ns() // 1000


@contextlib.asynccontextmanager
async def process(log: Path, environment: dict[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as file:
        child = await asyncio.create_subprocess_exec(
            *python(*arguments), stdout=file, stderr=file, env={**os.environ, **environment}
        )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), 15)
            except TimeoutError:
                child.kill()
                await child.wait()


class Live:
    """When live values of the mine's side arrived, and how old the newest of each batch was."""

    def __init__(self) -> None:
        self.arrived: list[int] = []
        self.newest: list[int] = []

    async def take(self, _: str, data: bytes) -> None:
        self.arrived.append(now_us())
        self.newest.append(int(Batch.decode(data).samples.ts.max()))


def rows_between(client: StoreClient, points: list[int], start: int, end: int) -> int:
    try:
        return int(client.raw(points, start, end, 5_000_000).num_rows)
    except StoreUnavailable:
        return 0


async def test_nothing_is_lost_or_doubled_and_the_present_does_not_wait(tmp_path):
    mine_home, edge_home = tmp_path / "mine", tmp_path / "edge"
    for home in (mine_home, edge_home):
        home.mkdir(mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        mine: RunningBus = await stack.enter_async_context(
            mine_bus(mine_home, code="140525000001", gateways=(), leaves={"edge-server": ("edge1",)})
        )
        assert mine.leaf_port is not None
        cable = await stack.enter_async_context(Proxy(mine.leaf_port))
        upstream = Upstream(f"nats://127.0.0.1:{cable.port}", mine.credentials.processes["leaf-edge-server"])
        edge: RunningBus = await stack.enter_async_context(
            mine_bus(
                edge_home, code="140525000001", gateways=("edge1",), name="edge-server", mqtt=True, upstream=upstream
            )
        )
        environment = {
            "SEVENONES_MODBUS_PORT": str(free_port()),
            "SEVENONES_OPCUA_PORT": str(free_port()),
            "SEVENONES_MQTT_PORT": str(edge.mqtt_port),
            "SEVENONES_OPCUA_PASSWORD": "only-for-this-test",
            "SEVENONES_MQTT_PASSWORD": edge.credentials.mqtt_password("gateway"),
        }
        site = load(BUNDLED_SITE, environment=environment)
        points = [point.id for point in site.points]
        folder = ("--site", str(BUNDLED_SITE))
        gateway = ("gateway", *folder, "--home", str(edge_home), "--bus", edge.url, "--name", "edge1")
        log = tmp_path / "processes.log"
        await stack.enter_async_context(process(log, environment, "simulate", *folder, "--home", str(edge_home)))
        await stack.enter_async_context(
            process(log, environment, "store", *folder, "--home", str(mine_home), "--bus", mine.url)
        )
        first = await stack.enter_async_context(process(log, environment, *gateway))
        live = Live()
        listener = await stack.enter_async_context(await mine.connect("cli"))
        await listener.listen(f"mine.{site.code}.live.>", live.take)

        deadline = time.monotonic() + 120
        while not live.arrived or not (mine_home / "store" / "endpoint.json").exists():
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            await asyncio.sleep(0.2)
        client = StoreClient(read_endpoint(mine_home))
        await asyncio.sleep(BEFORE_S)

        cut_at = now_us()
        await cable.cut()
        await asyncio.sleep(KILL_AT_S)
        first.kill()
        await asyncio.sleep(RESTART_AT_S - KILL_AT_S)
        await stack.enter_async_context(process(log, environment, *gateway))
        await asyncio.sleep(CUT_S - RESTART_AT_S)
        quiet = [at for at in live.arrived if at > cut_at + 6_000_000]
        assert not quiet, "live values came through a cut cable"
        await cable.mend()
        mended_at = now_us()

        inside = (cut_at + 5_000_000, mended_at - 5_000_000)
        first_backlog = None
        while first_backlog is None and now_us() < mended_at + CATCH_UP_S * 1_000_000:
            if await asyncio.to_thread(rows_between, client, points, *inside):
                first_backlog = now_us()
            await asyncio.sleep(0.2)
        assert first_backlog is not None, "what was sampled during the cut never came"
        while live.arrived[-1] <= mended_at and now_us() < first_backlog + 3 * SLOWEST_LIVE_US:
            await asyncio.sleep(0.05)
        after = [(at, newest) for at, newest in zip(live.arrived, live.newest, strict=True) if at > mended_at]
        assert after, "no live value after the cable was mended"
        # Each comes by its own way when the link is back; the present waits for its next poll, never for the backlog.
        back_at = min(after[0][0], first_backlog)
        assert after[0][0] - back_at < 3 * SLOWEST_LIVE_US, "the first live value waited for the backlog"
        assert after[0][0] - after[0][1] < 3_000_000, "the first live value after the cut was an old one"

        watch_edge = await stack.enter_async_context(await edge.connect("watch"))
        at_edge = await pairs_of(watch_edge)
        expected = {pair for pair in at_edge if pair[1] < now_us()}
        deadline = time.monotonic() + CATCH_UP_S
        stored: list[tuple[int, int]] = []
        while time.monotonic() < deadline:
            table = await asyncio.to_thread(client.raw, points, 0, now_us() + 10_000_000, 5_000_000)
            stored = list(zip(table.column("point").to_pylist(), table.column("ts").to_pylist(), strict=True))
            if expected <= set(stored):
                break
            await asyncio.sleep(1)
        assert expected <= set(stored), f"{len(expected - set(stored))} of {len(expected)} rows are missing at the mine"
        assert len(stored) == len(set(stored)), "a row is in the store twice"
        # A message that its device repeated is twice in the edge's stream, once in the store; the link adds none.
        at_mine = Counter(await pairs_of(await stack.enter_async_context(await mine.connect("watch"))))
        twice = [pair for pair, often in Counter(at_edge).items() if pair in expected and at_mine[pair] != often]
        assert not twice, f"{len(twice)} rows are not as often in the mine's streams as in the edge's"
        during = {ts for _, ts in expected if inside[0] < ts < inside[1]}
        assert len(during) > 100, "hardly anything was sampled during the cut"
