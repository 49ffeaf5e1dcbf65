"""What the query language takes, and what it refuses by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.prometheus.parser import (
    Aggregate,
    Binary,
    Call,
    Constant,
    Matcher,
    Number,
    PromError,
    Selector,
    duration,
    parse,
)

SPEED = Selector((Matcher("__name__", "=", "belt_speed"),))
RANGE = Selector(SPEED.matchers, 300 * 10**6)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("belt_speed", SPEED),
        (" belt_speed # why\n", SPEED),
        ('{__name__="belt_speed"}', SPEED),
        ("belt_speed{}", SPEED),
        (
            '{a!="x",b=~"y.*",c!~`z`,}',
            Selector((Matcher("a", "!=", "x"), Matcher("b", "=~", "y.*"), Matcher("c", "!~", "z"))),
        ),
        ('{a="q\\"\\\\\\n"}', Selector((Matcher("a", "=", 'q"\\\n'),))),
        ("rate(belt_speed[5m])", Call("rate", RANGE)),
        ("quantile_over_time(0.9, belt_speed[5m])", Call("quantile_over_time", RANGE, 0.9)),
        ("quantile_over_time(-1, belt_speed[5m])", Call("quantile_over_time", RANGE, -1.0)),
        ("sum(belt_speed)", Aggregate("sum", (), SPEED)),
        ("sum by (area, mine) (belt_speed)", Aggregate("sum", ("area", "mine"), SPEED)),
        ("sum(belt_speed) by (area)", Aggregate("sum", ("area",), SPEED)),
        ("max(rate(belt_speed[5m]))", Aggregate("max", (), Call("rate", RANGE))),
        ("1 + 2 * 3", Binary("+", Number(1), Binary("*", Number(2), Number(3)))),
        ("1 - 2 - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
        ("2 ^ 3 ^ 2", Binary("^", Number(2), Binary("^", Number(3), Number(2)))),
        ("-2 ^ 2", Binary("*", Number(-1), Binary("^", Number(2), Number(2)))),
        ("(belt_speed) / 1e3", Binary("/", SPEED, Number(1000))),
        ("count", Selector((Matcher("__name__", "=", "count"),))),
        ("Inf", Number(float("inf"))),
        ("vector(1 + 1)", Constant(Binary("+", Number(1), Number(1)))),
        ("sum(vector(1))", Aggregate("sum", (), Constant(Number(1)))),
    ],
)  # fmt: skip
def test_taken(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("belt_speed offset 5m", "offset"),
        ("belt_speed @ 1", "@"),
        ("belt_speed > 1", ">"),
        ("belt_speed == bool 1", "=="),
        ("a and b", "and"),
        ("a or b", "or"),
        ("a unless b", "unless"),
        ("a + b", "between two vectors"),
        ("a * on(point) b", "on"),
        ("topk(3, a)", "topk"),
        ("histogram_quantile(0.9, a)", "histogram_quantile"),
        ("abs(a)", "abs"),
        ("irate(a[5m])", "irate"),
        ("label_replace(a, 'b', 'c', 'd', 'e')", "label_replace"),
        ("stddev_over_time(a[5m])", "stddev_over_time"),
        ("sum without (a) (b)", "without"),
        ("rate(a[5m:1m])", "subqueries"),
        ("rate(a)", "range vector"),
        ("rate(sum(a))", "range vector"),
        ("sum(a[5m])", "instant vector"),
        ("sum(1)", "instant vector"),
        ("vector(a)", "takes a number"),
        ("vector(a[5m])", "takes a number"),
        ("vector(", "the end"),
        ("a[5m]", "range vector"),
        ("a[5m] + 1", "range vector"),
        ("{}", "not empty"),
        ('{a=""}', "not empty"),
        ('{a=~""}', "not empty"),
        ('"text"', "text"),
        ("", "the end"),
        ("(", "the end"),
        ("a{b}", "}"),
        ('a{b="c"', "the end"),
        ("a[5]", "5"),
        ("a[0s]", "0s"),
        ("rate(a[99999999w])", "99999999w"),
        ("a b", "b"),
        ("$__rate_interval", "$"),
        ("(" * 100 + "1" + ")" * 100, "nested"),
        ("2" + "^2" * 100, "nested"),
        ("1" * 5000, "characters"),
        ("a\0", "cannot be read"),
    ],
)
def test_refused_by_name(text, named):
    with pytest.raises(PromError, match=r".+") as refused:
        parse(text)
    assert named in str(refused.value)


def test_durations():
    assert duration("1h30m") == 5_400 * 10**6
    assert duration("250ms") == 250_000
    for wrong in ("", "5", "5 m", "m", "-5m", "1e3s", "0s"):
        with pytest.raises(PromError):
            duration(wrong)


WORDS = 'a sum rate by ( ) [ ] 5m { } = =~ "x" , 1 - ^ * offset @ : quantile_over_time inf \\ \' #'
PIECES = st.sampled_from(WORDS.split())
JOINED = st.lists(PIECES, max_size=25).flatmap(lambda pieces: st.sampled_from(["".join(pieces), " ".join(pieces)]))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), JOINED))
def test_rubbish_is_refused_and_never_fails(text):
    try:
        parse(text)
    except PromError as refused:
        assert str(refused)
