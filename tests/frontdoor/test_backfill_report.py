"""The report by exception over many polls at once, against the gateway's own, which judges one poll after the other."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.exception import ExceptionReport
from gateway.points import NEVER, PointTable
from sevenones.backfill.report import Polls, Report
from tests.gateway.sites import point

N = 40
SECOND = 1_000_000
START = 1_790_000_000_000_000


def table(rng: np.random.Generator, period_s: float) -> PointTable:
    points = [
        point(f"p{n}", dead_band=float(rng.choice([0.0, 0.5, 1.0])), silence_s=float(rng.choice([1.0, 5.0, 7.5, 30.0])))
        for n in range(N)
    ]
    return PointTable.build(points, {"fast": period_s}, 1.0)


@pytest.mark.parametrize("period_s", [1.0, 2.0])
@pytest.mark.parametrize("seed", range(8))
def test_many_polls_at_once_are_judged_as_one_by_one(seed: int, period_s: float) -> None:
    rng = np.random.default_rng(seed)
    columns = table(rng, period_s)
    report, plain = Report(columns), ExceptionReport(columns)
    period = round(period_s * SECOND)
    begin = START + rng.integers(0, period, N)
    seen = set()
    for _ in range(12):
        most = int(rng.integers(1, 25))
        count = most - rng.integers(0, 2, N)
        value = rng.choice([0.0, 0.4, 0.5, 0.6, 1.0, 1.5, 2.0, np.nan], (most, N))
        quality = rng.choice([192, 192, 192, 64, 0], (most, N)).astype(np.uint8)
        still = rng.random(N) < 0.4
        value[:, still], quality[:, still] = value[0, still], quality[0, still]
        polls, found = Polls(begin, count, period), []
        for rows, standing in ((np.flatnonzero(still), True), (np.flatnonzero(~still), False)):
            if not len(rows):
                continue
            if standing:
                kept = report.standing(rows, value[0, rows], quality[0, rows], polls.of(rows))
            else:
                kept = report.moving(rows, value[:, rows], quality[:, rows], polls.of(rows))
            found += zip(*(column.tolist() for column in kept), strict=True)
        wanted = []
        for at in range(most):
            rows = np.flatnonzero(count > at)
            ts = begin[rows] + period * at
            keep = plain.judge(rows, ts, value[at, rows], quality[at, rows], None, NEVER)
            told = rows[keep]
            samples = (told, ts[keep], value[at, told], quality[at, told])
            wanted += zip(*(column.tolist() for column in samples), strict=True)
        assert sorted(map(repr, found)) == sorted(map(repr, wanted))
        seen.add(len(wanted) < count.sum())
        begin = begin + period * count
    assert True in seen, "nothing was ever left out"
