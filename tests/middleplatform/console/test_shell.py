"""The shell around every page where the link is silent, pages do not come, and the session ends elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from middleplatform.access import lockout, users
from tests.middleplatform.api.stage import PASSWORD, Stage
from tests.middleplatform.console.browser import sign_in, speak, watched

STREAM = "**/api/v1/stream"


def wait(page: Page, come: Callable[[], Any], within_s: float = 60.0) -> None:
    """Until what the page does has come about: it is heard of while the page is waited for."""
    deadline = time.monotonic() + within_s
    while not come():
        assert time.monotonic() < deadline, "it did not come about in time"
        page.wait_for_timeout(100)


def test_a_link_that_falls_silent_without_closing_is_given_up_and_made_anew(
    stage: Stage, context: BrowserContext
) -> None:
    page = context.new_page()
    silent, links = [False], []

    def passing(route: WebSocketRoute) -> None:
        links.append(route)
        server = route.connect_to_server()
        server.on_message(lambda message: None if silent[0] else route.send(message))

    page.route_web_socket(STREAM, passing)
    sign_in(page, stage, "/values")
    expect(page.locator(".hatch")).to_have_count(0)
    before = len(links)
    silent[0] = True
    expect(page.locator(".hatch")).to_be_visible()
    # By the time of the last word, which does not move while the silence grows.
    banner = page.locator(".banner", has_text="没有收到数据")
    expect(banner).to_contain_text(re.compile(r"自 .*\d\d:\d\d:\d\d 起没有收到数据"))
    since = banner.inner_text()
    under = page.evaluate(
        """() => {
            const box = document.querySelector('.hatch').getBoundingClientRect()
            const page = document.querySelector('main').getBoundingClientRect()
            const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
            return [Math.round(box.width), Math.round(page.width), at.classList.contains('hatch')]
        }"""
    )
    assert under[0] >= under[1] and not under[2], "all of the page is hatched, and can be used"
    page.wait_for_timeout(12_000)
    wait(page, lambda: len(links) > before)  # though nobody closed the link
    expect(banner).to_have_text(since)
    silent[0] = False
    expect(page.locator(".hatch")).to_have_count(0)
    page.close()


def test_a_page_opened_while_the_network_is_away_says_so_and_comes_with_it(
    stage: Stage, context: BrowserContext
) -> None:
    page = context.new_page()
    sign_in(page, stage, "/values")
    _forget_files(page)
    context.set_offline(True)
    try:
        page.get_by_role("link", name="治理").click()
        expect(page.locator("main").get_by_role("alert")).to_contain_text("没有取到")
    finally:
        context.set_offline(False)
    expect(page.locator("main").get_by_role("alert")).to_have_count(0)
    expect(page.locator("main h1, main h2, main table, main input").first).to_be_visible()
    page.close()


def _forget_files(page: Page) -> None:
    """As a browser that has never been on the other pages."""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")


def test_nothing_moves_under_a_finger_when_the_first_click_opens_the_sound(
    stage: Stage, context: BrowserContext
) -> None:
    page = context.new_page()
    for width in (1280, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        sign_in(page, stage, "/access")
        pages = page.locator("nav")
        # What the header tells has come: the alarms, the link, and that a click opens the sound.
        expect(page.locator("header .sound")).to_contain_text("请点击")
        page.wait_for_load_state("networkidle")
        before = pages.bounding_box()
        page.locator("header h1").click()
        expect(page.locator("header .sound")).not_to_contain_text("请点击")
        assert pages.bounding_box() == before, width
        for language in ("en", "zh"):
            speak(page, language)
            page.reload()
            expect(page.locator("nav")).to_be_visible()
            wait(page, lambda: page.evaluate("document.querySelector('header').scrollWidth <= innerWidth"))
    page.close()


def test_who_is_signed_out_in_another_tab_reads_why(stage: Stage, context: BrowserContext) -> None:
    page, other = context.new_page(), context.new_page()
    sign_in(page, stage, "/values")
    sign_in(other, stage, "/values")
    other.get_by_role("button", name="退出").click()
    expect(other.locator("#user")).to_be_visible()
    expect(page.get_by_text("会话已结束")).to_be_visible()
    page.close()
    other.close()


def test_print_leaves_menus_out_and_says_when(stage: Stage, context: BrowserContext) -> None:
    page = context.new_page()
    sign_in(page, stage, "/values")
    page.emulate_media(media="print")
    expect(page.get_by_text("打印于 20")).to_be_visible()
    expect(page.locator("header button:visible")).to_have_count(0)
    expect(page.locator("a.page-of:visible, a.group:visible")).to_have_count(0)
    held = page.evaluate(
        """[...document.querySelectorAll('main, main :is(section, div, ul, table)')]
            .filter(each => getComputedStyle(each).overflowY !== 'visible').map(each => each.className)"""
    )
    assert not held, "what scrolls on the screen is printed whole"
    expect(page).to_have_title(re.compile("^测点 · "))
    page.close()


def test_a_user_changes_their_password_and_a_wrong_old_one_ends_nothing(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "petra", PASSWORD, role="operator")
    page = context.new_page()
    sign_in(page, stage, "/values")
    page.get_by_role("button", name="退出").click()
    page.fill("#user", "petra")
    page.fill("#password", "wrong")
    page.locator("form button").click()
    expect(page.get_by_role("alert")).to_contain_text("密码错误")
    expect(page.locator("#password")).to_be_focused()
    page.get_by_role("button", name="EN").click()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    page.get_by_role("button", name="中文").click()
    page.fill("#password", PASSWORD)
    page.locator("form button").click()
    page.get_by_role("link", name="petra").click()
    for old, told in (("not the old one", "原密码错误"), (PASSWORD, "密码已更改")):
        page.fill("#old", old)
        page.fill("#fresh", "another horse")
        page.fill("#again", "another horse")
        page.locator("form button").click()
        expect(page.locator("main form")).to_contain_text(told)
    page.get_by_role("button", name="退出").click()
    page.fill("#user", "petra")
    page.fill("#password", "another horse")
    page.locator("form button").click()
    expect(page.get_by_role("link", name="petra")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.close()


@pytest.mark.parametrize(("language", "unit", "over"), [("zh", "分", "现在可以再试"), ("en", "min", "try again now")])
def test_how_long_a_lock_lasts_still_counts_down(
    stage: Stage, context: BrowserContext, language: str, unit: str, over: str
) -> None:
    name = f"kept-out-{language}"
    users.create_user(stage.home, name, PASSWORD, "operator")
    while not lockout.failed(stage.home, name):
        pass
    page = context.new_page()
    page.context.clear_cookies()
    page.goto(stage.url)
    speak(page, language)
    page.reload()
    page.locator("#user").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text(unit)
    first = timer.inner_text()
    expect(timer).not_to_have_text(first)
    body = {"code": "throttled", "message": "", "message_zh": "", "where": None, "wait_s": 2}
    page.route("**/api/v1/sign-in", lambda route: route.fulfill(status=429, json={"error": body}))
    page.locator("form button").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text(over)
    expect(timer).to_have_count(0)
    speak(page, "zh")
    page.close()


def test_a_password_that_is_refused_is_refused_in_words(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "newcomer", PASSWORD, "operator", must_change=True)
    page = context.new_page()
    page.context.clear_cookies()
    page.goto(stage.url)
    expect(page.locator("#user")).to_be_visible()
    page.locator("#user").fill("newcomer")
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    for fresh, words in (
        ("short", "新密码太短：至少 8 个字符"),
        ("password2026", "最常用的密码之一"),
        ("my-newcomer-1", "不得包含用户名"),
    ):
        page.locator("#old").fill(PASSWORD)
        page.locator("#fresh").fill(fresh)
        page.locator("#again").fill(fresh)
        page.locator("form button").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
    page.close()


HURRY = """async hrefs => {
    for (let k = 0; k < 20; k++) {
        document.querySelector(`nav a[href="${hrefs[k % 2]}"]`).click()
        await new Promise(done => setTimeout(done, 3))
    }
}"""
"""From page to page, faster than a stream is there."""


def test_a_page_that_is_left_before_its_stream_is_there_errs_not(stage: Stage, context: BrowserContext) -> None:
    context.clear_cookies()  # of whom a test before signed in
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage, "/sequences")
        expect(page.locator("main .panel").first).to_be_visible()
        page.evaluate(HURRY, ["/tags", "/sequences"])
        page.goto(f"{stage.url}/tags")
        expect(page.locator("main")).to_be_visible()
