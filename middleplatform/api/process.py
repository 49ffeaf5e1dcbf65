"""The api process: live table from the bus, application on a port."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from bus import subjects
from bus.authority import sealed
from bus.connection import Bus
from bus.credentials import Credential
from bus.secret import Announcement
from middleplatform.api.app import build
from middleplatform.api.beside import Work, begun
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.clocks import Clocks
from middleplatform.api.door import StoreDoor
from middleplatform.api.errors import ApiError
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from middleplatform.api.times import now_us
from middleplatform.api.watch_state import WatchState
from middleplatform.audit.actor import PROCESS, Actor, act_as
from middleplatform.audit.anchor import keep
from middleplatform.control.attend import attend
from middleplatform.governance.follow import follow
from middleplatform.governance.publish import publish
from middleplatform.patrols.alarms import raise_overdue
from middleplatform.store.client import StoreClient, StoreError, StoreUnavailable
from middleplatform.workshop.tools import Tools
from models.samples import Batch, WireError
from models.site.model import Retention, Site

log = structlog.get_logger("api")

HEARTBEAT_S = 2.0
RETRY_S = 1.0
UNSENT_MS = 30_000
"""A connection whose other side takes nothing for this long is ended by the kernel."""


class PortTaken(Exception):
    """The port cannot be listened on."""


async def run(
    site: Site,
    home: Path,
    bus_url: str,
    credential: Credential,
    host: str,
    port: int,
    stop: asyncio.Event,
    database: str | None = None,
    tools: Tools | None = None,
) -> None:
    """Serve until `stop` is set. `database`: where the relational store is when not in the home; `tools`: those of the
    workshop. Raises PortTaken, NotPermitted, DatabaseError."""
    act_as(Actor("api", PROCESS))
    catalogue, live = Catalogue(site), LiveTable(site)
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    try:
        bus = await Bus.connect(bus_url, credential, name="api", wait_s=0)
    except BaseException:
        listener.close()
        raise
    try:
        app = build(catalogue, live, bus, home, database, tools)
        await asyncio.to_thread(app.state.exports.resume)
        tls = _tls(home)
        scheme = "http" if tls is None else "https"
        serving = server(app, host, port, tls)
        await bus.listen(subjects.live(site.code, "*"), _taker(live))
        await bus.listen(subjects.state(site.code, "*"), _beats(live, app.state.watch, app.state.clocks))
        work = [
            asyncio.create_task(serving.serve([listener]), name="serve"),
            asyncio.create_task(_rebuild(app.state.door, live, bus), name="rebuild"),
            asyncio.create_task(_heartbeats(bus, site.code, live), name="heartbeats"),
        ]
        beside = begun(_beside(bus, app, site, home))
        stopping = asyncio.create_task(stop.wait())
        metrics = {"url": f"{scheme}://{_reachable(host)}:{port}/metrics", "token": app.state.metrics_token}
        announced = Announcement(home / "metrics" / "api.json", metrics)
        log.info("接口已打开 · api open", url=f"{scheme}://{host}:{port}", points=len(site.points))
        try:
            await asyncio.wait((*work, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in work:
                if task.done():
                    task.result()
        finally:
            announced.withdraw()
            serving.should_exit = True
            await asyncio.wait((work[0],), timeout=6)
            for task in (*work, *beside, stopping):
                task.cancel()
            await asyncio.gather(*work, *beside, stopping, return_exceptions=True)
            await asyncio.to_thread(app.state.exports.close)
            app.state.door.close()
    finally:
        await bus.close()
        listener.close()


def _beside(bus: Bus, app: FastAPI, site: Site, home: Path) -> list[tuple[str, Work]]:
    """What runs beside the serving."""
    where, door = app.state.database, app.state.door
    safety = frozenset(point.path for point in site.points if point.retention is Retention.STATUTORY)

    async def ask(question: Callable[[StoreClient], Any]) -> Any:
        try:
            return await door.ask(question)
        except ApiError as error:
            raise StoreUnavailable(str(error)) from error

    return [
        ("site versions", lambda: follow(bus, where, site)),
        ("manual", lambda: publish(bus, ask, where, site.code, safety, app.state.approved)),
        ("sequences", lambda: attend(bus, site, where, app.state.live, partial(sealed, home, "sequence"))),
        ("audit anchors", lambda: keep(bus, where, site.code, goes=app.state.anchoring)),
        ("patrols", lambda: raise_overdue(ask, where, site)),
    ]


def _tls(home: Path) -> tuple[Path, Path] | None:
    """What the home's authority made for the api; None where there is no authority."""
    where = home / "pki"
    return (where / "api.pem", where / "api.key") if (where / "ca.pem").exists() else None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_MS)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"无法监听 {host}:{port}（{error.strerror}），请用 --port 换一个端口 · "
            f"cannot listen on {host}:{port} ({error.strerror}): choose another port with --port"
        ) from None
    return listener


def _taker(live: LiveTable) -> Any:
    async def take(subject: str, data: bytes) -> None:
        try:
            batch = Batch.decode(data)
        except WireError as error:
            live.malformed += 1
            log.warning("a live message could not be read", error=str(error))
            return
        gateway = subjects.source_of(subject)
        live.beat(gateway)
        # The bus lets a gateway speak under its own name only, and for its own points only it is believed; under the
        # name of people's entries this process alone may speak.
        live.update(batch.samples, gateway=gateway)

    return take


def _beats(live: LiveTable, watch: WatchState, clocks: Clocks) -> Any:
    async def take(subject: str, data: bytes) -> None:
        who = subjects.source_of(subject)
        if who == "watch":
            watch.take(data, now_us())
        elif who.startswith("gateway-"):
            clocks.take(who.removeprefix("gateway-"), data, now_us())
        live.beat(who.removeprefix("gateway-"))

    return take


async def _rebuild(door: StoreDoor, live: LiveTable, bus: Bus) -> None:
    """Fill the live table with the store's latest values: at the start, and after each reconnection to the
    bus, when live values may have been missed."""
    while True:
        reconnects = bus.reconnects
        try:
            live.rebuild(await door.ask(StoreClient.latest))
        except (StoreError, ApiError):
            await asyncio.sleep(RETRY_S)
            continue
        while bus.reconnects == reconnects:  # noqa: ASYNC110 - the bus has no event for it
            await asyncio.sleep(RETRY_S)


async def _heartbeats(bus: Bus, code: str, live: LiveTable) -> None:
    subject = subjects.state(code, "api")
    while True:
        state = {"process": "api", "live_messages": live.messages, "unknown": live.unknown}
        await bus.live(subject, json.dumps(state).encode())
        await asyncio.sleep(HEARTBEAT_S)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
