"""Values told again make no difference: signals out of merged stretches say what those out of all samples say."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.quality import GOOD
from models.utilisation import follow
from models.utilisation.signal import Signal

END = 60
HOLD = 6
told = st.lists(
    st.tuples(
        st.integers(0, END - 1), st.sampled_from([0.0, 1.0, 3.0, 3.0, float("nan")]), st.sampled_from([GOOD, GOOD, 0])
    ),
    max_size=30,
)
Told = list[tuple[int, float, int]]


def of_samples(rows: Told) -> Signal:
    ts, value, quality = zip(*rows, strict=True) if rows else ((), (), ())
    return Signal.of(np.array(ts, np.int64), np.array(value, float), np.array(quality, np.uint8), HOLD / 2e6)


def merged(signal: Signal, levels: list[float] | None = None) -> Signal:
    """One stretch after the other; with `levels` those go on that are over the same of them."""
    found: list[list[float]] = []
    for ts, end, value, good in zip(signal.ts, signal.end, signal.value, signal.good, strict=True):
        kind = value if levels is None else [abs(value) > level for level in levels]
        if good and found and found[-1][1] == ts and found[-1][3] == kind:
            found[-1][1] = end
        elif good:
            found.append([ts, end, value, kind])
    ts, end, value = ([row[n] for row in found] for n in range(3))
    return Signal.of_runs(np.array(ts, np.int64), np.array(end, np.int64), np.array(value, float))


@given(told)
def test_what_it_says_is_the_same(rows: Told) -> None:
    signal, runs = of_samples(rows), merged(of_samples(rows))
    assert all(a < b for a, b in pairwise(runs.ts.tolist()))
    for states in ([0.0], [1.0, 3.0], [7.0]):
        one, other = (each.where(np.isin(each.value, states)) for each in (signal, runs))
        assert (one.yes, one.no) == (other.yes, other.no)
    instants = np.arange(-1, END + HOLD + 1)
    assert np.array_equal(signal.at(instants), runs.at(instants), equal_nan=True)


@given(told, st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=2))
def test_on_which_side_of_the_levels_it_is_is_the_same(rows: Told, levels: list[float]) -> None:
    signal, runs = of_samples(rows), merged(of_samples(rows), levels)
    for level in levels:
        one, other = (each.where(np.abs(each.value) > level) for each in (signal, runs))
        assert (one.yes, one.no) == (other.yes, other.no)


@given(st.lists(told, min_size=1, max_size=3), told, told, told)
def test_who_moved_the_supports_is_the_same(sources: list[Told], codes: Told, position: Told, direction: Told) -> None:
    def found(of: list[Signal]) -> follow.Moves:
        *own, code, place, goes = of
        return follow.moves(own, [code] * len(own), place, goes, [1])

    signals = [of_samples(rows) for rows in (*sources, codes, position, direction)]
    one, other = found(signals), found([merged(each) for each in signals])
    for name in ("ts", "support", "automatic", "behind", "sure"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "behind"), name
    assert np.array_equal(follow.changes(signals[0]), follow.changes(merged(signals[0])))
    assert follow.heard(signals) == follow.heard([merged(each) for each in signals])


def test_a_move_is_sure_only_where_what_was_before_is_known() -> None:
    nothing = of_samples([])
    rows = [(0, 0.0, GOOD), (3, 3.0, GOOD), (6, 3.0, GOOD), (9, 0.0, GOOD), (12, 0.0, 0), (15, 3.0, GOOD)]
    silent = [(20, 0.0, GOOD), (40, 3.0, GOOD)]
    found = follow.moves([of_samples(rows + silent)], [], nothing, nothing, [])
    assert (found.ts.tolist(), found.sure.tolist()) == ([3, 15, 40], [True, False, False])
