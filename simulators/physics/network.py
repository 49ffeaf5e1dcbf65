"""Ring switches and radio base stations: up or not, load, warmth, power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.network import WATTS, NetworkDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows

SWITCH_KINDS = ("switch_off", "port_1_down", "port_2_down", "supply_1_failed", "errors", "hot")
STATION_KINDS = ("station_off", "mains_lost", "hot")
MAINS, NO_SUPPLY, BATTERY = 1.0, 0.0, 2.0


class Network(Part):
    """Input: `persons` underground. Output: `power_kw` of all stations together, `online` by equipment."""

    def __init__(self, design: NetworkDesign, rng: np.random.Generator) -> None:
        self.design = design
        self.persons = 60.0
        self.power_kw = 0.0
        switches, stations = list(design.switches), list(design.stations)
        self._switches, self._stations = switches, stations
        self.online: dict[str, bool] = dict.fromkeys([*switches, *stations], True)
        self._faults = {kind: np.zeros(len(switches)) for kind in SWITCH_KINDS}
        self._faults_of = {kind: np.zeros(len(stations)) for kind in STATION_KINDS}
        self._battery = np.full(len(stations), 100.0)
        self._steady = True
        self._shared = -1.0
        """How many persons the stations' users were reckoned from."""
        self.channels, self._at = lay_out(
            {f"{key}/switch": switches for key in ("online", "ring_port_1", "ring_port_2", "power_1", "temperature")}
            | {"errors_total": switches}
            | {f"{key}/station": stations for key in ("online", "supply", "battery", "temperature")}
            | {"users": stations}
            | dict.fromkeys(("ring_state", "power_2", "cpu", "memory", "traffic_in", "traffic_out", "uptime"), switches)
            | dict.fromkeys(("service", "generation", "power", "energy", "resource_use", "traffic_up"), stations)
            | dict.fromkeys(("traffic_down", "fault_code", "!kwh"), stations)
        )
        self._row = np.zeros(self._at["ring_state"].start)
        made, bases = design.switches.values(), design.stations.values()
        self._traffic = np.array([one.traffic for one in made])
        self._room = np.array([one.room_c for one in made])
        self._room_of = np.array([one.room_c for one in bases])
        self._share = np.array([one.share for one in bases])
        self._cameras = 4.0 * np.array([one.cameras for one in bases])
        self._generation = np.array([float(one.generation) for one in bases])
        self._idle, self._full = np.array([WATTS[one.generation] for one in bases]).reshape(-1, 2).T
        ripple, load, sway = rng.spawn(3)
        self._ripple = Wander(0.12, 20.0, len(switches), ripple)
        self._load = Wander(0.08, 60.0, len(switches), load)
        self._sway = Wander(0.1, 45.0, len(stations), sway)
        self._warm, self._warm_of = Lag(900.0, len(switches), 42.0), Lag(900.0, len(stations), 40.0)
        self._errors = Total(len(switches), 12.0)
        self._up = Total(len(switches), 700.0 + 10.0 * np.arange(len(switches)))
        self._kwh = Total(len(stations), 900.0 + 20.0 * np.arange(len(stations)))
        self._truth = Total(len(stations))
        self._write()

    def step(self, dt: float, row: Row) -> None:
        if not self._steady:
            self._drain(dt)
        if self.persons != self._shared:
            self._shared = self.persons
            self._row[self._at["users"]] = self._share * self.persons
        row[: len(self._row)] = self._row

    def _drain(self, dt: float) -> None:
        """Batteries of stations without mains, and their charging."""
        lost = self._faults_of["mains_lost"] > 0
        rate = np.where(lost, -100.0 / (3600.0 * self.design.battery_h), 100.0 / (3600.0 * 8.0))
        self._battery = np.clip(self._battery + rate * dt, 0.0, 100.0)
        self._steady = not lost.any() and bool((self._battery >= 100.0).all())
        self._write()

    def _write(self) -> None:
        """What disturbances and batteries decide; a station that is hot, or a switch, keeps the heat for `observe`."""
        at, row, faults, of = self._at, self._row, self._faults, self._faults_of
        up = faults["switch_off"] == 0
        row[at["online/switch"]] = up
        before = np.roll(up, 1)
        after = np.roll(up, -1)
        row[at["ring_port_1/switch"]] = up & before & (faults["port_1_down"] == 0)
        row[at["ring_port_2/switch"]] = up & after & (faults["port_2_down"] == 0)
        row[at["power_1/switch"]] = faults["supply_1_failed"] == 0
        row[at["temperature/switch"]] = faults["hot"]
        row[at["errors_total"]] = faults["errors"]
        lost = of["mains_lost"] > 0
        supply = np.where(lost, np.where(self._battery > 0, BATTERY, NO_SUPPLY), MAINS)
        live = (of["station_off"] == 0) & (supply > 0)
        row[at["online/station"]] = live
        row[at["supply/station"]] = supply
        row[at["battery/station"]] = self._battery
        row[at["temperature/station"]] = of["hot"]
        self.online.update(zip(self._switches, up.tolist(), strict=True))
        self.online.update(zip(self._stations, live.tolist(), strict=True))
        self.power_kw = float((live * 0.6 * (self._idle + self._full)).sum()) / 1000.0

    def observe(self, dt: float, rows: Rows) -> None:
        at, steps = self._at, len(rows)
        up = rows[:, at["online/switch"]]
        ripple, load = self._ripple.run(dt, steps), self._load.run(dt, steps)
        ports = rows[:, at["ring_port_1/switch"]] * rows[:, at["ring_port_2/switch"]]
        whole = ports.min(axis=1, keepdims=True) if self._switches else ports
        rows[:, at["ring_state"]] = whole
        rows[:, at["power_2"]] = up
        cpu = up * np.clip(24.0 + 60.0 * load, 4.0, 98.0)
        rows[:, at["cpu"]] = cpu
        rows[:, at["memory"]] = up * np.clip(46.0 + 12.0 * load, 5.0, 98.0)
        traffic = up * self._traffic * np.maximum(1.0 + ripple, 0.1)
        rows[:, at["traffic_in"]] = traffic
        rows[:, at["traffic_out"]] = traffic * (0.96 + 0.1 * load)
        rows[:, at["uptime"]] = self._up.run(dt, up / 3600.0)
        rows[:, at["errors_total"]] = np.floor(self._errors.run(dt, rows[:, at["errors_total"]] + 2e-4 * up))
        hot = rows[:, at["temperature/switch"]]
        rows[:, at["temperature/switch"]] = self._warm.run(dt, self._room + hot + 18.0 * up + 0.08 * cpu)
        self._radio(dt, rows)

    def _radio(self, dt: float, rows: Rows) -> None:
        at, steps = self._at, len(rows)
        live = rows[:, at["online/station"]]
        sway = self._sway.run(dt, steps)
        people = rows[:, at["users"]] * (1.0 + sway)
        rows[:, at["users"]] = np.rint(live * np.maximum(people, 0.0))
        up = live * (self._cameras + 0.4 * people) * (1.0 + 0.3 * sway)
        down = live * (2.0 + 1.1 * people)
        capacity = np.where(self._generation > 4.0, 400.0, 60.0)
        use = np.clip((up + down) / capacity, 0.0, 1.0)
        watts = live * (self._idle + (self._full - self._idle) * use)
        rows[:, at["service"]] = live
        rows[:, at["generation"]] = self._generation
        rows[:, at["power"]] = watts
        rows[:, at["energy"]] = self._kwh.run(dt, watts / 3.6e6)
        rows[:, at["!kwh"]] = self._truth.run(dt, watts / 3.6e6)
        rows[:, at["resource_use"]] = 100.0 * use
        rows[:, at["traffic_up"]] = up
        rows[:, at["traffic_down"]] = down
        rows[:, at["fault_code"]] = (live == 0) * 1.0
        hot = rows[:, at["temperature/station"]]
        rows[:, at["temperature/station"]] = self._warm_of.run(dt, self._room_of + hot + 0.09 * watts)

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Switches: `switch_off`, `port_1_down`, `port_2_down`, `supply_1_failed` (1), `errors` (frames a second),
        `hot` (K). Stations: `station_off`, `mains_lost` (1), `hot` (K)."""
        if equipment in self._switches and kind in SWITCH_KINDS:
            self._faults[kind][self._switches.index(equipment)] = amount
        elif equipment in self._stations and kind in STATION_KINDS:
            self._faults_of[kind][self._stations.index(equipment)] = amount
        else:
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        self._steady = False
        self._write()

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {**dict.fromkeys(self._switches, SWITCH_KINDS), **dict.fromkeys(self._stations, STATION_KINDS)}
