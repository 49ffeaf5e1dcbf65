"""Raw history and buckets against a reference written in plain Python, on random data."""

import itertools
import math
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from middleplatform.store import history as history_module
from middleplatform.store import rawrows
from middleplatform.store.errors import StoreError
from middleplatform.store.history import History
from middleplatform.store.schema import SAMPLE_COLUMNS
from models.quality import RANK

BASE = 1_795_420_799_000_000
"""A second before midnight UTC, so that ranges span partitions."""
NEW_IDS = itertools.count(1, 10)
QUALITIES = (192, 192, 192, 216, 195, 64, 84, 0, 8, 24, 129)

values = st.one_of(
    st.floats(-1e6, 1e6, width=32), st.sampled_from([0.0, math.nan, math.inf, -math.inf]), st.integers(-5, 5).map(float)
)
sample = st.tuples(
    st.integers(0, 2),
    st.integers(-40, 60),
    values,
    st.sampled_from(QUALITIES),
    st.sampled_from([None, None, "", "断线"]),
)


@st.composite
def cases(draw):
    unit = draw(st.sampled_from([1, 1_000, 1_000_000, 3_600_000_000]))
    return {
        "unit": unit,
        "inserts": draw(st.lists(st.lists(sample, max_size=15), min_size=1, max_size=4)),
        "order": draw(st.randoms(use_true_random=False)),
        "ages": [draw(st.integers(1, 50)) * unit for _ in range(3)],
        "start": draw(st.integers(-20, 10)) * unit + draw(st.integers(0, unit)),
        "length": draw(st.integers(1, 70)) * unit,
        "width": draw(st.integers(1, 40)) * unit + draw(st.integers(0, unit - 1)),
        "whole": draw(st.sampled_from([0, 2 * 86_400_000_000])),
        "limit": draw(st.integers(1, 20)),
        "chunk": draw(st.sampled_from([1, 2, 3, 7, 100_000])),
    }


def case_of_two_days(seed: int) -> dict:
    """A case that spans midnight, with repeats and all qualities, without looking for the smallest that fails."""
    rng = random.Random(seed)

    def one() -> tuple:
        value = rng.choice([rng.uniform(-1e6, 1e6), math.nan, math.inf, 3.0])
        return rng.randrange(3), rng.randrange(-40, 60), value, rng.choice(QUALITIES), rng.choice([None, "", "断线"])

    return {
        "unit": 1_000_000,
        "inserts": [[one() for _ in range(15)] for _ in range(4)],
        "order": rng,
        "ages": [rng.randrange(1, 50) * 1_000_000 for _ in range(3)],
        "start": -20_000_000,
        "length": 70_000_000,
        "width": rng.randrange(1, 40) * 1_000_000,
        "whole": 0,
        "limit": rng.randrange(1, 20),
        "chunk": rng.choice([1, 7, 100_000]),
    }


def write(engine, case: dict, first_id: int) -> dict[tuple[int, int], tuple]:
    """Insert the case's batches, out of the order of their versions; what must hold for each (point, ts)."""
    holds: dict[tuple[int, int], tuple] = {}
    batches = []
    for ver, rows in enumerate(case["inserts"], start=1):
        batch = {(first_id + p, BASE + t * case["unit"]): (v, q, x) for p, t, v, q, x in rows}
        holds |= batch
        batches.append((ver, batch))
    case["order"].shuffle(batches)
    for ver, batch in batches:
        if batch:
            columns = [
                [p for p, _ in batch],
                [t for _, t in batch],
                [v for v, _, _ in batch.values()],
                [q for _, q, _ in batch.values()],
                [x for _, _, x in batch.values()],
                [ver] * len(batch),
            ]
            engine.insert("samples", pa.table(columns_of(columns), schema=SAMPLE_COLUMNS))
    return holds


def columns_of(columns: list[list]) -> list:

    return [pa.array(column, field.type) for column, field in zip(columns, SAMPLE_COLUMNS, strict=True)]


def reference(holds: dict, point: int, age: int, start: int, end: int, width: int) -> list[dict]:
    """Bucket by bucket, sample by sample."""
    rows = sorted((ts, value, quality) for (p, ts), (value, quality, _) in holds.items() if p == point and ts < end)
    segments = []
    for index, (ts, value, quality) in enumerate(rows):
        until = rows[index + 1][0] if index + 1 < len(rows) else end
        if quality >= 192 and math.isfinite(value):
            segments.append((ts, min(until, ts + age), value))
    found = []
    opens = start
    while opens < end:
        closes = min(opens + width, end)
        inside = [row for row in rows if opens <= row[0] < closes]
        parts = [(min(b, closes) - max(a, opens), v) for a, b, v in segments if a < closes and b > opens]
        good_us = sum(d for d, _ in parts)
        if inside or good_us:
            good = [v for _, v, q in inside if q >= 192 and math.isfinite(v)]
            found.append(
                {
                    "point": point,
                    "ts": opens,
                    "n": len(inside),
                    "n_good": len(good),
                    "min": min(good + [v for _, v in parts], default=math.nan),
                    "max": max(good + [v for _, v in parts], default=math.nan),
                    "mean": math.fsum(d * v for d, v in parts) / good_us if good_us else math.nan,
                    "good_us": good_us,
                    "first": inside[0][1] if inside else math.nan,
                    "last": inside[-1][1] if inside else math.nan,
                    "first_quality": inside[0][2] if inside else None,
                    "last_quality": inside[-1][2] if inside else None,
                    "worst_rank": min((int(RANK[q]) for _, _, q in inside), default=None),
                }
            )
        opens += width
    return found


def same(got: float, expected: float) -> bool:
    return got == expected or (math.isnan(got) and math.isnan(expected))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
@example(
    case={
        "unit": 1_000_000,
        "inserts": [[(0, -1, 5.0, 192, None)], []],
        "order": random.Random(0),
        "ages": [30_000_000] * 3,
        "start": 0,
        "length": 60_000_000,
        "width": 10_000_000,
        "chunk": 1,
        "whole": 0,
        "limit": 1,
    }
)
def test_buckets_and_raw_equal_the_reference(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


def compare(engine, monkeypatch, case):
    """What an engine gives for a case and what must hold."""
    first_id = next(NEW_IDS) + 2**63
    points = [first_id, first_id + 1, first_id + 2]
    holds = write(engine, case, first_id)
    ages = dict(zip(points, case["ages"], strict=True))
    monkeypatch.setattr(history_module, "_CHUNK", case["chunk"])
    monkeypatch.setattr(history_module, "_WHOLE", case["whole"])
    monkeypatch.setattr(history_module, "_PARTS", 1)
    monkeypatch.setattr(rawrows, "FEW", case["order"].choice([0, 10_000]))
    history = History(engine, lambda asked: np.array([ages[p] for p in asked], np.int64))
    start = BASE + case["start"]
    end = start + case["length"]

    got = history.buckets(points[::-1], start, end, case["width"]).to_pylist()
    expected = [row for p in points for row in reference(holds, p, ages[p], start, end, case["width"])]
    assert [(row["point"], row["ts"]) for row in got] == [(row["point"], row["ts"]) for row in expected]
    for mine, theirs in zip(got, expected, strict=True):
        assert (mine["n"], mine["n_good"], mine["good_us"]) == (theirs["n"], theirs["n_good"], theirs["good_us"])
        for name in ("min", "max", "first", "last"):
            assert same(mine[name], theirs[name]), (name, mine, theirs)
        assert mine["mean"] == pytest.approx(theirs["mean"], rel=1e-9, abs=1e-7, nan_ok=True), (mine, theirs)
        if theirs["n"]:
            assert (mine["first_quality"], mine["last_quality"]) == (theirs["first_quality"], theirs["last_quality"])
            assert RANK[mine["worst"]] == theirs["worst_rank"]
        else:
            assert mine["worst"] >= 192, "only good time makes a bucket that has no sample"

    raw = history.raw(points, start, end, 1000).to_pylist()
    wanted = sorted((p, t, *rest) for (p, t), rest in holds.items() if start <= t < end)
    assert [(row["point"], row["ts"]) for row in raw] == [row[:2] for row in wanted]
    cut = history.raw(points, start, end, case["limit"]).to_pylist()
    assert repr(cut) == repr(raw[: case["limit"]])
    for row, (_, _, value, quality, text) in zip(raw, wanted, strict=True):
        assert same(row["value"], value) and row["quality"] == quality and row["text"] == text


def test_an_answer_that_is_too_large_is_refused_and_not_cut(engine, monkeypatch):
    monkeypatch.setattr(history_module, "MAX_ROWS", 5)
    first_id = next(NEW_IDS)
    rows = [(0, t, float(t), 192, None) for t in range(6)]
    write(engine, {"unit": 1, "order": random.Random(0), "inserts": [rows]}, first_id)
    history = History(engine, lambda asked: np.full(len(asked), 1, np.int64))
    assert history.raw([first_id], BASE, BASE + 5, 1_000_000).num_rows == 5
    assert history.raw([first_id], BASE, BASE + 6, 5).num_rows == 5
    with pytest.raises(StoreError, match="over 5 rows"):
        history.raw([first_id], BASE, BASE + 6, 6)


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_the_same_before_and_after_a_merge_and_when_more_comes_after_it(engine, monkeypatch, seed):
    """Late, repeated and corrected rows too, into parts that were merged; asked for without an order."""
    monkeypatch.setattr(rawrows, "FEW", 0)
    first_id, case = next(NEW_IDS) + 2**62, case_of_two_days(seed)
    inserts = [[(*row[:4], None) for row in batch] for batch in case["inserts"]]
    history = History(engine, lambda asked: np.full(len(asked), 1, np.int64))
    holds: dict[tuple[int, int], tuple] = {}
    for ver, batch in enumerate(inserts, start=1):
        later = {"unit": case["unit"], "order": case["order"], "inserts": [[]] * (ver - 1) + [batch]}
        holds |= write(engine, later, first_id)
        for merged in (False, True):
            if merged:
                engine.execute("OPTIMIZE TABLE samples FINAL")
            for points in ([first_id + 1], [first_id, first_id + 1, first_id + 2]):
                got = history.raw(points, BASE - 10**8, BASE + 10**8, 1_000).to_pylist()
                wanted = sorted((p, t, *rest) for (p, t), rest in holds.items() if p in points)
                assert repr([tuple(row.values()) for row in got]) == repr(wanted)


def test_the_limit_cuts_raw_history_at_the_end(engine):
    first_id = next(NEW_IDS)
    case = {"unit": 1_000_000, "order": random.Random(0)}
    case["inserts"] = [[(p, t, float(t), 192, None) for p in (0, 1) for t in range(10)]]
    write(engine, case, first_id)
    history = History(engine, lambda asked: np.full(len(asked), 1, np.int64))
    rows = history.raw([first_id + 1, first_id], BASE, BASE + 10**9, 13).to_pylist()
    assert [(row["point"], row["value"]) for row in rows] == [
        *((first_id, float(t)) for t in range(10)),
        *((first_id + 1, float(t)) for t in range(3)),
    ]


@pytest.mark.parametrize(
    ("points", "start", "end", "width", "words"),
    [
        ([], 0, 10, 1, "no point"),
        ([1] * 1001, 0, 10, 1, "1001 points"),
        ([2**64], 0, 10, 1, "2\\^64"),
        ([-1], 0, 10, 1, "2\\^64"),
        ([1], 10, 10, 1, "begin before it ends"),
        ([1], 0, 2**62, 10**6, "begin before it ends"),
        ([1], 0, 10, 0, "width"),
        ([1], 0, 10**12, 1, "buckets are asked for"),
    ],
)
def test_a_wrong_question_is_refused_in_plain_words(engine, points, start, end, width, words):
    history = History(engine, lambda asked: np.full(len(asked), 1, np.int64))
    with pytest.raises(StoreError, match=words):
        history.buckets(points, start, end, width)
