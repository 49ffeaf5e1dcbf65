"""The report of the truth of a real run: its balances are there, and they close."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulators.plant.recorder import Recorder
from simulators.truth.records import TruthWriter
from simulators.truth.report import Category, Report, report
from simulators.truth.utilisation import Share
from tests.simulators.plant.test_plant import MINES, mine, plant


def test_what_came_in_was_used_or_lost(tmp_path: Path) -> None:
    middle = plant()
    writer, recorder = TruthWriter(tmp_path, middle.columns), Recorder(middle)
    blocks = [middle.run(steps) for steps in (1, 299, 300)]
    for block in blocks:
        writer.take(block, recorder.take())
    writer.close()
    found = report(tmp_path, mine("middle")[0], MINES / "middle")
    assert found is not None
    grown = {
        name: blocks[-1].values[-1, column] - blocks[0].values[0, column]
        for name, column in middle.columns.items()
        if name.endswith("!kwh")
    }
    assert found.used == pytest.approx(sum(grown[f"{name}!kwh"] for name in middle.design.power.consumers), rel=1e-9)
    assert found.lost == pytest.approx(grown["losses!kwh"], rel=1e-9)
    assert found.lost > 0
    assert found.taken == pytest.approx(found.used + found.lost, rel=1e-3)
    assert np.isfinite([found.won, found.raised]).all()


def test_a_sum_of_which_a_part_is_unknown_is_unknown(tmp_path: Path) -> None:
    middle = plant()
    writer = TruthWriter(tmp_path, {name: n for name, n in middle.columns.items() if not name.startswith("belt_101!")})
    writer.take(middle.run(60))
    writer.close()
    found = report(tmp_path, mine("middle")[0], MINES / "middle")
    assert found is not None and math.isnan(found.used)
    assert found.lost > 0


def test_the_mine_is_declared_over_the_categories_that_it_has() -> None:
    def category(declared: float, producing_s: float, *members: str) -> Category:
        return Category("类", "category", members, Share(producing_s, producing_s / 2), declared)

    categories = {"face": category(0.6, 3600.0, "shearer_1"), "belt": category(0.8, 0.0, "belt_101")}
    categories["bolting"] = category(0.1, 0.0)
    found = Report(0, 1, categories, {}, *[math.nan] * 5)
    assert found.utilisation == pytest.approx(0.5)
    assert found.declared == pytest.approx(0.7), "a mine without a bolting rig does not bolt by itself"
