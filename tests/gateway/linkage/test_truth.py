"""A day of the middle mine with faults: each cut-off that should have happened did in its time, and no other one.

The judge of linkages is fed with the scans that gateways make. What it decides is held against the mine's own list
(`thresholds` of its simulation) by the simulators' plain reference, which knows no linkage, sample by sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.linkage.judge import Judge, Of
from models.exchange.dictionaries import point_state
from models.quality import GOOD, Quality
from models.site.linkages import states, times
from models.site.model import Act, Linkage
from simulators.design.mine import load_design
from simulators.design.thresholds import Threshold
from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario_check import load_scenario
from simulators.faults.schedule import Schedule, play
from simulators.plant import Plant
from simulators.truth.expected import CALIBRATION, SILENT, counts, expected

S = 1_000_000
SETTLE_S = 900
HEAD = """\
name: {{zh: 断电, en: Cut-offs}}
mine: middle
seed: 11
start: 2026-03-02T08:00:00+08:00
duration: {hours} h
faults:
"""
CYCLE = """\
  2 min, fault: calibration, target: ch4_face_t1, amount: 2, for: 2 min
  8 min, fault: gas_rise, target: face_1, amount: 40, for: 6 min
  20 min, fault: broken_wire, target: ch4_heading1_t1, for: 2 min
  26 min, fault: unmarked_calibration, target: ch4_face_t0, amount: 2, for: 2 min
  34 min, fault: heading_air_stop, target: heading_2, for: 4 min
  46 min, fault: drift, target: roadheader_1/ch4, amount: 36, for: 4 min
  56 min, fault: not_polled, target: ch4_heading2_t2, for: 1 min
  62 min, fault: calibration, target: ch4_heading2_t1, amount: 1.8, for: 3 min
  70 min, fault: aux_fan_stop, target: aux_fan_1a, for: 5 min
  82 min, fault: station_fault, target: ch4_face_t2, for: 2 min
  90 min, fault: heading_air_stop, target: heading_1, for: 5 min
  104 min, fault: unmarked_calibration, target: ch4_heading1_t2, amount: 1.4, for: 2 min
"""
"""Every two hours. Drift is % an hour."""
MOST = 83
"""Cycles: a scenario has at most 1000 faults."""
AWAY = {"safety_files": (112, 40), "roadheader_plc_2": (114, 30), "aux_fans": (116, 26)}
"""Connections whose device does not answer: from which minute of the two hours, for how many seconds."""
ABOARD = {"roadheader_1": "ch4_roadheader1", "roadheader_2": "ch4_roadheader2"}
"""A machine's own methanometer cuts off where the sensor of the safety system beside it does."""


class Rule:
    """A cut-off of the site, all of whose conditions are read over one connection."""

    def __init__(self, number: int, linkage: Linkage, connection: str, period_s: float, far: bool) -> None:
        self.number, self.linkage, self.connection, self.far = number, linkage, connection, far
        self.period_s = period_s
        self.tripped: list[tuple[int, int | None]] = []
        self.paths = tuple(comparison.point for comparison in linkage.when.comparisons)


class Run:
    """What was transmitted, and what the judge found in it. `step_s`: of the simulation."""

    def __init__(self, hours: int, step_s: int, folder: Path) -> None:
        lines = [line.strip() for line in CYCLE.splitlines()]
        faults = [
            f"  - {{at: {cycle * 120 + int(line.split(' ', 1)[0])} {line.split(' ', 1)[1]}}}"
            for cycle in range(min(hours // 2, MOST))
            for line in lines
        ]
        path = folder / "scenario.yaml"
        path.write_text(HEAD.format(hours=hours) + "\n".join(faults) + "\n", "utf-8")
        found, site = load_scenario(path, {})
        design = load_design(found.folder)
        assert design is not None
        self.site, self.design, self.step_s = site, design, step_s
        self.start = found.scenario.start_us
        self.end = found.scenario.end_us
        points = {point.path: point for point in site.points}
        said = states(site)
        self.rules: list[Rule] = []
        linkages = [one for one in site.linkages if not one.mine and one.act is Act.POWER_OFF]
        for one in linkages:
            [connection] = {points[path].connection for path in one.points() if path in self._when(one)}
            link = site.connections[connection]
            period = max(link.groups[points[path].group].period_s for path in self._when(one))
            far = any(link.gateway != gateway for gateway in one.gateways)
            self.rules.append(Rule(len(self.rules), one, connection, max(period, step_s), far))
        looked = dict.fromkeys(path for one in linkages for path in one.points())
        looked |= dict.fromkeys(said[path] for path in list(looked) if path in said)
        parts: dict[str, list[str]] = {}
        for path in looked:
            parts.setdefault(points[path].connection, []).append(path)
        self.judge = Judge(linkages, parts, self.start, said)
        self.paths = self.judge.paths
        self.names = tuple(f"{points[path].equipment}.{points[path].key}" for path in self.paths)
        self.state_of = {self.paths.index(p): self.paths.index(said[p]) for p in self.paths if p in said}
        period = {rule.connection: rule.period_s for rule in self.rules}
        self.every = {name: round(period.get(name, 2.0)) for name in parts}
        self.ts: list[NDArray[np.int64]] = []
        self.values: list[NDArray[np.float64]] = []
        self.away: list[NDArray[np.bool_]] = []
        columns = {path: place for place, path in enumerate(self.paths)}
        begin = self.start - SETTLE_S * S
        plant = Plant(site, design, seed=found.scenario.seed, start_us=begin, dt=float(step_s))
        distorted = Faults(site, plant)

        def take(block: Block) -> None:
            shown = block.pick(self.names)
            distorted.distortions.apply(block.ts, shown, columns)
            after = block.ts > self.start
            if after.any():
                self._scan(block.ts[after], shown[after])

        play(plant.engine, Schedule(found.scenario, distorted), self.end, take, 600)
        self.at, self.shown = np.concatenate(self.ts), np.concatenate(self.values)
        self.gone = np.concatenate(self.away)

    @staticmethod
    def _when(one: Linkage) -> tuple[str, ...]:
        return tuple(comparison.point for comparison in one.when.comparisons)

    def _scan(self, ts: NDArray[np.int64], shown: NDArray[np.float64]) -> None:
        """One block: every connection at its own period, as a gateway reads it."""
        quality = np.where(np.isnan(shown), np.uint8(Quality.BAD_SENSOR_FAILURE), np.uint8(GOOD))
        for place, state in self.state_of.items():
            words, which = np.unique(np.nan_to_num(shown[:, state]).astype(int), return_inverse=True)
            says = np.array([point_state(str(word)).quality for word in words.tolist()], np.uint8)[which]
            quality[:, place] = np.minimum(quality[:, place], says)
        away = np.zeros(shown.shape, np.bool_)
        second = (ts - self.start) // S
        for connection, part in self.judge.parts.items():
            if connection in AWAY:
                minute, lasting = AWAY[connection]
                away[:, part.points] = ((second % 7200 >= minute * 60) & (second % 7200 < minute * 60 + lasting))[
                    :, None
                ]
        quality[away] = Quality.BAD_LAST_KNOWN
        self.ts.append(ts)
        self.values.append(shown)
        self.away.append(away)
        for row, now in enumerate(ts.tolist()):
            for connection, part in self.judge.parts.items():
                if now // S % self.every[connection] == 0:
                    width = part.points.stop - part.points.start
                    times_ = np.full(width, now)
                    self.judge.take(part, shown[row, part.points], quality[row, part.points], times_, now)
            self._decide(now)

    def _decide(self, now: int) -> None:
        """What follows; and a person restores as soon as it may be."""
        so, _ = self.judge.standing(now)
        for rule in self.rules:
            latched = bool(rule.tripped) and rule.tripped[-1][1] is None
            if so[rule.number] and not latched:
                rule.tripped.append((now, None))
            elif latched and not so[rule.number] and self.judge.holds(rule.number, Of.RESTORE, now):
                rule.tripped[-1] = (rule.tripped[-1][0], now)

    # ---- the truth

    def scans(self, connection: str) -> NDArray[np.intp]:
        return np.flatnonzero(self.at // S % self.every[connection] == 0)

    def samples(self, path: str, rows: NDArray[np.intp]) -> list[tuple[int, float, int]]:
        """Time, value and the sensor's own state; one that is not read is as one that is not polled."""
        place = self.paths.index(path)
        state = self.state_of.get(place)
        words = np.zeros(len(rows)) if state is None else np.nan_to_num(self.shown[rows, state])
        words = np.where(self.gone[rows, place], SILENT, words).astype(int)
        return list(zip(self.at[rows].tolist(), self.shown[rows, place].tolist(), words.tolist(), strict=True))


def lost(samples: Sequence[tuple[int, float, int]], after_s: float) -> list[bool]:
    """At each sample, whether the sensor has been silent for so long; one under calibration is not silent."""
    found, since = [], None
    for ts, value, state in samples:
        silent = not counts(value, state) and not state & CALIBRATION
        since = (ts if since is None else since) if silent else None
        found.append(since is not None and ts - since >= after_s * S)
    return found


def on(intervals: Sequence[tuple[int, int | None]], times_: Sequence[int]) -> list[bool]:
    """At each time, whether one of the intervals holds."""
    at, held = np.array(times_), np.zeros(len(times_), np.bool_)
    for start, end in intervals:
        held |= (at >= start) & (at < (end if end is not None else 1 << 62))
    return held.tolist()


def latched(trips: Sequence[bool], back: Sequence[bool], at: Sequence[int]) -> list[tuple[int, int | None]]:
    """What trips stays so until it may be restored."""
    found: list[tuple[int, int | None]] = []
    standing = False
    for ts, trip, may in zip(at, trips, back, strict=True):
        if trip and not standing:
            found.append((ts, None))
            standing = True
        elif standing and may and not trip:
            found[-1] = (found[-1][0], ts)
            standing = False
    return found


def gas(run: Run, rule: Rule) -> list[tuple[int, int | None]]:
    """A rule over methane sensors, by the mine's list."""
    rows = run.scans(rule.connection)
    at = run.at[rows].tolist()
    trips, back = np.zeros(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    for path in rule.paths:
        threshold = threshold_of(run, path)
        samples = run.samples(path, rows)
        cuts = [(one.start, one.end) for one in expected(threshold, samples) if one.kind == "cut"]
        trips |= np.array(on(cuts, at)) | np.array(lost(samples, rule.linkage.lost_after_s))
        limit = threshold.cut_restore or threshold.cut or 0.0
        back &= np.array([counts(value, state) and value < limit for _, value, state in samples])
    return latched(trips.tolist(), back.tolist(), at)


def threshold_of(run: Run, path: str) -> Threshold:
    machine, key = path.split("/")[1:]
    of = ABOARD.get(machine, machine), key
    [found] = [each for each in run.design.thresholds if (each.sensor, each.point) == of]
    # The list has no cut-off for smoke: power goes where it is told of.
    return found if found.cut is not None else found.model_copy(update={"cut": found.alarm})


def fans(run: Run, rule: Rule) -> list[tuple[int, int | None]]:
    """The wind-electric lock: every fan of the heading stands, or nobody knows."""
    rows = run.scans(rule.connection)
    at = run.at[rows].tolist()
    trips, back = np.ones(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for path in rule.paths:
        samples = run.samples(path, rows)
        stands, standing = [], False
        for _, value, state in samples:
            standing = value == 0 if counts(value, state) else standing
            stands.append(standing)
        trips &= np.array(stands) | np.array(lost(samples, rule.linkage.lost_after_s))
        back |= np.array([counts(value, state) and value == 1 for _, value, state in samples])
    return latched(trips.tolist(), back.tolist(), at)


def hold(run: Run) -> dict[str, int]:
    """Everything against its truth; how many trips of each rule there were."""
    judged = {}
    for rule in run.rules:
        truth = (fans if "wind_lock" in rule.linkage.id else gas)(run, rule)
        assert rule.tripped == truth, rule.linkage.id
        judged[rule.linkage.id] = len(truth)
        if "wind_lock" not in rule.linkage.id:
            in_time(run, rule)
    return judged


def in_time(run: Run, rule: Rule) -> None:
    """What any sensor showed, at every step of the mine, for as long as it takes to be read: it is tripped by then, and
    early enough for the way to the other gateway and the write."""
    every = np.arange(len(run.at))
    way = times()["write_s"] + (times()["hop_s"] if rule.far else 0.0)
    for path in rule.paths:
        samples = run.samples(path, every)
        for one in expected(threshold_of(run, path), samples):
            if one.kind != "cut" or (one.end or 1 << 62) - one.start < rule.period_s * S:
                continue
            decided = next((t for t, end in rule.tripped if end is None or end > one.start), None)
            assert decided is not None, f"{rule.linkage.id}: {path} at {one.start} cut nothing off"
            assert (decided - one.start) / S + way <= rule.linkage.within_s, f"{rule.linkage.id}: {path} at {one.start}"


pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(24, 5, tmp_path_factory.mktemp("cut-offs"))


def test_each_cut_off_that_should_happen_does_in_its_time_and_no_other(run: Run) -> None:
    judged = hold(run)
    del judged["smoke_substation"]  # no fault makes smoke there
    assert min(judged.values()) >= 12, judged


def test_a_marked_calibration_cuts_nothing_off(run: Run) -> None:
    [face] = [rule for rule in run.rules if rule.linkage.id == "edge_cut_face"]
    for cycle in range(12):
        began = run.start + (cycle * 7200 + 120) * S
        assert not [t for t, _ in face.tripped if began <= t < began + 120 * S]


@pytest.mark.proof
@pytest.mark.timeout(3 * 3600)
def test_a_week(tmp_path: Path) -> None:
    judged = hold(Run(7 * 24, 1, tmp_path))
    del judged["smoke_substation"]
    assert min(judged.values()) >= MOST, judged
