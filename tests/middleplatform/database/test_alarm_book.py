"""The alarms' book: what is kept with the position of the stream, and what people do beside it, on both databases."""

from __future__ import annotations

import time
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from middleplatform.alarms import acts, book
from middleplatform.alarms.condition import Act, AlarmError, Change, Kind, Position, State, Suppression
from middleplatform.alarms.groups import grouped
from middleplatform.audit.log import entries as audited
from middleplatform.database import connect
from tests.servers import CODE

OTHER = "140581000001"
CH4 = f"{CODE}/methane_t1/ch4"
NAME = ("methane high", CH4)


def change(act=Act.RAISE, ts=1, name=NAME, **more):
    return Change(*name, act, ts, **{"rule_version": 3, "priority": 1, **more})


def keep(place, sequence, *changes, born=1):
    return book.record(place, CODE, Position("watch-alarms", "SAFETY", born, sequence), changes)


def reached(place, consumer="watch-alarms", born=1):
    return book.reached(place, consumer, "SAFETY", born)


def states(place):
    return {(each.rule, each.subject): each.state for each in book.alarms_of(place, CODE)}


def told(place, **more):
    return [(each.what, each.ts) for each in reversed(book.entries(place, CODE, **more))]


def test_journal_condition_and_position_come_together_and_once(place):
    assert reached(place) == 0
    power = ("power cut", f"{CODE}/methane_t1")
    changes = (
        change(ts=10, value=1.2, quality=192, statutory=True, memory='{"above": 1.0}'),
        change(ts=11, name=power, kind=Kind.POWER_CUT, cause=NAME, priority=0),
    )
    assert keep(place, 7, *changes)
    for again in (7, 6):
        assert not keep(place, again, *changes), "the same messages once more"
    assert (reached(place), reached(place, "other"), reached(place, born=2)) == (7, 0, 0)
    first, second = book.alarms_of(place, CODE)
    assert (first.kind, first.cause, first.state) == (Kind.POWER_CUT, second.id, State.UNACKNOWLEDGED)
    assert (second.statutory, second.rule_version, second.since, second.memory) == (True, 3, 10, '{"above": 1.0}')
    assert told(place) == [(Act.RAISE, 10), (Act.RAISE, 11)]
    line = book.entries(place, CODE, alarm=second.id)[0]
    assert (line.value, line.quality, line.late, line.who) == (1.2, 192, False, None)
    assert keep(place, 8), "nothing came of these messages"
    assert book.alarms_of(place, OTHER) == [] and book.entries(place, OTHER) == []


def test_what_breaks_off_leaves_neither_alarm_nor_position(place):
    keep(place, 1, change(ts=10))
    engine = connect(place)

    def break_off(*_):
        raise RuntimeError("killed")

    event.listen(engine, "commit", break_off)
    try:
        with pytest.raises(RuntimeError):
            keep(place, 2, change(Act.RETURN, 20))
    finally:
        event.remove(engine, "commit", break_off)
    assert reached(place) == 1
    assert told(place) == [(Act.RAISE, 10)] and states(place) == {NAME: State.UNACKNOWLEDGED}
    assert keep(place, 2, change(Act.RETURN, 20)) and states(place) == {NAME: State.RETURNED}


def test_a_stream_that_was_made_anew_is_judged_from_its_beginning(place):
    """As after a restore onto an empty bus."""
    keep(place, 700, change(ts=10))
    assert keep(place, 1, change(Act.RETURN, 20), born=2) and states(place) == {NAME: State.RETURNED}
    assert not keep(place, 1, change(Act.RAISE, 30), born=2) and reached(place, born=2) == 1


def test_a_late_change_is_in_the_journal_alone(place):
    keep(place, 1, change(Act.RAISE, 5, late=True), change(Act.RETURN, 6, late=True))
    assert book.alarms_of(place, CODE) == [] and told(place) == [(Act.RAISE, 5), (Act.RETURN, 6)]
    assert [each.late for each in book.entries(place, CODE)] == [True, True]


def test_what_was_raised_and_returned_at_once_waits_for_somebody(place):
    keep(place, 1, change(ts=5, value=2.0), change(Act.RETURN, 6))
    assert states(place) == {NAME: State.RETURNED} and book.alarms_of(place, CODE)[0].since == 5
    acts.acknowledge(place, CODE, [book.alarms_of(place, CODE)[0].id], "olga")
    keep(place, 2, change(ts=7), change(Act.RETURN, 8), change(ts=9, priority=2), change(Act.RETURN, 10))
    assert states(place) == {NAME: State.RETURNED} and book.alarms_of(place, CODE)[0].since == 9
    keep(place, 3, change(Act.RETURN, 11), change(ts=12))
    assert states(place) == {NAME: State.UNACKNOWLEDGED}
    keep(place, 4, change(Act.RECORD, 13), change(ts=14, late=True), change(Act.RETURN, 15, late=True))
    assert states(place) == {NAME: State.UNACKNOWLEDGED} and book.alarms_of(place, CODE)[0].since == 12


def test_a_storm_is_kept_whole(place):
    names = [(f"rule {number % 3}", f"{CODE}/p{number}") for number in range(2500)]
    assert keep(place, 1, *(change(ts=number, name=name) for number, name in enumerate(names)))
    assert keep(place, 2, *(change(Act.RETURN, number, name) for number, name in enumerate(names[:2000])))
    found = states(place)
    assert len(found) == 2500 and sum(state is State.RETURNED for state in found.values()) == 2000
    assert len(book.entries(place, CODE, limit=10_000)) == 4500


step = st.sampled_from(["raise", "return", "latch", "reset", "acknowledge"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, max_size=12))
def test_any_order_of_process_and_operator_gives_the_states_of_isa_18_2(tmp_path, numbers, steps):
    """Against a plain table of transitions."""
    number = next(numbers)
    name = (f"rule {number}", CH4)
    keep(tmp_path, number * 100, change(ts=1, name=name))
    state = State.UNACKNOWLEDGED
    after = {
        "raise": lambda _: State.UNACKNOWLEDGED,
        "return": lambda s: State.NORMAL if s in _QUIET else State.RETURNED,
        "latch": lambda s: State.LATCHED_ACKNOWLEDGED if s in _QUIET else State.LATCHED,
        "reset": lambda s: State.NORMAL if s in _QUIET else State.RETURNED,
        "acknowledge": lambda s: _ACKNOWLEDGED[s],
    }
    for at, what in enumerate(steps, 1):
        if what == "acknowledge":
            (alarm,) = (each for each in book.alarms_of(tmp_path, CODE, resting=True) if each.rule == name[0])
            acts.acknowledge(tmp_path, CODE, [alarm.id], "olga")
        else:
            act = {"raise": Act.RAISE, "reset": Act.RESET}.get(what, Act.RETURN)
            keep(tmp_path, number * 100 + at, change(act, at, name, latched=what == "latch"))
        state = after[what](state)
        assert states(tmp_path).get(name, State.NORMAL) == state, steps[:at]


_QUIET = {State.NORMAL, State.ACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED}
_ACKNOWLEDGED = {
    State.NORMAL: State.NORMAL,
    State.UNACKNOWLEDGED: State.ACKNOWLEDGED,
    State.ACKNOWLEDGED: State.ACKNOWLEDGED,
    State.RETURNED: State.NORMAL,
    State.LATCHED: State.LATCHED_ACKNOWLEDGED,
    State.LATCHED_ACKNOWLEDGED: State.LATCHED_ACKNOWLEDGED,
}


@pytest.fixture
def numbers():
    return count(1)


def test_the_engine_and_the_operator_do_not_overwrite_each_other(place):
    keep(place, 1, change(ts=1))
    (alarm,) = book.alarms_of(place, CODE)
    assert acts.acknowledge(place, CODE, [alarm.id, 999], "olga", "seen") == [alarm.id]
    assert acts.acknowledge(place, CODE, [alarm.id], "ivan") == [], "once"
    assert acts.acknowledge(place, OTHER, [alarm.id], "olga") == []
    keep(place, 2, change(Act.ESCALATE, 2, level=2))
    assert states(place) == {NAME: State.ACKNOWLEDGED} and book.alarms_of(place, CODE)[0].level == 2
    line = book.entries(place, CODE)[1]
    assert (line.what, line.who, line.note) == (Act.ACKNOWLEDGE, "olga", "seen")
    assert [each.what for each in audited(place, what="alarm.")] == ["alarm.acknowledge"]
    with pytest.raises(AlarmError, match="at most 500"):
        acts.acknowledge(place, CODE, range(501), "olga")


def test_one_that_was_raised_again_meanwhile_is_not_acknowledged_unseen(place):
    other = ("methane high", f"{CODE}/methane_t2/ch4")
    keep(place, 1, change(ts=10), change(ts=10, name=other))
    ours = {each.subject: each.id for each in book.alarms_of(place, CODE)}
    seen = dict.fromkeys(ours.values(), 10)
    keep(place, 2, change(Act.RETURN, 20), change(ts=30))
    assert acts.acknowledge(place, CODE, ours.values(), "olga", seen=seen) == [ours[other[1]]]
    assert states(place)[NAME] is State.UNACKNOWLEDGED
    assert acts.acknowledge(place, CODE, ours.values(), "olga", seen={ours[CH4]: 30}) == [ours[CH4]]


def test_one_that_comes_and_goes_waits_since_it_first_came(place):
    keep(place, 1, change(ts=10), change(Act.RETURN, 20), change(ts=30))
    keep(place, 2, change(Act.ESCALATE, 35, level=1))
    keep(place, 3, change(Act.RETURN, 40))
    keep(place, 4, change(ts=50))
    (alarm,) = book.alarms_of(place, CODE)
    assert (alarm.since, alarm.waits_since, alarm.level) == (50, 10, 1)
    acts.acknowledge(place, CODE, [alarm.id], "olga")
    keep(place, 5, change(Act.RETURN, 60), change(ts=70))
    (alarm,) = book.alarms_of(place, CODE)
    assert (alarm.since, alarm.waits_since, alarm.level) == (70, 70, 0)


def test_a_cause_that_is_found_later_takes_what_came_since_it_began(place):
    """One dead link is one line, though its points were bad before nothing came of it any longer."""
    facts = {"name": ("bad_quality", CH4)}
    points = [f"{CODE}/s{n}/ch4" for n in range(24)]
    link, fault = ("connection.silent", f"{CODE}/connection:c"), ("sensor.fault", f"{CODE}/s23/state")
    keep(place, 1, change(ts=2, **facts), change(ts=3, name=fault))
    keep(place, 2, *(change(ts=20, name=("bad_quality", each)) for each in points[:-1]),
         change(ts=20, name=("bad_quality", points[-1]), cause=fault))  # fmt: skip
    takes = (facts["name"], *(("bad_quality", each) for each in points), ("bad_quality", f"{CODE}/never/raised"))
    keep(
        place, 3, change(ts=30, name=link, takes=takes, began=10), change(ts=31, name=("stale", points[0]), cause=link)
    )
    ids = {(each.rule, each.subject): each for each in book.alarms_of(place, CODE)}
    behind = {name[1] for name, each in ids.items() if each.cause == ids[link].id and each.rule == "bad_quality"}
    assert behind == set(points[:-1])
    assert ids["bad_quality", CH4].cause is None, "it was bad before the link was lost"
    assert ids["bad_quality", points[-1]].cause == ids[fault].id, "it has a cause that is nearer"
    groups = grouped(list(ids.values()), lambda subject: "face", 5)
    assert sorted(len(each.members) for each in groups) == [1, 2, 25]
    # Late, it announces nothing and takes nothing.
    keep(
        place,
        4,
        change(Act.RETURN, 40, name=link),
        change(ts=41, **facts),
        change(ts=42, name=link, takes=takes, began=41, late=True),
    )
    assert next(each for each in book.alarms_of(place, CODE) if each.subject == CH4).cause is None


def test_shelving_ends_is_lifted_and_never_takes_a_statutory_alarm(place):
    law = ("methane high", f"{CODE}/methane_t2/ch4")
    keep(place, 1, change(ts=1), change(ts=1, name=law, statutory=True))
    by_name = {each.subject: each.id for each in book.alarms_of(place, CODE)}
    free, statutory = by_name[CH4], by_name[law[1]]
    until = time.time_ns() // 1000 + 60_000_000
    with pytest.raises(AlarmError, match="statutory alarm is not shelved"):
        acts.suppress(place, CODE, statutory, Suppression.SHELVED, "olga", "noise", until)
    for wrong, words in (
        ({"until": None}, "has an end"),
        ({"until": 5}, "in the future"),
        ({"until": until + 5000 * 7 * 86_400_000_000}, "at most 12 hours"),
        ({"until": until, "reason": " "}, "1 to 500"),
    ):
        with pytest.raises(AlarmError, match=words):
            asked = {"reason": "calibration", **wrong}
            acts.suppress(place, CODE, free, Suppression.SHELVED, "olga", **asked)
    with pytest.raises(AlarmError, match="no alarm"):
        acts.suppress(place, OTHER, free, Suppression.SHELVED, "olga", "x", until)
    shelved = acts.suppress(place, CODE, free, Suppression.SHELVED, "olga", "calibration", until)
    with pytest.raises(AlarmError, match="already"):
        acts.suppress(place, CODE, free, Suppression.SHELVED, "ivan", "again", until)
    for kind in (Suppression.OUT_OF_SERVICE, Suppression.BY_DESIGN):
        for wrong, words in (
            ({"until": None}, "has an end"),
            ({"until": until + 73 * 3_600_000_000}, "at most 72 hours"),
            ({"allowed_by": None}, "somebody else allows it"),
            ({"allowed_by": "olga"}, "somebody else allows it"),
        ):
            with pytest.raises(AlarmError, match=words):
                more = {"until": until, "allowed_by": "emil", **wrong}
                acts.suppress(place, CODE, statutory, kind, "olga", "sensor is being replaced", **more)
    more = {"until": until + 60_000_000, "allowed_by": "emil"}
    acts.suppress(place, CODE, statutory, Suppression.OUT_OF_SERVICE, "olga", "sensor is being replaced", **more)
    assert "allowed by emil" in book.entries(place, CODE, limit=1)[0].note

    def suppressed(at=None):
        return {each.id: each.suppressed for each in book.alarms_of(place, CODE, at=at)}

    assert suppressed() == {free: (Suppression.SHELVED,), statutory: (Suppression.OUT_OF_SERVICE,)}
    assert suppressed(until)[free] == (), "it returns by itself"
    assert states(place)[NAME] is State.UNACKNOWLEDGED, "below it the alarm is what it is"
    with pytest.raises(AlarmError, match="no suppression"):
        acts.lift(place, OTHER, shelved, "ivan")
    acts.lift(place, CODE, shelved, "ivan")
    assert suppressed()[free] == ()
    with pytest.raises(AlarmError, match="no suppression"):
        acts.lift(place, CODE, shelved, "ivan")
    assert [act for act, _ in told(place)][2:] == [Act.SUPPRESS, Act.SUPPRESS, Act.UNSUPPRESS]
    assert {each.who for each in audited(place, what="alarm.")}, "audited"


def test_each_raise_has_its_own_handling(place):
    power = ("power cut", f"{CODE}/methane_t1")
    keep(place, 1, change(ts=1), change(ts=1, name=power, kind=Kind.POWER_CUT), change(Act.RETURN, 2))
    lines = {(each.what, each.alarm): each.number for each in book.entries(place, CODE)}
    raised = sorted(number for (what, _), number in lines.items() if what is Act.RAISE)
    made = acts.handle(place, CODE, raised[0], "ventilation door open", "door closed", "olga")
    acts.handle(place, CODE, raised[1], "methane", "gas cleared, power on by the shift leader", "ivan")
    assert book.handlings_of(place, CODE, raised[:1]) == [made]
    assert [each.who for each in book.handlings_of(place, CODE, raised)] == ["olga", "ivan"]
    assert book.handlings_of(place, OTHER, raised) == []
    returned = next(number for (what, _), number in lines.items() if what is Act.RETURN)
    for number in (returned, 999):
        with pytest.raises(AlarmError, match="no raise"):
            acts.handle(place, CODE, number, "x", "y", "olga")
    with pytest.raises(AlarmError, match="1 to 500"):
        acts.handle(place, CODE, raised[0], "", "y", "olga")
