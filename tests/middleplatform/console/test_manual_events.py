"""Events by hand in a real browser: one that nobody told is entered, one that was told wrongly corrected."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from models.events import Event
from tests.middleplatform.api.build import CODE, now
from tests.middleplatform.api.stage import Stage, threaded, until, whole
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched

SECOND = 1_000_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("happened")
    with threaded(lambda loop: whole(home, loop)) as standing:
        yield standing


def test_an_event_is_entered_and_one_that_was_told_is_corrected(stage: Stage, context: BrowserContext) -> None:
    at = now() - 3600 * SECOND - 123_456
    told = {"by": "plc", "code": 7, "parts": [1, 2]}
    stage.send_events(Event("e" * 32, f"{CODE}/belt1", "belt.trip", at, at + 60 * SECOND, 192, "edge1", told))
    until(lambda: stage.get("events", equipment="belt1", start="-2h").json()["events"], within=90)
    with watched(context, stage.url, forgiven=("400",)) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/manual?state=waiting")
        page.get_by_role("button", name="录入或更正事件").click()
        dialogue = page.get_by_role("dialog")
        dialogue.locator("select.machine").select_option("belt1")
        send = dialogue.get_by_role("button", name="提交审批")
        expect(send).to_be_disabled()
        dialogue.locator("input.reason").fill("人工巡检发现")
        dialogue.locator("input.kind").fill("Belt Torn")
        send.click()
        expect(dialogue.get_by_role("alert")).to_contain_text("只能用小写字母")
        dialogue.locator("input.kind").fill("belt.torn")
        dialogue.get_by_role("button", name="加一项属性").click()
        dialogue.get_by_label("属性", exact=True).fill("metres")
        dialogue.get_by_label("内容", exact=True).fill("2.5")
        assert not spilled(page) and not serious(page)
        send.click()
        expect(page.get_by_role("status").filter(has_text="已提交")).to_be_visible()
        page.locator(".list tbody tr", has_text="人工巡检发现").get_by_role("button").click()
        expect(page.locator(".panel dl")).to_contain_text("belt.torn")
        expect(page.locator(".panel")).to_contain_text("须由他人审批")

        page.get_by_role("button", name="录入或更正事件").click()
        dialogue.locator("select.machine").select_option("belt1")
        dialogue.locator("select.which").select_option("e" * 32)
        expect(dialogue.locator("input.kind")).to_have_value("belt.trip")
        expect(dialogue.locator("input.kind")).to_be_disabled()
        expect(dialogue).to_contain_text("parts 不是单个值")
        dialogue.get_by_label("内容", exact=True).first.fill("operator")
        dialogue.locator("input.reason").fill("并非PLC跳闸")
        send.click()
        expect(dialogue).to_have_count(0)
    entries = {each["reason"]: each for each in stage.get("manual/entries", state="waiting").json()["entries"]}
    entered, corrected = entries["人工巡检发现"], entries["并非PLC跳闸"]
    assert (entered["body"]["kind"], entered["body"]["attributes"], entered["was"]) == (
        "belt.torn",
        {"metres": 2.5},
        None,
    )
    assert corrected["body"]["id"] == "e" * 32
    assert corrected["body"]["attributes"] == {"by": "operator", "code": 7}, "what nobody wrote over stays as it was"
    # The field holds whole seconds; what nobody changed keeps its own instant.
    assert (corrected["start"], corrected["end"]) == (at, at + 60 * SECOND)


def test_the_form_speaks_english(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, "en")
        page.goto(f"{stage.url}/manual")
        page.get_by_role("button", name="Enter or correct an event").click()
        expect(page.get_by_role("dialog")).to_contain_text("small letters, digits")
        assert not spilled(page)
        speak(page, "zh")
