"""Compressors that load and unload on common receivers: V·dp/dt = p0·(ΣQ − demand)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.compressors import CompressorsDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.order import AUTO, INSPECTION, LOCAL, REMOTE, RESET, START, STOP, Order
from simulators.physics.told import NONE, Told

STOPPED, UNLOADED, LOADED, TRIPPED = 0, 1, 2, 3
"""Truth `<compressor>!state`."""
ATMOSPHERE = 0.1
STEPPED = ("running", "load_state", "receiver_pressure", "flow", "power", "mode", "fault_code", "!state")
CREW_RESETS_S = 900.0
"""So long after the cause of a trip has gone somebody has looked at the machine and reset it."""
RESTART_S = 8.0
"""From start to load."""
OFFSET = 0.02
"""MPa between the set points of one machine and the next."""


class Compressors(Part):
    """Inputs: `order`, `powered` by machine, `extra_demand` (m³/min beside the mean). Output: `power_kw` by machine,
    `pressure` MPa."""

    def __init__(self, design: CompressorsDesign, start_us: int, rng: np.random.Generator) -> None:
        self.design, self.now_us = design, start_us
        self.order = Order(produce=True, intelligent=True, mode=AUTO)
        count = len(design.machines)
        self.powered: dict[str, bool] = dict.fromkeys(design.machines, True)
        self.power_kw: dict[str, float] = dict.fromkeys(design.machines, 0.0)
        self.extra_demand = 0.0
        self.pressure = 0.78
        self.delivered_m3 = self.taken_m3 = 0.0
        self.mode = AUTO
        self._ordered = self.order
        self._rng, shake = rng.spawn(2)
        self._state = [UNLOADED] + [STOPPED] * (count - 1)
        self._since = [0.0] * count
        self._hours = [2000.0 + 130.0 * n for n in range(count)]
        self._lead = list(range(count))
        self._held = [False] * count
        self._fault = [0] * count
        self._hot = [0.0] * count
        self._leak = 0.0
        self._flow, self._changed = 0.0, True
        self._demand, self._next_us = design.demand, start_us
        machines = list(design.machines)
        self.channels, self._at = lay_out(
            dict.fromkeys(STEPPED, machines)
            | dict.fromkeys(("discharge_pressure", "discharge_temp", "receiver_temp", "oil_pressure"), machines)
            | dict.fromkeys(("oil_temp", "cooling_pressure", "cooling_temp", "current", "motor_temp"), machines)
            | dict.fromkeys(("bearing_temp", "energy", "run_time", "load_time", "!kwh", "!mode"), machines)
            | {"!producing": machines}
        )
        self._told = Told(machines)
        self.channels += self._told.channels
        self._row = np.zeros(len(STEPPED) * count)
        self._pressures = self._row[self._at["receiver_pressure"]]
        hours = np.array(self._hours)
        self._kwh, self._run = Total(count, 190.0 * hours), Total(count, hours)
        self._loaded, self._truth = Total(count, 0.7 * hours), Total(count)
        self._shake = Wander(1.0, 5.0, count, shake)
        lags = {"discharge_temp": 120.0, "oil_temp": 400.0, "motor_temp": 1500.0, "bearing_temp": 900.0}
        self._lags = {key: Lag(tau, count, 25.0) for key, tau in (lags | {"receiver_temp": 900.0}).items()}

    def step(self, dt: float, row: Row) -> None:
        design = self.design
        self.now_us += round(dt * 1e6)
        if self.now_us >= self._next_us:
            self._draw()
        if self.order is not self._ordered:
            self._ordered = self.order
            self.mode = self.order.mode
            self._changed = True
        states, pressure, last = self._state, self.pressure, len(self._lead) - 1
        for rank, n in enumerate(self._lead):
            # One that stands is left alone until the pressure asks for it.
            if states[n] != STOPPED or pressure <= design.load_at + OFFSET * (last - rank):
                self._decide(n, rank, dt)
        for n, state in enumerate(states):
            if state in (LOADED, UNLOADED):
                self._hours[n] += dt / 3600.0
        if self._changed:
            self._show()
        flow = self._flow
        demand = (self._demand + self.extra_demand + self._leak) * min(1.0, max(0.0, self.pressure) / 0.4)
        self.delivered_m3 += flow * dt / 60.0
        self.taken_m3 += demand * dt / 60.0
        self.pressure += ATMOSPHERE * (flow - demand) * dt / 60.0 / design.receiver_m3
        self._pressures[:] = self.pressure
        row[: len(self._row)] = self._row

    def _show(self) -> None:
        """A machine or the mode is different."""
        design, row, count = self.design, self._row, len(self._state)
        self._changed = False
        self._flow = design.delivery * self._state.count(LOADED)
        for n, (name, state) in enumerate(zip(design.machines, self._state, strict=True)):
            loaded, running = state == LOADED, state in (UNLOADED, LOADED)
            kw = design.motor_kw * (1.0 if loaded else design.unloaded) if running else 0.0
            self.power_kw[name] = kw
            delivered = design.delivery if loaded else 0.0
            row[n::count] = running, loaded, self.pressure, delivered, kw, self.mode, self._fault[n], state

    def _draw(self) -> None:
        """The demand of the next half minute; once a day another machine leads."""
        design = self.design
        back = 0.05 * (design.demand - self._demand)
        self._demand = max(
            0.2 * design.demand, self._demand + back + 0.06 * design.demand * self._rng.standard_normal()
        )
        self._next_us += 30_000_000
        if self.now_us % 86_400_000_000 < 30_000_000:
            self._lead = sorted(self._lead, key=lambda n: self._hours[n])

    def _decide(self, n: int, rank: int, dt: float) -> None:
        """`rank`: 0 leads, the next one loads at a little less pressure."""
        design, state = self.design, self._state[n]
        hot = state == TRIPPED and self._hot[n] > 0
        self._since[n] = 0.0 if hot else self._since[n] + dt
        if not self.powered[design.machines[n]] or self._held[n]:
            new = STOPPED if state != TRIPPED else TRIPPED
        elif state == TRIPPED and self._hot[n] <= 0 and self._since[n] >= CREW_RESETS_S:
            new, self._fault[n] = STOPPED, 0
        elif state == TRIPPED or (self._hot[n] > 0 and state != STOPPED and self._since[n] > 60.0):
            self._fault[n] = self._fault[n] or 1
            new = TRIPPED
        elif state == LOADED:
            new = UNLOADED if self.pressure >= design.unload_at - OFFSET * rank else LOADED
        elif self.pressure <= design.load_at + OFFSET * (len(self._lead) - 1 - rank):
            new = LOADED if state == UNLOADED and self._since[n] > RESTART_S else UNLOADED
        else:
            new = STOPPED if self._since[n] > 60.0 * design.idle_min else state
        if new != state:
            self._state[n], self._since[n], self._changed = new, 0.0, True

    def observe(self, dt: float, rows: Rows) -> None:
        at, steps = self._at, len(rows)
        rows[:, len(self.channels) - len(self._told.values) :] = self._told.values
        shake = self._shake.run(dt, steps)
        on, loaded = rows[:, at["running"]], rows[:, at["load_state"]]
        kw, pressure = rows[:, at["power"]], rows[:, at["receiver_pressure"]]
        hot = 60.0 * (rows[:, at["fault_code"]] > 0)
        targets = {
            "discharge_temp": 26.0 + on * (52.0 + 8.0 * loaded) + hot,
            "oil_temp": 25.0 + on * (30.0 + 12.0 * loaded),
            "motor_temp": 26.0 + on * (22.0 + 38.0 * loaded),
            "bearing_temp": 25.0 + on * (22.0 + 9.0 * loaded),
            "receiver_temp": 24.0 + 14.0 * loaded,
        }
        for key, target in targets.items():
            rows[:, at[key]] = self._lags[key].run(dt, target)
        rows[:, at["discharge_pressure"]] = pressure + on * (0.004 + 0.012 * loaded)
        rows[:, at["oil_pressure"]] = on * (0.24 + 0.05 * loaded + 0.004 * shake)
        rows[:, at["cooling_pressure"]] = on * (0.32 + 0.006 * shake)
        rows[:, at["cooling_temp"]] = 22.0 + on * 6.0 + 0.2 * shake
        rows[:, at["current"]] = kw * (1000.0 / (1.7320508 * self.design.volts * 0.87)) * (1.0 + 0.01 * shake)
        rows[:, at["energy"]] = self._kwh.run(dt, kw / 3600.0)
        rows[:, at["!kwh"]] = self._truth.run(dt, kw / 3600.0)
        rows[:, at["run_time"]] = self._run.run(dt, on / 3600.0)
        rows[:, at["load_time"]] = self._loaded.run(dt, loaded / 3600.0)
        rows[:, at["!mode"]] = rows[:, at["mode"]]
        rows[:, at["!producing"]] = loaded

    def command(self, equipment: str, key: str, value: float) -> None:
        """`mode_command`; `command` 1 start (released again), 2 stop, 3 reset; not in local mode."""
        if value != NONE or key not in ("command", "mode_command"):
            self._obey(equipment, key, value)
        self._told.take(equipment, key, value)

    def _obey(self, equipment: str, key: str, value: float) -> None:
        n = self.design.machines.index(equipment)
        self._changed = True
        if key == "mode_command" and value in (LOCAL, REMOTE, AUTO, INSPECTION):
            self.mode = int(value)
        elif key != "command" or value not in (START, STOP, RESET):
            raise Refused(f"{equipment} 不接受 {key} = {value:g} · does not take {key} = {value:g}")
        elif self.mode not in (REMOTE, AUTO):
            raise Refused(f"{equipment} 在就地或检修方式 · is in local or inspection mode")
        elif value == RESET:
            if self._state[n] == TRIPPED:
                self._state[n], self._fault[n] = STOPPED, 0
        elif value == START and self._state[n] == TRIPPED:
            raise Refused(f"{equipment} 保护动作未复位 · has tripped and is not reset")
        else:
            self._held[n] = value == STOP
            if value == START and self._state[n] == STOPPED:
                self._state[n], self._since[n] = UNLOADED, 0.0

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """`overheated` (1: trips within a minute of running) and `pipe_leak` (m³/min more)."""
        if equipment not in self.design.machines or kind not in ("overheated", "pipe_leak"):
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        if kind == "pipe_leak":
            self._leak = max(amount, 0.0)
        else:
            self._hot[self.design.machines.index(equipment)] = amount

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(self.design.machines, ("overheated", "pipe_leak"))
