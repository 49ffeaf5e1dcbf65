"""People underground, as the positioning stations count them: they come in by the entrance, walk to their
places, stay for the shift and go out again; nobody is counted twice. Who goes through a chamber's door passes from its
station to one on the road, or back, at that moment."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.people import PeopleDesign, StationDesign
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row

TICK_US = 10_000_000
"""People move between stations every 10 s."""
KEYS = ("state", "supply", "cards", "persons", "quota", "low_battery_cards", "over_quota", "call_for_help")
KINDS = ("crowd", "call_for_help", "link_lost", "supply_lost")
MAINS, BATTERY = 1, 0


class People(Part):
    """Inputs: `planned` by place (0 nobody works, 1 production, 2 maintenance, as `Crew.planned`), `inside` by
    chamber (persons that `Chambers` knows of). Outputs: `persons` by station, `underground`; `entered` and `left`
    count all who came in and went out."""

    channels: Sequence[str]

    def __init__(self, design: PeopleDesign, start_us: int, rng: np.random.Generator) -> None:
        self.design, self.now_us, self._rng = design, start_us, rng
        self.names: tuple[str, ...] = tuple(design.stations)
        self.planned: dict[str, int] = {}
        self.inside: dict[str, int] = {}
        self._inside: dict[str, int] = {}
        """As it was with the last step."""
        self._count = [0] * len(self.names)
        self._extra = [0] * len(self.names)
        self._places = [(n, one) for n, one in enumerate(design.stations.values()) if one.place is not None]
        self._road = [n for n, one in enumerate(design.stations.values()) if one.place is None]
        self._entrance = self.names.index(design.entrance)
        self._low = [int(rng.integers(0, 3)) for _ in self.names]
        self._quotas = [one.quota for one in design.stations.values()]
        self._flags: dict[str, list[int]] = {kind: [0] * len(self.names) for kind in KINDS[1:]}
        self.entered = self.left = self.underground = 0
        self._next_us = start_us
        self.channels, _ = lay_out({key: list(self.names) for key in KEYS})
        self._row = np.zeros(len(self.channels))
        self._pack = struct.Struct(f"={len(self.channels)}d").pack_into
        self._show()

    @property
    def persons(self) -> dict[str, int]:
        """By station."""
        return dict(zip(self.names, self._count, strict=True))

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        before = self._count.copy()
        if self.inside != self._inside:
            self._pass_doors()
        if self.now_us >= self._next_us:
            self._next_us += TICK_US
            self._move()
        if self._count != before:
            self._show()
        row[:] = self._row

    def _pass_doors(self) -> None:
        """Who has come into a chamber or gone since the last step; where nobody is on the road, they walk there."""
        for n, one in self._places:
            more = self.inside.get(one.place or "", 0) - self._inside.get(one.place or "", 0)
            for _ in range(more):
                self._take(n)
            if more < 0:
                leave = min(-more, self._count[n])
                self._count[n] -= leave
                self._count[self._road[n % len(self._road)]] += leave
        self._inside = dict(self.inside)

    def _wanted(self, n: int, one: StationDesign) -> int:
        place = one.place or ""
        by_plan = (one.idle, one.produce, one.maintain)[self.planned.get(place, 0)]
        return self.inside.get(place, 0) + by_plan + self._extra[n]

    def _move(self) -> None:
        """One goes to a place that wants people, one leaves a place that has too many; the roads between them
        fill from the entrance and empty to it."""
        count, rng = self._count, self._rng
        *lots, lot = rng.random(len(count) + 1).tolist()
        missing = 0
        for n, one in self._places:
            lacking = self._wanted(n, one) - count[n]
            missing += max(lacking, 0)
            if lacking > 0 and lots[n] < 0.6:
                self._take(n)
            elif lacking < 0 and lots[n] < 0.5:
                count[n] -= 1
                count[self._road[int(lots[n] * 1e6) % len(self._road)]] += 1
        on_road = sum([count[n] for n in self._road])
        wanted = missing + self.design.walkers
        if on_road < wanted and lot < 0.8:
            arriving = min(wanted - on_road, 3)
            count[self._entrance] += arriving
            self.entered += arriving
        elif on_road > wanted + 2 and count[self._entrance] and lot < 0.6:
            count[self._entrance] -= 1
            self.left += 1
        if len(self._road) > 1:
            self._stroll(on_road > wanted + 2)

    def _take(self, n: int) -> None:
        """Somebody from the road whose station sees most."""
        count = self._count
        fullest = max(self._road, key=count.__getitem__)
        if count[fullest]:
            count[fullest] -= 1
            count[n] += 1

    def _stroll(self, outwards: bool) -> None:
        """One on the road passes from one station to another; at the shift's end towards the entrance."""
        road, draw = self._road, self._rng.integers
        a, b = road[draw(len(road))], road[draw(len(road))]
        to = self._entrance if outwards else b
        if self._count[a] and a != to:
            self._count[a] -= 1
            self._count[to] += 1

    def _show(self) -> None:
        """Into the row that goes out until the next move, in the order of KEYS."""
        count, quotas, flags = self._count, self._quotas, self._flags
        self.underground = sum(count)
        cards = count.copy()
        cards[self._entrance] += self.design.spare_cards
        self._pack(
            self._row,
            0,
            *flags["link_lost"],
            *(BATTERY if lost else MAINS for lost in flags["supply_lost"]),
            *cards,
            *count,
            *quotas,
            *(low if low < here else here for low, here in zip(self._low, count, strict=True)),
            *(here > quota for here, quota in zip(count, quotas, strict=True)),
            *flags["call_for_help"],
        )

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """`crowd`: so many more at a station with a place; `call_for_help`, `link_lost`, `supply_lost` (1)."""
        if equipment not in self.names or kind not in KINDS:
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        n = self.names.index(equipment)
        if kind != "crowd":
            self._flags[kind][n] = int(amount > 0)
        elif n in self._road:
            raise Refused(f"{equipment} 不属于工作地点 · belongs to no place where a crowd could gather")
        else:
            self._extra[n] = round(max(amount, 0.0))
        self._show()

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {name: KINDS[1:] if n in self._road else KINDS for n, name in enumerate(self.names)}
