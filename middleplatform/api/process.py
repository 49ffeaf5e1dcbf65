"""The api process: live table from the bus, application on a port."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn

from bus import subjects
from bus.connection import Bus
from bus.credentials import Credential
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.door import StoreDoor
from middleplatform.api.live import LiveTable
from middleplatform.store.client import StoreClient, StoreError
from models.samples import Batch, Samples, WireError
from models.site.model import Site

log = structlog.get_logger("api")

HEARTBEAT_S = 2.0
RETRY_S = 1.0


class PortTaken(Exception):  # noqa: N818 - a state of the machine
    """The port cannot be listened on."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The command that runs us has the signals."""
        yield


async def run(
    site: Site, home: Path, bus_url: str, credential: Credential, host: str, port: int, stop: asyncio.Event
) -> None:
    """Serve until `stop` is set. Raises PortTaken, NotPermitted."""
    catalogue = Catalogue(site)
    live = LiveTable(catalogue)
    bus = await Bus.connect(bus_url, credential, name="api", wait_s=0)
    app = build(catalogue, live, bus, home)

    async def take(_: str, data: bytes) -> None:
        try:
            batch = Batch.decode(data)
        except WireError as error:
            log.warning("a live message could not be read", error=str(error))
            return
        live.take(batch.samples, batch.received)

    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, ws_per_message_deflate=False,
        ws_max_size=1 << 16, timeout_graceful_shutdown=3, server_header=False, date_header=False,
    )  # fmt: skip
    config.load()
    server = _Server(config)
    try:
        listener = config.bind_socket()
    except SystemExit:
        await bus.close()
        raise PortTaken(
            f"端口 {port} 已被占用，请用 --port 换一个 · port {port} on {host} is taken: choose another with --port"
        ) from None
    await bus.listen(subjects.live(site.code, "*"), take)
    work = [
        asyncio.create_task(server.serve([listener]), name="serve"),
        asyncio.create_task(_rebuild(app.state.door, live), name="rebuild"),
        asyncio.create_task(_heartbeats(bus, site.code, live), name="heartbeats"),
    ]
    log.info("接口已打开 · api open", url=f"http://{host}:{port}", points=len(site.points))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((work[0], stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await asyncio.wait((work[0],), timeout=6)
        for task in (*work, stopping):
            task.cancel()
        await asyncio.gather(*work, stopping, return_exceptions=True)
        app.state.door.close()
        await bus.close()
        listener.close()


async def _rebuild(door: StoreDoor, live: LiveTable) -> None:
    """Fill the live table with the store's latest values, once, when the store answers."""
    while True:
        try:
            table = await door.ask(StoreClient.latest)
        except StoreError:
            await asyncio.sleep(RETRY_S)
            continue
        for record in table.to_batches():
            live.take(Samples.from_arrow(record))
        return


async def _heartbeats(bus: Bus, code: str, live: LiveTable) -> None:
    subject = subjects.state(code, "api")
    while True:
        state = {"process": "api", "live_messages": live.messages, "unknown": live.unknown}
        await bus.live(subject, json.dumps(state).encode())
        await asyncio.sleep(HEARTBEAT_S)
