"""Sequences: one is asked for, and taken back before it gives a command."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def sequences(desk: Desk) -> None:
    page = desk.page
    desk.open("/sequences")
    told = {each["id"]: each for each in desk.ask("sequences")["sequences"]}
    wanted = told[desk.one("start_belts", "start_face")]
    page.get_by_role("link", name=desk.named(wanted["name"]), exact=True).first.click()
    expect(page.locator(".chain").first.locator("li").first).to_contain_text(
        desk.named(told["start_belts"]["steps"][0]["name"])
    )
    desk.button("执行 …", "Run it …").click()
    desk.dialog.locator("input").fill("test")
    desk.confirm("执行", "Run it")
    expect(page).to_have_url(re.compile(r"/sequences/runs/\d+$"))
    number = int(page.url.rsplit("/", 1)[1])
    phase = page.locator(".phase")

    def run() -> Any:
        return desk.ask(f"sequences/runs/{number}")

    # The mine's people have its belts under local control at times: then nothing is commanded, and it is said why.
    if until(lambda: run()["phase"] != "asked" and run())["phase"] == "refused":
        expect(phase).to_have_text(desk.say("未启动", "not started"), timeout=SLOW_MS)
        expect(page.locator(".why")).to_contain_text(desk.named(run()["reason"]))
    else:
        desk.button("中止 …", "Abort …").click(timeout=SLOW_MS)
        desk.confirm("中止并返回", "Abort, take the way back")
        expect(phase).to_have_text(desk.say("已中止", "aborted"), timeout=SLOW_MS)
        assert run()["phase"] == "aborted"
    expect(page.locator("main")).to_contain_text("admin")
    page.get_by_role("link", name=desk.say("全部顺序控制", "All sequences")).click()
    expect(page.locator(f'a[href="/sequences/runs/{number}"]')).to_be_visible()
