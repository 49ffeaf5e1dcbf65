"""All safety sensors of a mine: what they show of what is there, and what state they say they are in.

Each answers with its first order (T90/2.3), trembles, drifts until the next calibration and shows so many decimals.
What it shows is what is transmitted: nothing else of it reaches a platform, or the gas lock. Alarm and cut-off are the
sensor's own contacts; the cut-off holds until the value is below the restore value.

The plant sets `given` (by `sources`) before a step for values that are not the air's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.design.sensing import CalibrationKind, SensorsDesign, kinds
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.air.draws import Draws
from simulators.physics.air.ventilation import Ventilation
from simulators.physics.sensing.calibration import Calibrations
from simulators.physics.sensing.channels import Channels
from simulators.physics.sensing.faults import FAULTS, Faults
from simulators.physics.sensing.state_word import ALARM, CALIBRATION, CUT_OFF, OVER_RANGE, StateWords

WEEK_S = 604_800.0
SLOW_S = 60.0
"""How often drift and the rock move on."""


class Sensors(Part):
    """`shown` and the state words are what they transmit. `beyond`: equipment → kind of disturbance → the
    part and the equipment that it is meant for."""

    def __init__(self, design: SensorsDesign, air: Ventilation, rng: np.random.Generator) -> None:
        self.design, self.air, self.at = design, air, Channels(design, air)
        at, self._rng = self.at, rng.spawn(1)[0]
        self.channels: Sequence[str] = (*at.names, *(f"{name}.state" for name in at.sensors))
        self.sources, self.index = at.given, {name: n for n, name in enumerate(at.sensors)}
        self.source_index = {name: n for n, name in enumerate(at.given)}
        self.given = np.zeros(len(at.given))
        count = len(at.points)
        self._raw, self._values = np.zeros(count), air.values.ravel()
        self._raws = np.split(self._raw, at.ends[:-1])
        self._change, self._over = np.empty(count), np.empty(count, bool)
        self._draws, self._rock_draws = Draws(rng.spawn(1)[0], count), Draws(rng.spawn(1)[0], len(at.start))
        self._rock, self._wandering = at.start.copy(), np.zeros(len(at.start))
        self._slope = at.drift / WEEK_S * self._rng.uniform(-1.0, 1.0, count)
        self._bias = np.zeros(count)
        self._per_resolution = 1.0 / at.resolution
        self.words = StateWords(len(at.sensors))
        self._states = np.zeros(len(at.sensors))
        self._second = self._slow_s = self._dt = 0.0
        self._visits = Calibrations(*self._calibrations(), self._rng)
        self.faults = Faults(at, self.words)
        self.beyond: dict[str, dict[str, tuple[Part, str]]] = {name: {} for name in at.sensors}
        self._watch()
        self._levels()
        self._fetch()
        self._answer = self._raw.copy()
        self.answered = self._answer + self._bias
        """[points]: what `shown` follows from; while there are faults, what is shown."""
        self._displayed = False
        self._cut_from = self._least_cutting()

    def _calibrations(self) -> tuple[dict[int, CalibrationKind], dict[int, float]]:
        at = self.at
        due: dict[int, CalibrationKind] = {}
        for name, sensor in self.design.sensors.items():
            calibration = kinds()[sensor.template].calibration
            if calibration is not None and sensor.calibrated:
                due[at.first[name]] = calibration
        return due, {n: 3.0 * float(at.t90[n]) + 5.0 for n in range(len(at.points))}

    def _levels(self) -> None:
        at, sensors = self.at, self.design.sensors
        cutting = [name for name, sensor in sensors.items() if sensor.levels.cut is not None]
        self.cutting = tuple(cutting)
        """Sensors with a cut-off of their own, in the order of `cut` and `tripped`."""
        self._cut_points = np.array([at.first[name] for name in cutting], np.intp)
        self._cut_sensors = np.array([self.index[name] for name in cutting], np.intp)
        self.cut = np.array([sensors[name].levels.cut for name in cutting], float)
        self.restore = np.array([sensors[name].levels.restore for name in cutting], float)
        self.tripped = np.zeros(len(cutting), bool)
        """Whose cut-off contact is open."""
        self.any_tripped = False
        order = np.array([np.sum(at.sensor[:n] == at.sensor[n]) for n in range(len(at.points))], np.intp)
        self._layers = [np.flatnonzero(order == n) for n in range(int(order.max(initial=0)) + 1)]

    def _least_cutting(self) -> NDArray[np.float64]:
        """[points]: from which answer on the display says the cut-off's level or more, sought between two floats next
        to each other; a step need not make up the displays to know that no contact opens."""
        at = self.at
        level = np.full(len(at.points), np.inf)
        level[self._cut_points] = self.cut
        low, high = level - 2.0 * at.resolution, level + 2.0 * at.resolution
        while True:
            middle = 0.5 * (low + high)
            if np.all((middle == low) | (middle == high)):
                return np.where(level <= at.low, -np.inf, high)
            cuts = self._show(middle.copy()) >= level
            low, high = np.where(cuts, low, middle), np.where(cuts, middle, high)

    def step(self, dt: float, row: Row) -> None:
        """See `Part`."""
        if dt != self._dt:
            self._for_step(dt)
        self._second += dt
        self._slow_s += dt
        if self._slow_s >= SLOW_S:
            self._drift()
        self._fetch()
        raw = self._raw
        raw += np.multiply(self._draws.step(), self._tremble, out=self._change)
        if self._second >= self._visits.next_due or self._visits.visits:
            self._calibrate()
        for point, gas in self.faults.gas.items():
            raw[point] = gas
        change = np.subtract(raw, self._answer, out=self._change)
        change *= self._near
        self._answer += change
        answered = np.add(self._answer, self._bias, out=self.answered)
        self._displayed = self.faults.any
        if self._displayed:
            unclipped = answered.copy()
            self.faults.spoil(self._show(answered), unclipped)
            self._renew_states()
        if self.any_tripped or True in np.greater_equal(answered, self._cut_from, out=self._over).tobytes():
            self._trip()
        count = len(raw)
        row[:count] = answered
        row[count:] = self._states

    def _for_step(self, dt: float) -> None:
        at, self._dt = self.at, dt
        with np.errstate(divide="ignore"):
            self._near = np.where(at.t90 > 0.0, -np.expm1(-dt * 2.3 / at.t90), 1.0)
        # So that after the first order the unrest is what the kind says, whatever the step.
        self._tremble = at.noise * np.sqrt((2.0 - self._near) / self._near)

    def _fetch(self) -> None:
        """What is there to be measured."""
        at = self.at
        air, contacts, given, own = self._raws
        self._values.take(at.in_air, out=air, mode="clip")
        self.air.contacts.take(at.at_contact, out=contacts, mode="clip")
        if at.given:
            self.given.take(at.from_given, out=given, mode="clip")
        own[:] = self._rock
        self._raw *= at.gain
        self._raw += at.offset

    @property
    def shown(self) -> NDArray[np.float64]:
        """[points]: what the displays say, and what is transmitted."""
        return self.answered.copy() if self._displayed else self._show(self.answered.copy())

    def _show(self, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the display makes of an answer [..., points], in place."""
        at = self.at
        shown *= self._per_resolution
        np.rint(shown, out=shown)
        shown *= at.resolution
        np.maximum(shown, at.low, out=shown)
        np.minimum(shown, at.high, out=shown)
        return shown

    def _drift(self) -> None:
        """Once a minute: zeros drift, the rock moves."""
        passed, self._slow_s = self._slow_s, 0.0
        self._bias += self._slope * passed
        for point, slope in self.faults.slopes.items():
            self._bias[point] += slope * passed / 3600.0
        keep = np.exp(-passed / 43_200.0)
        wander = self.at.wander * np.sqrt(1.0 - keep * keep)
        grown = self.at.day * self._second / 86_400.0
        self._wandering = self._wandering * keep + wander * self._rock_draws.step()
        self._rock = grown + self._wandering + self.at.start

    def _calibrate(self) -> None:
        """Gas on, gas off, and the state that says so."""
        visits = self._visits
        for at in visits.begin(self._second) if self._second >= visits.next_due else ():
            self._say(int(self.at.sensor[at]), "calibration", CALIBRATION)
        for at, visit in list(visits.visits.items()):
            if self._second < visit.gas_until:
                self._raw[at] = visit.gas
            elif self._second >= visit.until:
                del visits.visits[at]
                self._bias[at] = 0.0
                self._slope[at] = self.at.drift[at] / WEEK_S * self._rng.uniform(-1.0, 1.0)
                self._say(int(self.at.sensor[at]), "calibration", 0)

    def _trip(self) -> None:
        """The cut-off contacts; a sensor in calibration, or without a true value, keeps what it was."""
        shown, special = self.shown[self._cut_points], self.words.special[self._cut_sensors]
        holds = (shown >= self.cut) | (self.tripped & (shown >= self.restore))
        self.tripped = np.where((special == 0) | (special == OVER_RANGE), holds, self.tripped)
        self.any_tripped = bool(self.tripped.any())
        self._renew_states()

    def _say(self, sensor: int, reason: str, state: int) -> None:
        self.words.say(sensor, reason, state)
        self._renew_states()

    def say(self, name: str, reason: str, state: int) -> None:
        """The station gives a sensor a state (feed abnormal); 0 ends it."""
        self._say(self.index[name], reason, state)

    def _renew_states(self) -> None:
        special = self.words.special
        self._states[:] = special
        self._states[self._cut_sensors[self.tripped & (special[self._cut_sensors] == 0)]] = CUT_OFF

    def faulty(self, name: str) -> bool:
        """Whether its wire, its station or itself has failed."""
        return self.words.broken(self.index[name])

    def value(self, name: str) -> float:
        """What its first point shows."""
        return float(self.shown[self.at.first[name]])

    def observe(self, dt: float, rows: Rows) -> None:
        """What the displays say; alarm and over-range, where nothing else is said."""
        at, count = self.at, len(self.at.points)
        values, states = rows[:, :count], rows[:, count:]
        if not self._displayed:
            self._show(values)
        alarmed = ((values >= at.alarm) | (values <= at.low_alarm)).astype(float)
        beyond = ((values >= at.high) & at.analogue & (at.high < 1e9)) * float(OVER_RANGE)
        for layer in self._layers:
            sensors = at.sensor[layer]
            now = states[:, sensors]
            now = np.where((now == 0) & (alarmed[:, layer] > 0), float(ALARM), now)
            states[:, sensors] = np.where((now < CALIBRATION) & (beyond[:, layer] > 0), beyond[:, layer], now)

    def _watch(self) -> None:
        """What happens to the air where a sensor hangs, and to what it watches, may be told by the sensor's name."""
        known = self.air.disturbances()
        for name, sensor in self.design.sensors.items():
            if sensor.place is not None:
                self.beyond[name] |= dict.fromkeys(("gas_rise", "fire"), (self.air, sensor.place))
            for source in sensor.source.values():
                thing = source.rpartition(".")[0]
                for target in (thing, f"air_{thing}"):
                    self.beyond[name] |= dict.fromkeys(known.get(target, ()), (self.air, target))

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """See `faults`; and what `beyond` knows."""
        return {name: (*FAULTS, *self.beyond[name]) for name in self.at.sensors}

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Faults of the sensor, see `faults`; what is none of them goes to what it watches. 0 ends each."""
        if kind in self.beyond.get(equipment, {}):
            part, target = self.beyond[equipment][kind]
            part.disturb(target, kind, amount)
            return
        if equipment not in self.index or kind not in FAULTS:
            super().disturb(equipment, kind, amount)
        if not np.isfinite(amount) or (amount < 0.0 and kind != "drift"):
            raise Refused(f"{equipment} {kind} {amount:g} 无效 · is no amount for it")
        at, sensor = self.at.first[equipment], self.index[equipment]
        if kind != "calibration":
            self.faults.set(at, kind, amount, self.shown)
            if kind in ("drift", "negative_drift") and not amount:
                self._bias[at] = 0.0
            self._renew_states()
        elif amount:
            self._visits.give(at, amount)
            self._say(sensor, "calibration", CALIBRATION)
        else:
            self._visits.end(at, self._second)
