"""What may be left out of figures: each limit at its very edge."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kpi.calendar import bounds
from models.kpi.exclusions import FILE, HOUR_US, Cause, Exclusions, Left, of_day, refusal, spans, standard
from models.site.model import Name, Shift, Site
from models.spans import Spans

SITE = Site(
    *("140500000001", Name("一矿", "one"), 900, "高瓦斯", "Asia/Shanghai", "v1", {}, {}, {}, ()),
    shifts=(Shift(Name("早", "day"), "06:00", "14:00"),),
)
FACE, BELT = ("face", "shearer_1"), ("belt", "belt_101")
MARCH, APRIL = bounds(SITE, date(2026, 3, 1))[0], bounds(SITE, date(2026, 4, 1))[0]


def left(cause: Cause, start_h: float, hours: float, *units: tuple[str, str], of: int = MARCH) -> Left:
    start = of + round(start_h * HOUR_US)
    return Left(cause, frozenset(units or (FACE,)), start, start + round(hours * HOUR_US))


def refused(asked: Left, *others: Left, before_h: float = 1) -> str:
    why = refusal(asked, asked.start - round(before_h * HOUR_US), others, SITE)
    return "" if why is None else f"{why.zh} · {why.en}"


@pytest.mark.parametrize("cause", Cause)
def test_one_is_no_longer_than_its_cause_allows(cause: Cause) -> None:
    most = standard().versions[-1].causes[cause].longest_h
    room = standard().versions[-1].causes[cause].most_of_month * 31 * 24
    assert refused(left(cause, 0, min(most, room))) == ""
    assert f"lasts {most:g} h at most" in refused(left(cause, 0, most + 0.001))


@pytest.mark.parametrize("cause", Cause)
def test_nobody_asks_long_after_the_fact(cause: Cause) -> None:
    within = standard().versions[-1].causes[cause].asked_within_h
    assert refused(left(cause, 24, 2), before_h=-within) == ""
    assert "began" in refused(left(cause, 24, 2), before_h=-within - 0.001)


def test_a_months_share_is_of_the_unit_and_the_cause_and_of_all_causes() -> None:
    month = 31 * 24
    geology = [left(Cause.GEOLOGY, day * 24, 24) for day in range(6)]
    assert refused(left(Cause.GEOLOGY, 200, 0.2 * month - 144), *geology) == ""
    told = refused(left(Cause.GEOLOGY, 200, 0.2 * month - 143.9), *geology)
    assert "shearer_1" in told
    assert "2026-03" in told
    assert "20%" in told
    assert refused(left(Cause.GEOLOGY, 200, 48, BELT), *geology) == "", "another unit has a share of its own"
    assert refused(left(Cause.GEOLOGY, 24, 24), *geology) == "", "what is left out already takes no more"
    moved = left(Cause.FACE_MOVE, 0, 0.5 * month)
    assert refused(left(Cause.REGULATOR_STOP, 0.5 * month, 0.1 * month), moved) == ""
    assert "all causes together" in refused(left(Cause.REGULATOR_STOP, 0.5 * month, 0.1 * month + 0.1), moved)


def test_a_ticket_over_the_end_of_a_month_is_held_against_both() -> None:
    over = left(Cause.GEOLOGY, -36, 72, of=APRIL)
    assert refused(over) == ""
    assert "2026-04" in refused(over, *(left(Cause.GEOLOGY, 36 + 24 * day, 24, of=APRIL) for day in range(5)))
    assert "2026-03" in refused(over, *(left(Cause.GEOLOGY, -60 - 24 * day, 24, of=APRIL) for day in range(5)))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from([FACE, BELT])), max_size=6))
@settings(max_examples=30)
def test_what_lies_in_a_day_is_what_single_hours_say(parts: list[tuple[int, int, tuple[str, str]]]) -> None:
    many = {n: left(Cause.GEOLOGY, start, hours, unit) for n, (start, hours, unit) in enumerate(parts)}
    begin, end = MARCH + 24 * HOUR_US, MARCH + 48 * HOUR_US
    found = spans(of_day(many, begin, end).values())
    for unit in (FACE, BELT):
        hours = {hour for start, lasts, of in parts for hour in range(start, start + lasts) if of == unit}
        plain = Spans.of((MARCH + h * HOUR_US, MARCH + (h + 1) * HOUR_US) for h in hours if 24 <= h < 48)
        assert found.get(unit, Spans.of([])) == plain


def test_limits_say_where_they_are_from_and_lack_no_cause() -> None:
    assert all(version.source and not version.confirmed for version in standard().versions)
    facts = yaml.safe_load(FILE.read_text("utf-8"))
    del facts["versions"][0]["causes"]["geology"]
    with pytest.raises(ValueError, match="no limits of geology"):
        Exclusions.model_validate(facts)
