"""The breakers of the feeders: commands, protections that trip them, and who closes them again."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.design.power import PowerDesign
from simulators.engine.part import Refused

FAULTS: Mapping[str, int] = {"over_current": 1, "short_circuit": 2, "earth_leakage": 3, "override_trip": 5}
"""Protections and the fault code that each leaves; 4 is a supply that has gone, 6 the gas lock."""
NO_VOLTAGE, LOCKED = 4, 6
CLOSE, OPEN, RESET = 1, 2, 3
"""Values of the point `command`."""


class Switchgear:
    """One breaker a feeder. `changed` after something of it is different. `locked`: feeders that the
    methane or wind lock holds open."""

    def __init__(self, design: PowerDesign) -> None:
        self.names = tuple(design.feeders)
        self.index = {name: n for n, name in enumerate(self.names)}
        count = len(self.names)
        self.closed = [1] * count
        self.mode = [feeder.mode for feeder in design.feeders.values()]
        self.trips = [0] * count
        self.code = [0] * count
        self.flags = {kind: [0] * count for kind in FAULTS}
        self.above = [
            next((self.index[above] for above in design.above(name) if above in self.index), -1) for name in self.names
        ]
        self.locked: set[str] = set()
        self.changed = True
        self.tripped: list[tuple[int, str, float]] = []
        """What has tripped since somebody looked: feeder, protection, amount."""
        self._restore_s = 60.0 * design.restore_min
        self._causes: dict[int, tuple[str, float]] = {}
        self._waiting: dict[int, float] = {}
        """Breakers that will be closed again, and in how many seconds."""

    def step(self, dt: float) -> None:
        """Trip what has a cause, close what has waited long enough."""
        if self._causes:
            for n, (kind, amount) in self._causes.items():
                at = self.above[n] if kind == "override_trip" else n
                if self.closed[n] and self.closed[at]:
                    self._trip(at, kind, amount)
        if self.locked:
            for name in self.locked:
                n = self.index[name]
                if self.closed[n]:
                    self._open(n, LOCKED)
                    self._waiting[n] = self._restore_s
        if self._waiting:
            self._restore(dt)

    def command(self, name: str, key: str, value: float) -> None:
        """`mode_command` 0 to 4, or `command`. Raises Refused."""
        n = self.index[name]
        if key == "mode_command" and value in (0, 1, 2, 3, 4):
            self.mode[n] = int(value)
        elif key != "command" or value not in (CLOSE, OPEN, RESET):
            raise Refused(f"{name} 不接受 {key} = {value:g} · does not take {key} = {value:g}")
        elif self.mode[n] not in (2, 3):
            raise Refused(f"{name} 在就地或检修方式 · is in local or inspection mode")
        elif value == OPEN:
            self._open(n, 0)
            self._waiting.pop(n, None)
        elif value == RESET:
            self._clear(n)
        elif name in self.locked:
            raise Refused(f"{name} 被瓦斯或风电闭锁 · the gas or wind lock holds it open")
        elif self.code[n] not in (0, NO_VOLTAGE, LOCKED):
            raise Refused(f"{name} 保护动作未复位 · its protection has tripped and is not reset")
        else:
            self._close(n)
        self.changed = True

    def disturb(self, name: str, kind: str, amount: float) -> None:
        """`amount`: the fault's current, A; 0 ends it. Raises Refused."""
        n = self.index[name]
        if kind not in FAULTS:
            raise Refused(f"{name} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        if kind == "override_trip" and self.above[n] < 0:
            raise Refused(f"{name} 没有上级馈线 · there is no feeder above it")
        if amount > 0:
            self._causes[n] = (kind, amount)
        elif self._causes.get(n, ("",))[0] == kind:
            del self._causes[n]

    def _trip(self, n: int, kind: str, amount: float) -> None:
        self._open(n, FAULTS[kind])
        self.flags[kind][n] = 1
        self.trips[n] += 1
        self._waiting[n] = self._restore_s
        self.tripped.append((n, kind, amount))

    def _restore(self, dt: float) -> None:
        held = {self.above[n] if kind == "override_trip" else n for n, (kind, _) in self._causes.items()}
        held |= {self.index[name] for name in self.locked}
        for n in list(self._waiting):
            self._waiting[n] = self._restore_s if n in held else self._waiting[n] - dt
            if self._waiting[n] <= 0:
                self._clear(n)
                self._close(n)

    def _open(self, n: int, code: int) -> None:
        self.closed[n], self.code[n], self.changed = 0, code, True

    def _clear(self, n: int) -> None:
        for flags in self.flags.values():
            flags[n] = 0
        self.code[n], self.changed = 0, True

    def _close(self, n: int) -> None:
        self._waiting.pop(n, None)
        self.closed[n], self.code[n], self.changed = 1, 0, True
