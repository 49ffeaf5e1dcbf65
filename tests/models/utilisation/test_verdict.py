"""Verdicts against Kleene's logic, one instant after the other; signals against a plain walk over their samples."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality import GOOD, Quality
from models.spans import Spans
from models.utilisation.signal import Signal
from models.utilisation.verdict import Verdict, all_of, any_of

END = 30
line = st.lists(st.sampled_from([True, False, None]), min_size=END, max_size=END)
Line = list[bool | None]


def verdict(states: Line) -> Verdict:
    """A verdict that says so at 0, 1, …; nothing is known before and after."""
    sides = (Spans.of((n, n + 1) for n, state in enumerate(states) if state is side) for side in (True, False))
    return Verdict(*sides)


def told(found: Verdict, count: int = END) -> Line:
    yes, no = (side.at(np.arange(count)) >= 0 for side in (found.yes, found.no))
    assert not (yes & no).any()
    return [True if y else False if n else None for y, n in zip(yes.tolist(), no.tolist(), strict=True)]


@given(st.lists(line, min_size=1, max_size=4))
def test_all_and_any(lines: list[Line]) -> None:
    columns = list(zip(*lines, strict=True))
    every = [False if False in c else None if None in c else True for c in columns]
    some = [True if True in c else None if None in c else False for c in columns]
    assert told(all_of(verdict(one) for one in lines)) == every
    assert told(any_of(verdict(one) for one in lines)) == some
    assert told(~verdict(lines[0])) == [None if one is None else not one for one in lines[0]]


@given(line, st.integers(0, 6))
def test_recently(states: Line, us: int) -> None:
    wanted: Line = []
    for n in range(END):
        window = [states[at] if at >= 0 else None for at in range(n - us, n + 1)]
        wanted.append(True if True in window else False if set(window) == {False} else None)
    assert told(verdict(states).recently(us)) == wanted


@given(line, st.integers(0, 6))
def test_lasting(states: Line, us: int) -> None:
    """Every way in which the unknown may have been is tried by its two extremes: none of it held, or all of it did."""
    found = told(verdict(states).lasting(us))
    for unknown in (True, False):
        filled = [unknown if one is None else one for one in states]
        for n, state in enumerate(found):
            start, end = n, n
            while start >= 0 and filled[start]:
                start -= 1
            while end < END and filled[end]:
                end += 1
            touches = unknown and (start < 0 or end >= END)
            held = filled[n] and (end - start - 1 > us)
            if state is not None and not touches:
                assert held == state or (state is False and not held)
            if state is True:
                assert filled[n]
            if states[n] is False:
                assert state is False


@given(line, line)
def test_when_begun(says: Line, run: Line) -> None:
    wanted: Line = [None] * END
    for n in range(1, END):
        if run[n] is True and run[n - 1] is False:
            end = n
            while end < END and run[end] is True:
                wanted[end] = says[n]
                end += 1
    assert told(verdict(says).when_begun(verdict(run))) == wanted


LATE = 2


@st.composite
def told_late(draw: st.DrawFn) -> tuple[Line, Line]:
    """What truly was, and what was told of it: each change at most LATE µs after it was, and none missed."""
    true: Line = []
    heard: Line = []
    state = draw(st.booleans())
    while len(true) < END:
        true += [state] * draw(st.integers(LATE + 1, 9))
        heard += [not state] * (draw(st.integers(0, LATE)) if heard else 0)
        heard += [state] * (len(true) - len(heard))
        state = not state
    return true[:END], heard[:END]


CHANGES: dict[str, Callable[[Verdict, int], Verdict]] = {
    "as it is": lambda one, us: one,
    "not": lambda one, us: ~one,
    "recently": lambda one, us: one.recently(us),
    "through": lambda one, us: one.through(us),
    "lasting": lambda one, us: one.lasting(us),
    "lasting through": lambda one, us: one.through(us // 2).lasting(us),
    "not lasting, recently": lambda one, us: (~one.lasting(us)).recently(us),
}


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=30, deadline=None)
@given(told_late(), st.integers(0, 12))
def test_where_no_doubt_is_what_is_told_is_true(change: str, lines: tuple[Line, Line], us: int) -> None:
    true, late = lines
    truth = told(CHANGES[change](verdict(true), us))
    found = CHANGES[change](verdict(late).doubted(LATE, LATE), us)
    doubt = found.doubt.at(np.arange(END)) >= 0
    for n, said in enumerate(told(found)):
        if said is not None and truth[n] is not None and not doubt[n]:
            assert said == truth[n], n


@given(line, st.integers(0, 6))
def test_doubt_is_before_a_change_and_before_the_unknown(states: Line, silence: int) -> None:
    found = verdict(states).doubted(LATE, silence)
    doubt = (found.doubt.at(np.arange(END)) >= 0).tolist()
    for n, state in enumerate(states):
        ends = n
        while ends < END and states[ends] is state:
            ends += 1
        turns = ends < END and states[ends] is not None
        assert doubt[n] == (state is not None and ends - n <= (LATE if turns else silence))


@given(line, st.integers(0, 6))
def test_what_is_interrupted_for_a_little_goes_on(states: Line, us: int) -> None:
    """Every way in which the unknown may have been is tried by its two extremes."""
    found = told(verdict(states).through(us))
    for unknown in (True, False):
        filled = [unknown if one is None else one for one in states]
        for n, state in enumerate(found):
            start, end = n, n
            while start >= 0 and not filled[start]:
                start -= 1
            while end < END and not filled[end]:
                end += 1
            inner = start >= 0 and end < END
            short = inner and end - start - 1 <= us
            if inner or filled[n]:
                assert state in (None, filled[n] or short)
            if None not in states and inner:
                assert state is (filled[n] or short)


samples = st.lists(
    st.tuples(
        st.integers(0, END - 1),
        st.sampled_from([0.0, 1.0, float("nan")]),
        st.sampled_from([GOOD, Quality.UNCERTAIN, 0]),
    ),
    max_size=15,
)


@given(samples, st.integers(1, 8))
def test_a_signal_holds_until_the_next_and_no_longer_than_it_may(rows: list[tuple[int, float, int]], hold: int) -> None:
    table = dict.fromkeys(ts for ts, _, _ in rows) | {ts: (value, quality) for ts, value, quality in rows}
    wanted: Line = []
    for n in range(END):
        before = [ts for ts in table if ts <= n]
        value, quality = table[max(before)] if before else (0.0, 0)
        known = before and n - max(before) < hold and quality == GOOD and not math.isnan(value)
        wanted.append(value == 1.0 if known else None)
    ts, values, quality = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0),) * 3
    signal = Signal.of(ts.astype(np.int64), values.astype(float), quality.astype(np.uint8), hold / 2e6)
    assert told(signal.where(signal.value == 1.0)) == wanted
    shown = signal.at(np.arange(END))
    assert [None if np.isnan(one) else bool(one) for one in shown] == wanted
