"""The belts of a mine: the section `belts`.

    belts:
      belts:
        belt_101: {length_m: 1000, lift_m: 180, capacity_t_per_h: 1800, motors: 2, motor_kw: 800, scale: scale_101}
        belt_102: {onto: belt_101, length_m: 1500, lift_m: 10, capacity_t_per_h: 1800, follow_flow: true}
        belt_103: {onto: belt_102, length_m: 900, lift_m: 15}
        belt_104: {onto: belt_103, length_m: 1200, capacity_t_per_h: 1500, motor_kw: 315, scale: scale_104}
        belt_105: {onto: belt_103, length_m: 600, capacity_t_per_h: 400, speed_m_per_s: 2.5, motors: 1, motor_kw: 160}
        belt_106: {onto: belt_102, length_m: 700, capacity_t_per_h: 400, speed_m_per_s: 2.5, motors: 1, motor_kw: 160}

`onto` names the belt that a head feeds; without it the coal goes to the surface. Figures that nobody states are
those of the domain facts 5.1 (S-72 … S-79).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Celsius, Id, Share, Strict, rising

Seconds = Annotated[float, Field(ge=0, le=3600)]
Millimetres = Annotated[float, Field(gt=0, le=1000)]
Ratio = Annotated[float, Field(gt=0, le=3)]


class ProtectionsDesign(Strict):
    """The criteria of the eight protections, from the devices' manuals (S-77 new style, S-78 older)."""

    slow_ratio: Share = 0.7
    """Belt over drum speed that counts as slip when it lasts `slow_s`."""
    slow_s: Seconds = 10.0
    very_slow_ratio: Share = 0.5
    """Slip at once."""
    over_speed_ratio: Annotated[float, Field(ge=1, le=2)] = 1.1
    pile_kg: Annotated[float, Field(gt=0, le=20_000)] = 600.0
    """What reaches the probe in the head's chute; S-77 gives a height, this is a chute of 0.6 m³."""
    pile_s: Seconds = 2.0
    edge_alarm_mm: Millimetres = 20.0
    """Beyond the roller; 70 with three-roll idlers."""
    edge_stop_mm: Millimetres = 70.0
    """The lever at 30°: stops at once."""
    edge_s: Seconds = 10.0
    """An alarm that lasts so long stops; 5 to 15 s."""
    smoke_obs_per_m: Annotated[float, Field(gt=0, le=100)] = 5.0
    """Optical density, %obs/m; older devices 1.5."""
    smoke_s: Seconds = 2.0
    drum_c: Celsius = 60.0
    """Alarm and water."""
    drum_restore_c: Celsius = 57.0
    drum_stops: bool = False
    """Whether over-temperature also stops; the table of S-77 has alarm and water only."""
    tray_kg: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """Coal on the tray under the belt that tells a tear."""
    tension_alarm: tuple[Ratio, Ratio] = (0.85, 1.3)
    """Band over the rated tension; outside it the take-up motor is called."""
    tension_stop: tuple[Ratio, Ratio] = (0.6, 1.5)
    tension_s: Seconds = 5.0

    @model_validator(mode="after")
    def _consistent(self) -> ProtectionsDesign:
        rising(self.very_slow_ratio, self.slow_ratio, "very_slow_ratio")
        rising(self.edge_alarm_mm, self.edge_stop_mm, "edge_alarm_mm")
        rising(self.drum_restore_c, self.drum_c, "drum_restore_c")
        rising(self.tension_stop[0], self.tension_alarm[0], "tension_stop")
        rising(self.tension_alarm[1], self.tension_stop[1], "tension_alarm")
        return self


class BeltDesign(Strict):
    """One belt conveyor."""

    onto: Id | None = None
    """The belt that its head feeds; none: the surface."""
    length_m: Annotated[float, Field(ge=40, le=6000)] = 1000.0
    lift_m: Annotated[float, Field(ge=-600, le=600)] = 0.0
    """Upwards from tail to head; negative for a belt that runs down."""
    speed_m_per_s: Annotated[float, Field(ge=0.5, le=7)] = 3.5
    capacity_t_per_h: Annotated[float, Field(ge=50, le=8000)] = 1500.0
    over_fill: Annotated[float, Field(ge=1, le=2)] = 1.2
    """What the cross-section holds over what the capacity asks for."""
    moving_kg_per_m: Annotated[float, Field(ge=10, le=500)] = 61.8
    """Rollers and both runs of belt."""
    friction: Annotated[float, Field(ge=0.012, le=0.06)] = 0.025
    """The artificial coefficient f; 0.025 to 0.03 under ground."""
    efficiency: Annotated[float, Field(ge=0.5, le=1)] = 0.85
    rotating: Annotated[float, Field(ge=1, le=3)] = 1.2
    """Inertia of the empty belt with drums and motors over that of its moving mass."""
    breakaway: Annotated[float, Field(ge=1, le=2)] = 1.3
    """Resistance when a standing belt is moved over that of a moving one."""
    motors: Annotated[int, Field(ge=1, le=4)] = 2
    motor_kw: Annotated[float, Field(ge=10, le=4000)] = 250.0
    volts: Annotated[float, Field(ge=380, le=12_000)] = 1140.0
    no_load_share: Share = 0.28
    """Current at no load over the rated one."""
    warning_s: Annotated[float, Field(ge=0, le=60)] = 10.0
    """Pre-start warning, 5 to 15 s."""
    start_s: Annotated[float, Field(ge=2, le=300)] = 45.0
    """The S-curve of the variable-frequency drive, 30 to 120 s."""
    confirm_ratio: Share = 0.95
    """Speed over the set one that counts as running when it lasts `confirm_s`."""
    confirm_s: Seconds = 7.0
    ramp_m_per_s2: Annotated[float, Field(ge=0.005, le=1)] = 0.06
    """How fast a running belt changes to another set speed."""
    margin_s: Seconds = 15.0
    """Added to length over speed when a belt empties before it stops."""
    follow_flow: bool = False
    """The set speed follows the coal (S-74) until somebody sets one."""
    least_speed_share: Annotated[float, Field(ge=0.1, le=1)] = 0.4
    brake_kn: Annotated[float, Field(ge=0, le=5000)] | None = None
    """When the drive is off. By default none on a belt that stops by itself, and 1.5 times what a full belt
    pulls on one that would run away (S-79)."""
    wrap_rad: Annotated[float, Field(ge=2, le=10)] = 3.67
    """Angle of the belt around its drive drum; 3.67 is 210°."""
    grip: Annotated[float, Field(ge=0.1, le=0.6)] = 0.3
    """Friction between drum and belt."""
    grip_margin: Annotated[float, Field(ge=1, le=4)] = 1.5
    """What the take-up lets the drum transfer over what a full belt asks for."""
    ambient_c: Celsius = 24.0
    drum_rise_c: Annotated[float, Field(ge=0, le=60)] = 20.0
    """Of the drive drum at rated power."""
    scale: Id | None = None
    """Belt scale that is an equipment of its own."""
    scale_at_m: Annotated[float, Field(ge=15, le=6000)] | None = None
    """From the tail; by default 20 m before the head. A belt without a scale shows the flow that leaves its head."""
    scale_error: Annotated[float, Field(ge=0, le=0.05)] = 0.005
    """Largest error of the scale's gain."""
    scale_drift: Annotated[float, Field(ge=0, le=0.01)] = 0.001
    """Drift of the scale's zero in a shift over the capacity's load."""
    protections: ProtectionsDesign = ProtectionsDesign()

    @model_validator(mode="after")
    def _consistent(self) -> BeltDesign:
        rising(abs(self.lift_m), 0.6 * self.length_m, "lift_m / length_m")
        if self.scale_at_m is not None:
            rising(self.scale_at_m, self.length_m, "scale_at_m")
        return self

    @property
    def weighed_at_m(self) -> float | None:
        """Place of the scale, m from the tail."""
        if self.scale is None:
            return None
        return self.length_m - 20.0 if self.scale_at_m is None else self.scale_at_m


class BeltsDesign(Strict):
    """All belts of a mine, which form trees that end at the surface."""

    belts: dict[Id, BeltDesign] = Field(min_length=1, max_length=60)
    start_in_order: bool = True
    """Whether the sequence is told to start at the first step."""
    crew_resets_after_s: Annotated[float, Field(ge=0, le=86_400)] | None = 600.0
    """How long after a cause has gone the crew resets the trip and restarts; none: only on command."""

    @model_validator(mode="after")
    def _consistent(self) -> BeltsDesign:
        scales = [belt.scale for belt in self.belts.values() if belt.scale]
        if len(set(scales)) < len(scales) or set(scales) & set(self.belts):
            raise ValueError("皮带秤的编号重复 · two belts have the same scale, or a scale has a belt's name")
        for name, belt in self.belts.items():
            seen, at = {name}, belt.onto
            while at is not None:
                if at not in self.belts:
                    raise ValueError(f"{name}.onto: 没有皮带 '{at}' · there is no belt '{at}'")
                if at in seen:
                    raise ValueError(f"{name}.onto: 皮带成环 · belts feed each other in a ring at '{at}'")
                seen.add(at)
                at = self.belts[at].onto
        return self
