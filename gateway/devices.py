"""The devices of a gateway: a set of connections that may change while it runs.

A version of the site is applied as a difference: what it leaves as it was is not touched, not even
its connection; what it changes begins anew; what it takes out ends, and its points are said to be
out of service, once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from gateway.chunk import Sink
from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.schedule import phases
from models.quality import Quality
from models.site.model import Connection, Point, Site
from protocols import registry
from protocols.adapter import Adapter

log = structlog.get_logger(__name__)

STOP_S = 8.0
"""Longest wait for connections to end; an adapter gets five seconds of it to close."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a version changed: names of connections."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Running:
    spec: Connection
    points: tuple[Point, ...]
    connection: DeviceConnection
    task: asyncio.Task[None]


class Devices:
    """The connections of the gateway `name`. `run` ends only by a fault of our own, or cancelled."""

    def __init__(
        self,
        name: str,
        clock: WallClock,
        sink: Sink,
        adapters: Callable[[str], type[Adapter[Any, Any]]] = registry.adapter,
        memory: Path | None = None,
    ) -> None:
        """`memory`: the folder in which the connections' counters outlive this process."""
        self.name = name
        self._clock = clock
        self._sink = sink
        self._adapters = adapters
        self._memory = memory
        self._running: dict[str, _Running] = {}
        self._phases: dict[tuple[str, str], float] = {}
        self._factor = 1.0
        self._turn = asyncio.Lock()
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __iter__(self) -> Iterator[DeviceConnection]:
        return iter([running.connection for running in self._running.values()])

    def __len__(self) -> int:
        return len(self._running)

    def find(self, path: str) -> tuple[DeviceConnection, int] | None:
        """The connection over which a point is read, and its row there."""
        return next(((connection, connection.rows[path]) for connection in self if path in connection.rows), None)

    def widen(self, factor: float) -> None:
        """See pressure.Pressure; holds for connections to come, too."""
        self._factor = factor
        for connection in self:
            connection.acquisition.report.widen(factor)

    async def apply(self, site: Site) -> Applied:
        """Make the connections what `site` says. Returns when what it ends has ended."""
        async with self._turn:
            wanted = _wanted(site, self.name)
            same = {n for n, r in self._running.items() if n in wanted and wanted[n] == (r.spec, r.points)}
            ending = {name: running for name, running in self._running.items() if name not in same}
            # Made before anything ends: a version that cannot be had leaves all as it is.
            made = self._make({name: wanted[name] for name in wanted if name not in same})
            # A device may take one connection only: the old one ends before the new one begins.
            await self._end([running.task for running in ending.values()])
            paths = {point.path for point in site.points}
            for running in ending.values():
                self._take_out(running.connection, paths)
                del self._running[running.spec.name]
            self._begin(made)
            return Applied(
                added=tuple(sorted(wanted.keys() - same - ending.keys())),
                changed=tuple(sorted(wanted.keys() & ending.keys())),
                removed=tuple(sorted(ending.keys() - wanted.keys())),
                kept=tuple(sorted(same)),
            )

    async def run(self) -> None:
        """Wait for a fault of our own: it ends the process, and its supervisor starts it anew."""
        await asyncio.shield(self._fault)

    async def stop(self, within_s: float) -> None:
        """End all connections; what they know stays to be asked."""
        await self._end([running.task for running in self._running.values()], within_s)

    def leave(self, reason: str) -> None:
        """Say of all points that they are not known any more. For an orderly end, after `stop`."""
        for connection in self:
            connection.leave(reason)

    # ---- inside

    def _make(self, wanted: dict[str, tuple[Connection, tuple[Point, ...]]]) -> list[DeviceConnection]:
        # Groups that run keep their phase; only those that begin are placed.
        placed = {**self._phases, **phases([spec for spec, _ in wanted.values()])}
        for spec, _ in wanted.values():
            # Loaded before any device is asked: an import while one answers would make its values look late.
            with contextlib.suppress(Exception):  # the connection itself says what is wrong
                self._adapters(spec.adapter)
        made = []
        for name, (spec, points) in wanted.items():
            memory = None if self._memory is None else self._memory / f"{name}.json"
            made.append(DeviceConnection(spec, points, placed, self._clock, self._sink, self._adapters, memory))
        self._phases = placed
        return made

    def _begin(self, made: list[DeviceConnection]) -> None:
        for connection in made:
            name = connection.spec.name
            connection.acquisition.report.widen(self._factor)
            task = asyncio.create_task(connection.run(), name=name)
            task.add_done_callback(self._ended)
            self._running[name] = _Running(connection.spec, connection.table.points, connection, task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._fault.done():
            return
        error = task.exception() or RuntimeError(f"the connection {task.get_name()} ended by itself")
        self._fault.set_exception(error)

    async def _end(self, tasks: list[asyncio.Task[None]], within_s: float = STOP_S) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=within_s)
            for task in left:
                log.error("connection_does_not_end", connection=task.get_name())

    def _take_out(self, connection: DeviceConnection, paths: set[str]) -> None:
        """What no version knows any more must not stay behind as if it were good."""
        rows = np.array([r for r, p in enumerate(connection.table.points) if p.path not in paths], np.intp)
        if len(rows):
            words = "the site's present version does not have this point"
            connection.acquisition.mark(Quality.BAD_OUT_OF_SERVICE, words, self._clock.now(), rows)


def _wanted(site: Site, gateway: str) -> dict[str, tuple[Connection, tuple[Point, ...]]]:
    points: dict[str, list[Point]] = {
        name: [] for name, connection in site.connections.items() if connection.gateway == gateway
    }
    for point in site.points:
        if point.connection in points:
            points[point.connection].append(point)
    return {name: (site.connections[name], tuple(found)) for name, found in points.items()}
