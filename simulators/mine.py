"""A mine of virtual devices: the machines of a site step, their devices show it, the truth is logged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import structlog

from models.site.model import Connection, Kind, Site
from simulators.design.mine import MineDesign
from simulators.devices.device import Device, DeviceError
from simulators.devices.modbus_points import Lines, ModbusPoints
from simulators.engine.part import Refused
from simulators.faults.catalogue import FaultError
from simulators.faults.desk import Desk
from simulators.faults.dispatch import Faults
from simulators.faults.scenario import Scenario
from simulators.faults.schedule import Schedule
from simulators.plant import Plant
from simulators.plant.recorder import Recorder
from simulators.plant.sketch import sketch
from simulators.truth import TruthLog
from simulators.truth.records import TruthWriter

log = structlog.get_logger(__name__)

STEP_S = 0.1
WARM_UP_S = 3600.0
FLUSH_S = 0.5
SEGMENT_S = 600.0
"""The truth of what machines did is on disk at the latest after this."""
MOST_BEHIND = 600
"""Steps that are caught up after a pause; a longer one (a machine that slept) is skipped."""

ISO_TEMPLATES = frozenset({"pump_room"})
"""Templates whose controllers write their time as text."""


def wall_clock() -> int:
    """µs UTC."""
    return time.time_ns() // 1000


class _Shown:
    """One device, what it showed last, and which truth its points belong to."""

    def __init__(self, device: Device, columns: Mapping[str, int]) -> None:
        self.device = device
        points = device.points
        self.every = max(1, round(device.period_s / STEP_S))
        self.values = np.full(len(points), np.nan)
        self.texts: list[str] = [""] * len(points)
        self.fresh = True
        self.ts = 0
        self.columns = {point.path: column for column, point in enumerate(points)}
        self.numbers = np.array([point.kind is not Kind.TEXT for point in points], bool)
        self.ids = np.array([point.id for point in points], np.uint64)
        self.channels = [f"{point.equipment}.{point.key}" for point in points]
        self.known = np.array([channel in columns for channel in self.channels], bool)
        self.taken = np.array([columns.get(channel, 0) for channel in self.channels], np.intp)
        """Columns of the plant's channels."""
        names = np.array([point.equipment for point in points])
        self.rows = {str(name): np.flatnonzero((names == name) & self.numbers) for name in np.unique(names)}


class Mine:
    """All devices of a site. `clock` gives µs UTC; tests pass their own. `design`: what is simulated, by default
    something plausible for each equipment. Raises DeviceError for a design that names what is not there."""

    def __init__(
        self,
        site: Site,
        home: Path,
        seed: int,
        clock: Callable[[], int] = wall_clock,
        design: MineDesign | None = None,
    ) -> None:
        self.site = site
        self._clock = clock
        try:
            begun = clock() - round(WARM_UP_S * 1e6)
            self.plant = Plant(site, design or sketch(site), seed=seed, start_us=begun, dt=STEP_S)
        except ValueError as error:
            raise DeviceError(f"simulation.yaml: {error}") from error
        self.truth = TruthLog(home)
        self._lines: Lines = {}
        self.devices: dict[str, Device] = {
            name: self._device(connection, home)
            for name, connection in site.connections.items()
            if site.points_of(name)
        }
        for device in self.devices.values():
            device.on_command = self._command
        self._shown = [_Shown(device, self.plant.columns) for device in self.devices.values()]
        self.faults = Faults(site, self.plant, self.devices)
        self._now = self.plant.run(1)
        self.schedule: Schedule | None = None
        self._home = home
        self._done: TruthWriter | None = None
        self._recorder: Recorder | None = None
        self._say_what_is_not_modelled()
        self._steps = 0

    def _device(self, connection: Connection, home: Path) -> Device:
        points = self.site.points_of(connection.name)
        if connection.adapter == "modbus":
            return ModbusPoints(connection, points, self._lines)
        if connection.adapter == "opcua":
            from simulators.devices.opcua import OpcUaPoints

            return OpcUaPoints(connection, points, home / "simulators" / connection.name)
        if connection.adapter == "mqtt":
            from simulators.devices.mqtt import MqttPoints

            iso = {name for name, equipment in self.site.equipment.items() if equipment.template in ISO_TEMPLATES}
            return MqttPoints(connection, points, home, iso)
        if connection.adapter == "kj":
            from simulators.devices.kj import KjFolder

            return KjFolder(connection, points, self.site.name.zh)
        if connection.adapter == "sparkplug":
            from simulators.devices.sparkplug import SparkplugNodes

            return SparkplugNodes(connection, points, home)
        if connection.adapter == "sql":
            from simulators.devices.sql import SqlView

            return SqlView(connection, points)
        raise DeviceError(
            f"connection '{connection.name}': there is no simulated device for the adapter '{connection.adapter}'; "
            "there is one for modbus, opcua, mqtt, sparkplug, kj and sql"
        )

    def _say_what_is_not_modelled(self) -> None:
        known = self.plant.columns.keys() | self.plant.texts().keys()
        for point in self.site.points:
            if point.formula is None and not point.writable and f"{point.equipment}.{point.key}" not in known:
                log.warning("point_not_modelled", point=point.path, shown=0)

    def _command(self, equipment: str, key: str, value: float | str) -> str | None:
        """A device was told to set a point: None when the machine takes it, else why not."""
        if isinstance(value, str):
            return f"{equipment}.{key} 不接受文字 · takes no text"
        try:
            self.plant.command(equipment, key, value)
        except Refused as refused:
            return str(refused)
        return None

    async def start(self) -> None:
        """Start all devices; each holds its first values before it serves. Raises DeviceError."""
        self._done = TruthWriter(self._home, self.plant.columns, every_s=SEGMENT_S)
        self._recorder = Recorder(self.plant)
        for shown in self._shown:
            await shown.device.prepare()
            await self._show(shown)
            await shown.device.start()

    async def step(self, count: int = 1) -> None:
        """Go on by `count` steps of STEP_S and show the last; what was passed over was never shown."""
        before = self._steps
        self._now = self.plant.run(count)
        if self._done is not None and self._recorder is not None:
            self._done.take(self._now, self._recorder.take())
        self._steps += count
        for shown in self._shown:
            if self._steps // shown.every > before // shown.every:
                await self._show(shown)

    async def _show(self, shown: _Shown) -> None:
        """Log and serve. For a polled device there is no await between the two: they are one."""
        device = shown.device
        texts = self.plant.texts()
        wanted = self._now.values[-1:].take(shown.taken, axis=1)[0]
        wanted[~shown.known] = np.nan
        said = [texts.get(channel, "") for channel in shown.channels]
        wanted[np.isnan(wanted) & shown.numbers & ~device.own] = 0.0
        self.faults.distortions.apply(np.array([self._clock()]), wanted[np.newaxis], shown.columns)
        now = device.hold(wanted, said)
        # A clock that was set back makes no second value for one instant.
        ts = shown.ts = device.stamp(max(self._clock(), shown.ts + 1000))
        changed = now != shown.values
        changed[~shown.numbers] = [a != b for a, b in zip(_texts(shown, said), _texts(shown, shown.texts), strict=True)]
        if shown.fresh or device.tells_all:
            changed[:] = True
        shown.values, shown.texts, shown.fresh = now, said, False
        for equipment, rows in shown.rows.items():
            told = rows[changed[rows]]
            self.truth.append(equipment, shown.ids[told], ts, now[told])
        await device.serve(ts, changed)

    async def run(self, stop: asyncio.Event) -> None:
        """Step in real time until `stop`, writing the truth down twice a second."""
        loop = asyncio.get_running_loop()
        started, steps = loop.time(), 0
        flushed = started
        while not stop.is_set():
            due = int((loop.time() - started) / STEP_S)
            if due - steps > MOST_BEHIND:
                log.warning("simulation_paused", skipped_steps=due - steps)
                started, steps, due = loop.time(), 0, 0
            try:
                (self.schedule or self.faults).advance(self._clock())
            except FaultError as error:  # a machine's or device's own refusal, of what the check let pass
                log.warning("fault_refused", reason=str(error))
            if due > steps:
                await self.step(due - steps)
                steps = due
            if loop.time() - flushed >= FLUSH_S:
                flushed = loop.time()
                self.truth.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.001, started + (steps + 1) * STEP_S - loop.time()))

    async def close(self) -> None:
        """Stop all devices and end the truth."""
        for device in self.devices.values():
            await device.close()
        self.truth.close()
        if self._done is not None:
            self._done.close()


def _texts(shown: _Shown, texts: list[str]) -> list[str]:
    return [text for text, number in zip(texts, shown.numbers, strict=True) if not number]


async def run(
    site: Site,
    home: Path,
    seed: int,
    stop: asyncio.Event,
    *,
    bus: str | None = None,
    scenario: Scenario | None = None,
    design: MineDesign | None = None,
) -> None:
    """Serve the devices of a site until `stop`, see `simulators.run`. Raises DeviceError when one cannot be
    served; a fault of the scenario that cannot be made is logged."""
    mine = Mine(site, home, seed, design=design)
    mine.plant.warm_up(WARM_UP_S)
    desk = Desk(mine.faults, wall_clock)
    try:
        await mine.start()
        log.info("simulating", site=site.code, devices=len(mine.devices), points=len(site.points), seed=seed)
        if scenario is not None:
            mine.schedule = Schedule(scenario, mine.faults, wall_clock())
        async with asyncio.TaskGroup() as group:
            if bus is not None:
                group.create_task(desk.serve(bus, home, site.code, stop))
            await mine.run(stop)
    finally:
        await mine.close()
