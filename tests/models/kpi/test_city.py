"""Mines side by side: what is not known ranks nobody, days that are missing are unknown, and sums are of times."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kpi.city import Belts, city, step
from models.kpi.day import MineDay, UnitDay
from models.kpi.mine import Standing, by_category, mine_figure
from models.kpi.period import Mine, Period, Reason, daily, month_days, period
from models.kpi.targets import belt_target
from models.site.model import Name
from models.utilisation.figure import Figure
from models.utilisation.rules import standard

VERSION = standard().versions[-1]
HOUR = 3_600_000_000
MARCH = month_days(2026, 3)
TARGET = belt_target(MARCH[-1])


def hours(intelligent: float, by_hand: float) -> Figure:
    return Figure(round(intelligent * HOUR), round(by_hand * HOUR), calendar=24 * HOUR)


def mine(number: int, capacity_kt: float | None = 1200) -> Mine:
    return Mine(f"14058199910{number}", Name(f"{number}号矿", f"mine {number}"), capacity_kt)


def day(code: str, of: date, **units: Figure) -> MineDay:
    made = tuple(UnitDay(c, f"{c}_1", Name("一", "one"), (f"{c}_1",), {"1": figure}) for c, figure in units.items())
    return MineDay(code, of, 0, 24 * HOUR, "2026-1", "v1", made)


def month(number: int, capacity_kt: float | None = 1200, kept: int = 31, **units: Figure) -> Period:
    own = mine(number, capacity_kt)
    return period(own, MARCH, daily(day(own.code, each, **units) for each in MARCH[:kept]), VERSION)


def test_a_month_of_three_days_is_told_as_such_and_not_assessable() -> None:
    few = month(1, kept=3, belt=hours(20, 4))
    assert (len(few.days), len(few.kept), few.missing) == (31, 3, 28)
    assert few.figure.standing is Standing.NOT_ASSESSABLE
    (why,) = few.why
    assert (why.reason, why.category, why.missing) == (Reason.COVERAGE, "belt", 28)
    assert why.coverage == pytest.approx(3 * 24 / (31 * 24))
    assert few.figure.rate == pytest.approx(20 / 24)
    assert few.figure.least == pytest.approx(20 * 3 / (31 * 24))
    assert few.figure.most == pytest.approx((20 * 3 + 28 * 24) / (31 * 24))


def test_a_mine_without_a_day_is_not_assessable_and_says_so() -> None:
    none = month(1, kept=0)
    assert [each.reason for each in none.why] == [Reason.NO_DAY]
    assert none.figure.rate is None


def test_one_that_stood_all_month_is_told_from_one_nobody_knows_of() -> None:
    assert [each.reason for each in month(1, belt=hours(0, 0)).why] == [Reason.STOOD]
    assert [each.reason for each in month(1).why] == [Reason.NO_UNIT]


def test_the_units_of_the_last_day_kept_stand_for_a_missing_one() -> None:
    own = mine(1)
    kept = [day(own.code, MARCH[2], belt=hours(1, 1)), day(own.code, MARCH[4], face=hours(1, 1))]
    found = period(own, MARCH[:6], daily(kept), VERSION).figure.categories
    assert found["belt"].blind == 3 * 24 * HOUR, "1, 2 and 4 March"
    assert found["face"].blind == 24 * HOUR, "6 March"


def test_ranking_holds_those_that_are_assessable_only() -> None:
    good, better = month(1, belt=hours(12, 12)), month(2, belt=hours(18, 6))
    unknown = month(3, kept=5, belt=hours(24, 0))
    found = city([good, unknown, better], VERSION, TARGET)
    assert [each.mine.code for each in found.ranked] == [better.mine.code, good.mine.code]
    assert [each.mine.code for each in found.not_assessable] == [unknown.mine.code]
    assert found.met == 2


def test_the_group_is_its_mines_times_and_no_mean_of_means() -> None:
    small, large = month(1, belt=hours(1, 0)), month(2, belt=hours(1, 22))
    found = city([small, large], VERSION, TARGET)
    assert found.group.rate == pytest.approx(2 / 24)
    assert (small.figure.rate, large.figure.rate) == (1.0, pytest.approx(1 / 23))


def test_belts_are_asked_of_mines_of_900_kt_and_more() -> None:
    periods = [
        month(1, 900, belt=hours(22, 2)),
        month(2, 1200, belt=hours(12, 12)),
        month(3, 3000, kept=2, belt=hours(24, 0)),
        month(4, 899, belt=hours(0, 24)),
        month(5, None, belt=hours(24, 0)),
        month(6, 5000, face=hours(1, 1)),
    ]
    belts = city(periods, VERSION, TARGET).belts
    assert belts is not None
    assert list(belts.mines.values()) == [Belts.COVERED, Belts.NOT_COVERED, Belts.NOT_ASSESSABLE, Belts.NONE]
    assert belts.share == pytest.approx(1 / 4)
    assert belts.unknown_capacity == (mine(5).code,)


def test_belts_of_which_too_little_is_known_are_no_nought() -> None:
    dark, hand, own = month(1, 900, kept=2, belt=hours(0, 24)), month(2, 900, belt=hours(0, 24)), month(3, 900, kept=0)
    shares = {}
    for name, periods in {"dark": [dark], "silent": [own], "some": [dark, hand], "hand": [hand]}.items():
        belts = city(periods, VERSION, TARGET).belts
        assert belts is not None
        shares[name] = (belts.share, belts.unknown)
    assert shares["dark"] == shares["silent"] == shares["some"] == (None, 1)
    assert shares["hand"] == (0.0, 0), "known of all: that is a nought"


def test_a_mine_twice_or_over_other_days_is_refused() -> None:
    one = month(1, belt=hours(1, 1))
    with pytest.raises(ValueError, match="twice"):
        city([one, one], VERSION, TARGET)
    with pytest.raises(ValueError, match="different days"):
        city([one, period(mine(2), MARCH[:3], {}, VERSION)], VERSION, TARGET)


def test_a_city_without_mines_has_no_figure() -> None:
    found = city([], VERSION, TARGET)
    assert (found.group.rate, found.group.standing, found.met) == (None, Standing.NOT_ASSESSABLE, 0)
    assert found.belts is not None and found.belts.share is None


def test_a_trend_says_how_many_days_each_step_stands_on() -> None:
    one = month(1, kept=31, belt=hours(6, 18))
    found = step([one, month(2, kept=3, belt=hours(6, 18))], VERSION)
    assert (found.first, found.days, found.kept, found.rate) == (date(2026, 3, 1), 62, 34, 0.25)
    assert found.standing is Standing.NOT_ASSESSABLE


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), min_size=1, max_size=20), st.data())
def test_truth_lies_within_the_bounds_whatever_days_are_missing(worked: list[tuple[int, int]], data: st.DataObject):
    """Against all days known: a plain reference. A unit that works at most all day long."""
    own = mine(1)
    dates = [date(2026, 3, 1) + timedelta(days=n) for n in range(len(worked))]
    whole = [day(own.code, of, belt=hours(i, min(h, 24 - i))) for of, (i, h) in zip(dates, worked, strict=True)]
    kept = data.draw(st.lists(st.sampled_from(whole), min_size=1, unique_by=lambda each: each.day))
    truth = mine_figure(by_category(whole), VERSION).rate
    found = period(own, dates, daily(kept), VERSION).figure
    if truth is not None and found.least is not None:
        assert found.least <= truth + 1e-12
        assert found.most is not None and truth <= found.most + 1e-12


def test_days_of_a_month() -> None:
    assert (len(month_days(2026, 2)), month_days(2026, 12)[-1]) == (28, date(2026, 12, 31))
    with pytest.raises(ValueError):
        month_days(2026, 13)


def test_a_mine_that_sends_nothing_does_not_make_the_group_better() -> None:
    told, silent = month(1, belt=hours(18, 2)), month(2, kept=0)
    found = city([told, silent], VERSION, TARGET)
    assert found.group.standing is step([told, silent], VERSION).standing is Standing.NOT_ASSESSABLE
    assert (found.group.least, found.group.most, found.group.coverage) == (None, None, None), "of nobody knows what"
    assert found.silent == 1


def test_of_a_silent_mine_the_units_it_last_had_are_unknown() -> None:
    told, own = month(1, belt=hours(18, 2)), mine(2)
    before = daily([day(own.code, date(2026, 2, 20), belt=hours(0, 20))])
    silent = period(own, MARCH, before, VERSION)
    assert [each.reason for each in silent.why] == [Reason.NO_DAY] and not silent.unheard
    group = city([told, silent], VERSION, TARGET).group
    assert group.coverage == pytest.approx(20 / 44) and group.standing is Standing.NOT_ASSESSABLE
    assert (group.least, group.most) == (pytest.approx(18 / 44), pytest.approx(42 / 44))
    after = period(own, MARCH, daily([day(own.code, date(2026, 4, 2), belt=hours(0, 20))]), VERSION)
    assert after.figure == silent.figure, "and of one that came later as well"
