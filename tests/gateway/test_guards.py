"""Each guard over whole columns against the same told one value at a time in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.counter import ALWAYS, FADES, FASTER, Counters
from gateway.curve import Curves
from gateway.debounce import Debounce
from gateway.frozen import Frozen
from gateway.guards import Guards, Why
from gateway.jump import AGREEING, Jumps
from gateway.nulls import NoValue
from gateway.points import PointTable
from gateway.states import States
from models.quality import GOOD, Quality
from models.site import model
from models.site.model import Kind, Name
from tests.gateway.sites import CODE, point

S = 1_000_000
NOW = 1_800_000_000_000_000


def guarded(key, kind=Kind.ANALOG, **guards):
    return point(key, kind=kind, guards=model.Guards(**guards))


def several(*guards):
    """A guarded point, one that is not, a guarded one …"""
    points = []
    for i, one in enumerate(guards):
        points += [guarded(f"g{i}", **one), point(f"p{i}")]
    return points


# ---- no value

sentinels = st.lists(st.sampled_from([65535.0, 32767.0, -9999.0, -0.01, 0.0]), max_size=4, unique=True)


@given(
    st.lists(
        st.tuples(
            sentinels,
            st.sampled_from([65535.0, 32767.0, -9999.0, -0.01, float(np.float32(-0.01)), 0.0, 12.5, math.nan]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_value_is_found_in_each_points_own_raw_numbers(rows):
    points = [guarded(f"p{i}", no_value=tuple(numbers)) for i, (numbers, _) in enumerate(rows)]
    guard = NoValue(points)
    at, places = guard.places.among(slice(0, len(points)))
    found = np.zeros(len(points), bool)
    found[at] = guard.says(places, np.array([raw for _, raw in rows])[at])
    for (numbers, raw), said in zip(rows, found, strict=True):
        wanted = raw in numbers or (-0.01 in numbers and raw == float(np.float32(-0.01)))
        assert said == wanted


# ---- calibration

curve_points = st.lists(
    st.tuples(st.integers(-100, 100), st.floats(-1e6, 1e6)), min_size=2, max_size=8, unique_by=lambda p: p[0]
)


@given(st.lists(st.tuples(curve_points, st.floats(-150, 150) | st.just(math.nan)), min_size=1, max_size=10))
def test_a_curve_is_straight_between_its_points_and_uncertain_outside(rows):
    curves = [tuple(sorted((float(x), y) for x, y in curve)) for curve, _ in rows]
    guard = Curves([guarded(f"p{i}", curve=curve) for i, curve in enumerate(curves)])
    raw = np.array([x for _, x in rows])
    value, outside = guard.apply(np.arange(len(rows)), raw)
    for i, curve in enumerate(curves):
        xs, ys = zip(*curve, strict=True)
        if math.isnan(raw[i]):
            assert math.isnan(value[i])
            continue
        wanted = np.interp(raw[i], xs, ys)
        assert abs(value[i] - wanted) <= 1e-9 * max(1.0, *map(abs, ys))
        assert outside[i] == (raw[i] < xs[0] or raw[i] > xs[-1])


# ---- counters


class PlainCounter:
    def __init__(self, full):
        self.full, self.base, self.last, self.at, self.rate = full, 0.0, None, 0, 0.0

    def count(self, raw, when, past):
        full, last = self.full, self.last
        if last is None:
            if not past:
                self.last, self.at = raw, when
            return self.base + raw, ""
        if past:
            return self.base - (full if raw > last and self.base >= full else 0) + raw, ""
        seconds = max((when - self.at) / 1e6, 1e-3)
        said = "unseen" if self.rate * seconds >= full else ""
        step = raw - last
        if step < 0:
            around = step + full
            usual = self.rate == 0 or around <= FASTER * self.rate * seconds + ALWAYS * full
            if last >= 0.75 * full and raw <= 0.25 * full and usual:
                self.base += full
                step = around
            elif raw <= 0.5 * last:
                self.base += last
                said, step = "reset", 0
            else:
                said, step = "back", 0
        self.rate = max(self.rate * FADES, step / seconds)
        self.last, self.at = raw, when
        return self.base + raw, said


counter_readings = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 65535) | st.integers(0, 50) | st.integers(65_400, 65_535),
        st.integers(1, 100 * S),
        st.booleans(),
    ),
    max_size=60,
)


@given(counter_readings)
def test_counters_count_as_one_alone_does(readings):
    fulls = [65536.0, 1e6, 2.0**48]
    guard = Counters(several(*({"kind": Kind.COUNTER, "rollover": full} for full in fulls)))
    plain = [PlainCounter(full) for full in fulls]
    now = NOW
    for which, raw, later, late in readings:
        past = late and plain[which].last is not None
        when = now - S if past else now + later
        now = max(now, when)
        at, places = guard.places.among(np.array([2 * which]))
        total, reset, back, unseen = guard.count(places, np.array([float(raw)])[at], np.array([when]), np.array([past]))
        wanted, said = plain[which].count(float(raw), when, past)
        assert total[0] == wanted
        assert bool(reset[0]) == (said == "reset") and bool(back[0]) == (said == "back")
        if said not in ("reset", "back"):
            assert bool(unseen[0]) == (said == "unseen")


@given(
    st.sampled_from([16, 32, 48]),
    st.integers(0, 2**48),
    st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=80),
)
def test_a_total_rises_by_what_was_counted_through_roll_overs_and_restarts(bits, start, steps):
    """The device counts steadily and rolls over; the gateway is killed and started now and then."""
    full = 2**bits
    points = [guarded("c", Kind.COUNTER, rollover=float(full))]
    guard, true, now = Counters(points), start % full, NOW
    begun = None
    for step, killed in [(0, False), *steps]:
        if killed:
            fresh = Counters(points)
            fresh.restore(guard.state())
            guard = fresh
        true, now = true + step, now + S
        total, reset, back, _ = guard.count(np.array([0]), np.array([float(true % full)]), np.array([now]), None)
        begun = total[0] - true if begun is None else begun
        if not reset.any():
            assert total[0] - true == begun, "nothing counted is lost or made up"
        else:
            break  # a step far beyond the usual rate, near the end of the range: taken for a reset, and said so
        assert not back.any()


@pytest.mark.parametrize("jump_s", [-30, 3600])
def test_a_clock_that_is_set_makes_no_counter_doubtful(jump_s):
    """A step of the clock is no time in which anything was counted."""
    points = [guarded("c", Kind.COUNTER, rollover=65536.0)]
    guards, now = Guards(PointTable.build(points, {}, 1.0)), NOW
    rows, good = np.array([0]), np.array([GOOD], np.uint8)
    for number in range(60):
        now += S
        if number == 20:
            now += jump_s * S
            guards.clock_jumped(jump_s * S)
        _, quality = guards.on_raw(rows, np.array([number * 200.0]), good, np.array([now]), None)
        assert quality[0] == GOOD, number


def test_a_counter_that_may_have_rolled_over_while_nobody_read_it_is_uncertain_after_a_restart():
    points = [guarded("c", Kind.COUNTER, rollover=65536.0)]
    guard = Counters(points)
    for second in range(10):
        guard.count(np.array([0]), np.array([second * 200.0]), np.array([NOW + second * S]), None)
    for away_s, doubtful in ((60, False), (3600, True)):
        fresh = Counters(points)
        fresh.restore(guard.state())
        when = np.array([NOW + (9 + away_s) * S])
        _, _, _, unseen = fresh.count(np.array([0]), np.array([9 * 200.0 + 100]), when, None)
        assert bool(unseen[0]) is doubtful


def test_a_power_up_is_no_roll_over_and_is_uncertain_once():
    guard = Counters([guarded("c", Kind.COUNTER, rollover=65536.0)])
    totals = []
    for second, raw in enumerate([50_000, 50_010, 50_020, 3, 13, 23]):
        total, reset, _, _ = guard.count(np.array([0]), np.array([float(raw)]), np.array([NOW + second * S]), None)
        totals.append((total[0], bool(reset[0])))
    assert totals == [
        (50_000, False),
        (50_010, False),
        (50_020, False),
        (50_023, True),
        (50_033, False),
        (50_043, False),
    ]
    assert (guard.rolled, guard.resets) == (0, 1)


# ---- jumps


class PlainJump:
    def __init__(self, most):
        self.most, self.believed, self.doubted, self.agree = most, None, None, 0

    def judge(self, value, when):
        def near(other):
            return other is not None and abs(value - other[0]) <= self.most * (max(when - other[1], 1000) / 1e6)

        if self.believed is None or near(self.believed):
            self.agree = 0
        else:
            self.agree = self.agree + 1 if near(self.doubted) else 1
            if self.agree < AGREEING:
                self.doubted = (value, when)
                return True
            self.agree = 0
        self.believed, self.doubted = (value, when), None
        return False


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-100, 100), st.integers(0, 3 * S)), max_size=60))
def test_jumps_are_doubted_as_one_alone_would_be(samples):
    mosts = [5.0, 50.0]
    guard, plain, now = Jumps(several(*({"jump": most} for most in mosts))), [PlainJump(m) for m in mosts], NOW
    for which, value, later in samples:
        now += later
        _, places = guard.places.among(np.array([2 * which]))
        assert bool(guard.judge(places, np.array([value]), np.array([now]))[0]) == plain[which].judge(value, now)


def test_a_jump_is_judged_by_the_time_that_went_by_when_the_clock_is_set():
    for moved in (-3600 * S, 3600 * S):
        guard = Jumps(several({"jump": 5.0}))
        _, places = guard.places.among(np.array([0]))
        assert not guard.judge(places, np.array([0.0]), np.array([NOW]))[0]
        guard.clock_jumped(moved)
        assert guard.judge(places, np.array([50.0]), np.array([NOW + moved + S]))[0]
        assert not guard.judge(places, np.array([8.0]), np.array([NOW + moved + 2 * S]))[0]


# ---- standing still


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1.0, 2.0, math.nan]), st.integers(0, 4 * S)), max_size=50)
)
def test_what_stands_still_and_what_follows_a_stopped_heartbeat(readings):
    """Points: 0 is watched for 5 s, 1 is a heartbeat (10 s), 2 follows it."""
    points = [
        guarded("noisy", frozen_s=5.0),
        point("beat", kind=Kind.COUNTER),
        guarded("led", heartbeat=f"{CODE}/e/beat"),
    ]
    guard, now = Frozen(points), NOW
    last, since = {0: math.nan, 1: math.nan}, {0: None, 1: None}
    for row, raw, later in readings:
        now += later
        at, places = guard.places.among(np.array([row]))
        still = guard.see(places, np.array([raw])[at], now)
        if row < 2:
            if raw != last[row]:
                since[row] = now
            last[row] = raw
            assert still[0] == (now - since[row] >= (5 * S if row == 0 else 10 * S))
        led = since[1] is not None and now - since[1] >= 10 * S
        assert guard.without_beat(slice(0, 3), now).tolist() == ([2] if led else [])


def test_nothing_stands_still_between_two_looks():
    """A heartbeat of 10 s in a group of a minute is not stopped for being read once a minute."""
    guard = Frozen([point("beat"), guarded("led", heartbeat=f"{CODE}/e/beat")], 60 * S)
    guard.see(np.array([0]), np.array([1.0]), NOW)
    assert not guard.standing(NOW + 179 * S).any()
    assert guard.standing(NOW + 180 * S).all()


class PlainDebounce:
    def __init__(self, long):
        self.long, self.held, self.shown, self.since = long, None, None, 0

    def hold(self, value, now):
        if math.isnan(value):
            self.shown = None
            return value
        if self.held is None or value == self.held:
            self.held, self.shown = value, None
        else:
            if value != self.shown:
                self.shown, self.since = value, now
            if now - self.since >= self.long:
                self.held, self.shown = value, None
        return self.held

    def settle(self, now):
        if self.shown is not None and now - self.since >= self.long:
            self.held, self.shown = self.shown, None
            return [self.held]
        return []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.sampled_from([0.0, 1.0, 2.0, math.nan]), st.integers(0, 400_000), st.booleans()
        ),
        max_size=60,
    )
)
def test_a_state_holds_until_another_has_lasted(samples):
    guard = Debounce(several(*({"kind": Kind.STATE, "debounce_s": long} for long in (0.2, 1.0))))
    plain, now = [PlainDebounce(200_000), PlainDebounce(1_000_000)], NOW
    for which, value, later, sweep in samples:
        now += later
        if sweep:
            settled = dict(zip(*(part.tolist() for part in guard.settle(now)[:2]), strict=True))
            for i, one in enumerate(plain):
                assert (
                    [settled[2 * i]] * (2 * i in settled) == one.settle(now)
                    if 2 * i in settled
                    else not one.settle(now)
                )
            continue
        _, places = guard.places.among(np.array([2 * which]))
        np.testing.assert_equal(guard.hold(places, np.array([value]), now)[0], plain[which].hold(value, now))


# ---- states


@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(0, 64), min_size=1, max_size=6),
            st.booleans(),
            st.integers(-3, 200) | st.sampled_from([1.5, 2.0**60]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_states_that_nobody_knows_are_found_and_unions_of_a_state_words_bits_are_known(rows):
    points = [
        point(f"p{i}", kind=Kind.STATE, role="sensor.state" if bits else "", states=dict.fromkeys(listed, Name("", "")))
        for i, (listed, bits, _) in enumerate(rows)
    ]
    found = States(points).unknown(np.arange(len(rows)), np.array([float(value) for _, _, value in rows]))
    for (listed, bits, value), unknown in zip(rows, found, strict=True):
        every = 0
        for number in listed:
            every |= number
        union = bits and value == int(value) and value >= 0 and int(value) & ~every == 0
        assert unknown == (value not in listed and not union)


# ---- together


def test_a_connection_without_guards_has_none():
    assert Guards.build(PointTable.build([point("a"), point("b")], {}, 1.0)) is None


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([0.0, 5.0, 65535.0, math.nan, math.inf, -3.0]),
            st.sampled_from([0, 24, 64, 192]),
        ),
        max_size=80,
    )
)
def test_guards_never_better_a_quality_nor_change_what_they_do_not_watch(samples):
    points = [
        guarded("null", no_value=(65535.0,)),
        guarded("count", Kind.COUNTER, rollover=65536.0),
        guarded("curve", curve=((0.0, 0.0), (10.0, 100.0))),
        guarded("jump", jump=1.0, frozen_s=5.0, heartbeat=f"{CODE}/e/count"),
        guarded("state", Kind.STATE, debounce_s=0.5),
        point("plain"),
    ]
    guards, now = Guards(PointTable.build(points, {}, 1.0)), NOW
    for row, number, code in samples:
        now += S
        rows, raw, quality = np.array([row]), np.array([number]), np.array([code], np.uint8)
        when = np.array([now])
        value, judged = guards.on_raw(rows, raw, quality, when, None)
        guards.on_value(rows, raw, value, judged, when, None, now)
        assert raw[0] == number or math.isnan(number), "the input is left alone"
        assert judged[0] <= code
        if row == 5:
            assert judged[0] == code and (value[0] == number or math.isnan(number))
        if code < 64:
            assert judged[0] == code, "bad stays as bad as it was"
    assert guards.counts[Why.NOTHING] == 0


def test_words_name_the_number_and_what_to_think_of_it():
    guards = Guards(PointTable.build([guarded("a", no_value=(65535.0,)), guarded("x", jump=50.0)], {}, 1.0))
    rows, quality = slice(0, 2), np.full(2, 192, np.uint8)
    for second, raw in enumerate(([1.0, 12.0], [65535.0, 240.0])):
        given_raw, when = np.array(raw), np.full(2, NOW + second * S)
        value, judged = guards.on_raw(rows, given_raw, quality, when, None)
        guards.on_value(rows, given_raw, value, judged, when, None, NOW + second * S)
    assert math.isnan(value[0]) and value[1] == 240.0
    assert judged[1] == Quality.UNCERTAIN_SENSOR
    assert guards.words(0, NOW) == "the device says it has no value (65535)"
    assert guards.words(1, NOW) == "jumped from 12 faster than 50 mm/s; believed once 3 samples agree"
