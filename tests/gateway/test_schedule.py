"""The fixed-rate schedule, on a clock moved by hand."""

import itertools
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.backoff import Backoff
from gateway.schedule import PATIENCE, Lane, PollGroup, phases
from models.site.model import Connection, Group

S = 1_000_000
"""A second in µs."""


def polls(groups, seconds, read_us):
    """Runs a lane: (group, instant, began) of each read. `read_us(name, n)`: how long the n-th read takes."""
    lane, now, done = Lane(groups), 0, []
    while now < seconds * S:
        group, wait = lane.next(now)
        if group is None:
            assert wait > 0
            now += wait
            continue
        done.append((group.name, group.instant_us, now))
        now += read_us(group.name, len(done))
        group.ended(now, True)
    return done


def test_a_100_ms_group_is_read_at_its_rate_without_drift():
    group = PollGroup("fast", 100_000, 30_000)
    done = polls([group], 3600, lambda *_: 4_000)
    assert len(done) == 36_000
    assert all(began == instant for _, instant, began in done)
    assert done[-1][1] == 30_000 + 35_999 * 100_000
    assert (group.answered, group.overruns, group.skipped) == (36_000, 0, 0)
    assert group.due(3599_990_000) == 36_000


def test_a_device_that_is_too_slow_is_not_chased_and_what_is_missed_is_counted():
    group = PollGroup("fast", S, 0)
    done = polls([group], 100, lambda *_: 2_500_000)
    assert [instant for _, instant, _ in done[:4]] == [0, 2 * S, 5 * S, 7 * S]
    assert group.overruns == len(done)
    assert group.answered + group.skipped == group.number
    assert abs(group.number - group.due(100 * S)) <= 3


def test_one_long_read_skips_once_and_then_the_rate_is_as_before():
    group = PollGroup("fast", 100_000, 0)
    done = polls([group], 10, lambda _, n: 1_040_000 if n == 20 else 10_000)
    late = [instant for _, instant, began in done if began - instant > 50_000]
    assert (group.overruns, group.skipped, len(late)) == (1, 9, 0)
    assert len(done) == 100 - 9


def test_groups_of_one_connection_share_it():
    groups = [PollGroup("fast", 100_000, 0), PollGroup("normal", S, 50_000), PollGroup("slow", 5 * S, 50_000)]
    polls(groups, 60, lambda name, _: {"fast": 30_000, "normal": 40_000, "slow": 60_000}[name])
    assert [g.answered for g in groups] == [600, 60, 12]
    # Overloaded: nobody starves.
    groups = [PollGroup("a", 100_000, 0), PollGroup("b", 100_000, 0), PollGroup("c", 5 * S, 0)]
    polls(groups, 60, lambda *_: 90_000)
    assert groups[2].answered == 12
    assert abs(groups[0].answered - groups[1].answered) < 0.1 * groups[0].answered


def test_of_the_groups_that_are_due_the_higher_priority_is_read_first():
    groups = [PollGroup("low", S, 0, priority=2), PollGroup("high", S, 0, priority=8), PollGroup("usual", S, 0)]
    done = polls(groups, 10, lambda *_: 100_000)
    assert [name for name, _, _ in done] == ["high", "usual", "low"] * 10


def test_a_low_priority_waits_its_patience_and_no_longer_when_the_high_ones_take_all_the_time():
    groups = [PollGroup("high", 100_000, 0, priority=9), PollGroup("low", 100_000, 0, priority=1)]
    done = polls(groups, 60, lambda *_: 100_000)
    names = [name for name, _, _ in done]
    assert names.count("low") == len(names) // (PATIENCE + 1)
    gaps = [len(list(run)) for name, run in itertools.groupby(names) if name == "high"]
    assert max(gaps) == PATIENCE


group_lists = st.lists(
    st.tuples(st.sampled_from([100_000, 500_000, 333_333, S, 5 * S]), st.integers(0, 5 * S), st.integers(1, 9)),
    min_size=1,
    max_size=4,
)


@given(group_lists, st.lists(st.integers(1_000, 3 * S), min_size=1, max_size=30))
def test_every_instant_is_either_read_or_skipped_once(groups, lengths):
    made = [PollGroup(str(i), *one) for i, one in enumerate(groups)]
    done = polls(made, 30, lambda _, n: lengths[n % len(lengths)])
    for group in made:
        own = [(instant, began) for name, instant, began in done if name == group.name]
        assert len({instant for instant, _ in own}) == len(own)
        assert all(instant <= began < instant + group.period_us for instant, began in own)
        assert group.answered + group.skipped == group.number


@given(group_lists, st.lists(st.integers(1_000, 3 * S), min_size=1, max_size=30))
def test_no_group_waits_for_more_reads_of_others_than_its_patience_and_their_number(groups, lengths):
    made = [PollGroup(str(i), *one) for i, one in enumerate(groups)]
    lane, now, waited = Lane(made), 0, dict.fromkeys((g.name for g in made), 0)
    for n in range(300):
        group, wait = lane.next(now)
        if group is None:
            now += wait
            continue
        for other in made:
            waits = other is not group and other.instant_us <= now
            waited[other.name] = waited[other.name] + 1 if waits else 0
        assert max(waited.values()) <= PATIENCE + len(made)
        now += lengths[n % len(lengths)]
        group.ended(now, True)


def test_after_an_outage_it_goes_on_with_the_next_instant_and_due_counts_on():
    group = PollGroup("fast", S, 0)
    polls([group], 5, lambda *_: 100_000)
    Lane([group]).resume(65_300_000)
    assert group.instant_us == 66 * S
    assert group.skipped == 61
    assert group.due(66 * S) == 67


def test_phases_are_kept_spread_and_the_same_each_time():
    def connection(name, **groups):
        return Connection(name, "g", "modbus", {}, groups)

    fleet = [connection(f"c{i}", fast=Group("fast", 1.0), own=Group("own", 1.0, 0.25)) for i in range(50)]
    found = phases(fleet)
    assert found == phases(list(reversed(fleet)))
    open_ones = sorted(found[f"c{i}", "fast"] for i in range(50))
    assert all(math.isclose(b - a, 0.02, abs_tol=1e-9) for a, b in itertools.pairwise(open_ones))
    assert {found[f"c{i}", "own"] for i in range(50)} == {0.25}


def test_back_off_is_quick_at_first_bounded_and_not_in_step():
    class Middle:
        def uniform(self, low, high):
            return (low + high) / 2

    backoff = Backoff(Middle())
    waits = [backoff.next() for _ in range(12)]
    assert sum(waits[:3]) < 1.0
    assert waits == sorted(waits) and waits[-1] == 12.0
    assert backoff.next(answered=True) == 0.5
    assert backoff.next(answered=True, steady=True) == 0.1
    several = {tuple(Backoff(random.Random(name)).next() for _ in range(1)) for name in "abcdef"}
    assert len(several) == 6
