"""Bad input, and what becomes of it: one test for each row of the table in docs/utilisation.md that none shows yet."""

from __future__ import annotations

import itertools

import numexpr
import numpy as np
import pytest

from models.kpi.mine import Standing, mine_figure
from models.site.expressions import parse
from models.site.model import Site
from models.utilisation.figure import Figure, figure
from models.utilisation.judge import judge
from tests.models.utilisation.played import START
from tests.models.utilisation.test_witness import VERSION, S, Said, Told, every, site

__all__ = ["site"]
HOUR = 3600
MODE_OF_BITS = "where(local == 1, 1, where(inspection == 1, 4, where(auto == 1, 3, where(remote == 1, 2, 0))))"
"""The formula of docs/utilisation.md."""


def belt(site: Site, mode: Said, hours: float = 4) -> Figure:
    """Of a belt that ran for these hours, started from the control room; what its mode said."""
    run = [(0.0, 0.0), *every(10, hours * HOUR, 1, 10)]
    told = Told(site, "belt", {"belt.speed": every(10, hours * HOUR, 3.0), "run.state": run, "control.mode": mode})
    return figure(judge(told.category, told.facts), START + 10 * S, START + round(hours * HOUR) * S)


def test_a_gap_is_unknown_and_lowers_the_coverage_alone(site: Site) -> None:
    whole = belt(site, [*every(10, 2 * HOUR, 2), *every(10, 4 * HOUR, 1, 2 * HOUR)])
    gap = belt(site, [row for row in every(10, 2 * HOUR, 2) if not 1000 < row[0] < 2800] + every(10, 4 * HOUR, 1, 7200))
    assert whole.rate is not None
    assert gap.rate is not None
    assert whole.rate == pytest.approx(0.5, abs=0.001)
    assert gap.open / 1e6 == pytest.approx(1800 - 60, abs=30), "a value holds for twice the point's longest silence"
    assert gap.coverage == pytest.approx(1 - gap.open / gap.producing)
    assert gap.least is not None
    assert gap.most is not None
    assert gap.least <= whole.rate <= gap.most


def test_of_what_was_told_twice_of_one_instant_the_last_counts(site: Site) -> None:
    """Two gateways over one device, or a stretch that was sent again, corrected."""
    first, corrected = every(10, 4 * HOUR, 2), every(10, 2 * HOUR, 1)
    assert belt(site, [*first, *corrected]) == belt(site, [*corrected, *every(10, 4 * HOUR, 2, 2 * HOUR)])


def test_a_clock_that_jumped_makes_its_time_unknown_and_no_other(site: Site) -> None:
    """What a device tells while its clock is off comes as uncertain; where it does not fit, the newest of an instant
    counts."""
    jumped = [(at, value, 64) if HOUR <= at < 2 * HOUR else (at, value) for at, value in every(10, 4 * HOUR, 2)]
    found = belt(site, jumped)
    assert found.open == pytest.approx(HOUR * 1e6, abs=10e6)
    assert found.rate == 1.0
    assert found.calendar == 4 * HOUR * S - 10 * S


def test_a_mode_that_contradicts_itself_is_worked_by_hand() -> None:
    """Of bits that are set together the one counts that claims least."""
    code = parse(MODE_OF_BITS)
    for bits in itertools.product((0.0, 1.0), repeat=4):
        named = dict(zip(("local", "inspection", "auto", "remote"), bits, strict=True))
        values = {f"x{n}": np.array([named[name]]) for n, name in enumerate(code.inputs)}
        mode = float(numexpr.evaluate(code.code(), values)[0])
        expected = next(
            (code for name, code in (("local", 1), ("inspection", 4), ("auto", 3), ("remote", 2)) if named[name]), 0
        )
        assert mode == expected, named


def test_a_mode_that_says_unknown_does_not_count_and_one_out_of_the_table_is_not_known(site: Site) -> None:
    says_unknown = belt(site, every(10, 4 * HOUR, 0))
    assert (says_unknown.rate, says_unknown.coverage) == (0.0, 1.0)
    outside = belt(site, [(at, 7.0, 64) for at, _ in every(10, 4 * HOUR, 7)])  # the gateway's quality of such a state
    assert (outside.rate, outside.coverage, outside.least, outside.most) == (None, 0.0, 0.0, 1.0)


def test_a_month_with_no_data_is_not_assessable_and_has_no_rate(site: Site) -> None:
    silent = Told(site, "belt", {})
    month = 31 * 24 * HOUR * S
    found = figure(judge(silent.category, silent.facts), START, START + month)
    assert (found.rate, found.coverage, found.least, found.most, found.blind) == (None, 0.0, 0.0, 1.0, month)
    of = mine_figure({"belt": found}, VERSION)
    assert (of.rate, of.standing, of.doubtful) == (None, Standing.NOT_ASSESSABLE, ("belt",))
