"""Utilisation, energy and tonnes against what the simulated mines truly did: of all data, and of data dropped, bad,
late or doubled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.utilisation.figure import Figure
from sevenones.backfill.mine import site_of
from tests.models.energy.metered import Metered, check_energy, check_tonnes, metered, meters_and_scales
from tests.models.energy.metered import spoil as of_counters
from tests.models.utilisation.played import MINES as FOLDER
from tests.models.utilisation.played import Column, Played, play

pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]
MINES = ("low", "middle", "high")
STEP_S = 5
"""Of the mines in the short form. Their truth is at the same steps, so that nothing is easier to hit."""
WITHIN = 0.001
"""A tenth of a percentage point."""


@pytest.fixture(scope="module", params=MINES)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Two days."""
    return play(request.param, 48, tmp_path_factory.mktemp(request.param), step_s=STEP_S, more=meters_and_scales)


@pytest.fixture(scope="module")
def meters(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Metered:
    """Of the same two days."""
    mine = next(name for name in MINES if site_of(FOLDER / name, {}).code == played.site.code)
    return metered(mine, played, tmp_path_factory.mktemp("early"))


def test_every_unit_is_as_it_was(played: Played) -> None:
    for unit in played.units:
        true, found = played.true(unit), played.figure(unit)
        if not true.producing_s:
            assert found.rate is None
            continue
        assert found.coverage is not None
        assert found.coverage > 0.99, unit
        assert found.producing / 1e6 == pytest.approx(true.producing_s, rel=0.002, abs=10), unit
        assert found.rate == pytest.approx(true.share, abs=WITHIN), unit
        assert sum(found.reasons.values()) == found.by_hand + found.open


def test_every_category_is_as_it_was(played: Played) -> None:
    for category in played.version.categories:
        of = [unit for unit in played.units if unit.category == category]
        found = sum((played.figure(unit) for unit in of), Figure())
        true = [played.true(unit) for unit in of]
        share = sum(each.intelligent_s for each in true) / sum(each.producing_s for each in true)
        assert found.rate == pytest.approx(share, abs=WITHIN), category


def test_the_truth_lies_within_the_bounds_and_they_are_narrow_where_nothing_is_lost(played: Played) -> None:
    for unit in played.units:
        true, found = played.true(unit), played.figure(unit)
        if not true.producing_s:
            continue
        assert found.least is not None
        assert found.most is not None
        assert found.least <= true.share <= found.most, unit
        # Several spells in an hour, each of which may have begun and ended a step earlier.
        assert found.most - found.least < max(0.04, 0.0125 * played.step_s), unit


@pytest.mark.parametrize("seed", range(8))
def test_the_truth_lies_within_the_bounds_whatever_is_lost(played: Played, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # By number: the same is lost each time, whatever order the points are in.
    spoilt = {point: spoil(played.columns[point], rng) for point in sorted(played.columns)}
    for unit in played.units:
        true, found = played.true(unit), played.figure(unit, spoilt)
        if not true.producing_s:
            continue
        assert found.least is not None
        assert found.most is not None
        assert found.least <= true.share <= found.most, unit


@pytest.mark.parametrize("seed", range(2))
def test_the_truth_lies_within_the_bounds_when_all_is_lost_at_once(played: Played, seed: int) -> None:
    rng = np.random.default_rng(seed)
    begins = rng.integers(played.start, played.end, 4)
    ends = begins + rng.exponential(1800e6, 4).astype(np.int64)

    def cut(column: Column) -> Column:
        kept = ~((begins <= column[0][:, None]) & (column[0][:, None] < ends)).any(axis=1)
        return column[0][kept], column[1][kept], column[2][kept]

    left = {point: cut(column) for point, column in played.columns.items()}
    for unit in played.units:
        true, found = played.true(unit), played.figure(unit, left)
        if not true.producing_s:
            continue
        assert found.least is not None
        assert found.most is not None
        assert found.least <= true.share <= found.most, unit


def test_order_and_repetition_change_nothing(played: Played) -> None:
    rng = np.random.default_rng(1)
    shuffled = {point: shuffle(column, rng) for point, column in played.columns.items()}
    for unit in played.units:
        assert played.figure(unit, shuffled) == played.figure(unit)


def test_every_meter_counts_what_was_used_and_every_scale_what_was_raised(meters: Metered) -> None:
    check_energy(meters)
    check_tonnes(meters)


@pytest.mark.parametrize("seed", range(3))
def test_what_meters_told_may_be_dropped_bad_late_or_told_twice(meters: Metered, seed: int) -> None:
    rng = np.random.default_rng(seed)
    spoilt = {path: of_counters(column, rng) for path, column in meters.columns.items()}
    check_energy(meters, spoilt)
    check_tonnes(meters, spoilt)
    for path in meters.columns:
        whole, found = meters.counted(path), meters.counted(path, spoilt)
        assert found.spread[0] <= found.amount[0] + 1e-9
        assert found.covered_us[0] <= whole.covered_us[0]


def spoil(column: Column, rng: np.random.Generator) -> Column:
    """Some stretches are lost, some are bad."""
    ts, value, quality = column
    first, last = int(ts[0]), int(ts[-1])
    quality = quality.copy()
    kept = np.ones(len(ts), bool)
    for bad in (False, True):
        for _ in range(int(rng.integers(0, 3))):
            begin = int(rng.integers(first, last))
            within = (ts >= begin) & (ts < begin + int(rng.exponential(1800e6)))
            if bad:
                quality[within] = 0
            else:
                kept &= ~within
    return ts[kept], value[kept], quality[kept]


def shuffle(column: Column, rng: np.random.Generator) -> Column:
    """All of it in any order, a third of it twice."""
    order = rng.permutation(np.concatenate([np.arange(len(column[0])), np.arange(0, len(column[0]), 3)]))
    return column[0][order], column[1][order], column[2][order]


@pytest.mark.proof
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("mine", MINES)
def test_thirty_days(mine: str, tmp_path: Path) -> None:
    month = play(mine, 24 * 30, tmp_path / "month", more=meters_and_scales)
    test_every_unit_is_as_it_was(month)
    test_every_category_is_as_it_was(month)
    test_the_truth_lies_within_the_bounds_and_they_are_narrow_where_nothing_is_lost(month)
    for seed in range(4):
        test_the_truth_lies_within_the_bounds_whatever_is_lost(month, seed)
        test_the_truth_lies_within_the_bounds_when_all_is_lost_at_once(month, seed)
    of = metered(mine, month, tmp_path / "early")
    test_every_meter_counts_what_was_used_and_every_scale_what_was_raised(of)
    test_what_meters_told_may_be_dropped_bad_late_or_told_twice(of, 1)
