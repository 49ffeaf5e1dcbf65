"""What the machines' instruments show of what the models know: currents, temperatures, flows and counters, many steps
at once. `raw` gives a step's numbers, in the order of `RAW`; some of them stand in the column of a reading that
`observe` makes of them, as said there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulators.design.longwall import ConveyorDesign, CrusherDesign, ShearerDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.physics.longwall.control import Control
from simulators.physics.longwall.conveyors import CONFIRMED, Conveyor, Crusher
from simulators.physics.longwall.pumps import MOTOR
from simulators.physics.longwall.shearer import Shearer
from simulators.physics.parts import motor_current

Values = NDArray[np.float64]


class Columns:
    """Channels of one equipment over several steps, by key: contiguous [steps]."""

    def __init__(self, equipment: str, index: Mapping[str, int], values: Values) -> None:
        self._equipment, self._index, self._values = equipment, index, values

    def _at(self, key: str) -> int:
        return self._index[self._equipment + (key if key[0] == "!" else "." + key)]

    def __getitem__(self, key: str) -> Values:
        return self._values[self._at(key)]

    def __setitem__(self, key: str, value: Values | float) -> None:
        self._values[self._at(key)] = value

    def put(self, keys: tuple[str, ...], values: Values) -> None:
        """[steps, keys]."""
        for n, key in enumerate(keys):
            self[key] = values[:, n]


class Amperes:
    """Current of a motor of `rated` kW at `volts` from its electrical power, no-load current included."""

    def __init__(self, rated: float, volts: float, no_load: float) -> None:
        self.rated = motor_current(rated, volts)
        self._no_load = no_load * self.rated
        self._per_kw = motor_current(MOTOR, volts)

    def of(self, kw: Values) -> Values:
        """[…] kW → [...] A; none without power."""
        return np.where(kw > 0.0, np.hypot(self._no_load, kw * self._per_kw), 0.0)


COMMANDS = ("command", "mode_command")


def commanded(c: Columns, control: Control) -> None:
    """Write what was last commanded; commands come between two blocks only."""
    c["command"], c["mode_command"] = control.last, control.last_mode


def controlled(mode: Values) -> Values:
    """Whether nobody works it by hand: remote or automatic."""
    return (mode == 2.0) | (mode == 3.0)


class ShearerReadings:
    """`left_haul_current` holds kW of one haulage motor, `pump_current` kW, `pitch` and `roll` how the seam lies."""

    RAW = (
        "position",
        "speed",
        "direction",
        "left_height",
        "right_height",
        "left_cut_current",
        "right_cut_current",
        "left_cut_temp",
        "right_cut_temp",
        "left_haul_current",
        "pump_current",
        "pitch",
        "roll",
        "support_number",
        "running",
        "mode",
        "step",
        "cut_total",
        "heartbeat",
        "!state",
        "!producing",
        "!intelligent",
        "!tonnes",
        "!kwh",
    )
    MORE = ("right_haul_current", "spray_pressure", "!mode")

    def __init__(self, design: ShearerDesign, rng: np.random.Generator) -> None:
        self._haul = Amperes(design.haulage_motor_kw, design.haulage_volts, 0.2)
        self._pump = Amperes(design.pump_motor_kw, design.haulage_volts, 0.3)
        self._noise = Wander(1.0, 1.5, 6, rng.spawn(1)[0])
        self._spray, self._tilt, self._energy = Lag(2.0, 1), Lag(8.0, 2), Total(1)

    @staticmethod
    def raw(m: Shearer, clock: float) -> tuple[float, ...]:
        way, drums = m.speed, m.drums
        return (
            m.position,
            abs(way),
            1.0 if way > 0.0 else 2.0 if way < 0.0 else 0.0,
            drums.left,
            drums.right,
            m.left_a,
            m.right_a,
            m.left_c,
            m.right_c,
            m.haul_kw,
            m.pump_kw,
            drums.target,
            drums.slope,
            m.cell + 1,
            m.on,
            m.mode,
            m.number + 1,
            m.webs,
            clock % 65536.0 // 1.0,
            m.state,
            m.producing,
            m.intelligent,
            m.cut_t,
            m.power_kw,
        )

    def observe(self, dt: float, c: Columns) -> None:
        noise, on = self._noise.run(dt, len(c["speed"])), c["running"]
        tilt = self._tilt.run(dt, np.stack([2.0 + 12.0 * c["pitch"], 1.0 + c["roll"]], axis=1))
        tilt += 0.04 * noise[:, 4:6] * on[:, np.newaxis]
        c["speed"] *= 1.0 + 0.004 * noise[:, 5]
        c["left_cut_current"] *= 1.0 + 0.01 * noise[:, 0]
        c["right_cut_current"] *= 1.0 + 0.01 * noise[:, 1]
        hauling = self._haul.of(c["left_haul_current"])
        c["left_haul_current"] = hauling * (1.02 + 0.02 * noise[:, 2])
        c["right_haul_current"] = hauling * (0.98 - 0.02 * noise[:, 2])
        c["pump_current"] = self._pump.of(c["pump_current"]) * (1.0 + 0.015 * noise[:, 3])
        wet = self._spray.run(dt, on[:, np.newaxis])[:, 0]
        c["spray_pressure"] = np.maximum(wet * (4.7 + 0.1 * noise[:, 4]), 0.0)
        c["pitch"], c["roll"] = tilt[:, 0], tilt[:, 1]
        c["!mode"] = c["mode"]
        c["!kwh"] = self._energy.run(dt, c["!kwh"][:, np.newaxis] / 3600.0)[:, 0]


class ConveyorReadings:
    """`drive.frequency`'s column of the head drive holds the load, t; `chain_tension` the pull, kN."""

    def __init__(self, design: ConveyorDesign, ambient: float, rng: np.random.Generator) -> None:
        self._design, self._ambient = design, ambient
        self._two = design.motors == 2
        self._drives = ("head_", "tail_") if self._two else ("",)
        self.RAW = [self._drives[0] + "frequency", "power", "chain_speed", "mode", "chain_break", "lockout"]
        self.RAW += ["fault_code", "!tonnes"]
        self.MORE = ["energy", "cooling_flow", "run_time", "!state", "!mode", "!producing", "!intelligent", "!kwh"]
        for drive in self._drives:
            self.MORE += [drive + key for key in ("current", "motor_temp", "gearbox_temp")]
        if self._two:
            self.RAW += ["chain_tension", "state", "lockout_place"]
            self.MORE += ["tail_frequency", "load", "cooling_pressure", "heartbeat"]
        else:
            self.RAW += ["running"]
        count = len(self._drives)
        self._amperes = Amperes(design.motor_kw, design.volts, 0.3)
        self._noise = Wander(1.0, 3.0, count + 1, rng.spawn(1)[0])
        self._winding, self._oil = Lag(1800.0, count, ambient), Lag(2700.0, count, ambient)
        self._total = Total(2)

    def raw(self, m: Conveyor, locked: bool, place: float) -> tuple[float, ...]:
        speed, control, broken = m.speed, m.control, m.broken
        fault = 1.0 if broken else 2.0 if control.tripped else 0.0
        if self._two:
            turning, where = 2.0 if speed > 0.0 else 1.0, place if locked else 0.0
            return (
                m.trough.mass,
                m.power_kw,
                speed,
                control.mode,
                broken,
                locked,
                fault,
                m.out_t,
                m.pull_kn,
                turning,
                where,
            )
        return (m.trough.mass, m.power_kw, speed, control.mode, broken, locked, fault, m.out_t, speed > 0.0)

    def observe(self, dt: float, c: Columns, heartbeat: Values) -> None:
        design, count = self._design, len(self._drives)
        noise = self._noise.run(dt, len(heartbeat))
        power, speed = c["power"], c["chain_speed"]
        moving = c["!state"] = c["state"] if self._two else c["running"]
        c["!mode"] = c["mode"]
        c["!producing"] = busy = (speed >= CONFIRMED * design.chain_speed) & (c[self.RAW[0]] > 0.05)
        c["!intelligent"] = busy & controlled(c["mode"])
        # The head drive bears a little more than the tail's.
        shares = (0.53, 0.47) if self._two else (1.0,)
        amps = np.stack([self._amperes.of(power * share) for share in shares], axis=1)
        load = (amps / self._amperes.rated) ** 2
        warm = self._winding.run(dt, self._ambient + 80.0 * load)
        oil = self._oil.run(dt, self._ambient + 12.0 * (amps > 0.0) + 45.0 * load)
        amps *= 1.0 + 0.012 * noise[:, :count]
        for n, drive in enumerate(self._drives):
            c[drive + "current"], c[drive + "motor_temp"], c[drive + "gearbox_temp"] = amps[:, n], warm[:, n], oil[:, n]
            c[drive + "frequency"] = 50.0 * speed / design.chain_speed
        on = power > 0.0
        if self._two:
            c["load"] = 100.0 * power * MOTOR / (count * design.motor_kw)
            c["chain_tension"] = np.where(on, 40.0 + 0.55 * c["chain_tension"] * (1.0 + 0.03 * noise[:, -1]), 35.0)
            c["cooling_pressure"] = np.where(on, 2.1 + 0.03 * noise[:, -1], 0.3)
            c["heartbeat"] = heartbeat
        c["cooling_flow"] = np.where(on, 42.0 + 0.8 * noise[:, -1], 0.0)
        totals = self._total.run(dt, np.stack([power, moving > self._two], axis=1) / 3600.0)
        c["energy"] = c["!kwh"] = totals[:, 0]
        c["run_time"] = totals[:, 1]


class CrusherReadings:
    """`vibration` holds the flow of coal, t/h."""

    RAW = ("power", "running", "mode", "lockout", "fault_code", "vibration", "!tonnes")
    MORE = (
        "current",
        "motor_temp",
        "bearing_temp",
        "gearbox_temp",
        "energy",
        "cooling_flow",
        "run_time",
        "!state",
        "!mode",
        "!producing",
        "!intelligent",
        "!kwh",
    )

    def __init__(self, design: CrusherDesign, ambient: float, rng: np.random.Generator) -> None:
        self._ambient = ambient
        self._amperes = Amperes(design.motor_kw, design.volts, 0.38)
        self._noise = Wander(1.0, 3.0, 2, rng.spawn(1)[0])
        self._winding, self._bearing, self._oil = (
            Lag(1500.0, 1, ambient),
            Lag(2000.0, 1, ambient),
            Lag(2700.0, 1, ambient),
        )
        self._total = Total(2)

    @staticmethod
    def raw(m: Crusher, locked: bool, flow: float) -> tuple[float, ...]:
        return (m.power_kw, m.power_kw > 0.0, m.control.mode, locked, 2.0 * m.control.tripped, flow, m.passed_t)

    def observe(self, dt: float, c: Columns) -> None:
        noise, power, on, flow = self._noise.run(dt, len(c["power"])), c["power"], c["running"], c["vibration"]
        amps = self._amperes.of(power)
        load = ((amps / self._amperes.rated) ** 2)[:, np.newaxis]
        c["motor_temp"] = self._winding.run(dt, self._ambient + 80.0 * load)[:, 0]
        c["bearing_temp"] = self._bearing.run(dt, self._ambient + 20.0 * on[:, np.newaxis] + 12.0 * load)[:, 0]
        c["gearbox_temp"] = self._oil.run(dt, self._ambient + 15.0 * on[:, np.newaxis] + 30.0 * load)[:, 0]
        c["current"] = amps * (1.0 + 0.01 * noise[:, 0])
        c["!producing"] = busy = (on > 0.0) & (flow > 1.0)
        c["!intelligent"] = busy & controlled(c["mode"])
        c["!state"], c["!mode"] = on, c["mode"]
        c["vibration"] = on * np.maximum(1.2 + 0.0022 * flow + 0.25 * noise[:, 1], 0.3)
        c["cooling_flow"] = on * (28.0 + 0.4 * noise[:, 1])
        totals = self._total.run(dt, np.stack([power, on], axis=1) / 3600.0)
        c["energy"] = c["!kwh"] = totals[:, 0]
        c["run_time"] = totals[:, 1]
