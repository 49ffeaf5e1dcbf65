"""The shift log and the hand-over in a real browser: two people sign, and each has seen what stands open."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.access import tokens, users
from middleplatform.access.scope import Scope
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.tickets import book as tickets
from middleplatform.tickets.book import Kind
from tests.middleplatform.api.build import CODE, now
from tests.middleplatform.api.stage import PASSWORD, Stage
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched


@pytest.fixture(scope="module")
def open_alarm(stage: Stage) -> None:
    users.create_user(stage.home, "anna", PASSWORD, "operator")
    users.create_user(stage.home, "east", PASSWORD, "operator")
    users.set_scope(stage.home, "east", Scope.of({"areas": ["east"]}))
    found = Change("gas", f"{CODE}/pump1/level", Act.RAISE, now(), 0, 1, statutory=True)
    assert book.record(stage.home, CODE, Position("watch-alarms", "SAMPLES", 1, 1), [found])


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ("已记录", "更正", "已由", "当班")), ("en", ("Written", "Correct", "corrected by", "On duty"))],
)  # fmt: skip
def test_the_log_is_written_and_corrected_and_never_changed(
    stage: Stage, context: BrowserContext, open_alarm: None, language: str, words: tuple[str, ...]
) -> None:
    kept, correct, corrected, duty = words
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/shifts")
        expect(page.get_by_text(duty)).to_be_visible()
        page.locator("#entry").focus()
        page.keyboard.insert_text("长" * 2_100)
        expect(page.locator("[popover]")).to_contain_text("2000")
        page.fill("#entry", "")
        expect(page.locator("[popover]")).to_be_hidden()
        wrong = f"<script>alert(1)</script> {language} " + "长" * 200
        page.fill("#entry", wrong)
        page.locator(".write select").select_option("belt1")
        page.locator(".write button[type=submit]").click()
        expect(page.locator(".write [role=status]")).to_have_text(kept)
        first = page.locator("ol li", has_text=wrong)
        expect(first.locator("a")).to_have_attribute("href", "/equipment/belt1")
        first.get_by_role("button", name=correct).click()
        page.fill("#entry", f"right {language}")
        page.locator(".write button[type=submit]").click()
        expect(first).to_contain_text(corrected)
        assert not spilled(page)
        assert not serious(page)
        speak(page, "zh")


def test_two_people_sign_and_nobody_for_what_they_were_not_shown(
    stage: Stage, context: BrowserContext, open_alarm: None
) -> None:
    with watched(context, stage.url, forgiven=("409", "401")) as page:
        sign_in(page, stage, "/shifts")
        things = page.locator(".kind", has_text="报警")
        expect(things).to_contain_text("一号水泵")
        page.fill("#offer", "注意水泵")
        offers: list[str] = []
        page.on("request", lambda asked: offers.append(asked.method) if asked.url.endswith("/handovers") else None)
        page.get_by_role("button", name="签字交班").click()
        # Nobody signs by one click: what is signed for is counted first.
        dialog = page.locator("dialog")
        expect(dialog.locator("dd").first).to_have_text("1")
        expect(dialog).to_contain_text("没有应答的网关1（edge1")
        expect(dialog).to_contain_text("注意水泵")
        assert not serious(page)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="签字交班").click()
        assert "POST" not in offers
        dialog.get_by_role("button", name="确认签字").click()
        expect(page.get_by_text("您是交班人，不能自己接班")).to_be_visible()
        expect(page.get_by_role("button", name="签字接班")).to_have_count(0)
        # One who sees a part of the mine is refused, and told why.
        context.clear_cookies()
        page.goto(f"{stage.url}/shifts")
        page.fill("#user", "east")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.get_by_role("button", name="签字接班")).to_be_disabled()
        page.get_by_label("我已看过").check()
        page.get_by_role("button", name="签字接班").click()
        expect(page.locator(".wrong[role=alert]")).to_contain_text("不在您的权限范围内")
        expect(page.get_by_text("签字的人须看到全部未了事项")).to_be_visible()
        # What came since the offer is shown to the one who comes.
        late = Change("late", f"{CODE}/belt1/speed", Act.RAISE, now(), 0, 2)
        assert book.record(stage.home, CODE, Position("watch-alarms", "SAMPLES", 1, 2), [late])
        context.clear_cookies()
        page.goto(f"{stage.url}/shifts")
        page.fill("#user", "anna")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator(".changed")).to_contain_text("交班后新增")
        expect(page.locator(".changed")).to_contain_text("带速")
        page.get_by_label("我已看过").check()
        page.fill("#remarks", "已现场确认")
        assert not spilled(page)
        assert not serious(page)
        page.get_by_role("button", name="签字接班").click()
        expect(page.get_by_text("已接班").first).to_be_visible()
        expect(page.locator("dl")).to_contain_text("anna")
        page.get_by_role("link", name="返回当前").click()
        expect(page.get_by_role("button", name="签字交班")).to_be_visible()


def test_what_is_open_is_told_before_it_is_signed_for(stage: Stage, open_alarm: None) -> None:
    east = tokens.create_token(stage.home, "part", "operator", scope=Scope.of({"areas": ["east"]}))
    with stage.client("admin") as client:
        whole = client.get("/api/v1/shifts/open").json()
        part = client.get("/api/v1/shifts/open", headers={"Authorization": f"Bearer {east}"}).json()
    # The gateway that does not answer stands for tags of the whole mine, which a part does not see.
    kept = len(part["open"]["alarms"]) + part["hidden"] - len(whole["unanswered"])
    assert whole["hidden"] == 0 and whole["unanswered"] == ["edge1"] and len(whole["open"]["alarms"]) == kept
    assert part["hidden"] >= 1 and "pump1" not in str(part)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("剔除时段", "待审批", "检修", "已批准")),
        ("en", ("excluded time", "waits for approval", "maintenance", "approved")),
    ],
)
def test_what_stands_open_is_told_in_the_readers_words(
    stage: Stage, context: BrowserContext, open_alarm: None, language: str, words: tuple[str, ...]
) -> None:
    extent, then = [f"{CODE}/belt1"], now()
    asked = [
        tickets.open_ticket(stage.home, CODE, kind, "olga", "roller", extent, then, None, **more)
        for kind, more in ((Kind.EXCLUDED_TIME, {"cause": "planned_maintenance"}), (Kind.MAINTENANCE, {}))
    ]
    tickets.decide(stage.home, CODE, asked[1].id, "anna", approve=True)
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/shifts")
        for ticket, said in zip(asked, (words[:2], words[2:]), strict=True):
            line = page.locator(".kind li", has_text=f"#{ticket.id} ").first
            for word in said:
                expect(line).to_contain_text(word)
            expect(line).not_to_contain_text("_")
        speak(page, "zh")
    tickets.withdraw(stage.home, CODE, asked[0].id, "olga")
    tickets.close(stage.home, CODE, asked[1].id)
