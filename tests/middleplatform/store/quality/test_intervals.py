"""Bad stretches against a reference that goes from moment to moment."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.store import history as history_module
from middleplatform.store.errors import StoreError
from middleplatform.store.integrate import Rows
from middleplatform.store.quality import intervals as intervals_module
from middleplatform.store.quality.assessment import Assessment
from middleplatform.store.quality.intervals import Intervals
from middleplatform.store.rollup_tables import HOUR, MINUTE
from tests.middleplatform.store.quality.test_assessment import BREAKS, CAUSE, QUALITIES
from tests.middleplatform.store.test_rollups import BASE, NEW_IDS, Stage, forbidden

START, END = 0, 40


def reference(rows: list[tuple[int, int, int]], ages: list[int], since: list[int]) -> list[tuple]:
    """What each point was in each unit of time, then the runs of it."""
    found = []
    for point, age in enumerate(ages):
        mine = sorted((ts, quality) for p, ts, quality in rows if p == point)
        states = []
        for moment in range(START, END):
            before = [(ts, quality) for ts, quality in mine if ts <= moment]
            holds = bool(before) and moment < before[-1][0] + age
            if moment < since[point]:
                states.append("not yet")
                continue
            states.append((before[-1][1] & 0xFC) if holds and before[-1][1] < 192 else "good" if holds else "silent")
        begin = START
        for moment in range(START, END):
            if moment + 1 == END or states[moment + 1] != states[moment]:
                state = states[moment]
                if state == "silent":
                    found.append((point, begin, moment + 1, True, 0, "gateway", ""))
                elif state not in ("good", "not yet"):
                    cause, breaks = CAUSE.get(state, "device"), BREAKS.get(state, "")
                    found.append((point, begin, moment + 1, False, state, cause, breaks))
                begin = moment + 1
    return found


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.tuples(st.integers(0, 2), st.integers(-5, END + 3)), st.sampled_from(QUALITIES), max_size=40),
    st.lists(st.integers(1, 12), min_size=3, max_size=3),
    st.lists(st.sampled_from([START - 3, 0, 7, END + 1]), min_size=3, max_size=3),
    st.integers(1, 9),
)
def test_stretches_equal_the_reference_however_the_rows_are_cut(samples, ages, since, chunk):
    rows = sorted((p, ts, q) for (p, ts), q in samples.items() if ts < END and ts > START - ages[p])
    gathered = Intervals(np.arange(3, dtype=np.uint64), np.array(ages), START, END, np.array(since))
    for at in range(0, len(rows), chunk):
        point, ts, quality = zip(*rows[at : at + chunk], strict=True)
        value = np.zeros(len(point))
        gathered.add(Rows(np.array(point), np.array(ts), value, np.array(quality, np.uint8)))
    got = [tuple(row.values()) for row in gathered.result().to_pylist()]
    assert got == reference(rows, ages, since)


@pytest.fixture
def stage(engine):
    points = [next(NEW_IDS), next(NEW_IDS)]
    stage = Stage(engine, dict.fromkeys(points, 10 * MINUTE))
    stage.now, stage.points = BASE + 5 * HOUR, points
    well, ill = points
    stage.write([(well, BASE - MINUTE + step * 5 * MINUTE, 1.0, 192) for step in range(40)], 1)
    stage.write([(ill, BASE, 1.0, 192), (ill, BASE + 5 * MINUTE, math.nan, 24), (ill, BASE + 10 * MINUTE, 1.0, 192)], 2)
    stage.roll()
    stage.assessment = Assessment(engine, stage.windows, stage.of, clock=lambda: stage.now)
    return stage


def test_every_bad_stretch_is_listed_with_its_cause(stage):
    _, ill = stage.points
    table, whole = stage.assessment.intervals(stage.points, BASE, BASE + 2 * HOUR)
    assert whole
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (ill, BASE + 5 * MINUTE, BASE + 10 * MINUTE, False, 24, "link", ""),
        (ill, BASE + 20 * MINUTE, BASE + 2 * HOUR, True, 0, "gateway", ""),
    ]


def test_points_that_were_good_all_the_time_are_not_read(stage, monkeypatch):
    monkeypatch.setattr(history_module.History, "seeded", forbidden)
    assert not stage.assessment.intervals(stage.points[:1], BASE, BASE + 2 * HOUR)[0].num_rows
    with pytest.raises(AssertionError):
        stage.assessment.intervals(stage.points, BASE, BASE + 2 * HOUR)


def test_too_many_are_refused_and_not_cut(stage, monkeypatch):
    monkeypatch.setattr(intervals_module, "MOST", 1)
    with pytest.raises(StoreError, match="shorter range or fewer points"):
        stage.assessment.intervals(stage.points, BASE, BASE + 2 * HOUR)
    with pytest.raises(StoreError, match="before it ends"):
        stage.assessment.intervals(stage.points, BASE, BASE)
