"""Floods, groups and the figures of ISA-18.2, against plain references."""

from __future__ import annotations

import datetime
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.alarms import acts, book
from middleplatform.alarms.annunciation import annunciation
from middleplatform.alarms.condition import Act, Alarm, AlarmError, Change, Kind, Position, State, Suppression
from middleplatform.alarms.floods import floods
from middleplatform.alarms.groups import grouped
from middleplatform.alarms.performance import performance, recent_flood
from middleplatform.alarms.watched import extend
from middleplatform.database import connect
from middleplatform.watch.escalation import escalations
from tests.servers import CODE

HOW = annunciation(datetime.date(2026, 11, 26))
SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
T = 1_795_400_000 * SECOND


def plainly(times: list[int], now: int) -> list[tuple[int, int | None]]:
    """Second by second: how many came within the last ten minutes."""
    found, since = [], None
    for at in range(0, now + 1):
        number = sum(at - 600 < each <= at for each in times)
        if since is None and number > 10:
            since = at
        elif since is not None and number < 5:
            found.append((since, at))
            since = None
    return found if since is None else [*found, (since, None)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=60).map(sorted), st.integers(0, 2500))
def test_floods_begin_above_ten_and_end_below_five_in_ten_minutes(seconds, now):
    times = [each for each in seconds if each <= now]
    raised = np.array([each * SECOND for each in times], np.int64)
    found = [
        (flood.start // SECOND, None if flood.end is None else flood.end // SECOND)
        for flood in floods(raised, HOW, now * SECOND)
    ]
    assert found == plainly(times, now)


def alarm(number: int, rule: str = "hi", subject: str = "m/a/x", *, cause: int | None = None, **more) -> Alarm:
    facts = {"priority": 2, "state": State.UNACKNOWLEDGED, "since": T + number, **more}
    return Alarm(
        number, rule, subject, Kind.ALARM, 1, facts["priority"], False, facts["state"], facts["since"], cause, 0, None
    )


def test_consequences_stand_under_their_cause_and_what_is_alike_together():
    known = [
        alarm(1, "connection.silent"),
        *(alarm(number, "stale", cause=1, priority=1) for number in range(2, 12)),
        alarm(12, "late consequence", cause=5),
        *(alarm(number, "hi", f"m/face{number}/x") for number in range(20, 26)),
        alarm(30, "hi", "m/elsewhere/x"),
        alarm(31, cause=999),
    ]
    found = grouped(known, lambda subject: "face" if "face" in subject else subject, alike=5)
    assert sum(len(each.members) for each in found) == len(known)
    told = {each.head.id: (len(each.members), each.alike, each.priority) for each in found}
    assert told == {1: (12, False, 1), 20: (6, True, 2), 30: (1, False, 2), 31: (1, False, 2)}
    assert found[0].head.id == 1 and found[0].unacknowledged == 12


def test_of_a_group_what_stands_unacknowledged_is_looked_at_first_whatever_its_head_is():
    known = [
        alarm(1, "hi", state=State.ACKNOWLEDGED, priority=1),
        alarm(2, "hi", state=State.RETURNED, priority=1),
        alarm(3, "hi", state=State.UNACKNOWLEDGED, priority=3),
        alarm(4, "hi", state=State.UNACKNOWLEDGED, priority=2),
        alarm(5, "hi", state=State.LATCHED_ACKNOWLEDGED, priority=1),
    ]
    (group,) = grouped(known, lambda _: "face", 5)
    assert (group.head.id, group.urgent.id, group.priority, group.since) == (1, 4, 1, T + 5)
    assert (len(group.members), group.active, group.unacknowledged) == (5, 3, 3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.none() | st.integers(1, 12)), unique_by=lambda each: each[0]))
def test_whatever_causes_whatever_every_alarm_is_in_one_group(links):
    known = [alarm(number, f"r{number}", cause=cause) for number, cause in links]
    members = [each.id for group in grouped(known, lambda _: "", 5) for each in group.members]
    assert sorted(members) == sorted(number for number, _ in links)


def test_the_figures_are_those_of_the_journal(place):
    sequence = count(1)

    def record(*changes):
        book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, next(sequence)), changes)

    def change(name, at, act=Act.RAISE, **more):
        return Change(name, f"{CODE}/a/{name}", act, at, **{"rule_version": 1, "priority": 3, **more})

    # 12 in a minute, then quiet; one of them comes 3 times in 40 s; one is late, one lasts for two days.
    record(change("old", T - 48 * HOUR, priority=1))
    record(*(change(f"n{number}", T + number * SECOND) for number in range(9)))
    for second in (20, 40, 55):
        at = T + second * SECOND
        record(change("chatter", at, priority=2), change("chatter", at + 1, Act.RETURN))
    record(change("past", T + 5, late=True), change("calibration", T + 6, Act.RECORD))
    ids = {each.rule: each.id for each in book.alarms_of(place, CODE)}
    acts.acknowledge(place, CODE, [ids["n0"], ids["n1"], ids["old"]], "olga")
    now = T + 2 * HOUR
    with connect(place).begin() as connection:
        extend(connection, CODE, T - 72 * HOUR, now)
    found = performance(place, CODE, T, now, HOW, now=now)
    assert (found["coverage"], found["enough"], found["watched_s"]) == (1.0, True, 7200.0)
    assert (found["raises"], found["per_hour"], found["per_day"]) == (12, 6.0, 144.0)
    assert found["per_10_min"] == {"mean": 1.0, "most": 12, "above": 1 / 12}
    assert (found["top_ten"][0]["rule"], found["top_ten"][0]["raises"]) == ("chatter", 3)
    assert found["top_ten_share"] == 1.0
    assert [each["rule"] for each in found["chattering"]] == ["chatter"]
    assert [each["rule"] for each in found["stale"]["alarms"]] == ["old"]
    (flood,) = found["flood"]["floods"]
    # It begins with the eleventh, and ends when all but four have left the ten minutes.
    assert (flood["start"], flood["end"], flood["peak"]) == (T + 40 * SECOND, T + 10 * MINUTE + 7 * SECOND, 12)
    assert found["flood"]["share"] == pytest.approx((9 * MINUTE + 27 * SECOND) / (2 * HOUR))
    assert found["priorities"] == {"2": 0.25, "3": 0.75}
    # Of raises in the range two were acknowledged; acts are timed by the wall, which is years from T.
    assert found["acknowledged"]["share"] in {0.0, 2 / 12}
    assert recent_flood(place, CODE, HOW, T + 5 * MINUTE)["peak"] == 12 and recent_flood(place, CODE, HOW, now) is None
    assert performance(place, CODE, T, now, HOW, now=now, among=[ids["n0"]])["raises"] == 1
    with pytest.raises(AlarmError, match="at most 92 days"):
        performance(place, CODE, T - 100 * 24 * HOUR, now, HOW, now=now)


def test_rates_are_of_the_time_that_was_watched_and_judged_only_where_that_is_enough(place):
    """Six raises in the one hour of ten that somebody watched: not 0.6 an hour."""
    end = T + 10 * HOUR
    nothing = performance(place, CODE, T, end, HOW, now=end)
    assert (nothing["coverage"], nothing["enough"]) == (0.0, False)
    assert nothing["per_hour"] is None and nothing["per_day"] is None and nothing["flood"]["share"] is None
    assert nothing["per_10_min"] == {"mean": None, "most": 0, "above": None}
    changes = [
        Change(f"n{n}", f"{CODE}/a/n{n}", Act.RAISE, T + n * SECOND, rule_version=1, priority=3) for n in range(12)
    ]
    book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, 1), changes)
    with connect(place).begin() as connection:
        extend(connection, CODE, T - HOUR, T + HOUR)
    found = performance(place, CODE, T, end, HOW, now=end)
    assert (found["watched_s"], found["coverage"], found["enough"]) == (3600.0, 0.1, False)
    assert (found["per_hour"], found["per_day"], found["per_10_min"]["mean"]) == (12.0, 288.0, 2.0)
    assert found["per_10_min"]["above"] == pytest.approx(1 / 6)
    (flood,) = found["flood"]["floods"]
    assert found["flood"]["share"] == pytest.approx((flood["end"] - flood["start"]) / HOUR)
    assert performance(place, CODE, T, T + HOUR, HOW, now=end)["enough"]


def test_what_returned_before_anybody_saw_it_goes_up_a_level_too(place):
    """Returned or latched: nobody knows yet that it was there."""
    facts = {"rule_version": 1, "priority": 1}
    for n, (name, latched) in enumerate((("gone", False), ("cord", True)), 1):
        changes = [
            Change(name, f"{CODE}/a/{name}", Act.RAISE, T, **facts),
            Change(name, f"{CODE}/a/{name}", Act.RETURN, T + SECOND, latched=latched, **facts),
        ]
        book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, n), changes)
    now = T + HOUR
    found = escalations(place, CODE, HOW, now)
    assert {each.rule: each.level for each in found} == {"gone": 3, "cord": 3}
    assert book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, 3), found)
    told = {each.rule: (each.level, each.state) for each in book.alarms_of(place, CODE)}
    assert told == {"gone": (3, State.RETURNED), "cord": (3, State.LATCHED)}, "its state is what it was"
    assert escalations(place, CODE, HOW, now + HOUR) == []
    acts.acknowledge(place, CODE, [each.id for each in book.alarms_of(place, CODE)], "olga")
    assert escalations(place, CODE, HOW, now + HOUR) == []


def test_what_nobody_acknowledges_goes_up_a_level_once(place):
    sequence = count(1)

    def record(*changes):
        book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, next(sequence)), changes)

    facts = {"rule_version": 1}
    record(
        Change("gas", f"{CODE}/a/gas", Act.RAISE, T, priority=1, **facts),
        Change("warm", f"{CODE}/a/warm", Act.RAISE, T, priority=3, **facts),
        Change("seen", f"{CODE}/a/seen", Act.RAISE, T, priority=1, **facts),
        Change("silent", f"{CODE}/a/silent", Act.RAISE, T, priority=1, **facts),
    )
    ids = {each.rule: each.id for each in book.alarms_of(place, CODE)}
    acts.acknowledge(place, CODE, [ids["seen"]], "olga")
    # Suppressed from now on, and asked for at a time after now.
    acts.suppress(place, CODE, ids["silent"], Suppression.OUT_OF_SERVICE, "olga", "sensor replaced")
    later = book.find(place, CODE, ids["silent"])
    assert later.suppressed
    assert escalations(place, CODE, HOW, T + 59 * SECOND) == []
    now = max(T, book.entries(place, CODE, limit=1)[0].ts) + HOUR
    found = {each.rule: each for each in escalations(place, CODE, HOW, now)}
    assert {name: each.level for name, each in found.items()} == {"gas": 3, "warm": 1}
    # One that comes and goes does not begin anew each time.
    record(Change("warm", f"{CODE}/a/warm", Act.RETURN, now - 9 * SECOND, priority=3, **facts))
    record(Change("warm", f"{CODE}/a/warm", Act.RAISE, now - 8 * SECOND, priority=3, **facts))
    assert {each.rule: each.level for each in escalations(place, CODE, HOW, now)} == {"gas": 3, "warm": 1}
    assert "mine leader" in found["gas"].note
    record(*found.values())
    assert escalations(place, CODE, HOW, now + SECOND) == []
    assert {each.rule: each.level for each in book.alarms_of(place, CODE)} == {
        "gas": 3,
        "warm": 1,
        "seen": 0,
        "silent": 0,
    }
    record(Change("gas", f"{CODE}/a/gas", Act.RETURN, now, priority=1, **facts))
    record(Change("gas", f"{CODE}/a/gas", Act.RAISE, now + 1, priority=1, **facts))
    assert book.find(place, CODE, ids["gas"]).level == 3, "nobody has looked at it yet"
    acts.acknowledge(place, CODE, [ids["gas"]], "olga")
    record(Change("gas", f"{CODE}/a/gas", Act.RETURN, now + 2, priority=1, **facts))
    record(Change("gas", f"{CODE}/a/gas", Act.RAISE, now + 3, priority=1, **facts))
    assert book.find(place, CODE, ids["gas"]).level == 0, "after that a raise begins anew"
