"""Closed partitions become one part when nothing comes to them any more, and no answer changes by it."""

import itertools

import pytest

from middleplatform.store.engine import EngineError
from middleplatform.store.merges import WIDTHS, Merges
from middleplatform.store.rollup_tables import HOUR, MINUTE
from middleplatform.store.schema import DAY
from tests.middleplatform.store.test_rollups import Stage

MIDNIGHT = 1_795_420_800_000_000 // DAY * DAY
NEW_IDS = itertools.count(8_000_000)


@pytest.fixture
def stage(engine):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 2 * HOUR})
    for table in WIDTHS:
        engine.execute(f"TRUNCATE TABLE {table}")
    stage.point, stage.now = point, MIDNIGHT + HOUR
    return stage


def merges(stage, quiet_s: float = -2) -> Merges:
    return Merges(stage.engine, lambda: stage.now, quiet_s)


def parts(stage, table: str = "samples") -> dict[int, int]:
    return stage.engine.parts(table)


def answers(stage) -> str:
    asked = [stage.point], MIDNIGHT - DAY, MIDNIGHT + HOUR
    states = stage.aggregates.states(*asked, HOUR)
    tables = (stage.history.raw(*asked, 100), stage.history.buckets(*asked, HOUR), states)
    return repr([table.to_pylist() for table in tables])  # in which NaN is NaN


def test_a_closed_day_is_merged_and_a_late_sample_is_seen_before_it_is_again(stage):
    yesterday = MIDNIGHT // DAY - 1
    for ver, at in enumerate((-HOUR, -HOUR, -HOUR + MINUTE, MINUTE, 2 * MINUTE), start=1):
        stage.write([(stage.point, MIDNIGHT + at, float(ver), 192)], ver)
    stage.roll()
    before = answers(stage)
    while merges(stage).step():
        pass
    assert parts(stage)[yesterday] == 1
    assert answers(stage) == before
    levels = "SELECT min(level) AS l FROM system.parts WHERE active AND table = 'samples' AND partition_id = {p:String}"
    assert stage.engine.query(levels, {"p": str(yesterday)})["l"][0].as_py() > 0

    stage.write([(stage.point, MIDNIGHT - HOUR, 77.0, 192)], 9)
    assert stage.history.raw([stage.point], MIDNIGHT - HOUR, MIDNIGHT - HOUR + 1, 9)["value"].to_pylist() == [77.0]
    stage.roll()
    corrected = answers(stage)
    assert corrected != before
    while merges(stage).step():
        pass
    assert parts(stage)[yesterday] == 1 and answers(stage) == corrected


def test_what_was_written_just_now_is_left_alone(stage):
    for ver in (1, 2):
        stage.write([(stage.point, MIDNIGHT - HOUR, float(ver), 192)], ver)
    assert not merges(stage, quiet_s=600).step() and parts(stage) == {MIDNIGHT // DAY - 1: 2}


def test_a_partition_that_cannot_be_merged_holds_up_no_other(stage, monkeypatch):
    for day in (1, 2):
        for ver in (1, 2):
            stage.write([(stage.point, MIDNIGHT - day * DAY, float(ver), 192)], ver)
    newest, other = f"'{MIDNIGHT // DAY - 1}'", MIDNIGHT // DAY - 2
    aside = stage.engine.aside

    def refuse(sql, params=None):
        if newest in sql:
            raise EngineError("no space left")
        return aside(sql, params)

    monkeypatch.setattr(stage.engine, "aside", refuse)
    upkeep = merges(stage)
    while upkeep.step():
        pass
    assert parts(stage) == {other: 1, other + 1: 2}
