"""The reference for alarms against forms that are plainer still, and at its edges."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.design.thresholds import Threshold
from simulators.truth.expected import Expected, expected, read, write

NAN = float("nan")
T1 = Threshold(sensor="ch4_face_t1", point="ch4", alarm=1.0, cut=1.5, restore=1.0)
BAD = (4, 5, 16, 32, 64, 128)


def told(threshold: Threshold, kind: str, samples: list[tuple[float, float, int]]) -> list[tuple]:
    found = expected(threshold, [(round(ts * 1e6), value, state) for ts, value, state in samples])
    return [
        (each.start / 1e6, None if each.end is None else each.end / 1e6, each.peak)
        for each in found
        if each.kind == kind
    ]


def test_at_the_value_itself_it_alarms_and_only_below_it_ends():
    samples = [(0, 0.99, 0), (1, 1.0, 0), (2, 1.2, 0), (3, 1.0, 0), (4, 0.99, 0)]
    assert told(T1, "alarm", samples) == [(1, 4, 1.2)]
    assert told(T1, "cut", samples) == []


def test_power_comes_back_only_below_the_restoring_value():
    samples = [(0, 1.5, 0), (1, 1.49, 0), (2, 1.0, 0), (3, 0.999, 0), (4, 1.7, 0)]
    assert told(T1, "cut", samples) == [(0, 3, 1.5), (4, None, 1.7)]


def test_calibration_gas_is_no_alarm_and_is_told_as_calibration():
    samples = [(0, 0.3, 0), (1, 2.0, 4), (2, 2.0, 5), (3, 0.3, 0)]
    assert told(T1, "alarm", samples) == told(T1, "cut", samples) == []
    assert told(T1, "calibration", samples) == [(1, 3, None)]


def test_what_had_begun_goes_on_while_nothing_is_known():
    samples = [(0, 1.1, 0), (1, NAN, 0), (2, 0.0, 128), (3, 1.3, 0), (4, 0.2, 0)]
    assert told(T1, "alarm", samples) == [(0, 4, 1.3)]
    assert told(T1, "fault", samples) == [(2, 3, None)]


def test_a_broken_wire_neither_alarms_nor_restores():
    for state in BAD:
        assert told(T1, "alarm", [(0, 4.0, state), (1, 0.2, 0)]) == []


def test_feed_abnormal_is_no_sum_of_bits_and_its_value_counts():
    samples = [(0, 1.6, 2), (1, 1.6, 3), (2, 0.2, 0)]
    assert told(T1, "feed_abnormal", samples) == [(1, 2, None)]
    assert told(T1, "cut", samples) == [(0, 2, 1.6)]


def test_low_wind_with_a_delay():
    wind = Threshold(sensor="wind_return", point="speed", side="below", alarm=0.25, restore=0.3, delay_s=10)
    samples = [(0, 0.2, 0), (5, 0.4, 0), (10, 0.25, 0), (15, 0.1, 0), (20, 0.2, 0), (25, 0.3, 0), (30, 0.31, 0)]
    assert told(wind, "alarm", samples) == [(20, 30, 0.1)]


def test_a_pause_in_what_is_known_begins_the_delay_anew():
    slow = Threshold(sensor="s", point="p", alarm=1.0, delay_s=10)
    assert told(slow, "alarm", [(0, 2, 0), (5, 2, 4), (10, 2, 0), (19, 2, 0), (20, 3, 0)]) == [(20, None, 3)]


SAMPLES = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from([0.0, 0.5, 0.8, 0.99, 1.0, 1.2, 1.5, 2.0, NAN]),
        st.sampled_from([0, 0, 0, 0, 1, 2, 3, 8, *BAD]),
    ),
    max_size=40,
)


def timed(drawn: list[tuple[int, float, int]]) -> list[tuple[float, float, int]]:
    ts, found = 0, []
    for gap, value, state in drawn:
        ts += gap
        found.append((ts, value, state))
    return found


@given(SAMPLES)
def test_without_delay_it_is_a_regular_expression(drawn):
    """One letter a sample: H at the level or above, M between, L below, x unknown."""
    samples = timed(drawn)
    wide = Threshold(sensor="s", point="p", alarm=1.0, restore=0.8)
    letters = "".join(
        "x" if math.isnan(value) or state in BAD else "H" if value >= 1.0 else "M" if value >= 0.8 else "L"
        for _, value, state in samples
    )
    plain = []
    for match in re.finditer("H[HMx]*", letters):
        during = [value for (_, value, _), letter in zip(samples, letters, strict=True)][match.start() : match.end()]
        known = [value for value, letter in zip(during, match[0], strict=True) if letter != "x"]
        end = samples[match.end()][0] if match.end() < len(samples) else None
        plain.append((samples[match.start()][0], end, max(known)))
    assert told(wide, "alarm", samples) == plain


@settings(deadline=None)
@given(SAMPLES, st.integers(0, 20))
def test_with_delay_it_is_what_the_words_say(drawn, delay):
    """It begins at the first sample before which the level was held, and known, for so long."""
    samples = timed(drawn)
    slow = Threshold(sensor="s", point="p", alarm=1.0, delay_s=delay)

    def held(at: int) -> bool:
        for first in range(at, -1, -1):
            _, value, state = samples[first]
            if state in BAD or not value >= 1.0:
                return False
            if samples[at][0] - samples[first][0] >= delay:
                return True
        return False

    plain, at = [], 0
    while at < len(samples):
        if held(at):
            ends = [
                later for later in range(at, len(samples)) if samples[later][2] not in BAD and samples[later][1] < 1.0
            ]
            plain.append((samples[at][0], samples[ends[0]][0] if ends else None))
            at = ends[0] if ends else len(samples)
        at += 1
    assert [each[:2] for each in told(slow, "alarm", samples)] == plain


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarm": 1.0, "restore": 1.1},
        {"side": "below", "alarm": 0.25, "restore": 0.2},
        {"cut": 1.5, "cut_restore": 2.0},
        {},
        {"alarm": 1.0, "delay_s": -1},
        {"alarm": 1.0, "restroe": 0.5},
    ],
)
def test_impossible_thresholds_are_refused(wrong):
    with pytest.raises(ValidationError):
        Threshold(sensor="s", point="p", **wrong)


def test_what_is_expected_is_kept_in_order(tmp_path: Path):
    rows = [Expected("b", "ch4", "cut", 9, None, 1.7), Expected("a", "ch4", "alarm", 5, 8, 1.2)]
    write(tmp_path, rows)
    assert [tuple(row.values()) for row in read(tmp_path).to_pylist()] == [
        ("a", "ch4", "alarm", 5, 8, 1.2),
        ("b", "ch4", "cut", 9, None, 1.7),
    ]
