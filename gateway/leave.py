"""What a write needs before it is sent: that nothing stands before it, a device that takes writes, and a point that is
still what its writer took it for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.connection import DeviceConnection
from gateway.inverse import Unwritable, wanted_number
from models.command import Command, Value
from models.site.model import Kind, Name, Point
from models.words import halves
from protocols.adapter import Adapter, Supports

Interlock = Callable[[str, Value], Name | None]
"""Takes a point's path and what it is to be; gives why not, or None."""

Permit = Callable[[str, float], None]
"""Takes a point's path and what a restore writes to it, asked in the moment of the write. Raises Unwritable."""


class Before(Protocol):
    """What stands before every write: see control.gate.Gate."""

    def safe(self, point: Point, value: Value) -> bool:
        """Whether it stops the machine or takes its power away."""

    def passes(self, point: Point, value: Value, *, urgent: bool = False) -> None:
        """Raises Unwritable."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What a command may rely on, beside what it says. `urgent`: it waits for no other command and no pause, nor for a
    disk or an outcome that is not known: a linkage's, and whatever stops or takes power away, whoever it is from.
    `free`: of these, one that nothing that is tripped refuses. `permit`: asked in the moment of the write, raises
    Unwritable. `asked`: since when it is to be done, s of time.monotonic, where a stop of its machine since then keeps
    an urgent one from being sent."""

    urgent: bool = False
    free: bool = False
    permit: Callable[[], None] | None = None
    asked: float | None = None


NO_LEAVE = Leave()


def writing(connection: DeviceConnection) -> Adapter[Any, Any]:
    """The connection's adapter, by which it writes. Raises Unwritable."""
    adapter = connection.adapter
    if adapter is None:
        why = halves(connection.reason)
        raise Unwritable(f"设备未连接：{why.zh}", f"the device is not connected: {why.en}")
    if Supports.WRITE not in adapter.sheet.supports:
        raise Unwritable(f"{adapter.sheet.name} 不支持写入", f"the protocol {adapter.sheet.name} does not write")
    return adapter


def check_expected(point: Point, command: Command, now: Value | None) -> None:
    """Raises Unwritable when the point is not `now` what the command expects."""
    if command.expected is None:
        return
    expected = command.expected if point.kind is Kind.TEXT else wanted_number(point, command.expected)
    if isinstance(expected, str) or isinstance(now, str) or now is None:
        same = expected == now
    else:
        same = abs(expected - now) <= max(point.dead_band, 1e-6 * abs(expected))
    if not same:
        shown = "—" if now is None else now
        raise Unwritable(f"当前值已变为 {shown}", f"the point is not {command.expected} any more but {shown}")
