"""Integral, state durations, quantiles and the grid against references written sample by sample, on random data
with gaps, bad quality, late and repeated samples."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from middleplatform.store import history as history_module
from middleplatform.store import quantiles as quantiles_module
from middleplatform.store import states as states_module
from middleplatform.store.aggregates import Aggregates, handlers
from middleplatform.store.client import StoreClient
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.integrate import Rows
from middleplatform.store.quantiles import column_name
from tests.middleplatform.store.test_history import BASE, NEW_IDS, cases, same, write

SHARES = [0, 1, 70_000, 333_333, 500_000, 950_000, 999_999, 1_000_000]


class Reference:
    """The same questions, answered one sample and one instant at a time."""

    def __init__(self, holds: dict, ages: dict[int, int], start: int, end: int, width: int) -> None:
        self.start, self.end, self.width = start, end, width
        self.spans = {}
        for point, age in ages.items():
            rows = sorted((ts, value, q) for (p, ts), (value, q, _) in holds.items() if p == point and ts < end)
            self.spans[point] = spans = []
            for index, (ts, value, quality) in enumerate(rows):
                until = min(rows[index + 1][0] if index + 1 < len(rows) else end, ts + age)
                if until > start:
                    spans.append((max(ts, start), until, value, quality))

    def buckets(self):
        """point, opening, and the good pieces (begin, end, value) of each bucket."""
        for point, spans in self.spans.items():
            for opens in range(self.start, self.end, self.width):
                closes = min(opens + self.width, self.end)
                yield (
                    point,
                    opens,
                    [
                        (max(a, opens), min(b, closes), v)
                        for a, b, v, q in spans
                        if a < closes and b > opens and q >= 192 and math.isfinite(v)
                    ],
                )

    def integral(self):
        return [
            (point, opens, math.fsum((b - a) * v for a, b, v in pieces) / 1e6, sum(b - a for a, b, _ in pieces))
            for point, opens, pieces in self.buckets()
            if pieces
        ]

    def states(self):
        found = []
        for point, opens, pieces in self.buckets():
            length = min(self.width, self.end - opens)
            for state in sorted({v for _, _, v in pieces}):
                mine = [(a, b) for a, b, v in pieces if v == state]
                times = sum(1 for index, (a, _) in enumerate(mine) if index == 0 or mine[index - 1][1] != a)
                found.append((point, opens, state, sum(b - a for a, b in mine), times))
            left = length - sum(b - a for a, b, _ in pieces)
            if left:
                found.append((point, opens, math.nan, left, 0))
        return found

    def quantiles(self):
        found = []
        for point, opens, pieces in self.buckets():
            if not pieces:
                continue
            total = sum(b - a for a, b, _ in pieces)
            row = [point, opens, total]
            for share in SHARES:
                values = sorted({v for _, _, v in pieces})
                upto = {v: sum(b - a for a, b, of in pieces if of <= v) for v in values}
                row.append(next(v for v in values if Fraction(upto[v], total) >= Fraction(share, 1_000_000)))
            found.append(tuple(row))
        return found

    def grid(self):
        found = []
        for point, spans in self.spans.items():
            for instant in range(self.start, self.end, self.width):
                held = [(v, q) for a, b, v, q in spans if a <= instant < b]
                value, quality = held[0] if held else (math.nan, 20)
                found.append((point, instant, value if quality >= 192 and math.isfinite(value) else math.nan, quality))
        return found


def rows_of(table) -> list[tuple]:
    return [tuple(row.values()) for row in table.to_pylist()]


def alike(got: list[tuple], expected: list[tuple], exact: bool = True) -> None:
    assert len(got) == len(expected), (got, expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            near = one == pytest.approx(other, rel=1e-9, abs=1e-7) if not exact else False
            assert near or same(one, other), (mine, theirs)


# A state that goes on over a repeat and a bucket's border, ends, is bad, comes back.
STATES = [
    (0, t, v, q, None) for t, v, q in ((0, 1.0, 192), (3, 1.0, 192), (15, 2.0, 192), (18, 2.0, 0), (22, 1.0, 192))
]


EXAMPLE = {
    "unit": 1_000_000,
    "inserts": [STATES],
    "order": np.random.RandomState(0),
    "ages": [20_000_000] * 3,
    "start": 0,
    "length": 60_000_000,
    "width": 10_000_000,
    "chunk": 2,
    "whole": 0,
    "limit": 1,
}


class Chunks:
    """History whose rows are in memory, cut into chunks as the engine may cut them."""

    def __init__(self, holds: dict, ages: dict[int, int], chunk: int) -> None:
        self.holds, self.ages, self.chunk = holds, ages, chunk

    def reading(self, points, start, end):
        asked = np.unique(np.array(points, np.uint64))
        ages = [self.ages[p] for p in asked.tolist()]
        rows = sorted(
            (place, ts, value, quality)
            for (p, ts), (value, quality, _) in self.holds.items()
            for place, age in [(asked.tolist().index(p), self.ages[p])]
            if start - age < ts < end
        )
        cut = range(0, len(rows), self.chunk)
        return asked, np.array(ages, np.int64), (columns(rows[at : at + self.chunk]) for at in cut)


def columns(rows: list[tuple]) -> Rows:
    kinds = (np.int64, np.int64, np.float64, np.uint8)
    return Rows(*(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)))


def compare(aggregates: Aggregates, reference: Reference, asked: tuple) -> None:
    states = rows_of(aggregates.states(*asked))
    alike(states, reference.states())
    assert sum(row[3] for row in states) == 3 * (asked[2] - asked[1]), "the rows of all buckets sum to the range"
    quantiles = aggregates.quantiles(*asked, SHARES)
    assert quantiles.schema.names[3:] == ["p0", "p0.0001", "p7", "p33.3333", "p50", "p95", "p99.9999", "p100"]
    alike(rows_of(quantiles), reference.quantiles())
    alike(rows_of(aggregates.grid(*asked)), reference.grid())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
@example(case=EXAMPLE)
def test_what_is_computed_over_spans_equals_its_reference(monkeypatch, case):
    holds: dict[tuple[int, int], tuple] = {}
    for rows in case["inserts"]:
        holds |= {(2**63 + p, BASE + t * case["unit"]): (v, q, x) for p, t, v, q, x in rows}
    ages = {2**63 + k: case["ages"][k] for k in range(3)}
    monkeypatch.setattr(quantiles_module, "_GATHER", case["chunk"] * 2)
    start = BASE + case["start"]
    end, width = start + case["length"], case["width"]
    asked = (list(ages)[::-1], start, end, width)
    compare(Aggregates(Chunks(holds, ages, case["chunk"])), Reference(holds, ages, start, end, width), asked)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
@example(case=EXAMPLE)
def test_out_of_the_engine_every_aggregate_equals_its_reference(engine, monkeypatch, case):
    first_id = next(NEW_IDS) + 2**63
    holds = write(engine, case, first_id)
    ages = {first_id + k: case["ages"][k] for k in range(3)}
    monkeypatch.setattr(history_module, "_CHUNK", case["chunk"])
    monkeypatch.setattr(history_module, "_WHOLE", case["whole"])
    aggregates = Aggregates(History(engine, lambda asked: np.array([ages[p] for p in asked], np.int64)))
    start = BASE + case["start"]
    end, width = start + case["length"], case["width"]
    reference = Reference(holds, ages, start, end, width)
    asked = (list(ages)[::-1], start, end, width)
    alike(rows_of(aggregates.integral(*asked)), reference.integral(), exact=False)
    compare(aggregates, reference, asked)


def test_a_state_is_counted_once_however_often_it_is_said(engine):
    point = next(NEW_IDS)
    holds_s = 20_000_000
    write(engine, {"unit": 1_000_000, "order": np.random.RandomState(0), "inserts": [STATES]}, point)
    aggregates = Aggregates(History(engine, lambda asked: np.full(len(asked), holds_s)))
    second = 1_000_000
    states = rows_of(aggregates.states([point], BASE, BASE + 60 * second, 60 * second))
    assert [row[2:] for row in states[:2]] == [(1.0, 35 * second, 2), (2.0, 3 * second, 1)]
    assert states[2][3:] == (22 * second, 0) and math.isnan(states[2][2])
    by_ten = rows_of(aggregates.states([point], BASE, BASE + 20 * second, 10 * second))
    assert [row[2:] for row in by_ten if row[2] == 1.0] == [(1.0, 10 * second, 1), (1.0, 5 * second, 1)]


def test_a_share_falls_on_the_border_that_it_names(engine):
    """In floating point, 0.07 of 100 s is a little more than 7 s."""
    point = next(NEW_IDS)
    rows = [(0, t, float(t), 192, None) for t in range(100)]
    write(engine, {"unit": 1_000_000, "order": np.random.RandomState(0), "inserts": [rows]}, point)
    aggregates = Aggregates(History(engine, lambda asked: np.full(len(asked), 1_000_000)))
    shares = [part * 10_000 for part in range(1, 21)]
    table = aggregates.quantiles([point], BASE, BASE + 100_000_000, 100_000_000, shares)
    assert [table.column(column_name(share))[0].as_py() for share in shares] == [float(n) for n in range(20)]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("states", (10, 0), "width"),
        ("states", (10**12, 1), "at most 500000"),
        ("grid", (10**12, 1), "at most 2000000"),
        ("grid", (10, -1), "width"),
        ("quantiles", (10, 1, []), "from 1 to 20"),
        ("quantiles", (10, 1, [5, 5]), "different"),
        ("quantiles", (10, 1, [1_000_001]), "from 0 to 1"),
        ("quantiles", (10, 1, [-1]), "from 0 to 1"),
        ("integral", (0, 1), "begin before it ends"),
        ("states", (0, 1), "begin before it ends"),
    ],
)
def test_a_wrong_question_is_refused_in_plain_words(engine, kind, more, words):
    aggregates = Aggregates(History(engine, lambda asked: np.full(len(asked), 1, np.int64)))
    with pytest.raises(StoreError, match=words):
        getattr(aggregates, kind)([1], 0, *more)


def test_what_has_no_states_is_refused_and_memory_stays_bounded(engine, monkeypatch):
    monkeypatch.setattr(states_module, "MOST", 50)
    monkeypatch.setattr(quantiles_module, "MOST", 50)
    point = next(NEW_IDS)
    rows = [(0, t, float(t), 192, None) for t in range(51)]
    write(engine, {"unit": 1_000_000, "order": np.random.RandomState(0), "inserts": [rows]}, point)
    aggregates = Aggregates(History(engine, lambda asked: np.full(len(asked), 1_000_000)))
    for ask in (lambda end: aggregates.states([point], BASE, end, 10**9),
                lambda end: aggregates.quantiles([point], BASE, end, 10**9, [1])):  # fmt: skip
        assert ask(BASE + 50_000_000).num_rows
        with pytest.raises(StoreError, match="over 50"):
            ask(BASE + 51_000_000)


@pytest.fixture
def asked(engine):
    """A client of a door that serves the aggregates, and the number of times that it waited for what had come."""
    settled = []
    door = Door(handlers(Aggregates(History(engine, lambda p: np.full(len(p), 10**7))), lambda: not settled.append(1)))
    client = StoreClient(door.endpoint)
    yield client, settled
    client.close()
    door.shutdown()


def test_the_door_serves_them_and_each_covers_what_had_come(engine, asked):
    client, settled = asked
    point = next(NEW_IDS)
    write(engine, {"unit": 1_000_000, "order": np.random.RandomState(0), "inserts": [STATES]}, point)
    span = ([point], BASE, BASE + 20_000_000, 20_000_000)
    assert rows_of(client.integral(*span)) == [(point, BASE, 19.0, 16_000_000)]
    assert [row[2:] for row in rows_of(client.states(*span))[:2]] == [(1.0, 13_000_000, 1), (2.0, 3_000_000, 1)]
    assert rows_of(client.quantiles(*span, [900_000])) == [(point, BASE, 16_000_000, 2.0)]
    assert rows_of(client.grid(*span)) == [(point, BASE, 1.0, 192)]
    assert len(settled) == 4


@pytest.mark.parametrize(
    ("ticket", "words"),
    [
        ({"kind": "quantiles"}, "'shares' must be a list"),
        ({"kind": "quantiles", "shares": [0.5]}, "'shares' must be a list"),
        ({"kind": "quantiles", "shares": [True]}, "'shares' must be a list"),
        ({"kind": "states", "points": [-1]}, "'points' must be"),
        ({"kind": "states", "points": [1] * 1001}, "1001 points"),
        ({"kind": "grid", "width": "1m"}, "'width' must be"),
        ({"kind": "grid", "width": 2**80}, "width must be from 1"),
        ({"kind": "integral", "start": None}, "'start' must be"),
        ({"kind": "integral", "points": []}, "no point"),
    ],
)
def test_a_wrong_ticket_is_refused_in_plain_words(asked, ticket, words):
    client, _ = asked
    with pytest.raises(StoreError, match=words):
        client._ask(**{"points": [1], "start": 0, "end": 10, "width": 5, **ticket})
