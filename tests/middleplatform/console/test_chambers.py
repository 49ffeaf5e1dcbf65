"""Unattended chambers in a real browser: who is there, what it is like, and what is not known of their patrols."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.access import users
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from models.patrol import Chamber, Plan
from models.site.model import Name
from tests.middleplatform.api.build import now, site
from tests.middleplatform.api.stage import PASSWORD, Link, Stage, _answers, _beating, threaded
from tests.middleplatform.console.browser import patient, serious, sign_in, speak, spilled, tell, watched, wide
from tests.ports import free_port
from tests.servers import CODE


def chamber(name: str, words: Name, equipment: str, presence: str) -> Chamber:
    plan = Plan(14400.0, Name("机电队", "electrical team"), date(2026, 1, 1))
    shown = (f"{CODE}/{equipment}",)
    return Chamber(name, words, shown, (), presence, "", "摄像-01", (plan,), "矿方设定：每班至少一次 set by the mine")


@asynccontextmanager
async def _standing(home: Path, loop: asyncio.AbstractEventLoop) -> AsyncIterator[Stage]:
    users.create_user(home, "olga", PASSWORD, role="administrator")
    chambers = {
        "gallery": chamber("gallery", Name("皮带机头硐室", "Belt head chamber"), "belt1", f"{CODE}/belt1/running"),
        "room": chamber("room", Name("水泵房" * 60, "<script>alert(1)</script>"), "pump1", ""),
    }
    made = patient(replace(site(), chambers=chambers))
    table = LiveTable(made)
    app, port = build(Catalogue(made), table, Link(), home), free_port()

    async def sign_of_life() -> None:
        table.beat("edge1")

    serving = server(app, "127.0.0.1", port)
    task, beating = asyncio.create_task(serving.serve()), asyncio.create_task(_beating(sign_of_life))
    try:
        await _answers(f"http://127.0.0.1:{port}", lambda _: True)
        yield Stage(home, f"http://127.0.0.1:{port}", loop, "", "", app)
    finally:
        beating.cancel()
        serving.should_exit = True
        await asyncio.wait_for(task, 20)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("chambers")
    with threaded(lambda loop: _standing(home, loop)) as standing:
        yield standing


def test_who_is_there_is_told_and_what_is_not_known_is_not_nobody(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503",)) as page:
        sign_in(page, stage, "/chambers")
        tell(stage, 3.25)
        head = page.locator(".panel", has_text="皮带机头硐室")
        expect(head.locator(".state")).to_have_text("有人")
        expect(page.locator(".panel", has_text="水泵房").locator(".state")).to_have_text("有无人不明")
        expect(page.locator("main .note")).to_contain_text("巡检情况现在不明")
        assert not spilled(page) and not serious(page)
        assert not wide(page)
        speak(page, "en")
        page.goto(f"{stage.url}/chambers")
        expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
        expect(page.locator(".panel", has_text="Belt head chamber")).to_contain_text("camera 摄像-01")
        assert not spilled(page) and not serious(page)
        speak(page, "zh")


def test_who_never_came_is_said_so_and_not_counted_as_late_by_years(stage: Stage, context: BrowserContext) -> None:
    plan = {
        "every_s": 14400.0,
        "by": {"zh": "机电队", "en": "electrical team"},
        "looked_back_s": 28800.0,
        "last_time": None,
        "due_time": "",
        "overdue": True,
        "late_s": 1.0,
    }
    then = round(datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1e6)
    recent = now() - 3600 * 1_000_000

    def told(way) -> None:
        said = way.fetch().json()
        every = 14400 * 1_000_000
        old = {**plan, "since": then, "last": None, "due": now() - every, "late_s": 13500.0}
        new = {**plan, "since": recent, "last": None, "due": recent + every, "overdue": False, "late_s": 0.0}
        late = {**plan, "since": then, "last": then, "due": then + every, "late_s": 3 * 86400.0}
        first, second = said["chambers"]
        made = [{**first, "patrol": old}, {**second, "patrol": new}, {**first, "id": "third", "patrol": late}]
        way.fulfill(json={**said, "chambers": made, "incomplete": False})

    with watched(context, stage.url) as page:
        sign_in(page, stage, "/tags")
        page.route("**/api/v1/chambers", told)
        page.goto(f"{stage.url}/chambers")
        patrols = page.locator(".patrol")
        expect(patrols.nth(0)).to_contain_text("最近 8 小时 内没有签到")
        expect(patrols.nth(0)).to_contain_text(re.compile(r"巡检计划自 2024/01/01.* 起 · 已超期至少 3.8 小时"))
        expect(patrols.nth(0)).not_to_contain_text(re.compile("下次应到|[0-9]{3,} (小时|天)"))
        expect(patrols.nth(1)).to_contain_text("最近 8 小时 内没有签到")
        expect(patrols.nth(1)).not_to_contain_text("从未")
        expect(patrols.nth(1)).not_to_contain_text("已超期")
        expect(patrols.nth(2)).to_contain_text("已超期 3 天")
        expect(patrols.nth(2)).to_contain_text("2024/")
        expect(patrols.nth(0)).to_contain_text("机电队")
        expect(patrols.nth(0)).not_to_contain_text("electrical")
        speak(page, "en")
        page.goto(f"{stage.url}/chambers")
        expect(patrols.nth(0)).to_contain_text("every 4 h, electrical team")
        expect(page.locator(".panel").nth(0)).to_contain_text("source: set by the mine")
        expect(page.locator(".panel").nth(0)).not_to_contain_text("矿方设定")
        speak(page, "zh")
