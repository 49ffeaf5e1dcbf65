"""The middle mine for a day, with a fault of every kind: each alarm that should be raised was, none that should not, at
the very scan.

What a sensor alarms and cuts off at is the mine's own list (`thresholds` of its simulation), judged by the simulators'
plain reference; what else is an alarm is said here, and looked up in what was transmitted. Neither knows the platform's
rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from models.site.model import Point, Retention
from simulators.design.thresholds import Threshold
from simulators.faults.catalogue import catalogue
from simulators.truth.expected import FEED_ABNORMAL, Expected, expected
from tests.models.alarms.played import Played, Told

pytestmark = pytest.mark.long
DAY = Path(__file__).with_name("day.yaml")
LEVELS = {("alarm", "above"): "limit.hi", ("cut", "above"): "limit.hihi", ("alarm", "below"): "limit.lo"}
WORDS = {"calibration": "sensor.calibration", "fault": "sensor.fault", "feed_abnormal": "feed.abnormal"}
OVER_RANGE = 8
PROTECTIONS = ("slip", "pile_up", "deviation", "smoke", "tear", "pull_cord", "tension_fault", "over_temperature",
               "chain_break", "emergency_stop", "person_near", "earth_leakage", "over_current")  # fmt: skip
STATES: dict[str, tuple[str, tuple[int, ...], float]] = {
    **{f"protection.{each}": (f"protection.{each}", (1,), 0) for each in PROTECTIONS},
    "lock.gas": ("lock.gas", (1,), 0),
    "lock.wind": ("lock.wind", (1,), 0),
    "fan.direction": ("fan.reversed", (0,), 0),
    "pump.state": ("pump.fault", (4,), 0),
    "valve.state": ("valve.fault", (4,), 0),
    "damper.state": ("valve.fault", (4,), 0),
    "priming.valve": ("valve.fault", (4,), 0),
    "link.online": ("link.offline", (0,), 10),
    "ring.state": ("ring.broken", (0,), 0),
    "station.service": ("service.out", (0,), 10),
    "station.run_state": ("station.fault", (1, 2), 10),
    "station.supply": ("station.on_battery", (0, 2), 0),
    "supply.healthy": ("supply.failed", (0,), 0),
    "supply.source": ("supply.battery", (2,), 0),
}
"""By role: the alarm, the values at which it holds, and for how many seconds they must."""
ON_DUTY = {("auxiliary_fan", "running"): "fan.stopped", ("auxiliary_fan", "duct"): "duct.no_air"}
"""Of a fan on duty, at 0."""
DUCT = {"side": "below", "alarm": 0.0}
"""Of a sensor in a duct: 0 is no air."""
BAD_S = 5.0
NEVER = {"valve.fault"}
"""What no fault brings about in this mine."""

Interval = tuple[int, int | None]
Truth = Iterator[tuple[str, Point, list[Interval]]]
"""The alarm, its point, and when it should have been there."""


def agree(truth: list[Interval], told: list[Told], what: str) -> None:
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


def of_kind(found: Iterable[Expected], kind: str) -> list[Interval]:
    return [(each.start, each.end) for each in found if each.kind == kind]


def lasting(ts: NDArray[np.int64], on: NDArray[np.bool_], void: NDArray[np.bool_], delay_s: float) -> list[Interval]:
    """When `on` lasts for the delay; what is void neither begins nor ends it."""
    if not on.any():
        return []
    always = Threshold(sensor="any", point="any", alarm=1.0, delay_s=delay_s, state=None)
    seen, ends = np.flatnonzero(on), np.flatnonzero(~on & ~void)
    ends = ends[ends > seen[-1]]
    of = slice(seen[0], ends[0] + 1 if len(ends) else None)
    ts, height = ts[of], np.where(void, np.nan, on)[of]
    return of_kind(expected(always, [(*each, 0) for each in zip(ts.tolist(), height.tolist(), strict=True)]), "alarm")


class Day:
    """What should have been, of all that is judged."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.points = {f"{point.equipment}.{point.key}": point for point in played.site.points}

    def truth(self) -> Truth:
        for each in self.played.thresholds:
            yield from self._levels(each)
        for name, point in self.points.items():
            template = self.played.site.equipment[point.equipment].template
            ts, value, void = self.played.samples(name)
            if point.role == "sensor.state":
                yield from self._words(point)
            if point.role in STATES:
                rule, values, delay_s = STATES[point.role]
                yield rule, point, lasting(ts, np.isin(value, values), void, delay_s)
            if (template, point.key) == ("air_duct_sensor", "duct"):
                duct = Threshold(sensor=point.equipment, point=point.key, **DUCT)
                yield "duct.no_air", point, of_kind(self._expected(duct), "alarm")
            if (template, point.key) in ON_DUTY:
                of = ON_DUTY[template, point.key]
                duty = self.played.samples(f"{point.equipment}.duty")[1]
                yield of, point, lasting(ts, (value == 0) & (duty != 0), void, 0)
            if point.retention is Retention.STATUTORY:
                yield "bad_quality", point, lasting(ts, void, np.zeros(len(ts), np.bool_), BAD_S)

        yield self._no_main_fan()

    def lost(self) -> Iterator[tuple[str, list[Interval]]]:
        """Connections of which nothing came for twice the shortest silence that a point of theirs may keep, from batch
        to batch; as subjects."""
        played = self.played
        for name, heard in played.heard().items():
            limit = 2e6 * min(point.silence_s for point in played.site.points if point.connection == name)
            found: list[Interval] = []
            last = int(played.ts[played.batches[0][-1]])
            for batch in played.batches:
                times = played.ts[batch][heard[batch]].tolist()
                if times and times[0] - last > limit:
                    found.append((round(last + limit), times[0]))
                last = max([last, *times])
            if played.ts[-1] - last >= limit:
                found.append((round(last + limit), None))
            yield f"{played.site.code}/connection:{name}", found

    def _no_main_fan(self) -> tuple[str, Point, list[Interval]]:
        """All that are known stand."""
        fans = [each for name, each in self.points.items() if name.startswith("main_fan_") and each.key == "running"]
        place = [self.played.index[f"{each.equipment}.{each.key}"] for each in fans]
        value, quality = self.played.shown[:, place], self.played.quality[:, place]
        came = (quality >= 0).any(axis=1)
        known = quality[came] >= 64
        on = ((value[came] == 0) | ~known).all(axis=1) & known.any(axis=1)
        return "fan.none", fans[0], lasting(self.played.ts[came], on, ~known.any(axis=1), 5)

    def _levels(self, each: Threshold) -> Truth:
        found, point = self._expected(each), self.points[f"{each.sensor}.{each.point}"]
        for (kind, side), rule in LEVELS.items():
            if side == each.side and getattr(each, kind) is not None:
                yield rule if each.point != "smoke" else "smoke", point, of_kind(found, kind)

    def _expected(self, each: Threshold) -> list[Expected]:
        ts, value, _ = self.played.samples(f"{each.sensor}.{each.point}")
        sign = 1.0 if each.side == "above" else -1.0
        if not (value * sign >= min(sign * level for level in (each.alarm, each.cut) if level is not None)).any():
            return []
        words = [0] * len(ts)
        if each.state is not None:
            at, word, void = self.played.samples(f"{each.sensor}.{each.state}")
            last = np.searchsorted(at[~void], ts, side="right") - 1
            words = np.where(last < 0, 0, word[~void][np.maximum(last, 0)]).astype(int).tolist()
        return expected(each, zip(ts.tolist(), value.tolist(), words, strict=True))

    def _words(self, point: Point) -> Truth:
        """What a sensor says by its state."""
        ts, value, void = self.played.samples(f"{point.equipment}.{point.key}")
        ts, words = ts[~void], value[~void].astype(int)
        none = np.zeros(len(ts), np.bool_)
        yield "sensor.over_range", point, lasting(ts, (words & OVER_RANGE > 0) & (words != FEED_ABNORMAL), none, 0)
        silent = Threshold(sensor=point.equipment, point=point.key, alarm=1e9)
        samples = [(at, 0.0, word) for at, word in zip(ts.tolist(), words.tolist(), strict=True)] if words.any() else []
        found = expected(silent, samples)
        for kind, rule in WORDS.items():
            yield rule, point, of_kind(found, kind)


def hold(played: Played) -> dict[str, int]:
    """Everything against its truth; how many alarms of each rule there were."""
    judged: dict[str, int] = {}
    known: set[tuple[str, str]] = set()
    day = Day(played)
    points = ((rule, point.path, truth) for rule, point, truth in day.truth())
    for rule, subject, truth in chain(points, (("connection.silent", *each) for each in day.lost())):
        agree(truth, played.told(rule, subject), f"{rule} of {subject}")
        judged[rule] = judged.get(rule, 0) + len(truth)
        known.add((rule, subject))
    assert {(each.rule, each.subject) for each in played.findings} <= known, "nothing else was raised"
    assert not any(each.late for each in played.findings)
    return judged


def play(path: Path) -> Played:
    return Played(path, {*STATES, "sensor.state", "fan.duty", "duct.state", "feed.state", "run.state"})


@pytest.fixture(scope="module")
def day() -> Played:
    return play(DAY)


def test_a_fault_of_every_kind_happens() -> None:
    faults = [each["fault"] for each in yaml.safe_load(DAY.read_text("utf-8"))["faults"]]
    assert set(faults) == set(catalogue())


@pytest.mark.timeout(900)
def test_each_alarm_that_should_be_was_and_none_that_should_not(day: Played) -> None:
    judged = hold(day)
    assert {rule for rule, times in judged.items() if not times} <= NEVER


@pytest.mark.proof
@pytest.mark.timeout(4 * 3600)
def test_a_week(tmp_path: Path) -> None:
    """The faults of the day each day, at another hour each: they meet other work."""
    scenario = yaml.safe_load(DAY.read_text("utf-8"))
    of_a_day = scenario["faults"]
    scenario["duration"] = "168 h"
    scenario["faults"] = []
    for number in range(7):
        for each in of_a_day:
            at = (int(each["at"].removesuffix(" min")) + 211 * number) % 1440 + 1440 * number
            scenario["faults"].append({**each, "at": f"{at} min"})
    path = tmp_path / "week.yaml"
    path.write_text(yaml.safe_dump(scenario, allow_unicode=True), "utf-8")
    judged = hold(play(path))
    assert {rule for rule, times in judged.items() if not times} <= NEVER
    assert judged["limit.hihi"] > 7 * 7
