"""What the mine asks of each of its devices, whatever it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Kind, Point

log = structlog.get_logger(__name__)


class DeviceError(Exception):
    """A device that cannot be simulated or started: which, why, and what to do."""


OnCommand = Callable[[str, str, float | str], str | None]
"""Equipment, key and the value in the point's unit → None when it is taken, else why not."""

FAULTS: Mapping[str, str] = {
    "reset": "starts anew: drops its connections, is away for so many seconds, and its counters begin at 0",
    "hang": "1: takes what it is asked and answers nothing",
    "slow": "answers so many seconds late",
    "garbage": "1: sends bytes that mean nothing",
    "word_order": "1: 32-bit values have their two words the other way round, as after maintenance",
    "clock_jump": "its own clock is off by so many seconds",
    "cut": "1: the link in front of it carries nothing",
    "loss": "so large a share, 0 to 1, of what the link carries is lost",
    "delay": "a round trip over the link takes so many seconds longer",
}
"""The faults that a device or the link in front of it may have, and what their amount means; 0 ends each."""
LINK_FAULTS = frozenset({"cut", "loss", "delay"})


class Device(ABC):
    """The far end of one connection of a site, showing all points that are read over it. Life: `prepare`,
    the first `hold` and `serve`, `start`, then `hold` and `serve` again and again, `close`.

    Commands of clients go to `on_command`; without one, all that is right in form is taken. `own` marks
    the points that the device itself can fill, where `hold` gets NaN for them: what was last written of a
    writable one, and the count of its heartbeat.
    """

    period_s: float
    """How often its values are renewed."""
    tells_all = False
    """Whether it tells every value at each renewal, or only what changed."""
    kinds: ClassVar[frozenset[str]] = frozenset()
    """Which of FAULTS it can have."""

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        self.connection = connection
        self.points = tuple(points)
        self.on_command: OnCommand | None = None
        beats = np.array([point.path == connection.heartbeat for point in self.points], np.bool_)
        numbers = np.array([point.kind is not Kind.TEXT for point in self.points], np.bool_)
        self.own: NDArray[np.bool_] = np.array([p.writable for p in self.points], np.bool_) & numbers | beats
        self._beats = np.flatnonzero(beats)
        self._beat = 0
        self._written = np.zeros(len(self.points))
        self._texts: dict[int, str] = {}
        counters = np.array([point.kind is Kind.COUNTER for point in self.points], np.bool_)
        self._counters = np.flatnonzero(counters & ~beats)
        self._base: NDArray[np.float64] | None = None
        self._reset = False
        self.clock_off_us = 0
        """How far its own clock is off."""

    async def prepare(self) -> None:  # noqa: B027 - most devices have nothing to make ready
        """Make ready to hold values, before any client can come."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to serve. Raises DeviceError."""

    def hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        """Take new values, one a point, in the points' units (NaN for a text, which is in `texts`, and for
        what is the device's `own`); give back what the device will show, after its quantisation. Nothing is
        served yet."""
        values = values.copy()
        left = self.own & np.isnan(values)
        values[left] = self._written[left]
        if len(self._beats):
            self._beat += 1
            values[self._beats] = self._beat % 32_768
        if len(self._counters):
            if self._reset:
                # Kept by a battery in few devices: most count from 0 again.
                self._base = np.nan_to_num(values[self._counters])
            if self._base is not None:
                values[self._counters] -= self._base
        self._reset = False
        if self._texts:
            said = list(texts)
            for row, text in self._texts.items():
                said[row] = said[row] or text
            texts = said
        return self._hold(values, texts)

    @abstractmethod
    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        """As `hold`, for one protocol."""

    @abstractmethod
    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        """Serve what is held. `ts`: its time, µs UTC; `changed`: which values are new."""

    @abstractmethod
    async def close(self) -> None:
        """Stop serving. May be called more than once."""

    def stamp(self, ts: int) -> int:
        """The time as the device can write it."""
        return ts

    def command(self, row: int, value: float | str) -> str | None:
        """A client has written a point: None when it is taken, else why not."""
        point = self.points[row]
        reason: str | None = None
        if not point.writable:
            reason = "该测点不可写 · the point cannot be written"
        elif self.on_command is not None:
            reason = self.on_command(point.equipment, point.key, value)
        if reason is not None:
            log.info("command_refused", point=point.path, value=value, reason=reason)
        elif isinstance(value, str):
            self._texts[row] = value
        else:
            self._written[row] = value
        return reason

    def faults(self) -> Mapping[str, str]:
        """The kinds that `fault` takes, and what their amount means."""
        return {kind: meaning for kind, meaning in FAULTS.items() if kind in self.kinds}

    def fault(self, kind: str, amount: float) -> None:
        """Begin a fault, or with an amount of 0 end it. Raises DeviceError for one that the device cannot have,
        and for an impossible amount."""
        if kind not in self.kinds:
            there = ", ".join(sorted(self.kinds)) or "none"
            raise DeviceError(
                f"connection '{self.connection.name}' ({self.connection.adapter}): its device has no fault '{kind}'; "
                f"it has {there}"
            )
        most = 1.0 if kind == "loss" else 1e9
        if not (-most if kind == "clock_jump" else 0.0) <= amount <= most:
            raise DeviceError(
                f"connection '{self.connection.name}': {kind} of {amount:g} is impossible; {kind}: {FAULTS[kind]}"
            )
        if kind == "clock_jump":
            self.clock_off_us = round(amount * 1e6)
        if kind == "reset":
            self._reset, self._beat = True, 0
        self._begin(kind, amount)
        log.info("device_fault", connection=self.connection.name, kind=kind, amount=amount)

    def _begin(self, kind: str, amount: float) -> None:  # noqa: B027 - a device may have no faults
        """Do what a fault means in this protocol."""


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
