"""A Modbus device that shows the points of one connection of a site."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.device import Device, DeviceError
from simulators.devices.modbus import ModbusDevice, Unit, images_of, put
from simulators.encode import RegisterLayout


class ModbusPoints(Device):
    """Its registers change ten times a second; `server` is the device on the wire."""

    period_s = 0.1

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        super().__init__(connection, points)
        settings = connection.settings
        self._layout = RegisterLayout(points, int(settings.get("unit", 1)))
        areas: dict[int, dict[str, range]] = {}
        for (number, area), known in self._layout.extent.items():
            # As in real devices, registers between used ones exist and are zero.
            areas.setdefault(number, {})[area] = range(min(known), max(known) + 1)
        units = {number: Unit.with_addresses(ranges) for number, ranges in areas.items()}
        self._images = images_of(units)
        self.server = ModbusDevice(units, str(settings.get("host", "127.0.0.1")), int(settings.get("port", 502)))

    async def start(self) -> None:
        try:
            await self.server.start()
        except OSError as error:
            raise DeviceError(
                f"connection '{self.connection.name}': cannot listen on {self.server.host}:{self.server.port} "
                f"({error.strerror}): stop what holds the port, or change it in connections.yaml"
            ) from error

    def hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        return self._layout.encode(values, self._images)

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        put(self.server.units, self._images)

    async def close(self) -> None:
        await self.server.close()
