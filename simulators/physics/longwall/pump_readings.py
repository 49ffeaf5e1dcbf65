"""What the instruments of a pump station show; see `readings`."""

from __future__ import annotations

import numpy as np

from simulators.design.longwall import EmulsionDesign, SprayDesign
from simulators.engine.filters import Lag, Total, Wander
from simulators.physics.longwall.pumps import RUNNING, EmulsionStation, SprayStation
from simulators.physics.longwall.readings import Amperes, Columns


class StationReadings:
    """A pump station: `pump<n>_current` holds kW; the spray's `pressure` 1 while it runs."""

    def __init__(self, design: EmulsionDesign | SprayDesign, ambient: float, rng: np.random.Generator) -> None:
        self._design, self._ambient = design, ambient
        self._emulsion = isinstance(design, EmulsionDesign)
        count = 3 if self._emulsion else 2
        self._pumps = tuple(f"pump{n + 1}_" for n in range(count))
        self.RAW = ["pressure", "flow", "mode", "tank_level", "fault_code"]
        self.RAW += [pump + key for pump in self._pumps[:2] for key in ("state", "current")]
        self.MORE = ["energy", "filter_difference", "!state", "!mode", "!kwh"]
        self.MORE += [pump + "oil_temp" for pump in self._pumps]
        if self._emulsion:
            self.MORE += ["concentration", "oil_tank_level", "tank_temp", "pump3_state", "pump3_current"]
            self.MORE += [pump + "oil_pressure" for pump in self._pumps]
        self._amperes = Amperes(design.motor_kw, design.volts, 0.3)
        self._noise, self._slow = Wander(1.0, 3.0, 3, rng.spawn(1)[0]), Wander(1.0, 3600.0, 3, rng.spawn(1)[0])
        self._oil = Lag(2400.0, count, ambient)
        self._energy, self._lag = Total(1), Lag(3.0, 1)

    def raw(self, m: EmulsionStation | SprayStation) -> tuple[float, ...]:
        if isinstance(m, EmulsionStation):
            first = (m.pressure, m.flow, m.control.mode, m.tank, 1.0 if m.lost_mpa else 0.0)
        else:
            first = (float(m.ready), m.flow, m.control.mode, 80.0, 0.0)
        one, other = m.pumps
        return (*first, one.state, m.powers[0], other.state, m.powers[1])

    def observe(self, dt: float, c: Columns) -> None:
        steps = len(c["flow"])
        noise, slow = self._noise.run(dt, steps), self._slow.run(dt, steps)
        if self._emulsion:  # The third pump is kept as a spare.
            c["pump3_state"] = c["pump3_current"] = 0.0
        kw = np.stack([c[pump + "current"] for pump in self._pumps], axis=1)
        amps = self._amperes.of(kw)
        oil = self._oil.run(dt, self._ambient + 14.0 * (kw > 0.0) + 22.0 * (amps / self._amperes.rated) ** 2)
        amps *= 1.0 + 0.01 * noise[:, :1]
        running = kw.sum(axis=1) > 0.0
        for n, pump in enumerate(self._pumps):
            c[pump + "current"], c[pump + "oil_temp"] = amps[:, n], oil[:, n]
            if self._emulsion:
                turning = c[pump + "state"] == RUNNING
                c[pump + "oil_pressure"] = np.where(turning, 0.32 + 0.006 * noise[:, 1] + 0.01 * slow[:, 0], 0.0)
        if self._emulsion:
            c["pressure"] = np.maximum(c["pressure"] + 0.05 * noise[:, 2] * running, 0.0)
            c["concentration"] = self._design.concentration_pct + 0.15 * slow[:, 0]
            c["oil_tank_level"] = 70.0 + 5.0 * np.tanh(slow[:, 1])
            c["tank_temp"] = self._ambient + 6.0 + slow[:, 2]
        else:
            wet = self._lag.run(dt, c["pressure"][:, np.newaxis])[:, 0]
            c["pressure"] = wet * (self._design.mpa + 0.06 * noise[:, 2] - 0.001 * c["flow"])
            c["tank_level"] = 80.0 + 4.0 * np.tanh(slow[:, 1])
        c["filter_difference"] = np.where(running, 0.12 + 0.02 * np.tanh(slow[:, 0]), 0.0)
        c["!state"], c["!mode"] = running, c["mode"]
        c["energy"] = c["!kwh"] = self._energy.run(dt, kw.sum(axis=1, keepdims=True) / 3600.0)[:, 0]
