"""The safety sensors of a mine and its own cut-off: the sections `sensors` and `gas_lock`.

    sensors:
      sensors:
        ch4_face_t0: {template: methane_sensor, place: face_1.corner, rule: T0, ranges: [face_1]}
        ch4_main_return: {template: methane_sensor, place: main_return, rule: main_return}
        co_belt_101: {template: co_sensor, place: belt_road_101, alarm: 24}
        temp_pump_room: {template: temperature_sensor, place: pump_room, alarm: 34}
        smoke_belt_101: {template: smoke_sensor, place: belt_road_101}
        wind_return: {template: wind_speed_sensor, place: main_return, alarm: 8}
        fan_state_1a: {template: equipment_state_sensor, source: {running: aux_fan_1a.running}}
        duct_heading1: {template: air_duct_sensor, source: {duct: heading_1.duct}}
        feed_heading1: {template: feed_sensor, source: {feed: lock_heading_1.live}}
        door_1: {template: air_door, source: {door: pump_room_1.door}}
        roof_1: {template: roof_separation}
    gas_lock:
      ranges:
        face_1: {equipment: [shearer_1, afc_1, loader_1, crusher_1]}
        heading_1:
          equipment: [roadheader_1, bolter_1, belt_105]
          feed: feed_heading1
          wind: {heading: heading_1, duct: duct_heading1, fans: [fan_state_1a, fan_state_1b]}

Which kinds of sensors there are, how they respond, and what gas they are calibrated with: `sensor_kinds.yaml`;
`rule` is a row of `cut_off.yaml`. A `source` is a contact of the ventilation (`<fan>.running`, `<heading>.duct`,
`<door>.door`), `lock_<range>.live`, or any name that the plant gives (`Sensors.sources`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from simulators.design.strict import Id, Positive, Strict, rising

Level = Annotated[float, Field(ge=-10_000, le=10_000)]


class Own(Strict):
    """A gauge that nobody gives a value: it starts somewhere, grows by `day` and wanders."""

    start: float
    day: float = 0.0
    wander: Annotated[float, Field(ge=0)] = 0.0


class PointKind(Strict):
    """One measured point of a kind of sensor; a contact (0 or 1) when it has no `resolution`."""

    quantity: str | None = None
    threshold: Positive | None = None
    """For a contact that closes on a quantity."""
    t90_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    noise: Annotated[float, Field(ge=0)] = 0.0
    resolution: Positive | None = None
    low: Level = 0.0
    high: Level = 1.0
    drift_week: Annotated[float, Field(ge=0)] = 0.0
    own: Own | None = None


class CalibrationKind(Strict):
    """Every `days`, `gas` for `seconds`."""

    days: Annotated[float, Field(ge=1, le=400)]
    gas: tuple[float, float]
    seconds: tuple[float, float]


class SensorKind(Strict):
    """A template of the library as an instrument."""

    points: dict[str, PointKind]
    calibration: CalibrationKind | None = None


class Rule(Strict):
    """Settings of the sensor itself."""

    alarm: Level
    cut: Level | None = None
    restore: Level | None = None


def _read(name: str) -> dict[str, object]:
    return dict(yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8")))


@cache
def kinds() -> dict[str, SensorKind]:
    """By template."""
    return {name: SensorKind.model_validate(kind) for name, kind in _read("sensor_kinds.yaml").items()}


@cache
def rules() -> dict[str, Rule]:
    """By where the sensor hangs."""
    return {name: Rule.model_validate(rule) for name, rule in _read("cut_off.yaml").items()}


class SensorDesign(Strict):
    """One sensor: in the air of a `place`, or from a `source` by point. Levels given here stand before the rule's."""

    template: str
    place: str | None = None
    source: dict[Id, str] = Field(default_factory=dict)
    rule: str | None = None
    alarm: Level | None = None
    low_alarm: Level | None = None
    cut: Level | None = None
    restore: Level | None = None
    ranges: tuple[Id, ...] = ()
    """Of the gas lock: what it cuts."""
    high: Level | None = None
    """Its range, where it differs from its kind's (4 for a catalytic methane sensor)."""
    calibrated: bool = True

    @model_validator(mode="after")
    def _known(self) -> SensorDesign:
        kind = kinds().get(self.template)
        if kind is None:
            raise ValueError(f"template: 没有传感器 '{self.template}' · no such kind; there are {', '.join(kinds())}")
        if self.rule is not None and self.rule not in rules():
            raise ValueError(f"rule: 没有 '{self.rule}' · no such rule; there are {', '.join(rules())}")
        if unknown := set(self.source) - set(kind.points):
            raise ValueError(f"source: {self.template} 没有测点 {sorted(unknown)} · has no such point")
        for name, point in kind.points.items():
            if name not in self.source and point.own is None and not (point.quantity and self.place):
                raise ValueError(f"{name}: 需要 place 或 source · needs a place or a source")
        if self.ranges and self.levels.cut is None:
            raise ValueError("ranges: 没有断电值 cut · a sensor that cuts needs a cut-off value")
        if self.levels.cut is not None and self.levels.restore is not None:
            rising(self.levels.restore, self.levels.cut, "restore, cut")
        return self

    @property
    def levels(self) -> Rule:
        """Alarm, cut-off and restore as set; an alarm of 10,000 is none."""
        rule = rules()[self.rule] if self.rule else Rule(alarm=10_000)
        cut = rule.cut if self.cut is None else self.cut
        restore = rule.restore if self.restore is None else self.restore
        alarm = rule.alarm if self.alarm is None else self.alarm
        return Rule(alarm=alarm, cut=cut, restore=cut if restore is None else restore)


class SensorsDesign(Strict):
    """All safety sensors."""

    sensors: dict[Id, SensorDesign] = Field(default_factory=dict, max_length=2000)
    fault_cuts: bool = True
    """A broken sensor that cuts makes its range be cut (故障闭锁)."""


class WindDesign(Strict):
    """The wind-electric lock (风电闭锁) of a heading: by its duct's sensor and those of its fans."""

    heading: Id
    duct: Id
    fans: tuple[Id, ...] = Field(min_length=1)


class RangeDesign(Strict):
    """A range that is cut as one. `reset_s`: how soon after all is well again somebody closes the breakers; nothing:
    only a command does."""

    equipment: tuple[Id, ...] = ()
    feed: Id | None = None
    wind: WindDesign | None = None
    reset_s: Annotated[float, Field(ge=0, le=86_400)] | None = 900.0


class GasLockDesign(Strict):
    """Local cut-off within 2 s (domain facts 1.3)."""

    ranges: dict[Id, RangeDesign] = Field(default_factory=dict, max_length=40)
    response_s: Annotated[float, Field(ge=0, le=2)] = 1.0
    feed_check_s: Annotated[float, Field(ge=0, le=60)] = 3.0
    """Cut so long and still live: feed abnormal."""
