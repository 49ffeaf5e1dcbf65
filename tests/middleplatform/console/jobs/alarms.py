"""Alarms: what is wrong in the mine is told, acknowledged, put aside for a while, and kept in the journal."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def alarms(desk: Desk) -> None:
    """Gas that rises is an alarm that an operator acknowledges; one that is no law's is shelved and taken back."""
    page = desk.page
    gas, warm = desk.one(
        ("ch4_main_return/ch4", "belt_105/motor_temp_1"), ("ch4_heading1_t1/ch4", "belt_106/motor_temp_1")
    )
    desk.open(f"/alarms?flat=1&equipment={gas.split('/')[0]}")
    desk.fault("over_range", gas, "--for", "3min")
    row = page.locator("tbody tr", has=page.locator(".priority")).first
    expect(row).to_be_visible(timeout=SLOW_MS)
    number = int((row.locator("a.open").get_attribute("href") or "").split("?")[0].rsplit("/", 1)[1])
    assert "unacknowledged" in desk.ask(f"alarms/{number}")["state"]
    desk.button("确认", "Acknowledge", row).click()
    expect(page.locator(".bar [role=status]")).to_contain_text(desk.say("已确认 1 条", "1 acknowledged"))
    until(lambda: desk.ask(f"alarms/{number}")["state"] == "acknowledged")

    desk.fault("over_range", warm, "--for", "3min")
    desk.open(f"/alarms?flat=1&equipment={warm.split('/')[0]}")
    row = page.locator("tbody tr", has=page.get_by_role("button", name=desk.say("搁置", "Shelve"))).first
    desk.button("搁置", "Shelve", row).click(timeout=SLOW_MS)
    shelved = int((row.locator("a.open").get_attribute("href") or "").split("?")[0].rsplit("/", 1)[1])
    page.fill("#reason", desk.say("传感器标校", "sensor is calibrated"))
    desk.confirm("搁置", "Shelve")
    expect(desk.dialog).to_have_count(0)
    until(lambda: [each["kind"] for each in desk.ask(f"alarms/{shelved}")["suppressed"]] == ["shelved"])

    desk.open("/alarms/suppressed")
    put = page.locator("tbody tr", has_text=desk.say("传感器标校", "sensor is calibrated"))
    desk.button("取消搁置", "Unshelve", put).click()
    expect(put).to_have_count(0)
    assert not desk.ask(f"alarms/{shelved}")["suppressed"]

    page.goto(f"{desk.mine.url}/alarms/journal?alarm={number}&range=1h")
    acts = page.locator("tbody tr")
    expect(acts.filter(has_text=desk.say("确认", "acknowledged")).first).to_contain_text("admin", timeout=SLOW_MS)
    expect(acts.filter(has_text=desk.say("报警", "raised")).first).to_be_visible()
