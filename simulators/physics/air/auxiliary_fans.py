"""Auxiliary fans: a pair (duty and standby) blows through a duct to each heading's face."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulators.design.air import HeadingDesign
from simulators.engine.part import Refused
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE

DUCT_TAU_S = 15.0
"""How soon the air in a duct follows its fan, s."""


class Blower:
    """One auxiliary fan."""

    __slots__ = ("failed", "heading", "held", "kw", "mode", "name", "powered", "running")

    def __init__(self, name: str, heading: int) -> None:
        self.name, self.heading = name, heading
        self.mode = AUTO
        self.failed = self.held = self.running = False
        self.powered = True
        self.kw = 0.0


class AuxiliaryFans:
    """`air[heading]`: m³/min at the duct's end; `fans` in pairs, in the order of the headings. `torn[heading]`: the
    share of the air that a torn duct loses."""

    def __init__(self, headings: Mapping[str, HeadingDesign]) -> None:
        self.designs = list(headings.values())
        self.fans = [Blower(name, n) for n, design in enumerate(self.designs) for name in design.fans]
        self.index = {fan.name: n for n, fan in enumerate(self.fans)}
        self.duty = [0] * len(self.designs)
        self.torn = [0.0] * len(self.designs)
        self.air = [design.air_m3_per_min for design in self.designs]
        self._stopped_s = [0.0] * len(self.designs)
        for fan in self.fans[::2]:
            fan.running = True

    def step(self, dt: float) -> bool:
        """Which of a pair runs, and the air that follows. Says whether all has come to rest."""
        rest = True
        near = 1.0 - math.exp(-dt / DUCT_TAU_S)
        for n, design in enumerate(self.designs):
            duty, standby = self.fans[2 * n + self.duty[n]], self.fans[2 * n + 1 - self.duty[n]]
            duty.running = duty.powered and not (duty.failed or duty.held)
            if duty.running:
                standby.running, self._stopped_s[n] = False, 0.0
            else:
                able = standby.powered and not (standby.failed or standby.held)
                self._stopped_s[n] += dt
                rest &= self._stopped_s[n] > 2.0 * design.switch_s
                automatic = standby.mode == AUTO and self._stopped_s[n] >= design.switch_s
                standby.running = able and (standby.running or automatic)
            blowing = duty.running or standby.running
            target = design.air_m3_per_min * (1.0 - self.torn[n]) if blowing else 0.0
            self.air[n] += (target - self.air[n]) * near
            if abs(target - self.air[n]) < 1e-5 * design.air_m3_per_min:
                self.air[n] = target
            rest &= self.air[n] == target
            duty.kw = design.fan_kw if duty.running else 0.0
            standby.kw = design.fan_kw if standby.running else 0.0
        return rest

    def has_air(self, heading: int) -> bool:
        """What the duct's sensor says."""
        return self.air[heading] > 0.3 * self.designs[heading].air_m3_per_min

    def command(self, number: int, key: str, value: float) -> None:
        """`command` 1 start 2 stop 3 reset, `mode_command` 1 to 4. Raises Refused."""
        fan = self.fans[number]
        if key == "mode_command" and value in (LOCAL, REMOTE, AUTO, INSPECTION):
            fan.mode = int(value)
            return
        if key != "command" or value not in (0, 1, 2, 3):
            raise Refused(f"{fan.name} 没有可以下达的命令 '{key}' = {value:g} · takes no command '{key}' of {value:g}")
        if fan.mode in (LOCAL, INSPECTION):
            raise Refused(f"{fan.name} 处于就地或检修方式 · is in local or inspection mode")
        if value == 1:
            if fan.failed or not fan.powered:
                raise Refused(f"{fan.name} 有故障或无电 · has a fault or no power")
            fan.held = False
            self.duty[fan.heading] = number % 2
        elif value == 2:
            fan.held = True
        elif value == 3:
            fan.held = False
