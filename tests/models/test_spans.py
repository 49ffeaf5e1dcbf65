"""Spans against sets of single microseconds."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.spans import NOTHING, Spans, covered

END = 40
pairs = st.lists(st.tuples(st.integers(0, END), st.integers(0, END)), max_size=12)


def each(spans: Spans) -> set[int]:
    """Its microseconds; also that it is as it promises."""
    found = spans.pairs()
    assert all(start < end for start, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    return {instant for start, end in found for instant in range(start, end)}


def plain(given: list[tuple[int, int]]) -> set[int]:
    return {instant for start, end in given for instant in range(start, end)}


@given(pairs, pairs)
def test_set_operations(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = Spans.of(one), Spans.of(other)
    assert each(a) == plain(one)
    assert each(a & b) == plain(one) & plain(other)
    assert each(a | b) == plain(one) | plain(other)
    assert each(a - b) == plain(one) - plain(other)
    assert (a & b).us() == len(plain(one) & plain(other))


@given(st.lists(pairs, max_size=5), st.integers(1, 5))
def test_at_least_so_many(many: list[list[tuple[int, int]]], least: int) -> None:
    sets = [plain(one) for one in many]
    wanted = {instant for instant in range(END) if sum(instant in one for one in sets) >= least}
    assert each(covered([Spans.of(one) for one in many], least)) == wanted


@given(pairs, st.integers(0, END), st.integers(0, END))
def test_windows(one: list[tuple[int, int]], start: int, end: int) -> None:
    spans = Spans.of(one)
    window = set(range(start, end))
    assert each(spans.within(start, end)) == plain(one) & window
    if start <= end:
        assert each(spans.gaps(start, end)) == window - plain(one)


@given(pairs, st.integers(0, 5), st.integers(0, 5), st.integers(1, 8))
def test_lengths(one: list[tuple[int, int]], before: int, after: int, least: int) -> None:
    spans = Spans.of(one)
    assert each(spans.grown(before, after)) == {
        near for instant in plain(one) for near in range(instant - before, instant + after + 1)
    }
    assert each(spans.lasting(least)) == {
        instant for start, end in spans.pairs() if end - start >= least for instant in range(start, end)
    }


@given(pairs)
def test_which_span_an_instant_lies_in(one: list[tuple[int, int]]) -> None:
    spans = Spans.of(one)
    numbers = spans.at(np.arange(-1, END + 2))
    for instant, number in zip(range(-1, END + 2), numbers.tolist(), strict=True):
        inside = [n for n, (start, end) in enumerate(spans.pairs()) if start <= instant < end]
        assert number == (inside[0] if inside else -1)


@given(pairs)
def test_how_long_up_to_an_instant(one: list[tuple[int, int]]) -> None:
    at = np.arange(-2, 50)
    assert Spans.of(one).before(at).tolist() == [len([n for n in plain(one) if n < instant]) for instant in at.tolist()]


def test_nothing() -> None:
    assert NOTHING.us() == 0
    assert NOTHING.gaps(3, 9) == Spans.whole(3, 9)
    assert NOTHING | NOTHING == NOTHING
    assert Spans.whole(5, 5) == NOTHING
