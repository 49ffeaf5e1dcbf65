"""The clock of a device: how far off it is, and local time without its zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.skew import LEAST, WINDOW, Skew, from_local

S = 1_000_000
NOW = 1_800_000_000_000_000


def feed(skew, offset_s, seconds, begin=0):
    for second in range(begin, begin + seconds):
        now = NOW + second * S
        skew.see(np.array([0]), np.array([now + int(offset_s * S)]), now)


@given(st.floats(-1000, 1000), st.lists(st.floats(-0.4, 0.4), min_size=LEAST + 1, max_size=3 * WINDOW))
def test_the_skew_is_the_median_of_the_last_readings_that_brought_news(offset, jitters):
    skew = Skew(1, 10.0)
    seen = []
    for second, jitter in enumerate(jitters):
        now, source = NOW + second * S, NOW + second * S + round((offset + jitter) * S)
        skew.see(np.array([0]), np.array([source]), now)
        seen.append((source - now) / S)
    wanted = np.median(seen[1:][-WINDOW:])
    assert skew.seconds is not None and abs(skew.seconds - wanted) < 1e-6
    assert skew.off == (abs(wanted) > 10.0)


def test_a_value_that_stays_has_an_old_time_and_says_nothing_of_the_clock():
    skew = Skew(1, 10.0)
    for second in range(100):
        skew.see(np.array([0]), np.array([NOW]), NOW + second * S)
    assert skew.seconds is None and skew.readings_off == 0


def test_a_backlog_that_is_caught_up_with_is_no_skew_and_the_present_after_it_is_judged():
    skew = Skew(1, 10.0)
    for n in range(60):  # an hour of minutes, in six seconds
        skew.see(np.array([0]), np.array([NOW - 3600 * S + n * 60 * S]), NOW + n * S // 10)
    assert skew.seconds is None
    feed(skew, 0.0, 2 * WINDOW, begin=10)
    assert abs(skew.seconds) < 0.1


def test_eight_hours_off_is_said_to_be_a_missing_zone():
    skew = Skew(1, 10.0)
    feed(skew, 8 * 3600 + 0.3, 10)
    assert skew.words() == (
        "the device's clock is 28800.3 s ahead of ours, +8 h: does it send local time? "
        "Then give the connection its time_zone"
    )
    behind = Skew(1, 10.0)
    feed(behind, -95.2, 10)
    assert behind.words() == "the device's clock is 95.2 s behind ours"


@given(
    st.lists(st.integers(1_600_000_000, 1_900_000_000), max_size=20),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC", "Asia/Kolkata"]),
)
def test_local_times_become_utc(moments, name):
    zone = ZoneInfo(name)
    local = []
    for moment in moments:
        here = datetime.fromtimestamp(moment, zone)
        local.append(round(here.replace(tzinfo=UTC).timestamp()) * S)
    found = from_local(np.array([*local, 0], np.int64), zone)
    assert found[-1] == 0, "a row without a time stays without one"
    for moment, one in zip(moments, found.tolist(), strict=False):
        if datetime.fromtimestamp(moment, zone).fold == 0:
            assert one == moment * S or (abs(one - moment * S) == 3600 * S and near_change(moment, zone))


def near_change(moment, zone):
    """Within an hour of a change of the clocks, an hour's place is ambiguous."""
    offsets = {datetime.fromtimestamp(moment + d, zone).utcoffset() for d in (-7200, 0, 7200)}
    return len(offsets) > 1


def test_a_time_beyond_any_calendar_is_left_to_be_disbelieved():
    wild = np.array([2**62, -(2**62), 1], np.int64)
    assert len(from_local(wild, ZoneInfo("Asia/Shanghai"))) == 3
