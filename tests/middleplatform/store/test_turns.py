"""Turns against a plain walk over the samples: whatever came late, twice, bad or not at all, wherever it is read."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store import stays as stays_module
from middleplatform.store import turns as turns_module
from middleplatform.store import windows as windows_module
from middleplatform.store.client import StoreClient
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Door
from middleplatform.store.rollup_tables import HOUR, MINUTE
from middleplatform.store.turns import Turns, handlers
from tests.middleplatform.store.test_history import QUALITIES
from tests.middleplatform.store.test_rollups import BASE, NEW_IDS, Stage

values = st.sampled_from([0.0, 1.0, 1.0, 2.0, -2.0, 5.5, -9.0, math.nan, math.inf])
qualities = st.sampled_from([192] * 6 + list(QUALITIES))
sample = st.tuples(st.integers(0, 2), st.integers(0, 6 * 360 - 1), values, qualities)
"""Of three points, in steps of ten seconds over six hours: two before midnight, four after."""
levels = st.one_of(st.none(), st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 6.0]), max_size=2))


@st.composite
def cases(draw):
    return {
        "writes": draw(st.lists(st.lists(sample, min_size=1, max_size=40), min_size=1, max_size=3)),
        "ages": [draw(st.sampled_from([20, 60, 700, 7200])) * 1_000_000 for _ in range(3)],
        "holds": draw(st.none() | st.lists(st.sampled_from([20, 60, 700, 7200]), min_size=3, max_size=3)),
        "levels": [draw(levels) for _ in range(3)],
        "now": draw(st.integers(0, 9)),
        "start": draw(st.integers(-1, 3)) * HOUR + draw(st.sampled_from([0, 7 * MINUTE, 1])),
        "length": draw(st.integers(1, 6)) * HOUR + draw(st.sampled_from([0, MINUTE, 12_345])),
        "few": draw(st.sampled_from([0, 1000])),
        "most_stays": draw(st.sampled_from([1, 3, 60])),
        "block": draw(st.sampled_from([HOUR // 2, 8 * 24 * HOUR])),
    }


def reference(told: dict, point: int, age: int, levels, start: int, end: int) -> list[tuple]:
    """Sample by sample."""

    def kind(value: float):
        return value if levels is None else tuple(abs(value) > level for level in levels)

    rows = sorted((ts, *said) for (p, ts), said in told.items() if p == point)
    found: list[list] = []
    for (ts, value, quality), after in zip(rows, [*rows[1:], (end, 0, 0)], strict=False):
        begin, until = max(ts, start), min(ts + age, after[0], end)
        if quality < 192 or not math.isfinite(value) or until <= begin:
            continue
        if found and found[-1][2] == begin and kind(found[-1][3]) == kind(value):
            found[-1][2] = until
        else:
            found.append([point, begin, until, value])
    return [tuple(row) for row in found]


def rows_of(table) -> list[tuple]:
    return [tuple(row.values()) for row in table.to_pylist()]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_turns_equal_the_reference(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_turns_equal_the_reference_many_times(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


def compare(engine, monkeypatch, case: dict) -> None:
    monkeypatch.setattr(windows_module, "FEW", case["few"])
    monkeypatch.setattr(stays_module, "MOST", case["most_stays"])
    monkeypatch.setattr(turns_module, "BLOCK", case["block"])
    first = next(NEW_IDS)
    points = [first, first + 1, first + 2]
    stage = Stage(engine, dict(zip(points, case["ages"], strict=True)))
    stage.now = BASE + case["now"] * HOUR
    turns = Turns(engine, stage.windows, stage.history)
    start = BASE + case["start"]
    end = start + case["length"]
    told: dict[tuple[int, int], tuple] = {}
    for ver, write in enumerate(case["writes"], start=1):
        batch = {(first + p, BASE + t * 10_000_000): (v, q) for p, t, v, q in write}
        told |= batch
        stage.write([(*key, *said) for key, said in batch.items()], ver)
        holds = None if case["holds"] is None else [hold * 1_000_000 for hold in case["holds"]]
        asked = list(zip(points, holds or case["ages"], case["levels"], strict=True))
        expected = [row for p, age, of in asked for row in reference(told, p, age, of, start, end)]
        order = [2, 0, 1]
        for _ in ("before it is rolled up", "after"):
            given = [case["levels"][n] for n in order]
            held = holds and [holds[n] for n in order]
            assert rows_of(turns.turns([points[n] for n in order], start, end, given, held)) == expected
            stage.roll()


@pytest.fixture
def told(engine):
    """A point that said 1 all day but for a bad minute, another that swings between 1 and 9, all rolled up."""
    state, size = next(NEW_IDS), next(NEW_IDS)
    stage = Stage(engine, dict.fromkeys((state, size), 2 * MINUTE))
    stage.now = BASE + 30 * HOUR
    rows = [(state, BASE + at * MINUTE, 1.0, 0 if at == 700 else 192) for at in range(1440)]
    rows += [(size, BASE + at * MINUTE, 1.0 + 8 * (at % 2), 192) for at in range(1440)]
    stage.write(rows, 1)
    stage.roll()
    return stage, Turns(engine, stage.windows, stage.history), state, size


def test_a_state_told_again_is_one_stretch_over_hours_and_midnight_and_ends_with_a_bad_value(told):
    stage, turns, state, size = told
    bad = BASE + 700 * MINUTE
    end = BASE + 1441 * MINUTE
    expected = [(state, BASE, bad, 1.0), (state, bad + MINUTE, end, 1.0)]
    found = rows_of(turns.turns([state, size], BASE - HOUR, BASE + 30 * HOUR, [None, [0.5]]))
    assert found == [*expected, (size, BASE, end, 1.0)]
    stage.engine.execute("TRUNCATE TABLE samples")
    assert rows_of(turns.turns([state], BASE - HOUR, BASE + 30 * HOUR, [None])) == expected, "out of the stays alone"


def test_it_is_asked_at_the_door(told):
    _, turns, state, size = told
    door = Door(handlers(turns, lambda: True))
    client = StoreClient(door.endpoint)
    try:
        answer = client.turns([size, state], BASE, BASE + HOUR, [(5.0,), None])
        assert answer.num_rows == 61 and answer.schema.names == ["point", "ts", "end", "value"]
        assert np.array_equal(np.unique(answer.column("value").to_numpy()), [1.0, 9.0])
        for wrong in ([None], [None, "5"], [None, [True]], [None, [0.0] * 9]):
            with pytest.raises(StoreError, match="levels"):
                client.turns([size, state], BASE, BASE + HOUR, json.loads(json.dumps(wrong)))
        for wrong in ([MINUTE], [MINUTE, 0], [MINUTE, 9 * HOUR], [MINUTE, True], [MINUTE, 0.5]):
            with pytest.raises(StoreError, match="holds"):
                client.turns([size, state], BASE, BASE + HOUR, [None, None], wrong)
    finally:
        client.close()
        door.shutdown()


def test_an_answer_that_would_be_too_long_is_refused(told, monkeypatch):
    _, turns, state, size = told
    monkeypatch.setattr(turns_module, "MAX_ROWS", 100)
    assert turns.turns([state], BASE, BASE + 24 * HOUR, [None]).num_rows == 2
    with pytest.raises(StoreError, match="over 100 times: ask for a shorter range"):
        turns.turns([size], BASE, BASE + 24 * HOUR, [[5.0]])


def test_samples_that_come_in_blocks_within_each_other_are_put_in_order(told, monkeypatch):
    """As where a late part of a day lies within one that was merged."""
    stage, turns, state, size = told
    asked = ([state, size], BASE, BASE + 24 * HOUR, [[0.5], [5.0]])
    expected = rows_of(turns.turns(*asked))
    read = stage.history.blocks

    def mixed(*of):
        for rows in read(*of):
            number = np.arange(len(rows))
            yield from (rows.take(number[first::2]) for first in (1, 0))

    monkeypatch.setattr(stage.history, "blocks", mixed)
    assert rows_of(turns.turns(*asked)) == expected and len(expected) == 1442
