"""What people enter by hand, the dictionaries that hold, and the versions of the site."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def manual(desk: Desk) -> None:
    """A value is entered by one and approved by another; then it is a version of its point."""
    page = desk.page
    point = desk.point(desk.one("belt_101/drum_temp", "belt_102/drum_temp"))
    reason = desk.say("测温仪校准", "thermometer calibrated")
    desk.open("/manual")
    desk.button("录入或更正数值", "Enter or correct values").click()
    field = desk.dialog.locator(".pick input")
    field.fill(point["point"])
    expect(desk.dialog.locator(".pick li").first).to_be_visible(timeout=SLOW_MS)
    field.press("Enter")
    desk.dialog.locator("input.given").fill("41.5")
    desk.dialog.locator("input.reason").fill(reason)
    desk.confirm("提交审批", "Ask for approval")
    row = page.locator(".list tbody tr", has_text=reason)
    expect(row).to_contain_text(desk.say("待审批", "waiting"))
    row.get_by_role("button").click()
    beside = page.locator(".beside")
    expect(beside).to_contain_text(desk.say("须由他人审批", "somebody else has to approve"))
    number = row.get_by_role("button").inner_text()
    desk.tell(f"manual/entries/{number}/approve", {})
    desk.open(f"/manual?p={point['point']}&entry={number}")
    until(lambda: desk.ask("manual/versions", point=point["point"], start="-1h")["versions"], within=60)
    page.reload()
    told = page.locator(".versions tbody").first
    expect(told).to_contain_text("41.5 °C", timeout=SLOW_MS)
    expect(told).to_contain_text("admin")


def dictionaries(desk: Desk) -> None:
    """A dictionary is read with what holds today; one with a mistake is refused by its row, a right one holds."""
    page = desk.page
    owner = desk.say("机电队 张三", "electrical team Jones")
    desk.open("/dictionaries?kind=owners")
    kinds = desk.ask("dictionaries")["kinds"]
    expect(page.locator(".others tr")).to_have_count(len(kinds), timeout=SLOW_MS)
    desk.button("装载文件", "Load a file").click()
    given = desk.dialog
    given.get_by_label(desk.say("版次", "Edition")).fill(desk.language)
    given.get_by_label(desk.say("来源", "Source")).fill("test")
    given.get_by_label(desk.say("生效日", "In force since")).fill("2026-01-01")
    wrong = f"适用范围,责任人\npoint:belt_101/*,{owner}\nbelt without a kind,nobody\n"
    for text in (wrong, wrong.replace("belt without a kind", "point:pump_1/*")):
        file = {"name": "owners.csv", "mimeType": "text/csv", "buffer": text.replace("队 ", "队").encode()}
        given.locator('input[type="file"]').set_input_files(file)  # type: ignore[arg-type]
        desk.confirm("装载文件", "Load a file")
        if text is wrong:
            expect(given.locator(".problems tbody tr").first).to_contain_text("3", timeout=SLOW_MS)
    expect(given.get_by_role("status")).to_contain_text(desk.say("已装载为第", "Loaded as version"), timeout=SLOW_MS)
    page.keyboard.press("Escape")
    expect(page.locator(".list tbody")).to_contain_text(desk.say("机电队张三", "Jones"))


def versions(desk: Desk) -> None:
    """The site's versions as they were brought, and in words what the newest has."""
    page = desk.page
    said = desk.ask("site/versions", limit=100)["versions"]
    desk.open("/versions")
    rows = page.locator(".list tbody tr")
    expect(rows).to_have_count(len(said), timeout=SLOW_MS)
    in_one = said[0]["who"].split(" · ")  # of the site's folder nobody is the author: told in both languages
    expect(rows.first).to_contain_text(desk.say(in_one[0], in_one[-1]))
    beside = page.locator(".beside .panel")
    expect(beside).to_contain_text(desk.say("测点", "point"), timeout=SLOW_MS)
    expect(beside).to_contain_text(str(desk.ask("points", limit=1)["total"]))
