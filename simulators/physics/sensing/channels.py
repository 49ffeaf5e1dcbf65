"""Where each measured point of each sensor gets its value, and what its instrument does to it, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.design.sensing import PointKind, SensorDesign, SensorsDesign, kinds
from simulators.physics.air.ventilation import Ventilation

IN_AIR, AT_CONTACT, GIVEN, OWN = range(4)
NEVER = 1e4
"""A level that is not set."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One point: its `way` of getting a value, and by what `name` or flat index."""

    sensor: int
    key: str
    kind: PointKind
    way: int
    name: str = ""
    index: int = -1
    gain: float = 1.0
    offset: float = 0.0


def _measured(number: int, key: str, kind: PointKind, design: SensorDesign, air: Ventilation) -> Measured:
    """How this point is measured. Raises ValueError for a place that there is not."""
    name = design.source.get(key)
    if name is not None:
        if name in air.contact_names:
            return Measured(number, key, kind, AT_CONTACT, name, air.contact_names.index(name))
        return Measured(number, key, kind, GIVEN, name)
    if kind.quantity is None or design.place is None:
        return Measured(number, key, kind, OWN)
    if design.place not in air.places:
        there = ", ".join(air.places)
        raise ValueError(f"没有地点 '{design.place}' · there is no place '{design.place}'; there are {there}")
    index, gain, offset = air.reading(design.place, kind.quantity)
    if kind.threshold is not None:
        gain, offset = gain / (2.0 * kind.threshold), offset / (2.0 * kind.threshold)
    return Measured(number, key, kind, IN_AIR, index=index, gain=gain, offset=offset)


class Channels:
    """All points, sorted by their way. Arrays are [points]."""

    def __init__(self, design: SensorsDesign, air: Ventilation) -> None:
        self.sensors = tuple(design.sensors)
        found = [
            _measured(number, key, kind, sensor, air)
            for number, sensor in enumerate(design.sensors.values())
            for key, kind in kinds()[sensor.template].points.items()
        ]
        self.points = sorted(found, key=lambda point: point.way)
        self.names = [f"{self.sensors[point.sensor]}.{point.key}" for point in self.points]
        self.sensor = np.array([point.sensor for point in self.points], np.intp)
        ways = np.array([point.way for point in self.points], np.intp)
        self.ends = [int(np.sum(ways <= way)) for way in range(4)]
        self.in_air = np.array([p.index for p in self.points if p.way == IN_AIR], np.intp)
        self.at_contact = np.array([p.index for p in self.points if p.way == AT_CONTACT], np.intp)
        self.given = tuple(dict.fromkeys(p.name for p in self.points if p.way == GIVEN))
        self.from_given = np.array([self.given.index(p.name) for p in self.points if p.way == GIVEN], np.intp)
        self.gain = np.array([point.gain for point in self.points])
        self.offset = np.array([point.offset for point in self.points])
        kind = [point.kind for point in self.points]
        designs = list(design.sensors.values())
        high = [designs[point.sensor].high for point in self.points]
        self.t90 = np.array([k.t90_s for k in kind])
        self.noise = np.array([k.noise for k in kind])
        self.resolution = np.array([k.resolution or 1.0 for k in kind])
        self.low = np.array([k.low for k in kind])
        self.high = np.array([k.high if top is None else top for k, top in zip(kind, high, strict=True)])
        self.drift = np.array([k.drift_week for k in kind])
        self.analogue = np.array([k.resolution is not None for k in kind], bool)
        self.start = np.array([p.kind.own.start if p.kind.own else 0.0 for p in self.points if p.way == OWN])
        self.day = np.array([p.kind.own.day if p.kind.own else 0.0 for p in self.points if p.way == OWN])
        self.wander = np.array([p.kind.own.wander if p.kind.own else 0.0 for p in self.points if p.way == OWN])
        self.first = {name: self.names.index(f"{name}.{next(iter(kinds()[s.template].points))}")
                      for name, s in design.sensors.items()}  # fmt: skip
        """Sensor → its first point, which its levels and faults are of."""
        firsts = [self.first[name] for name in self.sensors]
        self.alarm, self.low_alarm = np.full(len(found), NEVER), np.full(len(found), -NEVER)
        self.alarm[firsts] = [sensor.levels.alarm for sensor in designs]
        self.low_alarm[firsts] = [-NEVER if s.low_alarm is None else s.low_alarm for s in designs]
