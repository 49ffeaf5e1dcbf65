"""Commands and tags of which no answer comes, or that stand in each other's way: what is told of them holds."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from gateway.control.tags import Tag
from middleplatform.audit.log import entries, tell
from tests.gateway.sites import CODE
from tests.middleplatform.console.browser import serious, speak, spilled, watched
from tests.middleplatform.console.commanded import Commanded, commanded
from tests.middleplatform.console.test_control import PATIENT_S, RUNNING, START, arm, machine, press

LOST = ("503", "ERR_FAILED", "ERR_CONNECTION")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commanded]:
    with commanded(tmp_path_factory.mktemp("lost")) as standing:
        yield standing


@pytest.fixture(autouse=True)
def at_rest(stage: Commanded) -> None:
    stage.hold_selections(PATIENT_S)
    for place, value in ((START, 0), (RUNNING, 1), ("belt_102/command", 0)):
        stage.set(place, value)


def test_a_tag_whose_answer_is_lost_may_hang_and_is_looked_for(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=LOST) as page:
        machine(page, stage, "belt_102")
        page.get_by_role("button", name="挂牌 …").click()
        arm(page, stage, "李工", "maintainer")
        page.locator("dialog textarea").fill("换托辊")

        def lose(way) -> None:
            way.fetch()
            way.abort()

        page.route("**/api/v1/control/tag", lose)
        page.locator("dialog").get_by_role("button", name="挂牌", exact=True).click()
        dialog = page.locator("dialog")
        expect(dialog.locator(".outcome.loud")).to_contain_text("可能已挂")
        expect(dialog).not_to_contain_text("没有执行")
        expect(dialog.locator(".now")).to_contain_text("此牌现在挂着")
        expect(dialog.get_by_role("button", name="挂牌", exact=True)).to_have_count(0)
        assert not serious(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="摘牌 …").click()
        # This one never arrives.
        page.route("**/api/v1/control/untag", lambda way: way.abort())
        dialog.get_by_role("button", name="摘牌", exact=True).click()
        expect(dialog.locator(".outcome.loud")).to_contain_text("可能已摘")
        expect(dialog.locator(".now")).to_contain_text("此牌现在挂着")
        page.unroute("**/api/v1/control/untag")
        dialog.get_by_role("button", name="摘牌", exact=True).click()
        expect(dialog.locator(".outcome")).to_contain_text("已摘牌")


def test_a_lost_execute_is_asked_after_by_the_same_signed_order(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=LOST) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, "^选择$")
        sent: list[str] = []

        def lose(way) -> None:
            sent.append(way.request.post_data)
            if len(sent) > 1:
                way.continue_()
            else:
                way.fetch()
                # Taken back, so that it is seen whether it is written a second time.
                stage.set(START, 0)
                way.abort()

        page.route("**/api/v1/control/execute", lose)
        press(page, "^执行")
        expect(page.locator("dialog .outcome")).to_contain_text("已执行")
        assert len(sent) > 1 and len(set(sent)) == 1 and stage.register(START) == 0


def test_what_stays_unknown_promises_no_hold_that_the_gateway_does_not_keep(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=LOST) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, "^选择$")
        page.route("**/api/v1/control/execute", lambda way: way.abort())
        press(page, "^执行")
        expect(page.locator("dialog .outcome.loud")).to_contain_text("结果未知", timeout=60_000)
        expect(page.locator("dialog")).not_to_contain_text("除停止外不再写入")
        page.keyboard.press("Escape")
        # It can be under way for so long; from then on the gateway's word holds.
        expect(page.locator(".commands .last .after")).to_contain_text("没有未决写入", timeout=90_000)
        expect(page.locator(".commands .last .after")).to_contain_text("当前值 无")


def test_a_dialogue_says_what_the_machine_does_and_keeps_where_a_value_came_from(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_102")
        page.get_by_role("button", name="停止", exact=True).click()
        arm(page, stage, "王工", "operator")
        dialog = page.locator("dialog")
        expect(dialog.locator(".doing")).to_contain_text("运行")
        expect(dialog.locator(".change")).to_contain_text("命令字")
        press(page, "确认停止")
        expect(dialog.locator(".outcome")).to_contain_text("已执行")
        expect(page.locator(".commands tbody .value b").first).to_have_text("停止")
        expect(dialog.locator(".change .value b")).to_have_text("无")
        assert not spilled(page) and not serious(page)


@pytest.mark.parametrize(
    ("language", "stop", "confirm", "close", "differs"),
    [
        ("zh", "停止", "确认停止", "知道了", "反馈现在仍是“运行”"),
        ("en", "stop", "Confirm: stop", "Understood", "itself still says “running”"),
    ],
)
def test_a_stop_that_is_written_is_not_told_as_a_machine_that_stands(
    stage: Commanded, context: BrowserContext, language: str, stop: str, confirm: str, close: str, differs: str
) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_102", language)
        page.get_by_role("button", name=stop, exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, confirm)
        expect(page.locator("dialog .outcome.done")).to_be_visible()
        expect(page.locator("dialog .after")).to_contain_text(differs)
        assert not spilled(page) and not serious(page)
        press(page, close)
        after = page.locator(".commands .last .after")
        expect(after).to_contain_text(differs)
        assert not spilled(page) and not serious(page)
        stage.set(RUNNING, 0)
        expect(page.locator(".commands .last .outcome")).to_be_visible()
        expect(after).to_have_count(0)
        # Whoever starts it later: that is not of this command.
        stage.set(RUNNING, 1)
        page.get_by_role("button", name=stop, exact=True).click()
        expect(page.locator("dialog .doing")).to_contain_text({"zh": "运行", "en": "running"}[language])
        expect(after).to_have_count(0)
        page.keyboard.press("Escape")
        speak(page, "zh")


def test_a_command_that_is_under_way_offers_nothing_and_is_told_by_when_and_by_whom_it_was_given(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, "^选择$")
        held: list[Route] = []

        def hold(way: Route) -> None:
            held.append(way)

        page.route("**/api/v1/control/execute", hold)
        pressed = time.time()
        press(page, "^执行")
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("正在执行")
        given = time.time()
        expect(dialog.locator(".buttons button:enabled")).to_have_count(0)
        expect(dialog.locator(".buttons button")).to_have_text(["执行中，不能撤回"])
        expect(dialog).not_to_contain_text("已选择")
        page.wait_for_timeout(3_000)  # as long as the answer is told apart by its second
        held[0].continue_()
        expect(dialog.locator(".outcome.done")).to_be_visible()
        press(page, "知道了")
        last = page.locator(".commands .last")
        expect(last).to_contain_text("签名 王工")
        told = re.search(r"\d\d:\d\d:\d\d", last.inner_text())
        zone = ZoneInfo("Asia/Shanghai")  # the mine lives by it
        seconds = range(math.floor(pressed) - 1, math.ceil(given) + 2)
        assert told and told[0] in {f"{datetime.fromtimestamp(each, zone):%H:%M:%S}" for each in seconds}


def test_all_that_is_in_the_way_is_named_the_tag_first_and_the_machine_by_its_name(
    stage: Commanded, context: BrowserContext
) -> None:
    tag = Tag("held", "belt_101", "李工", "换托辊", 1, "li")
    stage.set(RUNNING, 0)
    stage.within(stage.bench.tags.hang(tag))
    try:
        with watched(context, stage.url) as page:
            machine(page, stage, "belt_101")
            page.get_by_role("button", name="启动", exact=True).click()
            arm(page, stage, "王工", "operator")
            named = page.locator("dialog .outcome li")
            expect(named).to_have_count(2)
            expect(named.first).to_contain_text("101 皮带 已挂牌：李工（换托辊）")
            expect(named.last).to_contain_text("102 皮带 运行状态")
            expect(page.locator("dialog .outcome")).not_to_contain_text(re.compile("belt_10"))
    finally:
        stage.within(stage.bench.tags.remove(tag))


def test_without_the_platform_nothing_old_is_told_and_only_a_stop_is_given(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=LOST) as page:
        machine(page, stage, "belt_101")
        panel = page.locator(".commands")
        expect(panel).to_contain_text("远控")
        page.route("**/api/v1/control/machines/*", lambda way: way.abort())
        expect(panel.get_by_role("alert")).to_contain_text("现在不明")
        expect(panel.locator(".inside b").first).to_have_text("不明")
        expect(panel).not_to_contain_text("无人")
        for name in ("启动", "设定 …", "挂牌 …"):
            expect(panel.get_by_role("button", name=name, exact=True)).to_be_disabled()
        expect(panel.get_by_role("button", name="停止", exact=True)).to_be_enabled()
        page.unroute("**/api/v1/control/machines/*")
        expect(panel.get_by_role("button", name="启动", exact=True)).to_be_enabled()
        expect(panel).to_contain_text("远控")


@pytest.mark.parametrize(
    ("language", "settle", "seen", "record"),
    [
        ("zh", "现场核实 …", "现场看到：未执行", "记录"),
        ("en", "Say what was seen …", "Seen there: it was not done", "Record it"),
    ],
)
def test_a_person_says_what_was_seen_of_a_command_that_nobody_answered(
    stage: Commanded, context: BrowserContext, language: str, settle: str, seen: str, record: str
) -> None:
    with watched(context, stage.url, forgiven=("503",)) as page:
        point = f"{CODE}/belt_102/command"
        asked = {"order": {"act": "execute", "id": f"lost-{language}", "point": point, "value": 1}, "gateway": "edge1"}
        tell(stage.home, "command.ask", point, after=asked, who="wang", origin="test")
        tell(stage.home, "command.end", point, after={"id": f"lost-{language}"}, who="wang", origin="test")
        machine(page, stage, "belt_102", language)
        line = page.locator(".unknown p").first
        expect(line).to_contain_text("启动" if language == "zh" else "start")
        line.get_by_role("button", name=settle).click()
        dialog = page.locator("dialog")
        dialog.get_by_label(seen).check()
        expect(
            dialog.get_by_role("button", name=record)
        ).to_be_disabled()  # nobody says so without saying how they know
        dialog.locator("textarea").fill("巡检工 <b>李</b> 在机头")
        assert not spilled(page) and not serious(page)
        dialog.get_by_role("button", name=record).click()
        expect(dialog).to_have_count(0)
        # Settled, it stands in the audit and no longer on the faceplate.
        expect(page.locator(".unknown")).to_have_count(0)
        (kept,) = [each for each in entries(stage.home, what="command.settle") if f"lost-{language}" in each.after]
        assert json.loads(kept.after)["reason"] == "巡检工 <b>李</b> 在机头"
        assert not spilled(page) and not serious(page)
        speak(page, "zh")
