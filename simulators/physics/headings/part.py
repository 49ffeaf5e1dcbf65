"""All headings of a mine: what the plant gives and takes, and what roadheaders and rigs show."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.headings import HeadingsDesign
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.headings.heading import CUTTING, LOADING, OFF, Fault, Heading
from simulators.physics.headings.instruments import RIG, RIG_STEP, ROADHEADER, ROADHEADER_STEP, Instruments
from simulators.physics.headings.rig import IDLE
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE, RESET, START, STOP, Order
from simulators.physics.record import Record
from simulators.physics.told import NONE, Told


class Headings(Part):
    """Inputs by heading: `orders`, `rig_orders`, `transport_ready`, `power_allowed`; `powered` by machine;
    `air` by heading: (CH4 %, CO ppm, dust mg/m³, °C). Outputs by heading: `coal_t_per_h` (what falls on the
    belt, with its rock), `rock_t_per_h`, `advance_m` since the start, `cutting`; `power_kw` by machine.
    Truth: `<roadheader>!state` as `Work`, `<rig>!state` as `Cycle`; tonnes with their rock."""

    def __init__(self, design: HeadingsDesign, start_us: int, rng: np.random.Generator) -> None:
        self.design, self.now_us, self._start_us = design, start_us, start_us
        self.names: tuple[str, ...] = tuple(design.headings)
        self.index = {name: n for n, name in enumerate(self.names)}
        *own, shake = rng.spawn(len(self.names) + 1)
        self.headings = [Heading(one, own[n]) for n, one in enumerate(design.headings.values())]
        self.orders: dict[str, Order] = dict.fromkeys(self.names, Order())
        self.rig_orders: dict[str, Order] = dict.fromkeys(self.names, Order())
        self.transport_ready: dict[str, bool] = dict.fromkeys(self.names, True)
        self.power_allowed: dict[str, bool] = dict.fromkeys(self.names, True)
        machines = [machine for one in design.headings.values() for machine in (one.roadheader, one.rig)]
        self.powered: dict[str, bool] = dict.fromkeys(machines, True)
        self.power_kw: dict[str, float] = dict.fromkeys(machines, 0.0)
        self.air: dict[str, Sequence[float]] = dict.fromkeys(self.names, (0.12, 2.0, 6.0, 23.0))
        self._at_roadheader = {one.roadheader: n for n, one in enumerate(design.headings.values())}
        self._at_rig = {one.rig: n for n, one in enumerate(design.headings.values())}
        steps = [f"{machine}{key}" for machine in self._at_roadheader for key in _dotted(ROADHEADER_STEP)]
        steps += [f"{machine}{key}" for machine in self._at_rig for key in _dotted(RIG_STEP)]
        self._stepped = len(steps)
        self._pack = struct.Struct(f"={self._stepped}d").pack_into
        more = [f"{machine}{key}" for key in _dotted(ROADHEADER) for machine in self._at_roadheader]
        more += [f"{machine}{key}" for key in _dotted(RIG) for machine in self._at_rig]
        self._told = Told(tuple(self._at_roadheader))
        self.channels = steps + more + self._told.channels
        self._instruments = Instruments(list(design.headings.values()), shake)

    @property
    def coal_t_per_h(self) -> dict[str, float]:
        """What falls on the belt of each heading."""
        return {name: heading.t_per_h for name, heading in zip(self.names, self.headings, strict=True)}

    @property
    def rock_t_per_h(self) -> dict[str, float]:
        """What of it is rock."""
        both = zip(self.names, self.headings, strict=True)
        return {name: heading.t_per_h * heading.design.rock_share for name, heading in both}

    @property
    def advance_m(self) -> dict[str, float]:
        """How far each heading has come since the start."""
        return {name: heading.advance_m for name, heading in zip(self.names, self.headings, strict=True)}

    @property
    def cutting(self) -> dict[str, bool]:
        """Which of them cut."""
        return {name: heading.producing for name, heading in zip(self.names, self.headings, strict=True)}

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        shown: list[float] = []
        rigs: list[float] = []
        powered, taken = self.powered, self.power_kw
        for name, heading in zip(self.names, self.headings, strict=True):
            rig, design, air = heading.rig, heading.design, self.air[name]
            roadheader, bolter = design.roadheader, design.rig
            heading.order, rig.order = self.orders[name], self.rig_orders[name]
            heading.ready, heading.allowed = self.transport_ready[name], self.power_allowed[name]
            heading.powered, rig.powered = powered[roadheader], powered[bolter]
            heading.step(dt)
            work, cycle, rig_kw = heading.work, rig.cycle, rig.power_kw
            loads = work is CUTTING or work is LOADING
            kw = (heading.cut_kw + heading.pump_kw) / 0.93 + (design.loader_kw if loads else 0.0)
            taken[roadheader], taken[bolter] = kw, rig_kw
            cutting, mode, fault = work is CUTTING, heading.mode, heading.fault
            central = mode in (AUTO, REMOTE)
            shown += (
                cutting, work is not OFF, mode, cutting and mode == AUTO, fault is Fault.PERSON, heading.emergency > 0,
                central, fault, heading.cut_kw, heading.pump_kw, heading.phase, heading.advance_per_s,
                *air, heading.hot, work, mode, cutting, cutting and central, heading.t_per_h, kw,
            )  # fmt: skip
            busy = rig.running and cycle is not IDLE
            rigs += (
                cycle, rig.running, rig.mode, rig.emergency > 0, rig.phase, rig.depth, rig.torque, rig_kw,
                rig.holes, rig.bolts, air[0], cycle, rig.mode, busy, busy and rig.automatic,
            )  # fmt: skip
        # An assignment to the row would look at the type of each number first.
        self._pack(row, 0, *shown, *rigs)

    def observe(self, dt: float, rows: Rows) -> None:
        machines, width, rig_width = len(self.names), len(ROADHEADER_STEP), len(RIG_STEP)
        first = machines * width
        given = {key: rows[:, n:first:width] for n, key in enumerate(ROADHEADER_STEP)}
        rig = {key: rows[:, first + n : self._stepped : rig_width] for n, key in enumerate(RIG_STEP)}
        seen = self._instruments.run(dt, given, rig)
        for n, values in enumerate(seen):
            begin = self._stepped + n * machines
            rows[:, begin : begin + machines] = values
        rows[:, len(self.channels) - len(self._told.values) :] = self._told.values

    def texts(self) -> Mapping[str, str]:
        made = self.design.headings.values()
        models = {f"{one.roadheader}.model": one.model for one in made}
        return models | {f"{one.roadheader}.serial": f"{one.model}-{n + 1:04d}" for n, one in enumerate(made)}

    def command(self, equipment: str, key: str, value: float) -> None:
        """`mode_command`; `command` 1 start, 2 stop, 3 reset of a roadheader in remote or automatic mode."""
        if equipment not in self._at_roadheader:
            raise Refused(f"{equipment} 没有可以下达的命令 '{key}' · takes no command '{key}'")
        if value != NONE or key not in ("command", "mode_command"):
            self._obey(equipment, key, value)
        self._told.take(equipment, key, value)

    def _obey(self, equipment: str, key: str, value: float) -> None:
        heading = self.headings[self._at_roadheader[equipment]]
        if key == "mode_command" and value in (LOCAL, REMOTE, AUTO, INSPECTION):
            heading.mode = int(value)
        elif key != "command" or value not in (START, STOP, RESET):
            raise Refused(f"{equipment} 不接受 {key} = {value:g} · does not take {key} = {value:g}")
        elif value == STOP:
            heading.stopped = True
        elif heading.mode not in (REMOTE, AUTO):
            raise Refused(f"{equipment} 在就地或检修方式 · is in local or inspection mode")
        elif heading.emergency:
            raise Refused(f"{equipment} 急停未复位 · its emergency stop is pressed")
        else:
            heading.stopped = False

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """`emergency_stop` (1) of both; a roadheader's `person_near` (s) and `motor_hot` (K)."""
        if kind == "emergency_stop" and equipment in self._at_rig:
            self.headings[self._at_rig[equipment]].rig.emergency = amount
            return
        if equipment not in self._at_roadheader or kind not in ("emergency_stop", "person_near", "motor_hot"):
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        heading = self.headings[self._at_roadheader[equipment]]
        setattr(heading, {"emergency_stop": "emergency", "person_near": "person_s", "motor_hot": "hot"}[kind], amount)

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        kinds = ("emergency_stop", "person_near", "motor_hot")
        return {**dict.fromkeys(self._at_roadheader, kinds), **dict.fromkeys(self._at_rig, ("emergency_stop",))}

    def events(self) -> list[Record]:
        """Holes finished since the last call."""
        told: list[Record] = []
        for heading in self.headings:
            for begin, end, row, number, depth, torque, automatic in heading.rig.finished:
                begin_us, end_us = (self._start_us + round(moment * 1e6) for moment in (begin, end))
                mode = float(AUTO if automatic else LOCAL)
                found = {"row": float(row), "number": float(number), "depth": depth, "torque": torque, "mode": mode}
                told.append(Record(heading.design.rig, "hole", begin_us, end_us, found))
            heading.rig.finished.clear()
        return sorted(told, key=lambda record: record.end_us)


def _dotted(keys: Sequence[str]) -> list[str]:
    return [key if key.startswith("!") else f".{key}" for key in keys]
