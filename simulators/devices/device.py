"""What the mine asks of each of its devices, whatever it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Kind, Point


class DeviceError(Exception):
    """A device that cannot be simulated or started: which, why, and what to do."""


class Device(ABC):
    """The far end of one connection of a site, showing all points that are read over it. Life: `prepare`,
    the first `hold` and `serve`, `start`, then `hold` and `serve` again and again, `close`."""

    period_s: float
    """How often its values are renewed."""
    tells_all = False
    """Whether it tells every value at each renewal, or only what changed."""

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        self.connection = connection
        self.points = tuple(points)

    async def prepare(self) -> None:  # noqa: B027 - most devices have nothing to make ready
        """Make ready to hold values, before any client can come."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to serve. Raises DeviceError."""

    @abstractmethod
    def hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        """Take new values, one a point, in the points' units (NaN for a text, which is in `texts`);
        give back what the device will show, after its quantisation. Nothing is served yet."""

    @abstractmethod
    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        """Serve what is held. `ts`: its time, µs UTC; `changed`: which values are new."""

    @abstractmethod
    async def close(self) -> None:
        """Stop serving. May be called more than once."""

    def stamp(self, ts: int) -> int:
        """The time as the device can write it."""
        return ts


STRING = "string"


def type_of(point: Point) -> str:
    """The type in which a self-describing protocol holds a point that names none."""
    if point.type:
        return point.type
    if point.kind is Kind.TEXT:
        return STRING
    if point.kind is Kind.STATE:
        return "bool" if point.role == "run.state" else "int32"
    if not point.unit:
        return "uint32" if point.kind is Kind.COUNTER else "int32"
    return "float64"


def secret(connection: Connection) -> str:
    """The password that a connection's settings give, or name a file of; "" when there is none.
    Raises DeviceError."""
    settings: dict[str, Any] = dict(connection.settings)
    path = settings.get("password_file")
    if path:
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123
                return file.read().strip()
        except OSError as error:
            raise DeviceError(
                f"connection '{connection.name}': the password file {path} cannot be read: {error}"
            ) from None
    return str(settings.get("password") or "")
