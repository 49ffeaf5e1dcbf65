"""The mine's air: fans, airways and what its places give off, on one clock.

What the plant sets before a step: `coal_t_per_h` [workings] (won in a face or heading, carried on a road),
`weighting` [faces] 0 to 1, `powered` fan → bool, `wind_locked` and `gas_locked` [headings] (what the lock said a step
ago). What it gives: `ch4` place → %, `values` (all quantities of all cells, see `reading`), `power_kw` fan → kW,
`fan_running`, `contacts` by `contact_names` (`<fan>.running`, `<heading>.duct`, `<door>.door`).

Besides the fans' own channels there are truths of the air by place, as `air_<branch>!ch4_<part>` (%), and of the
whole as `air_mine!released_m3`, `!carried_m3` (by the main return), `!held_m3` and `!pressure_hpa`, and of
doors as `air_<door>!open`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.design.air import VentilationDesign
from simulators.engine.part import Part, Row, Rows
from simulators.physics.air.airways import CARRIED, QUANTITIES
from simulators.physics.air.auxiliary_fans import AuxiliaryFans
from simulators.physics.air.barometer import Barometer
from simulators.physics.air.disturbances import Disturbances
from simulators.physics.air.draws import Draws
from simulators.physics.air.fan_channels import FanChannels
from simulators.physics.air.layout import Layout
from simulators.physics.air.main_fans import MainFans

QUANTITY: Mapping[str, tuple[str, float, float]] = {
    "ch4": ("ch4", 1.0, 0.0),
    "co2": ("co2", 1.0, 0.04),
    "o2": ("oxygen", -1.0, 20.95),
    "co": ("co", 1.0, 0.0),
    "dust": ("dust", 1.0, 0.3),
    "smoke": ("smoke", 1.0, 0.0),
    "temperature": ("heat", 1.0, math.nan),
    "humidity": ("moisture", 1.0, math.nan),
    "velocity": ("velocity", 1.0, 0.0),
    "pressure": ("pressure", 1.0, 0.0),
}
"""What a sensor may measure: which row of `values`, its gain, and fresh air's part (NaN: the place's own)."""
LEAST_CORNER, MOST_CORNER = 1.3, 2.0
"""T0 over T2 (domain facts 5.9)."""
GUST, PULSES, UNREST_TAU_S = 0.01, 0.06, 20.0
"""Relative unrest of the air and of the goafs' gas, and how long it lasts, s."""
AIR_S = 4.0
"""How often the air of all places is moved on while the fans are at rest, s: what it carries takes minutes to change,
and no sensor answers sooner. While a fan starts or stops, it is moved with every step."""
FLOW_S = 10.0
"""How often the air's flow is computed anew while the fans are at rest, s."""
LEAST_GOAF = 0.2
"""A rising barometer pushes air into a goaf, but some gas always comes."""


class Ventilation(Part):
    """All of it, vectorised over the cells of all airways."""

    def __init__(self, design: VentilationDesign, rng: np.random.Generator) -> None:
        self.design = design
        self.layout = layout = Layout(design, AIR_S)
        self.airways = layout.airways
        self.airways.collect(layout.corners, [layout.places[f"{n}.return_start"] for n in design.faces])
        self.values = self.airways.values
        self.places = layout.places
        self.workings, self.faces = layout.workings, tuple(design.faces)
        self.main, self.auxiliary = MainFans(design.main_fans), AuxiliaryFans(design.headings)
        self.barometer = Barometer(design.barometer, rng.spawn(1)[0])
        self.coal_t_per_h = np.zeros(len(self.workings))
        self.weighting = np.zeros(len(design.faces))
        self.wind_locked = [False] * len(design.headings)
        self.gas_locked = [False] * len(design.headings)
        names = (*design.main_fans.names, *(fan.name for fan in self.auxiliary.fans))
        self._fans = {name: n for n, name in enumerate(names)}
        self.powered = dict.fromkeys(names, True)
        self.power_kw = dict.fromkeys(names, 0.0)
        self.open_doors: set[str] = set()
        ducts, doors = (f"{name}.duct" for name in design.headings), (f"{name}.door" for name in design.doors)
        self.contact_names = (*(f"{name}.running" for name in names), *ducts, *doors)
        self.contacts = np.array(self._contacts())
        self._branch_keep = [1.0] * (len(layout.branches) + 1)
        self._disturbances = Disturbances(self)
        self._prepare_sources()
        self._draws = Draws(rng.spawn(1)[0], 2 + len(design.faces))
        self._unrest = [0.0] * (2 + len(design.faces))
        self._second = self._dt = self._since_s = self._waited_s = 0.0
        self._stirred = self._stirring = True
        self._routine_at = design.main_fans.routine_days * 86_400.0
        self._outside: tuple[object, ...] = ()
        self._channels(rng)
        self.airways.settle(self._base + layout.by_goaf.sum(axis=0))
        np.multiply(self._depth, -self.main.pressure, out=self.values[-1])
        self.airways.carried[:, self._corners] = self.airways.carried[:, self._starts] * self._corner_ratio()

    def _prepare_sources(self) -> None:
        layout, design = self.layout, self.design
        taus = [design.faces[n].coal_tau_s for n in design.faces]
        taus += [design.headings[n].coal_tau_s for n in design.headings]
        taus += [60.0] * len(design.roads)
        self._coal_tau = np.array(taus)
        self._inputs = np.concatenate([np.zeros(len(self.workings)), np.ones(len(layout.goafs))])
        self._coal = self._inputs[: len(self.workings)]
        self._change = np.empty(len(self.workings))
        self._methane = self.values[CARRIED.index("ch4")]
        both = np.concatenate([layout.by_coal, layout.by_goaf])
        self._by_input = both.reshape(len(both), -1)
        self._base = layout.constant.copy()
        self._beta = [*(f.barometer_beta for f in design.faces.values()), *([0.2] * len(design.districts))]
        self._gain = [f.weighting_gain for f in design.faces.values()]
        self._starts = np.array([self.places[f"{n}.return_start"] for n in design.faces], np.intp)
        self._corners = np.array(layout.corners, np.intp)
        self._heading_driver = [layout.branches[name] for name in design.headings]
        where = {"intake": 0.25, "face": 0.4, "corner": 0.45, "return": 0.6, "return_start": 0.5}
        depth = [0.9 if c.place == "main_return" else where.get(c.place.partition(".")[2], 0.2) for c in layout.cells]
        self._depth = np.array(depth)

    def _channels(self, rng: np.random.Generator) -> None:
        design = self.design
        places = [(f"air_{p.partition('.')[0]}!ch4{'_' + p.partition('.')[2] if '.' in p else ''}", n)
                  for p, n in self.places.items()]  # fmt: skip
        self._cells = np.array([n for _, n in places], np.intp)
        self._fan_channels = FanChannels(self.main, self.auxiliary, rng.spawn(1)[0])
        air = ["released_m3", "carried_m3", "held_m3", "pressure_hpa"]
        self.channels: Sequence[str] = (
            *(name for name, _ in places),
            *(f"air_mine!{key}" for key in air),
            *(f"air_{name}!open" for name in design.doors),
            *self._fan_channels.channels,
        )
        self._of_mine = len(places)
        self._of_fans = len(places) + len(air) + len(design.doors)
        self._of_seen = self._of_fans + len(self._fan_channels.now)
        self._seen = np.zeros(self._of_seen)
        """The channels of this step."""
        self._now = self._seen[self._of_mine :]
        """Those that are not places': four of the mine, doors, fans."""

    @property
    def ch4(self) -> Mapping[str, float]:
        """Methane by place, %."""
        return {place: float(self.values[0, cell]) for place, cell in self.places.items()}

    @property
    def fan_running(self) -> Mapping[str, bool]:
        """Every fan, whether it blows."""
        main = {name: fan.running for name, fan in zip(self.design.main_fans.names, self.main.fans, strict=True)}
        return main | {fan.name: fan.running for fan in self.auxiliary.fans}

    def reading(self, place: str, quantity: str) -> tuple[int, float, float]:
        """Where a sensor finds its quantity: index into `values.ravel()`, gain, offset. Raises KeyError."""
        row, gain, offset = QUANTITY[quantity]
        cell = self.places[place]
        own = {"temperature": self.layout.temperature, "humidity": self.layout.humidity}
        if quantity in own:
            offset = float(own[quantity][cell])
        return QUANTITIES.index(row) * self.values.shape[1] + cell, gain, offset

    def _contacts(self) -> list[float]:
        fans = (*self.main.fans, *self.auxiliary.fans)
        ducts = (self.auxiliary.has_air(n) for n in range(len(self.design.headings)))
        doors = (name in self.open_doors for name in self.design.doors)
        return [float(on) for on in (*(fan.running for fan in fans), *ducts, *doors)]

    def step(self, dt: float, row: Row) -> None:
        """See `Part`."""
        self._second += dt
        self._since_s += dt
        self._waited_s = round(self._waited_s + dt, 6)
        self._step_fans(dt)
        if self._stirring or self._waited_s > AIR_S - 0.5 * dt:
            self._move_air(self._waited_s)
            self._waited_s = 0.0
        row[: self._of_seen] = self._seen

    def _move_air(self, dt: float) -> None:
        """By so many seconds."""
        if dt != self._dt:
            self._for_step(dt)
            self._drive(dt)
        elif self._stirring or self._since_s > FLOW_S - 0.5 * dt:
            self._drive(dt)
        now = self._now
        change = np.subtract(self.coal_t_per_h, self._coal, out=self._change)
        change *= self._coal_near
        self._coal += change
        added = self._added
        added[:] = self._added_always
        added[self._fed] += np.dot(self._inputs, self._added_by_input)
        out, now[2] = self.airways.step(self._added_cells)
        now[0] += added[-1] * dt / 6000.0
        now[1] += out * dt / 60.0
        now[3] = self.barometer.hpa
        self._methane.take(self._cells, out=self._seen[: self._of_mine], mode="clip")

    def _for_step(self, dt: float) -> None:
        """What depends on the length of a step, and on what is added to the air. The last column is the methane
        of all cells, %·m³/min."""
        self._dt = dt
        share = np.tile(self.airways.per_volume(dt), len(CARRIED))
        gas = self._by_input[:, : self.values.shape[1]].sum(axis=1, keepdims=True)
        by_input = np.concatenate([self._by_input * share, gas], axis=1)
        self._fed = np.flatnonzero(by_input.any(axis=0))
        self._added_by_input = by_input[:, self._fed].copy()
        self._added_always = np.append(self._base.ravel() * share, self._base[0].sum())
        self._added = np.empty_like(self._added_always)
        self._added_cells = self._added[:-1].reshape(self._base.shape)
        self._coal_near = -np.expm1(-dt / self._coal_tau)

    def _step_fans(self, dt: float) -> None:
        """Fans at rest are left alone."""
        outside = self.powered, self.wind_locked, self.gas_locked
        if self._second >= self._routine_at:
            self._routine_at += self.design.main_fans.routine_days * 86_400.0
            self.main.change_duty()
            self._stirred = True
        self._stirring = self._stirred or outside != self._outside
        if not self._stirring:
            return
        self._outside = self.powered.copy(), self.wind_locked.copy(), self.gas_locked.copy()
        for fan, name in zip(self.main.fans, self.design.main_fans.names, strict=True):
            fan.powered = self.powered[name]
        for blower in self.auxiliary.fans:
            blower.powered = self.powered[blower.name]
        main_rests = self.main.step(dt)
        self._stirred = not (self.auxiliary.step(dt) and main_rests)
        kw = (*self.main.kw, *(fan.kw for fan in self.auxiliary.fans))
        self.power_kw.update(zip(self._fans, kw, strict=True))
        self._fan_channels.renew(self.wind_locked, self.gas_locked)
        self.contacts[:] = self._contacts()
        doors = len(self.design.doors)
        self._now[4 : 4 + doors] = self.contacts[len(self.contacts) - doors :]
        self._now[4 + doors :] = self._fan_channels.now

    def _drive(self, dt: float) -> None:
        """What moves the air and what comes out of goafs, for the next seconds."""
        main, auxiliary, since = self.main, self.auxiliary, self._since_s
        self._since_s = 0.0
        keep = math.exp(-since / UNREST_TAU_S)
        fresh = math.sqrt(1.0 - keep * keep)
        drawn = self._draws.step().tolist()
        self._unrest = unrest = [was * keep + fresh * new for was, new in zip(self._unrest, drawn, strict=True)]
        self.barometer.step(since)
        share = main.air / self.design.main_fans.air_m3_per_s * (1.0 + GUST * unrest[0])
        drivers = [kept * share for kept in self._branch_keep]
        for n, driver in enumerate(self._heading_driver):
            # A fan cannot blow more than passes its intake.
            most = drivers[driver] / 0.7
            part = auxiliary.air[n] / auxiliary.designs[n].air_m3_per_min
            drivers[driver] = part * min(1.0, most) * (1.0 + GUST * unrest[1])
        falls = self.barometer.fall_hpa_per_h
        goaf = [1.0 + beta * falls for beta in self._beta]
        for face, weighs in enumerate(self.weighting.tolist()):
            goaf[face] += self._gain[face] * weighs + PULSES * unrest[2 + face]
        self._inputs[len(self.workings) :] = [max(given, LEAST_GOAF) for given in goaf]
        self.airways.drive(dt, np.array(drivers), self._corner_ratio())
        np.multiply(self._depth, -main.pressure, out=self.values[-1])

    def _corner_ratio(self) -> NDArray[np.float64]:
        """Gas of the goaf comes out at the upper corner: 1.3 to 2 times what the return's start holds."""
        goaf = self._inputs[len(self.workings) :][: len(self.weighting)]
        return np.minimum(np.maximum(1.15 + 0.35 * goaf, LEAST_CORNER), MOST_CORNER)

    def observe(self, dt: float, rows: Rows) -> None:
        """See `Part`."""
        self._fan_channels.observe(dt, rows[:, self._of_fans :])

    def command(self, equipment: str, key: str, value: float) -> None:
        """Fans take `command` (1 start, 2 stop, 3 reset) and `mode_command`."""
        number = self._fans.get(equipment)
        self._stirred = True
        if number is None:
            super().command(equipment, key, value)
        elif number < 2:
            self.main.command(number, key, value)
        else:
            self.auxiliary.command(number - 2, key, value)

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """See `Disturbances`."""
        return self._disturbances.known()

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """See `Disturbances`."""
        self._stirred = True
        if not self._disturbances.set(equipment, kind, amount):
            super().disturb(equipment, kind, amount)

    def add(self, added: Mapping[str, tuple[float, float]]) -> None:
        """Gas (m³/min) and fires (MW) by place, beside what the mine gives off."""
        self._base = self.layout.constant.copy()
        for place, (gas, fire) in added.items():
            self.layout.add_gas(self._base, self.places[place], gas)
            self.layout.add_fire(self._base, self.places[place], fire)
        self._dt = 0.0

    def reverse(self, backwards: bool) -> None:
        """The main fan blows into the mine."""
        self.main.reversed = self.airways.backwards = backwards

    def open(self, door: str, wide: bool) -> None:
        """An open door short-circuits its branch."""
        (self.open_doors.add if wide else self.open_doors.discard)(door)
        self.main.open_doors = len(self.open_doors)
        self._branch_keep = [1.0] * len(self._branch_keep)
        for name in sorted(self.open_doors):
            branch = self.design.doors[name].branch
            stated = (*self.design.faces.items(), *self.design.headings.items())
            for each in (branch, *(place for place, design in stated if design.district == branch)):
                self._branch_keep[self.layout.branches[each]] *= 1.0 - self.design.doors[name].short_circuit
