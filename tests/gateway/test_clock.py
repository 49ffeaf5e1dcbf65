"""What time a sample gets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import EARLIEST, FUTURE_US, HOLD_BACK_US, Stamper, WallClock, own_time

NOW = 1_800_000_000_000_000
S = 1_000_000


class Clocks:
    """A wall and a monotonic clock in ns, moved by hand."""

    def __init__(self):
        self.wall, self.monotonic = NOW * 1000, 5_000_000_000_000

    def advance(self, us):
        self.wall += us * 1000
        self.monotonic += us * 1000


def test_the_offset_stays_until_the_clocks_part_and_a_jump_is_counted():
    clocks = Clocks()
    clock = WallClock(lambda: clocks.wall, lambda: clocks.monotonic)
    assert clock.now() == NOW
    clocks.advance(3 * S)
    clocks.wall += 1_000_000  # 1 ms: noise
    assert clock.check() == 0
    assert clock.now() == NOW + 3 * S
    clocks.wall += 50_000_000  # 50 ms: taken over, no jump
    assert clock.check() == 0
    assert clock.now() == NOW + 3 * S + 51_000
    assert clock.jumps == 0
    clocks.wall -= 7200 * 1_000_000_000
    assert clock.check() == -7200 * S
    assert clock.jumps == 1
    assert clock.check() == 0


def test_first_instants_lie_on_the_wall_clocks_grid_to_the_microsecond():
    clocks = Clocks()
    clocks.advance(123_457)
    clock = WallClock(lambda: clocks.wall, lambda: clocks.monotonic)
    for period, phase in ((S, 50_000), (100_000, 33_000), (5 * S, 4_350_000), (60 * S, 0)):
        first = clock.first_instant(period, phase)
        for k in (0, 1, 10, 100_000):
            when = clock.at(first + k * period)
            assert (when - phase) % period == 0
        assert 0 <= clock.at(first) - clock.now() < period


def test_a_poll_has_its_instant_only_within_half_a_period_and_half_a_second():
    assert own_time(NOW, NOW + 400_000, S) == NOW
    assert own_time(NOW, NOW + 500_000, S) == NOW
    assert own_time(NOW, NOW + 500_001, S) == NOW + 500_001
    assert own_time(NOW, NOW + 500_001, 60 * S) == NOW + 500_001
    assert own_time(NOW, NOW + 60_000, 100_000) == NOW + 60_000
    assert own_time(None, NOW, S) == NOW
    assert own_time(NOW, NOW - 1, S) == NOW - 1


class Plain:
    """by_source and by_gateway for one point, one sample at a time."""

    def __init__(self):
        self.last = self.used = self.source = None

    def ours(self, instant, actual):
        ts, uncertain = instant, False
        if self.last is not None and ts <= self.last:
            ts = actual
            if ts <= self.last:
                ts, uncertain = self.last + 1, True
        self.last = ts
        return ts, uncertain, False, False

    def theirs(self, source, same, actual):
        if not EARLIEST <= source <= actual + FUTURE_US:
            ts, held, _, _ = self.ours(actual, actual)
            return ts, held or source != 0, False, False
        if self.source is not None:
            if source == self.source and same:
                return source, False, False, True
            stepped = self.source > actual + 500_000 and self.source - source > 2_000_000
            if source < self.source and not stepped:
                self.last = max(self.last or 0, source)
                return source, False, True, False
            bumped = source >= self.source and source <= self.used
        else:
            bumped = False
        ts = self.used + 1 if bumped else source
        self.source, self.used = source, ts
        self.last = ts if self.last is None else max(self.last, ts)
        return ts, bumped, False, False


moments = st.sampled_from([-20 * S, -S, -1, 0, 0, 1, 2, S, 300 * S, FUTURE_US + 5 * S, -NOW, -NOW + 5])
steps = st.lists(
    st.tuples(
        st.lists(st.tuples(moments, st.booleans()), min_size=3, max_size=3), st.integers(0, 3 * S), st.booleans()
    ),
    min_size=1,
    max_size=20,
)


@given(steps)
def test_stamps_are_those_of_the_reference(script):
    stamper, plain = Stamper(3), [Plain() for _ in range(3)]
    actual = NOW
    for rows, pause, polled in script:
        actual += pause
        source = np.array([actual + moment for moment, _ in rows])
        source[source < 10] = [0 if s < 5 else s for s in source[source < 10]]
        same = np.array([s for _, s in rows])
        if polled:
            stamps = stamper.by_gateway(slice(0, 3), actual - 1000, actual)
            wanted = [one.ours(actual - 1000, actual) for one in plain]
        else:
            stamps = stamper.by_source(np.arange(3), source, same, actual, actual)
            wanted = [one.theirs(int(s), bool(m), actual) for one, s, m in zip(plain, source, same, strict=True)]
        masks = [
            [False] * 3 if mask is None else mask.tolist() for mask in (stamps.uncertain, stamps.late, stamps.duplicate)
        ]
        got = list(zip(stamps.ts.tolist(), *masks, strict=True))
        assert got == wanted


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 3)), min_size=1, max_size=40))
def test_our_own_times_strictly_increase_whatever_the_clock_does(script):
    stamper, last, actual = Stamper(1), 0, NOW
    for moved, spread in script:
        actual += moved
        stamps = stamper.by_gateway(slice(0, 1), actual - spread, actual)
        assert stamps.ts[0] > last
        if stamps.uncertain is None:
            assert stamps.ts[0] in (actual - spread, actual)
        last = int(stamps.ts[0])


def test_a_short_step_back_is_held_and_a_long_one_followed():
    stamper = Stamper(1)
    rows = slice(0, 1)
    stamper.by_gateway(rows, NOW, NOW)
    assert not stamper.clock_jumped(-30 * S)
    held = stamper.by_gateway(rows, NOW - 29 * S, NOW - 29 * S)
    assert (held.ts[0], held.uncertain.tolist()) == (NOW + 1, [True])
    assert stamper.repeated == 1
    assert stamper.clock_jumped(-HOLD_BACK_US - 1)
    followed = stamper.by_gateway(rows, NOW - 3600 * S, NOW - 3600 * S)
    assert (followed.ts[0], followed.uncertain) == (NOW - 3600 * S, None)


def test_a_source_whose_clock_was_ahead_and_is_set_right_speaks_of_now():
    stamper, rows, no = Stamper(1), slice(0, 1), np.array([False])
    stamper.by_source(rows, np.array([NOW + 300 * S]), no, NOW, NOW)
    stamps = stamper.by_source(rows, np.array([NOW + S]), no, NOW + S, NOW + S)
    assert stamps.late is None and stamps.ts[0] == NOW + S
