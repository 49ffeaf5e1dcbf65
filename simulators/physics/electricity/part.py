"""Electricity: what consumers take, what feeders and meters show of it, and who has power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.power import PowerDesign
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.electricity.grid import LIVE_AT, Grid
from simulators.physics.electricity.readings import Readings, sections
from simulators.physics.electricity.switchgear import FAULTS, Switchgear
from simulators.physics.electricity.tariff import Clock
from simulators.physics.record import Record
from simulators.physics.told import NONE, Told


class Electricity(Part):
    """Fill `consumers` (kW by name, all of them) before each step and step it last; what it says in
    `powered` then holds for the next step. `locked`: feeders that the gas lock holds open.
    Truth: `<incoming>!kwh`; `losses!kwh`, `losses!state` (1 live); `<incoming>!state`, the supply's voltage of nominal;
    `tariff!state`, the register that counts (0 sharp, 1 peak, 2 flat, 3 valley). `period`: the same, as an index in
    PERIODS."""

    def __init__(self, design: PowerDesign, time_zone: str, start_us: int, rng: np.random.Generator) -> None:
        self.design = design
        self.grid, self.switchgear = Grid(design), Switchgear(design)
        self.consumers: dict[str, float] = dict.fromkeys(design.consumers, 0.0)
        self.powered: dict[str, bool] = dict.fromkeys(design.consumers, True)
        self.locked = self.switchgear.locked
        self.supply = 1.0
        self.changes = 0
        """How often `powered` has been set anew."""
        self.now_us = start_us
        self._records: list[Record] = []
        self._clock = Clock(design.tariff, time_zone)
        self._consumers = len(design.consumers)
        self.channels, self._at = lay_out(sections(design))
        self._told = Told(tuple(design.feeders))
        self.channels += self._told.channels
        first, last = self._at["breaker/status"].start, self._at["!state/tariff"].stop
        self._status_at = slice(first, last)
        self._status = np.zeros(last - first)
        self._next_period(start_us)
        self._chains = [
            [
                self.switchgear.index[above]
                for above in (one.feeder, *design.above(one.feeder))
                if above in design.feeders
            ]
            for one in design.consumers.values()
        ]
        self._readings = Readings(design, self.grid, self._at, Clock(design.tariff, time_zone), start_us, rng)

    def _next_period(self, now_us: int) -> None:
        self.period, self._period_until = self._clock.period(now_us)
        self._status[-1] = self.period

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        if len(self.consumers) != self._consumers:
            extra = sorted(set(self.consumers) - set(self.powered))
            raise KeyError(f"电网中没有用电设备 {extra} · the section `power` has no consumer of that name")
        row[: self._consumers] = tuple(self.consumers.values())
        switchgear = self.switchgear
        switchgear.step(dt)
        if self.now_us >= self._period_until:
            self._next_period(self.now_us)
        if switchgear.changed:
            self._switched()
        row[self._status_at] = self._status

    def _switched(self) -> None:
        """A breaker or the supply is different: who has power now, and what the panels show."""
        gear = self.switchgear
        gear.changed = False
        self.changes += 1
        shown = [gear.closed, *gear.flags.values(), gear.trips, gear.mode, gear.code]
        self._status[:-2] = [number for numbers in shown for number in numbers]
        self._status[-2] = self.supply
        live = self.supply > LIVE_AT
        for name, chain in zip(self.powered, self._chains, strict=True):
            self.powered[name] = live and all(gear.closed[n] for n in chain)
        for n, kind, amount in gear.tripped:
            found = {"protection": kind, "current": amount}
            self._records.append(Record(gear.names[n], "trip", self.now_us, self.now_us, found))
        gear.tripped.clear()

    def observe(self, dt: float, rows: Rows) -> None:
        self._readings.run(dt, rows)
        rows[:, len(self.channels) - len(self._told.values) :] = self._told.values

    def command(self, equipment: str, key: str, value: float) -> None:
        if equipment not in self.switchgear.index:
            raise Refused(f"{equipment} 没有可以下达的命令 '{key}' · takes no command '{key}'")
        if value != NONE or key not in ("command", "mode_command"):
            self.switchgear.command(equipment, key, value)
            self._switched()
        self._told.take(equipment, key, value)

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Feeders as `Switchgear.disturb`; the incoming meter's `voltage_dip`: the share of the voltage lost, 1 is
        an outage."""
        if equipment == self.design.incoming and kind == "voltage_dip":
            self.supply = 1.0 - min(max(amount, 0.0), 1.0)
            self._switched()
        elif equipment in self.switchgear.index:
            self.switchgear.disturb(equipment, kind, amount)
        else:
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {self.design.incoming: ("voltage_dip",), **dict.fromkeys(self.switchgear.names, tuple(FAULTS))}

    def events(self) -> list[Record]:
        """Trips since the last call."""
        told, self._records = self._records, []
        return told
