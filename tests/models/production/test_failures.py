"""Failures and stoppages against what a shift's log would say of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from models.production.data import faults, machines
from models.production.failures import Raised, Stood, down, failures
from models.production.stoppages import NO_ALARM, NO_JOURNAL, UNSEEN, stoppages
from models.spans import Spans
from models.utilisation.verdict import UNKNOWN, Verdict
from models.vocabulary import roles

MIN = 60_000_000
DAY = (0, 1440 * MIN)


def ran(*stands: tuple[int, int], known: tuple[int, int] = (-360, 1440)) -> Verdict:
    """A machine that ran but for these minutes."""
    stood = Spans.of((a * MIN, b * MIN) for a, b in stands)
    return Verdict(stood.gaps(known[0] * MIN, known[1] * MIN), stood)


def alarm(rule: str, begin: float, end: float | None, at: str = "belt_1", first: bool = False) -> Raised:
    return Raised(rule, at, "", round(begin * MIN), None if end is None else round(end * MIN), first)


def found(raised: list[Raised], how: Verdict) -> list[tuple[str, int, int | None, Stood]]:
    return [
        (each.rule, each.begin // MIN, None if each.end is None else each.end // MIN, each.stood)
        for each in failures(raised, how, DAY[1])
    ]


def test_a_failure_lasts_until_the_machine_runs_again() -> None:
    slip = alarm("protection.slip", 100, 101)
    assert found([slip], ran((100, 140))) == [("protection.slip", 100, 140, Stood.YES)]
    assert down(failures([slip], ran((100, 140)), DAY[1]), ran((100, 140)), DAY[1]).us() == 40 * MIN


def test_alarms_of_one_standstill_are_one_failure_and_the_first_names_it() -> None:
    several = [alarm("protection.tear", 105, 120), alarm("protection.slip", 100, 101), alarm("device.fault", 130, 131)]
    assert found(several, ran((100, 140))) == [("protection.slip", 100, 140, Stood.YES)]
    later = [*several, alarm("protection.slip", 150, 151)]
    assert [each[1] for each in found(later, ran((100, 140), (150, 160)))] == [100, 150]


def test_a_machine_that_ran_on_did_not_fail_and_of_an_unknown_one_nobody_knows() -> None:
    slip = alarm("protection.slip", 100, 101)
    assert found([slip], ran()) == [("protection.slip", 100, 101, Stood.NO)]
    assert found([slip], UNKNOWN) == [("protection.slip", 100, 101, Stood.UNKNOWN)]
    assert down(failures([slip], UNKNOWN, DAY[1]), UNKNOWN, DAY[1]).us() == 0


def test_what_is_open_at_the_end_lasts() -> None:
    assert found([alarm("protection.tear", 1400, None)], ran((1400, 1440))) == [
        ("protection.tear", 1400, None, Stood.YES)
    ]
    returned = found([alarm("protection.tear", 1400, 1410)], ran((1400, 1440)))
    assert returned == [("protection.tear", 1400, None, Stood.YES)], "it has not run again"


def test_what_people_and_gas_do_is_no_failure_of_the_machine() -> None:
    assert found([alarm("protection.pull_cord", 100, 110), alarm("lock.gas", 200, 210)], ran((100, 110))) == []
    hot = Raised("limit.hihi", "belt_1", "ch4", 100 * MIN, 110 * MIN)
    assert found([hot], ran((100, 110))) == [], "methane is no temperature of a motor"


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1300), st.integers(1, 100)), max_size=8),
    st.lists(st.tuples(st.integers(0, 1300), st.integers(1, 100)), max_size=6),
    st.randoms(use_true_random=False),
)
def test_failures_never_overlap_and_their_order_does_not_matter(
    alarms: list[tuple[int, int]], stands: list[tuple[int, int]], chance: object
) -> None:
    how = ran(*((a, a + us) for a, us in stands))
    raised = [alarm("protection.slip", a, a + us) for a, us in alarms]
    several = failures(raised, how, DAY[1])
    chance.shuffle(raised)  # type: ignore[attr-defined]
    assert failures(raised, how, DAY[1]) == several
    # Against a plain walk by the minute.
    standing = {minute for a, us in stands for minute in range(a, a + us)}
    begins = {minute for minute in standing if minute - 1 not in standing}
    real = [each for each in several if each.stood is Stood.YES]
    for a, _ in alarms:
        held = [each for each in real if each.begin <= a * MIN <= (each.end or DAY[1])]
        assert held or not begins & {a - 1, a, a + 1}, "each alarm with which it stopped is in a failure"
    for one, other in pairwise(real):
        assert one.end is not None
        assert one.end < other.begin
    lasted = {minute for each in real for minute in range(each.begin // MIN, (each.end or DAY[1]) // MIN)}
    assert down(several, how, DAY[1]).us() == len(lasted & standing) * MIN


def test_a_stuck_alarm_does_not_make_running_time_down_time() -> None:
    stuck, belt = alarm("protection.slip", 60, 1380), ran((1080, 1140))
    assert found([stuck], belt) == [("protection.slip", 60, 1380, Stood.NO)], "it ran on, and stood hours later"
    assert down(failures([stuck], belt, DAY[1]), belt, DAY[1]).us() == 0
    tear = alarm("protection.tear", 1080, 1081)
    both = failures([stuck, tear], belt, DAY[1])
    assert [(each.rule, each.stood) for each in both] == [("protection.slip", Stood.NO), ("protection.tear", Stood.YES)]
    assert down(both, belt, DAY[1]).us() == 60 * MIN, "it hides no other"
    ran_soon = ran((60, 90))
    assert down(failures([stuck], ran_soon, DAY[1]), ran_soon, DAY[1]).us() == 30 * MIN


def test_an_alarm_at_a_machine_that_stood_anyway_is_no_failure() -> None:
    parked = ran((300, 720))
    moment = alarm("protection.slip", 400, 400 + 5 / 60)
    assert [each.stood for each in failures([moment], parked, DAY[1])] == [Stood.NO]
    assert down(failures([moment], parked, DAY[1]), parked, DAY[1]).us() == 0


def test_what_broke_before_anything_is_looked_at_is_still_down() -> None:
    broken = ran((-360, 120))
    tear = alarm("protection.tear", -700, 60)
    assert down(failures([tear], broken, DAY[1]), broken, DAY[1]).within(0, DAY[1]).us() == 120 * MIN


def stops(
    how: Verdict, raised: dict[str, list[Raised]] | None = None, by: tuple[str, ...] = (), plan: Spans | None = None
) -> list[tuple[str, str, int, bool]]:
    of = stoppages("belt_1", how, Spans.whole(*DAY) if plan is None else plan, DAY, raised, by)
    return [(each.cause, each.by, each.lost_us // MIN, each.new) for each in of]


def test_a_stop_has_the_cause_that_came_first_with_it() -> None:
    trip = [alarm("protection.tension_fault", 100.2, 120), alarm("protection.slip", 99.9, 101, first=True)]
    assert stops(ran((100, 140)), {"belt_1": trip}) == [("protection.slip", "belt_1", 40, True)]
    assert stops(ran((100, 140)), {"belt_1": [alarm("protection.slip", 90, 91)]}) == [(NO_ALARM, "", 40, True)]
    same = [alarm("protection.deviation", 100, 101), alarm("protection.slip", 100, 101, first=True)]
    assert stops(ran((100, 140)), {"belt_1": same})[0][0] == "protection.slip", "of one time the first-out one"


def test_a_belt_that_another_stops_has_that_one_s_cause() -> None:
    raised = {"belt_2": [alarm("protection.tear", 99.8, 130, at="belt_2")]}
    assert stops(ran((100, 140)), raised, ("belt_2",)) == [("protection.tear", "belt_2", 40, True)]
    assert stops(ran((100, 140)), raised) == [(NO_ALARM, "", 40, True)], "which nothing links to it"


def test_without_a_journal_or_a_beginning_the_cause_is_not_known() -> None:
    assert stops(ran((100, 140))) == [(NO_JOURNAL, "", 40, True)]
    unseen = ran((100, 140), known=(100, 1440))
    assert stops(unseen, {}) == [(UNSEEN, "", 40, False)]


def test_a_stop_over_midnight_is_one_and_its_time_is_in_both_days() -> None:
    raised = {"belt_1": [alarm("protection.tear", -30, 5)]}
    assert stops(ran((-30, 40)), raised) == [("protection.tear", "belt_1", 40, False)]
    evening = stoppages("belt_1", ran((-30, 0)), Spans.whole(-1440 * MIN, 0), (-1440 * MIN, 0), raised, ())
    assert [(each.lost_us // MIN, each.new) for each in evening] == [(30, True)]


def test_only_planned_time_is_lost_and_a_moment_is_no_stop() -> None:
    plan = Spans.of([(120 * MIN, 600 * MIN)])
    assert stops(ran((100, 140), (700, 800)), {}, plan=plan) == [(NO_ALARM, "", 20, True)]
    moment = Verdict(
        Spans.of([(0, 100 * MIN), (100 * MIN + 59_000_000, DAY[1])]), Spans.of([(100 * MIN, 100 * MIN + 59_000_000)])
    )
    assert stops(moment, {}) == []


def test_the_data_name_rules_roles_and_templates_that_there_are() -> None:
    there = {file.stem for file in (Path(models.__file__).parent / "library").glob("*.yaml")}
    assert machines().machines.keys() <= there
    rules = yaml.safe_load((Path(models.__file__).parent / "alarms" / "standard.yaml").read_text("utf-8"))["rules"]
    assert {rule for rule in faults().rules if not rule.startswith("limit.")} <= rules.keys()
    named = {role for each in faults().rules.values() for role in each.roles}
    named |= {each.role for each in machines().machines.values()}
    named |= {role for each in machines().machines.values() for role in each.counts.values()}
    assert named <= set(roles())
