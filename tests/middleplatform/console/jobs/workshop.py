"""The engineer's workshop: a device is asked, what is wrong is found, and a rule is tried."""

from __future__ import annotations

import csv
import re

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

TABLE = """信号名称,寄存器地址,功能码,数据类型,系数,单位
{name},{address},3,{type},{scale},kW
"""


def onboarding(desk: Desk) -> None:
    """A device at its real address is reached, its table read, its bytes shown, and what would be written told."""
    page = desk.page
    desk.open("/onboarding")
    page.evaluate("sessionStorage.clear()")
    desk.open("/onboarding")
    page.locator("input.wide").fill(f"modbus://127.0.0.1:{desk.devices['SEVENONES_BELT_PLC_1_PORT']}/1")
    desk.button("连接", "Connect").click()
    expect(page.get_by_text(desk.say("已连接，", "Connected in"))).to_be_visible(timeout=SLOW_MS)
    page.locator("a.next").click()
    expect(page).to_have_url(re.compile("/onboarding/settings"))

    names = page.locator(".form > .field input")
    names.nth(0).fill("another_belt")
    page.get_by_label(desk.say("组名", "Group name")).fill("normal")
    page.locator("a.next").click()

    page.locator("input[list]").fill("belt_new")
    page.locator("select").nth(0).select_option("belt_conveyor")
    page.locator("textarea").fill(_table(desk))
    expect(desk.button("读入点表", "Read the table")).to_be_disabled()
    expect(page.get_by_text(desk.say("请填写：区域", "Fill in: Area"))).to_be_visible()
    page.locator("select").nth(1).select_option(index=1)
    desk.button("读入点表", "Read the table").click()
    expect(page.locator("tbody tr")).to_have_count(1, timeout=SLOW_MS)
    page.locator("a.next").click()

    desk.button("全部试读", "Read all").click()
    row = page.locator("tbody tr").first
    expect(row.locator(".mono")).to_have_text(re.compile(r"^[0-9A-F]{4}"), timeout=SLOW_MS)
    expect(row.locator("td.value")).to_contain_text("kW")
    page.locator("a.next").click()

    expect(page.locator(".plus", has_text="another_belt").first).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("button", name=re.compile(desk.say("^写入", "^Write")))).to_be_enabled()
    assert "another_belt" not in (desk.mine.home / "site" / "connections.yaml").read_text(encoding="utf-8")


def _table(desk: Desk) -> str:
    """The power of a belt in a maker's table, where its device has it."""
    with (desk.mine.home / "site" / "points" / "belt_plc_1.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(each for each in csv.DictReader(file) if each["point"] == "power")
    name = desk.point("belt_101/power")["name"]["zh"]
    return TABLE.format(name=name, address=row["address"].removeprefix("hr:"), type=row["type"], scale=row["scale"])


def diagnostics(desk: Desk) -> None:
    """A connection with what it counts, and a point from its bytes to its value, followed live."""
    page = desk.page
    connection, path = desk.one(("belt_plc_1", "belt_101/power"), ("belt_plc_2", "belt_102/power"))
    desk.open(f"/diagnostics?connection={connection}")
    row = page.locator("tr.chosen", has_text=connection)
    expect(row).to_contain_text(desk.say("已连接", "up"), timeout=SLOW_MS)
    expect(row).to_contain_text(re.compile(desk.say(r"\d+ / \d+ 应答", r"\d+ of \d+ answered")))
    page.get_by_label(desk.say("查找", "Search")).fill(path.split("/")[1])
    point = desk.point(path)
    name = f"{desk.named(point['equipment']['name'])} {desk.named(point['name'])}"
    follow = page.get_by_role("button", name=f"{desk.say('跟踪', 'Follow')} {name}", exact=True)
    told = page.locator("tr", has=follow)
    expect(told.locator(".raw")).to_have_text(re.compile(r"^([0-9A-F]{2} ?)+$"), timeout=SLOW_MS)
    expect(told.locator(".value")).to_contain_text(point["unit"])
    follow.click()
    end = page.get_by_role("button", name=desk.say("结束跟踪", "End following"))
    rolled = page.locator(".panel", has=end).locator("tbody tr")
    expect(rolled.nth(1)).to_contain_text(point["unit"], timeout=SLOW_MS)
    end.click()
    expect(end).to_have_count(0)


def rules(desk: Desk) -> None:
    """A linkage in words, and when it trips on values that one writes."""
    page = desk.page
    desk.open("/rules")
    wanted = next(each for each in desk.ask("workshop/rules")["rules"] if each["id"] == "edge_cut_heading_1")
    page.locator(".list input").fill(wanted["id"])
    page.locator(".list li button").first.click()
    expect(page.locator(".one .panel").first).to_contain_text("1.5", timeout=SLOW_MS)
    rows = page.locator(".inputs tbody tr")
    rows.nth(0).locator("input").nth(1).fill("0.4")
    rows.nth(1).locator("input").nth(1).fill(desk.one("1.6", "0.9"))
    page.locator(".go").click()
    outcome = page.locator(".outcome")
    if desk.language == "zh":
        expect(outcome).to_contain_text("1 次动作", timeout=SLOW_MS)
        expect(outcome.locator("li").first).to_contain_text("0:10.0 动作")
    else:
        expect(outcome).to_contain_text("Nothing trips", timeout=SLOW_MS)
