"""The middle mine at work, with faults: each alarm that should be raised was, none that should not, within one scan.

What a sensor alarms and cuts off at is the mine's own list (`thresholds` of its simulation), judged by the simulators'
plain reference; what a protection says is looked up in its channel. Neither knows the platform's rules.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.alarms import Act, Engine, Finding, Rules
from models.samples import Samples
from models.site.model import Site
from simulators.design.mine import load_design
from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario_check import load_scenario
from simulators.faults.schedule import Schedule, play
from simulators.plant import Plant
from simulators.truth.expected import expected

SCAN_S = 5
SETTLE_S = 600
HEAD = """\
name: {{zh: 报警, en: Alarms}}
mine: middle
seed: 7
start: 2026-03-02T17:00:00+08:00
duration: {duration}
faults:
"""
SHORT = """\
  - {at: 1 min, fault: calibration, target: ch4_face_t1, amount: 2, for: 2 min}
  - {at: 2 min, fault: gas_rise, target: face_1, amount: 40, for: 6 min}
  - {at: 3 min, fault: broken_wire, target: ch4_heading1_t1, for: 2 min}
  - {at: 4 min, fault: unmarked_calibration, target: ch4_face_t3, amount: 2, for: 2 min}
  - {at: 5 min, fault: belt_pull_cord, target: belt_105, amount: 7, for: 2 min}
  - {at: 6 min, fault: over_range, target: co_face, for: 1 min}
  - {at: 7 min, fault: belt_tear, target: belt_104, for: 2 min}
  - {at: 8 min, fault: heading_air_stop, target: heading_2, for: 4 min}
  - {at: 9 min, fault: paused, target: co_heading2, for: 1 min}
"""
KINDS = {"alarm": "limit.hi", "cut": "limit.hihi", "calibration": "sensor.calibration", "fault": "sensor.fault",
         "feed_abnormal": "feed.abnormal"}  # fmt: skip
SAYS = {"slip", "pile_up", "deviation", "tear", "pull_cord", "tension_fault", "over_temperature", "chain_break",
        "emergency_stop", "earth_leakage", "over_current", "short_circuit", "under_voltage"}  # fmt: skip
"""Protections: tripped at 1."""

Interval = tuple[int, int | None]


class Run:
    """What was transmitted, and what the engine found in it."""

    def __init__(self, text: str, folder: Path) -> None:
        path = folder / "scenario.yaml"
        path.write_text(text, "utf-8")
        found, site = load_scenario(path, {})
        design = load_design(found.folder)
        assert design is not None
        start = found.scenario.start_us - SETTLE_S * 1_000_000
        plant = Plant(site, design, seed=found.scenario.seed, start_us=start)
        self.site, self.design = site, design
        self.names = tuple(f"{point.equipment}.{point.key}" for point in site.points)
        sensors = {each.sensor for each in design.thresholds}
        kept = [n for n, point in enumerate(site.points) if point.equipment in sensors or "protection." in point.role]
        self.kept = np.array(kept)
        self.index = {self.names[place]: number for number, place in enumerate(kept)}
        self.engine = Engine(Rules.of(site, datetime.date(2026, 3, 2)), site)
        self.findings: list[Finding] = []
        self.ts: list[NDArray[np.int64]] = []
        self.values: list[NDArray[np.float64]] = []
        faults = Faults(site, plant)
        columns = {point.path: place for place, point in enumerate(site.points)}

        def take(block: Block) -> None:
            shown = block.pick(self.names)
            faults.distortions.apply(block.ts, shown, columns)
            scans = block.ts // 1_000_000 % SCAN_S == 0
            self._judge(site, block.ts[scans], shown[scans])

        play(plant.engine, Schedule(found.scenario, faults), found.scenario.end_us, take, 30)
        self.seen = np.concatenate(self.ts)
        self.shown = np.concatenate(self.values)

    def _judge(self, site: Site, ts: NDArray[np.int64], shown: NDArray[np.float64]) -> None:
        if not len(ts):
            return
        self.ts.append(ts)
        self.values.append(shown[:, self.kept])
        row, column = np.nonzero(~np.isnan(shown))
        quality = np.full(len(row), 192, np.uint8)
        samples = Samples(site.ids()[column], ts[row], shown[row, column], quality)
        self.findings += self.engine.judge(samples, int(ts[-1])) + self.engine.tick(int(ts[-1]))

    def told(self, rule: str, subject: str) -> list[tuple[int, int | None, bool]]:
        """Raised and returned when, and whether chattering held it."""
        found: list[tuple[int, int | None, bool]] = []
        for each in self.findings:
            if (each.rule, each.subject) == (rule, subject):
                if each.act is Act.RAISE:
                    found.append((each.ts, None, False))
                else:
                    found[-1] = (found[-1][0], each.ts, each.chattering)
        return found

    def column(self, name: str) -> NDArray[np.float64]:
        return self.shown[:, self.index[name]]


def agree(truth: list[Interval], told: list[tuple[int, int | None, bool]], what: str) -> None:
    """All begin and end at the same scan; while it chatters, one alarm stands for several."""
    begins = dict(truth)
    turns = [turn for interval in truth for turn in interval if turn is not None]
    covered = []
    for start, end, held in told:
        assert start in begins, f"{what}: raised at {start}, and should not"
        inside = [each for each in truth if each[0] >= start and (end is None or each[0] < end)]
        covered += inside
        if not held and end is not None:
            assert inside[-1][1] == end, f"{what}: returned at {end}, and should at {inside[-1][1]}"
        if held:
            back = turns.index(inside[-1][1])
            assert turns[back] - turns[back - 2] <= 60_000_000, f"{what}: held as chattering, and is not"
            assert end == turns[back] + 60_000_000, f"{what}: held for another time than a minute"
    assert covered == truth, f"{what}: not raised"


def intervals(ts: NDArray[np.int64], on: NDArray[np.bool_]) -> list[Interval]:
    steps = np.diff(np.concatenate([[0], on.astype(int), [0]]))
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(int(ts[a]), int(ts[b]) if b < len(ts) else None) for a, b in zip(begins, ends, strict=True)]


def hold(run: Run) -> dict[str, int]:
    """Everything against its truth; how many alarms of each rule there were."""
    judged: dict[str, int] = {}
    times = run.seen.tolist()
    for each in run.design.thresholds:
        values = run.column(f"{each.sensor}.{each.point}").tolist()
        words = run.column(f"{each.sensor}.{each.state}") if each.state else np.zeros(len(times))
        states = np.nan_to_num(words).astype(int).tolist()
        truth = expected(each, zip(times, values, states, strict=True))
        for kind, usual in KINDS.items():
            rule = "limit.lo" if kind == "alarm" and each.side == "below" else usual
            key = each.point if kind in ("alarm", "cut") else each.state
            if key is None or each.point in ("smoke", "duct", "feed", "running", "fan", "door"):
                continue
            of = [(one.start, one.end) for one in truth if one.kind == kind]
            told = run.told(rule, f"{run.site.code}/{each.sensor}/{key}")
            agree(of, told, f"{rule} of {each.sensor}/{key}")
            judged[rule] = judged.get(rule, 0) + len(of)
    for point in run.site.points:
        what = point.role.removeprefix("protection.")
        if point.role.startswith("protection.") and what in SAYS:
            of = intervals(run.seen, run.column(f"{point.equipment}.{point.key}") == 1)
            agree(of, run.told(point.role, point.path), point.path)
            judged[point.role] = judged.get(point.role, 0) + len(of)
    return judged


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(HEAD.format(duration="15 min") + SHORT, tmp_path_factory.mktemp("alarms"))


def test_each_alarm_that_should_be_was_and_none_that_should_not(run: Run) -> None:
    judged = hold(run)
    for rule in ("limit.hi", "limit.hihi", "sensor.calibration", "sensor.fault", "protection.pull_cord"):
        assert judged[rule] > 0, f"the scenario must bring about {rule}"


def test_nothing_late_and_nothing_of_the_data_itself(run: Run) -> None:
    assert not any(each.late for each in run.findings)
    shown = {name for name, place in run.index.items() if not np.isnan(run.shown[:, place]).any()}
    paths = {f"{run.site.code}/{name.replace('.', '/')}" for name in shown}
    assert [each for each in run.findings if each.rule == "stale" and each.subject in paths] == []


@pytest.mark.proof
@pytest.mark.timeout(4 * 3600)
def test_a_week(tmp_path: Path) -> None:
    """A fault a quarter of an hour, over and over, of all those of the short form and more."""
    lines = SHORT.splitlines()
    faults = []
    for hour in range(1, 7 * 24, 2):
        for number, line in enumerate(lines):
            at, rest = hour * 60 + 10 * number, line.split(" min, ", 1)[1]
            faults.append(f"  - {{at: {at} min, {rest}")
    week = Run(HEAD.format(duration="168 h") + "\n".join(faults) + "\n", tmp_path)
    judged = hold(week)
    assert judged["limit.hihi"] > 80
    assert judged["protection.pull_cord"] > 80
    assert not any(each.late for each in week.findings)
