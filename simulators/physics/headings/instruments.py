"""What roadheaders and bolting rigs show beside their state: currents, temperatures, pressures, the boom, counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.design.headings import HeadingDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.physics.headings.heading import CUTTING, OFF
from simulators.physics.headings.rig import DRILLING, TIGHTENING

Rows = NDArray[np.float64]

ROADHEADER_STEP = (
    "cut_running", "pump_running", "mode", "cut_mode", "person_near", "emergency_stop", "remote_enabled", "fault_code",
    "cut_current_a", "pump_current_a", "boom_swing", "advance_total", "ch4", "co", "dust", "air_temp", "cut_motor_temp",
    "!state", "!mode", "!producing", "!intelligent", "!tonnes", "!kwh",
)  # fmt: skip
"""What `step` writes. In the currents it leaves kW, in the boom the phase of the work, in the advance and the truth's
totals their rates, in the motor's temperature what heats it more, K; `run` makes of these what the key says."""
ROADHEADER = (
    "cut_current_b", "cut_current_c", "pump_current_b", "pump_current_c", "pump_motor_temp", "voltage",
    "hydraulic_pressure", "tank_temp", "tank_level", "cooling_flow", "cooling_pressure", "pitch", "roll", "yaw",
    "boom_lift", "boom_extension", "distance_left", "distance_right", "distance_front", "distance_back", "humidity",
    "start_time", "remote_time", "auto_cut_time", "heartbeat",
)  # fmt: skip
RIG_STEP = (
    "cycle", "running", "mode", "emergency_stop", "feed_position", "hole_depth", "torque", "pump_current",
    "holes_total", "bolts_total", "ch4", "!state", "!mode", "!producing", "!intelligent",
)  # fmt: skip
"""What `step` writes: in the feed's position the phase, in the torque that of the bolt, in the current kW."""
RIG = (
    "rotation", "feed_force", "rotation_pressure", "feed_pressure", "hydraulic_pressure", "tank_temp", "tank_level",
    "water_pressure", "heartbeat", "fault_code", "!kwh",
)  # fmt: skip

SWEEPS = 6.0
"""Of the boom through the section for one row, as `Heading` cuts."""


class Instruments:
    """Of all headings, columns in their order."""

    def __init__(self, designs: Sequence[HeadingDesign], rng: np.random.Generator) -> None:
        count = len(designs)
        self._amps = np.array([1000.0 / (1.7320508 * one.volts * 0.86 * 0.93) for one in designs])
        self._volts = np.array([one.volts for one in designs])
        self._cut_kw = np.array([one.cut_kw for one in designs])
        self._hole_mm = np.array([one.hole * 1000.0 for one in designs])
        self._half_m = np.array([0.5 * one.section**0.5 for one in designs])
        shake, sway, drift = rng.spawn(3)
        self._shake = Wander(1.0, 3.0, 2 * count, shake)
        self._sway = Wander(0.6, 120.0, 3 * count, sway)
        self._air = Wander(1.0, 900.0, count, drift)
        self._cut_temp, self._pump_temp = Lag(1500.0, count, 35.0), Lag(1200.0, count, 35.0)
        self._tank, self._rig_tank = Lag(2400.0, count, 32.0), Lag(2400.0, count, 30.0)
        hours = 1800.0 + 350.0 * np.arange(count)
        self._hours = Total(3 * count, np.concatenate([hours, 0.3 * hours, 0.12 * hours]))
        self._advance, self._truth = Total(count, 640.0 + 90.0 * np.arange(count)), Total(3 * count)
        self._beat, self._came = Total(count, 100.0 * np.arange(count)), np.zeros(count)

    def run(self, dt: float, given: Mapping[str, Rows], rig: Mapping[str, Rows]) -> list[Rows]:
        """Complete `given` and `rig` in place, and return the columns of ROADHEADER and RIG, each [steps, headings]."""
        count, steps = len(self._volts), len(given["mode"])
        shake = self._shake.run(dt, steps)
        sway = self._sway.run(dt, steps)
        noise, other = shake[:, :count], shake[:, count:]
        on, cutting = given["pump_running"].copy(), given["!producing"].copy()
        cut_kw, pump_kw = given["cut_current_a"].copy(), given["pump_current_a"].copy()
        rig_kw = rig["pump_current"].copy()
        totals = np.concatenate([given["!tonnes"], given["!kwh"], rig_kw], axis=1)
        tonnes_kwh = self._truth.run(dt, totals / 3600.0)
        given["!tonnes"][:], given["!kwh"][:] = tonnes_kwh[:, :count], tonnes_kwh[:, count : 2 * count]
        remote, automatic = given["mode"] == 2.0, given["cut_mode"]
        hours = self._hours.run(dt, np.concatenate([on, on * remote, automatic], axis=1) / 3600.0)
        beat = np.floor(self._beat.run(dt, np.ones((steps, count))) + 1e-6) % 65536.0  # one a second
        head = self._head(dt, given, cut_kw, cutting, noise)
        cut_amps = cut_kw * self._amps * (1.0 + 0.02 * noise)
        pump_amps = pump_kw * self._amps * (1.0 + 0.01 * other)
        given["cut_current_a"][:], given["pump_current_a"][:] = cut_amps, pump_amps
        share = pump_kw / 90.0
        shown = [
            cut_amps * 1.01, cut_amps * 0.993, pump_amps * 1.008, pump_amps * 0.995,
            self._pump_temp.run(dt, 30.0 + 55.0 * share * share),
            self._volts * (1.0 - 0.03 * cut_kw / self._cut_kw + 0.003 * other),
            on * (4.0 + 14.0 * share + 0.4 * noise),
            self._tank.run(dt, 27.0 + 28.0 * on),
            72.0 + 2.0 * sway[:, :count] - 3.0 * share,
            on * (32.0 + 1.2 * other), on * (1.9 + 0.06 * other),
            2.0 + sway[:, :count], sway[:, count : 2 * count], 0.3 * sway[:, 2 * count :],
            *head,
            86.0 + 3.0 * self._air.run(dt, steps),
            hours[:, :count], hours[:, count : 2 * count], hours[:, 2 * count :], beat,
        ]  # fmt: skip
        rig["pump_current"][:] = rig_kw * self._amps * (1.0 + 0.01 * other)
        return shown + self._drill(dt, rig, rig_kw, noise, other, beat, tonnes_kwh[:, 2 * count :])

    def _head(self, dt: float, given: Mapping[str, Rows], cut_kw: Rows, cutting: Rows, noise: Rows) -> list[Rows]:
        """Boom and distances: in each sweep it swings to and fro once, a little higher than in the one before."""
        phase, state = given["boom_swing"].copy(), given["!state"]
        advance = self._advance.run(dt, given["advance_total"])
        given["advance_total"][:] = advance
        load = cut_kw / self._cut_kw
        heat = 30.0 + 70.0 * load * load + given["cut_motor_temp"]
        given["cut_motor_temp"][:] = self._cut_temp.run(dt, heat)
        sweeps = phase * SWEEPS
        to_and_fro = 1.0 - np.abs(2.0 * (0.5 * sweeps % 1.0) - 1.0)
        swing = 34.0 * (2.0 * to_and_fro - 1.0) * cutting
        given["boom_swing"][:] = swing
        lift = (-18.0 + 9.0 * np.floor(sweeps)) * cutting - 12.0 * (1.0 - cutting)
        extension = 80.0 + 420.0 * np.minimum(sweeps % 1.0 * 4.0, 1.0) * cutting
        aside = 0.02 * noise
        front = np.where(state >= CUTTING, 1.2, 3.5) * (state > OFF) + 6.0 * (state == OFF) + 0.01 * noise
        return [lift, extension, self._half_m + aside, self._half_m - aside, front, advance % 150.0]

    def _drill(
        self, dt: float, rig: Mapping[str, Rows], kw: Rows, noise: Rows, other: Rows, beat: Rows, kwh: Rows
    ) -> list[Rows]:
        cycle, running, phase = rig["cycle"], rig["running"], rig["feed_position"].copy()
        drilling, tightening = (cycle == DRILLING) * running, (cycle == TIGHTENING) * running
        stirring = (cycle == 2.0) * running
        feed = np.where(cycle == DRILLING, phase, (cycle > DRILLING) * 1.0)
        rig["feed_position"][:] = feed * self._hole_mm
        bolt = rig["torque"].copy()
        torque = drilling * (150.0 + 18.0 * noise) + stirring * 90.0 + tightening * bolt * np.minimum(phase * 1.3, 1.0)
        rig["torque"][:] = torque
        on = running
        return [
            drilling * (320.0 + 12.0 * other) + stirring * (450.0 + 8.0 * other) + tightening * 60.0,
            drilling * (11.0 + 0.8 * noise) + stirring * 4.0 + tightening * 6.0,
            on * 1.5 + 0.035 * torque,
            drilling * (6.5 + 0.4 * noise) + on * 0.5,
            on * (13.0 + 0.4 * other),
            self._rig_tank.run(dt, 25.0 + 25.0 * on),
            68.0 + 1.5 * other,
            drilling * (0.9 + 0.03 * other),
            beat,
            3.0 * (rig["emergency_stop"] > 0),
            kwh,
        ]
