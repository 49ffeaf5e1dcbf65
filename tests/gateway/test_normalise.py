"""Normalisation of whole columns against one value at a time."""

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gateway.normalise import normalise
from gateway.points import PointTable, rounds, rows_of
from models.site.model import Kind
from tests.gateway.sites import point

any_float = st.floats(width=64) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, 5.0])
bound = st.just(math.nan) | st.floats(-1e6, 1e6)
settings_of_point = st.tuples(st.sampled_from([1.0, 0.1, -2.5, 1e10]), st.sampled_from([0.0, -40.0, 3.5]), bound, bound)


def one(raw, quality, factor, offset, low, high):
    """What a single sample must become."""
    code = 0 if 128 <= quality < 192 else quality
    with np.errstate(all="ignore"):
        value = float(np.float64(raw) * factor + offset)
    if not math.isfinite(value):
        return math.nan, 16 if code >= 64 else code
    if (value < low or value > high) and code >= 192:
        code = 84
    return value, code


@given(st.lists(st.tuples(any_float, st.integers(0, 255), settings_of_point), min_size=1, max_size=40), st.randoms())
def test_columns_become_what_each_value_alone_becomes(rows, order):
    points = [
        point(f"p{i}", factor=f, offset=o, low=low, high=high) for i, (_, _, (f, o, low, high)) in enumerate(rows)
    ]
    table = PointTable.build(points, {"fast": 1.0}, 1.0)
    places = list(range(len(rows)))
    order.shuffle(places)
    index = np.array(places, np.int32)
    raw = np.array([rows[i][0] for i in places])
    quality = np.array([rows[i][1] for i in places], np.uint8)
    before = raw.copy(), quality.copy()
    value, judged = normalise(table, rows_of(index, len(rows)), raw, quality)
    for row, i in enumerate(places):
        wanted_value, wanted_code = one(rows[i][0], rows[i][1], *rows[i][2])
        assert judged[row] == wanted_code
        assert value[row] == wanted_value or (math.isnan(value[row]) and math.isnan(wanted_value))
    np.testing.assert_array_equal(raw, before[0])
    np.testing.assert_array_equal(quality, before[1])


def test_a_text_needs_no_number_but_a_missing_text_is_bad():
    table = PointTable.build([point(k, kind=Kind.TEXT) for k in "ab"], {}, 1.0)
    text = pa.array(["运行", None], pa.string())
    _, judged = normalise(table, slice(0, 2), np.full(2, math.nan), np.full(2, 192, np.uint8), text)
    assert judged.tolist() == [192, 16]


@given(st.lists(st.integers(0, 7), max_size=60))
def test_rounds_hold_every_row_once_no_point_twice_and_keep_each_points_order(index):
    rows = rows_of(np.array(index, np.int32), 8)
    parts = rounds(rows, 8)
    if parts is None:
        assert len(set(index)) == len(index)
        return
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(index)))
    seen = {}
    for part in parts:
        points = [index[position] for position in part]
        assert len(set(points)) == len(points)
        for position, which in zip(part, points, strict=True):
            assert seen.get(which, -1) < position
            seen[which] = position


def test_an_index_outside_the_table_is_refused():
    for wrong in ([0, 8], [-1, 0], [7, 8], [100]):
        try:
            rows_of(np.array(wrong, np.int32), 8)
        except IndexError:
            continue
        raise AssertionError(f"{wrong} was taken")
