"""`sevenones simulate --backfill` of a mine that comes with the program, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import simulators
from middleplatform.store.schema import open_store
from models.quality import GOOD
from models.site.model import Kind
from sevenones.backfill import BackfillError, read_points
from sevenones.backfill.mine import simulated_mine, site_of
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


def test_a_mine_is_in_the_store_with_its_truth(tmp_path: Path) -> None:
    site = site_of(MINES / "low", dict(os.environ))
    code, said = run(tmp_path, "--mine", "low", "--backfill", "10m", "--until", UNTIL)
    assert code == 0, said
    points = read_points(site)
    assert f"{len(points):,}" in said and "utilisation" in said
    engine = open_store(tmp_path / "store")
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
    truth = read_intervals(tmp_path)
    assert {"belt_101", "shearer_1"} <= set(truth["equipment"].to_pylist())


@pytest.mark.parametrize("mine", ["low", "middle", "high"])
def test_what_a_mine_reads_is_simulated(mine: str, tmp_path: Path) -> None:
    """But for what is only written."""
    site = site_of(MINES / mine, dict(os.environ))
    make, given = simulated_mine(MINES / mine, tmp_path, 1_790_000_000_000_000, 1, dict(os.environ))
    block = make(**given).run(1)
    left = [
        point.path
        for point in site.points
        if point.kind is not Kind.TEXT
        and f"{point.equipment}.{point.key}" not in block.columns
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
