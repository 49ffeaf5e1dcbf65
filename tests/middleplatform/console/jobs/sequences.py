"""Sequences: one is started, seen in its warning, and taken back before it gives a command."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def sequences(desk: Desk) -> None:
    page = desk.page
    desk.open("/sequences")
    told = {each["id"]: each for each in desk.ask("sequences")["sequences"]}
    wanted = told[desk.one("start_pump_3", "start_pump_4")]
    page.get_by_role("link", name=desk.named(wanted["name"]), exact=True).click()
    expect(page.locator(".chain").first.locator("li").first).to_contain_text(desk.named(wanted["steps"][0]["name"]))
    desk.button("执行 …", "Run it …").click()
    desk.dialog.locator("input").fill("test")
    desk.confirm("执行", "Run it")
    expect(page).to_have_url(re.compile(r"/sequences/runs/\d+$"))
    number = int(page.url.rsplit("/", 1)[1])
    desk.button("中止 …", "Abort …").click(timeout=SLOW_MS)
    desk.confirm("中止并返回", "Abort, take the way back")
    phase = page.locator(".phase")
    expect(phase).to_have_text(desk.say("已中止", "aborted"), timeout=SLOW_MS)
    expect(page.locator("table").last).to_contain_text("admin")
    assert desk.ask(f"sequences/runs/{number}")["run"]["phase"] == "aborted"
    page.get_by_role("link", name=desk.say("全部顺序控制", "All sequences")).click()
    expect(page.locator(f'a[href="/sequences/runs/{number}"]')).to_be_visible()
