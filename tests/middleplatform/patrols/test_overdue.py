"""A patrol is due its interval after the last check-in, by the plan of the day."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.patrols.overdue import GRACE_S, duties, overdue
from models.patrol import Chamber, Plan
from models.site.model import Name

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000_000


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1e6)


def site(*plans):
    room = Chamber("room", Name("硐室", "room"), ("m/pump",), (), "", "", "", plans)
    return SimpleNamespace(time_zone="Asia/Shanghai", chambers={"room": room})


OLD, NEW = (
    Plan(8 * 3600.0, Name("甲队", "a"), date(2026, 1, 1)),
    Plan(4 * 3600.0, Name("乙队", "b"), date(2026, 11, 26)),
)


def test_it_is_due_after_its_interval_and_told_after_the_grace():
    last = {"room": at("2026-11-20T08:00")}
    for when, late in (("16:00", 0), ("16:15", 0), ("16:25", 600), ("18:15", 7200)):
        (duty,) = duties(site(OLD, NEW), last, at(f"2026-11-20T{when}"))
        assert (duty.late_s, duty.plan.by.en, duty.due) == (late, "a", at("2026-11-20T16:00")), when
        assert overdue(site(OLD, NEW), last, at(f"2026-11-20T{when}")) == ([duty] if late else [])


def test_the_plan_of_the_day_holds_from_its_first_hour_and_none_before_the_first():
    last = {"room": at("2026-11-25T23:00")}
    (duty,) = duties(site(OLD, NEW), last, at("2026-11-26T03:30"))
    assert duty.plan.by.en == "b" and duty.due == at("2026-11-26T04:00") and not duty.overdue
    assert duties(site(NEW), {}, at("2026-11-25T12:00")) == []
    (never,) = duties(site(NEW), {}, at("2026-11-26T12:00"))
    # Whether somebody came before the time that is looked through, two intervals, is not known: at least so late.
    assert never.last is None and never.overdue and never.late_s == 4 * 3600 - GRACE_S
    assert never.since == at("2026-11-26T00:00") and never.due == at("2026-11-26T08:00")
    (new,) = duties(site(NEW), {}, at("2026-11-26T03:00"))
    assert new.due == at("2026-11-26T04:00") and not new.overdue


def test_of_a_chamber_without_a_known_check_in_no_more_is_told_than_is_known():
    """A plan of months ago says nothing of the last hours."""
    now = at("2026-11-20T12:00")
    (unknown,) = duties(site(OLD), {}, now)
    (known,) = duties(site(OLD), {"room": now - 17 * HOUR}, now)
    assert unknown.due == now - 8 * HOUR and unknown.late_s == 8 * 3600 - GRACE_S
    assert unknown.late_s <= known.late_s, "at least so late"
    often = Plan(600.0, Name("甲队", "a"), date(2026, 1, 1))
    (never,) = duties(site(often), {}, now)
    assert never.overdue, "also where the grace is longer than the interval"


def test_a_platform_that_has_just_begun_waits_one_whole_interval():
    now = at("2026-11-20T12:00")
    for hours, late in ((0, 0), (8, 0), (8.25, 0), (9, 2700)):
        (duty,) = duties(site(OLD), {}, now, now - round(hours * HOUR))
        assert (duty.late_s, duty.looked_s) == (late, hours * 3600), hours
        assert duty.due == now - round(hours * HOUR) + 8 * HOUR
    # What was kept for longer than is looked back changes nothing, nor does it where a check-in is known.
    assert duties(site(OLD), {}, now, now - 100 * HOUR) == duties(site(OLD), {}, now)
    (known,) = duties(site(OLD), {"room": now - 10 * HOUR}, now, now - HOUR)
    assert known.late_s == 2 * 3600 - GRACE_S
    assert duties(site(OLD), {}, now, now + HOUR)[0].late_s == 0, "a clock that was set back"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100), st.integers(0, 100))
def test_a_later_check_in_never_makes_it_later(hours, more):
    now = at("2026-11-30T00:00")
    lates = [duties(site(OLD), {"room": now - h * HOUR}, now)[0].late_s for h in (hours + more, hours)]
    assert lates[1] <= lates[0] and (lates[0] == 0) == ((hours + more) * 3600 <= 8 * 3600 + GRACE_S)
