"""A small mine's air, sensors and lock for tests: one face, two headings, a belt road, two chambers."""

from __future__ import annotations

import numpy as np

from simulators.design.air import VentilationDesign
from simulators.design.sensing import GasLockDesign, SensorsDesign
from simulators.engine.engine import Engine
from simulators.physics.air.ventilation import Ventilation
from simulators.physics.sensing.gas_lock import GasLock
from simulators.physics.sensing.sensors import Sensors

DESIGN = {
    "districts": {"district_1": {}},
    "faces": {"face_1": {"district": "district_1"}},
    "headings": {
        "heading_1": {"district": "district_1", "fans": ["aux_fan_1a", "aux_fan_1b"]},
        "heading_2": {"district": "district_1", "fans": ["aux_fan_2a", "aux_fan_2b"]},
    },
    "roads": {"belt_road_101": {}},
    "chambers": {"pump_room": {}, "substation": {"temperature_c": 26}},
    "doors": {"door_1": {"branch": "district_1"}},
}

SENSORS: dict[str, dict[str, object]] = {
    "ch4_face_t0": {"template": "methane_sensor", "place": "face_1.corner", "rule": "T0", "ranges": ["face_1"]},
    "ch4_face_t1": {"template": "methane_sensor", "place": "face_1.face", "rule": "T1", "ranges": ["face_1"]},
    "ch4_face_t2": {"template": "methane_sensor", "place": "face_1.return_start", "rule": "T2", "ranges": ["face_1"]},
    "ch4_face_t3": {"template": "methane_sensor", "place": "face_1.intake", "rule": "T3", "ranges": ["face_1"]},
    "ch4_heading1_t1": {
        "template": "methane_sensor", "place": "heading_1.face", "rule": "H-T1", "ranges": ["heading_1"]
    },
    "ch4_heading1_t2": {
        "template": "methane_sensor", "place": "heading_1.return", "rule": "H-T2", "ranges": ["heading_1"]
    },
    "ch4_main_return": {"template": "methane_sensor", "place": "main_return", "rule": "main_return"},
    "co_belt_101": {"template": "co_sensor", "place": "belt_road_101", "alarm": 24},
    "co2_face": {"template": "co2_sensor", "place": "face_1.return", "alarm": 1.5},
    "o2_face": {"template": "o2_sensor", "place": "face_1.intake", "low_alarm": 20},
    "dust_face": {"template": "dust_sensor", "place": "face_1.return_start", "alarm": 4},
    "smoke_belt_101": {"template": "smoke_sensor", "place": "belt_road_101", "alarm": 1},
    "wind_return": {"template": "wind_speed_sensor", "place": "main_return", "alarm": 8, "low_alarm": 0.25},
    "pressure_fan": {"template": "wind_pressure_sensor", "place": "main_return"},
    "temp_pump_room": {"template": "temperature_sensor", "place": "pump_room", "alarm": 34},
    "humidity_pump_room": {"template": "humidity_sensor", "place": "pump_room"},
    "fan_state_1a": {"template": "equipment_state_sensor", "source": {"running": "aux_fan_1a.running"}},
    "fan_state_1b": {"template": "equipment_state_sensor", "source": {"running": "aux_fan_1b.running"}},
    "duct_heading1": {"template": "air_duct_sensor", "source": {"duct": "heading_1.duct"}},
    "feed_face": {"template": "feed_sensor", "source": {"feed": "lock_face_1.live"}},
    "feed_heading1": {"template": "feed_sensor", "source": {"feed": "lock_heading_1.live"}},
    "air_door_1": {"template": "air_door", "source": {"door": "door_1.door"}},
    "level_sump": {"template": "water_level_sensor", "source": {"level": "pump_room_1.level"}},
    "roof_1": {"template": "roof_separation", "alarm": 100},
    "stress_1": {"template": "borehole_stress"},
    "pressure_031": {"template": "support_pressure"},
}  # fmt: skip
LOCK = {
    "ranges": {
        "face_1": {"equipment": ["shearer_1", "afc_1"], "feed": "feed_face", "reset_s": 600},
        "heading_1": {
            "equipment": ["roadheader_1"],
            "feed": "feed_heading1",
            "reset_s": None,
            "wind": {"heading": "heading_1", "duct": "duct_heading1", "fans": ["fan_state_1a", "fan_state_1b"]},
        },
    }
}


def ventilation(seed: int = 1, **changes: object) -> Ventilation:
    return Ventilation(VentilationDesign.model_validate(DESIGN | changes), np.random.default_rng(seed))


def alone(part: Ventilation, dt: float = 1.0) -> Engine:
    return Engine([part], lambda dt: None, start_us=0, dt=dt)


def win(part: Ventilation, **t_per_h: float) -> None:
    """Coal rates by working."""
    for name, rate in t_per_h.items():
        part.coal_t_per_h[part.workings.index(name)] = rate


def guarded(seed: int = 1, dt: float = 1.0) -> tuple[Engine, Ventilation, Sensors, GasLock]:
    """Air, sensors and lock together."""
    air = ventilation(seed)
    sensors = Sensors(SensorsDesign.model_validate({"sensors": SENSORS}), air, np.random.default_rng(seed + 100))
    lock = GasLock(GasLockDesign.model_validate(LOCK), sensors)
    return Engine([air, sensors, lock], lambda dt: None, start_us=0, dt=dt), air, sensors, lock
