"""What a site's figures are reckoned by is dated data; slips of the pen are named where they stand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.site.loader import examine
from tests.models.sites import write

TEXT = """\
tariff: shanxi
grid: north_china
prices:
  - {flat: 0.5, effective_from: 2026-01-01, source: 供电合同}
  - {flat: 0.6, effective_from: 2026-03-01, source: 供电合同}
rated: {belt: {belt.speed: 3.15}}
lengths_km: {belt: 1.2}
source: 矿方 mine
"""


def test_the_price_of_the_day_and_the_nameplates(tmp_path):
    site = examine(write(tmp_path, figures_yaml=TEXT), environment={}).site
    assert site is not None
    basis = site.basis
    assert (basis.tariff, basis.grid) == ("shanxi", "north_china")
    assert [basis.price(date(2026, month, 1)) for month in (1, 2, 3, 12)] == [0.5, 0.5, 0.6, 0.6]
    assert basis.price(date(2025, 12, 31)) is None
    assert basis.rated == {("belt", "belt.speed"): 3.15}


def test_a_site_need_not_say_anything(tmp_path):
    site = examine(write(tmp_path), environment={}).site
    assert site is not None
    assert (site.basis.tariff, dict(site.basis.rated), site.basis.prices) == ("", {}, ())


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("tariff: shanxi", "tariff: mars", 1, "no tariff 'mars'"),
        ("north_china", "moon", 2, "no grid region 'moon'"),
        ("2026-03-01", "2026-01-01", 3, "two prices hold from the same day"),
        ("rated: {belt:", "rated: {bolt:", 6, "no equipment 'bolt'; did you mean 'belt'?"),
        ("belt.speed", "belt.sped", 6, "no role 'belt.sped'; did you mean 'belt.speed'?"),
        ("3.15", "0", 6, "must be above 0"),
        ("3.15", "1.5", 6, "1.5 is less than half or more than twice what is usual (3.15 to 3.15)"),
        ("3.15", "6.5", 6, "6.5 is less than half or more than twice what is usual"),
        ("lengths_km: {belt:", "lengths_km: {bolt:", 7, "no equipment 'bolt'"),
        ("source: 矿方 mine\n", "output: [belt/flow]\nsource: 矿方 mine\n", 8, "a counter is needed"),
        ("source: 矿方 mine\n", "output: [belt/tonnes]\nsource: 矿方 mine\n", 8, "no bound point 'belt/tonnes'"),
        ("source: 矿方 mine\n", "return_air: {main: {ch4: belt/flow, air: [gas/ch4]}}\nsource: 矿方 mine\n", 8, "%CH4"),
        ("source: 矿方 mine\n", "maintenance: {belt: [9]}\nsource: 矿方 mine\n", 8, "there is no shift 9"),
        ("source: 矿方 mine\n", "maintenance: {bolt: [1]}\nsource: 矿方 mine\n", 8, "no equipment 'bolt'"),
        ("source: 矿方 mine\n", "colour: red\nsource: 矿方 mine\n", 8, "unknown key 'colour'"),
    ],
)
def test_mistakes_are_named_at_their_line(tmp_path, old, new, line, words):
    examined = examine(write(tmp_path, figures_yaml=TEXT.replace(old, new)), environment={})
    told = [(problem.file, problem.where, problem.message) for problem in examined.problems]
    assert any((file, where) == ("figures.yaml", str(line)) and words in said for file, where, said in told), told


def test_a_simulated_mine_says_all_of_it():
    site = examine(Path("simulators/mines/middle"), environment={}, require_environment=False).site
    assert site is not None
    basis = site.basis
    assert basis.tariff
    assert basis.output
    assert basis.return_air
    measured = [load for loads in basis.meters.values() for load in loads]
    assert len(measured) == len(set(measured)) == 30
