"""The centre's desk: what may be told to a belt, and in which words it is refused."""

from __future__ import annotations

from simulators.engine.part import Refused
from simulators.physics.transport.belt import Belt, Mode
from simulators.physics.transport.sequence import Line

KEYS = ("command", "mode_command", "speed_set")
"""Points that take a command."""


class Desk:
    """Commands to one belt; in auto a start and a stop go to the sequence."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def take(self, belt: Belt, key: str, value: float) -> None:
        """`key` is one of `KEYS`. Raises Refused."""
        if key == "command":
            self._tell(belt, value)
        elif key == "mode_command":
            self._switch(belt, value)
        else:
            self._set_speed(belt, value)

    def _tell(self, belt: Belt, value: float) -> None:
        orders = {1.0: self._line.start, 2.0: self._line.stop, 3.0: self._line.reset}
        if value in orders:
            orders[value](belt)
        elif value != 0.0:
            raise Refused(
                f"{belt.name} 命令只能是 0-3 · a command is 0 none, 1 start, 2 stop or 3 reset, not {value:g}"
            )

    def _switch(self, belt: Belt, value: float) -> None:
        if belt.key:
            raise Refused(f"{belt.name} 现场钥匙已插入 · a key on the spot holds it")
        if value not in tuple(Mode):
            raise Refused(
                f"{belt.name} 方式只能是 1-4 · a mode is 1 local, 2 remote, 3 auto or 4 inspection, not {value:g}"
            )
        belt.mode = Mode(int(value))

    def _set_speed(self, belt: Belt, value: float) -> None:
        if belt.control in (Mode.LOCAL, Mode.INSPECTION):
            raise Refused(f"{belt.name} 处于就地或检修方式 · is in local or inspection mode")
        least, most = belt.design.least_speed_share * belt.design.speed_m_per_s, belt.design.speed_m_per_s
        if not least - 1e-9 <= value <= most + 1e-9:
            raise Refused(f"{belt.name} 带速应在 {least:g}-{most:g} m/s · the speed must lie there, not {value:g}")
        belt.follow, belt.drive.goal = None, value
