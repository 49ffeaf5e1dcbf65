"""Real servers for tests, on free ports, gone when the test ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bus import credentials, streams
from bus.config import Tls, Upstream
from bus.connection import Bus
from bus.credentials import Credentials
from bus.process import ServerProcess
from bus.server import prepare
from bus.streams import Limits
from tests.ports import free_port

SMALL = Limits(samples_bytes=64 << 20, safety_bytes=16 << 20, events_bytes=16 << 20)
CODE = "140581000000"


@dataclass
class RunningBus:
    """A mine's bus that runs: `url` for clients, `home` with its credentials, `mqtt_port` for devices."""

    code: str
    home: Path
    url: str
    mqtt_port: int | None
    leaf_port: int | None
    credentials: Credentials
    process: ServerProcess

    async def connect(self, process: str, *, name: str | None = None) -> Bus:
        """A connection as that process (`gateway-<name>`, store, watch, api, cli, admin)."""
        return await Bus.connect(self.url, self.credentials.processes[process], name=name, wait_s=10)


@asynccontextmanager
async def mine_bus(
    home: Path,
    code: str = CODE,
    gateways: Iterable[str] = ("edge1",),
    *,
    name: str = "mine",
    mqtt: bool = False,
    limits: Limits = SMALL,
    leaves: Mapping[str, Iterable[str]] | None = None,
    upstream: Upstream | None = None,
    leaf_tls: Tls | None = None,
    set_up: bool = True,
) -> AsyncIterator[RunningBus]:
    """A bus server in `home` with its streams, ready for the given gateways."""
    gateways = tuple(gateways)
    made = credentials.make_all(home, code, gateways, leaves)
    config = prepare(
        home,
        name=name,
        port=free_port(),
        mqtt_port=free_port() if mqtt else None,
        leaf_port=free_port() if leaves else None,
        leaf_tls=leaf_tls,
        upstream=upstream,
    )
    process = ServerProcess(config)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(process.stop)
        await process.start()
        running = RunningBus(code, home, config.url, config.mqtt_port, config.leaf_port, made, process)
        if set_up:
            admin = await running.connect("admin")
            local = gateways if leaves else None
            await streams.ensure(admin, code, limits, gateways=local, edges=leaves, with_sites=upstream is None)
            await admin.close()
        yield running
