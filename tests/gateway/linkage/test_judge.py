"""The judge against the plain words of it: a loop over rules, conditions and samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.linkage.judge import Judge, Of
from models.site.model import Comparison, Conditions, OnLost, Restore
from tests.gateway.linkage.ranges import CUT

S = 1_000_000
START = 1_790_000_000 * S
NAMES = "abcd"
comparison = st.builds(
    lambda point, low, more, lasting: Comparison(point, low, low + more, lasting),
    st.sampled_from(NAMES), st.integers(0, 3).map(float), st.integers(0, 2).map(float), st.sampled_from([0.0, 3.0]),
)  # fmt: skip
conditions = st.builds(Conditions, st.lists(comparison, min_size=1, max_size=3).map(tuple), st.booleans())
rule = st.builds(
    lambda when, then, restore, on_lost: replace(
        CUT, when=when, then=tuple(replace(c, lasting_s=0.0) for c in then),
        restore=Restore(restore, False), on_lost=on_lost, lost_after_s=5.0,
    ),
    conditions, st.lists(comparison, max_size=2), conditions, st.sampled_from(OnLost),
)  # fmt: skip
step = st.tuples(
    st.sampled_from([("a", "b"), ("c", "d")]),
    st.lists(st.tuples(st.integers(0, 5).map(float), st.sampled_from([0, 68, 192]), st.sampled_from([0, 59, 61])),
             min_size=2, max_size=2),
    st.integers(1, 4),
    st.booleans(),
)  # fmt: skip


class Plain:
    """One comparison, as the words say."""

    def __init__(self, of, one, rule, now):
        self.of, self.one, self.rule = of, one, rule
        self.met, self.since, self.fresh, self.lost_since = False, 0, False, now + 50 * S

    def take(self, value, quality, age, now):
        fresh = quality >= 64 and age <= 60
        if self.fresh and not fresh:
            self.lost_since = now
        self.fresh = fresh
        enough = fresh and quality >= (192 if self.of is Of.RESTORE else 64)
        met = self.one.low <= value <= self.one.high if enough else (self.met and self.of is Of.WHEN)
        if met and not self.met:
            self.since = now
        self.met = met

    def force(self, now):
        lost = not self.fresh and now - self.lost_since >= 5 * S
        trips = lost and self.of is Of.WHEN and self.rule.on_lost is OnLost.TRIP
        return trips or (self.met and now - self.since >= self.one.lasting_s * S)


def carried(before, rules, now):
    """Once more, into the order of the beginning."""
    judge = Judge(rules, {"one": ("a", "b"), "two": ("c", "d")}, now)
    judge.carry_on(before, now)
    return judge


@settings(max_examples=40, deadline=None)
@given(st.lists(rule, min_size=1, max_size=4), st.lists(step, min_size=1, max_size=25))
def test_it_says_what_a_plain_loop_says(rules, steps):
    rules = [replace(one, id=f"r{n}") for n, one in enumerate(rules)]
    judge = Judge(rules, {"one": ("a", "b"), "two": ("c", "d")}, START)
    plain = {
        (n, of): [Plain(of, one, r, START) for one in them]
        for n, r in enumerate(rules)
        for of, them in ((Of.WHEN, r.when.comparisons), (Of.THEN, r.then), (Of.RESTORE, r.restore.when.comparisons))
    }
    now = START
    for names, samples, later, anew in steps:
        now += later * S
        if anew:  # a new version of the site: what was seen goes on
            before, judge = judge, Judge(rules[::-1], {"two": ("d", "c"), "one": ("b", "a")}, now)
            judge.carry_on(before, now)
            judge = carried(judge, rules, now)
        part = judge.parts["one" if names[0] == "a" else "two"]
        given_ = dict(zip(names, samples, strict=True))
        order = judge.paths[part.points]
        value, quality, age = (np.array([given_[p][k] for p in order], kind) for k, kind in
                               enumerate((np.float64, np.uint8, np.int64)))  # fmt: skip
        judge.take(part, value, quality, now - age * S, now)
        for each in plain.values():
            for one in each:
                if one.one.point in given_:
                    one.take(*given_[one.one.point], now)
        so, _ = judge.standing(now)
        for n, r in enumerate(rules):
            whens = [one.force(now) for one in plain[n, Of.WHEN]]
            assert bool(so[n]) == (all(whens) if r.when.every else any(whens))
            thens = [one.force(now) for one in plain[n, Of.THEN]]
            assert judge.holds(n, Of.THEN, now) == (bool(thens) and all(thens))
            back = [one.force(now) for one in plain[n, Of.RESTORE]]
            assert judge.holds(n, Of.RESTORE, now) == (all(back) if r.restore.when.every else any(back))
        due = judge.due(now)
        assert due is None or due > now


def test_an_old_sample_neither_trips_nor_restores():
    judge = Judge([CUT], {"plc": (CUT.when.comparisons[0].point,)}, START)
    part = judge.parts["plc"]

    def take(value, age_s, now):
        return judge.take(part, np.array([value]), np.array([192], np.uint8), np.array([now - age_s * S]), now)

    take(0.1, 0, START)
    assert not take(9.0, 61, START + S) or not judge.standing(START + S)[0][0]
    take(9.0, 60, START + S)
    assert judge.standing(START + S)[0][0]
    take(0.1, 61, START + 2 * S)
    assert judge.standing(START + 2 * S)[0][0] and not judge.holds(0, Of.RESTORE, START + 2 * S)
    take(0.1, 0, START + 3 * S)
    assert not judge.standing(START + 3 * S)[0][0] and judge.holds(0, Of.RESTORE, START + 3 * S)


def test_what_is_being_calibrated_counts_for_nothing_until_it_lasts_too_long():
    point, state = CUT.when.comparisons[0].point, "m/e/state"
    judge = Judge([CUT], {"plc": (point, state)}, START, {point: state})
    part = judge.parts["plc"]
    order = judge.paths[part.points]
    assert set(order) == {point, state}

    def take(value, word, now, quality=192):
        given_ = {point: (value, quality), state: (word, 192)}
        values = np.array([float(given_[path][0]) for path in order])
        qualities = np.array([given_[path][1] for path in order], np.uint8)
        judge.take(part, values, qualities, np.full(2, now), now)
        so, is_lost = judge.standing(now)
        return bool(so[0]), bool(is_lost[0]), judge.holds(0, Of.RESTORE, now)

    assert take(0.3, 0, START) == (False, False, True)
    assert take(2.0, 4, START + S, quality=80) == (False, False, False), "nothing begins, nothing is restored"
    assert take(2.0, 5, START + 599 * S) == (False, False, False)
    assert take(2.0, 3, START + 600 * S) == (True, False, False), "cut and still live is no calibration"
    assert take(0.3, 4, START + 601 * S) == (True, False, False), "what had begun goes on"
    assert take(0.3, 0, START + 602 * S) == (False, False, True)
    # A word that stays at calibration is a sensor that says nothing.
    take(0.3, 4, START + 700 * S)
    patience = round(CUT.lost_after_s * S)
    assert take(0.3, 4, START + 1300 * S + patience - 1) == (False, False, False)
    assert take(0.3, 4, START + 1300 * S + patience) == (True, True, False)
    assert take(0.3, 0, START + 1301 * S + patience) == (False, False, True)
    # One that ends in silence is lost after the rule's time.
    take(2.0, 4, START + 1400 * S)
    take(2.0, 0, START + 1410 * S, quality=16)
    assert take(2.0, 0, START + 1410 * S + patience - 1, quality=16) == (False, False, False)
    assert take(2.0, 0, START + 1410 * S + patience, quality=16) == (True, True, False)
