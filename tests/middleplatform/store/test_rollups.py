"""Roll-ups against a reference in plain Python: whatever comes late, twice, corrected or bad, the buckets are those of
the samples; and a window is dirty until that is so."""

import itertools
import math
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store import history as history_module
from middleplatform.store import rollups as rollups_module
from middleplatform.store import stays as stays_module
from middleplatform.store import windows as windows_module
from middleplatform.store.aggregates import Aggregates
from middleplatform.store.catalogue import DEFAULT_AGE
from middleplatform.store.coarse import Segment, segments
from middleplatform.store.history import History
from middleplatform.store.rollup_tables import HOUR, MINUTE, QUARTER
from middleplatform.store.rollups import RollUps
from middleplatform.store.schema import SAMPLE_COLUMNS
from middleplatform.store.stays import Stayed
from middleplatform.store.windows import CLOSE_US, Marks, Windows
from models.quality import RANK
from tests.middleplatform.store.test_aggregates import Reference, alike, rows_of
from tests.middleplatform.store.test_history import QUALITIES, columns_of, reference, same, values

pytestmark = pytest.mark.timeout(300)
BASE = 1_795_420_800_000_000 - 2 * HOUR
"""Two hours before midnight UTC."""
NEW_IDS = itertools.count(5_000_000, 10)

sample = st.tuples(st.integers(0, 2), st.integers(0, 6 * 3600 - 1), values, st.sampled_from(QUALITIES))


@st.composite
def cases(draw):
    level = draw(st.sampled_from([MINUTE, MINUTE, QUARTER, HOUR, 1]))
    return {
        "writes": draw(st.lists(st.lists(sample, min_size=1, max_size=12), min_size=1, max_size=4)),
        "few": draw(st.sampled_from([0, 6, 1000])),
        "most_points": draw(st.sampled_from([1, 256])),
        "ages": [draw(st.sampled_from([20, 60, 700, 7200])) * 1_000_000 for _ in range(3)],
        "now": draw(st.integers(0, 9)),
        "start": draw(st.integers(-1, 3)) * HOUR + draw(st.sampled_from([0, 0, 7 * MINUTE, 1])),
        "length": draw(st.integers(1, 6)) * HOUR + draw(st.sampled_from([0, 0, MINUTE, 12_345])),
        "width": level * draw(st.integers(1, 90)) if level > 1 else draw(st.integers(5 * MINUTE, HOUR)),
        "reopen": draw(st.booleans()),
        "pieces": draw(st.sampled_from([60, 100_000])),
        "chunk": draw(st.sampled_from([3, 262_144])),
        "most_stays": draw(st.sampled_from([1, 2, 60])),
    }


class Stage:
    """A store's parts on a shared engine, with the marks of this test alone and a clock that is set."""

    def __init__(self, engine, ages: dict[int, int]) -> None:
        self.engine, self.now = engine, BASE
        self.ages = ages
        engine.execute("TRUNCATE TABLE dirty")
        engine.execute("TRUNCATE TABLE samples")
        self.open()

    def open(self) -> None:
        self.windows = Windows(self.engine, lambda: self.now, quiet_s=0)
        self.rollups = RollUps(self.engine, self.windows, self.of)
        self.history = History(self.engine, self.of, self.windows)
        self.plain = History(self.engine, self.of)
        self.aggregates = Aggregates(self.history, Stayed(self.engine, self.windows, self.history))

    def of(self, points):
        return np.array([self.ages.get(point, DEFAULT_AGE) for point in points], np.int64)

    def insert(self, rows: list[tuple], ver: int) -> None:
        point, ts, value, quality = zip(*rows, strict=True)
        table = columns_of([point, ts, value, quality, [None] * len(rows), [ver] * len(rows)])
        self.engine.insert("samples", pa.table(table, schema=SAMPLE_COLUMNS))

    @contextmanager
    def touching(self, rows: list[tuple]):
        points, ts = np.array([row[0] for row in rows], np.uint64), np.array([row[1] for row in rows], np.int64)
        with self.windows.touching(points, ts, int(self.of(points.tolist()).max())):
            yield

    def write(self, rows: list[tuple], ver: int) -> None:
        with self.touching(rows):
            self.insert(rows, ver)

    def roll(self) -> None:
        while self.rollups.step():
            pass


def check(got: pa.Table, expected: list[dict]) -> None:
    got = got.to_pylist()
    assert [(row["point"], row["ts"]) for row in got] == [(row["point"], row["ts"]) for row in expected]
    for mine, theirs in zip(got, expected, strict=True):
        assert (mine["n"], mine["n_good"], mine["good_us"]) == (theirs["n"], theirs["n_good"], theirs["good_us"])
        for name in ("min", "max", "first", "last"):
            assert same(mine[name], theirs[name]), (name, mine, theirs)
        assert mine["mean"] == pytest.approx(theirs["mean"], rel=1e-9, abs=1e-6, nan_ok=True), (mine, theirs)
        if theirs["n"]:
            assert (mine["first_quality"], mine["last_quality"]) == (theirs["first_quality"], theirs["last_quality"])
            assert RANK[mine["worst"]] == theirs["worst_rank"]
        else:
            assert mine["worst"] >= 192


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_buckets_out_of_rollups_equal_the_reference(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_buckets_out_of_rollups_equal_the_reference_many_times(engine, monkeypatch, case):
    compare(engine, monkeypatch, case)


def compare(engine, monkeypatch, case: dict) -> None:
    monkeypatch.setattr(windows_module, "FEW", case["few"])
    monkeypatch.setattr(windows_module, "MOST_POINTS", case["most_points"])
    monkeypatch.setattr(rollups_module, "MOST_BUCKETS", case["pieces"])
    monkeypatch.setattr(history_module, "_CHUNK", case["chunk"])
    monkeypatch.setattr(history_module, "_PARALLEL", case["few"])
    monkeypatch.setattr(stays_module, "MOST", case["most_stays"])
    first_id = next(NEW_IDS)
    points = [first_id, first_id + 1, first_id + 2]
    stage = Stage(engine, dict(zip(points, case["ages"], strict=True)))
    stage.now = BASE + case["now"] * HOUR
    start, width = BASE + case["start"], case["width"]
    end = start + case["length"]
    holds: dict[tuple[int, int], tuple] = {}
    for ver, write in enumerate(case["writes"], start=1):
        batch = {(first_id + p, BASE + t * 1_000_000): (v, q) for p, t, v, q in write}
        holds |= {key: (*value, None) for key, value in batch.items()}
        stage.write([(p, t, v, q) for (p, t), (v, q) in batch.items()], ver)
        if case["reopen"]:
            stage.open()
        expected = [row for p in points for row in reference(holds, p, stage.ages[p], start, end, width)]
        states = Reference(holds, stage.ages, start, end, width).states()
        for rolled in (False, True):
            if rolled:
                stage.roll()
            check(stage.history.buckets(points, start, end, width), expected)
            alike(rows_of(stage.aggregates.states(points, start, end, width)), states)
        assert stage.windows.dirty_hours == 0 or stage.now < BASE + 10 * HOUR
    stage.now = BASE + 20 * HOUR
    stage.roll()
    assert stage.windows.dirty_hours == 0
    monkeypatch.setattr(stage.history, "seeded", forbidden)
    # The widest roll-up that fits is taken; what is left of the range after its last whole bucket is for the samples.
    level = next((level for level in (HOUR, QUARTER, MINUTE) if not (start % level or width % level)), None)
    if level and end % level == 0:
        check(stage.history.buckets(points, start, end, width), expected)


def forbidden(*_):
    raise AssertionError("samples were read where the roll-ups have all of it")


def test_a_late_bad_sample_takes_a_windows_good_time_away(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 2 * HOUR})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE, 5.0, 192)], 1)
    stage.roll()
    assert stage.history.buckets([point], BASE, BASE + 4 * HOUR, HOUR).column("good_us").to_pylist() == [HOUR, HOUR]
    stage.write([(point, BASE + MINUTE, math.nan, 0)], 2)
    stage.roll()
    got = stage.history.buckets([point], BASE, BASE + 4 * HOUR, HOUR)
    assert got.column("ts").to_pylist() == [BASE] and got.column("good_us").to_pylist() == [MINUTE]
    assert stage.history.buckets([point], BASE, BASE + 4 * HOUR, MINUTE).num_rows == 2


def test_what_is_written_while_a_window_is_computed_makes_it_dirty_again(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE, 5.0, 192)], 1)
    late = [(point, BASE + 2 * MINUTE, 7.0, 192)]

    def write_meanwhile() -> bool:
        if stage.history.raw([point], BASE, BASE + HOUR, 9).num_rows == 1:
            stage.write(late, 2)
        return True

    assert stage.rollups.step(write_meanwhile)
    assert stage.history.buckets([point], BASE, BASE + HOUR, HOUR).column("n").to_pylist() == [2]
    stage.open()
    assert stage.windows.dirty_hours == 1, "a mark made meanwhile is on disk"
    stage.roll()
    assert stage.windows.dirty_hours == 0
    assert stage.history.buckets([point], BASE, BASE + HOUR, HOUR).column("max").to_pylist() == [7.0]


def test_an_hour_that_is_being_written_to_is_not_rolled_up(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    rows = [(point, BASE + 30 * MINUTE, 5.0, 192)]
    stage.now = BASE + HOUR // 2
    with stage.touching(rows):
        stage.now = BASE + 5 * HOUR
        assert not stage.rollups.step()
        stage.insert(rows, 1)
    stage.roll()
    assert stage.windows.dirty(np.array([point], np.uint64), BASE // HOUR, BASE // HOUR + 1) == (
        set(),
        (stage.now - CLOSE_US) // HOUR,
    )
    assert stage.history.buckets([point], BASE, BASE + HOUR, HOUR).column("n").to_pylist() == [1]


def test_work_that_is_broken_off_stays_dirty(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.now = BASE + HOUR + 2 * CLOSE_US
    stage.write([(point, BASE, 5.0, 192)], 1)
    assert stage.rollups.step(lambda: False)
    assert stage.windows.dirty_hours == 1
    stage.open()
    assert stage.windows.dirty_hours == 1


def test_a_store_of_before_is_rolled_up_from_its_samples(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.insert([(point, BASE, 5.0, 192)], 1)
    stage.now = BASE + 10 * HOUR
    engine.execute("TRUNCATE TABLE dirty")
    stage.open()
    assert BASE // HOUR in stage.windows.dirty(np.array([point], np.uint64), 0, 10**7)[0]
    stage.roll()
    assert stage.history.buckets([point], BASE, BASE + HOUR, HOUR).column("n").to_pylist() == [1]


class Aged:
    """A catalogue of one point."""

    def __init__(self, point: int, age: int) -> None:
        self.points, self.age = np.array([point], np.uint64), age

    def ages(self, asked):
        return np.where(np.array(asked, np.uint64) == self.points[0], self.age, DEFAULT_AGE)


def test_another_hold_age_makes_what_was_rolled_up_dirty(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.now = BASE + 10 * HOUR
    stage.rollups.adopt(Aged(point, MINUTE))
    stage.write([(point, BASE, 5.0, 192)], 1)
    stage.roll()
    stage.rollups.adopt(Aged(point, MINUTE))
    assert stage.windows.dirty_hours == 0
    stage.ages[point] = 90 * MINUTE
    stage.rollups.adopt(Aged(point, 90 * MINUTE))
    assert stage.windows.dirty_hours > 0
    stage.roll()
    got = stage.history.buckets([point], BASE, BASE + 3 * HOUR, HOUR)
    assert got.column("good_us").to_pylist() == [HOUR, HOUR // 2]


@pytest.mark.parametrize(
    ("start", "end", "width", "dirty", "expected"),
    [
        (0, 10 * HOUR, HOUR, {2, 3}, [(0, 2, HOUR), (2, 4, 0), (4, 8, HOUR), (8, 10, 0)]),
        (0, 10 * HOUR, HOUR, {7}, [(0, 7, HOUR), (7, 10, 0)]),
        (0, 10 * HOUR, HOUR + 1, {7}, [(0, 10, 0)]),
        (HOUR // 2, 2 * HOUR, MINUTE, {0}, [(0.5, 1, 0), (1, 2, MINUTE)]),
        (HOUR // 2, 2 * HOUR, HOUR, set(), [(0.5, 2, QUARTER)]),
        (HOUR // 20, 2 * HOUR, HOUR, set(), [(0.05, 2, MINUTE)]),
        (0, 2 * HOUR + HOUR // 2, 2 * HOUR, set(), [(0, 2, HOUR), (2, 2.5, 0)]),
        (9 * HOUR, 10 * HOUR, HOUR, set(), [(9, 10, 0)]),
        (-(2**61) // HOUR * HOUR, HOUR, 2**40 * HOUR, {0}, [(-(2**61) // HOUR, 0, HOUR), (0, 1, 0)]),
    ],
)
def test_a_question_is_cut_where_roll_ups_end(start, end, width, dirty, expected):
    found = segments(start, end, width, dirty, open_from=8)
    assert found == [Segment(round(a * HOUR), round(b * HOUR), level) for a, b, level in expected]


def test_very_many_pieces_are_read_as_samples():
    found = segments(0, 100 * HOUR, HOUR, range(20, 80, 2), open_from=100)
    assert found == [
        Segment(0, 20 * HOUR, HOUR),
        Segment(20 * HOUR, 79 * HOUR, 0),
        Segment(79 * HOUR, 100 * HOUR, HOUR),
    ]


def test_marks_know_the_points_they_touch():
    marks = Marks({4}, {5: np.array([3, 9], np.uint64)})
    assert marks.touching(np.array([1, 9], np.uint64), 0, 10) == {4, 5}
    assert marks.touching(np.array([1, 8], np.uint64), 0, 10) == {4}
    assert marks.touching(np.array([9], np.uint64), 5, 10) == {5}


def states_of(stage, point: int, hours: int = 4) -> list[tuple]:
    return rows_of(stage.aggregates.states([point], BASE, BASE + hours * HOUR, hours * HOUR))


def test_states_of_closed_hours_come_out_of_the_stays_and_a_late_sample_takes_old_ones_away(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 2 * HOUR})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE + at * MINUTE, float(at // 30 % 2), 192) for at in range(0, 240, 10)], 1)
    stage.roll()
    kept = engine.query("SELECT ts, end, state FROM stays FINAL WHERE point = {p:UInt64} AND end > ts", {"p": point})
    assert kept.num_rows == 10, "two an hour, and the last one for two hours more"
    engine.execute("TRUNCATE TABLE samples")
    assert [row[2:] for row in states_of(stage, point)] == [(0.0, 2 * HOUR, 4), (1.0, 2 * HOUR, 4)]

    stage.write([(point, BASE + at * MINUTE, 1.0, 192) for at in range(0, 240, 10)], 2)
    assert [row[2:] for row in states_of(stage, point)] == [(1.0, 4 * HOUR, 1)], "dirty: out of the samples"
    stage.roll()
    engine.execute("OPTIMIZE TABLE stays FINAL")
    engine.execute("TRUNCATE TABLE samples")
    assert [row[2:] for row in states_of(stage, point)] == [(1.0, 4 * HOUR, 1)], "out of the new stays alone"


def test_an_hour_of_more_values_than_states_have_is_answered_out_of_the_samples(engine, monkeypatch):
    monkeypatch.setattr(stays_module, "MOST", 5)
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 2 * HOUR})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE + at * MINUTE, float(at if at < 60 else -1), 192) for at in range(0, 120)], 1)
    stage.roll()
    kept = engine.query("SELECT many FROM stays FINAL WHERE point = {p:UInt64} AND end > ts", {"p": point})
    assert kept.column("many").to_pylist() == [1, 0, 0, 0], "the last value holds for two hours more"
    found = states_of(stage, point, hours=2)
    assert found == [(point, BASE, -1.0, HOUR, 1), *((point, BASE, float(at), MINUTE, 1) for at in range(60))]


def test_a_store_whose_closed_hours_have_no_stays_makes_them(engine):
    """Of the version before, or a backup of one brought back."""
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 2 * HOUR})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE, 3.0, 192)], 1)
    stage.roll()
    engine.execute("TRUNCATE TABLE stays")
    engine.execute("ALTER TABLE dirty DELETE WHERE kind = 3 SETTINGS mutations_sync = 2")
    stage.open()
    assert stage.windows.dirty_hours and next(row[2:4] for row in states_of(stage, point)) == (3.0, 2 * HOUR)
    stage.roll()
    assert stage.windows.dirty_hours == 0
    assert next(row[2:4] for row in states_of(stage, point)) == (3.0, 2 * HOUR)
    assert engine.query("SELECT count() AS n FROM stays WHERE point = {p:UInt64}", {"p": point})["n"][0].as_py() == 2
    stage.open()
    assert stage.windows.dirty_hours == 0, "once is enough"
