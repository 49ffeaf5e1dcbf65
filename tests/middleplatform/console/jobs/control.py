"""Commands and tags: given in the browser with a person's own key, carried out in the mine."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

DISPATCHER, ELECTRICIAN = "演示值班长", "演示电工"


def tags(desk: Desk) -> None:
    """A tag is hung on a machine, listed, and removed by its person."""
    page = desk.page
    machine = desk.machine(desk.one("belt_105", "belt_106"))
    words = desk.say("更换减速器", "gearbox change")
    desk.open(f"/commands/{machine['id']}")
    desk.button("挂牌 …", "Hang a tag …").click(timeout=SLOW_MS)
    desk.arm(ELECTRICIAN)
    desk.dialog.locator("textarea").fill(words)
    desk.confirm("挂牌", "Hang the tag")
    expect(desk.dialog.locator(".outcome").first).to_contain_text(desk.say("已挂牌", "The tag hangs"), timeout=SLOW_MS)
    page.keyboard.press("Escape")
    expect(page.locator(".commands .hangs")).to_contain_text(words, timeout=SLOW_MS)

    desk.open("/tags")
    row = page.locator("tbody tr", has_text=words)
    expect(row).to_contain_text(desk.named(machine["name"]))
    expect(row).to_contain_text(ELECTRICIAN)
    desk.button("摘牌 …", "Remove …", row).click()
    desk.arm(ELECTRICIAN)
    desk.confirm("摘牌", "Remove the tag")
    removed = desk.say("已摘牌", "The tag is removed")
    expect(desk.dialog.locator(".outcome").first).to_contain_text(removed, timeout=SLOW_MS)
    page.keyboard.press("Escape")
    expect(row).to_have_count(0, timeout=SLOW_MS)
    assert not [each for each in desk.ask("control/tags")["tags"] if each["reason"] == words]


def commands(desk: Desk) -> None:
    """A start that an interlock forbids says why; a setting is selected, executed and read back from the machine."""
    page = desk.page
    belt, speed = desk.one(("belt_105", "2.4"), ("belt_106", "2.3"))
    desk.open(f"/commands/{belt}")
    desk.button("设定 …", "Set …").first.click(timeout=SLOW_MS)
    desk.arm(DISPATCHER)
    desk.dialog.get_by_label(desk.say("新值", "New value")).fill(speed)
    desk.confirm("选择", "Select")
    expect(desk.dialog.get_by_role("timer")).to_be_visible(timeout=SLOW_MS)
    desk.dialog.get_by_role("button", name=re.compile(desk.say("^执行", "^Execute"))).click()
    expect(desk.dialog.locator(".outcome")).to_contain_text(desk.say(f"回读值 {speed}", f"read back {speed}"))
    until(lambda: desk.now(f"{belt}/speed_set")["value"] == float(speed))
    page.keyboard.press("Escape")
    expect(page.locator(".commands .last")).to_contain_text(desk.say("已执行", "Done"))
    expect(page.locator(".commands")).to_contain_text(DISPATCHER)
