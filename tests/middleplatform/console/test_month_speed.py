"""A month of eight points at 1 Hz, 20.7 million samples: out of the real store, through the API, drawn."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.store.rollups import RollUps
from middleplatform.store.schema import open_store
from middleplatform.store.windows import Windows
from models.site.model import Kind
from sevenones.bench.month import Month
from sevenones.bench.query import write
from tests.middleplatform.api.stage import Stage, threaded, whole
from tests.middleplatform.console.browser import sign_in, watched
from tests.middleplatform.console.large_map import large
from tests.middleplatform.console.test_trend_speed import DRAWN

PENS = 8
DAY = 86_400_000_000
LONGEST_MS = 900
"""Three times what is wanted on a quiet machine."""

SITE = large(100, PENS, 1)
PENNED = [index for index, point in enumerate(SITE.points) if point.kind is Kind.ANALOG][:PENS]


@pytest.fixture(scope="module")
def month() -> Month:
    return Month(SITE.ids()[PENNED], DAY // 1_000_000, Month.of(1).start)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, month: Month) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("month")
    _fill(home / "store", month)
    with threaded(lambda loop: whole(home, loop, SITE)) as standing:
        yield standing


def _fill(folder: Path, month: Month) -> None:
    engine = open_store(folder)
    try:
        windows = Windows(engine, quiet_s=0)
        for columns in month.pieces():
            write(engine, windows, *columns)
        rollups = RollUps(engine, windows, lambda asked: np.full(len(asked), 60_000_000, np.int64))
        while rollups.step():
            pass
    finally:
        engine.close()


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_month_of_eight_points_is_drawn_at_once(
    stage: Stage, month: Month, context: BrowserContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(PENNED) == PENS
    pens = ",".join(SITE.points[index].path for index in PENNED)
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        held: list[dict] = []
        page.on("response", lambda said: held.append(said.json()) if "/history?" in said.url and said.ok else None)
        end = month.end // 1000
        page.goto(f"{stage.url}/trends?p={pens}&bands=0&from={end - 3_600_000}&to={end}")
        expect(page.locator(".plot")).to_have_attribute("aria-busy", "false")
        took = []
        for _ in range(5):
            page.goto(f"{stage.url}/trends?p={pens}&bands=0&from={end - 3_600_000}&to={end}")
            expect(page.locator(".plot")).to_have_attribute("aria-busy", "false")
            took.append(page.evaluate(DRAWN, 5))
        with capsys.disabled():
            print(f"\n{PENS} points at 1 Hz over a month, from click to drawn: {[round(each) for each in took]} ms")
        widest = max(held, key=lambda body: body["end_us"] - body["start_us"])
        assert widest["end_us"] - widest["start_us"] >= 29 * DAY
        counted = [sum(series["buckets"]["n"]) for series in widest["series"]]
        assert min(counted) >= 27 * 86_400, "the month is there, every second of it"
        assert statistics.median(took) < LONGEST_MS
