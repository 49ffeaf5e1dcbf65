"""The crews of a mine: shifts, and orders for each working place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.site.model import Shift
from simulators.design.crew import CrewDesign, Place, Utilisation
from simulators.engine.part import Part, Row
from simulators.physics.habit import Habit
from simulators.physics.order import Order
from simulators.physics.shifts import Calendar, Turn

IDLE, PRODUCE, MAINTAIN = 0, 1, 2
"""What is planned for a place, as its truth channel `!state` tells."""

Plan = tuple[int, int, int]
"""(from µs, until µs, what)."""


class Crew(Part):
    """Give it, before each step and in the order of `names`, what the places truly did: `producing` and
    `intelligent`. It gives `orders` by place. Channels: `crew_<place>!state` (0 nothing planned,
    1 production planned, 2 maintenance planned), `!mode`, `!producing`, `!intelligent` (ordered)."""

    def __init__(
        self,
        design: CrewDesign,
        utilisation: Utilisation,
        shifts: Sequence[Shift],
        time_zone: str,
        start_us: int,
        rng: np.random.Generator,
    ) -> None:
        self.design, self._rng = design, rng
        self.calendar = Calendar(shifts, time_zone)
        self.now_us = start_us
        self.names: tuple[str, ...] = tuple(design.places)
        self.index: Mapping[str, int] = {name: n for n, name in enumerate(self.names)}
        low, high = design.session_min
        self.habits = [
            Habit(getattr(utilisation, place.category), (60.0 * low, 60.0 * high), rng)
            for place in design.places.values()
        ]
        self.producing = [False] * len(self.names)
        self.intelligent = [False] * len(self.names)
        self.orders: dict[str, Order] = dict.fromkeys(self.names, Order())
        self.changes = 0
        """How often an order or a plan has changed."""
        self.planned = [IDLE] * len(self.names)
        keys = ("state", "mode", "producing", "intelligent")
        self.channels = [f"crew_{name}!{key}" for name in self.names for key in keys]
        self._row = np.zeros(len(self.channels))
        self._plans: list[Plan | None] = [None] * len(self.names)
        self.turn: Turn = self.calendar.turn(start_us)
        self._plan()
        self._next_us = start_us
        for n in range(len(self.names)):
            self._order(n)

    @property
    def shift(self) -> int:
        """Index of the present shift, -1 between shifts."""
        return self.turn.shift

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        if self.now_us >= self._next_us:
            self._at(self.now_us)
        for habit, did, intelligent in zip(self.habits, self.producing, self.intelligent, strict=True):
            if did and habit.spend(dt, intelligent):
                habit.choose()
                self._order(self.habits.index(habit))
        row[:] = self._row

    def _at(self, now: int) -> None:
        """Something of the plan begins or ends."""
        if now >= self.turn.end_us:
            self.turn = self.calendar.turn(now)
            self._plan()
        later = [self.turn.end_us]
        for n, plan in enumerate(self._plans):
            what = IDLE
            if plan is not None:
                begin, end, kind = plan
                what = kind if begin <= now < end else IDLE
                later += [moment for moment in (begin, end) if moment > now]
            if what != self.planned[n]:
                self.planned[n] = what
                if what == PRODUCE:
                    self.habits[n].choose()
                self._order(n)
        self._next_us = min(later)

    def _plan(self) -> None:
        """For the shift that has begun: what each place does, and from when until when."""
        places = self.design.places
        free: list[Plan | None] = [self._own_plan(place) for place in places.values()]
        for n, place in enumerate(places.values()):
            if place.follows is not None:
                free[n] = free[self.index[place.follows]]
        coal = [
            plan
            for plan, place in zip(free, places.values(), strict=True)
            if plan and plan[2] == PRODUCE and place.category in ("face", "roadheader")
        ]
        lead = round(self.design.belt_lead_min * 60e6)
        turn = self.turn
        for n, place in enumerate(places.values()):
            if place.category == "chamber":
                free[n] = (turn.begin_us, turn.end_us, PRODUCE)
            elif place.category == "belt" and coal:
                first, last = min(plan[0] for plan in coal), max(plan[1] for plan in coal)
                free[n] = (max(first - lead, turn.begin_us), min(last + lead, turn.end_us), PRODUCE)
        self._plans = free

    def _own_plan(self, place: Place) -> Plan | None:
        design, turn = self.design, self.turn
        rest = turn.shift < 0 or turn.day.weekday() in design.rest_weekdays or turn.day in design.holidays
        if rest or place.category == "chamber" or place.follows is not None:
            return None
        maintenance = design.maintenance_shift if place.maintenance_shift is None else place.maintenance_shift
        begin = turn.begin_us + round(60e6 * self._rng.uniform(*design.start_delay_min))
        end = turn.end_us - round(60e6 * self._rng.uniform(*design.end_early_min))
        what = MAINTAIN if turn.shift == maintenance else PRODUCE
        return (begin, end, what) if begin < end else None

    def _order(self, n: int) -> None:
        self.changes += 1
        what, habit = self.planned[n], self.habits[n]
        if what == PRODUCE:
            mode = 1
            if habit.intelligent:
                mode = 3 if self._rng.random() < self.design.automatic else 2
            order = Order(True, habit.intelligent, mode, False)
        else:
            order = Order(False, False, 4, True) if what == MAINTAIN else Order()
        self.orders[self.names[n]] = order
        self._row[4 * n : 4 * n + 4] = what, order.mode, order.produce, order.intelligent
