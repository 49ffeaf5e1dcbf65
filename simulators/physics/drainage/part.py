"""The pump room: sump and pumps, level control by the tariff, commands, faults."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.drainage import DrainageDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.drainage.control import FLAT, LevelControl
from simulators.physics.drainage.hydraulics import MPA_PER_M, flow_of
from simulators.physics.drainage.pump import (
    AMBIENT,
    CLOSING,
    OPENING,
    PRIMING,
    RUNNING,
    SHOWN,
    STARTING,
    TURNING,
    Pace,
    Pump,
    Stage,
)
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE, RESET, START, STOP, Order
from simulators.physics.record import Record
from simulators.physics.told import NONE, Told

OF_ROOM = ("level", "inflow", "main_flow", "main_pressure", "mode", "!state", "!mode", "!producing", "!intelligent")
OF_PUMP = (
    "state", "flow", "pressure", "suction", "front_bearing_temp", "winding_temp", "discharge_valve", "priming_valve",
    "power", "mode", "fault_code", "starts_total", "!state",
)  # fmt: skip
BEARING, WINDING = OF_PUMP.index("front_bearing_temp"), OF_PUMP.index("winding_temp")
IN_ROOM = {
    "state": "state", "current": "current", "flow": "flow", "vacuum": "suction", "pressure": "pressure",
    "bearing_temp": "front_bearing_temp", "winding_temp": "winding_temp", "valve": "discharge_valve",
}  # fmt: skip
"""Points pump1_… to pump3_… of the room's template, and what they are of the pump."""
KINDS: Mapping[str, str] = {
    "pump_failure": "failed", "valve_stuck": "stuck", "suction_leak": "leaky", "bearing_hot": "hot_bearing",
    "winding_hot": "hot_winding", "overload": "heavy",
}  # fmt: skip


class Drainage(Part):
    """Inputs: `order` (how the room is run), `attended` (somebody is in it), `period` (index in PERIODS),
    `powered` by pump. Output: `power_kw` by pump. Truth `<room>!state`: pumps running;
    `<room>!intelligent`: remote or automatic, and nobody there. `<pump>!state`: the `Stage`."""

    def __init__(self, design: DrainageDesign, start_us: int, rng: np.random.Generator) -> None:
        self.design, self.now_us = design, start_us
        self.order = Order(produce=True, intelligent=True, mode=AUTO)
        self.attended = False
        self.period = FLAT
        self.powered: dict[str, bool] = dict.fromkeys(design.pumps, True)
        self.power_kw: dict[str, float] = dict.fromkeys(design.pumps, 0.0)
        self._rng, shake = rng.spawn(2)
        self.pumps = [Pump(design, 3000.0 + 40.0 * n) for n in range(len(design.pumps))]
        for name, pump in zip(design.pumps, self.pumps, strict=True):
            pump.in_repair = name in design.in_repair
        self.level = 0.5 * (design.low + design.high)
        self.inflow = design.inflow
        self.flow = 0.0
        self.came_m3 = self.pumped_m3 = self.spilled_m3 = 0.0
        self.surge = 0.0
        self.mode = AUTO
        self._pace = Pace.of(1.0)
        self._ordered = self.order
        self.control = LevelControl(design)
        self._mean = 1.0
        self._next_draw_us = start_us
        self._records: list[Record] = []
        self._lay_out(shake)

    def _lay_out(self, rng: np.random.Generator) -> None:
        design, count = self.design, len(self.pumps)
        dotted = [key if key.startswith("!") else f".{key}" for key in (*OF_ROOM, *OF_PUMP)]
        self.channels = [f"{design.room}{key}" for key in dotted[: len(OF_ROOM)]]
        self.channels += [f"{pump}{key}" for pump in design.pumps for key in dotted[len(OF_ROOM) :]]
        self._stepped = len(self.channels)
        pumps, room = list(design.pumps), [design.room]
        shown = {f"pump{n + 1}_{key}": room for n in range(min(3, count)) for key in IN_ROOM}
        kept = dict.fromkeys(("current", "voltage", "rear_bearing_temp", "vibration"), pumps)
        counted = dict.fromkeys(("energy", "water_total", "run_time", "!kwh"), pumps)
        modes = {"!mode": pumps, "!producing": pumps}
        more, self._at = lay_out(
            {**kept, **counted, **modes, "water_total/room": room, "energy/room": room, "!kwh/room": room, **shown},
            first=self._stepped,
        )
        self._told = Told((design.room, *design.pumps))
        self.channels += more + self._told.channels
        self._row = [0.0] * self._stepped
        self._pack = struct.Struct(f"={self._stepped}d").pack_into
        self._shown_mode = -1
        hours = np.array([pump.hours for pump in self.pumps])
        self._kwh, self._hours, self._m3 = Total(count, 380.0 * hours), Total(count, hours), Total(count, 290.0 * hours)
        self._truth = Total(count)
        self._rear, self._shake = Lag(300.0, count, AMBIENT), Wander(1.0, 4.0, count, rng)
        self._quiver = Lag(3.0, count, 0.1)

    def step(self, dt: float, row: Row) -> None:
        design, pumps = self.design, self.pumps
        self.now_us += round(dt * 1e6)
        if self.now_us >= self._next_draw_us:
            self._weather()
        if self.order is not self._ordered:
            self._ordered = self.order
            self.mode = self.order.mode
        self.control.decide(self.level, self.mode, self.period, self.pumps)
        if dt != self._pace.dt:
            self._pace = Pace.of(dt)
        pace, openings = self._pace, 0.0
        for pump, powered in zip(pumps, self.powered.values(), strict=True):
            pump.powered = powered
            if pump.resting and not pump.wanted and not pump.failed:
                continue
            before = pump.stage
            pump.sequence(dt)
            if pump.stage is not before:
                self._entered(pump, before)
            if TURNING[pump.stage]:
                openings += pump.valve
        each = flow_of(design, openings)
        head = design.static_head + design.main_drop * self.flow * self.flow
        buffer, per = self._row, len(OF_PUMP)
        flow = running = 0.0
        for n, pump in enumerate(pumps):
            at = len(OF_ROOM) + n * per
            if pump.resting:
                pump.rest(pace.warm)
                buffer[at + BEARING], buffer[at + WINDING] = pump.bearing, pump.winding
                continue
            pump.physics(each, head, dt, pace)
            flow += pump.flow
            running += TURNING[pump.stage]
            self.power_kw[design.pumps[n]] = pump.power_kw
            buffer[at : at + per] = self._shown(pump)
        self.flow = flow
        self._water(dt)
        intelligent = not self.attended and self.mode in (REMOTE, AUTO)
        mode = self.mode
        if mode != self._shown_mode:
            self._show_mode()
        pressure = head * MPA_PER_M
        buffer[: len(OF_ROOM)] = self.level, self.inflow, flow, pressure, mode, running, mode, 1.0, intelligent
        self._pack(row, 0, *buffer)

    def _shown(self, pump: Pump) -> tuple[float, ...]:
        """In the order of OF_PUMP."""
        stage = pump.stage
        return (
            SHOWN[stage], pump.flow, pump.pressure, pump.suction, pump.bearing, pump.winding, self._valve(pump),
            2.0 if stage is PRIMING else 0.0, pump.power_kw, INSPECTION if pump.in_repair else self.mode, pump.fault,
            pump.starts, stage,
        )  # fmt: skip

    def _show_mode(self) -> None:
        """Also pumps at rest show the room's mode."""
        self._shown_mode = self.mode
        for n, pump in enumerate(self.pumps):
            at = len(OF_ROOM) + n * len(OF_PUMP)
            self._row[at : at + len(OF_PUMP)] = self._shown(pump)

    def _weather(self) -> None:
        """The inflow of the next minute: it goes up and down over hours."""
        self._mean += (1.0 - self._mean) * 60.0 / 20_000.0 + 0.012 * self._rng.standard_normal()
        self._mean = min(max(self._mean, 0.6), 1.5)
        self.inflow = self.design.inflow * self._mean + self.surge
        self._next_draw_us += 60_000_000

    def _water(self, dt: float) -> None:
        design = self.design
        came, went = self.inflow * dt / 3600.0, self.flow * dt / 3600.0
        self.came_m3 += came
        self.pumped_m3 += went
        level = self.level + (came - went) / design.sump_area
        if level > design.sump_depth:
            self.spilled_m3 += (level - design.sump_depth) * design.sump_area
            level = design.sump_depth
        self.level = max(level, 0.0)

    def _entered(self, pump: Pump, before: Stage) -> None:
        if pump.stage is STARTING:
            pump.began_us = self.now_us
        elif TURNING[before] and not TURNING[pump.stage]:
            number = self.pumps.index(pump) + 1
            self._records.append(
                Record(self.design.room, "pump_cycle", pump.began_us, self.now_us, {"pump": float(number)})
            )

    @staticmethod
    def _valve(pump: Pump) -> float:
        if pump.resting:
            return 0.0
        if pump.fault == 3:
            return 4.0
        if 0.0 < pump.valve < 1.0:
            return 1.0 if pump.stage in (OPENING, RUNNING) else 3.0
        return 2.0 if pump.valve >= 1.0 else 0.0

    def observe(self, dt: float, rows: Rows) -> None:
        at, design, steps = self._at, self.design, len(rows)
        rows[:, len(self.channels) - len(self._told.values) :] = self._told.values
        per, first = len(OF_PUMP), len(OF_ROOM)

        def of(key: str) -> Rows:
            return rows[:, first + OF_PUMP.index(key) : self._stepped : per]

        kw, turning = of("power"), of("!state")
        on = ((turning >= STARTING) & (turning <= CLOSING)).astype(np.float64)
        shake = self._shake.run(dt, steps)
        working = kw * (1000.0 / (1.7320508 * design.volts * 0.88))
        rows[:, at["current"]] = working * (1.0 + 0.004 * shake)
        rows[:, at["voltage"]] = design.volts * (1.0 - 0.01 * on + 0.002 * shake)
        rows[:, at["rear_bearing_temp"]] = self._rear.run(dt, of("front_bearing_temp") - 2.0 * on)
        rows[:, at["vibration"]] = self._quiver.run(dt, 0.1 + (2.0 + 0.25 * shake) * on)
        rows[:, at["energy"]] = self._kwh.run(dt, kw / 3600.0)
        rows[:, at["!kwh"]] = self._truth.run(dt, kw / 3600.0)
        rows[:, at["water_total"]] = self._m3.run(dt, of("flow") / 3600.0)
        rows[:, at["run_time"]] = self._hours.run(dt, on / 3600.0)
        rows[:, at["!mode"]] = of("mode")
        rows[:, at["!producing"]] = of("state") == 2.0
        for mine, theirs in (("water_total/room", "water_total"), ("energy/room", "energy"), ("!kwh/room", "!kwh")):
            total = rows[:, at[mine].start]
            total[:] = 0.0
            for column in range(at[theirs].start, at[theirs].stop):
                total += rows[:, column]
        for n in range(min(3, len(self.pumps))):
            for key, source in IN_ROOM.items():
                column = at["current"].start + n if source == "current" else first + n * per + OF_PUMP.index(source)
                rows[:, at[f"pump{n + 1}_{key}"].start] = rows[:, column]

    def command(self, equipment: str, key: str, value: float) -> None:
        """`mode_command` for the room; `command` 1 start, 2 stop, 3 reset for a pump, in remote mode."""
        if value != NONE or key not in ("command", "mode_command"):
            self._obey(equipment, key, value)
        self._told.take(equipment, key, value)

    def _obey(self, equipment: str, key: str, value: float) -> None:
        if key == "mode_command" and value in (LOCAL, REMOTE, AUTO, INSPECTION):
            self.mode = int(value)
            return
        if key != "command" or equipment not in self.design.pumps or value not in (START, STOP, RESET):
            raise Refused(f"{equipment} 不接受 {key} = {value:g} · does not take {key} = {value:g}")
        pump = self.pumps[self.design.pumps.index(equipment)]
        if value == RESET:
            pump.reset()
        elif self.mode != REMOTE:
            raise Refused(f"{equipment} 不在远程方式 · is not in remote mode")
        elif value == START:
            if not pump.ready:
                raise Refused(f"{equipment} 不具备启动条件 · is not ready to start")
            pump.wanted = True
        else:
            pump.wanted = False
        if value != RESET:
            self.control.commanded = True

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Room: `inflow_surge`, m³/h more. Pumps: `pump_failure`, `valve_stuck`, `suction_leak` (1), `bearing_hot`,
        `winding_hot` (K), `overload` (share of power more)."""
        if equipment == self.design.room and kind == "inflow_surge":
            self.surge = max(amount, 0.0)
            self.inflow = self.design.inflow * self._mean + self.surge
        elif equipment in self.design.pumps and kind in KINDS:
            pump, name = self.pumps[self.design.pumps.index(equipment)], KINDS[kind]
            setattr(pump, name, amount > 0 if isinstance(getattr(pump, name), bool) else amount)
        else:
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {self.design.room: ("inflow_surge",), **dict.fromkeys(self.design.pumps, tuple(KINDS))}

    def events(self) -> list[Record]:
        """Runs of pumps that have ended since the last call."""
        told, self._records = self._records, []
        return told
