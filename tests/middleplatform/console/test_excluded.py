"""Excluded time in a real browser: asked for, withdrawn, decided on by another, ended early; never by one alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from middleplatform.access import users
from models.kpi.calendar import bounds, day_of
from tests.middleplatform.api.build import now, site
from tests.middleplatform.api.stage import PASSWORD, Stage, bare, threaded
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched
from tests.middleplatform.console.kept import keep_day

HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("excluded")
    with threaded(lambda loop: bare(home, loop)) as standing:
        keep_day(home, day_of(site(), now()) - timedelta(days=1))
        users.create_user(home, "anna", PASSWORD, "operator")
        yield standing


def field(us: int) -> str:
    """An instant as a field of date and time at the mine has it."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(ZoneInfo(site().time_zone))
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def fill(dialogue: Locator, start: int, hours: int, reason: str) -> None:
    dialogue.locator("input.start").fill(field(start))
    dialogue.locator("input.end").fill(field(start + hours * HOUR))
    dialogue.locator("input.reason").fill(reason)


def row(page: Page, reason: str) -> Locator:
    return page.locator(".tickets tbody tr", has_text=reason)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_time_is_asked_for_within_limits_told_before_and_its_asker_decides_nothing(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    words = {
        "zh": ("申请剔除时段", "提交申请", "一张最长 24 小时", "待批 0/1", "须由他人审批", "撤回",
               "已撤回", "一号带式", "填写理由", "管理员"),
        "en": ("Ask for excluded time", "Ask for it", "24 h at most", "waiting 0 of 1", "somebody else", "Withdraw",
               "withdrawn", "belt 1", "give a reason", "administrator"),
    }[language]  # fmt: skip
    ask, send, most, waits, others, back, gone, unit, lacking, decider = words
    reason = f"更换托辊 {language}"
    with watched(context, stage.url, forgiven=("400",)) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/excluded")
        page.get_by_role("button", name=ask).click()
        dialogue = page.get_by_role("dialog")
        expect(dialogue.locator(".limits")).to_contain_text(most)
        # Why it cannot be sent yet stands beside the button, and who will decide.
        expect(dialogue.get_by_role("button", name=send)).to_be_disabled()
        expect(dialogue.locator(".lacks")).to_contain_text(lacking)
        expect(dialogue.locator(".deciders")).to_contain_text(decider)
        # Units are those that have figures: no sensor, no pump that nobody judges.
        dialogue.locator(".units label", has_text=unit).locator("input").check()
        start = now() + 24 * HOUR
        fill(dialogue, start, 30, reason)
        dialogue.get_by_role("button", name=send).click()
        expect(dialogue.get_by_role("alert")).to_contain_text("30")
        assert not spilled(page) and not serious(page)
        fill(dialogue, start, 2, reason)
        dialogue.get_by_role("button", name=send).click()
        expect(page.locator("main").get_by_role("status")).to_contain_text(waits)
        own = row(page, reason)
        expect(own.locator(".state-of")).to_contain_text(waits)
        expect(own).to_contain_text(field(start)[:16].replace("T", " "))
        expect(own).to_contain_text(others)
        expect(own.get_by_role("button")).to_have_text([back])
        assert not spilled(page) and not serious(page)
        own.get_by_role("button", name=back).click()
        page.get_by_role("dialog").get_by_role("button", name=back).click()
        expect(page.locator("main").get_by_role("status")).to_contain_text(gone)
        expect(own.locator(".state-of")).to_have_text(gone)
        expect(own.get_by_role("button")).to_have_count(0)
        speak(page, "zh")


def test_what_another_asked_for_is_approved_and_ended_early_and_a_refusal_is_said(
    stage: Stage, context: BrowserContext
) -> None:
    asked = {"kind": "excluded_time", "cause": "face_move", "equipment": ["belt1"], "reason": "搬家倒面"}
    with stage.client("admin") as client:
        given = {**asked, "start": str(now() - HOUR), "end": str(now() + HOUR)}
        number = client.post("/api/v1/tickets", json=given).json()["id"]
        assert client.post(f"/api/v1/tickets/{number}/approve", json={}).status_code == 403, "nobody decides alone"
    with watched(context, stage.url, forgiven=("409",)) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/excluded?ticket={number}")
        found = row(page, "搬家倒面")
        expect(found.get_by_role("button")).to_have_text(["批准", "驳回"])
        found.get_by_role("button", name="批准").click()
        page.get_by_role("dialog").locator("input").fill("属实")
        page.get_by_role("dialog").get_by_role("button", name="批准").click()
        # Of a cause that two have to approve, one is not enough, nor the same one twice.
        expect(found.locator(".state-of")).to_contain_text("1/2 人批准")
        expect(found).to_contain_text("您已审批过")
        expect(found.get_by_role("button")).to_have_count(0)
        with stage.client(None) as other:
            users.create_user(stage.home, "vera", PASSWORD, "administrator")
            token = other.post("/api/v1/sign-in", json={"user": "vera", "password": PASSWORD}).json()["token"]
            other.headers["Authorization"] = f"Bearer {token}"
            assert other.post(f"/api/v1/tickets/{number}/approve", json={}).json()["state"] == "approved"
            page.reload()
            found.get_by_role("button", name="提前结束").click()
            expect(page.get_by_role("dialog")).to_contain_text("重新计入")
            # Somebody ends it first: the refusal is said, and how it stands is shown.
            assert other.post(f"/api/v1/tickets/{number}/close", json={}).json()["state"] == "closed"
        page.get_by_role("dialog").get_by_role("button", name="提前结束").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("closed")
        expect(found.locator(".state-of")).to_contain_text("已结束")


def test_limits_have_their_base_and_what_is_taken_and_dates_that_are_wrong_say_so(
    stage: Stage, context: BrowserContext
) -> None:
    month = (day_of(site(), now()).replace(day=1) + timedelta(days=32)).replace(day=1)
    whole = (bounds(site(), (month + timedelta(days=32)).replace(day=1))[0] - bounds(site(), month)[0]) / HOUR
    start = bounds(site(), month.replace(day=10))[0] + 8 * HOUR
    asked = {"kind": "excluded_time", "cause": "planned_maintenance", "equipment": ["belt1"], "reason": "更换胶带"}
    with stage.client("admin") as client:
        # Two that overlap by an hour take seven together.
        for early, hours in ((0, 4), (3, 4)):
            when = {"start": str(start + early * HOUR), "end": str(start + (early + hours) * HOUR)}
            assert client.post("/api/v1/tickets", json={**asked, **when}).status_code == 201
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/excluded")
        expect(page.locator("main .deciders")).to_contain_text("可审批的角色：管理员")
        page.get_by_role("button", name="申请剔除时段").click()
        dialogue = page.get_by_role("dialog")
        dialogue.locator(".units label", has_text="一号带式").locator("input").check()
        fill(dialogue, start + 48 * HOUR, 2, "再换带")
        taken = dialogue.locator(".taken tbody tr")
        expect(taken).to_contain_text(f"{month:%Y-%m}")
        expect(taken).to_contain_text(f"{whole:.0f}")
        for name, most in (("own-cause", 0.34), ("all-causes", 0.6)):
            words = f"7.0 / {most * whole:.1f} h（{7 / whole:.1%}，限 {most:.1%}）".replace("%", " %")
            expect(taken.locator(f".{name}")).to_have_text(words)
        assert not spilled(page) and not serious(page)
        send = dialogue.get_by_role("button", name="提交申请")
        expect(send).to_be_enabled()
        dialogue.locator("input.end").fill(field(start))
        expect(dialogue.get_by_role("alert")).to_have_text("结束须晚于开始")
        expect(send).to_be_disabled()
        expect(dialogue.locator(".lacks")).to_contain_text("结束须晚于开始")
        dialogue.get_by_role("button", name="取消").click()


def test_a_chamber_has_its_name_and_a_decision_says_what_it_still_needs(stage: Stage, context: BrowserContext) -> None:
    def with_chamber(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said["tickets"][0]["extent"] = [f"{site().code}/pump_room"]
        route.fulfill(response=answer, json=said)

    def chambers(route: Route) -> None:
        answer = route.fetch()
        room = {"id": "pump_room", "name": {"zh": "中央水泵房", "en": "main pump room"}}
        route.fulfill(response=answer, json={**answer.json(), "chambers": [room]})

    with stage.client("admin") as client:
        given = {"kind": "excluded_time", "cause": "planned_maintenance", "equipment": ["belt1"], "reason": "检修水泵"}
        when = {"start": str(now() + 90 * HOUR), "end": str(now() + 91 * HOUR)}
        assert client.post("/api/v1/tickets", json={**given, **when}).status_code == 201
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/tickets?*", with_chamber)
        page.route("**/api/v1/chambers*", chambers)
        page.goto(f"{stage.url}/excluded")
        expect(row(page, "检修水泵")).to_contain_text("中央水泵房")
        expect(row(page, "检修水泵")).not_to_contain_text("pump_room")
        row(page, "检修水泵").get_by_role("button", name="驳回").click()
        dialogue = page.get_by_role("dialog")
        expect(dialogue.locator(".lacks")).to_contain_text("请先填写理由")
        dialogue.locator("input").fill("不同意")
        expect(dialogue.locator(".lacks")).to_have_count(0)
        expect(dialogue.get_by_role("button", name="驳回")).to_be_enabled()
        dialogue.get_by_role("button", name="取消").click()


def test_an_operator_asks_and_decides_on_nothing(stage: Stage, context: BrowserContext) -> None:
    with stage.client("admin") as client:
        given = {"kind": "excluded_time", "cause": "planned_maintenance", "equipment": ["belt1"], "reason": "检修滚筒"}
        when = {"start": str(now() + 50 * HOUR), "end": str(now() + 51 * HOUR)}
        assert client.post("/api/v1/tickets", json={**given, **when}).status_code == 201
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.get_by_role("button", name="退出").click()
        page.fill("#user", "anna")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator("nav")).to_be_visible()
        page.goto(f"{stage.url}/excluded")
        expect(row(page, "检修滚筒").locator(".state-of")).to_contain_text("待批")
        expect(row(page, "检修滚筒").get_by_role("button")).to_have_count(0)
        expect(page.locator("main")).to_contain_text("您的角色不能审批")
        expect(page.get_by_role("button", name="申请剔除时段")).to_be_visible()
        page.wait_for_load_state("networkidle")  # what is still asked would be answered to nobody
        page.get_by_role("button", name="退出").click()
        expect(page.locator("#user")).to_be_visible()
