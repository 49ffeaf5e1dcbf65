"""What the store computes for a query is what the samples give: on random data with gaps, bad quality, values that are
none, late and repeated samples, over a midnight."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.prometheus import evaluate
from middleplatform.prometheus.evaluate import Query, Vector
from middleplatform.prometheus.parser import PromError, parse
from middleplatform.prometheus.windows import OF_TALLIES
from middleplatform.store import history as history_module
from middleplatform.store.errors import StoreError
from middleplatform.store.history import History
from middleplatform.store.schema import SAMPLE_COLUMNS
from middleplatform.store.tally import Tally
from tests.middleplatform.api.build import id_of
from tests.middleplatform.prometheus.test_windows import METRICS, SERIES
from tests.middleplatform.store.conftest import engine
from tests.middleplatform.store.test_history import BASE

__all__ = ["engine"]

S = 1_000_000

value = st.one_of(
    st.integers(-5, 40).map(float), st.floats(-1e6, 1e6, width=32), st.sampled_from([math.nan, math.inf, -math.inf])
)
sample = st.tuples(
    st.integers(0, len(SERIES) - 1), st.integers(-20, 30), value, st.sampled_from([192, 192, 192, 216, 64, 0])
)


@st.composite
def queries(draw):
    return {
        "inserts": draw(st.lists(st.lists(sample, max_size=40), min_size=1, max_size=3)),
        # In halves of seconds, so that windows begin and end on samples and between them.
        "first": draw(st.integers(-20, 30)),
        "step": draw(st.integers(1, 12)),
        "steps": draw(st.integers(1, 8)),
        "window": draw(st.integers(1, 40)),
        "function": draw(st.sampled_from(["", "", *sorted(OF_TALLIES)])),
        "hold_s": draw(st.sampled_from([3, 60])),
        "whole": draw(st.sampled_from([0, 2 * 86_400 * S])),
    }


class Direct:
    """The store, asked within this process."""

    def __init__(self, engine) -> None:
        self.history = History(engine, lambda asked: np.full(len(asked), 60 * S, np.int64))
        self.raw = self.history.raw
        self.tally, self.newest = Tally(engine, self.history).tally, Tally(engine, self.history).newest


def write(engine, inserts) -> None:
    engine.execute("TRUNCATE TABLE samples")
    for ver, rows in enumerate(inserts, start=1):
        told = {(id_of(SERIES[s]), BASE + t * S): (v, q) for s, t, v, q in rows}
        if told:
            columns = [
                [p for p, _ in told], [t for _, t in told], [v for v, _ in told.values()],
                [q for _, q in told.values()], [None] * len(told), [ver] * len(told),
            ]  # fmt: skip
            arrays = [pa.array(c, field.type) for c, field in zip(columns, SAMPLE_COLUMNS, strict=True)]
            engine.insert("samples", pa.table(arrays, schema=SAMPLE_COLUMNS))


def compare(engine, monkeypatch, case) -> None:
    monkeypatch.setattr(history_module, "_WHOLE", case["whole"])
    write(engine, case["inserts"])
    start = BASE + case["first"] * S // 2
    monkeypatch.setattr(evaluate, "HOLDS", case["hold_s"] / METRICS.points[0].silence_s)
    steps = start + np.arange(case["steps"], dtype=np.int64) * case["step"] * S // 2
    selector = '{equipment=~"belt1|pump1"}'
    text = f"{case['function']}_over_time({selector}[{case['window'] * 500}ms])" if case["function"] else selector
    store = Direct(engine)
    by_store, by_samples = (
        Query(METRICS, steps, store, most_cells=most).value(parse(text)) for most in (evaluate.MOST_CELLS, 0)
    )
    assert isinstance(by_store, Vector) and isinstance(by_samples, Vector)
    assert by_store.labels == by_samples.labels
    np.testing.assert_array_equal(by_store.there, by_samples.there)
    if case["function"] in ("avg", "sum"):  # which are summed in another order
        np.testing.assert_allclose(by_store.value, by_samples.value, rtol=1e-9, atol=1e-6)
    else:
        np.testing.assert_array_equal(by_store.value, by_samples.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=queries())
def test_the_store_computes_what_the_samples_give(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


def test_a_long_range_hands_out_no_samples_and_what_needs_them_is_refused(engine, monkeypatch):
    """As with two million samples, with a hundred: what the store counts is answered, what it cannot is a refusal."""
    write(engine, [[(0, t, float(t), 192) for t in range(200)]])
    monkeypatch.setattr(evaluate, "MOST_SAMPLES", 100)
    store, steps = Direct(engine), BASE + np.array([0, 100, 200]) * S
    (row,) = METRICS.matching(parse('{point=~".+/belt1/speed"}').matchers)
    assert METRICS.points[row].id == id_of("belt1/speed")
    for function, expected in (("count", [1, 101, 199]), ("max", [0, 100, 199]), ("avg", [0, 50, 100])):
        found = Query(METRICS, steps, store).value(
            parse(f'{function}_over_time({{point=~".+/belt1/speed"}}[199500ms])')
        )
        assert isinstance(found, Vector) and found.value.tolist() == [expected]
    with pytest.raises(PromError, match="over 100 samples would have to be read"):
        Query(METRICS, steps, store).value(parse('rate({point=~".+/belt1/speed"}[200s])'))
    few = SimpleNamespace(raw=store.raw)
    with pytest.raises(PromError, match="over 100 samples would have to be read"):
        Query(METRICS, steps, few, most_cells=2).value(parse('sum_over_time({point=~".+/belt1/speed"}[200s])'))


@pytest.mark.parametrize(
    ("points", "start", "end", "width", "words"),
    [
        ([], 0, 10, 1, "no point"),
        ([1], 10, 10, 1, "begin before it ends"),
        ([1], 0, 10, 0, "width"),
        ([1], 0, 600_000, 1, "at most"),
    ],
)
def test_a_wrong_question_is_refused_in_plain_words(engine, points, start, end, width, words):
    with pytest.raises(StoreError, match=words):
        Direct(engine).tally(points, start, end, width)
    with pytest.raises(StoreError, match=words):
        Direct(engine).newest(points, start, end, width, 1)
    with pytest.raises(StoreError, match="within"):
        Direct(engine).newest([1], 0, 10, 1, 0)
