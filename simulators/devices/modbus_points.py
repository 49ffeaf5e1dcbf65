"""A Modbus device that shows the points of one connection of a site; several may share one address."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.device import LINK_FAULTS, Device, DeviceError
from simulators.devices.link import Link
from simulators.devices.modbus import ModbusDevice
from simulators.devices.registers import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Unit, images_of, put
from simulators.encode import EncodeError, RegisterLayout


class Line:
    """One address on the network, with the devices behind it: as a serial server has many on one line. `link`
    is what listens there, `server` what answers behind it."""

    def __init__(self, host: str, port: int, rtu: bool) -> None:
        self.server = ModbusDevice({}, "127.0.0.1", 0, rtu=rtu)
        self.link = Link(host, port, "127.0.0.1", 0)
        self.rtu = rtu
        self.members: list[str] = []
        self._open = False

    async def open(self) -> None:
        """Listen, if it does not yet. Raises OSError."""
        if not self._open:
            await self.server.start()
            self.link.device_port = self.server.port
            await self.link.start()
            self._open = True

    async def close(self) -> None:
        self._open = False
        await self.link.close()
        await self.server.close()


Lines = MutableMapping[tuple[str, int], Line]


class ModbusPoints(Device):
    """Its registers change twice as often as they are read, two to ten times a second. `lines` are those of
    the whole mine: connections that name the same address become units behind it, and each unit belongs to one
    connection. Raises DeviceError."""

    kinds = frozenset({"reset", "hang", "slow", "garbage", "word_order"}) | LINK_FAULTS

    def __init__(self, connection: Connection, points: Sequence[Point], lines: Lines | None = None) -> None:
        super().__init__(connection, points)
        settings = connection.settings
        transport = str(settings.get("transport", "tcp"))
        if transport not in ("tcp", "rtu-over-tcp"):
            raise self._error(f"there is no simulated device on a {transport} line: use rtu-over-tcp")
        periods = [group.period_s for group in connection.groups.values()]
        self.period_s = min(0.5, max(0.1, min(periods, default=0.2) / 2.0))
        quirks = settings.get("quirks") or {}
        first = quirks.get("first_address")
        number = int(settings.get("unit", 1))
        try:
            self._right, self._turned = (
                RegisterLayout(points, number, None if first is None else int(first), words_turned=turned)
                for turned in (False, True)
            )
        except EncodeError as error:
            raise self._error(str(error)) from None
        self._layout = self._right
        areas: dict[int, dict[str, range]] = {}
        for (unit, area), known in self._layout.extent.items():
            # As in real devices, registers between used ones exist and are zero.
            areas.setdefault(unit, {})[area] = range(min(known), max(known) + 1)
        self.units = {unit: Unit.with_addresses(ranges) for unit, ranges in areas.items()}
        for unit, there in self.units.items():
            there.most_registers = int(settings.get("max_registers", 125))
            there.taking = partial(self._take, unit)
        self._images = images_of(self.units)
        self.line = self._on_line({} if lines is None else lines, transport == "rtu-over-tcp")
        self._back: asyncio.TimerHandle | None = None

    def _error(self, what: str) -> DeviceError:
        return DeviceError(f"connection '{self.connection.name}': {what}")

    def _on_line(self, lines: Lines, rtu: bool) -> Line:
        settings = self.connection.settings
        address = str(settings.get("host", "127.0.0.1")), int(settings.get("port", 502))
        line = lines.setdefault(address, Line(*address, rtu))
        if line.rtu != rtu:
            raise self._error(f"{address[0]}:{address[1]} is also named by {line.members[0]}, over another transport")
        for unit in self.units.keys() & line.server.units.keys():
            raise self._error(
                f"unit {unit} at {address[0]}:{address[1]} is also of {line.members[0]}: "
                "read one unit over one connection"
            )
        line.server.units.update(self.units)
        line.members.append(self.connection.name)
        return line

    @property
    def server(self) -> ModbusDevice:
        """What answers, behind the link."""
        return self.line.server

    async def start(self) -> None:
        try:
            await self.line.open()
        except OSError as error:
            raise self._error(
                f"cannot listen on {self.line.link.host}:{self.line.link.port} ({error.strerror}): "
                "stop what holds the port, or change it in connections.yaml"
            ) from error

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        return self._layout.encode(values, self._images, texts)

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        put(self.units, self._images)

    def _take(self, unit: int, area: str, address: int, data: bytes, mask: int) -> int:
        """Hand a write to the points that it means; give an exception code, or 0."""
        held = self._images[unit, area]
        width = 2 if area == "hr" else 1
        tried = held.copy()
        tried[address * width : address * width + len(data)] = np.frombuffer(data, np.uint8)
        after = {**self._images, (unit, area): tried}
        meant: list[tuple[int, float | str]] = []
        for row in self._layout.touched(unit, area, address, len(data) // width):
            point, each = self.points[row], self._layout.spots[row]
            was, now = (self._layout.decode(row, images) for images in (self._images, after))
            same = str(was) == str(now)
            # A register that is written as a whole means only those of its bits that change.
            if same and (not point.writable or (each.kind == "bits" and mask == 0xFFFF)):
                continue
            if each.kind == "bits" and not _bits(each.at.bit or 0, each.at.span, each.swapped) & mask:
                continue
            if not point.writable:
                return ILLEGAL_ADDRESS
            meant.append((row, now))
        if not meant and held.tobytes() != tried.tobytes():
            return ILLEGAL_ADDRESS
        for row, value in meant:
            if self.command(row, value) is not None:
                return ILLEGAL_VALUE
        self._images[unit, area] = tried
        return 0

    def _begin(self, kind: str, amount: float) -> None:
        if kind in ("hang", "garbage"):
            for unit in self.units.values():
                unit.fault = kind if amount else ""
        elif kind == "slow":
            for unit in self.units.values():
                unit.delay_s = amount
        elif kind == "word_order":
            self._layout = self._turned if amount else self._right
        elif kind == "reset":
            self._restart(amount)
        else:
            self.line.link.fault(kind, amount)

    def _restart(self, away_s: float) -> None:
        """Alone at its address it refuses; behind a line the others go on and it says nothing."""
        if len(self.line.members) == 1:
            self.line.link.fault("reset", away_s)
            return
        for unit in self.units.values():
            unit.fault = "hang"
        if self._back is not None:
            self._back.cancel()
        self._back = asyncio.get_running_loop().call_later(away_s, self._begin, "hang", 0.0)

    async def close(self) -> None:
        if self._back is not None:
            self._back.cancel()
        await self.line.close()


def _bits(low: int, span: int, swapped: bool) -> int:
    """The bits of the register as it stands on the wire."""
    mask = ((1 << span) - 1) << low
    return (mask & 0xFF) << 8 | mask >> 8 if swapped else mask
