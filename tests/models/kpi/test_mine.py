"""A mine's utilisation: what is kept of a day comes back, and categories make a mean that nobody can embellish."""

from __future__ import annotations

from datetime import date

import pytest

from models.kpi.day import Excluded, MineDay, UnitDay, digest
from models.kpi.mine import Standing, by_category, mine_figure
from models.site.model import Name
from models.utilisation.figure import TIMES, Figure
from models.utilisation.rules import standard

VERSION = standard().versions[-1]
HOUR = 3_600_000_000


def hours(intelligent: float, by_hand: float, blind: float = 0) -> Figure:
    return Figure(*(round(each * HOUR) for each in (intelligent, by_hand, 0, blind)), calendar=24 * HOUR)


def day(**units: Figure) -> MineDay:
    of = tuple(
        UnitDay(category, f"{category}_1", Name("一", "one"), (f"{category}_1",), {"1": figure, "2": Figure()})
        for category, figure in units.items()
    )
    excluded = (Excluded(7, "geology", "face", "face_1", 5, 9),)
    return MineDay("140500000001", date(2026, 3, 2), 0, 24 * HOUR, "2026-1", "v1", of, excluded)


def test_a_day_comes_back_as_it_was_kept() -> None:
    first = day(
        face=hours(3, 4), belt=Figure(**dict(zip(TIMES, range(1, len(TIMES) + 1), strict=True)), reasons={"mode": 2})
    )
    assert MineDay.read(first.document()) == first
    assert digest(first.document()) == digest(MineDay.read(first.document()).document())


def test_categories_count_by_weight_and_one_that_stood_does_not() -> None:
    figure = mine_figure(by_category([day(face=hours(6, 4), belt=hours(4, 6), chamber=hours(0, 0))]), VERSION)
    assert figure.rate == pytest.approx(0.5)
    assert figure.standing is Standing.MET
    assert not figure.below
    assert (figure.idle, figure.absent) == (("chamber",), ("roadheader", "bolting")), "what is not in the mean is named"


def test_a_category_below_its_target_misses_whatever_the_mean() -> None:
    figure = mine_figure(by_category([day(face=hours(10, 0), belt=hours(2, 8))]), VERSION)
    assert figure.rate == pytest.approx(0.6)
    assert figure.below == ("belt",)
    assert figure.standing is Standing.MISSED


def test_what_was_by_hand_and_is_excluded_is_in_the_conservative_rate_and_told() -> None:
    """Of ten hours, of which six were by hand, the six are excluded afterwards; of another unit all."""
    tidied = Figure(4 * HOUR, excluded=6 * HOUR, excluded_by_hand=6 * HOUR, calendar=24 * HOUR)
    assert (tidied.rate, tidied.most) == (1.0, 1.0)
    assert tidied.least == pytest.approx(0.4)
    gone = Figure(excluded=24 * HOUR, excluded_by_hand=10 * HOUR, calendar=24 * HOUR)
    figure = mine_figure(by_category([day(face=tidied, belt=gone)]), VERSION)
    assert figure.rate == 1.0
    assert figure.least == pytest.approx(0.2), "the belt, of which nothing is left, weighs as much as the face"


def test_of_a_mine_of_which_too_little_is_known_nothing_is_said() -> None:
    figure = mine_figure(by_category([day(face=hours(8, 0, blind=2), belt=hours(10, 0))]), VERSION)
    assert figure.rate == 1.0
    assert figure.doubtful == ("face",)
    assert figure.standing is Standing.NOT_ASSESSABLE
    assert figure.least == pytest.approx(0.9)
    assert mine_figure({}, VERSION).standing is Standing.NOT_ASSESSABLE
