"""figures.yaml: what the mine's figures are reckoned by."""

from __future__ import annotations

import math
from typing import Any

from tools.mines import simulation
from tools.mines.description import Mine
from tools.mines.power import consumers

SOURCE = "虚构的矿井 a fictional mine"
HEAD = (
    "Nameplates of its machines, which counter measures what, its tariff, and by which points it tells its output and",
    "return air.",
)
SPEED = 3.5
"""Of a belt of whose speed nothing is said, m/s."""


def figures(mine: Mine) -> dict[str, Any]:
    """The whole file."""
    sections = simulation.sections(mine)
    shearer = sections["longwalls"][0]["shearer"]
    belts: dict[str, dict[str, Any]] = sections["belts"]["belts"]
    cutting = {"cutting.current": _amperes(shearer.get("cut_motor_kw", 500), 3300, 0.87, 0.94)}
    heading = {"cutting.current": _amperes(200, 1140, 0.86, 0.93)}
    return {
        "tariff": "shanxi",
        "grid": "north_china",
        "prices": [{"flat": 0.5, "effective_from": "2026-01-01", "source": SOURCE}],
        "rated": {
            "shearer_1": cutting,
            **dict.fromkeys(("roadheader_1", "roadheader_2"), heading),
            **{
                name: {"belt.speed": belt.get("speed_m_per_s", SPEED), "belt.flow": belt["capacity_t_per_h"]}
                for name, belt in belts.items()
            },
        },
        "meters": {f"meter_{name}/energy": [name] for name in consumers()},
        "incoming": ["meter_incoming/energy"],
        "output": ["scale_101/total"],
        "lengths_km": {name: round(belt["length_m"] / 1000, 3) for name, belt in belts.items()},
        "return_air": {
            "main": {
                "ch4": "ch4_main_return/ch4",
                "air": ["main_fan_1/air_volume", "main_fan_2/air_volume"],
                "degc": 20,
            }
        },
        "maintenance": _maintenance(sections),
        "source": SOURCE,
    }


def _maintenance(sections: dict[str, Any]) -> dict[str, list[int]]:
    """By machine, the shift in which its crew maintains it, from 1 on: the index of the simulation and one more."""
    crew, coal = sections["crew"], sections["flows"]["coal"]
    shift = {
        name: place.get("maintenance_shift", crew["maintenance_shift"]) + 1 for name, place in crew["places"].items()
    }
    found = dict.fromkeys(("shearer_1", "afc_1"), shift["face_1"])
    for name, heading in sections["headings"].items():
        found |= dict.fromkeys((heading["roadheader"], heading["rig"]), shift[name])
    for belt in sections["belts"]["belts"]:
        feeds = [name for name, first in coal.items() if first == belt and name in sections["headings"]]
        found[belt] = shift[feeds[0] if feeds else "belts"]
    return {name: [number] for name, number in sorted(found.items())}


def _amperes(kw: float, volts: float, power_factor: float, efficiency: float) -> float:
    return round(kw * 1000 / (math.sqrt(3) * volts * power_factor * efficiency), 1)
