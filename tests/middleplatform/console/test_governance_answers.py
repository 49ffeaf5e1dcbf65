"""What pages say while the platform is slow, and of answers and addresses that make no sense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.middleplatform.api.build import CODE
from tests.middleplatform.api.stage import Stage
from tests.middleplatform.console.browser import sign_in, speak, watched

HTML = "<!doctype html><title>gate</title><p>Please sign in to the network</p>"
ENDLESS = "99999999999999999999999"


@contextmanager
def signed_in(
    stage: Stage, context: BrowserContext, language: str = "zh", forgiven: tuple[str, ...] = ()
) -> Iterator[Page]:
    with watched(context, stage.url, forgiven=("503", *forgiven)) as page:
        sign_in(page, stage, "/access")
        speak(page, language)
        yield page
        speak(page, "zh")


class Held:
    """Answers to one address that stay away until they are let go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self.page, self.pattern, self.routes = page, pattern, list[Route]()
        page.route(re.compile(pattern), self._keep)

    def _keep(self, route: Route) -> None:
        self.routes.append(route)

    def let_go(self) -> None:
        for each in self.routes:
            each.continue_()
        self.page.unroute(re.compile(self.pattern))


PAGES = [
    ("/audit", r"/api/v1/audit\?"),
    ("/catalogue", r"/api/v1/catalogue\?"),
    ("/standard", r"/api/v1/standard/report\?"),
    ("/access", r"/api/v1/users$"),
    ("/dictionaries", r"/api/v1/dictionaries$"),
    ("/tags", r"/api/v1/control/tags"),
    ("/shifts", r"/api/v1/shifts/handovers\?"),
    ("/excluded", r"/api/v1/tickets\?"),
]


@pytest.mark.parametrize(("address", "pattern"), PAGES)
@pytest.mark.parametrize("body", ['{"entries": [{"num', HTML, "null", ""], ids=["cut off", "html", "null", "empty"])
def test_an_answer_that_is_not_one_is_told_and_not_taken_for_nothing(
    stage: Stage, context: BrowserContext, address: str, pattern: str, body: str
) -> None:
    with signed_in(stage, context) as page:
        page.route(re.compile(pattern), lambda route: route.fulfill(status=200, body=body))
        page.goto(stage.url + address)
        told = page.locator("main").get_by_role("alert").filter(has_text="应答不完整")
        expect(told.first).to_contain_text("请重试")
        expect(page.locator("main")).not_to_contain_text("TypeError")


def test_a_change_of_which_nobody_knows_whether_it_was_made_says_so(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context, "en") as page:
        page.goto(stage.url + "/access")
        page.get_by_role("button", name="Reset password").first.click()
        page.route("**/api/v1/users/*/password", lambda route: route.fulfill(status=200, body=HTML))
        page.locator("dialog").get_by_role("button", name="Reset password").click()
        alert = page.locator("dialog").get_by_role("alert")
        expect(alert).to_contain_text("incomplete answer")
        expect(alert).to_contain_text("the change may have been made")


@pytest.mark.parametrize(
    ("status", "zh", "en"),
    [
        (404, "没有找到所要的内容", "there is no such thing"),
        (429, "请稍候再试", "wait a little"),
        (500, "平台内部出错", "the platform failed on this"),
        (502, "代理", "proxy"),
        (503, "平台暂时不能服务", "cannot serve this now"),
        (504, "没有在时限内应答", "did not answer in time"),
        (418, "平台没有完成此请求", "the platform did not do this"),
        (0, "平台没有应答", "the platform does not answer"),
    ],
)
def test_a_failure_without_words_is_told_in_both_languages(
    stage: Stage, context: BrowserContext, status: int, zh: str, en: str
) -> None:
    with signed_in(stage, context, forgiven=(str(status), "ERR_FAILED")) as page:
        fail = (lambda route: route.fulfill(status=status, body=HTML)) if status else (lambda route: route.abort())
        page.route(re.compile(r"/api/v1/audit\?"), fail)
        for language, words in (("zh", zh), ("en", en)):
            speak(page, language)
            page.goto(stage.url + "/audit")
            alert = page.locator(".list").get_by_role("alert")
            expect(alert).to_contain_text(words)
            if status:
                expect(alert).to_contain_text(str(status))


def test_what_answers_another_question_goes_while_the_new_one_is_asked(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context) as page:
        rows = page.locator(".list tbody tr")
        loading = page.locator(".list").get_by_role("status")
        page.goto(stage.url + "/audit")
        expect(rows.first).to_be_visible()
        held = Held(page, r"/api/v1/audit\?")
        page.locator(".filter select").select_option("user.")
        expect(loading).to_have_text("加载中 …")
        expect(rows).to_have_count(0)
        held.let_go()
        expect(loading).to_have_count(0)

        page.goto(stage.url + "/standard")
        expect(rows.first).to_be_visible()
        held = Held(page, r"/api/v1/standard/report\?")
        page.locator(".filter label", has_text="方面").locator("select").select_option("range")
        expect(loading).to_have_text("加载中 …")
        expect(rows).to_have_count(0)
        expect(page.locator(".panel.old")).to_contain_text("加载中")
        held.let_go()
        expect(rows.first).to_contain_text("模拟量应有上下限")
        expect(page.locator(".panel.old")).to_have_count(0)

        page.goto(f"{stage.url}/lineage?p={CODE}/belt1/speed")
        expect(page.locator("svg .node").first).to_be_visible()
        held = Held(page, r"/api/v1/lineage\?")
        page.locator(".filter .pick input").fill("电流")
        page.locator(".filter .pick li").first.click()
        expect(loading).to_have_text("加载中 …")
        expect(page.locator("svg .node")).to_have_count(0)
        held.let_go()
        expect(page.locator("svg .node").first).to_be_visible()


def test_what_is_chosen_in_a_list_does_not_ask_for_the_list_again(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context) as page:
        page.goto(stage.url + "/audit")
        first = page.locator(".list tbody button").first
        expect(first).to_be_visible()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/audit?" in request.url else None)
        first.click()
        expect(page.locator(".panel").first.locator("dl").first).to_be_visible()
        expect(first).to_have_attribute("aria-pressed", "true")
        assert not [each for each in asked if "/api/" in each]


def test_an_address_that_no_text_became_is_no_page(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context) as page:
        for address in ("/equipment/%ZZ", "/%E0%A4%A"):
            page.goto(stage.url + address)
            expect(page.locator("body")).to_contain_text("没有这个页面")
            page.locator("header a.group").first.click()
            expect(page.locator("main")).to_be_visible()


def test_a_time_that_is_none_blanks_no_page_and_is_told(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context, forgiven=("400",)) as page:
        lineage = f"/lineage?p={CODE}/belt1/speed&at="
        for address, word in (
            (f"/audit?start={ENDLESS}", ENDLESS),
            (f"/audit?end={ENDLESS}", ENDLESS),
            ("/audit?start=abc", "“abc”不是时间"),
            (f"{lineage}{ENDLESS}", ENDLESS),
            (f"{lineage}abc", "“abc”不是时间"),
            (f"{lineage}abc&width=1m", "“abc”不是时间"),
        ):
            page.goto(stage.url + address)
            expect(page.locator(".list").get_by_role("alert")).to_contain_text(word)
            expect(page.locator(".filter")).to_be_visible()


def test_a_page_that_fails_says_so_and_how_to_go_on(stage: Stage, context: BrowserContext) -> None:
    with signed_in(stage, context, forgiven=("TypeError",)) as page:
        rubbish = {"total": 1, "offset": 0, "day": "2026-01-01", "points": [{"id": "x"}]}
        page.route(re.compile(r"/api/v1/catalogue\?"), lambda route: route.fulfill(json=rubbish))
        page.goto(stage.url + "/catalogue?q=x")
        main = page.locator("main")
        expect(main).to_contain_text("“数据目录”出错，无法显示")
        expect(main).to_contain_text("TypeError")
        page.unroute(re.compile(r"/api/v1/catalogue\?"))
        main.get_by_role("link", name="重新打开").click()
        expect(page.locator(".list tbody tr").first).to_be_visible()
        assert page.url == stage.url + "/catalogue"
