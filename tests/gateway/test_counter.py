"""Counters over many readings at once: the same as one after the other, or nothing is counted."""

import copy

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.counter import Counters
from models.site.model import Guards
from tests.gateway.sites import point

FULL = 1000.0
SECOND = 1_000_000
steps = st.integers(0, 40) | st.sampled_from([-300, -900, 400, 999])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(steps, min_size=2, max_size=2), min_size=2, max_size=12),
    st.lists(st.sampled_from([1, 1, 1, 5, 60]), min_size=12, max_size=12),
    st.integers(1, 3),
)
def test_many_rising_readings_at_once_are_what_each_gives(rises, seconds, before):
    raw = np.mod(100.0 + np.cumsum(np.array(rises, float), axis=0), FULL)
    when = np.repeat(np.cumsum(seconds[: len(raw)])[:, None] * SECOND, 2, axis=1)
    places = np.arange(2)
    one = Counters([point(f"c{n}", guards=Guards(rollover=FULL)) for n in range(2)])
    before = min(before, len(raw) - 1)
    for at in range(before):
        one.count(places, raw[at], when[at], None)
    many, untouched = copy.deepcopy(one), copy.deepcopy(one)
    expected, odd = [], False
    for at in range(before, len(raw)):
        total, *reasons = one.count(places, raw[at], when[at], None)
        expected.append(total)
        odd |= any(which.any() for which in reasons)
    got = many.rising(places, raw[before:], when[before:])
    fell = (np.diff(raw[before - 1 :], axis=0) < 0).any()
    if got is None:
        assert many.state() == untouched.state()
    else:
        assert not fell and not odd, "what is odd is for `count`"
        np.testing.assert_array_equal(got, expected)
        for path, state in one.state().items():
            np.testing.assert_allclose(many.state()[path], state, rtol=1e-12)
    if not fell and max(seconds) == 1 and raw.max() < FULL / 60:
        assert got is not None


def test_what_was_never_read_is_not_counted_at_once():
    counters = Counters([point("c", guards=Guards(rollover=FULL))])
    raw, when = np.array([[5.0], [6.0]]), np.array([[SECOND], [2 * SECOND]])
    assert counters.rising(np.arange(1), raw, when) is None
    counters.count(np.arange(1), raw[0], when[0], None)
    assert counters.rising(np.arange(1), raw[1:], when[1:]).tolist() == [[6.0]]
