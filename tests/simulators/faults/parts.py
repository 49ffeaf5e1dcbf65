"""A small mine for faults: a site's points, a part that can be disturbed, a device that can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import simulators
from models.site import load
from models.site.model import Site
from simulators.engine.engine import Engine
from simulators.engine.part import Part, Refused, Row

DEMO = Path(simulators.__file__).parent / "mines" / "demo"
START = 1_700_000_000_000_000


@cache
def demo() -> Site:
    return load(DEMO, environment={"SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x"})


class Tank(Part):
    """A belt and the air of a face, which only show what disturbs them."""

    channels: Sequence[str] = ("belt_101.slip", "belt_101!state", "air_face_1.gas", "ch4_t0.state")

    def __init__(self) -> None:
        self.there: dict[tuple[str, str], float] = {}

    def step(self, dt: float, row: Row) -> None:
        row[0] = self.there.get(("belt_101", "slip"), 0.0)
        row[1] = float(not row[0])
        row[2] = self.there.get(("air_face_1", "gas_rise"), 0.0)
        row[3] = 128.0 * bool(self.there.get(("ch4_t0", "broken_wire"), 0.0))

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        if kind == "slip" and amount > 0.9:
            raise Refused("胶带已断 · the belt is torn in two")
        self.there[equipment, kind] = amount

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {"belt_101": ("slip", "tear"), "air_face_1": ("gas_rise",), "ch4_t0": ("broken_wire",)}


def engine() -> tuple[Engine, Tank]:
    tank = Tank()
    return Engine([tank], lambda dt: None, start_us=START), tank


class Box:
    """A device that can hang."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    def faults(self) -> Mapping[str, str]:
        return {"hang": "answers nothing", "delay": "late by so many seconds"}

    def fault(self, kind: str, amount: float) -> None:
        if amount > 50:
            raise ValueError("延时过长 · too long")
        self.told.append((kind, amount))
