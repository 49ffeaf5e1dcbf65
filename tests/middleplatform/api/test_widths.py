"""The width of buckets that are asked for by their number: of what roll-ups are kept, and never more buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleplatform.api.history import aligned, bucket_width
from middleplatform.store.rollup_tables import HOUR, MINUTE, NAMES, QUARTER
from sevenones.bench.month import Month

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("length", "buckets", "width"),
    [
        (DAY, 1_440, MINUTE),
        (7 * DAY, 600, 17 * MINUTE),
        (DAY, 48, 30 * MINUTE),
        (30 * DAY, 1_000, 45 * MINUTE),
        (90 * DAY, 1_000, 135 * MINUTE),
        (365 * DAY, 1_000, 9 * HOUR),
        (10 * MINUTE, 1_000, 600_000),
    ],
)
def test_a_width_that_is_left_to_us_is_one_that_roll_ups_have(length, buckets, width):
    assert bucket_width(0, length, buckets, None, 1) == width


@given(st.integers(0, 2**50), st.integers(1, 1_000 * DAY), st.integers(1, 5_000))
def test_there_are_never_more_buckets_than_asked_for_and_they_begin_where_roll_ups_do(begin, length, buckets):
    start = aligned(begin, begin + length, buckets)
    width = bucket_width(start, begin + length, buckets, None, 1)
    assert start <= begin and -(-(begin + length - start) // width) <= buckets
    if length // buckets >= MINUTE:
        level = max(level for level in NAMES if width % level == 0)
        assert start % level == 0 or level > QUARTER


def test_the_bench_asks_for_a_month_as_the_platform_would():
    assert Month.of(100_000).thousandth == bucket_width(0, 30 * DAY, 1_000, None, 1)
