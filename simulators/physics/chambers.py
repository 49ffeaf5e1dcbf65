"""Fixed chambers: climate, door, patrols, and whether anybody is there who should not be needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulators.design.chambers import ChamberDesign, ChambersDesign
from simulators.engine.filters import Lag, Wander
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.order import Order
from simulators.physics.record import Record

TOLERATED_S = 600.0
"""So long somebody may be inside out of a patrol before the chamber counts as attended (domain facts §3.3)."""
DOOR_S = 8.0
"""How long the door stands open when somebody goes through."""
SHIFT_S = 8 * 3600.0
EMPTY, PATROL, ATTENDED = 0, 1, 2
"""Truth `<chamber>!state`."""
STEPPED = ("persons", "door", "temperature")


@dataclass(slots=True)
class Visit:
    """Who is in one chamber."""

    persons: int = 0
    patrol_in_s: float = 0.0
    patrol_left_s: float = 0.0
    began_us: int = 0
    outsiders: int = 0
    outside_s: float = 0.0
    door_s: float = 0.0
    order: Order = field(default_factory=lambda: Order(produce=True))


class Chambers(Part):
    """Inputs: `orders` by chamber, `heat` by chamber (0 to 1: how much its machines warm it). Outputs by
    chamber: `persons`, `door_open`, `attended`, `intelligent`. Channels
    `<name>_room.temperature|humidity|persons|door`; truth of chambers that are no equipment:
    `<name>!state|mode|producing|intelligent`."""

    def __init__(self, design: ChambersDesign, start_us: int, rng: np.random.Generator) -> None:
        self.design, self.now_us = design, start_us
        self.names: tuple[str, ...] = tuple(design.chambers)
        self.orders: dict[str, Order] = dict.fromkeys(self.names, Order(produce=True, intelligent=True, mode=3))
        self.heat: dict[str, float] = dict.fromkeys(self.names, 0.5)
        self.persons: dict[str, int] = dict.fromkeys(self.names, 0)
        self.door_open: dict[str, bool] = dict.fromkeys(self.names, False)
        self.attended: dict[str, bool] = dict.fromkeys(self.names, False)
        self.intelligent: dict[str, bool] = dict.fromkeys(self.names, True)
        self._rng, damp, sway = rng.spawn(3)
        self.changes = 0
        """How often the outputs have been set anew."""
        self._heat: list[float] = []
        self._own = [name for name in self.names if not design.chambers[name].equipment]
        rooms = [f"{name}_room" for name in self.names]
        self.channels, self._at = lay_out(
            dict.fromkeys(STEPPED, rooms)
            | {f"!{key}": self._own for key in ("state", "mode", "producing", "intelligent")}
            | {"humidity": rooms}
        )
        self._stepped = self._at["humidity"].start
        self._row = np.zeros(self._stepped)
        self._visits = [Visit(patrol_in_s=self._rest(chamber)) for chamber in design.chambers.values()]
        self._records: list[Record] = []
        count = len(self.names)
        made = design.chambers.values()
        self._air = np.array([chamber.air_c for chamber in made])
        self._hotter = np.array([chamber.heat_k for chamber in made])
        self._damp_mean = np.array([chamber.humidity for chamber in made])
        for n, visit in enumerate(self._visits):
            self._show(n, visit)
        self._lag = Lag(1800.0, count, self._air + 0.5 * self._hotter)
        self._damp, self._sway = Wander(2.0, 3600.0, count, damp), Wander(0.25, 2400.0, count, sway)

    def _rest(self, chamber: ChamberDesign) -> float:
        """Until the next patrol, s."""
        if not chamber.patrols:
            return float("inf")
        mean = SHIFT_S / chamber.patrols
        return float(self._rng.uniform(0.6 * mean, 1.3 * mean))

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        for n, (visit, order) in enumerate(zip(self._visits, self.orders.values(), strict=True)):
            if self._visit(self.names[n], visit, order, dt) or order is not visit.order:
                visit.order = order
                self._show(n, visit)
        heat = list(self.heat.values())
        if heat != self._heat:
            self._heat = self._row[self._at["temperature"]] = heat
        row[: self._stepped] = self._row

    def _show(self, n: int, visit: Visit) -> None:
        """Somebody has come or gone, or the way of working has changed."""
        self.changes += 1
        name, at = self.names[n], self._at
        attended = visit.persons > 0 and (not visit.order.intelligent or visit.outside_s > TOLERATED_S)
        mode = visit.order.mode
        intelligent = not attended and mode in (2, 3)
        self.persons[name], self.door_open[name] = visit.persons, visit.door_s > 0.0
        self.attended[name], self.intelligent[name] = attended, intelligent
        self._row[at["persons"].start + n], self._row[at["door"].start + n] = visit.persons, visit.door_s > 0.0
        if name in self._own:
            own = self._own.index(name)
            state = ATTENDED if attended else (PATROL if visit.persons else EMPTY)
            for key, value in (("state", state), ("mode", mode), ("producing", 1.0), ("intelligent", intelligent)):
                self._row[at[f"!{key}"].start + own] = value

    def _visit(self, name: str, visit: Visit, order: Order, dt: float) -> bool:
        """Whether something of it is different."""
        if visit.patrol_left_s > 0.0:
            visit.patrol_left_s -= dt
            if visit.patrol_left_s <= 0.0:
                found = {"minutes": (self.now_us - visit.began_us) / 60e6}
                self._records.append(Record(name, "patrol", visit.began_us, self.now_us, found))
                visit.patrol_in_s = self._rest(self.design.chambers[name])
        else:
            visit.patrol_in_s -= dt
            if visit.patrol_in_s <= 0.0:
                visit.patrol_left_s = 60.0 * float(self._rng.uniform(*self.design.chambers[name].patrol_min))
                visit.began_us = self.now_us
        changed = False
        if visit.outsiders:
            visit.outside_s += dt
            changed = visit.outside_s > TOLERATED_S
        else:
            visit.outside_s = 0.0
        if visit.door_s > 0.0:
            visit.door_s -= dt
            changed = True
        sitting = 0 if order.intelligent else self.design.chambers[name].attendants
        persons = visit.outsiders + sitting + (visit.patrol_left_s > 0.0)
        if persons != visit.persons:
            visit.persons, visit.door_s = persons, DOOR_S
            changed = True
        return changed

    def observe(self, dt: float, rows: Rows) -> None:
        at, steps = self._at, len(rows)
        heat = rows[:, at["temperature"]].copy()
        rows[:, at["temperature"]] = self._lag.run(dt, self._air + self._hotter * heat) + self._sway.run(dt, steps)
        rows[:, at["humidity"]] = np.minimum(self._damp_mean + self._damp.run(dt, steps) - 4.0 * heat, 99.0)

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """`visitor` of `<chamber>_room`: so many persons inside out of any patrol."""
        name = equipment.removesuffix("_room")
        if name not in self.names or kind != "visitor":
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        self._visits[self.names.index(name)].outsiders = round(max(amount, 0.0))

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {f"{name}_room": ("visitor",) for name in self.names}

    def events(self) -> list[Record]:
        """Patrols that have ended since the last call: when they checked in and out."""
        told, self._records = self._records, []
        return told
