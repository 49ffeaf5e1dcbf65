"""Values: the points one asks for, as they are and as they change."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def values(desk: Desk) -> None:
    page = desk.page
    point = desk.point(desk.one("main_fan_1/negative_pressure", "main_fan_1/air_volume"))
    machine = point["equipment"]
    desk.open("/values")
    _some_at_a_time(desk)
    page.get_by_label(desk.say("查找", "Search")).fill(f"/{machine['id']}/")
    count = desk.ask("points", equipment=machine["id"], limit=1)["total"]
    row = page.locator("tr", has=page.get_by_role("link", name=desk.named(point["name"]), exact=True)).first
    expect(page.locator(".panels tr")).to_have_count(count)
    shown = row.locator(".value b")
    before = shown.inner_text()
    expect(shown).not_to_have_text(before, timeout=SLOW_MS)
    desk.within(shown, lambda: desk.now(f"{machine['id']}/{point['key']}")["value"], 20.0)
    page.get_by_label(desk.say("质量", "Quality")).select_option("bad")
    expect(row).to_have_count(0)


def _some_at_a_time(desk: Desk) -> None:
    """The whole mine's points come in parts, and how many are left is told."""
    rows, total = desk.page.locator(".panels tr"), desk.ask("points", limit=1)["total"]
    more = desk.page.get_by_role("button", name=desk.say("继续显示", "Show more"))
    expect(more).to_be_visible(timeout=SLOW_MS)
    begun = rows.count()
    assert begun < total
    expect(more).to_contain_text(str(total - begun))
    more.click()
    expect(rows.nth(begun)).to_be_attached()
    expect(more).to_contain_text(str(total - rows.count()))
