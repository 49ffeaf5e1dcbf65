"""What meters, feeders and transformers show, for many steps at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.power import PowerDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.part import Rows
from simulators.physics.electricity.demand import Demand
from simulators.physics.electricity.grid import DEAD, LOW_AT, Array, Flow, Grid
from simulators.physics.electricity.registers import Registers
from simulators.physics.electricity.switchgear import FAULTS, NO_VOLTAGE
from simulators.physics.electricity.tariff import Clock

ROOT3 = 1.7320508075688772
PHASES = ("a", "b", "c")
LINES = ("ab", "bc", "ca")
STATUS = ("breaker", *FAULTS, "trips_total", "mode", "fault_code")
UNEVEN = (0.999, 1.0, 1.001)
"""Voltages of the three phases."""


def sections(design: PowerDesign) -> dict[str, Sequence[str]]:
    """The channels, for `lay_out`: first what `step` writes, the consumers' power and the panels' states."""
    feeders, transformers = list(design.feeders), list(design.transformers)
    meters = [*(design.meter_of(name) for name in design.consumers), design.incoming]
    return {
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
        **{f"{key}/feeder": feeders for key in ("active_power", "reactive_power", "power_factor", "frequency")},
        **{f"{key}/feeder": feeders for key in ("energy", "reactive_energy", "insulation")},
        **dict.fromkeys(("zero_current", "isolator", "earth_switch", "under_voltage"), feeders),
        **{f"current_{phase}/transformer": transformers for phase in PHASES},
        **dict.fromkeys(("high_voltage", "low_voltage", "load", "winding_temp", "core_temp"), transformers),
        **{f"{key}/transformer": transformers for key in ("active_power", "power_factor", "energy", "insulation")},
        **{f"{key}/transformer": transformers for key in ("earth_leakage", "over_current", "fault_code")},
        **dict.fromkeys(("high_breaker", "low_breaker", "over_temperature"), transformers),
        "!kwh": [design.incoming, "losses"],
        "!state/losses": ["losses"],
    }


class Readings:
    """Of one grid; `at`: where each section's columns are."""

    def __init__(
        self,
        design: PowerDesign,
        grid: Grid,
        at: Mapping[str, slice],
        clock: Clock,
        start_us: int,
        rng: np.random.Generator,
    ) -> None:
        self.grid, self.at, self.volts = grid, at, design.volts
        count, nodes, transformers = len(design.consumers) + 1, len(grid.nodes), len(design.transformers)
        self._nominal = np.append(grid.consumer_volts, design.volts)
        begun = np.round(rng.uniform(2e4, 4e6, count), 2)
        self._registers, self._demand = Registers(begun), Demand(begun, start_us, clock)
        self._kvarh = Total(count, np.round(0.4 * begun, 2))
        self._node_kwh = Total(nodes, np.round(rng.uniform(1e5, 6e6, nodes), 1))
        self._node_kvarh = Total(nodes, np.round(rng.uniform(5e4, 3e6, nodes), 1))
        self._truth = Total(2)
        sway, beat, damp = rng.spawn(3)
        self._sway, self._beat = Wander(0.004, 300.0, 1, sway), Wander(0.015, 60.0, 1, beat)
        self._damp = Wander(0.03, 900.0, nodes, damp)
        self._insulation = rng.uniform(800.0, 6000.0, nodes)
        self._skew = 1.0 + design.unbalance * rng.standard_normal((3, count + nodes))
        self._winding, self._core = Lag(5400.0, transformers, 62.0), Lag(7200.0, transformers, 62.0)

    def run(self, dt: float, rows: Rows) -> None:
        """Complete what `step` has left open."""
        at, grid, steps = self.at, self.grid, len(rows)
        consumers = len(grid.consumer_node)
        kw = rows[:, :consumers].copy()
        kvar = grid.reactive(kw)
        supply = rows[:, at["!state/supply"].start].copy()
        live = grid.energised(_turned(rows[:, at["breaker/status"]]), (supply > DEAD).astype(np.float64))
        u = supply * (1.0 + self._sway.run(dt, steps)[:, 0])
        frequency = (50.0 + self._beat.run(dt, steps)) * (supply[:, np.newaxis] > 0)
        flow = grid.flow(_turned(kw), _turned(kvar), live, u)
        p, q = np.empty((steps, consumers + 1)), np.empty((steps, consumers + 1))
        p[:, :-1], p[:, -1], q[:, :-1], q[:, -1] = kw, flow.incoming_p, kvar, flow.incoming_q
        volts = np.empty_like(p)
        np.multiply(flow.u_out[grid.consumer_node].T, grid.consumer_volts, out=volts[:, :-1])
        volts[:, -1] = u * self.volts
        self._meters(dt, rows, p, q, volts, frequency)
        rows[:, at["!kwh"]] = self._truth.run(dt, np.stack([flow.incoming_p, flow.lost], axis=1) / 3600.0)
        rows[:, at["!state/losses"].start] = supply > DEAD
        self._panels(dt, rows, flow, live, frequency)

    def _meters(self, dt: float, rows: Rows, p: Array, q: Array, volts: Array, frequency: Array) -> None:
        at, nodes = self.at, len(self.grid.nodes)
        amps, factor = _amps(p, q, volts, self._nominal)
        for number, phase in enumerate(PHASES):
            np.multiply(volts, UNEVEN[number] / ROOT3, out=rows[:, at[f"voltage_{phase}"]])
            np.multiply(amps, self._skew[number, nodes:], out=rows[:, at[f"current_{phase}/meter"]])
        rows[:, at["active_power/meter"].stop - 1] = p[:, -1]
        rows[:, at["reactive_power/meter"]] = q
        rows[:, at["power_factor/meter"]] = factor
        rows[:, at["frequency/meter"]] = frequency
        shown = [rows[:, at[f"energy{key}/meter"]] for key in Registers.KEYS]
        total = self._registers.run(dt, p, rows[:, at["!state/tariff"].start], shown)
        rows[:, at["energy/meter"]] = total
        rows[:, at["energy_back/meter"]] = 0.0
        self._demand.run(round(dt * 1e6), total, rows[:, at["demand/meter"]])
        rows[:, at["reactive_energy/meter"]] = self._kvarh.run(dt, q / 3600.0)

    def _panels(self, dt: float, rows: Rows, flow: Flow, live: Array, frequency: Array) -> None:
        """Feeders, as their panels show them; behind them the transformers."""
        at, grid, f = self.at, self.grid, self.grid.feeders
        p, q, u = _turned(flow.p), _turned(flow.q), _turned(flow.u_in)
        kwh, kvarh = self._node_kwh.run(dt, p / 3600.0), self._node_kvarh.run(dt, q / 3600.0)
        wet = self._insulation * (1.0 + self._damp.run(dt, len(rows)))
        volts = u[:, :f] * grid.volts_in[:f]
        amps, factor = _amps(p[:, :f], q[:, :f], volts, grid.volts_in[:f])
        for number, line in enumerate(LINES):
            np.multiply(volts, UNEVEN[number], out=rows[:, at[f"voltage_{line}"]])
            np.multiply(amps, self._skew[number, :f], out=rows[:, at[f"current_{PHASES[number]}/feeder"]])
        rows[:, at["active_power/feeder"]] = p[:, :f]
        rows[:, at["reactive_power/feeder"]] = q[:, :f]
        rows[:, at["power_factor/feeder"]] = factor
        rows[:, at["frequency/feeder"]] = frequency
        rows[:, at["energy/feeder"]] = kwh[:, :f]
        rows[:, at["reactive_energy/feeder"]] = kvarh[:, :f]
        rows[:, at["insulation/feeder"]] = np.where(rows[:, at["earth_leakage/status"]] > 0, 6.0, wet[:, :f])
        rows[:, at["zero_current"]] = 0.02 + 0.0005 * amps
        rows[:, at["isolator"]] = 1.0
        rows[:, at["earth_switch"]] = 0.0
        gone = u[:, :f] < LOW_AT
        rows[:, at["under_voltage"]] = gone
        if gone.any():
            code = rows[:, at["fault_code/status"]]
            code[gone & (code == 0.0)] = NO_VOLTAGE
        if len(grid.nodes) > f:
            self._transformers(dt, rows, p[:, f:], q[:, f:], u[:, f:], flow.u_out[f:].T, live[f:].T)
            rows[:, at["energy/transformer"]] = kwh[:, f:]
            rows[:, at["insulation/transformer"]] = wet[:, f:]

    def _transformers(self, dt: float, rows: Rows, p: Array, q: Array, u_in: Array, u_out: Array, live: Array) -> None:
        at, f = self.at, self.grid.feeders
        volts = u_out * self.grid.volts_out[f:]
        amps, factor = _amps(p, q, volts, self.grid.volts_out[f:])
        load = np.sqrt(p * p + q * q) / self.grid.kva[f:]
        for number, phase in enumerate(PHASES):
            rows[:, at[f"current_{phase}/transformer"]] = amps * self._skew[number, f : f + load.shape[1]]
        rows[:, at["high_voltage"]] = u_in * self.grid.volts_in[f:]
        rows[:, at["low_voltage"]] = volts
        rows[:, at["load"]] = 100.0 * load
        rows[:, at["active_power/transformer"]] = p
        rows[:, at["power_factor/transformer"]] = factor
        square = load * load
        winding = self._winding.run(dt, 38.0 + 10.0 * live + 62.0 * square)
        rows[:, at["winding_temp"]] = winding
        rows[:, at["core_temp"]] = self._core.run(dt, 36.0 + 22.0 * live + 22.0 * square)
        rows[:, at["high_breaker"]] = u_in > DEAD
        rows[:, at["low_breaker"]] = live
        rows[:, at["over_temperature"]] = winding > 120.0
        for key in ("earth_leakage/transformer", "over_current/transformer", "fault_code/transformer"):
            rows[:, at[key]] = 0.0


def _turned(values: Array) -> Array:
    """Columns to rows, or back, side by side in memory."""
    return np.ascontiguousarray(values.T)


def _amps(p: Array, q: Array, volts: Array, nominal: Array) -> tuple[Array, Array]:
    """Currents, A, and power factors (1 without load); while voltage goes, those of half of it at most."""
    s = p * p
    s += q * q
    np.sqrt(s, out=s)
    amps = np.maximum(volts, 0.5 * nominal)
    np.divide(s, amps, out=amps)
    amps *= 1000.0 / ROOT3
    s += 1e-9
    return amps, (p + 1e-9) / s
