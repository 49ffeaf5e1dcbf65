"""The console over the real processes of a simulated mine: every page in both languages, and what each is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sevenones.bench.chromium import browser, enter
from sevenones.bench.mine import Mine, running
from tests.middleplatform.console.browser import pages_of, serious, speak, spilled, watched
from tests.ports import free_block

pytestmark = pytest.mark.timeout(600)
CODE = "140581999101"
PASSWORD = "right horse"
LOOK = {"zh": "dark", "en": "light"}
"""Both languages have the same elements: with each the accessibility of one look is seen."""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mine]:
    with running("low", tmp_path_factory.mktemp("mine") / "home", free_block()) as started:
        yield started


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, mine: Mine) -> Iterator[BrowserContext]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        enter(opened, mine.url, "admin", mine.password, PASSWORD)
        yield opened


def fault(mine: Mine, *words: str) -> None:
    """Make a fault in the mine that runs, as a trainer does."""
    bus = f"nats://127.0.0.1:{int(mine.url.rsplit(':', 1)[1]) + 1}"
    command = (sys.executable, "-m", "sevenones", "simulate", "fault", *words, "--home", str(mine.home), "--bus", bus)
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def open_page(page: Page, mine: Mine, address: str) -> None:
    page.goto(mine.url + address)
    expect(page.locator("main")).to_be_visible(timeout=30_000)
    expect(page.locator("main[aria-busy=true]")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_stands(mine: Mine, context: BrowserContext, language: str) -> None:
    wrong = []
    with watched(context, mine.url) as page:
        page.goto(mine.url)
        speak(page, language)
        page.evaluate(f"localStorage.setItem('look', '{LOOK[language]}')")
        page.goto(mine.url)
        for address in pages_of(page):
            open_page(page, mine, address)
            page.wait_for_timeout(300)  # what comes a moment later spills too
            wrong += [f"{address}: spilled {each}" for each in spilled(page)]
            wrong += [f"{address}: {each}" for each in serious(page)]
            wrong += [f"{address}: {each}" for each in page.locator("main [role=alert]").all_inner_texts() if each]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            wrong += [f"{address} is {wide} px wider than the screen"] if wide > 0 else []
            text = page.locator("main").inner_text()
            wrong += [f"{address}: '{word}'" for word in ("undefined", "NaN", "[object") if word in text]
            print(address, wrong, flush=True)
        speak(page, "zh")
    assert not wrong, "\n".join(wrong)


def test_gas_that_rises_is_an_alarm_that_an_operator_acknowledges(mine: Mine, context: BrowserContext) -> None:
    with watched(context, mine.url) as page:
        open_page(page, mine, "/alarms?q=CH4")
        fault(mine, "over_range", _gas(page, mine), "--for", "20min")
        row = page.locator("tr", has=page.locator(".priority")).first
        expect(row).to_be_visible(timeout=60_000)


def _gas(page: Page, mine: Mine) -> str:
    points = page.request.get(f"{mine.url}/api/v1/points?role=ch4&limit=1").json()["points"]
    found: str = points[0]["point"].split("/", 1)[1]
    return found
