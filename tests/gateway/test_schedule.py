"""The fixed-rate schedule, on a clock moved by hand."""

import itertools
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.backoff import Backoff
from gateway.schedule import Lane, PollGroup, phases
from models.site.model import Connection, Group


def polls(groups, seconds, read_s):
    """Runs a lane: (group, instant, began) of each read. `read_s(name, n)`: how long the n-th read takes."""
    lane, now, done = Lane(groups), 0.0, []
    while now < seconds:
        group, wait = lane.next(now)
        if group is None:
            assert wait > 0
            now += wait
            continue
        done.append((group.name, group.instant, now))
        now += read_s(group.name, len(done))
        group.ended(now, True)
    return done


def test_a_100_ms_group_is_read_at_its_rate_without_drift():
    group = PollGroup("fast", 0.1, 0.03)
    done = polls([group], 3600.0, lambda *_: 0.004)
    assert len(done) == 36_000
    assert max(began - instant for _, instant, began in done) < 1e-9
    assert abs(done[-1][1] - (0.03 + 35_999 * 0.1)) < 1e-6
    assert (group.answered, group.overruns, group.skipped) == (36_000, 0, 0)
    assert group.due(3599.99) == 36_000


def test_a_device_that_is_too_slow_is_not_chased_and_what_is_missed_is_counted():
    group = PollGroup("fast", 1.0, 0.0)
    done = polls([group], 100.0, lambda *_: 2.5)
    assert [instant for _, instant, _ in done[:4]] == [0, 2, 5, 7]
    assert group.overruns == len(done)
    assert group.answered + group.skipped == group.number
    assert abs(group.number - group.due(100.0)) <= 3


def test_one_long_read_skips_once_and_then_the_rate_is_as_before():
    group = PollGroup("fast", 0.1, 0.0)
    done = polls([group], 10.0, lambda _, n: 1.04 if n == 20 else 0.01)
    late = [instant for _, instant, began in done if began - instant > 0.05]
    assert (group.overruns, group.skipped, len(late)) == (1, 9, 0)
    assert len(done) == 100 - 9


def test_groups_of_one_connection_share_it():
    groups = [PollGroup("fast", 0.1, 0.0), PollGroup("normal", 1.0, 0.05), PollGroup("slow", 5.0, 0.05)]
    polls(groups, 60.0, lambda name, _: {"fast": 0.03, "normal": 0.04, "slow": 0.06}[name])
    assert [g.answered for g in groups] == [600, 60, 12]
    # Overloaded: nobody starves.
    groups = [PollGroup("a", 0.1, 0.0), PollGroup("b", 0.1, 0.0), PollGroup("c", 5.0, 0.0)]
    polls(groups, 60.0, lambda *_: 0.09)
    assert groups[2].answered == 12
    assert abs(groups[0].answered - groups[1].answered) < 0.1 * groups[0].answered


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 1.0, 5.0]), st.floats(0, 5)), min_size=1, max_size=4),
    st.lists(st.floats(0.001, 3.0), min_size=1, max_size=30),
)
def test_every_instant_is_either_read_or_skipped_once(groups, lengths):
    made = [PollGroup(str(i), period, base) for i, (period, base) in enumerate(groups)]
    done = polls(made, 30.0, lambda _, n: lengths[n % len(lengths)])
    for group in made:
        own = [(instant, began) for name, instant, began in done if name == group.name]
        assert len({instant for instant, _ in own}) == len(own)
        assert all(instant <= began < instant + group.period + 1e-6 for instant, began in own)
        assert group.answered + group.skipped == group.number


def test_after_an_outage_it_goes_on_with_the_next_instant_and_due_counts_on():
    group = PollGroup("fast", 1.0, 0.0)
    polls([group], 5.0, lambda *_: 0.1)
    Lane([group]).resume(65.3)
    assert group.instant == 66.0
    assert group.skipped == 61
    assert group.due(66.0) == 67


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
