"""The city's view out of the book: months that run end yesterday, and mines without days are told."""

from __future__ import annotations

import pytest

from middleplatform.kpi import book, cities
from models.kpi.mine import Standing
from models.kpi.period import Reason, daily, period
from models.utilisation.rules import standard
from tests.middleplatform.kpi.made import HOUR, ONE, THREE, TWO, day_of, keep_mine, march, start_of

MARCH = march(31)


def test_mines_of_the_book_side_by_side(place):
    keep_mine(place, ONE, MARCH, 0.6)
    keep_mine(place, TWO, MARCH[:3], 0.9, 3000)
    keep_mine(place, THREE, [], kt=600)
    found = cities.view(place, 2026, 3, start_of(MARCH[-1]) + 40 * 24 * HOUR)
    assert [each.mine.code for each in found.city.ranked] == [ONE]
    assert {each.mine.code: each.why[0].reason for each in found.city.not_assessable} == {
        TWO: Reason.COVERAGE,
        THREE: Reason.NO_DAY,
    }
    own = daily(day_of(ONE, day, 0.6) for day in MARCH)
    assert (
        found.city.ranked[0].figure.rate
        == period(found.city.ranked[0].mine, MARCH, own, standard().versions[-1]).figure.rate
    )
    assert [(each.first.month, each.days, each.kept) for each in found.trend] == [(3, 93, 34)]
    assert found.city.group.standing is Standing.NOT_ASSESSABLE


def test_a_month_that_runs_ends_yesterday(tmp_path):
    keep_mine(tmp_path, ONE, MARCH[:9])
    noon = start_of(MARCH[9]) + 12 * HOUR
    found = cities.view(tmp_path, 2026, 3, noon)
    assert (found.until, found.city.ranked[0].missing) == (MARCH[8], 0)
    assert cities.view(tmp_path, 2026, 3, noon + 24 * HOUR).city.periods[0].missing == 1
    with pytest.raises(cities.NothingToSee, match="is over yet"):
        cities.view(tmp_path, 2026, 4, noon)
    with pytest.raises(ValueError):
        cities.view(tmp_path, 2026, 13, noon)


def test_a_book_without_mines_is_a_city_without_figures(tmp_path):
    found = cities.view(tmp_path, 2026, 3, start_of(MARCH[-1]) + 40 * 24 * HOUR)
    assert (found.city.periods, found.trend, found.city.group.rate) == ((), (), None)
    assert book.mines(tmp_path) == []
