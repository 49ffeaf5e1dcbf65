"""A belt line started, seen step by step and taken back in a browser: a real gateway, simulated belts, the driver."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from middleplatform.access import users
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from models.quality import GOOD
from tests.middleplatform.api.stage import PASSWORD, Stage, _answers, threaded
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched
from tests.middleplatform.control.line import cut, driving, line, present
from tests.ports import free_port

pytestmark = pytest.mark.timeout(240)
STARTED = 60_000


@asynccontextmanager
async def _standing(home: Path, loop: asyncio.AbstractEventLoop) -> AsyncIterator[Stage]:
    async with line(home) as plant, present(home, plant.bus.url) as (bus, live), plant.gateway():
        users.create_user(home, "olga", PASSWORD, role="administrator")
        users.create_user(home, "anna", PASSWORD, role="analyst")
        site = replace(plant.site, sequences={name: cut(each) for name, each in plant.site.sequences.items()})
        app, port = build(Catalogue(site), live, bus, home), free_port()
        serving = server(app, "127.0.0.1", port)
        task = asyncio.create_task(serving.serve())
        async with driving(home, bus, live):
            try:
                url = f"http://127.0.0.1:{port}"
                await _answers(url, lambda _: True)
                async with asyncio.timeout(90):
                    while not (live.shown >= GOOD).all():
                        await asyncio.sleep(0.05)
                        live.refresh()
                yield Stage(home, url, loop, "", "", app, bus)
            finally:
                serving.should_exit = True
                await asyncio.wait_for(task, 20)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("sequences")
    with threaded(lambda loop: _standing(home, loop)) as standing:
        yield standing


def phase(page: Page, words: str) -> None:
    expect(page.locator(".phase")).to_have_text(words, timeout=STARTED)


def test_a_line_is_started_step_by_step_and_its_run_kept(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/sequences")
        expect(page.locator("main")).to_contain_text("没有进行中的运行")
        page.get_by_role("link", name="主运输逆煤流启动").click()
        expect(page).to_have_url(f"{stage.url}/sequences/start_belts")
        expect(page.locator(".forth, .chain").first).to_contain_text(re.compile(r"≥ .*的 95 %，持续"))
        needs = page.locator(".panel", has=page.get_by_role("heading", name="启动条件")).locator("li")
        # Each says whether what its point is now meets it.
        expect(needs.first).to_be_visible()
        expect(needs.locator("b.met")).to_have_count(needs.count())
        page.get_by_role("button", name="执行 …").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("请确认人员已撤离")
        expect(dialog.locator(".given li")).to_have_count(2)
        expect(dialog.locator(".given li").first).to_contain_text("启动")
        page.locator("dialog input").fill("早班")
        # Twice over: one run is asked for.
        dialog.get_by_role("button", name="执行", exact=True).dblclick()
        expect(page).to_have_url(re.compile(r"/sequences/runs/\d+$"))
        phase(page, "完成")
        steps = page.locator(".forth > li")
        expect(steps).to_have_count(2)
        for k in range(2):
            expect(steps.nth(k)).to_have_class(re.compile("done"))
            expect(steps.nth(k)).to_contain_text("用时")
        expect(page.locator("main")).to_contain_text("早班")
        journal = page.locator("table")
        expect(journal).to_contain_text("已执行")
        expect(journal).to_contain_text("olga")
        assert not spilled(page) and not serious(page)
        page.goto(f"{stage.url}/sequences")
        expect(page.locator("main")).to_contain_text("早班")
        assert not spilled(page) and not serious(page)
        assert page.locator('a[href^="/sequences/runs/"]').count() == 1


def test_a_run_is_paused_resumed_and_aborted_in_english(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/sequences")
        speak(page, "en")
        page.goto(f"{stage.url}/sequences/stop_belts")
        page.get_by_role("button", name="Run it …").click()
        page.locator("dialog").get_by_role("button", name="Run it", exact=True).click()
        phase(page, "running")
        expect(page.locator(".forth .running .value").first).to_be_visible()
        page.get_by_role("button", name="Pause …").click()
        page.locator("dialog").get_by_role("button", name="Pause", exact=True).click()
        phase(page, "paused")
        page.get_by_role("button", name="Resume …").click()
        page.locator("dialog").get_by_role("button", name="Resume", exact=True).click()
        phase(page, "running")
        page.get_by_role("button", name="Abort …").click()
        page.locator("dialog").get_by_role("button", name=re.compile("^Abort")).click()
        phase(page, "aborted")
        expect(page.locator(".back > li").first).to_have_class(re.compile("done"))
        assert not spilled(page) and not serious(page)
        speak(page, "zh")


def test_who_may_only_look_has_no_buttons_and_what_is_not_there_is_said(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("404",)) as page:
        sign_in(page, stage, "/sequences")
        page.get_by_role("button", name="退出").click()
        page.fill("#user", "anna")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator("nav")).to_be_visible()
        page.goto(f"{stage.url}/sequences/start_belts")
        expect(page.locator("main")).to_contain_text("您的角色只能查看")
        expect(page.get_by_role("button", name="执行 …")).to_have_count(0)
        for address, words in (
            ("nothing", "没有顺序控制 nothing"),
            ("runs/99", "没有运行 99"),
            ("runs/x", "没有运行 x"),
        ):
            page.goto(f"{stage.url}/sequences/{address}")
            expect(page.locator("main")).to_contain_text(words)
        page.get_by_role("button", name="退出").click()


REFUSED = {
    "code": "not_ready",
    "message_zh": "不满足：belt_101/mode = 2 | 3（现为 1）；"
    "不满足：belt_102/speed ≥ 95 % of belt_102/speed_set（现为 0.2）",
    "message": "not so: belt_101/mode = 2 | 3 (is 1 now)",
}
ROTATION = {
    "id": "pumps", "name": {"zh": "水泵轮换", "en": "pumps take turns"}, "runs": False, "who": None,
    "says": {"zh": "低水位：停 belt_101", "en": "low level: stop belt_101"}, "level": "", "low": 1.0, "start": 2.0,
    "high": 3.0, "high_high": 4.0, "tariff": "shanxi", "pumps": ["belt_101", "belt_102"],
    "source": "泵控制器完成 the pump controller does it",
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_refused_or_said_is_told_by_names_in_the_readers_language(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    zh = language == "zh"
    with watched(context, stage.url, forgiven=("409",)) as page:
        sign_in(page, stage, "/sequences")
        speak(page, language)
        level = page.evaluate("fetch('/api/v1/points').then(each => each.json())")["points"][0]["point"]
        page.route(
            "**/api/v1/sequences/rotations",
            lambda route: route.fulfill(json={"rotations": [{**ROTATION, "level": level}]}),
        )
        page.route("**/api/v1/sequences/*/start", lambda route: route.fulfill(status=409, json={"error": REFUSED}))
        page.goto(f"{stage.url}/sequences")
        turns = page.locator(".panel", has_text="水泵轮换" if zh else "Pumps that take turns").last
        expect(turns).to_contain_text("停 主斜井1部带式输送机" if zh else "stop Main incline belt 101")
        expect(turns).to_contain_text("山西分时电价" if zh else "time-of-use tariff of Shanxi")
        expect(turns).to_contain_text("泵控制器完成" if zh else "the pump controller does it")
        expect(turns).not_to_contain_text("the pump controller" if zh else "泵控制器")
        expect(turns).not_to_contain_text(re.compile("shanxi|belt_10"))
        page.goto(f"{stage.url}/sequences/start_belts")
        page.get_by_role("button", name="执行 …" if zh else "Run it …").click()
        dialog = page.locator("dialog")
        dialog.get_by_role("button", name="执行" if zh else "Run it", exact=True).click()
        told = dialog.get_by_role("alert")
        mode = (
            "主斜井1部带式输送机 控制方式 须为 远控/自动（现为 就地）"
            if zh
            else "Main incline belt 101 Control mode must be "
        )
        expect(told).to_contain_text(mode)
        expect(told).not_to_contain_text(re.compile("belt_10[12]/"))
        speak(page, "zh")
