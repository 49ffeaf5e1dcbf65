"""Electricity: what consumers take, what feeders and meters show of it, and who has power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.power import PowerDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.layout import lay_out
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.electricity.demand import Demand
from simulators.physics.electricity.grid import Array, Grid
from simulators.physics.electricity.registers import Registers
from simulators.physics.electricity.switchgear import FAULTS, NO_VOLTAGE, Switchgear
from simulators.physics.electricity.tariff import Clock
from simulators.physics.record import Record

ROOT3 = 1.7320508075688772
PHASES = ("a", "b", "c")
LINES = ("ab", "bc", "ca")
STATUS = ("breaker", *FAULTS, "trips_total", "mode", "fault_code")
LIVE_AT = 0.5
"""Of nominal voltage; below it contactors drop."""


class Electricity(Part):
    """Fill `consumers` (kW by name, all of them) before each step and step it last; what it says in
    `powered` then holds for the next step. `locked`: feeders that the gas lock holds open.
    Truth: `<incoming>!kwh`; `losses!kwh`; `<incoming>!state`, the supply's voltage of nominal;
    `tariff!state`, the register that counts (0 sharp, 1 peak, 2 flat, 3 valley)."""

    def __init__(self, design: PowerDesign, time_zone: str, start_us: int, rng: np.random.Generator) -> None:
        self.design = design
        self.grid, self.switchgear = Grid(design), Switchgear(design)
        self.consumers: dict[str, float] = dict.fromkeys(design.consumers, 0.0)
        self.powered: dict[str, bool] = dict.fromkeys(design.consumers, True)
        self.locked = self.switchgear.locked
        self.supply = 1.0
        self.now_us = start_us
        self._records: list[Record] = []
        self._clock = Clock(design.tariff, time_zone)
        feeders, transformers = list(design.feeders), list(design.transformers)
        self._consumers = len(design.consumers)
        meters = [*(design.meter_of(name) for name in design.consumers), design.incoming]
        self.channels, self._at = lay_out(
            {
                "active_power/meter": meters,
                **{f"{key}/status": feeders for key in STATUS},
                "!state/supply": [design.incoming],
                "!state/tariff": ["tariff"],
                **{f"voltage_{phase}": meters for phase in PHASES},
                **{f"current_{phase}/meter": meters for phase in PHASES},
                **{f"{key}/meter": meters for key in ("reactive_power", "power_factor", "frequency", "demand")},
                **{f"energy{key}/meter": meters for key in ("", *Registers.KEYS, "_back")},
                "reactive_energy/meter": meters,
                **{f"voltage_{line}": feeders for line in LINES},
                **{f"current_{phase}/feeder": feeders for phase in PHASES},
                **{f"{key}/feeder": feeders for key in ("active_power", "reactive_power", "power_factor")},
                **{f"{key}/feeder": feeders for key in ("frequency", "energy", "reactive_energy", "insulation")},
                **dict.fromkeys(("zero_current", "isolator", "earth_switch", "under_voltage"), feeders),
                **{f"current_{phase}/transformer": transformers for phase in PHASES},
                **dict.fromkeys(("high_voltage", "low_voltage", "load", "winding_temp", "core_temp"), transformers),
                **{f"{key}/transformer": transformers for key in ("active_power", "power_factor", "energy")},
                **{f"{key}/transformer": transformers for key in ("insulation", "earth_leakage", "over_current")},
                **dict.fromkeys(("high_breaker", "low_breaker", "over_temperature"), transformers),
                "fault_code/transformer": transformers,
                "!kwh": [design.incoming, "losses"],
            }
        )
        first, last = self._at["breaker/status"].start, self._at["!state/tariff"].stop
        self._status_at = slice(first, last)
        self._status = np.zeros(last - first)
        self._period_until = 0
        self._chains = [
            [
                self.switchgear.index[above]
                for above in (one.feeder, *design.above(one.feeder))
                if above in design.feeders
            ]
            for one in design.consumers.values()
        ]
        count, nodes = len(meters), len(self.grid.nodes)
        begun = np.round(rng.uniform(2e4, 4e6, count), 2)
        self._registers = Registers(begun)
        self._demand = Demand(begun, start_us, self._clock)
        self._kvarh = Total(count, np.round(0.4 * begun, 2))
        self._node_kwh = Total(nodes, np.round(rng.uniform(1e5, 6e6, nodes), 1))
        self._node_kvarh = Total(nodes, np.round(rng.uniform(5e4, 3e6, nodes), 1))
        self._truth = Total(2)
        sway, beat, damp = rng.spawn(3)
        self._sway, self._beat = Wander(0.004, 300.0, 1, sway), Wander(0.015, 60.0, 1, beat)
        self._damp = Wander(0.03, 900.0, nodes, damp)
        self._insulation = rng.uniform(800.0, 6000.0, nodes)
        self._skew = 1.0 + design.unbalance * rng.standard_normal((3, count + nodes))
        warm = np.full(len(transformers), 62.0)
        self._winding, self._core = Lag(5400.0, len(transformers), warm), Lag(7200.0, len(transformers), warm)

    def step(self, dt: float, row: Row) -> None:
        self.now_us += round(dt * 1e6)
        if len(self.consumers) != self._consumers:
            extra = sorted(set(self.consumers) - set(self.powered))
            raise KeyError(f"电网中没有用电设备 {extra} · the section `power` has no consumer of that name")
        row[: self._consumers] = tuple(self.consumers.values())
        switchgear = self.switchgear
        switchgear.step(dt)
        if self.now_us >= self._period_until:
            self._status[-1], self._period_until = self._clock.period(self.now_us)
        if switchgear.changed:
            self._switched()
        row[self._status_at] = self._status

    def _switched(self) -> None:
        """A breaker or the supply is different: who has power now, and what the panels show."""
        gear = self.switchgear
        gear.changed = False
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
        at, grid, steps = self._at, self.grid, len(rows)
        closed = rows[:, at["breaker/status"]].T.copy()
        supply = rows[:, at["!state/supply"].start].copy()
        kw = rows[:, : self._consumers].T.copy()
        kvar = grid.reactive(kw)
        live = grid.energised(closed, (supply > LIVE_AT).astype(np.float64))
        sway = self._sway.run(dt, steps)[:, 0]
        frequency = (50.0 + self._beat.run(dt, steps)) * (supply[:, np.newaxis] > 0)
        flow = grid.flow(kw, kvar, live, supply * (1.0 + sway))
        p = np.concatenate([kw, flow.incoming_p[np.newaxis]])
        q = np.concatenate([kvar, flow.incoming_q[np.newaxis]])
        incoming_volts = supply * (1.0 + sway) * self.design.volts
        volts = np.concatenate([flow.u_out[grid.consumer_node] * grid.consumer_volts, incoming_volts[np.newaxis]])
        self._meters(dt, rows, p, q, volts, frequency)
        rows[:, at["!kwh"]] = self._truth.run(dt, np.stack([flow.incoming_p, flow.lost], axis=1) / 3600.0)
        node_kwh = self._node_kwh.run(dt, flow.p.T / 3600.0)
        node_kvarh = self._node_kvarh.run(dt, flow.q.T / 3600.0)
        wet = self._insulation * (1.0 + self._damp.run(dt, steps))
        f = grid.feeders
        volts = flow.u_in * grid.volts_in[:, np.newaxis]
        amps, factor = _amps(flow.p, flow.q, volts, grid.volts_in[:, np.newaxis])
        for number, line in enumerate(LINES):
            rows[:, at[f"voltage_{line}"]] = (volts[:f] * (1.0 + 0.001 * (number - 1))).T
            rows[:, at[f"current_{PHASES[number]}/feeder"]] = (amps[:f] * self._skew[number, :f, np.newaxis]).T
        rows[:, at["active_power/feeder"]] = flow.p[:f].T
        rows[:, at["reactive_power/feeder"]] = flow.q[:f].T
        rows[:, at["power_factor/feeder"]] = factor[:f].T
        rows[:, at["frequency/feeder"]] = frequency
        rows[:, at["energy/feeder"]] = node_kwh[:, :f]
        rows[:, at["reactive_energy/feeder"]] = node_kvarh[:, :f]
        leaking = rows[:, at["earth_leakage/status"]]
        rows[:, at["insulation/feeder"]] = np.where(leaking > 0, 6.0, wet[:, :f])
        rows[:, at["zero_current"]] = 0.02 + 0.0005 * amps[:f].T
        rows[:, at["isolator"]] = 1.0
        rows[:, at["earth_switch"]] = 0.0
        gone = (flow.u_in[:f] < LIVE_AT).T
        rows[:, at["under_voltage"]] = gone
        code = rows[:, at["fault_code/status"]]
        code[gone & (code == 0.0)] = NO_VOLTAGE
        if len(grid.nodes) > f:
            self._transformers(dt, rows, flow.p[f:], flow.q[f:], flow.u_in[f:], flow.u_out[f:], live[f:])
            rows[:, at["energy/transformer"]] = node_kwh[:, f:]
            rows[:, at["insulation/transformer"]] = wet[:, f:]

    def _meters(self, dt: float, rows: Rows, p: Array, q: Array, volts: Array, frequency: Array) -> None:
        at = self._at
        nominal = np.concatenate([self.grid.consumer_volts, [[self.design.volts]]])
        amps, factor = _amps(p, q, volts, nominal)
        nodes = len(self.grid.nodes)
        for number, phase in enumerate(PHASES):
            rows[:, at[f"voltage_{phase}"]] = (volts * ((1.0 + 0.001 * (number - 1)) / ROOT3)).T
            rows[:, at[f"current_{phase}/meter"]] = (amps * self._skew[number, nodes:, np.newaxis]).T
        rows[:, at["active_power/meter"].stop - 1] = p[-1]
        rows[:, at["reactive_power/meter"]] = q.T
        rows[:, at["power_factor/meter"]] = factor.T
        rows[:, at["frequency/meter"]] = frequency
        registers = self._registers.run(dt, p, rows[:, at["!state/tariff"].start])
        for key, counted in zip(("", *Registers.KEYS), registers, strict=True):
            rows[:, at[f"energy{key}/meter"]] = counted.T
        rows[:, at["energy_back/meter"]] = 0.0
        rows[:, at["demand/meter"]] = self._demand.run(round(dt * 1e6), registers[0]).T
        rows[:, at["reactive_energy/meter"]] = self._kvarh.run(dt, q.T / 3600.0)

    def _transformers(self, dt: float, rows: Rows, p: Array, q: Array, u_in: Array, u_out: Array, live: Array) -> None:
        at, f = self._at, self.grid.feeders
        volts = u_out * self.grid.volts_out[f:, np.newaxis]
        amps, factor = _amps(p, q, volts, self.grid.volts_out[f:, np.newaxis])
        load = np.sqrt(p * p + q * q) / self.grid.kva[f:, np.newaxis]
        for number, phase in enumerate(PHASES):
            rows[:, at[f"current_{phase}/transformer"]] = (amps * self._skew[number, f : f + len(p), np.newaxis]).T
        rows[:, at["high_voltage"]] = (u_in * self.grid.volts_in[f:, np.newaxis]).T
        rows[:, at["low_voltage"]] = volts.T
        rows[:, at["load"]] = 100.0 * load.T
        rows[:, at["active_power/transformer"]] = p.T
        rows[:, at["power_factor/transformer"]] = factor.T
        square = (load * load).T
        rows[:, at["winding_temp"]] = self._winding.run(dt, 38.0 + 10.0 * live.T + 62.0 * square)
        rows[:, at["core_temp"]] = self._core.run(dt, 36.0 + 22.0 * live.T + 22.0 * square)
        rows[:, at["high_breaker"]] = u_in.T > LIVE_AT
        rows[:, at["low_breaker"]] = live.T
        rows[:, at["over_temperature"]] = rows[:, at["winding_temp"]] > 120.0
        for key in ("earth_leakage/transformer", "over_current/transformer", "fault_code/transformer"):
            rows[:, at[key]] = 0.0

    def command(self, equipment: str, key: str, value: float) -> None:
        if equipment not in self.switchgear.index:
            raise Refused(f"{equipment} 没有可以下达的命令 '{key}' · takes no command '{key}'")
        self.switchgear.command(equipment, key, value)
        self._switched()

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


def _amps(p: Array, q: Array, volts: Array, nominal: Array) -> tuple[Array, Array]:
    """Currents, A, and power factors (1 without load); while voltage goes, those of half of it at most."""
    s = np.sqrt(p * p + q * q)
    amps = s * (1000.0 / ROOT3) / np.maximum(volts, 0.5 * nominal)
    return amps, np.divide(p, s, out=np.ones_like(s), where=s > 0.0)
