"""The two main fans: one in service, one standby, on a curve against the mine's resistance.

p = p0·n² − a·Q² meets p = R·Q² (domain facts 5.8); n is the speed over the rated one. The change-over to the
standby takes its start-up and the damper's travel, well within the 10 minutes of the regulation.
"""

from __future__ import annotations

import math

from simulators.design.air import MainFansDesign
from simulators.engine.part import Refused
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE

CLOSED, OPENING, OPEN, CLOSING = 0, 1, 2, 3
AIR_TAU_S = 12.0
"""The inertia of the mine's air, s."""
TRIPPED = 1
"""The fault code of a fan that stopped by itself."""


def shaft_power(air_m3_per_s: float, pressure_pa: float, efficiency: float) -> float:
    """N = Q·p/(1000·η), kW."""
    return air_m3_per_s * pressure_pa / (1000.0 * efficiency)


def working_point(shut_off_pa: float, slope: float, resistance: float) -> tuple[float, float]:
    """Q (m³/s) and p (Pa) where p0 − a·Q² meets R·Q²."""
    flow = math.sqrt(max(0.0, shut_off_pa) / (slope + resistance))
    return flow, resistance * flow * flow


class Fan:
    """`wanted` is what it is told, `on` whether its contactor is in; `speed` and `damper` follow, 0 to 1."""

    __slots__ = ("damper", "failed", "fault", "mode", "on", "opening", "powered", "speed", "wanted")

    def __init__(self, on: bool) -> None:
        self.on = self.wanted = on
        self.mode = AUTO
        self.failed = False
        self.fault = 0
        self.powered = True
        self.speed = self.damper = float(on)
        self.opening = on

    @property
    def able(self) -> bool:
        """Whether it could run."""
        return self.powered and not self.failed and not self.fault

    @property
    def running(self) -> bool:
        """Its contactor is in and it is up to speed."""
        return self.on and self.speed > 0.5

    @property
    def damper_state(self) -> int:
        """As the template's point `damper`."""
        if self.opening:
            return OPEN if self.damper >= 1.0 else OPENING
        return CLOSED if self.damper <= 0.0 else CLOSING

    def step(self, dt: float, design: MainFansDesign) -> None:
        """Speed and damper."""
        if self.on and self.failed:
            self.fault = TRIPPED
        self.on = self.wanted and self.able
        self.opening = self.on
        if self.on:
            self.speed = min(1.0, self.speed + dt / design.start_s)
            self.damper = min(1.0, self.damper + dt / design.damper_s)
        elif self.speed > 0.0 or self.damper > 0.0:
            self.speed = max(0.0, self.speed - dt / design.coast_s)
            self.damper = max(0.0, self.damper - dt / design.damper_s)


class MainFans:
    """Set `open_doors` (how many short-circuit the mine) before a step; `air` m³/s, `pressure` Pa and `kw` follow."""

    def __init__(self, design: MainFansDesign) -> None:
        self.design = design
        self.resistance = design.pressure_pa / design.air_m3_per_s**2
        self.slope = (design.shut_off_pa - design.pressure_pa) / design.air_m3_per_s**2
        self.fans = (Fan(True), Fan(False))
        self.duty = 0
        self.open_doors = 0
        self.reversed = False
        self.pressure = design.pressure_pa
        self.kw = [0.0, 0.0]
        self.stopped_s = 0.0
        self.air, _ = self._working_point()

    def step(self, dt: float) -> bool:
        """Go on by `dt` seconds. Says whether all has come to rest, so that more steps would change nothing."""
        design = self.design
        for fan in self.fans:
            fan.step(dt, design)
        waiting = self._change_over(dt)
        target, pressure = self._working_point()
        self.air += (target - self.air) * (1.0 - math.exp(-dt / AIR_TAU_S))
        if abs(target - self.air) < 1e-5 * design.air_m3_per_s:
            self.air = target
        self.pressure = pressure
        for n, fan in enumerate(self.fans):
            self.kw[n] = self._power(fan)
        moving = any(fan.speed != fan.on or fan.damper != fan.on for fan in self.fans)
        return self.air == target and not moving and not waiting

    def _power(self, fan: Fan) -> float:
        """kW: N = Q·p/(1000·η) of what it moves, and the loss of turning against a closed damper."""
        if not fan.on:
            return 0.0
        idle = 0.15 * self.design.air_m3_per_s * self.design.pressure_pa / 1000.0 * fan.speed * (1.0 - fan.damper)
        return idle + shaft_power(self.air, self.pressure, self.design.efficiency) * fan.speed * fan.damper

    def _working_point(self) -> tuple[float, float]:
        """Where the curve of the fan that feeds meets the mine's resistance, m³/s and Pa."""
        design = self.design
        feeding = max(self.fans, key=lambda fan: fan.speed * fan.damper)
        head = design.shut_off_pa * feeding.speed**2 * feeding.damper + design.natural_pa
        flow, pressure = working_point(head, self.slope, self.resistance * 0.8**self.open_doors)
        if self.reversed:
            flow, pressure = flow * design.reversed_share, pressure * design.reversed_share**2
        return flow, pressure

    def _change_over(self, dt: float) -> bool:
        """In automatic the standby takes over from a fan that tripped. Says whether it is about to."""
        duty, standby = self.fans[self.duty], self.fans[1 - self.duty]
        taking_over = duty.wanted and not duty.able and standby.mode == AUTO and standby.able
        if not taking_over:
            self.stopped_s = 0.0
            return False
        self.stopped_s += dt
        if self.stopped_s >= self.design.switch_s:
            standby.wanted, duty.wanted, self.duty = True, False, 1 - self.duty
        return True

    def change_duty(self) -> None:
        """The routine change-over, if both are in automatic and able."""
        duty, standby = self.fans[self.duty], self.fans[1 - self.duty]
        if duty.on and duty.mode == AUTO and standby.able and standby.mode == AUTO:
            standby.wanted, duty.wanted, self.duty = True, False, 1 - self.duty

    def fail(self, number: int, on: bool) -> None:
        """It breaks down, or is repaired and reset."""
        fan = self.fans[number]
        fan.failed, fan.fault = on, fan.fault if on else 0

    def command(self, number: int, key: str, value: float) -> None:
        """`command` 1 start 2 stop 3 reset, `mode_command` 1 to 4. Raises Refused."""
        fan, name = self.fans[number], self.design.names[number]
        if key == "mode_command":
            if value not in (LOCAL, REMOTE, AUTO, INSPECTION):
                raise Refused(f"{name} 控制方式 {value:g} 无效 · is no control mode")
            fan.mode = int(value)
            return
        if key != "command":
            raise Refused(f"{name} 没有可以下达的命令 '{key}' · takes no command '{key}'")
        if fan.mode in (LOCAL, INSPECTION):
            raise Refused(f"{name} 处于就地或检修方式 · is in local or inspection mode")
        if value == 1:
            if not fan.able:
                raise Refused(f"{name} 有故障或无电，先复位 · has a fault or no power; reset it first")
            if self.fans[1 - number].on:
                raise Refused(f"{name} 另一台正在运行 · the other fan is running")
            self.fans[1 - number].wanted = False
            fan.wanted, self.duty = True, number
        elif value == 2:
            fan.wanted = False
        elif value == 3:
            fan.fault = 0
        elif value != 0:
            raise Refused(f"{name} 命令 {value:g} 无效 · {value:g} is no command")
