"""What changed since it was asked last: somebody who reads anew only what is told has what the store has."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store import windows as windows_module
from middleplatform.store.changed import Changed
from middleplatform.store.client import until
from middleplatform.store.errors import StoreError
from middleplatform.store.rollup_tables import HOUR, MINUTE
from middleplatform.store.windows import Marks
from tests.middleplatform.store.test_rollups import BASE, NEW_IDS, Stage

HOURS = 6
sample = st.tuples(st.integers(0, 2), st.integers(0, HOURS * 60 - 1), st.integers(0, 3), st.sampled_from([192, 0]))
act = st.one_of(
    st.lists(sample, min_size=1, max_size=6).map(lambda rows: ("write", rows)),
    st.integers(1, 3).map(lambda hours: ("pass", hours)),
    st.sampled_from([("roll", None), ("ask", None), ("ask", None), ("reopen", None)]),
)


def hours_of(stage, points) -> dict[tuple[int, int], tuple]:
    """What the store says of each hour of each point, out of its samples."""
    rows = stage.plain.buckets(points, BASE, BASE + HOURS * HOUR, HOUR).to_pylist()
    facts = ("n", "n_good", "min", "max", "mean", "good_us")
    return {(row["point"], row["ts"] // HOUR): repr([row[name] for name in facts]) for row in rows}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(act, min_size=2, max_size=10), few=st.sampled_from([0, 1000]))
def test_who_reads_anew_what_is_told_has_all(engine, monkeypatch, acts, few):
    monkeypatch.setattr(windows_module, "FEW", few)
    first = next(NEW_IDS)
    points = [first, first + 1, first + 2]
    stage = Stage(engine, dict(zip(points, (MINUTE, 20 * MINUTE, 2 * HOUR), strict=True)))
    stage.now = BASE + 2 * HOUR
    ours: dict[tuple[int, int], tuple] = {}
    since = 0
    for ver, (kind, what) in enumerate([*acts, ("ask", None), ("roll", None), ("ask", None)], start=1):
        if kind == "write":
            batch = {(first + p, BASE + at * MINUTE): (float(value), quality) for p, at, value, quality in what}
            stage.write([(*key, *value) for key, value in batch.items()], ver)
        elif kind == "pass":
            stage.now += what * HOUR
        elif kind == "roll":
            stage.roll()
        elif kind == "reopen":
            stage.open()
        else:
            told = Changed(engine, stage.windows).changed(points, BASE, BASE + HOURS * HOUR, since)
            since = until(told)
            there = hours_of(stage, points)
            for key in zip(*(told.column(name).to_pylist() for name in ("point", "hour")), strict=True):
                ours.pop(key, None)
                ours |= {key: there[key]} if key in there else {}
            assert ours == there


def test_what_did_not_change_is_not_told(engine):
    one, other = next(NEW_IDS), next(NEW_IDS)
    stage = Stage(engine, dict.fromkeys((one, other), MINUTE))
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE + at * HOUR, 1.0, 192) for point in (one, other) for at in range(4)], 1)
    stage.roll()
    changed = Changed(engine, stage.windows)

    def ask(since: int) -> tuple[list[tuple[int, int]], int]:
        told = changed.changed([other, one], BASE, BASE + 6 * HOUR, since)
        return [(row["point"], row["hour"] - BASE // HOUR) for row in told.to_pylist()], until(told)

    everything, since = ask(0)
    assert everything == [(point, hour) for point, hour in itertools.product((one, other), range(4))]
    nothing, since = ask(since)
    assert nothing == []
    stage.write([(other, BASE + 2 * HOUR, 5.0, 192)], 2)
    assert ask(since)[0] == [(other, 2)], "written, and not rolled up yet"
    stage.roll()
    assert ask(since)[0] == [(other, 2)], "rolled up"
    assert ask(ask(since)[1])[0] == []
    assert ask(2**62)[0] == everything, "of a store with other versions all is told"


def test_hours_that_are_open_are_always_told_and_bounded(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.now = BASE + 2 * HOUR + MINUTE // 2
    stage.roll()
    told = Changed(engine, stage.windows).changed([point], BASE, BASE + 4 * HOUR, 0)
    assert told.column("hour").to_pylist() == [BASE // HOUR + at for at in (1, 2, 3)]
    with pytest.raises(StoreError, match="shorter range"):
        Changed(engine, stage.windows).changed([point], 0, 2**60, 0)


def test_values_that_hold_for_another_time_are_no_change(engine):
    """Nor do they hide one: of the two hours that are made anew the one is told that was written to as well."""
    point = next(NEW_IDS)
    stage = Stage(engine, {point: MINUTE})
    stage.now = BASE + 10 * HOUR
    stage.write([(point, BASE + at * HOUR, 1.0, 192) for at in range(4)], 1)
    stage.roll()
    changed = Changed(engine, stage.windows)
    since = until(changed.changed([point], BASE, BASE + 6 * HOUR, 0))
    stage.ages[point] = 30 * MINUTE
    stage.windows.mark(Marks.reaching([BASE // HOUR, BASE // HOUR + 1], np.array([point], np.uint64)), aged=True)
    assert stage.windows.dirty_hours == 4
    assert changed.changed([point], BASE, BASE + 6 * HOUR, since).num_rows == 0
    stage.open()
    assert stage.windows.dirty_hours == 4, "a mark that is on disk"
    stage.write([(point, BASE + HOUR, 5.0, 192)], 2)
    for rolled in (False, True):
        if rolled:
            stage.roll()
        told = Changed(engine, stage.windows).changed([point], BASE, BASE + 6 * HOUR, since)
        assert told.column("hour").to_pylist() == [BASE // HOUR + 1]
    assert stage.windows.dirty_hours == 0
    assert stage.history.buckets([point], BASE, BASE + HOUR, HOUR).column("good_us").to_pylist() == [30 * MINUTE]
