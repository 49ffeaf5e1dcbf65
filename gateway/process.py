"""The gateway process: puts the parts together and keeps them going until it is told to stop.

It always starts: a bus or a device that is away is waited for while the rest works.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from bus import subjects
from bus.connection import Bus
from bus.credentials import Credential
from bus.versions import Versions
from gateway.clock import WallClock
from gateway.control.control import Control
from gateway.control.elsewhere import Elsewhere
from gateway.control.gate import Gate
from gateway.control.record import Record
from gateway.control.tags import Tags
from gateway.control.verifier import Verifier
from gateway.devices import Applied, Devices
from gateway.diagnose import Diagnose
from gateway.diagnostics import Diagnostics
from gateway.endpoint import Answer, Endpoint, as_json
from gateway.findings import FindingsPage
from gateway.follow import Follower, Load
from gateway.ledger import Ledger
from gateway.linkage.edge import Linkages
from gateway.metrics import GatewayMetrics
from gateway.numbers import BatchNumbers
from gateway.orders import Orders
from gateway.outbox import Limits, Outbox
from gateway.pressure import Pressure
from gateway.questions import Questions
from gateway.telling import Telling
from gateway.writer import EVERY_S, MOST_STOPPING, Writer
from models.control.policy import policy
from models.samples import Batch, Samples
from models.site.model import Site
from protocols import registry
from protocols.adapter import Adapter

log = structlog.get_logger(__name__)

HEARTBEAT_S = 2.0
WRITES_S = 1.0
"""A write that is not over by then is one of unknown outcome, and read back at the next start."""
DRAIN_S = 4.0
"""With the closing of devices and bus this stays within five seconds."""


class UnknownGateway(LookupError):
    """The site has no connection for this gateway."""


async def run(
    site: Site,
    name: str,
    home: Path,
    bus_url: str,
    credential: Credential,
    stop: asyncio.Event,
    metrics_port: int = 0,
    *,
    limits: Limits | None = None,
    adapters: Callable[[str], type[Adapter[Any, Any]]] = registry.adapter,
    write_every_s: float = EVERY_S,
) -> None:
    """Be the gateway `name` of `site` until `stop`. Raises UnknownGateway, GatewayRunning, OSError."""
    if name not in site.gateways():
        raise UnknownGateway(
            f"矿井配置中没有网关 {name}，有：{'、'.join(site.gateways())} · the site has no gateway '{name}', "
            f"it has: {', '.join(site.gateways()) or 'none'}"
        )
    settings = _Settings(site.code, name, home, metrics_port, limits, adapters, write_every_s, site, None)
    await _connected(settings, bus_url, credential, stop)


async def run_from_bus(
    code: str,
    name: str,
    home: Path,
    bus_url: str,
    credential: Credential,
    stop: asyncio.Event,
    load: Load,
    metrics_port: int = 0,
    *,
    limits: Limits | None = None,
    adapters: Callable[[str], type[Adapter[Any, Any]]] = registry.adapter,
    write_every_s: float = EVERY_S,
) -> None:
    """Be the gateway `name` of the mine `code`, whose site it takes from the bus and checks with `load`,
    until `stop`. Raises GatewayRunning, OSError."""
    settings = _Settings(code, name, home, metrics_port, limits, adapters, write_every_s, None, load)
    await _connected(settings, bus_url, credential, stop)


@dataclass(frozen=True, slots=True)
class _Settings:
    """Of one gateway: it has its `site`, or `load` for what it takes from the bus."""

    code: str
    name: str
    home: Path
    metrics_port: int
    limits: Limits | None
    adapters: Callable[[str], type[Adapter[Any, Any]]]
    write_every_s: float
    site: Site | None
    load: Load | None

    @property
    def own(self) -> Path:
        """The gateway's folder."""
        return self.home / "gateway" / self.name


async def _connected(settings: _Settings, bus_url: str, credential: Credential, stop: asyncio.Event) -> None:
    numbers = BatchNumbers(settings.own)
    try:
        # With no time to wait for it, the connection is made and kept in the background.
        bus = await Bus.connect(bus_url, credential, name=f"gateway-{settings.name}", wait_s=0)
        try:
            await _run(settings, bus, stop, numbers)
        finally:
            await bus.close()
    finally:
        numbers.close()


async def _run(settings: _Settings, bus: Bus, stop: asyncio.Event, numbers: BatchNumbers) -> None:
    code, name = settings.code, settings.name
    clock = WallClock()

    def widen(factor: float) -> None:
        devices.widen(factor)

    outbox = Outbox(code, name, numbers, clock.now, Pressure(widen), settings.limits)
    devices = Devices(name, clock, outbox, settings.adapters, settings.own / "counters")
    doors = _Doors.of(settings, devices, outbox, clock)
    writer, orders, control, linkages = doors.writer, doors.orders, doors.control, doors.linkages

    async def apply(site: Site) -> Applied:
        applied = await devices.apply(site)
        doors.use(site)
        return applied

    follower = None
    if settings.load is not None:
        follower = Follower(code, name, Versions(settings.own / "site"), settings.load, apply)
    of_site = None if follower is None else follower.state
    diagnostics = Diagnostics(devices, lambda: outbox.dropped_by_point)
    # The metrics are made below, for they count questions too.
    questions = Questions(devices, diagnose=Diagnose(devices, diagnostics, lambda: metrics.heartbeat()))  # noqa: PLW0108
    asked = {
        "commands": orders.counts,
        "writes": writer.counts,
        "questions": questions.counts,
        "orders": control.counts,
        "linkage": linkages.counts,
        "batch_numbers": numbers.counts,
    }
    metrics = GatewayMetrics(name, devices, outbox, clock, lambda: bus.connected, of_site, asked, control.state)
    endpoint = Endpoint(_pages(metrics, diagnostics, FindingsPage(devices), linkages))
    await endpoint.start(settings.home / "metrics" / f"gateway-{name}.json", settings.metrics_port)
    # The first encoding has Arrow load pandas where that is installed: a second in which no device may wait for us.
    Batch(name, 1, 0, Samples.empty()).encode()
    if settings.site is not None:
        await apply(settings.site)
    if follower is not None:
        await follower.start()
    log.info(
        "gateway_started",
        gateway=name,
        site=code,
        connections=len(devices),
        points=sum(len(connection.table) for connection in devices),
        metrics=endpoint.url,
    )
    service = [
        asyncio.create_task(devices.run(), name="devices"),
        asyncio.create_task(outbox.bridge.run(bus), name="bridge"),
        asyncio.create_task(outbox.run(bus), name="outbox"),
        asyncio.create_task(_heartbeats(bus, subjects.state(code, f"gateway-{name}"), metrics), name="heartbeat"),
        asyncio.create_task(_watch_clock(clock, devices, linkages), name="clock"),
        asyncio.create_task(writer.run(), name="writer"),
        asyncio.create_task(linkages.run(bus), name="linkages"),
        asyncio.create_task(doors.gate.hear(bus), name="interlocks"),
    ]
    if follower is not None:
        service.append(asyncio.create_task(follower.run(bus), name="follower"))
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        await bus.answer(subjects.command(code, name), orders.answer, at_once=MOST_STOPPING)
        await bus.answer(subjects.question(code, name), questions.answer, at_once=2)
        done, _ = await asyncio.wait([stopped, *service], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            # None of them ends by itself: a fault of our own ends the process, and its supervisor starts it anew.
            task.result()
            raise RuntimeError(f"the task {task.get_name()} ended by itself")
        await linkages.stop(WRITES_S)
        await writer.stop(WRITES_S)
        await devices.stop(2.0)
        devices.leave("the gateway was stopped")
        if not await outbox.drain(bus, DRAIN_S if bus.connected else 0.0):
            log.error("stopped_with_unsent_batches", batches=outbox.bridge.depth_entries)
    finally:
        await linkages.stop(0.0)
        await devices.stop(2.0)
        await _end([stopped, *service], 2.0)
        await endpoint.stop()
        log.info("gateway_stopped", gateway=name, rows_sent=outbox.rows_sent)


@dataclass(frozen=True, slots=True)
class _Doors:
    """By which commands come in, and what stands behind them."""

    gate: Gate
    writer: Writer
    control: Control
    linkages: Linkages
    orders: Orders

    def use(self, site: Site) -> None:
        """Go by this version of the site, whose connections are applied."""
        self.gate.use(site)
        self.linkages.apply(site)

    @staticmethod
    def of(settings: _Settings, devices: Devices, outbox: Outbox, clock: WallClock) -> _Doors:
        code, name = settings.code, settings.name
        telling, record = Telling(code, name, outbox.emit_events), Record(code, name, outbox.emit_events)
        ledger = Ledger(settings.own / "writes.json", clock.now)
        kept = settings.own / "control"
        tags, verifier = Tags(kept / "tags.json"), Verifier.of(settings.home, kept)
        gate = Gate(devices, tags, policy(), Elsewhere(code, clock.monotonic))
        writer = Writer(devices, ledger, clock, telling, settings.write_every_s, gate)
        linkages = Linkages(code, name, devices, writer, clock, outbox.emit_events, settings.own / "latches.json")
        control = Control(code, name, verifier, devices, writer, gate, tags, clock, record, policy())
        control.latched = linkages.restoring
        if not verifier.required:
            log.warning("commands_need_no_signature", hint="make a command authority: sevenones control authority")
        orders = Orders(devices, writer, clock, control, telling)
        return _Doors(gate, writer, control, linkages, orders)


async def _end(tasks: list[asyncio.Task[Any]], within_s: float) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=within_s)


async def _heartbeats(bus: Bus, subject: str, metrics: GatewayMetrics) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await bus.live(subject, orjson.dumps(metrics.heartbeat()))
        await asyncio.sleep(HEARTBEAT_S)


async def _watch_clock(clock: WallClock, devices: Devices, linkages: Linkages) -> None:
    while True:
        await asyncio.sleep(1.0)
        if moved := clock.check():
            for connection in devices:
                connection.acquisition.clock_jumped(moved)
            linkages.clock_jumped(moved)


def _pages(
    metrics: GatewayMetrics, diagnostics: Diagnostics, findings: FindingsPage, linkages: Linkages
) -> Mapping[str, Callable[[Mapping[str, str]], Answer]]:
    def show_metrics(_: Mapping[str, str]) -> Answer:
        return 200, "text/plain; version=0.0.4; charset=utf-8", metrics.page()

    def show_diagnostics(query: Mapping[str, str]) -> Answer:
        path = query.get("point")
        if path is None:
            return as_json(200, {"points": diagnostics.paths()})
        found = diagnostics.of(path)
        if found is None:
            return as_json(404, {"error": f"this gateway has no point '{path}'"})
        return as_json(200, found)

    def show_findings(query: Mapping[str, str]) -> Answer:
        found = findings.show(query.get("connection"))
        if found is None:
            return as_json(404, {"error": f"this gateway has no connection '{query['connection']}'"})
        return as_json(200, found)

    def show_state(_: Mapping[str, str]) -> Answer:
        return as_json(200, metrics.heartbeat())

    def show_linkages(_: Mapping[str, str]) -> Answer:
        return as_json(200, {"tripped": linkages.standing()})

    return {
        "/linkage": show_linkages,
        "/metrics": show_metrics,
        "/diagnostics": show_diagnostics,
        "/findings": show_findings,
        "/state": show_state,
    }
