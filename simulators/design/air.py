"""The air of a mine: the section `ventilation`.

    ventilation:
      main_fans: {names: [main_fan_1, main_fan_2], air_m3_per_s: 150, pressure_pa: 2500, shut_off_pa: 3800}
      districts: {district_1: {}}
      faces: {face_1: {district: district_1}}
      headings:
        heading_1: {district: district_1, fans: [aux_fan_1a, aux_fan_1b]}
        heading_2: {district: district_1, fans: [aux_fan_2a, aux_fan_2b]}
      roads: {belt_road_101: {}}
      chambers: {pump_room: {}, substation: {temperature_c: 26}}
      doors: {door_1: {branch: district_1}}

Places that follow from it: `face_1.intake`, `.face`, `.corner` (T0), `.return` (its end), `.return_start` (T2, where
the goaf has joined), `heading_1.face`, `.return`, `district_1.return`, each road and chamber by its name, and
`main_return`. Air and gas of figures that nobody states are those of the checked example of domain facts 5.9
(200 m × 12 m², 1,500 m³/min) and of S-87 to S-90.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Celsius, Id, NotNegative, Share, Strict

AirPerMin = Annotated[float, Field(gt=0, le=30_000)]
Length = Annotated[float, Field(ge=20, le=10_000)]
Section = Annotated[float, Field(ge=3, le=60)]
Gas = Annotated[float, Field(ge=0, le=100)]
Content = Annotated[float, Field(ge=0, le=60)]
Thickness = Annotated[float, Field(gt=0, le=30)]
Humidity = Annotated[float, Field(ge=0, le=100)]


class BarometerDesign(Strict):
    """Weather: hPa and hours."""

    mean_hpa: Annotated[float, Field(ge=600, le=1100)] = 930.0
    trend_hpa_per_h: Annotated[float, Field(ge=0, le=5)] = 0.5
    """Standard deviation of the change in an hour."""
    trend_tau_s: Annotated[float, Field(ge=600, le=200_000)] = 14_400.0
    return_h: Annotated[float, Field(ge=6, le=500)] = 60.0
    """How soon the pressure drifts back to its mean, h."""
    tide_hpa: Annotated[float, Field(ge=0, le=3)] = 0.9
    """Amplitude of the half-daily tide."""


class MainFansDesign(Strict):
    """Two fans, one in service and one standby, on the curve p = p0 − a·Q² against p = R·Q²."""

    names: tuple[Id, Id] = ("main_fan_1", "main_fan_2")
    air_m3_per_s: Annotated[float, Field(ge=10, le=500)] = 150.0
    pressure_pa: Annotated[float, Field(ge=300, le=6000)] = 2500.0
    """With `air_m3_per_s` the working point; gives the mine's resistance R."""
    shut_off_pa: Annotated[float, Field(ge=400, le=8000)] = 3800.0
    """p0: the pressure without flow."""
    natural_pa: Annotated[float, Field(ge=0, le=200)] = 10.0
    """Natural draught that is left when fans stand, Pa."""
    efficiency: Annotated[float, Field(ge=0.3, le=0.95)] = 0.75
    volts: Annotated[float, Field(ge=380, le=12_000)] = 10_000.0
    power_factor: Annotated[float, Field(ge=0.5, le=1)] = 0.86
    start_s: Annotated[float, Field(ge=5, le=300)] = 45.0
    coast_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    damper_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    switch_s: Annotated[float, Field(ge=1, le=400)] = 20.0
    """From a trip until the standby is started; all of the change-over must end within 10 min."""
    reversed_share: Annotated[float, Field(ge=0.4, le=0.9)] = 0.5
    """Air in a reversal, of the normal (regulation: at least 40 %)."""
    routine_days: Annotated[float, Field(ge=1, le=365)] = 30.0
    """Every so many days the fans change duty."""

    @model_validator(mode="after")
    def _curve(self) -> MainFansDesign:
        if self.shut_off_pa <= self.pressure_pa:
            raise ValueError(
                f"shut_off_pa {self.shut_off_pa:g} 必须高于工作负压 · must be above pressure_pa {self.pressure_pa:g}"
            )
        if self.switch_s + self.damper_s + self.start_s > 600.0:
            raise ValueError("倒机超过 10 分钟 · switch_s + damper_s + start_s: a change-over may take 10 min at most")
        return self


class AirOfPlace(Strict):
    """What the air of a place is without any work."""

    temperature_c: Celsius = 20.0
    humidity: Humidity = 85.0
    co_ppm: NotNegative = 2.0
    """Carbon monoxide that it adds to the air that passes, ppm."""
    co2_percent: Annotated[float, Field(ge=0, le=5)] = 0.05
    """Carbon dioxide that it adds."""


class DistrictDesign(AirOfPlace):
    """The return of a district with its sealed goafs."""

    length_m: Length = 800.0
    section_m2: Section = 16.0
    air_m3_per_min: NotNegative = 600.0
    """Air beyond that of its faces and headings."""
    goaf_m3_per_min: Gas = 1.0
    """Gas from sealed goafs."""
    temperature_c: Celsius = 23.0


class AdjacentDesign(Strict):
    """A seam near the one that is won: contents (m³/t), thickness (m) and the share that comes out."""

    content: Content
    residual: Content = 2.0
    thickness_m: Thickness
    released: Share


class FaceGas(Strict):
    """Where a face's gas is forecast by the source method (AQ 1018-2006, `emission`) instead of stated: q1 + q2, at
    the planned output. `goaf` and `ribs`: the shares that come with or without work; the rest comes with the coal
    (three quarters of ribs and coal, a quarter of goaf were seen, S-90)."""

    content: Content
    residual: Content
    seam_m: Thickness
    cut_m: Thickness
    rock: Annotated[float, Field(ge=1, le=2)] = 1.3
    loss: Annotated[float, Field(ge=1, le=2)] = 1.05
    ribs_drained: Share = 0.86
    adjacent: tuple[AdjacentDesign, ...] = Field(default=(), max_length=20)
    tonnes_per_day: Annotated[float, Field(gt=0, le=100_000)]
    goaf: Share = 0.25
    ribs: Share = 0.3

    @model_validator(mode="after")
    def _shares(self) -> FaceGas:
        if self.goaf + self.ribs > 1.0:
            raise ValueError("goaf + ribs 大于 1 · is above 1")
        return self


class HeadingGas(Strict):
    """The same of a heading: q3 of its walls at the mean advance, q4 of its coal."""

    content: Content
    residual: Content
    volatile_percent: Annotated[float, Field(ge=1, le=60)]
    perimeter_m: Annotated[float, Field(gt=0, le=60)]
    """Of the walls that are coal, D."""
    advance_m_per_day: Annotated[float, Field(gt=0, le=60)]


class FaceDesign(AirOfPlace):
    """A longwall face with intake and return. Gas in m³/min, and m³ a tonne of coal cut, unless `gas` forecasts
    them."""

    gas: FaceGas | None = None

    district: Id
    air_m3_per_min: AirPerMin = 1500.0
    length_m: Length = 200.0
    section_m2: Section = 12.0
    gate_m: Length = 900.0
    gate_section_m2: Section = 14.0
    rib_m3_per_min: Gas = 2.0
    goaf_m3_per_min: Gas = 1.6
    gate_m3_per_min: Gas = 0.3
    """Old ribs of intake and of return, each."""
    gas_m3_per_t: Annotated[float, Field(ge=0, le=30)] = 0.16
    coal_tau_s: Annotated[float, Field(ge=60, le=300)] = 150.0
    barometer_beta: Annotated[float, Field(ge=0, le=1)] = 0.15
    """Relative growth of the goaf's gas for each hPa/h that the barometer falls."""
    weighting_gain: Annotated[float, Field(ge=0, le=5)] = 0.8
    """Relative growth of the goaf's gas at full weighting."""
    dust_mg_per_min: NotNegative = 4.0
    """Dust that stays in the air, for each t/h."""
    heat_kw_per_t_h: Annotated[float, Field(ge=0, le=5)] = 0.07
    """Heat of machines and coal that the air takes, for each t/h."""
    temperature_c: Celsius = 23.0
    humidity: Humidity = 88.0
    co_ppm: NotNegative = 3.0


class HeadingDesign(AirOfPlace):
    """A heading with its pair of auxiliary fans (duty, standby) and its duct. `gas` stands before stated figures."""

    gas: HeadingGas | None = None
    district: Id
    fans: tuple[Id, Id]
    air_m3_per_min: AirPerMin = 450.0
    """At the face, from the duct's end."""
    duct_leak: Share = 0.15
    length_m: Length = 700.0
    section_m2: Section = 16.0
    face_m: Length = 30.0
    """The dead end before the duct that mixes as one."""
    rib_m3_per_min: Gas = 0.6
    gas_m3_per_t: Annotated[float, Field(ge=0, le=30)] = 0.5
    coal_tau_s: Annotated[float, Field(ge=60, le=300)] = 120.0
    dust_mg_per_min: NotNegative = 10.0
    heat_kw_per_t_h: Annotated[float, Field(ge=0, le=5)] = 0.15
    fan_kw: Annotated[float, Field(ge=5, le=300)] = 60.0
    fan_pa: Annotated[float, Field(ge=200, le=10_000)] = 3200.0
    volts: Annotated[float, Field(ge=380, le=1500)] = 660.0
    switch_s: Annotated[float, Field(ge=0, le=60)] = 4.0
    """From the duty fan's stop until the standby starts."""
    temperature_c: Celsius = 22.0
    humidity: Humidity = 88.0


class RoadDesign(AirOfPlace):
    """A road with a belt, or any airway of its own; `joins` the place that its air flows to."""

    air_m3_per_min: AirPerMin = 1000.0
    length_m: Length = 1000.0
    section_m2: Section = 14.0
    gas_m3_per_min: Gas = 0.15
    gas_m3_per_t: Annotated[float, Field(ge=0, le=5)] = 0.01
    """Of coal on the belt."""
    dust_mg_per_min: NotNegative = 1.5
    joins: str = "main_return"
    humidity: Humidity = 75.0
    co_ppm: NotNegative = 1.0


class ChamberDesign(AirOfPlace):
    """A chamber with air of its own."""

    air_m3_per_min: AirPerMin = 200.0
    volume_m3: Annotated[float, Field(ge=50, le=50_000)] = 1200.0
    section_m2: Section = 14.0
    gas_m3_per_min: Gas = 0.01
    heat_kw: NotNegative = 3.0
    joins: str = "main_return"
    temperature_c: Celsius = 20.0
    humidity: Humidity = 65.0
    co_ppm: NotNegative = 0.5


class DoorDesign(Strict):
    """An air door between intake and return: open, it takes `short_circuit` of the air from its branch (a face, a
    heading, a road, a chamber, or a whole district)."""

    branch: Id
    short_circuit: Share = 0.5


class VentilationDesign(Strict):
    """All of it. `main_return`: length and section of the main return, and gas that joins on the way."""

    barometer: BarometerDesign = BarometerDesign()
    main_fans: MainFansDesign = MainFansDesign()
    districts: dict[Id, DistrictDesign] = Field(default_factory=dict, max_length=8)
    faces: dict[Id, FaceDesign] = Field(default_factory=dict, max_length=8)
    headings: dict[Id, HeadingDesign] = Field(default_factory=dict, max_length=16)
    roads: dict[Id, RoadDesign] = Field(default_factory=dict, max_length=24)
    chambers: dict[Id, ChamberDesign] = Field(default_factory=dict, max_length=24)
    doors: dict[Id, DoorDesign] = Field(default_factory=dict, max_length=24)
    main_return_m: Length = 1200.0
    main_return_section_m2: Annotated[float, Field(ge=5, le=100)] | None = None
    """By default so wide that its air keeps below the 8 m/s that it may have at most."""
    main_return_gas_m3_per_min: Gas = 0.5

    @model_validator(mode="after")
    def _whole(self) -> VentilationDesign:
        for name, place in (*self.faces.items(), *self.headings.items()):
            if place.district not in self.districts:
                raise ValueError(f"{name}.district: 没有采区 '{place.district}' · there is no such district")
        branches = {*self.faces, *self.headings, *self.roads, *self.chambers, *self.districts}
        for name, door in self.doors.items():
            if door.branch not in branches:
                raise ValueError(f"doors.{name}.branch: 没有 '{door.branch}' · there is no such branch")
        apart = [
            place for part in (self.roads, self.chambers) for place in part.values() if place.joins == "main_return"
        ]
        air = sum(place.air_m3_per_min for place in (*self.faces.values(), *self.headings.values(), *apart))
        air += sum(district.air_m3_per_min for district in self.districts.values())
        have = 60.0 * self.main_fans.air_m3_per_s
        if air > have:
            raise ValueError(
                f"各地点需风 {air:.0f} m³/min 超过主扇风量 {have:.0f} · places need more air than the main fan moves"
            )
        return self
