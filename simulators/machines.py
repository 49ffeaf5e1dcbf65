"""The models under the names of the templates: a machine steps, and shows its values by point key."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from models.site.model import Equipment, Kind, Point
from simulators.physics.belt import Belt, BeltDesign
from simulators.physics.din22101 import Conveyor
from simulators.physics.gas import FaceAir, Gas, Sensor
from simulators.physics.parts import Wander
from simulators.physics.protections import NAMES
from simulators.physics.pump_room import Pump, PumpRoom, PumpRoomDesign, PumpState
from simulators.physics.sensor_state import StatedSensor
from simulators.physics.shearer import Shearer, ShearerDesign

_PUMP_STATES = {
    PumpState.STOPPED: 0,
    PumpState.PRIMING: 1,
    PumpState.STARTING: 1,
    PumpState.OPENING: 1,
    PumpState.RUNNING: 2,
    PumpState.CLOSING: 3,
    PumpState.FAULT: 4,
}


class Machine(ABC):
    """One equipment. Values are in the units of its template."""

    @abstractmethod
    def step(self, dt: float) -> None:
        """Go on by dt seconds."""

    @abstractmethod
    def values(self) -> Mapping[str, float]:
        """Every number that it has to show, by point key."""

    def texts(self) -> Mapping[str, str]:
        """Every text that it has to show, by point key."""
        return {}


class BeltMachine(Machine):
    """Template belt_conveyor."""

    def __init__(self, rng: np.random.Generator, design: BeltDesign) -> None:
        self.belt = Belt(design, rng)

    def step(self, dt: float) -> None:
        self.belt.step(dt)

    def values(self) -> Mapping[str, float]:
        belt = self.belt
        protections = belt.protections
        shown = {
            "speed": round(belt.belt_speed, 3),
            "flow": round(belt.flow, 1),
            "coal_total": belt.total_t,
            "power": max(belt.power, 0.0),
            "energy": belt.energy_kwh,
            "current_1": belt.current,
            "current_2": belt.current * 0.985,
            "motor_temp_1": belt.winding_c[0],
            "motor_temp_2": belt.winding_c[1],
            "drum_temp": belt.drum_c,
            "tension": max(belt.tension, 0.0),
            "running": float(belt.speed > 0.0),
            "mode": float(belt.mode),
            "fault_code": NAMES.index(protections.tripped_by) + 1.0 if protections.trip else 0.0,
        }
        keys = {"temperature": "over_temperature", "tension": "tension_fault"}
        return shown | {keys.get(name, name): float(on) for name, on in protections.active.items()}


class ShearerMachine(Machine):
    """Template shearer."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.shearer = Shearer(ShearerDesign(), rng)
        self.why = ""

    def step(self, dt: float) -> None:
        self.shearer.step(dt)

    def values(self) -> Mapping[str, float]:
        s = self.shearer
        windings = s.winding_c
        return {
            "position": round(s.position, 2),
            "speed": round(abs(s.speed), 2),
            "direction": 0.0 if s.speed == 0 else (1.0 if s.speed > 0 else 2.0),
            "left_height": round(s.left_height, 3),
            "right_height": round(s.right_height, 3),
            "left_cut_current": round(s.cut_current[0], 1),
            "right_cut_current": round(s.cut_current[1], 1),
            "left_cut_temp": round(windings[0], 1),
            "right_cut_temp": round(windings[1], 1),
            "left_haul_current": round(s.haulage_current[0], 1),
            "right_haul_current": round(s.haulage_current[1], 1),
            "pump_current": round(s.pump_current, 1),
            "spray_pressure": round(max(s.spray_mpa, 0.0), 2),
            "pitch": round(s.tilt, 1),
            "roll": round(2.0 + 0.4 * s.tilt, 1),
            "support_number": float(s.support),
            "running": float(s.motors_on),
            "mode": float(s.mode),
            "step": float(s.step_number),
            "cut_total": float(s.webs),
        }

    def texts(self) -> Mapping[str, str]:
        return {"fault_text": self.why}


class PumpRoomMachine(Machine):
    """Template pump_room."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.room = PumpRoom(PumpRoomDesign(), rng)
        self._seen = Sensor(rng, 2.0, 0.001, 2, high=10.0)
        self._level = self.room.level

    def step(self, dt: float) -> None:
        self.room.step(dt)
        self._level = self._seen.step(self.room.level, dt)

    def values(self) -> Mapping[str, float]:
        room = self.room
        shown = {
            "level": self._level,
            "inflow": 60.0 * round(room.inflow / 60.0, 3),
            "main_pressure": round(room.main_pressure, 3),
            "main_flow": round(room.flow, 1),
            "water_total": round(room.pumped_m3, 2),
            "energy": round(sum(pump.energy_kwh for pump in room.pumps), 2),
            "mode": float(room.mode),
        }
        for number, pump in enumerate(room.pumps, 1):
            shown |= {f"pump{number}_{key}": value for key, value in _pump(pump).items()}
        return shown


def _pump(pump: Pump) -> dict[str, float]:
    valve = 0.0 if pump.valve <= 0 else 2.0
    if 0 < pump.valve < 100:
        valve = 3.0 if pump.state is PumpState.CLOSING else 1.0
    return {
        "state": float(_PUMP_STATES[pump.state]),
        "current": round(pump.current, 1),
        "flow": round(pump.flow, 1),
        "vacuum": round(pump.vacuum, 4),
        "pressure": round(pump.pressure, 3),
        "bearing_temp": round(pump.bearing_c, 1),
        "winding_temp": round(pump.winding.celsius, 1),
        "valve": valve,
    }


class GasSensorMachine(Machine):
    """A sensor in the air of the face or of a place that its air reaches; `where` as `place_of` says."""

    def __init__(self, rng: np.random.Generator, quantity: str, air: Gas, where: str) -> None:
        self._key, self._air, self._where = quantity, air, where
        self.sensor = {
            "ch4": StatedSensor(Sensor(rng, 20.0, 0.004, 2, high=10.0), rng, alarm=1.0, cut_off=1.5, gas=1.5),
            "co": StatedSensor(Sensor(rng, 35.0, 0.25, 0, high=1000.0), rng, alarm=24.0),
            "temperature": StatedSensor(Sensor(rng, 60.0, 0.03, 1, low=-20.0, high=100.0), rng, alarm=30.0),
        }[quantity]

    def step(self, dt: float) -> None:
        air = self._air
        true = {
            "ch4": {"corner": air.corner, "back": air.returned, "district": 0.6 * air.returned}.get(
                self._where, air.face
            ),
            "co": air.co_ppm,
            "temperature": air.chamber_c if self._where == "chamber" else air.air_c,
        }
        self.sensor.step(true[self._key], dt)

    def values(self) -> Mapping[str, float]:
        return {self._key: self.sensor.shown, "state": float(self.sensor.state)}


class AnyMachine(Machine):
    """For a template that has no model: analogs wander inside their range, counters count."""

    def __init__(self, rng: np.random.Generator, points: Sequence[Point]) -> None:
        self._points = tuple(points)
        self._wander = {p.key: Wander(0.12, 60.0, rng) for p in points if p.kind is Kind.ANALOG}
        self._count = 0.0

    def step(self, dt: float) -> None:
        self._count += dt
        for wander in self._wander.values():
            wander.step(dt)

    def values(self) -> Mapping[str, float]:
        shown = {}
        for point in self._points:
            if point.kind is Kind.ANALOG:
                low = 0.0 if math.isnan(point.low) else point.low
                high = low + 100.0 if math.isnan(point.high) else point.high
                part = min(max(0.5 + self._wander[point.key].value, 0.0), 1.0)
                shown[point.key] = low + (high - low) * part
            elif point.kind is Kind.COUNTER:
                shown[point.key] = float(int(self._count))
            elif point.kind is Kind.STATE:
                shown[point.key] = float(min(point.states, default=0))
        return shown

    def texts(self) -> Mapping[str, str]:
        return {point.key: "" for point in self._points if point.kind is Kind.TEXT}


SENSORS = {"methane_sensor": "ch4", "co_sensor": "co", "temperature_sensor": "temperature"}


PLACES = {
    "corner": {"t0", "corner"},
    "back": {"t2", "return"},
    "district": {"district", "main"},
    "chamber": {"pump", "chamber", "room"},
}


def place_of(equipment: str) -> str:
    """Where a sensor of that id hangs, by the words of its id; at the face when none says."""
    words = set(re.split("[-_]", equipment))
    return next((place for place, names in PLACES.items() if words & names), "face")


GATE_BELT = BeltDesign(Conveyor(length=1500.0, lift=0.0, moving_mass=56.0), speed=3.15, scale_at=1480.0)
INCLINE_BELT = BeltDesign(Conveyor(length=1000.0, lift=30.0, moving_mass=61.8), speed=3.5)


def build(equipment: Equipment, points: Sequence[Point], rng: np.random.Generator, air: Gas) -> Machine:
    """The machine for an equipment of its template."""
    template = equipment.template
    if template == "belt_conveyor":
        return BeltMachine(rng, INCLINE_BELT if "incline" in equipment.area else GATE_BELT)
    if template == "shearer":
        return ShearerMachine(rng)
    if template == "pump_room":
        return PumpRoomMachine(rng)
    if template in SENSORS:
        return GasSensorMachine(rng, SENSORS[template], air, place_of(equipment.id))
    return AnyMachine(rng, points)


def new_air(rng: np.random.Generator) -> Gas:
    """The air of the mine's face."""
    return Gas(FaceAir(), rng)
