"""Commands and tags: given in the browser with a person's own key, carried out in the mine."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

DISPATCHER, ELECTRICIAN = "演示值班长", "演示电工"
REMOTE, AUTO = 2, 3


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
    expect(desk.dialog.locator(".outcome.done").first).to_be_visible(timeout=SLOW_MS)
    page.keyboard.press("Escape")
    expect(page.locator(".commands .hangs")).to_contain_text(words, timeout=SLOW_MS)

    desk.open("/tags")
    row = page.locator("tbody tr", has_text=words)
    expect(row).to_contain_text(desk.named(machine["name"]))
    expect(row).to_contain_text(ELECTRICIAN)
    desk.button("摘牌 …", "Remove …", row).click()
    desk.arm(ELECTRICIAN)
    desk.confirm("摘牌", "Remove the tag")
    expect(desk.dialog.locator(".outcome.done").first).to_be_visible(timeout=SLOW_MS)
    page.keyboard.press("Escape")
    expect(row).to_have_count(0, timeout=SLOW_MS)
    assert not [each for each in desk.ask("control/tags")["tags"] if each["reason"] == words]


def commands(desk: Desk) -> None:
    """A compressor gets another mode: selected with every check, executed, and read back from the machine."""
    page = desk.page
    name = desk.one("compressor_2", "compressor_3")
    told = desk.ask(f"control/machines/{name}")["points"]
    mode = next(each for each in told if each["role"] == "command.mode")
    # Those of a house have one mode together, which was perhaps changed in the other language.
    wanted = AUTO if desk.now(f"{name}/mode")["value"] == REMOTE else REMOTE
    words = next(each["name"] for each in mode["tells"] if each["value"] == wanted)
    desk.open(f"/commands/{name}")
    page.locator(".commands").get_by_role("button", name=desk.named(words), exact=True).click(timeout=SLOW_MS)
    desk.arm(DISPATCHER)
    desk.confirm("选择", "Select")
    expect(desk.dialog.get_by_role("timer")).to_be_visible(timeout=SLOW_MS)
    expect(desk.dialog.locator(".trace li").first).to_be_visible()
    expect(desk.dialog.locator(".trace .failed")).to_have_count(0)
    assert desk.now(f"{name}/mode")["value"] != wanted, "a selection writes nothing"
    desk.dialog.locator(".execute").click()
    done = desk.say("已执行", "Done")
    expect(desk.dialog.locator(".outcome")).to_contain_text(done, timeout=SLOW_MS)
    until(lambda: desk.now(f"{name}/mode")["value"] == wanted)
    page.keyboard.press("Escape")
    expect(page.locator(".commands .last")).to_contain_text(done)
    expect(page.locator(".commands")).to_contain_text(DISPATCHER)
