"""The engine on a mine made by hand: what each sample does."""

from __future__ import annotations

import datetime
import math

import pytest

from models.alarms import Act, Engine, Finding, Kind, Rules
from models.alarms import Kind as AlarmKind
from models.site.model import Kind as PointKind
from models.site.model import Limit, Site
from tests.models.alarms.mine import REGULATION, at, methane, point, samples, site

TODAY = datetime.date(2026, 11, 26)
CH4, STATE = 7, 8


def engine(mine: Site) -> Engine:
    return Engine(Rules.of(mine, TODAY), mine)


def told(findings: list[Finding]) -> list[tuple[str, str, float]]:
    """Rule, raise or return, and seconds after the start."""
    return [(each.rule, str(each.act), (each.ts - at(0)) / 1e6) for each in findings]


def test_methane_is_raised_at_the_value_and_ends_below_its_restore() -> None:
    judge = engine(methane())
    rows = [(CH4, 0, 0.99), (CH4, 1, 1.0), (CH4, 2, 1.5), (CH4, 3, 1.2), (CH4, 4, 1.0), (CH4, 5, 0.99)]
    found = judge.judge(samples(*rows), at(5))
    assert told(found) == [
        ("limit.hi", "raise", 1),
        ("limit.hihi", "raise", 2),
        ("limit.hihi", "return", 5),
        ("limit.hi", "return", 5),
    ]
    assert [each.value for each in found[:2]] == [1.0, 1.5]
    assert judge.rules.rule("limit.hihi", "m/gas/ch4").kind is Kind.POWER_CUT
    assert judge.rules.rule("limit.hi", "m/gas/ch4").version == 20220401


def test_the_order_within_a_batch_is_that_of_the_times() -> None:
    found = engine(methane()).judge(samples((CH4, 3, 0.5), (CH4, 1, 0.5), (CH4, 2, 1.2)), at(3))
    assert told(found) == [("limit.hi", "raise", 2), ("limit.hi", "return", 3)]


def test_bad_quality_holds_an_alarm_and_has_its_own() -> None:
    judge = engine(methane())
    judge.judge(samples((CH4, 0, 1.2)), at(0))
    assert judge.judge(samples((CH4, 1, 0.0, 24)), at(1)) == [], "a sample that fails once is no alarm"
    assert told(judge.tick(at(7))) == [("bad_quality", "raise", 6)]
    assert ("limit.hi", "m/gas/ch4") in judge.active()
    found = judge.judge(samples((CH4, 8, 0.2)), at(8))
    assert sorted(told(found)) == [("bad_quality", "return", 8), ("limit.hi", "return", 8)]


@pytest.mark.parametrize("state", [4, 5])
def test_calibration_is_recorded_and_no_alarm(state: int) -> None:
    judge = engine(methane())
    found = judge.judge(samples((STATE, 0, state), (CH4, 0, 1.9), (CH4, 1, 1.9)), at(1))
    assert told(found) == [("sensor.calibration", "raise", 0)]
    assert not judge.rules.rule("sensor.calibration", "m/gas/state").annunciate
    found = judge.judge(samples((STATE, 9, 0), (CH4, 9, 1.2)), at(9))
    assert sorted(told(found)) == [("limit.hi", "raise", 9), ("sensor.calibration", "return", 9)]


def test_a_value_that_stays_counts_when_its_calibration_ends() -> None:
    judge = engine(methane())
    judge.judge(samples((STATE, 0, 4), (CH4, 0, 1.2)), at(0))
    judge.judge(samples((CH4, 1, 1.2)), at(1))
    found = judge.judge(samples((STATE, 2, 0), (CH4, 2, 1.2)), at(2))
    assert ("limit.hi", "raise", 2) in told(found)


def test_state_three_is_feed_abnormal_and_no_calibration() -> None:
    judge = engine(methane())
    found = judge.judge(samples((STATE, 0, 3), (CH4, 0, 1.2)), at(0))
    assert sorted(told(found)) == [("feed.abnormal", "raise", 0), ("limit.hi", "raise", 0)]
    assert judge.rules.rule("feed.abnormal", "m/gas/state").kind is AlarmKind.FEED_FAULT


def test_late_samples_are_told_of_as_late_and_change_nothing() -> None:
    judge = engine(methane())
    judge.judge(samples((CH4, 100, 1.2)), at(100))
    before = judge.active()
    found = judge.judge(samples((CH4, 90, 0.2), (CH4, 91, 1.7), (CH4, 92, 0.3)), at(100))
    assert [(each.late, each.rule, each.act) for each in found] == [
        (True, "limit.hihi", Act.RAISE),
        (True, "limit.hi", Act.RAISE),
        (True, "limit.hihi", Act.RETURN),
        (True, "limit.hi", Act.RETURN),
    ]
    assert judge.active() == before
    assert all(each.late for each in judge.judge(samples((CH4, 101, 0.2)), at(200)))
    assert judge.active() == before


def test_silence_is_told_at_twice_the_longest_and_ends_with_a_sample() -> None:
    judge = engine(methane())
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    assert judge.next_due() == at(20)
    assert judge.tick(at(19.9)) == []
    assert told(judge.tick(at(25))) == [
        ("connection.silent", "raise", 20),
        ("stale", "raise", 20),
        ("stale", "raise", 20),
    ]
    found = judge.judge(samples((CH4, 30, 0.2)), at(30))
    assert sorted(told(found)) == [("connection.silent", "return", 30), ("stale", "return", 30)]
    assert ("stale", "m/gas/state") in judge.active()


@pytest.mark.parametrize(("code", "word_of_its_own"), [(8, False), (20, False), (24, False), (27, False), (12, True)])
def test_what_a_gateway_says_of_a_link_that_is_cut_is_no_word_of_the_link(code: int, word_of_its_own: bool) -> None:
    """Not connected, last known, communication failure (whatever its limit bits) are; a device's failure is not."""
    judge = engine(methane())
    judge.judge(samples((CH4, 0, 0.2), (STATE, 0, 0)), at(0))
    judge.tick(at(25))
    lost = ("connection.silent", "m/connection:c")
    found = judge.judge(samples((CH4, 26, math.nan, code), (STATE, 26, math.nan, code)), at(26))
    assert (("connection.silent", "return", 26) in told(found)) is word_of_its_own
    assert (lost in judge.active()) is not word_of_its_own
    memory, later = judge.memory(), engine(methane())
    later.restore(memory)
    back = told(later.judge(samples((CH4, 40, 0.2)), at(40)))
    assert (("connection.silent", "return", 40) in back) is not word_of_its_own


def test_the_newest_limit_in_force_holds() -> None:
    stricter = Limit("hi", 0.8, None, REGULATION, "2026-02-01")
    later = Limit("hi", 0.5, None, REGULATION, "2027-01-01")
    mine = site(point("gas/ch4", "ch4", number=CH4, limits=(Limit("hi", 1.0), stricter, later), statutory=True))
    judge = engine(mine)
    assert told(judge.judge(samples((CH4, 0, 0.79), (CH4, 1, 0.8)), at(1))) == [("limit.hi", "raise", 1)]
    assert judge.rules.rule("limit.hi", "m/gas/ch4").effective_from == "2026-02-01"


def test_low_pressure_of_a_machine_that_stands_is_no_alarm() -> None:
    low = (Limit("lo", 0.15, 0.17, "制造厂", "2020-01-01"),)
    judge = engine(
        site(
            point("pump/oil_pressure", "lubrication.pressure", number=1, limits=low),
            point("pump/running", "run.state", number=2, kind=PointKind.STATE),
        )
    )
    assert judge.judge(samples((2, 0, 0), (1, 0, 0.0), (2, 20, 0), (1, 30, 0.0)), at(30)) == []
    judge.judge(samples((2, 31, 1), (1, 32, 0.05)), at(32))
    assert told(judge.tick(at(45))) == [("limit.lo", "raise", 42)]
    assert told(judge.judge(samples((2, 50, 0), (1, 51, 0.0)), at(51))) == [("limit.lo", "return", 51)]


def test_an_alarm_that_chatters_is_held_until_it_is_quiet() -> None:
    judge = engine(methane())
    flapping = [(CH4, second, 1.2 if second % 2 else 0.8) for second in range(20)]
    found = judge.judge(samples(*flapping), at(20))
    assert told(found) == [("limit.hi", "raise", 1), ("limit.hi", "return", 2), ("limit.hi", "raise", 3)]
    quiet = judge.judge(samples((CH4, 20, 0.8)), at(20))
    assert quiet == []
    assert judge.chattering() == [("limit.hi", "m/gas/ch4")]
    held = [(CH4, second, 0.8) for second in range(21, 80)]
    assert told(judge.judge(samples(*held), at(80))) == []
    (back,) = judge.judge(samples((CH4, 80, 0.8)), at(80))
    assert told([back]) == [("limit.hi", "return", 80)]
    assert back.chattering
    assert judge.chattering() == []


def test_a_memory_goes_on_exactly_and_nonsense_is_refused() -> None:
    mine = methane()
    first = engine(mine)
    first.judge(samples((CH4, 0, 1.7), (STATE, 0, 0)), at(0))
    second = engine(mine)
    second.restore(first.memory())
    assert second.active() == first.active() != []
    more = samples((CH4, 1, 0.4), (STATE, 1, 128))
    assert second.judge(more, at(1)) == first.judge(more, at(1))
    assert second.tick(at(60)) == first.tick(at(60))
    for nonsense in (b"", b"alarms 1\n", first.memory()[:-9], b"x" * 900):
        with pytest.raises(ValueError, match="not a memory"):
            second.restore(nonsense)
    assert second.memory() == first.memory()


def test_samples_of_unknown_points_are_counted() -> None:
    judge = engine(methane())
    assert judge.judge(samples((99, 0, 5.0), (CH4, 0, 0.1)), at(0)) == []
    assert judge.unknown == 1
