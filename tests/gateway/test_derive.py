"""Derived points against the same expressions in plain Python, one value at a time."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.acquire import SWEEP_S, Acquisition
from gateway.derive import Derived, evaluate
from gateway.points import PointTable
from models.quality import RANK, Quality
from models.site.expressions import MAX_INPUTS, parse
from models.site.model import Formula, Guards, Kind
from protocols.adapter import Reading
from tests.gateway.sites import CODE, Remembered, point

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
S = 1_000_000
NOW = 1_800_000_000_000_000
NAMES = ("a", "b", "c")

numbers = st.recursive(
    st.sampled_from(["a", "b", "c", "2", "0.5", "100"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        inner.map(lambda p: f"abs({p})"),
        inner.map(lambda p: f"(-{p})"),
        inner.map(lambda p: f"{p if p.isalnum() else '(' + p + ')'} ** 2"),
        st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner, inner).map(
            lambda p: f"where({p[0]} {p[1]} {p[2]} and not {p[0]} > 50, {p[3]}, {p[4]})"
        ),
    ),
    max_leaves=8,
)


def plain(text, values):
    """What Python itself makes of it; None where it gives no number."""
    names = dict(zip(NAMES, values, strict=True)) | {"where": lambda c, x, y: x if c else y}
    try:
        return float(eval(text, {"__builtins__": {}, "min": min, "max": max, "abs": abs}, names))  # noqa: S307
    except (ZeroDivisionError, OverflowError):
        return None


def derived(key, text, **more):
    expression = parse(text)
    paths = tuple(f"{CODE}/e/{name}" for name in expression.inputs)
    return point(key, address="", formula=Formula(text, expression.code(), paths), **more)


@settings(deadline=None, max_examples=60)
@given(
    numbers.filter(lambda text: re.search(r"\b[abc]\b", text) and len(text) < 500),
    st.lists(
        st.tuples(
            *[st.integers(-100, 100).map(lambda n: n / 2)] * 3, *[st.sampled_from([192, 192, 216, 84, 64, 24, 0])] * 3
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_an_expression_over_columns_is_that_of_each_row_with_the_worst_quality(text, rows):
    try:
        expression = parse(text)
    except ValueError as error:  # a comparison of numbers alone, a division by 0: refused when the site is loaded
        assert "always the same" in str(error) or "gives no number" in str(error) or "names no point" in str(error)
        return
    points = []
    for i in range(len(rows)):
        points += [point(f"{name}{i}") for name in NAMES]
    for i in range(len(rows)):
        paths = tuple(f"{CODE}/e/{name}{i}" for name in expression.inputs)
        points.append(point(f"d{i}", formula=Formula(text, expression.code(), paths)))
    made = Derived(PointTable.build(points, {}, 1.0))
    value = np.array([n for row in rows for n in row[:3]] + [0.0] * len(rows))
    quality = np.array([q for row in rows for q in row[3:]] + [0] * len(rows), np.uint8)
    (shape, which), *more = made.touched(np.arange(3 * len(rows)))
    assert not more, "one shape is evaluated once for all of its points"
    result, worst = evaluate(shape, which, value, quality)
    for i, row in enumerate(rows):
        codes = [row[3 + NAMES.index(name)] for name in expression.inputs]
        assert RANK[worst[i]] == min(RANK[code] for code in codes)
        wanted = plain(text, row[:3])
        if worst[i] < 64:
            assert math.isnan(result[i])
        elif wanted is not None and math.isfinite(wanted):
            assert result[i] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_as_many_points_as_may_be_named_can_be_evaluated():
    names = [f"p{i}" for i in range(MAX_INPUTS)]
    made = derived("sum", " + ".join(names))
    table = PointTable.build([*(point(name) for name in names), made], {}, 1.0)
    ((shape, which),) = Derived(table).touched(np.array([0]))
    value, worst = evaluate(shape, which, np.arange(MAX_INPUTS + 1.0), np.full(MAX_INPUTS + 1, 192, np.uint8))
    assert value.tolist() == [sum(range(MAX_INPUTS))] and worst.tolist() == [192]


def test_an_expression_that_the_library_refuses_is_named_and_the_others_work():
    odd = point("odd", formula=Formula("?", "x0 +* 2", (f"{CODE}/e/a",)))
    made = Derived(PointTable.build([point("a"), odd, derived("twice", "a * 2")], {}, 1.0))
    assert list(made.unusable) == [1] and "cannot be evaluated" in made.unusable[1]
    assert [shape.rows.tolist() for shape in made.shapes] == [[2]]


class Line:
    """An acquisition fed by hand."""

    def __init__(self, *points):
        self.sink = Remembered()
        self.table = PointTable.build(points, {"fast": 1.0}, SWEEP_S)
        self.acquisition = Acquisition("plc", self.table, self.sink.put)
        self.row = {p.key: i for i, p in enumerate(points)}

    def take(self, now, times=None, quality=192, **values):
        index = np.array([self.row[key] for key in values], np.int32)
        given_times = None if times is None else np.array(times, np.int64)
        reading = Reading(
            index, np.array(list(values.values()), float), np.full(len(index), quality, np.uint8), given_times
        )
        self.acquisition.take(reading, instant=now, actual=now, current=True)


def test_a_derived_point_has_the_newest_time_and_follows_through_others():
    line = Line(point("a"), point("b"), derived("sum", "a + b"), derived("twice", "sum * 2"))
    line.take(NOW, a=1.0)
    assert line.sink.of("sum") == [], "not before all of its inputs are known"
    line.take(NOW + S, times=[NOW + 7], b=2.0)
    line.take(NOW + 2 * S, a=5.0)
    assert line.sink.of("sum") == [(NOW + 7, 3.0, 192), (NOW + 2 * S, 7.0, 192)]
    assert line.sink.of("twice") == [(NOW + 7, 6.0, 192), (NOW + 2 * S, 14.0, 192)]


def test_a_bad_input_makes_it_bad_and_without_a_value_and_so_does_a_device_that_is_away():
    line = Line(point("a"), point("b"), derived("ratio", "a / b"))
    line.take(NOW, a=1.0, b=2.0)
    line.take(NOW + S, a=1.0, b=0.0)
    line.take(NOW + 2 * S, a=1.0, b=4.0)
    line.acquisition.mark(Quality.BAD_COMMUNICATION, "no answer", NOW + 3 * S, np.array([1]))
    values = [(value, quality) for _, value, quality in line.sink.of("ratio")]
    assert values[0] == (0.5, 192) and values[2] == (0.25, 192)
    assert math.isnan(values[1][0]) and values[1][1] == Quality.BAD_SENSOR_FAILURE
    assert math.isnan(values[3][0]) and values[3][1] == Quality.BAD_COMMUNICATION
    line.take(NOW + 4 * S, b=4.0)
    assert line.sink.of("ratio")[-1][1:] == (0.25, 192)


def test_a_late_sample_changes_nothing_of_what_follows_from_the_present():
    line = Line(point("a"), derived("double", "a * 2"))
    line.take(NOW, times=[NOW], a=1.0)
    line.take(NOW + S, times=[NOW - 60 * S], a=9.0)
    assert line.sink.of("double") == [(NOW, 2.0, 192)]
    assert line.sink.of("a")[-1] == (NOW - 60 * S, 9.0, 192)


def test_a_derived_point_is_scaled_ranged_and_guarded_as_any_other():
    line = Line(
        point("a"),
        derived("scaled", "a + 1", factor=10.0, high=100.0),
        derived("state", "where(a > 0, 1, 0)", kind=Kind.STATE, guards=Guards(debounce_s=1.5)),
    )
    for second, a in enumerate([0.0, 5.0, 5.0, 5.0, 20.0]):
        line.take(NOW + second * S, a=a)
    assert [row[1:] for row in line.sink.of("scaled")] == [(10.0, 192), (60.0, 192), (210.0, Quality.UNCERTAIN_RANGE)]
    assert [row[1] for row in line.sink.of("state")] == [0.0, 1.0]
    assert line.sink.of("state")[1][0] == NOW + 3 * S
