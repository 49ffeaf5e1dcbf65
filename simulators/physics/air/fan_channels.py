"""What the fans' own sensors and meters show, by the keys of the templates main_fan and auxiliary_fan."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.part import Rows
from simulators.physics.air.auxiliary_fans import AuxiliaryFans
from simulators.physics.air.main_fans import MainFans
from simulators.physics.order import AUTO, REMOTE

STATES = ("running", "direction", "damper", "brake", "mode", "fault_code", "frequency")
AUX_STATES = ("running", "duct", "wind_lock", "gas_lock", "duty", "mode", "fault_code", "frequency")
TRUTHS = ("!state", "!mode", "!producing", "!intelligent")
FLOWS = ("air_volume", "negative_pressure", "power")
SEEN = (
    *("total_pressure", "air_speed", "bearing_temp_1", "bearing_temp_2", "bearing_temp_3", "bearing_temp_4"),
    *("winding_temp_1", "winding_temp_2", "vibration_x", "vibration_y", "current_1", "current_2", "voltage"),
    *("power_factor", "energy", "run_time"),
)
AUX_SEEN = ("current", "voltage", "pressure", "bearing_temp", "motor_temp", "vibration", "energy")
GUST, GUST_TAU_S = 0.008, 20.0
"""Relative unrest of what a fan's own instruments show, and how long it lasts, s."""
DRIFT_SECTION_M2 = 12.0
"""Of the fan's drift, for the air's speed."""


def _named(names: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Key by key, over all fans."""
    return [f"{name}{key if key[0] == '!' else '.' + key}" for key in keys for name in names]


class FanChannels:
    """Columns lie key by key over the fans, so that each key is one slice."""

    def __init__(self, main: MainFans, auxiliary: AuxiliaryFans, rng: np.random.Generator) -> None:
        self._main, self._auxiliary, self._rng = main, auxiliary, rng
        names, aux = main.design.names, [fan.name for fan in auxiliary.fans]
        self._a = len(aux)
        flows = _named(names, FLOWS) + _named(aux, ("air_volume",))
        states = _named(names, (*STATES, *TRUTHS)) + _named(aux, (*AUX_STATES, *TRUTHS))
        seen = _named(names, (*SEEN, "!kwh")) + _named(aux, (*AUX_SEEN, "!kwh"))
        self.channels = (*flows, *states, *seen)
        self._states_at, self._seen_at = len(flows), len(flows) + len(states)
        self.now = np.zeros(self._seen_at)
        """The channels of this step that the fans decide; the others are observed."""
        self._bearings = Lag(2400.0, 2, 35.0)
        self._windings = Lag(1800.0, 2, 40.0)
        self._aux_warm = Lag(1500.0, self._a, 30.0)
        self._gusts = Wander(GUST, GUST_TAU_S, 2 + self._a, rng.spawn(1)[0])
        self._energy, self._hours = Total(2), Total(2, np.array([8200.0, 7900.0]))
        self._aux_energy = Total(self._a)

    def renew(self, wind_locked: Sequence[bool], gas_locked: Sequence[bool]) -> None:
        """Something about the fans changed: `now` follows."""
        main, auxiliary = self._main, self._auxiliary
        feeding = [fan.speed * fan.damper for fan in main.fans]
        total = max(sum(feeding), 1e-9)
        flows = [
            *(main.air * share / total for share in feeding),
            *(main.pressure * share / total for share in feeding),
            *main.kw,
            *(auxiliary.air[fan.heading] if fan.running else 0.0 for fan in auxiliary.fans),
        ]
        self.now[:] = flows + self._all_states(wind_locked, gas_locked)

    def _all_states(self, wind_locked: Sequence[bool], gas_locked: Sequence[bool]) -> list[float]:
        fans, aux, main = self._main.fans, self._auxiliary.fans, self._main
        blowing = [fan.running and self._auxiliary.has_air(fan.heading) for fan in aux]
        duty = [self._auxiliary.duty[fan.heading] == n % 2 for n, fan in enumerate(aux)]
        by_key: list[list[float]] = [
            [fan.running for fan in fans],
            [not main.reversed] * 2,
            [fan.damper_state for fan in fans],
            [not fan.on and fan.speed <= 0.0 for fan in fans],
            [fan.mode for fan in fans],
            [fan.fault for fan in fans],
            [50.0 * fan.running for fan in fans],
            [fan.running for fan in fans],
            [fan.mode for fan in fans],
            [fan.running for fan in fans],
            [fan.running and fan.mode in (REMOTE, AUTO) for fan in fans],
            [fan.running for fan in aux],
            [self._auxiliary.has_air(fan.heading) for fan in aux],
            [wind_locked[fan.heading] for fan in aux],
            [gas_locked[fan.heading] for fan in aux],
            list(duty),
            [fan.mode for fan in aux],
            [fan.failed for fan in aux],
            [50.0 * fan.running for fan in aux],
            [fan.running for fan in aux],
            [fan.mode for fan in aux],
            list(blowing),
            [on and fan.mode in (REMOTE, AUTO) for on, fan in zip(blowing, aux, strict=True)],
        ]
        return [float(value) for values in by_key for value in values]

    def observe(self, dt: float, rows: Rows) -> None:
        """Temperatures, vibration, electricity and counters."""
        design, steps, a = self._main.design, len(rows), self._a
        noise = self._rng.standard_normal((steps, 2 * len(SEEN) + a * len(AUX_SEEN)))
        running = rows[:, self._states_at : self._states_at + 2]
        air, pressure, power = rows[:, 0:2], rows[:, 2:4], rows[:, 4:6]
        kw = design.air_m3_per_s * design.pressure_pa / 1000.0 / design.efficiency
        load = power / kw
        bearings = self._bearings.run(dt, 22.0 + 26.0 * running + 4.0 * load)
        windings = self._windings.run(dt, 22.0 + 12.0 * running + 42.0 * load * load)
        volts = design.volts + 0.004 * design.volts * noise[:, 0:2] * running
        current = power * 500.0 / (math.sqrt(3.0) * design.volts * design.power_factor * 0.94)
        shake = running * (1.2 + 0.9 * load)
        energy = self._energy.run(dt, power / 3600.0)
        gusts = self._gusts.run(dt, steps)
        air *= 1.0 + gusts[:, :2]
        # On the fan's curve less air is more pressure, and the power stays.
        pressure *= 1.0 - gusts[:, :2]
        rows[:, 6 : 6 + a] *= 1.0 + gusts[:, 2:]
        seen = [pressure * 1.06 + 4.0 * noise[:, 2:4] * running, air / DRIFT_SECTION_M2]
        seen += [
            bearings + offset + 0.1 * noise[:, at : at + 2] for offset, at in ((0, 4), (2.5, 6), (1, 8), (3.5, 10))
        ]
        seen += [windings + 0.15 * noise[:, 12:14], windings * 1.03 + 0.15 * noise[:, 14:16]]
        seen += [shake + 0.06 * noise[:, 16:18] * running, 1.15 * shake + 0.06 * noise[:, 18:20] * running]
        seen += [current * (1.0 + 0.004 * noise[:, 20:22]), current * (1.02 + 0.004 * noise[:, 22:24]), volts]
        seen += [design.power_factor * running, energy, self._hours.run(dt, running / 3600.0), energy]
        if a:
            seen += self._auxiliaries(dt, rows, noise[:, 2 * len(SEEN) :])
        rows[:, self._seen_at :] = np.concatenate(seen, axis=1)

    def _auxiliaries(self, dt: float, rows: Rows, noise: Rows) -> list[Rows]:
        a, designs = self._a, [self._auxiliary.designs[fan.heading] for fan in self._auxiliary.fans]
        at = self._states_at + 2 * (len(STATES) + len(TRUTHS))
        running = rows[:, at : at + a]
        kw = np.array([design.fan_kw for design in designs])
        volts = np.array([design.volts for design in designs])
        pascal = np.array([design.fan_pa for design in designs])
        warm = self._aux_warm.run(dt, 22.0 + 30.0 * running)
        unrest = [noise[:, n * a : (n + 1) * a] for n in range(len(AUX_SEEN))]
        energy = self._aux_energy.run(dt, running * kw / 3600.0)
        amps = kw * 1000.0 / (math.sqrt(3.0) * volts * 0.86 * 0.92)
        return [
            running * amps * (1.0 + 0.005 * unrest[0]),
            volts + 2.0 * unrest[1],
            running * pascal * (1.0 + 0.004 * unrest[2]),
            warm + 0.1 * unrest[3],
            1.5 * warm - 10.0 + 0.2 * unrest[4],
            running * (2.1 + 0.1 * unrest[5]),
            energy,
            energy,
        ]
