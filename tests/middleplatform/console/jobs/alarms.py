"""Alarms: what is wrong in the mine is told, acknowledged, put aside for a while, and kept in the journal."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def alarms(desk: Desk) -> None:
    """Gas that rises is an alarm that an operator acknowledges; one that is no law's is shelved and taken back."""
    page = desk.page
    gas, warm = desk.one(
        ("ch4_main_return/ch4", "belt_105/motor_temp_1"), ("ch4_heading1_t1/ch4", "belt_106/motor_temp_1")
    )
    desk.fault("over_range", gas, "--for", "3min")
    desk.fault("over_range", warm, "--for", "3min")
    number, rule = _raised(desk, gas)
    desk.open(f"/alarms?flat=1&equipment={gas.split('/')[0]}")
    row = _row(desk, number)
    expect(row).to_contain_text(rule, timeout=SLOW_MS)
    expect(row).to_contain_text(desk.say("未确认", "unacknowledged"))
    desk.button("确认", "Acknowledge", row).click()
    expect(page.locator(".bar [role=status]")).to_contain_text(desk.say("已确认 1 条", "1 acknowledged"))
    expect(row).to_contain_text(desk.say("已确认", "acknowledged"))
    assert "unacknowledged" not in desk.ask(f"alarms/{number}")["state"]

    shelved, rule = _raised(desk, warm)
    desk.open(f"/alarms?flat=1&equipment={warm.split('/')[0]}")
    row = _row(desk, shelved)
    desk.button("搁置", "Shelve", row).click(timeout=SLOW_MS)
    page.fill("#reason", desk.say("传感器标校", "sensor is calibrated"))
    desk.confirm("搁置", "Shelve")
    expect(row).to_have_count(0)
    assert desk.ask(f"alarms/{shelved}")["suppressed"]

    desk.open("/alarms/suppressed")
    put = page.locator("tbody tr", has_text=desk.say("传感器标校", "sensor is calibrated"))
    desk.button("取消搁置", "Unshelve", put).click()
    expect(put).to_have_count(0)
    assert not desk.ask(f"alarms/{shelved}")["suppressed"]

    page.goto(f"{desk.mine.url}/alarms/journal?alarm={number}&range=1h")
    acts = page.locator("tbody tr")
    expect(acts.filter(has_text=desk.say("确认", "acknowledged")).first).to_contain_text("admin", timeout=SLOW_MS)
    expect(acts.filter(has_text=desk.say("报警", "raised")).first).to_be_visible()


def _row(desk: Desk, number: int) -> Locator:
    """Of that alarm, and not of one whose number merely begins so."""
    link = desk.page.locator(f'a[href="/alarms/{number}"], a[href^="/alarms/{number}?"]')
    return desk.page.locator("tr", has=link)


def _raised(desk: Desk, path: str) -> tuple[int, str]:
    """The alarm of a limit that a point has passed and nobody acknowledged, and what its rule is called."""
    equipment = path.split("/", maxsplit=1)[0]

    def found() -> list[dict[str, Any]]:
        listed = desk.ask("alarms", equipment=equipment, limit=100)["alarms"]
        return [each for each in listed if each["rule"].startswith("limit") and each["state"] == "unacknowledged"]

    alarm = until(found, within=60)[0]
    return alarm["id"], desk.named(alarm["rule_name"])
