"""The book of figures, on both databases: revisions, provisional days, and sums by category."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from middleplatform.database import connect
from middleplatform.kpi import book
from middleplatform.kpi.book import Versions
from models.kpi.day import MineDay, UnitDay, digest
from models.kpi.mine import by_category
from models.site.model import Name
from models.utilisation.figure import TIMES, Figure

MINE, OTHER = "140500000001", "140581000001"
DAY = date(2026, 3, 2)
BY = Versions("2026-1", "v1", "1.0")


def day_of(on=DAY, mine=MINE, **units):
    of = tuple(
        UnitDay(category, f"{category}_{number}", Name("一", "one"), ("x",), {"1": figure, "2": Figure(1, 1)})
        for category, figures in units.items()
        for number, figure in enumerate(figures)
    )
    return MineDay(mine, on, 0, 9, "2026-1", "v1", of)


def keep(place, day, **more):
    return book.keep(place, day.mine, book.UTILISATION, day.day, day.document(), BY, **more)


def test_a_day_that_comes_out_the_same_stays_and_another_is_a_revision(place):
    first = keep(place, day_of(face=[Figure(5, 6)]), evidence=b"first", at=10)
    assert (first.revision, first.made_at, first.digest) == (1, 10, digest(first.document))
    assert keep(place, day_of(face=[Figure(5, 6)]), evidence=b"again", at=20) == first
    second = keep(place, day_of(face=[Figure(7, 6)]), evidence=b"second", at=30)
    assert second.revision == 2 and second.superseded_at is None
    assert [(k.revision, k.superseded_at) for k in book.revisions(place, MINE, book.UTILISATION, DAY)] == [
        (1, 30),
        (2, None),
    ]
    assert book.read(place, MINE, book.UTILISATION, DAY, DAY) == {DAY: second}
    old = book.revision(place, MINE, book.UTILISATION, DAY, 1)
    assert old is not None and MineDay.read(old.document) == day_of(face=[Figure(5, 6)])
    assert [book.evidence(place, MINE, book.UTILISATION, DAY, n) for n in (1, 2, 3)] == [b"first", b"second", None]
    (sums,) = book.category_sums(place, None, DAY, DAY)
    assert (sums.mine, sums.category, sums.days) == (MINE, "face", 1)
    assert (sums.figure.intelligent, sums.figure.by_hand) == (8, 7), "of the newest alone"


def test_a_provisional_day_is_rewritten_until_it_is_over(place):
    keep(place, day_of(face=[Figure(1)]), provisional=True, at=1)
    draft = keep(place, day_of(face=[Figure(2)]), provisional=True, at=2)
    assert (draft.revision, draft.provisional, draft.made_at) == (1, True, 2)
    over = keep(place, day_of(face=[Figure(2)]), at=3)
    assert (over.revision, over.provisional, over.made_at) == (1, False, 3)
    assert keep(place, day_of(face=[Figure(2)]), provisional=True, at=4) == over
    late = keep(place, day_of(face=[Figure(3)]), provisional=True, at=5)
    assert (late.revision, late.provisional) == (2, False), "what was published is kept"
    assert len(book.revisions(place, MINE, book.UTILISATION, DAY)) == 2


def test_sections_days_and_mines_are_kept_apart(place):
    keep(place, day_of(face=[Figure(1)]))
    keep(place, day_of(mine=OTHER, face=[Figure(2)]))
    book.keep(place, MINE, book.ENERGY, DAY, '{"kwh":1}', BY)
    keep(place, day_of(DAY + timedelta(days=3), belt=[Figure(3)]))
    assert list(book.read(place, MINE, book.UTILISATION, DAY, DAY + timedelta(days=9))) == [
        DAY,
        DAY + timedelta(days=3),
    ]
    assert list(book.read(place, MINE, book.UTILISATION, DAY, DAY + timedelta(days=2))) == [DAY]
    assert book.read(place, MINE, book.ENERGY, DAY, DAY)[DAY].document == '{"kwh":1}'
    assert book.read(place, MINE, book.PRODUCTION, DAY, DAY) == {}
    assert {each.mine for each in book.category_sums(place, None, DAY, DAY)} == {MINE, OTHER}
    assert {each.mine for each in book.category_sums(place, [OTHER], DAY, DAY)} == {OTHER}
    assert book.category_sums(place, [], DAY, DAY) == []


def test_sums_are_those_of_the_days_by_day_month_and_year(place):
    """Against the days added up one by one, across the end of a month and of a year."""
    large = 86_400_000_000 * 300  # µs of a category of three hundred units in a day
    made = [
        day_of(
            date(2025, 12, 1) + timedelta(days=9 * n), face=[Figure(n, 2 * n, 3, 4, 5, 6, large)] * 2, belt=[Figure(n)]
        )
        for n in range(9)
    ]
    for each in made:
        keep(place, each)
    first, last = made[1].day, made[-1].day
    for by, length in (("day", 10), ("month", 7), ("year", 4), (None, 0)):
        expected = {}
        for each in made[1:]:
            for category, figure in by_category([each]).items():
                key = each.day.isoformat()[:length], category
                days, total = expected.get(key, (0, Figure()))
                expected[key] = days + 1, total + figure
        found = book.category_sums(place, [MINE], first, last, by)
        assert {(one.period, one.category): (one.days, one.figure) for one in found} == expected
        assert all(type(getattr(one.figure, name)) is int for one in found for name in TIMES)


def test_two_that_keep_at_once_make_one_row_of_revisions(place):
    connect(place)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: keep(place, day_of(face=[Figure(n)]), at=n), range(1, 13)))
    kept = book.revisions(place, MINE, book.UTILISATION, DAY)
    assert [each.revision for each in kept] == list(range(1, 13))
    assert [each.revision for each in kept if each.superseded_at is None] == [12]
    (sums,) = book.category_sums(place, None, DAY, DAY)
    assert sums.figure.intelligent == MineDay.read(kept[-1].document).units[0].figure.intelligent


def test_mines_are_what_was_last_said_of_them(place):
    book.keep_mine(place, OTHER, Name("二矿", "Second"), "Asia/Shanghai", at=1)
    book.keep_mine(place, MINE, Name("一矿", "First"), "Asia/Shanghai", 1200.0, "high", at=1)
    book.keep_mine(place, MINE, Name("一矿", "First"), "Asia/Shanghai", 1200.0, "high", at=2)
    first, second = book.mines(place)
    assert (first.mine, first.capacity_kt, first.belt_central, first.updated) == (MINE, 1200.0, None, 2)
    book.keep_mine(place, MINE, Name("一矿", "First"), "Asia/Shanghai", 1200.0, "high", belt_central=True, at=3)
    first, again = book.mines(place)
    assert (first.belt_central, first.updated) == (True, 3) and again == second
