"""`sevenones simulate --backfill` of a mine that comes with the program, and what it refuses."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import simulators
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import Engine
from middleplatform.store.history import History
from middleplatform.store.quality.assessment import Assessment
from middleplatform.store.quality.consistency import Consistency
from middleplatform.store.rollup_tables import HOUR, MINUTE
from middleplatform.store.schema import SAMPLE_COLUMNS, open_store
from middleplatform.store.windows import Windows
from models.identity import MANUAL_FLOOR
from models.quality import GOOD
from models.site.model import Kind, Point, Site
from sevenones.backfill import BackfillError, read_points
from sevenones.backfill.mine import simulated_mine, site_of
from simulators.faults.distortion import Distortions
from simulators.truth.records import read_intervals

pytestmark = pytest.mark.timeout(600)
MINES = Path(simulators.__file__).parent / "mines"
UNTIL = "2026-10-01T10:20:00+08:00"


def run(home: Path, *words: str) -> tuple[int, str]:
    import typer

    from sevenones.commands.simulate import simulate

    app = typer.Typer()
    app.command()(simulate)
    done = CliRunner().invoke(app, [*words, "--home", str(home)])
    code = done.exit_code
    return code, done.output + (str(done.exception) if done.exception is not None else "")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with ten minutes of a mine, and what the command said."""
    home = tmp_path_factory.mktemp("filled")
    code, said = run(home, "--mine", "low", "--backfill", "10m", "--until", UNTIL)
    assert code == 0, said
    return home, said


def test_a_mine_is_in_the_store_with_its_truth(filled: tuple[Path, str]) -> None:
    site = site_of(MINES / "low", dict(os.environ))
    home, said = filled
    points = read_points(site)
    assert f"{len(points):,}" in said and "utilisation" in said
    engine = open_store(home / "store")
    try:
        sums = engine.query("SELECT point, count() AS n, max(quality) AS best FROM samples FINAL GROUP BY point")
        times = engine.query("SELECT min(ts) AS a, max(ts) AS b, count() AS n FROM samples FINAL")
    finally:
        engine.close()
    best = dict(zip(sums.column("point").to_pylist(), sums.column("best").to_pylist(), strict=True))
    missing = [point.path for point in points if point.id not in best]
    assert missing == []
    doubtful = [point.path for point in points if best[point.id] < GOOD]
    assert doubtful == [], "a point of the mine is never good"
    # Each point at least once in its longest silence; and far fewer than one a second.
    samples = times.column("n")[0].as_py()
    assert len(points) * 600 / 30 < samples < len(points) * 600 / 2
    assert times.column("b")[0].as_py() - times.column("a")[0].as_py() <= 600 * 1_000_000
    truth = read_intervals(home)
    assert {"belt_101", "shearer_1"} <= set(truth["equipment"].to_pylist())


def agreement(engine: Engine, site: Site, start: int, end: int) -> dict[str, float]:
    """The share of the compared minutes in which each relation of a site held, as the store's quality has it."""
    windows, catalogue = Windows(engine), Catalogue(site)
    found = {}
    for relation in site.relations:
        alone = Catalogue(replace(site, relations=(relation,)))
        source = Consistency(History(engine, catalogue.ages, windows), lambda alone=alone: alone)
        assessment = Assessment(engine, windows, catalogue.ages, (source,), clock=lambda: end)
        table, _ = assessment.assess([relation.sides[0][0]], [0], start // HOUR * HOUR, end, HOUR)
        compared, agreed = (int(table.column(name).to_numpy().sum()) for name in ("compared", "agreed"))
        assert compared >= 0.9 * (end - start) / MINUTE, f"{relation.id}: {compared} minutes are compared"
        found[relation.id] = agreed / compared
    return found


def drift(engine: Engine, site: Site, point: Point, amount: float) -> None:
    """A point's samples as they are when its sensor drifts by so much an hour from the first of them on."""
    rows = engine.query(
        "SELECT ts, value, quality FROM samples FINAL WHERE point = {p:UInt64} ORDER BY ts", {"p": point.id}
    )
    ts, value = (rows.column(name).to_numpy().copy() for name in ("ts", "value"))
    broken = Distortions()
    broken.begin(point, "drift", amount)
    broken.apply(ts, value[:, None], {point.path: 0})
    count, ver = len(ts), np.full(len(ts), MANUAL_FLOOR - 1, np.uint64)
    columns = [
        np.full(count, point.id, np.uint64),
        ts,
        value,
        rows.column("quality").to_numpy(),
        pa.nulls(count, pa.string()),
        ver,
    ]
    windows = Windows(engine)
    with windows.touching(columns[0], ts, int(Catalogue(site).ages([point.id])[0])):
        engine.insert("samples", pa.table(columns, schema=SAMPLE_COLUMNS))


def check_that_what_belongs_together_agrees(mine: str, home: Path, start: int, end: int) -> None:
    """All relations of a mine hold, and of them those of a sensor that drifts do no more."""
    site = site_of(MINES / mine, dict(os.environ))
    engine = open_store(home / "store")
    try:
        well = agreement(engine, site, start, end)
        assert len(well) > 30 and min(well.values()) >= 0.95, {n: share for n, share in well.items() if share < 0.95}
        drifting = next(point for point in site.points if point.path.endswith("/feeder_0_01/active_power"))
        drift(engine, site, drifting, 1_800.0)
        ill = agreement(engine, site, start, end)
    finally:
        engine.close()
    assert {name for name in well if ill[name] < well[name]} == {"power_feeder_0_01", "power_incoming"}
    assert ill["power_feeder_0_01"] < 0.9 * well["power_feeder_0_01"]


def test_what_belongs_together_agrees_until_a_sensor_drifts(filled: tuple[Path, str]) -> None:
    end = round(datetime.fromisoformat(UNTIL).timestamp()) * 1_000_000
    check_that_what_belongs_together_agrees("low", filled[0], end - 10 * MINUTE, end)


@pytest.mark.proof
@pytest.mark.parametrize("mine", ["low", "middle", "high"])
@pytest.mark.parametrize("until", [UNTIL, "2026-10-01T21:00:00+08:00"])
def test_what_belongs_together_agrees_for_an_hour(mine: str, until: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "--mine", mine, "--backfill", "1h", "--until", until)
    assert code == 0, said
    end = round(datetime.fromisoformat(until).timestamp()) * 1_000_000
    check_that_what_belongs_together_agrees(mine, tmp_path, end - HOUR, end)


@pytest.mark.parametrize("mine", ["low", "middle", "high"])
def test_what_a_mine_reads_is_simulated(mine: str, tmp_path: Path) -> None:
    """But for what is only written."""
    site = site_of(MINES / mine, dict(os.environ))
    make, given = simulated_mine(MINES / mine, tmp_path, 1_790_000_000_000_000, 1, dict(os.environ))
    columns = make(**given).columns
    left = [
        point.path
        for point in site.points
        if point.kind is not Kind.TEXT
        and f"{point.equipment}.{point.key}" not in columns
        and not point.writable
        and point.path != site.connections[point.connection].heartbeat
    ]
    assert left == []


def test_a_mine_that_says_nothing_of_its_plant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match="has no simulation"):
        simulated_mine(MINES / "newcomer", tmp_path, 0, 1, dict(os.environ))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--mine", "low", "--backfill", "30x"), "30x"),
        (("--mine", "low", "--backfill", "1d", "--until", "2126-01-01T00:00Z"), "future"),
        (("--mine", "nowhere", "--backfill", "1d"), "nowhere"),
        (("--mine", "big", "--backfill", "1d"), "other than big"),
        (("--mine", "low", "--until", UNTIL), "--backfill"),
    ],
)
def test_the_command_refuses_before_anything_is_written(words: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, *words)
    assert code != 0
    assert expected in said
    assert not (tmp_path / "store").exists()
