"""Which alarms stood at an instant, out of the journal."""

from __future__ import annotations

from itertools import count

import pytest

from middleplatform.alarms import acts, book
from middleplatform.alarms.condition import Act, Change, Position, State
from middleplatform.alarms.then import stood
from tests.servers import CODE

SECOND = 1_000_000
BASE = 1_795_420_800 * SECOND
"""Long before the acts of people, which have the time of the test's clock."""
SUBJECT = f"{CODE}/belt1/speed"


@pytest.fixture
def journal(tmp_path):
    """What the engine finds, a second apart from BASE on: (rule, act) or (rule, act, more)."""
    sequence = count(1)

    def write(*lines):
        for rule, act, *more in lines:
            number = next(sequence)
            told = Change(
                rule, SUBJECT, act, BASE + number * SECOND, **{"rule_version": 1, "priority": 2, **dict(*more)}
            )
            assert book.record(tmp_path, CODE, Position("watch", "SAMPLES", 1, number), [told])

    write.home = tmp_path
    return write


def at(home, second):
    return {alarm.rule: alarm.state for alarm, _ in stood(home, CODE, BASE + second * SECOND)}


def test_an_alarm_that_comes_and_goes_stands_as_it_did_each_time(journal):
    journal(("fast", Act.RAISE), ("fast", Act.RETURN), ("slow", Act.RAISE), ("fast", Act.RAISE), ("slow", Act.RETURN))
    states = [at(journal.home, second) for second in range(6)]
    raised, returned = State.UNACKNOWLEDGED, State.RETURNED
    assert states == [
        {},
        {"fast": raised},
        {"fast": returned},
        {"fast": returned, "slow": raised},
        {"fast": raised, "slow": raised},
        {"fast": raised, "slow": returned},
    ]
    # Between two lines it is as after the first of them.
    assert [alarm.rule for alarm, _ in stood(journal.home, CODE, BASE + 2 * SECOND - 1)] == ["fast"]


def test_what_was_late_stood_for_nobody(journal):
    journal(("fast", Act.RAISE, {"late": True}), ("fast", Act.RECORD))
    assert at(journal.home, 9) == {}


def test_values_and_escalations_are_those_of_then_and_the_most_urgent_comes_first(journal):
    journal(
        ("fast", Act.RAISE, {"value": 6.5, "priority": 3}),
        ("hot", Act.RAISE, {"priority": 1}),
        ("fast", Act.ESCALATE, {"level": 1}),
        ("fast", Act.RETURN),
        ("fast", Act.RAISE, {"value": 7.0, "priority": 3}),
    )
    found = stood(journal.home, CODE, BASE + 3 * SECOND)
    assert [(alarm.rule, alarm.level, value) for alarm, value in found] == [("hot", 0, None), ("fast", 1, 6.5)]
    found = stood(journal.home, CODE, BASE + 9 * SECOND)
    assert [(alarm.rule, alarm.level, value) for alarm, value in found] == [("hot", 0, None), ("fast", 0, 7.0)]
    assert found[1][0].since == BASE + 5 * SECOND


def test_acknowledged_and_latched_ones_are_as_they_were_before_people_came(journal):
    journal(("fast", Act.RAISE, {"latched": True}), ("fast", Act.RETURN, {"latched": True}))
    number = book.alarms_of(journal.home, CODE)[0].id
    assert at(journal.home, 9) == {"fast": State.LATCHED}
    acts.acknowledge(journal.home, CODE, [number], "anna")
    acts.reset(journal.home, CODE, number, "anna")
    assert at(journal.home, 9) == {"fast": State.LATCHED}, "reset later, so it was latched then"
    assert stood(journal.home, CODE, 2**60) == []


def test_another_mine_has_its_own(journal):
    journal(("fast", Act.RAISE))
    assert stood(journal.home, "140581000001", BASE + 9 * SECOND) == []
