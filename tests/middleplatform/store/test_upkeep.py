"""Looking after what lies on disk: retention by class, checks that find what is wrong, compaction that changes no
answer."""

import datetime
import itertools

import numpy as np
import pytest

from middleplatform.store import retention
from middleplatform.store.audit import Audit
from middleplatform.store.errors import StoreError
from middleplatform.store.retention import Keeper
from middleplatform.store.rollup_tables import HOUR, MINUTE, PARTITION
from middleplatform.store.schema import DAY
from middleplatform.store.upkeep import Upkeep
from tests.middleplatform.store.test_rollups import Stage

TODAY = 1_795_420_800_000_000 // DAY * DAY + 5 * HOUR
NEW_IDS = itertools.count(9_000_000, 10)
FILE = """
versions:
  - {effective_from: 2020-01-01, source: before, statutory: 1000, bulk: 900}
  - {effective_from: 2026-01-01, source: now, statutory: 800, bulk: 10}
  - {effective_from: 2090-01-01, source: later, statutory: 5000, bulk: 5000}
"""


@pytest.fixture
def stage(engine, tmp_path):
    statutory, bulk = next(NEW_IDS), next(NEW_IDS)
    stage = Stage(engine, {statutory: 2 * HOUR, bulk: 2 * HOUR})
    for table in ("rollup_1m", "rollup_15m", "rollup_1h", "stays", "rollup_ages"):
        engine.execute(f"TRUNCATE TABLE {table}")
    stage.statutory, stage.bulk = statutory, bulk
    (tmp_path / "retention.yaml").write_text(FILE)
    stage.keeper = Keeper(
        engine,
        stage.windows,
        Audit(tmp_path / "audit.log"),
        lambda: np.array([bulk], np.uint64),
        lambda: tmp_path / "retention.yaml",
    )
    stage.upkeep = Upkeep(engine, stage.windows, stage.keeper, stage.of)
    return stage


def fill(stage, ages: list[int]) -> None:
    """One sample of each point at the end of the day that is so many days ago."""
    stage.now = TODAY
    for ver, age in enumerate(ages, start=1):
        ts = TODAY // DAY * DAY - age * DAY + DAY - MINUTE
        stage.write([(point, ts, float(age), 192) for point in (stage.statutory, stage.bulk)], ver)
    stage.roll()


def days(stage, point: int) -> list[int]:
    return sorted(int(row["value"]) for row in stage.history.raw([point], 0, TODAY + DAY, 100).to_pylist())


def test_each_class_is_kept_for_its_time_and_what_is_over_goes_with_its_roll_ups(stage):
    fill(stage, [2, 9, 11, 12, 60, 799, 801, 900])
    planned = stage.keeper.over(TODAY, apply=False)
    assert not any(planned.column("done").to_pylist()) and planned.num_rows
    assert days(stage, stage.bulk) == [2, 9, 11, 12, 60, 799, 801, 900], "a plan removes nothing"

    done = stage.keeper.over(TODAY, apply=True).to_pylist()
    assert days(stage, stage.statutory) == [2, 9, 11, 12, 60, 799]
    assert days(stage, stage.bulk) == [2, 9]
    assert {(row["act"], row["rows"]) for row in done if row["table"] == "samples"} == {("drop", 2), ("rewrite", 1)}
    rolled = stage.engine.query("SELECT point, ts FROM rollup_1m FINAL").to_pylist()
    for point, kept in ((stage.statutory, 800), (stage.bulk, 10)):
        oldest = min(row["ts"] for row in rolled if row["point"] == point)
        assert TODAY - oldest <= kept * DAY + DAY + PARTITION[MINUTE], "roll-ups go when their whole partition is over"

    stage.roll()
    midnight = TODAY // DAY * DAY - 10 * DAY
    held = stage.history.buckets([stage.bulk], midnight, midnight + DAY, HOUR)
    assert held.num_rows == 0 and stage.plain.buckets([stage.bulk], midnight, midnight + DAY, HOUR).num_rows == 0
    assert stage.keeper.over(TODAY, apply=True).num_rows == 0, "once is enough"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("versions: [{effective_from: 2026-01-01, source: x, statutory: 730, bulk: 10}]", "731 days at least"),
        (
            "statutory_least_days: 100\nversions: [{effective_from: 2026-01-01, source: x, statutory: 200, bulk: 10}]",
            "731 days at least",
        ),
        ("versions: [{effective_from: 2026-01-01, source: x, statutory: 800, bulk: 900}]", "may not outlive"),
        ("versions: [{effective_from: 2090-01-01, source: x, statutory: 800, bulk: 10}]", "in force yet"),
        ("versions: []", "not a retention file"),
        ("versions: [{effective_from: 2026-01-01, source: x, statutory: 800, bulk: 0}]", "not a retention file"),
        ("versions: [{effective_from: 2026-01-01, source: x, statutory: '800', bulk: 9}]", "not a retention file"),
        ("{", "not a retention file"),
        ("#" * 200_000, "too large"),
    ],
)
def test_a_retention_file_that_is_wrong_is_refused_and_removes_nothing(stage, tmp_path, text, words):
    fill(stage, [2, 900])
    (tmp_path / "retention.yaml").write_text(text)
    with pytest.raises(StoreError, match=words):
        stage.keeper.over(TODAY, apply=True)
    stage.keeper.daily(TODAY)
    assert days(stage, stage.statutory) == [2, 900]


def test_the_shipped_file_keeps_statutory_data_two_years():
    assert retention.load(retention.OURS, datetime.date(2026, 11, 26)).statutory >= 731


def test_a_check_finds_roll_ups_that_are_not_what_the_samples_say(stage):
    fill(stage, [3, 5])
    good = stage.upkeep.check()
    assert all(good.column("good").to_pylist()), good.to_pylist()
    assert {"samples", "rollup_1m", "detached", "rollups", "dirty"} <= set(good.column("what").to_pylist())
    row = stage.engine.query("SELECT * FROM rollup_1h WHERE n > 0 LIMIT 1")
    row = row.set_column(row.schema.get_field_index("max"), "max", [[77.0]])
    ver = row.schema.get_field_index("ver")
    stage.engine.insert("rollup_1h", row.set_column(ver, "ver", [np.array([2**63], np.uint64)]))
    bad = {line["what"]: line for line in stage.upkeep.check().to_pylist()}
    assert not bad["rollups"]["good"] and "in 1 the roll-ups differ" in bad["rollups"]["en"]


def test_a_check_finds_a_part_that_is_broken_on_disk(stage):
    fill(stage, [3])
    path = stage.engine.query("SELECT path FROM system.parts WHERE active AND table = 'samples' LIMIT 1")
    folder = path.column("path")[0].as_py()
    import pathlib

    victim = next(iter(sorted(pathlib.Path(folder).glob("*.bin"))))
    data = victim.read_bytes()
    victim.write_bytes(data[:-1] + bytes([data[-1] ^ 255]))
    try:
        found = {line["what"]: line for line in stage.upkeep.check().to_pylist()}
        assert not found["samples"]["good"] and "1 broken" in found["samples"]["en"]
    finally:
        victim.write_bytes(data)


def test_compaction_takes_out_repeats_and_changes_no_answer(stage):
    for _ in range(3):
        fill(stage, [4, 5])
    before = stage.history.raw([stage.bulk], 0, TODAY, 100).to_pylist()
    sizes = {row["table"]: row for row in stage.upkeep.compact().to_pylist()}
    assert sizes["samples"]["rows"] == 12 and sizes["samples"]["after"] < sizes["samples"]["bytes"]
    assert stage.engine.query("SELECT count() AS n FROM samples").column("n")[0].as_py() == 4
    assert stage.history.raw([stage.bulk], 0, TODAY, 100).to_pylist() == before
