"""Who controls a machine of the face, and what it has been told."""

from __future__ import annotations

from simulators.engine.part import Refused
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE, Order

MODES = {LOCAL: "就地 local", REMOTE: "远控 remote", AUTO: "自动 automatic", INSPECTION: "检修 inspection"}


class Control:
    """`mode`: 1 local, 2 remote, 3 auto, 4 inspection; it follows the order until a `mode_command` says otherwise,
    and that holds until the order changes. `held`: a stop was commanded, and no start since, in this order.
    `tripped`: a protection has stopped it, and waits for its cause to go and for a reset. `last`, `last_mode`: the
    commands that were last taken."""

    __slots__ = ("_chosen", "_order", "equipment", "held", "last", "last_mode", "mode", "tripped")

    def __init__(self, equipment: str) -> None:
        self.equipment = equipment
        self.mode = LOCAL
        self.held = False
        self.tripped = False
        self.last = self.last_mode = 0
        self._chosen = 0
        self._order: Order | None = None

    def follow(self, order: Order) -> None:
        """Each step: take over what the crew has been told."""
        if order is not self._order:
            if order != self._order:
                self._chosen, self.held = 0, False
            self._order = order
            self._settle()

    def _settle(self) -> None:
        order = self._order
        if self._chosen:
            self.mode = self._chosen
        elif order is not None and order.inspection:
            self.mode = INSPECTION
        elif order is not None and order.intelligent:
            self.mode = order.mode if order.mode in (REMOTE, AUTO) else AUTO
        else:
            self.mode = LOCAL

    def command(self, key: str, value: float) -> bool:
        """`command` (0 none, 1 start, 2 stop, 3 reset) and `mode_command` (1 to 4). Whether it was one of
        these. Raises Refused."""
        what = int(value)
        if key == "mode_command":
            if what != value or what not in (0, *MODES):
                raise Refused(f"{self.equipment}：控制方式 {value:g} 不存在 · there is no control mode {value:g}")
            self._chosen = self.last_mode = what
            self._settle()
            return True
        if key != "command":
            return False
        if what != value or what not in (0, 1, 2, 3):
            raise Refused(f"{self.equipment}：命令 {value:g} 不存在 · there is no command {value:g}")
        if what == 1:
            self.must_be_remote()
            if self.tripped:
                raise Refused(f"{self.equipment}：保护动作，先复位 · a protection has tripped: reset it first")
            if self._order is None or not self._order.produce:
                raise Refused(f"{self.equipment}：现在不生产 · nobody produces now")
            self.held = False
        elif what == 2:
            self.held = True
        elif what == 3:
            self.tripped = False
        self.last = what
        return True

    def must_be_remote(self) -> None:
        """Raises Refused unless it may be controlled from elsewhere."""
        if self.mode not in (REMOTE, AUTO):
            raise Refused(f"{self.equipment}：{MODES[self.mode]} 方式下不接受远方命令 · takes no command in this mode")
