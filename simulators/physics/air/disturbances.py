"""What can befall the air of a mine.

`gas_rise` (m³/min) and `fire` (MW) at a branch or a place; `main_fan_stop` and `reversal` of a main fan; `aux_fan_stop`
of one fan or of both of a heading; `duct_torn` (the share of the air lost) of a heading; `door_open` of a door.
Branches and doors are named `air_<name>`. 0 ends each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulators.engine.part import Refused

if TYPE_CHECKING:
    from simulators.physics.air.ventilation import Ventilation

MOST = {"gas_rise": 100.0, "fire": 20.0, "duct_torn": 1.0}


class Disturbances:
    """Of one ventilation."""

    def __init__(self, air: Ventilation) -> None:
        self._air = air
        self._added: dict[str, tuple[float, float]] = {}

    def known(self) -> Mapping[str, Sequence[str]]:
        """Equipment → kinds."""
        air, design = self._air, self._air.design
        branches = (*air.layout.branches, "main_return")
        of_air = ("gas_rise", "fire")
        return (
            {f"air_{name}": of_air for name in branches if name not in design.headings}
            | {f"air_{name}": (*of_air, "aux_fan_stop", "duct_torn") for name in design.headings}
            | {f"air_{name}": ("door_open",) for name in design.doors}
            | dict.fromkeys(design.main_fans.names, ("main_fan_stop", "reversal"))
            | {fan.name: ("aux_fan_stop",) for fan in air.auxiliary.fans}
        )

    def set(self, equipment: str, kind: str, amount: float) -> bool:
        """Begins or ends one. False if it is not known; raises Refused for an impossible amount."""
        air, name, on = self._air, equipment.removeprefix("air_"), amount > 0.0
        if not 0.0 <= amount <= MOST.get(kind, 1e9):
            raise Refused(f"{equipment} {kind} 应在 0 到 {MOST.get(kind, 1e9):g} 之间 · must be within that")
        place = self._place(name) if kind in ("gas_rise", "fire") else ""
        main, headings = air.design.main_fans.names, list(air.design.headings)
        if place:
            gas, fire = self._added.get(place, (0.0, 0.0))
            self._added[place] = (amount, fire) if kind == "gas_rise" else (gas, amount)
            air.add(self._added)
        elif kind == "main_fan_stop" and equipment in main:
            air.main.fail(main.index(equipment), on)
        elif kind == "reversal" and equipment in main:
            air.reverse(on)
        elif kind == "aux_fan_stop" and equipment in air.auxiliary.index:
            air.auxiliary.fans[air.auxiliary.index[equipment]].failed = on
        elif kind == "aux_fan_stop" and name in headings:
            for fan in air.auxiliary.fans:
                fan.failed = on if headings[fan.heading] == name else fan.failed
        elif kind == "duct_torn" and name in headings:
            air.auxiliary.torn[headings.index(name)] = amount
        elif kind == "door_open" and name in air.design.doors:
            air.open(name, on)
        else:
            return False
        return True

    def _place(self, name: str) -> str:
        """A place by its own name, or where a branch gives off most. A corner has no air of its own."""
        places = self._air.places
        found = next((place for place in (name, f"{name}.face", f"{name}.return") if place in places), "")
        return found.replace(".corner", ".return_start")
