"""Every function of a window, and every query, against a plain reading of what it should be."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.prometheus.evaluate import Query, Vector
from middleplatform.prometheus.metrics import Metrics
from middleplatform.prometheus.parser import FUNCTIONS, parse
from tests.middleplatform.api.build import id_of, path_of, site

S = 1_000_000
SERIES = ("belt1/speed", "belt1/current", "pump1/level")
HOLD_S = 60
SITE = site()
METRICS = Metrics.of(SITE)
NAMES, KINDS = ("point", "ts", "value", "quality"), (pa.uint64(), pa.int64(), pa.float64(), pa.uint8())

rows = st.lists(
    st.tuples(st.integers(0, 300), st.integers(-5, 40).map(float), st.sampled_from([192, 192, 192, 64, 0])),
    max_size=40,
    unique_by=lambda row: row[0],
).map(sorted)
data = st.tuples(*[rows] * len(SERIES))
steps = st.tuples(st.integers(0, 200), st.integers(1, 50), st.integers(1, 12)).map(
    lambda p: [p[0] + k * p[1] for k in range(p[2])]
)


def plain(function: str, samples: list[tuple[int, float]], begin: int, end: int, q: float) -> float | None:
    """One function of one window, as its description says; times in seconds."""
    inside = [(ts, value) for ts, value in samples if begin < ts <= end]
    values = [value for _, value in inside]
    if not inside:
        return None
    if function in {"rate", "increase"}:
        if len(inside) < 2:
            return None
        total, earlier = 0.0, values[0]
        for value in values[1:]:
            total += value if value < earlier else value - earlier
            earlier = value
        known = inside[-1][0] - inside[0][0]
        between = known / (len(inside) - 1)
        before, after = inside[0][0] - begin, end - inside[-1][0]
        if before >= 1.1 * between:
            before = between / 2
        if total > 0 and values[0] >= 0:
            before = min(before, known * values[0] / total)
        if after >= 1.1 * between:
            after = between / 2
        total *= (known + before + after) / known
        return total / (end - begin) if function == "rate" else total
    if function == "quantile_over_time":
        if not 0 <= q <= 1:
            return math.copysign(math.inf, q)
        ordered = sorted(values)
        rank = q * (len(ordered) - 1)
        low = math.floor(rank)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)
    return {
        "avg_over_time": lambda: sum(values) / len(values),
        "min_over_time": lambda: min(values),
        "max_over_time": lambda: max(values),
        "sum_over_time": lambda: sum(values),
        "count_over_time": lambda: float(len(values)),
        "last_over_time": lambda: values[-1],
    }[function]()


def computed(told, at, text) -> Vector:
    """A query over these samples."""
    ids = {id_of(name): samples for name, samples in zip(SERIES, told, strict=True)}

    class Samples:
        def raw(self, points, start, end, limit):
            found = [(p, t * S, v, q) for p in sorted(points) for t, v, q in ids.get(p, ()) if start <= t * S < end]
            columns = zip(*found, strict=True) if found else ((), (), (), ())
            return pa.table([pa.array(column, kind) for column, kind in zip(columns, KINDS, strict=True)], names=NAMES)

    vector = Query(METRICS, np.array(at, np.int64) * S, Samples(), most_cells=0).value(parse(text))
    assert isinstance(vector, Vector)
    return vector


def asked(told, at, text, by="point") -> dict[str, list[float | None]]:
    """Its values by a label of the series; None where there is nothing."""
    vector = computed(told, at, text)
    return {
        labels.get(by, ""): [float(v) if t else None for v, t in zip(value, there, strict=True)]
        for labels, value, there in zip(vector.labels, vector.value, vector.there, strict=True)
    }


def same(found, expected):
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        if want is None:
            assert got is None
        else:
            assert got == pytest.approx(want, rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    data, steps, st.integers(1, 120), st.sampled_from(FUNCTIONS), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0, -1.0, 2.0])
)
def test_functions_of_a_window(told, at, window, function, q):
    argument = f"{q}, " if function == "quantile_over_time" else ""
    found = asked(told, at, f'{function}({argument}{{equipment=~"belt1|pump1"}}[{window}s])')
    for name, samples in zip(SERIES, told, strict=True):
        good = [(ts, value) for ts, value, quality in samples if quality >= 192]
        same(found[path_of(name)], [plain(function, good, t - window, t, q) for t in at])


def held(samples, t):
    """The value that holds at a moment: of the last sample, when it is good and young enough."""
    last = [row for row in samples if row[0] <= t]
    if not last or last[-1][2] < 192 or t - last[-1][0] >= HOLD_S:
        return None
    return last[-1][1]


@settings(max_examples=50, deadline=None)
@given(data, steps)
def test_what_holds_at_an_instant(told, at):
    found = asked(told, at, '{point=~".+"}')
    for name, samples in zip(SERIES, told, strict=True):
        same(found[path_of(name)], [held(samples, t) for t in at])


PLAIN = {"sum": sum, "avg": lambda v: sum(v) / len(v), "min": min, "max": max, "count": len}


@settings(max_examples=50, deadline=None)
@given(data, steps, st.sampled_from(sorted(PLAIN)), st.sampled_from(["equipment", "area", "key", ""]))
def test_aggregation(told, at, function, by):
    found = asked(told, at, f"{function} by ({by}) ({{kind='analog'}} * 2 - 1)", by)
    expected: dict[str, list[list[float | None]]] = {}
    for name, samples in zip(SERIES, told, strict=True):
        equipment, key = name.split("/")
        facts = {"equipment": equipment, "key": key, "area": SITE.equipment[equipment].area, "": ""}
        expected.setdefault(facts[by], []).append([held(samples, t) for t in at])
    for label, members in expected.items():
        line = []
        for k in range(len(at)):
            there = [2 * member[k] - 1 for member in members if member[k] is not None]
            line.append(PLAIN[function](there) if there else None)
        same(found[label], line)
