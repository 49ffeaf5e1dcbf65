"""The days and shifts of a mine cover all time once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kpi.calendar import bounds, day_of, days, stretches
from models.site.model import Name, Shift, Site
from tests.middleplatform.api.build import site

HOUR = 3_600_000_000


def mine(zone: str, *hours: tuple[int, int]) -> Site:
    shifts = tuple(Shift(Name(f"{a}", f"{a}"), f"{a:02}:00", f"{b:02}:00") for a, b in hours)
    return replace(site(), time_zone=zone, shifts=shifts)


@st.composite
def mines(draw: st.DrawFn) -> Site:
    zone = draw(st.sampled_from(["Asia/Shanghai", "Europe/Warsaw", "Australia/Lord_Howe", "UTC"]))
    cuts = sorted(draw(st.sets(st.integers(0, 23), max_size=5)))
    pairs = [*pairwise(cuts)]
    if len(cuts) > 1 and draw(st.booleans()):
        pairs.append((cuts[-1], cuts[0]))
    pairs = [pair for pair in pairs if draw(st.booleans())]
    turned = draw(st.integers(0, max(0, len(pairs) - 1)))
    return mine(zone, *pairs[turned:], *pairs[:turned])


@settings(max_examples=30)
@given(mines(), st.dates(date(2026, 1, 1), date(2026, 12, 30)))
def test_the_shifts_of_a_day_are_the_whole_day(of: Site, day: date) -> None:
    start, end = bounds(of, day)
    found = stretches(of, day)
    assert found[0].start == start
    assert found[-1].end == end
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(each.end > each.start for each in found)
    assert bounds(of, day + timedelta(days=1))[0] == end
    assert day_of(of, start) == day_of(of, end - 1) == day
    assert day_of(of, start - 1) == day - timedelta(days=1)


def test_a_shift_that_passes_midnight_belongs_to_the_day_in_which_it_began() -> None:
    of = mine("Asia/Shanghai", (6, 14), (14, 22), (22, 6))
    found = stretches(of, date(2026, 3, 2))
    assert [each.key for each in found] == ["1", "2", "3"]
    assert found[2].end - found[2].start == 8 * HOUR
    assert bounds(of, date(2026, 3, 2))[0] == 1_772_402_400_000_000  # 06:00 at the mine


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_day_on_which_clocks_are_set_is_as_long_as_it_was(day: date, hours: int) -> None:
    start, end = bounds(mine("Europe/Warsaw"), day)
    assert end - start == hours * HOUR


def test_days_are_all_of_them() -> None:
    assert len([*days(date(2028, 2, 1), date(2028, 2, 29))]) == 29
