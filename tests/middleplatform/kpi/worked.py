"""A small mine that says all that its figures need, and what its points told: for the makers of days."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np

from models.basis import Basis, Price, ReturnAir
from models.counters import Counter
from models.identity import point_id
from models.kpi.calendar import bounds
from models.quality import GOOD
from models.site.model import Area, Connection, Equipment, Kind, Name, Point, Retention, Shift, Site
from models.utilisation.signal import SILENCES, Signal

CODE = "140500000001"
DAY = date(2026, 3, 2)
S, HOUR = 1_000_000, 3_600_000_000
KINDS = {
    "energy": ("power.energy", Kind.COUNTER, "kWh"),
    "total": ("belt.mass_total", Kind.COUNTER, "t"),
    "use": ("station.energy", Kind.COUNTER, "kWh"),
    "generation": ("station.generation", Kind.STATE, ""),
    "ch4": ("ch4", Kind.ANALOG, "%CH4"),
    "state": ("sensor.state", Kind.STATE, ""),
    "air": ("air.volume", Kind.ANALOG, "m3/s"),
    "running": ("run.state", Kind.STATE, ""),
    "hours": ("run.time_total", Kind.COUNTER, "h"),
    "webs": ("shearer.web_total", Kind.COUNTER, ""),
    "advance": ("heading.advance_total", Kind.COUNTER, "m"),
    "slip": ("protection.slip", Kind.STATE, ""),
    "cord": ("protection.pull_cord", Kind.STATE, ""),
}
POINTS = (
    "meter_in/energy", "meter_belt/energy", "meter_fans/energy", "scale_1/total", "belt_1/total", "base_1/use",
    "base_1/generation", "base_2/use", "base_2/generation", "ch4_1/ch4", "ch4_1/state", "fan_1/air", "fan_2/air",
    "belt_1/running", "belt_1/hours", "belt_1/slip", "belt_1/cord", "shearer_1/running", "shearer_1/webs",
    "header_1/running", "header_1/advance", "belt_2/running", "belt_2/slip",
)  # fmt: skip
EQUIPMENT = {
    "meter_in": ("electricity_meter", "surface"), "meter_belt": ("electricity_meter", "surface"),
    "meter_fans": ("electricity_meter", "surface"), "scale_1": ("belt_scale", "surface"),
    "belt_1": ("belt_conveyor", "incline"), "belt_2": ("belt_conveyor", "heading"),
    "base_1": ("base_station", "incline"), "base_2": ("base_station", "incline"),
    "ch4_1": ("methane_sensor", "return"), "fan_1": ("main_fan", "surface"), "fan_2": ("main_fan", "surface"),
    "shearer_1": ("shearer", "face"), "header_1": ("roadheader", "heading"),
}  # fmt: skip
BASIS = Basis(
    tariff="shanxi",
    grid="north_china",
    prices=(Price(0.5, date(2026, 1, 1), "contract"),),
    rated={("belt_1", "belt.flow"): 1000.0},
    meters={f"{CODE}/meter_belt/energy": ("belt_1",), f"{CODE}/meter_fans/energy": ("fan_1", "fan_2")},
    incoming=(f"{CODE}/meter_in/energy",),
    output=(f"{CODE}/scale_1/total",),
    lengths_km={"belt_1": 2.0, "belt_2": 0.5},
    return_air={"main": ReturnAir(f"{CODE}/ch4_1/ch4", (f"{CODE}/fan_1/air", f"{CODE}/fan_2/air"), 20)},
)


def path_of(name: str) -> str:
    return f"{CODE}/{name}"


def _point(name: str) -> Point:
    equipment, key = name.split("/")
    role, kind, unit = KINDS[key]
    path = path_of(name)
    return Point(
        path, point_id(path), equipment, key, Name(key, key), role, kind, unit, Retention.BULK, "plc", "fast", "hr:1",
        "int16", "abcd", 1.0, 0.0, 0.0, math.nan, 0.0, 30.0,
    )  # fmt: skip


def site(basis: Basis = BASIS, zone: str = "Asia/Shanghai", shifts: tuple[Shift, ...] = ()) -> Site:
    return Site(
        CODE, Name("试验矿", "test mine"), 900, "high", zone, "v1",
        {area: Area(area, Name(area, area), None) for area in ("surface", "incline", "return", "face", "heading")},
        {
            name: Equipment(name, template, Name(name, name), area, "")
            for name, (template, area) in EQUIPMENT.items()
        },
        {"plc": Connection("plc", "edge1", "modbus", {}, {})},
        tuple(sorted(map(_point, POINTS), key=lambda point: point.path)), shifts, basis=basis,
    )  # fmt: skip


Told = dict[str, list[tuple[int, float]] | list[tuple[int, float, int]]]


class Heard:
    """Stands where the store's reader does: `told` by point, (µs UTC, value[, quality])."""

    def __init__(self, told: Told) -> None:
        self._told = {point_id(path_of(name)): rows for name, rows in told.items()}

    def signals(self, points: Sequence[Point], start: int, end: int) -> dict[int, Signal]:
        return {point.id: Signal.of(*self._columns(point, start, end), point.silence_s) for point in points}

    def counters(self, points: Sequence[Point], start: int, end: int) -> dict[int, Counter]:
        hold = {point.id: round(SILENCES * point.silence_s * 1e6) for point in points}
        return {point.id: Counter.of(*self._columns(point, start, end), hold[point.id]) for point in points}

    def _columns(self, point: Point, start: int, end: int) -> Any:
        rows = [(*row, GOOD)[:3] for row in self._told.get(point.id, []) if start <= row[0] < end]
        ts, value, quality = zip(*rows, strict=True) if rows else ((), (), ())
        return np.array(ts, np.int64), np.array(value, np.float64), np.array(quality, np.uint8)


def every(
    start: int, end: int, value: Callable[[float], float], step: int = 60 * S, without: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, float]]:
    """`value` of the hours since `start`, told every `step`, but not within `without`."""
    return [
        (at, float(value((at - start) / HOUR)))
        for at in range(start, end, step)
        if not any(a <= at < b for a, b in without)
    ]


def day_of_work(zone: str = "Asia/Shanghai") -> tuple[int, int]:
    return bounds(site(zone=zone), DAY)
