"""Counters against a plain walk: what was counted, across gaps, resets and moments in which a device showed nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.counters import Counter
from models.quality import GOOD

HOLD = 60_000_000
S = 1_000_000


def counter(rows: list[tuple[int, float]], hold: int = HOLD) -> Counter:
    ts, value = (np.array(column) for column in zip(*rows, strict=True))
    return Counter.of(ts.astype(np.int64) * S, value.astype(float), np.full(len(rows), GOOD, np.uint8), hold)


def edges(*seconds: int) -> np.ndarray:
    return np.array(seconds, np.int64) * S


rising = st.lists(st.tuples(st.integers(1, 200), st.integers(0, 50)), min_size=2, max_size=30)


@given(rising, st.randoms(use_true_random=False))
def test_in_any_order_and_told_twice_the_amounts_are_the_same(steps: list[tuple[int, int]], random: object) -> None:
    times, values = np.cumsum([s for s, _ in steps]).tolist(), np.cumsum([v for _, v in steps]).tolist()
    rows = list(zip(times, map(float, values), strict=True))
    first = counter(rows).over(edges(0, 500, 1000, 9000))
    again = rows + rows[::3]
    random.shuffle(again)  # type: ignore[attr-defined]
    second = counter(again).over(edges(0, 500, 1000, 9000))
    assert first.amount.tolist() == second.amount.tolist()
    assert first.covered_us.tolist() == second.covered_us.tolist()
    assert first.amount.sum() == pytest.approx(values[-1] - values[0])
    gaps = sum(b - a for a, b in pairwise(times) if (b - a) * S > HOLD)
    assert first.covered_us.sum() == (times[-1] - times[0] - gaps) * S


@given(rising, st.data())
def test_what_was_counted_does_not_depend_on_where_it_began_again(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    """A counter that begins again at any value shows, from then on, what it counted since."""
    times, values = np.cumsum([s for s, _ in steps]).tolist(), np.cumsum([v for _, v in steps]).tolist()
    at = data.draw(st.integers(1, len(times) - 1))
    # Of what was counted between its last value and its beginning again nobody knows.
    shown = [*values[:at], *[v - values[at - 1] for v in values[at:]]]
    if shown[at] >= shown[at - 1]:
        return  # that it began again cannot be seen
    found = counter(list(zip(times, map(float, shown), strict=True)), hold=1).over(edges(0, 100_000))
    assert found.amount.tolist() == pytest.approx([values[-1] - values[0]])
    assert found.resets == 1


def test_a_moment_of_nothing_is_no_reset() -> None:
    found = counter([(0, 1000.0), (10, 1010.0), (20, 0.0), (30, 0.0), (40, 1040.0), (50, 1050.0)])
    assert (found.resets, found.dips) == (0, 2)
    assert found.over(edges(0, 50)).amount.tolist() == [50.0]


def test_a_counter_that_begins_again_counts_on() -> None:
    found = counter([(0, 1000.0), (10, 1010.0), (20, 3.0), (30, 13.0)])
    assert (found.resets, found.dips) == (1, 0)
    assert found.over(edges(0, 30)).amount.tolist() == [23.0]


def test_across_a_gap_the_amount_is_known_and_only_its_time_is_not() -> None:
    found = counter([(0, 0.0), (30, 30.0), (630, 630.0), (660, 660.0)]).over(edges(0, 330, 660))
    assert found.amount.tolist() == pytest.approx([330.0, 330.0])
    assert found.spread.tolist() == pytest.approx([300.0, 300.0])
    assert found.covered_us.tolist() == [30 * S, 30 * S]


def test_of_one_value_or_none_nothing_is_known() -> None:
    assert counter([(5, 7.0)]).over(edges(0, 10)).amount.tolist() == [0.0]
    empty = Counter.of(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8), HOLD)
    assert empty.over(edges(0, 10)).covered_us.tolist() == [0]


def test_what_is_not_good_is_left_out() -> None:
    ts = np.array([0, 10, 20]) * S
    bad = Counter.of(ts, np.array([0.0, 900.0, 20.0]), np.array([GOOD, 0, GOOD], np.uint8), HOLD)
    assert bad.over(edges(0, 20)).amount.tolist() == [20.0]


def _seen(heard: np.ndarray) -> bool:
    return any(run.all() for run in np.lib.stride_tricks.sliding_window_view(heard, 5)) if len(heard) >= 5 else False


@pytest.mark.parametrize("digit", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("idle", [0.0, 0.05, 2.0, 12.0])
@pytest.mark.parametrize("power", [20.0, 300.0, 1600.0])
@pytest.mark.parametrize("minutes", [2, 5, 6])
def test_a_motor_that_runs_for_minutes_of_a_day_is_counted(
    digit: float, idle: float, power: float, minutes: int
) -> None:
    """However much more than what its meter counts the rest of the day."""
    at = np.arange(0, 1440 * 60, 30)
    kw = np.where((at >= 6000) & (at < 6000 + minutes * 60), idle + power, idle)
    shown = np.floor(np.cumsum(kw / 120) / digit) * digit
    found = Counter.of(at * S, shown, np.full(len(at), GOOD, np.uint8), HOLD).over(edges(0, 86_400))
    assert found.leaps == 0 and found.amount[0] == pytest.approx(shown[-1] - shown[0])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([1.0, 0.1, 0.01]),
    st.sampled_from([0.0, 0.05, 2.0, 12.0]),
    st.lists(st.tuples(st.integers(0, 1400), st.integers(5, 300), st.sampled_from([20.0, 300.0, 1600.0])), max_size=6),
    st.lists(st.tuples(st.integers(0, 1400), st.integers(1, 300)), max_size=3),
    st.booleans(),
)
def test_an_honest_counter_is_never_doubted(
    digit: float, idle: float, loads: list[tuple[int, int, float]], without: list[tuple[int, int]], stale: bool
) -> None:
    """Motors of any power that run at times (minute, minutes, kW), by a meter that stands by, shows whole digits and is
    not heard, or shows an old value, at times."""
    at = np.arange(0, 1440 * 60, 30)
    kw = np.full(len(at), idle)
    for begin, minutes, power in loads:
        kw[(at >= begin * 60) & (at < (begin + minutes) * 60)] += power
    shown = np.floor(np.cumsum(kw / 120) / digit) * digit + 5000.0
    kept, heard = np.ones(len(at), bool), np.ones(len(at), bool)
    for begin, minutes in without:
        lost = (at >= begin * 60) & (at < (begin + minutes) * 60)
        heard &= ~lost
        if stale and lost.any():
            shown[lost] = shown[lost][0]
        elif not stale:
            kept &= ~lost
    # A load of which nobody saw three steps may be anything: its energy is told as unknown.
    assume(all(_seen(heard[(at >= begin * 60) & (at < (begin + minutes) * 60)]) for begin, minutes, _ in loads))
    at, shown = at[kept], shown[kept]
    found = Counter.of(at * S, shown, np.full(len(at), GOOD, np.uint8), HOLD).over(edges(0, 86_400))
    assert (found.leaps, found.dips, found.resets) == (0, 0, 0)
    assert found.amount[0] == pytest.approx(shown[-1] - shown[0] if len(at) else 0.0)


@pytest.mark.parametrize("shown", [np.arange(9_000, 0, -1.0), np.tile([5e5, 4e5, 3e5, 2e5], 2_250) * 1.0])
def test_of_what_only_looks_like_a_counter_nothing_is_known(shown: np.ndarray) -> None:
    """As a level that was named a counter: and it keeps nobody waiting."""
    at = np.arange(len(shown)) * S
    found = Counter.of(at, shown, np.full(len(at), GOOD, np.uint8), 1).over(edges(0, len(at)))
    assert found.amount[0] == 0.0
    assert found.known_us[0] < 0.01 * len(at) * S
