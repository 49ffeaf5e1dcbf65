"""A double-drum shearer: where it is, what it cuts, what its motors draw, and who controls it.

Coal and power follow Q = 60·H·B·v·ρ and P = 60·H·B·v·Hw with the depth that truly stands before the drums (domain
facts §5.2). Positions in m from the head end, speeds in m/min, powers in kW.
"""

from __future__ import annotations

import math

from simulators.design.longwall import LongwallDesign
from simulators.engine.part import Refused
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.control import Control
from simulators.physics.longwall.cycle import Kind, cycle
from simulators.physics.longwall.drums import Drums
from simulators.physics.longwall.pauses import ADJUST, NONE, OFF, Pauses
from simulators.physics.longwall.seam import Seam
from simulators.physics.order import AUTO, LOCAL, REMOTE, Order
from simulators.physics.parts import motor_current

EFFICIENCY = 0.94
NO_LOAD = 0.28
"""Magnetising current of a cutting motor, of its rated current."""
STOPPED, STANDBY, ADJUSTING, CUTTING = 0, 1, 2, 3
"""States, told apart as in a real month's data: drums off; drums on and still; |v| ≤ 0.5 m/min; faster."""
_CREEP = 0.3
"""m/min, while it is moved into place."""
_OVERRIDE_MEMORY_S = 60.0
_WINDING_RISE, _IRON_RISE, _WINDING_TAU = 95.0, 18.0, 1500.0
"""K at rated current, K while it turns, s."""
_COLD_AGAIN_C = 110.0


def cutting_power(height: float, web: float, speed: float, hardness: float) -> float:
    """kW for a cut `height` m by `web` m at `speed` m/min in coal of `hardness` kWh/m³."""
    return 60.0 * height * web * speed * hardness


class Shearer:
    """Inputs to `step`: the crew's order; `powered` (no gas lock, the conveyor runs, water is there); `released` (the
    supports and the conveyor have done what the step waits for); `gap` (supports that the follow-up is behind)."""

    def __init__(self, design: LongwallDesign, seam: Seam, chance: Chance) -> None:
        own = design.shearer
        self.design, self.density, self.ambient = own, design.density, design.ambient_c
        self.seam, self._chance = seam, chance
        self.face = design.length_m
        self.control = Control(own.id)
        self.drums = Drums(seam, own.drum_m, own.correction_m)
        self.pauses = Pauses(own, chance)
        self.steps = cycle(self.face, own.snake_m, own.turn_s, own.end_turn_s)
        self.number = 5
        self.kind = self.steps[self.number].kind
        self.position = own.snake_m
        self.cell = seam.cell(self.position)
        """The support at which it is, from 0."""
        self.speed = 0.0
        self.towards = 1
        self.webs = 0
        self.mode = LOCAL
        self.on = False
        self.producing = False
        self.intelligent = False
        self.state = STOPPED
        self.coal_t_per_h = 0.0
        self.cut_t = 0.0
        self.left_kw = self.right_kw = self.haul_kw = self.pump_kw = self.power_kw = 0.0
        self.left_a = self.right_a = 0.0
        self.left_c = self.right_c = self.ambient
        self.hot_c = 0.0
        """What a fault adds to the left cutting motor's temperature, K."""
        self.speed_set = own.cut_speed
        self.rated_a = motor_current(own.cut_motor_kw, own.volts)
        self._no_load_a = NO_LOAD * self.rated_a
        self._a_per_kw = motor_current(1.0, own.volts)
        self._speeds = {
            Kind.SNAKE_IN: own.snake_speed,
            Kind.TRIANGLE: own.snake_speed,
            Kind.RUN_EMPTY: own.empty_speed,
            Kind.CUT: own.cut_speed,
        }
        self._since_start = 0.0
        self._waited = 0.0
        self._ease = 1.0
        self._hand = 1.0
        self._ripple = 0.0
        self._override_left = 0.0
        self._since_override = math.inf
        self._was = NONE

    def command(self, key: str, value: float) -> None:
        """`command`, `mode_command`, `speed_set`. Raises Refused."""
        if self.control.command(key, value):
            return
        if key != "speed_set":
            raise Refused(f"{self.design.id} 没有可以下达的命令 '{key}' · takes no command '{key}' ({value:g})")
        self.control.must_be_remote()
        if not 0.0 <= value <= self.design.top_speed:
            raise Refused(f"{self.design.id}：速度 {value:g} 超出 · speed outside 0…{self.design.top_speed:g} m/min")
        self.speed_set = value

    def step(self, dt: float, order: Order, powered: bool, released: bool, gap: int) -> int:
        """Go on by `dt` s. The source of a correction of the drums in this step (1 or 2), else 0."""
        self.control.follow(order)
        rest = self.pauses.step(dt, self.producing) if order.produce else NONE
        if rest != self._was:
            self._was = rest
            self._hand = self._chance.even(0.9, 1.1)
        control = self.control
        self.on = order.produce and powered and not control.held and not control.tripped and rest != OFF
        self._since_start = self._since_start + dt if self.on else 0.0
        before = self.position
        self._haul(dt, self.on and rest in (NONE, ADJUST) and self._since_start > 8.0, released, gap)
        self._cut(dt, before)
        self._electric(dt)
        self._controlled(dt)
        return self._heights(dt)

    def _haul(self, dt: float, go: bool, released: bool, gap: int) -> None:
        step = self.steps[self.number]
        if not go:
            # Brakes and the friction of the haulage hold the machine within centimetres.
            self.speed = 0.0
            return
        if step.wait_s:
            self.speed = 0.0
            self._waited += dt
            if released and self._waited >= step.wait_s:
                self._next()
            return
        top = self._speeds[step.kind]
        if step.kind is not Kind.RUN_EMPTY:
            top = self._pulled_down(dt, top)
        if gap > 9:
            top = 0.0 if gap > 14 else 0.5 * top
        if self._was == ADJUST:
            top = min(top, _CREEP)
        left = step.target - self.position
        self.towards = 1 if left > 0.0 else -1
        way = abs(left)
        own = self.design
        most = min(top, 60.0 * math.sqrt(1.6 * own.acceleration * way) + 0.3)
        change = 60.0 * own.acceleration * dt
        now = abs(self.speed)
        now += max(-change, min(change, most - now))
        if now / 60.0 * dt >= way:
            self.position, self.speed = step.target, 0.0
            self._next()
        else:
            self.speed = self.towards * now
            self.position += self.speed / 60.0 * dt

    def _pulled_down(self, dt: float, top: float) -> float:
        """Haulage gives way while a cutting motor is near its rated power."""
        load = max(self.left_kw, self.right_kw) / self.design.cut_motor_kw
        if load > 0.95:
            self._ease = max(self._ease - 0.06 * dt, 0.2)
        elif load < 0.85:
            self._ease = min(self._ease + 0.02 * dt, 1.0)
        if self.mode == LOCAL:
            return top * self._hand * self._ease
        return min(top, self.speed_set) * self._ease

    def _next(self) -> None:
        self._waited = 0.0
        self.number = (self.number + 1) % len(self.steps)
        self.kind = self.steps[self.number].kind
        self.seam.enter()
        if self.number in (0, len(self.steps) // 2):
            self.webs += 1
            self.seam.renew()

    def _cut(self, dt: float, before: float) -> None:
        volume = 0.0
        if self.position != before:
            self.cell = self.seam.cell(self.position)
            volume = self.seam.cut(before, self.position)
        tonnes = volume * self.density
        self.cut_t += tonnes
        self.coal_t_per_h = tonnes * 3600.0 / dt
        own = self.design
        if not self.on:
            self.left_kw = self.right_kw = 0.0
            return
        self._ripple += (0.055 * self._chance.normal() - self._ripple) * min(dt / 1.5, 1.0)
        work = volume * 3600.0 / dt * self.seam.hardness(self.cell, self.position) * (1.0 + self._ripple)
        keep = math.exp(-dt / 0.6)
        front, rear = 0.62 * work, 0.38 * work
        left, right = (rear, front) if self.towards > 0 else (front, rear)
        idle = 0.06 * own.cut_motor_kw
        self.left_kw = left + idle + (self.left_kw - left - idle) * keep
        self.right_kw = right + idle + (self.right_kw - right - idle) * keep

    def _electric(self, dt: float) -> None:
        own = self.design
        if self.on:
            self.left_a = math.hypot(self._no_load_a, self.left_kw * self._a_per_kw)
            self.right_a = math.hypot(self._no_load_a, self.right_kw * self._a_per_kw)
            if self.speed:
                loaded = 0.6 + (self.left_kw + self.right_kw) / own.cut_motor_kw / 3.0
                self.haul_kw = own.haulage_motor_kw * (0.1 + 0.9 * abs(self.speed) / own.top_speed * loaded)
            else:
                self.haul_kw = 0.0
            self.pump_kw = own.pump_motor_kw * 0.6
            self.power_kw = (self.left_kw + self.right_kw + 2.0 * self.haul_kw + self.pump_kw) / EFFICIENCY
        else:
            self.left_a = self.right_a = self.haul_kw = self.pump_kw = self.power_kw = 0.0
        part = 1.0 - math.exp(-dt / _WINDING_TAU)
        rise = _WINDING_RISE / self.rated_a**2
        around, hot = (self.ambient + _IRON_RISE, self.hot_c) if self.on else (self.ambient, 0.0)
        self.left_c += (around + hot + rise * self.left_a**2 - self.left_c) * part
        self.right_c += (around + rise * self.right_a**2 - self.right_c) * part
        hottest = max(self.left_c, self.right_c)
        if hottest > own.warm_trip_c:
            self.control.tripped = True
        elif hottest < _COLD_AGAIN_C and self.control.tripped:
            self.control.tripped = False  # The crew lets it cool, and resets it.

    def _controlled(self, dt: float) -> None:
        """Mode, state, and what the domain facts' §3.3 say of producing and intelligent."""
        mode = self.control.mode
        if mode == AUTO and self.kind is not Kind.CUT:
            mode = REMOTE  # At the ends a person drives, from the console.
        if self._override_left > 0.0:
            self._override_left -= dt
            mode, self._since_override = LOCAL, 0.0
        else:
            self._since_override += dt
            watched = mode in (REMOTE, AUTO) and self.producing
            if watched and self._chance.even() < dt / (self.design.override_h * 3600.0):
                self._override_left = self._chance.even(8.0, 25.0)
        self.mode = mode
        quick = abs(self.speed) > 0.5
        self.producing = self.on and quick and max(self.left_a, self.right_a) > 0.2 * self.rated_a
        self.intelligent = self.producing and mode in (REMOTE, AUTO) and self._since_override >= _OVERRIDE_MEMORY_S
        if not self.on:
            self.state = STOPPED
        elif quick:
            self.state = CUTTING
        else:
            self.state = ADJUSTING if self.speed else STANDBY

    def _heights(self, dt: float) -> int:
        if not self.on:
            return 0
        full = self.kind is Kind.CUT
        corrected = self.drums.step(dt, self.position, self.towards, full and self.mode == AUTO, full)
        return REMOTE if corrected else 0
