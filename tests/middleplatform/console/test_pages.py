"""The console in a real browser against the real application: what a user comes for, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.middleplatform.api.build import CODE, site
from tests.middleplatform.api.stage import PASSWORD, Stage, bare, threaded
from tests.middleplatform.console.browser import patient, serious, sign_in, speak, spilled, tell, watched


def test_a_wrong_password_is_told_in_words_and_the_address_is_kept(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("401", "503")) as page:
        page.goto(f"{stage.url}/trends?p={CODE}/belt1/speed")
        page.fill("#user", "olga")
        page.fill("#password", "wrong")
        page.locator("form button").click()
        expect(page.get_by_role("alert")).to_contain_text("密码")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator("nav")).to_be_visible()
        expect(page).to_have_url(re.compile(re.escape(f"/trends?p={CODE}/belt1/speed") + "$"))
        page.get_by_role("button", name="退出").click()
        expect(page.locator("#user")).to_be_visible()


def test_values_are_what_they_are_now_and_bad_ones_are_told(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/values")
        tell(stage, 3.25)
        speed = page.locator("tr", has_text="带速").locator(".value")
        expect(speed).to_contain_text("3.25")
        expect(page.locator("tr", has_text="运行").locator(".value").first).to_have_text(re.compile("运行"))
        tell(stage, 3.5, 84)
        expect(speed).to_contain_text("3.5")
        expect(speed).to_contain_text("超出量程")
        assert not spilled(page)
        page.get_by_role("button", name="EN").click()
        expect(page.locator("tr", has_text="belt speed").locator(".value")).to_contain_text("out of range")
        expect(page.locator("h1")).to_have_text("test mine")
        assert page.evaluate("document.documentElement.lang") == "en"
        assert not spilled(page)
        page.get_by_role("button", name="中文").click()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["values", "map", "alarms", "trends"])
def test_each_page_has_an_address_and_room_for_its_controls(
    stage: Stage, context: BrowserContext, name: str, language: str
) -> None:
    with watched(context, stage.url, forgiven=("503",)) as page:
        sign_in(page, stage)
        speak(page, language)
        for width in (1600, 1024):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{stage.url}/{name}")
            expect(page.locator(f'nav a.page-of[href="/{name}"]')).to_have_attribute("aria-current", "page")
            expect(page.locator("main")).to_be_visible()
            assert not spilled(page), width
        assert not serious(page)
        speak(page, "zh")


def test_what_is_told_by_a_platform_that_is_gone_is_shown_as_old(
    tmp_path: pytest.TempPathFactory, context: BrowserContext
) -> None:
    with threaded(lambda loop: bare(tmp_path, loop, made=patient(site()))) as standing:
        page = context.new_page()
        sign_in(page, standing, "/values")
        tell(standing, 3.25)
        expect(page.locator("tr", has_text="带速").locator(".value")).to_contain_text("3.25")
        expect(page.locator(".banner", has_text="不可信")).to_have_count(0)
    # The platform has ended: after three seconds nothing is shown as if it were now.
    expect(page.locator(".banner", has_text="不可信")).to_be_visible()
    expect(page.locator(".shell.old")).to_be_visible()
    page.close()
