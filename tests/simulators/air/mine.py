"""A small mine's air for tests: one face, two headings, a belt road, two chambers."""

from __future__ import annotations

import numpy as np

from simulators.design.air import VentilationDesign
from simulators.engine.engine import Engine
from simulators.physics.air.ventilation import Ventilation

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


def ventilation(seed: int = 1, **changes: object) -> Ventilation:
    return Ventilation(VentilationDesign.model_validate(DESIGN | changes), np.random.default_rng(seed))


def alone(part: Ventilation, dt: float = 1.0) -> Engine:
    return Engine([part], lambda dt: None, start_us=0, dt=dt)


def win(part: Ventilation, **t_per_h: float) -> None:
    """Coal rates by working."""
    for name, rate in t_per_h.items():
        part.coal_t_per_h[part.workings.index(name)] = rate
