"""A longwall face: the section `longwalls` of a mine's simulation.yaml, a list of these.

    longwalls:
      - id: face_1
        shearer: {id: shearer_1}
        supports: {id: supports_1, first: support_001, count: 120}
        afc: {id: afc_1}
        loader: {id: loader_1}
        crusher: {id: crusher_1}
        emulsion: {id: emulsion_1}
        spray: {id: spray_1}

As it stands it wins some 3,600 t a day in two shifts of 7 h on the spot (1.2 Mt/a): six webs of 605 t. What makes it
more or less is the height, the web, `shearer.cut_speed` and `shearer.cutting_share`. Usual figures: domain facts §5.2
to §5.4.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Celsius, Id, NotNegative, Share, Strict, rising

Kilowatts = Annotated[float, Field(gt=0, le=5000)]
Volts = Annotated[float, Field(ge=100, le=11000)]
Metres = Annotated[float, Field(gt=0, le=500)]
MetresPerMinute = Annotated[float, Field(gt=0.5, le=20)]
Megapascals = Annotated[float, Field(ge=0, le=60)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class ShearerDesign(Strict):
    """A double-drum shearer and how it is worked. Lengths in m, speeds in m/min, powers in kW a motor."""

    id: Id = "shearer_1"
    body_m: Annotated[float, Field(ge=4, le=20)] = 12.0
    """Between the drums' centres."""
    drum_m: Annotated[float, Field(ge=0.8, le=4)] = 1.8
    cut_speed: MetresPerMinute = 4.0
    snake_speed: MetresPerMinute = 3.2
    empty_speed: MetresPerMinute = 8.0
    top_speed: MetresPerMinute = 12.0
    acceleration: Annotated[float, Field(gt=0, le=0.5)] = 0.02
    """m/s²."""
    snake_m: Metres = 30.0
    """How far from the end the snake-in (斜切进刀) goes."""
    hardness_kwh_per_m3: Annotated[float, Field(ge=0.1, le=3)] = 0.62
    cut_motor_kw: Kilowatts = 500.0
    haulage_motor_kw: Kilowatts = 90.0
    pump_motor_kw: Kilowatts = 30.0
    volts: Volts = 3300.0
    haulage_volts: Volts = 380.0
    warm_trip_c: Celsius = 155.0
    """A cutting motor's winding stops the machine there."""
    cutting_share: Annotated[float, Field(ge=0.05, le=0.95)] = 0.42
    """Part of the time that is ordered for producing in which the machine cuts; the rest is pauses and turning."""
    segment_min: Annotated[float, Field(ge=1, le=240)] = 9.0
    """Mean time from pause to pause, min of hauling."""
    stop_share: Share = 0.12
    """Part of the pauses in which the machine is switched off (picks, repairs)."""
    adjust_share: Share = 0.18
    """Part of the pauses in which it creeps into place, below 0.5 m/min."""
    turn_s: Seconds = 60.0
    end_turn_s: Seconds = 150.0
    correction_m: Annotated[float, Field(gt=0, le=1)] = 0.03
    """So far may the seam leave what memory cutting has learned until somebody corrects the drum."""
    override_h: Annotated[float, Field(ge=0.5, le=1000)] = 12.0
    """Mean time between two grips to the local handset in an intelligent session, h of hauling."""


class SupportsDesign(Strict):
    """Shield supports in a row, numbered on from `first`. `id` names what is true of all of them together."""

    id: Id = "supports_1"
    first: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,36}?[0-9]{1,4}$")] = "support_001"
    count: Annotated[int, Field(ge=40, le=400)] = 120
    pitch_m: Annotated[float, Field(ge=1, le=2.5)] = 1.5
    legs: Annotated[int, Field(ge=2, le=4)] = 2
    leg_bore_mm: Annotated[float, Field(ge=150, le=600)] = 360.0
    set_mpa: Megapascals = 27.0
    yield_mpa: Megapascals = 40.0
    creep_mpa: Annotated[float, Field(ge=0, le=10)] = 1.6
    """a of p = p_set + a·ln(1 + t/τ)."""
    creep_s: Seconds = 60.0
    """τ of it."""
    lag: Annotated[int, Field(ge=1, le=12)] = 4
    """Supports between the rear drum and the one that advances."""
    push_lag: Annotated[int, Field(ge=4, le=20)] = 11
    """Supports behind the shearer at which the push of the conveyor begins."""
    bend: Annotated[int, Field(ge=2, le=15)] = 7
    """Supports over which the conveyor's bend goes."""
    end_zone: Annotated[int, Field(ge=0, le=25)] = 15
    """Supports at each end that are worked by hand."""
    hand_share: Share = 0.75
    """Part of the moves that is made by hand when not intelligent."""
    jump_share: Annotated[float, Field(ge=0, le=0.05)] = 0.006
    """Part of the moves that the follow-up skips (跳架)."""
    leaking_share: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    """Part of the supports with a leg that leaks 0.1 to 1 MPa/h."""
    weighting_m: tuple[Metres, Metres] = (15.0, 25.0)
    """Advance from one periodic weighting to the next, m."""
    weighting_gain: Annotated[float, Field(ge=0, le=1)] = 0.3
    """What weighting adds to the pressure, of the setting pressure."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their ids, from the head end."""
        stem, digits = re.fullmatch(r"(.*?)(\d+)", self.first).groups()  # type: ignore[union-attr]
        return tuple(f"{stem}{int(digits) + n:0{len(digits)}d}" for n in range(self.count))


class ConveyorDesign(Strict):
    """A chain conveyor. `friction_chain` and `friction_coal` are the usual factors of sliding on steel."""

    id: Id
    length_m: Metres
    motors: Annotated[int, Field(ge=1, le=3)]
    motor_kw: Kilowatts
    volts: Volts = 3300.0
    chain_speed: Annotated[float, Field(ge=0.3, le=3)]
    """m/s."""
    chain_kg_per_m: Annotated[float, Field(gt=0, le=500)] = 70.0
    """Of one strand with its flights; it lies twice."""
    friction_chain: Annotated[float, Field(ge=0.1, le=1)] = 0.35
    friction_coal: Annotated[float, Field(ge=0.1, le=1.2)] = 0.7
    start_s: Seconds = 8.0
    stop_s: Seconds = 3.0


class AfcDesign(ConveyorDesign):
    """The armoured face conveyor; it is as long as the row of supports."""

    id: Id = "afc_1"
    length_m: Metres = 180.0
    motors: Annotated[int, Field(ge=2, le=2)] = 2
    motor_kw: Kilowatts = 400.0
    chain_speed: Annotated[float, Field(ge=0.3, le=3)] = 1.1


class LoaderDesign(ConveyorDesign):
    """The stage loader."""

    id: Id = "loader_1"
    length_m: Metres = 45.0
    motors: Annotated[int, Field(ge=1, le=1)] = 1
    motor_kw: Kilowatts = 250.0
    chain_speed: Annotated[float, Field(ge=0.3, le=3)] = 1.4


class CrusherDesign(Strict):
    """The crusher on the stage loader: power is `idle_kw` and `kwh_per_t` of what passes."""

    id: Id = "crusher_1"
    motor_kw: Kilowatts = 160.0
    volts: Volts = 1140.0
    idle_kw: NotNegative = 14.0
    kwh_per_t: Annotated[float, Field(ge=0, le=1)] = 0.11
    start_s: Seconds = 5.0


class EmulsionDesign(Strict):
    """Three emulsion pumps that share the work: they load and unload between two pressures."""

    id: Id = "emulsion_1"
    motor_kw: Kilowatts = 250.0
    volts: Volts = 1140.0
    litres_per_min: Annotated[float, Field(ge=50, le=2000)] = 400.0
    unload_mpa: Megapascals = 31.8
    load_mpa: Megapascals = 30.9
    tank_l: Annotated[float, Field(ge=500, le=20000)] = 4000.0
    concentration_pct: Annotated[float, Field(ge=1, le=10)] = 4.0


class SprayDesign(Strict):
    """Two spray pumps, one in work."""

    id: Id = "spray_1"
    motor_kw: Kilowatts = 75.0
    volts: Volts = 1140.0
    litres_per_min: Annotated[float, Field(ge=50, le=1000)] = 315.0
    mpa: Annotated[float, Field(ge=2, le=16)] = 6.3


class LongwallDesign(Strict):
    """One face. `height_m` is what is cut, `web_m` the depth of a web, `density` in t/m³."""

    id: Id = "face_1"
    height_m: Annotated[float, Field(ge=0.8, le=9)] = 3.0
    web_m: Annotated[float, Field(ge=0.4, le=1.2)] = 0.8
    density: Annotated[float, Field(ge=1, le=2)] = 1.4
    shearer: ShearerDesign = ShearerDesign()
    supports: SupportsDesign = SupportsDesign()
    afc: AfcDesign = AfcDesign()
    loader: LoaderDesign = LoaderDesign()
    crusher: CrusherDesign = CrusherDesign()
    emulsion: EmulsionDesign = EmulsionDesign()
    spray: SprayDesign = SprayDesign()
    ambient_c: Celsius = 26.0

    @property
    def length_m(self) -> float:
        return self.supports.count * self.supports.pitch_m

    @model_validator(mode="after")
    def _consistent(self) -> LongwallDesign:
        rising(*self.supports.weighting_m, "supports.weighting_m")
        rising(self.emulsion.load_mpa, self.emulsion.unload_mpa, "emulsion.load_mpa")
        bend = (self.supports.push_lag + self.supports.bend) * self.supports.pitch_m
        rising(bend, self.shearer.snake_m, "supports.push_lag + bend, m, shearer.snake_m")
        rising(3 * self.shearer.snake_m, self.length_m, "3 · shearer.snake_m, supports.count · pitch_m")
        if abs(self.afc.length_m - self.length_m) > 20:
            raise ValueError(
                f"afc.length_m: {self.afc.length_m:g} m, 支架长 · the supports are {self.length_m:g} m long"
            )
        return self
