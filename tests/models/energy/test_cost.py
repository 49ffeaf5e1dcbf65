"""Costs by the hour's tariff: against the documents' own ratios and hours, and against a plain sum."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.energy.cost import cost, hours
from models.tariffs import Period, is_holiday, scheme_at, tariffs

SHANXI = ZoneInfo("Asia/Shanghai")
zones = st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin"])


def us(*when: int, zone: ZoneInfo = SHANXI) -> int:
    return round(datetime(*when, tzinfo=zone).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("day", "mean"),
    [((2026, 5, 12), 1.019), ((2026, 7, 15), 1.057), ((2026, 9, 16), 1.065), ((2026, 12, 9), 1.082)],
)
def test_the_mean_price_of_a_flat_load_by_season(day: tuple[int, int, int], mean: float) -> None:
    """The means are worked out in the field's notes, from the hours of the document."""
    found = cost(np.ones(24), hours("shanxi", SHANXI, us(*day), us(*day) + 86_400_000_000))
    assert found.cost / 24 == pytest.approx(mean, abs=5e-4)
    assert found.least == pytest.approx(24 * 0.45)


def test_a_holiday_has_a_deep_valley_and_another_day_has_none() -> None:
    holiday = hours("shanxi", SHANXI, us(2026, 10, 3), us(2026, 10, 4))
    assert [n for n, period in enumerate(holiday.periods) if period is Period.DEEP_VALLEY] == [13, 14]
    assert set(holiday.cheapest) == {0.36}
    work = hours("shanxi", SHANXI, us(2026, 10, 13), us(2026, 10, 14))
    assert Period.DEEP_VALLEY not in work.periods
    assert is_holiday(date(2026, 10, 1))
    assert not is_holiday(date(2027, 10, 1)), "of a year that was not announced nothing is known"


def test_the_old_scheme_holds_until_the_new_one_does() -> None:
    night = hours("shanxi", SHANXI, us(2026, 4, 30, 23), us(2026, 5, 1, 1))
    assert night.periods == (Period.FLAT, Period.FLAT)  # 23-24 under the old one, 0-1 under the new
    noon = [hours("shanxi", SHANXI, us(2026, *d, 8), us(2026, *d, 9)).periods[0] for d in ((4, 30), (5, 6))]
    assert noon == [Period.PEAK, Period.FLAT]
    with pytest.raises(KeyError):
        hours("shanxi", SHANXI, us(2021, 5, 1), us(2021, 5, 2))


@given(st.integers(0, 86_400 * 40), st.integers(1, 86_400 * 3), zones)
def test_hours_are_whole_and_each_is_of_one_local_hour(begin: int, length: int, name: str) -> None:
    zone = ZoneInfo(name)
    start = us(2026, 9, 20) + begin * 1_000_000 + 123_456
    end = start + length * 1_000_000
    found = hours("shanxi", zone, start, end)
    assert (found.edges[0], found.edges[-1]) == (start, end)
    assert (np.diff(found.edges) > 0).all()
    assert (np.diff(found.edges) <= 3_600_000_000).all()
    for a, b, day, period in zip(found.edges, found.edges[1:], found.days, found.periods, strict=False):
        first, last = (datetime.fromtimestamp(int(each) // 10**6, UTC).astimezone(zone) for each in (a, b - 1))
        assert (first.date(), first.hour) == (last.date(), last.hour) == (day, first.hour)
        assert period is scheme_at("shanxi", day).at(first.replace(tzinfo=None))


def test_kwh_by_period_and_their_price() -> None:
    of = hours("shanxi", SHANXI, us(2026, 9, 16), us(2026, 9, 17))
    used = np.arange(24.0)
    found = cost(used, of, lambda day: 0.5 if day == date(2026, 9, 16) else 9.0)
    scheme = scheme_at("shanxi", date(2026, 9, 16))
    midnight = datetime(2026, 9, 16)
    at = [scheme.at(midnight + timedelta(hours=n)) for n in range(24)]
    assert found.kwh == {p: sum(used[n] for n in range(24) if at[n] is p) for p in set(at)}
    assert found.cost == pytest.approx(sum(used[n] * 0.5 * scheme.ratios.of(at[n]) for n in range(24)))
    assert found.total_kwh == used.sum()
    assert found.dear > 0


def test_all_tariffs_have_ratios_in_their_order() -> None:
    for schemes in tariffs().values():
        for scheme in schemes:
            ratios = scheme.ratios
            assert ratios.sharp >= ratios.peak > ratios.flat > ratios.valley >= ratios.of(Period.DEEP_VALLEY)
