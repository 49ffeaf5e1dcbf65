"""What moves a belt: resistances by DIN 22101, the drive's S-curve, coasting, the brake, and the grip of the drum.

The drum gives no more force than the take-up's tension and the friction around it let it (Euler-Eytelwein); when
the belt asks for more it slides, is driven by what is left, slows down, and the difference heats the drum.
"""

from __future__ import annotations

import math

from simulators.design.transport import BeltDesign
from simulators.physics.din22101 import Conveyor, resistance
from simulators.physics.parts import s_curve

SLIDING = 0.9
"""Sliding over static friction."""
DRUM_KJ_PER_K = 1000.0
"""Heat capacity of a drive drum and the belt around it, about two tonnes of steel."""
DRUM_TAU_S = 900.0


class Drive:
    """One belt's drive. `speed` is the belt's, `drum` the drum's circumference's, m/s; `power` is electric, kW."""

    __slots__ = (
        "_brake",
        "_drum_keep",
        "_dt",
        "_each",
        "_empty",
        "_full_take_up",
        "_grip",
        "_mass",
        "_rated_speed",
        "_rise_per_kw",
        "_tension_keep",
        "design",
        "drum",
        "drum_c",
        "goal",
        "heat_c",
        "power",
        "sliding",
        "speed",
        "started_from",
        "tension",
        "tension_lost",
        "torque",
    )

    def __init__(self, design: BeltDesign) -> None:
        self.design = design
        conveyor = Conveyor(design.length_m, design.lift_m, design.moving_kg_per_m, design.friction, design.efficiency)
        self._empty = resistance(conveyor, 0.0)
        self._each = (resistance(conveyor, 1.0) - self._empty) / design.length_m
        """Force of a kilogramme of coal on the belt, N/kg."""
        self._mass = design.moving_kg_per_m * design.length_m * design.rotating
        full = self._empty + self._each * design.length_m * design.capacity_t_per_h / (3.6 * design.speed_m_per_s)
        runaway = max(0.0, -full, -self._empty)
        self._brake = runaway * 1.5 if design.brake_kn is None else design.brake_kn * 1000.0
        most = max(abs(full), abs(self._empty))
        self._full_take_up = most * design.grip_margin / (math.exp(design.grip * design.wrap_rad) - 1.0) / 1000.0
        self.goal = design.speed_m_per_s
        """The set speed, m/s."""
        self.speed = self.drum = self.started_from = 0.0
        self.sliding = False
        self.power = 0.0
        self.torque = 0.0
        """What the motors' torque would be worth at rated speed, kW: it is torque that draws a drive's current."""
        self._rated_speed = design.speed_m_per_s / design.efficiency / 1000.0
        self.drum_c = design.ambient_c
        self.tension = 0.8 * self._full_take_up
        self.tension_lost = 0.0
        """Share of the take-up's tension that is lost."""
        self.lose(0.0, 0.0)
        self.heat_c = 0.0
        """What a failing bearing adds to the running drum's temperature, °C."""
        self._rise_per_kw = design.drum_rise_c / self.rated_kw
        self._dt = self._drum_keep = self._tension_keep = 0.0

    @property
    def rated_tension(self) -> float:
        """kN at the take-up of a running belt."""
        return self._full_take_up

    @property
    def rated_kw(self) -> float:
        """Of all motors together, kW."""
        return self.design.motors * self.design.motor_kw

    def start(self) -> None:
        """The S-curve begins from the speed that there is."""
        self.started_from = self.speed

    def lose(self, grip: float, tension: float) -> None:
        """These shares of the drum's friction and of the take-up's tension are lost."""
        self.tension_lost = tension
        wrap = math.exp(self.design.grip * (1.0 - grip) * self.design.wrap_rad) - 1.0
        self._grip = self._full_take_up * (1.0 - tension) * wrap * 1000.0

    def run(self, dt: float, coal: float, starting_for: float | None) -> float:
        """Drive for `dt`, with `coal` kg on the belt; `starting_for` s of the S-curve, or none when it is over.
        Returns the belt's way, m."""
        design, before, drum = self.design, self.speed, self.drum
        force = self._empty + self._each * coal
        if drum == self.goal == before and starting_for is None and not self.sliding and abs(force) <= self._grip:
            # As nearly always: it goes on with the speed that it has.
            self._draw(force, drum)
            return drum * dt
        if starting_for is not None:
            part = s_curve(starting_for / design.start_s)
            self.drum = self.started_from + (self.goal - self.started_from) * part
            force *= 1.0 + (design.breakaway - 1.0) * max(0.0, 1.0 - drum / 0.5)
        elif drum != self.goal:
            step = design.ramp_m_per_s2 * dt
            self.drum = min(self.goal, drum + step) if drum < self.goal else max(self.goal, drum - step)
        pull = force
        if self.drum != drum:
            pull += (self._mass + coal) * (self.drum - drum) / dt
        if self.sliding or abs(pull) > self._grip:
            pull = self._slide(dt, coal, force, pull >= 0.0)
        else:
            self.speed = self.drum
        self._draw(pull, 0.5 * (drum + self.drum))
        return 0.5 * (before + self.speed) * dt

    def _draw(self, pull: float, speed: float) -> None:
        """What the motors take for a drum that pulls so much, N, at this speed."""
        self.torque = abs(pull) * self._rated_speed
        watts, efficiency = pull * speed, self.design.efficiency
        self.power = (watts / efficiency if watts >= 0.0 else watts * efficiency) / 1000.0

    def _slide(self, dt: float, coal: float, force: float, driving: bool) -> float:
        """The belt goes its own way under what friction gives it until it has the drum's speed again. `driving`: the
        drum pulls, and does not hold. Returns the drum's force, N."""
        friction = self._grip * (SLIDING if driving else -SLIDING)
        speed = self.speed + (friction - force) / (self._mass + coal) * dt
        self.sliding = speed < self.drum if driving else speed > self.drum
        if not self.sliding:
            self.speed = self.drum
            return force
        self.speed = min(max(speed, 0.0), 1.3 * self.design.speed_m_per_s)
        return friction

    def coast(self, dt: float, coal: float) -> float:
        """The motors are off: resistance and brake take the belt's way. Returns it, m."""
        before = self.speed
        self.power = self.torque = 0.0
        self.sliding = False
        slower = (self._empty + self._each * coal + self._brake) / (self._mass + coal)
        # Back-stop and brake hold a belt that stands.
        self.speed = self.drum = max(0.0, before - slower * dt)
        if slower > 0.0 and before < slower * dt:
            return 0.5 * before * before / slower
        return 0.5 * (before + self.speed) * dt

    def warm(self, dt: float, driven: bool, sprayed: bool) -> None:
        """Drum temperature and take-up tension."""
        if dt != self._dt:
            self._dt, self._drum_keep, self._tension_keep = dt, math.exp(-dt / DRUM_TAU_S), math.exp(-dt / 4.0)
        rise = self._rise_per_kw * abs(self.power)
        if self.drum > 0.0:
            rise += self.heat_c
            if self.sliding:
                rise += abs(self.drum - self.speed) * self._grip / 1000.0 * DRUM_TAU_S / DRUM_KJ_PER_K
        if sprayed:
            rise *= 0.5
        target = self.design.ambient_c + rise
        self.drum_c = target + (self.drum_c - target) * self._drum_keep
        tight = self._full_take_up * ((1.0 if driven else 0.8) - self.tension_lost)
        if self.tension != tight:
            self.tension = tight + (self.tension - tight) * self._tension_keep
