"""The console over the real processes of a simulated mine: every page in both languages, and what each is for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from middleplatform.console import STATIC
from sevenones.bench.chromium import browser, enter
from sevenones.bench.mine import Mine, devices, running
from tests.middleplatform.console.browser import pages_of, serious, speak, spilled, watched, wide
from tests.middleplatform.console.jobs import JOBS, Desk
from tests.middleplatform.console.jobs.desk import SLOW_MS
from tests.ports import free_block

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]
MINE = "low"
PASSWORD = "right horse"
LOOK = {"zh": "dark", "en": "light"}
"""Both languages have the same elements: with each the accessibility of one look is seen."""
PAGES = STATIC.parent / "web" / "src" / "pages.ts"


@dataclass(frozen=True, slots=True)
class Demo:
    """`day`: the last one that is over, of which an hour is in the store; `devices`: see Desk."""

    mine: Mine
    day: date
    devices: dict[str, str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home, ports = tmp_path_factory.mktemp("mine") / "home", devices(MINE)
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)
    fill(home, f"{day}T11:00:00+08:00")
    with running(MINE, home, free_block(), ports) as started:
        yield Demo(started, day, ports)


def fill(home: Path, until: str) -> None:
    """An hour of the past: figures and reports are of days that are over."""
    command = (sys.executable, "-m", "sevenones", "simulate", "--mine", MINE, "--backfill", "1h", "--until", until)
    subprocess.run((*command, "--home", str(home)), check=True, capture_output=True)


@pytest.fixture(scope="module")
def mine(demo: Demo) -> Mine:
    return demo.mine


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, mine: Mine) -> Iterator[BrowserContext]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        enter(opened, mine.url, "admin", mine.password, PASSWORD)
        yield opened


def open_page(page: Page, mine: Mine, address: str) -> None:
    page.goto(mine.url + address)
    expect(page.locator("main")).to_be_visible(timeout=30_000)
    expect(page.locator("main[aria-busy=true]")).to_have_count(0, timeout=30_000)


def alerts(page: Page) -> list[str]:
    """What a page still warns of when it has had time: that an answer is late ends with the answer."""
    warned = page.locator("main [role=alert]").filter(has_text=re.compile(r"\S"))
    with suppress(AssertionError):
        expect(warned).to_have_count(0, timeout=SLOW_MS)
    return warned.all_inner_texts()


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
            wrong += [f"{address}: {each}" for each in alerts(page)]
            wrong += [f"{address} is {each}" for each in wide(page)]
            text = page.locator("main").inner_text()
            wrong += [f"{address}: '{word}'" for word in ("undefined", "NaN", "[object") if word in text]
            print(address, wrong, flush=True)
        speak(page, "zh")
    assert not wrong, "\n".join(wrong)


def test_each_page_has_a_job() -> None:
    """One that stands in the list of pages and has none here is a page that nobody tries."""
    listed = re.findall(r"page\('\w+', '(\w+)'", PAGES.read_text(encoding="utf-8"))
    assert len(listed) > 20 and list(JOBS) == listed


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", JOBS)
def test_people_do_what_they_come_to_a_page_for(demo: Demo, context: BrowserContext, name: str, language: str) -> None:
    job = JOBS[name]
    with watched(context, demo.mine.url, forgiven=job.forgiven) as page:
        page.add_init_script(f"localStorage.setItem('language', '{language}')")
        job.does(Desk(page, demo.mine, language, PASSWORD, str(demo.day), demo.devices))
        assert not spilled(page)
        if language == "en":
            speak(page, "zh")
