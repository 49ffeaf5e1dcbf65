"""network.yaml: the one core network, as a ring of switches, what hangs on them, and the gateways."""

from __future__ import annotations

from typing import Any

from tools.mines import connections, plant
from tools.mines.description import Mine

RING = ("switch_1", "switch_2", "switch_3", "switch_4")
BASES = {"base_1": "switch_2", "base_2": "switch_2", "base_3": "switch_3", "base_4": "switch_4", "base_5": "switch_4",
         "base_6": "switch_3"}  # fmt: skip
READERS = {"auxiliary_incline": "switch_1", "return_shaft": "switch_1", "shaft_bottom": "switch_2",
           "pump_chamber": "switch_2", "central_substation": "switch_2", "main_belt_road": "switch_2",
           "gate_belt_1": "switch_4", "face_1": "switch_4", "gate_return_1": "switch_4"}  # fmt: skip
"""Area of a card station → its switch; the others hang on the district's."""
GATEWAYS = {"edge1": "switch_1", "edge2": "switch_2", "edge3": "switch_4"}


def links() -> list[dict[str, str]]:
    """Fibres: the ring, closed by a second way up, and one to each base station."""
    ring = [
        {"id": f"ring_{n}", "from": one, "to": other, "medium": "fibre", "ring": "core"}
        for n, (one, other) in enumerate(zip(RING, (*RING[1:], RING[0]), strict=True), 1)
    ]
    spurs = [{"id": f"spur_{base}", "from": switch, "to": base, "medium": "fibre"} for base, switch in BASES.items()]
    return ring + spurs


def network(mine: Mine) -> dict[str, Any]:
    """What network.yaml says."""
    used = connections.gateways(mine)
    return {
        "rings": {"core": {"name": {"zh": "万兆工业环网", "en": "10 Gbit/s industrial ring"}, "switches": list(RING),
                           "mbit_per_s": 10000, "heals_in": "50 ms"}},
        "links": {
            link["id"]: {"between": [link["from"], link["to"]], "medium": link["medium"],
                         **({"ring": link["ring"]} if "ring" in link else {"mbit_per_s": 1000})}
            for link in links()
        },
        "gateways": {
            gateway: {"switch": switch, "connections": sorted(name for name, edge in used.items() if edge == gateway)}
            for gateway, switch in GATEWAYS.items()
        },
        "base_stations": {base: {"switch": switch, "generation": "5G"} for base, switch in BASES.items()},
        "readers": {
            item.id: {"switch": READERS.get(item.area, "switch_3")}
            for item in plant.items(mine)
            if item.template == "personnel_station"
        },
    }  # fmt: skip
