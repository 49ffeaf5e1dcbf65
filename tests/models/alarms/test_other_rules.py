"""What stands still when rules change, when a memory is lost, when a gate is not known, and when the clock jumps."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from models.alarms import Engine, Rules
from models.site.model import Kind, Limit, Site
from tests.models.alarms.mine import METHANE, REGULATION, at, methane, point, samples, site
from tests.models.alarms.test_engine import CH4, STATE, told

TODAY = datetime.date(2026, 11, 26)
HOUR = 3600


def engine(mine: Site, **more: int) -> Engine:
    return Engine(Rules.of(mine, TODAY), mine, **more)


def limited(*limits: Limit) -> Site:
    made = methane()
    gas, state = made.points
    return dataclasses.replace(made, points=(dataclasses.replace(gas, limits=limits), state))


def follow(judge: Engine, mine: Site) -> Engine:
    later = engine(mine)
    later.restore(judge.memory())
    return later


@pytest.mark.parametrize("before", [(), (Limit("hi", 2.0, None, REGULATION, "2022-04-01"),)])
def test_a_rule_that_is_new_or_stricter_judges_what_stands(before: tuple[Limit, ...]) -> None:
    judge = engine(limited(*before))
    assert judge.judge(samples((CH4, 0, 1.2), (STATE, 0, 0)), at(0)) == []
    stricter = follow(judge, limited(*METHANE))
    assert told(stricter.review()) == [("limit.hi", "raise", 0)]
    assert stricter.judge(samples((CH4, 1, 1.2)), at(1)) == [], "it is raised once"


def test_what_was_silent_is_judged_when_it_comes_though_it_stands_still() -> None:
    judge = engine(limited())
    judge.judge(samples((CH4, 0, 1.2), (STATE, 0, 0)), at(0))
    judge.judge(samples((STATE, 50, 0)), at(50))
    stricter = follow(judge, limited(*METHANE))
    assert stricter.review() == [], "nobody knows what it is now"
    assert ("limit.hi", "raise", 55) in told(stricter.judge(samples((CH4, 55, 1.2)), at(55)))


def test_a_looser_rule_lets_go_of_what_stands_and_the_same_rules_change_nothing() -> None:
    judge = engine(limited(*METHANE))
    judge.judge(samples((CH4, 0, 1.2), (STATE, 0, 0)), at(0))
    assert follow(judge, limited(*METHANE)).review() == []
    looser = follow(judge, limited(Limit("hi", 2.0, None, REGULATION, "2022-04-01")))
    assert told(looser.review()) == [("limit.hi", "return", 0)]
    assert looser.active() == []


@pytest.mark.parametrize(("value", "acts"), [(1.2, []), (0.2, [("limit.hi", "return", 5)])])
def test_what_is_raised_and_forgotten_goes_on_or_returns_with_the_next_sample(
    value: float, acts: list[tuple[str, str, float]]
) -> None:
    judge = engine(methane())
    judge.adopt([("limit.hi", "m/gas/ch4"), ("stale", "m/gas/state"), ("gone", "m/gas/ch4")])
    assert set(judge.active()) == {("limit.hi", "m/gas/ch4"), ("stale", "m/gas/state")}
    assert told(judge.judge(samples((CH4, 5, value)), at(5))) == acts
    assert ("stale", "return", 6) in told(judge.judge(samples((STATE, 6, 0)), at(6)))


FAN, DUTY = 1, 2


def fan() -> Engine:
    return engine(
        site(
            point("fan/running", "run.state", number=FAN, kind=Kind.STATE),
            point("fan/duty", "fan.duty", number=DUTY, kind=Kind.STATE),
            templates={"fan": "auxiliary_fan"},
        )
    )


@pytest.mark.parametrize(
    ("duty", "raised"),
    [((DUTY, 29, 0), False), ((DUTY, 29, 0, 0), True), ((DUTY, 0, 0), True), ((DUTY, 29, 1), True)],
    ids=["known", "bad", "not heard of", "on duty"],
)
def test_a_gate_that_is_not_known_silences_nothing(duty: tuple[int, float, float], raised: bool) -> None:
    judge = fan()
    judge.judge(samples((FAN, 0, 1), duty), at(29))
    assert (("fan.stopped", "raise", 30) in told(judge.judge(samples((FAN, 30, 0)), at(30)))) is raised


def test_nobody_was_silent_while_nobody_was_heard() -> None:
    """The bus was away for five minutes; one gateway sends what it kept, another one only the present."""
    judge = engine(methane(), quiet_us=30_000_000)
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    kept = samples(*((CH4, second, 0.2) for second in range(10, 300, 10)))
    found = judge.judge(kept, at(300)) + judge.judge(samples((CH4, 301, 0.2), (STATE, 303, 0)), at(303))
    assert told(found) == []
    assert ("stale", "raise", 321) in told(judge.tick(at(330)))


def test_what_comes_late_was_not_silent() -> None:
    """One link of several was down, shorter than the time after which it counts as silent by the clock."""
    judge = engine(methane())
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    kept = samples(*((point, second, 0.2 * (point == CH4)) for point in (CH4, STATE) for second in range(0, 101, 5)))
    assert told(judge.judge(kept, at(100))) == []


def test_a_clock_that_leaps_and_comes_back_makes_nothing_late_nor_stale() -> None:
    judge = engine(methane(), quiet_us=30_000_000)
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    leap = judge.judge(samples((CH4, HOUR, 0.2), (STATE, HOUR, 0)), at(HOUR))
    assert told(leap) == [], "nobody was silent"
    back = judge.judge(samples((CH4, 20, 1.2), (STATE, 20, 0)), at(20))
    assert told(back) == [("limit.hi", "raise", 20)] and not back[0].late
    assert judge.back == 1
    assert told(judge.judge(samples((CH4, 30, 0.2), (STATE, 30, 0)), at(30))) == [("limit.hi", "return", 30)]
    assert ("stale", "raise", 50) in told(judge.tick(at(51)))


def test_an_old_memory_is_read_and_the_last_time_is_part_of_it() -> None:
    judge = engine(methane(), quiet_us=30_000_000)
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    later = engine(methane(), quiet_us=30_000_000)
    later.restore(judge.memory())
    assert told(later.judge(samples((CH4, 300, 0.2), (STATE, 300, 0)), at(300))) == []
    assert np.array_equal(later._heard, [at(300)])


def main_fans() -> Engine:
    return engine(
        site(
            *(point(f"fan_{n}/running", "run.state", number=n, kind=Kind.STATE) for n in (1, 2)),
            point("aux/running", "run.state", number=3, kind=Kind.STATE),
            templates={"fan_1": "main_fan", "fan_2": "main_fan", "aux": "belt_conveyor"},
        )
    )


NONE = ("fan.none", "raise", 15)


@pytest.mark.parametrize(
    ("other", "raised"),
    [((2, 9, 0), True), ((2, 9, 1), False), ((2, 9, 1, 0), True), ((2, -20, 1), True), (None, True)],
    ids=["stands", "runs", "is bad", "is silent", "never spoke"],
)
def test_no_main_fan_runs_where_none_is_known_to(other: tuple[int, float, float] | None, raised: bool) -> None:
    judge = main_fans()
    judge.judge(samples((1, 9, 1), (3, 9, 1), *([other] if other else [])), at(9))
    judge.judge(samples((1, 10, 0)), at(10))
    assert (NONE in told(judge.tick(at(16)))) is raised


def test_no_main_fan_runs_until_one_does_and_says_nothing_while_none_is_known() -> None:
    judge = main_fans()
    judge.judge(samples((1, 0, 0, 0), (2, 0, 0, 0)), at(0))
    assert not any(rule == "fan.none" for rule, *_ in told(judge.tick(at(8))))
    judge.judge(samples((1, 10, 0), (2, 10, 0)), at(10))
    assert NONE in told(judge.tick(at(16)))
    assert ("fan.none", "return", 20) in told(judge.judge(samples((2, 20, 1)), at(20)))
