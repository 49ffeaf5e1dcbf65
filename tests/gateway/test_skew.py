"""The clock of a device: how far off it is, and local time without its zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.skew import LEAST, STEP_S, WINDOW, DeviceClock, Skew, from_local
from models.site.model import ClockPolicy

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


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_is_set_is_known_by_the_next_few_readings_and_a_backlog_is_not_one(jump):
    skew = Skew(1, 10.0)
    feed(skew, 0.0, 2 * WINDOW)
    for n in range(60):  # a minute of seconds from an hour ago, in six seconds
        skew.see(np.array([0]), np.array([NOW + (n - 3600) * S]), NOW + 2 * WINDOW * S + n * S // 10)
        assert not skew.off
    feed(skew, 0.0, 2 * WINDOW, begin=3 * WINDOW)
    feed(skew, jump, LEAST - 1, begin=6 * WINDOW)
    assert not skew.off
    feed(skew, jump, 1, begin=6 * WINDOW + LEAST - 1)
    assert skew.seconds == pytest.approx(jump, abs=0.1)
    feed(skew, 0.0, LEAST, begin=7 * WINDOW)
    assert abs(skew.seconds) < 0.1


def test_many_points_of_one_second_that_were_kept_are_no_clock_that_is_off():
    clock = DeviceClock(10, ClockPolicy.SOURCE, "", 10.0)
    sent = [(row, NOW + (second - 60) * S) for second in range(60) for row in range(10)]
    for number, (row, source) in enumerate(sent):  # as a broker does that kept them while the gateway was away
        assert clock.times(np.array([row]), np.array([source]), NOW + number * 1000) == source
    assert not clock.skew.off and clock.skew.seconds is None


def test_a_fast_device_is_judged_as_well():
    skew = Skew(1, 10.0)
    for n in range(300):
        skew.see(np.array([0]), np.array([NOW - 95 * S + n * 10_000]), NOW + n * 10_000)
    assert skew.seconds == pytest.approx(-95, abs=0.1)


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


@settings(max_examples=30, deadline=None)
@given(st.floats(-86_400, 86_400), st.lists(st.floats(-0.4, 0.4), min_size=3 * WINDOW, max_size=4 * WINDOW))
def test_times_of_a_clock_that_is_off_are_near_ours_and_never_ahead_and_others_are_the_devices(offset, jitters):
    clock, alone = DeviceClock(1, ClockPolicy.SOURCE, "", 10.0), DeviceClock(1, ClockPolicy.CHECK, "", 10.0)
    for second, jitter in enumerate(jitters):
        now, source = NOW + second * S, np.array([NOW + second * S + round((offset + jitter) * S)])
        (found,) = clock.times(np.array([0]), source, now)
        assert alone.times(np.array([0]), source, now) == source
        assert clock.doubted == alone.doubted == clock.skew.off
        if not clock.skew.off:
            assert found == source[0]
        elif abs(source[0] - now) > 10 * S:
            assert now - (STEP_S + 1.0) * S <= found <= now


def test_one_time_stays_one_time_and_a_time_that_cannot_be_stays_so():
    clock = DeviceClock(3, ClockPolicy.SOURCE, "", 10.0)
    for second in range(40):
        now = NOW + second * S
        drifting = now - 3600 * S + second * 10_000
        found = clock.times(np.array([0, 1, 2]), np.array([drifting, NOW - 3600 * S, 946_684_805 * S]), now)
    assert clock.skew.off and found[0] == pytest.approx(now, abs=S) and found[2] == 946_684_805 * S
    again = clock.times(np.array([1]), np.array([NOW - 3600 * S]), now + S)
    assert again[0] == found[1] == pytest.approx(NOW, abs=S)
