"""The data itself: a point is found, how good its data is, by which standard, and where it comes from."""

from __future__ import annotations

import csv
import io
import re

from playwright.sync_api import expect

from sevenones.bench.chromium import RESET
from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def catalogue(desk: Desk) -> None:
    """A point is found by its words, told with its source, and leads to where its value comes from."""
    page = desk.page
    point = desk.point(desk.one("belt_101/speed", "belt_102/speed"))
    desk.open("/catalogue")
    page.locator("input.q").fill(f"{desk.named(point['equipment']['name'])} {desk.named(point['name'])}")
    row = page.locator("tbody tr", has_text=desk.named(point["name"]))
    row.get_by_role("button", name=desk.named(point["name"]), exact=True).first.click()
    beside = page.locator(".beside .panel")
    expect(beside).to_contain_text(point["point"], timeout=SLOW_MS)
    expect(beside).to_contain_text(desk.one("hr:4", "hr:2"))
    expect(beside.locator("dd .value.good").first).to_contain_text("m/s", timeout=SLOW_MS)
    expect(beside).to_contain_text(str(next(iter(point["range"].values()))))
    beside.get_by_role("link", name=desk.say("血缘", "Lineage"), exact=True).click()
    expect(page).to_have_url(re.compile("/lineage"))


def quality(desk: Desk) -> None:
    """The hours of each machine; a cell leads to what was not good in it, point by point."""
    page = desk.page
    desk.open("/quality")
    expect(page.locator(".list canvas")).to_be_visible(timeout=SLOW_MS)
    desk.button("表格", "Table").click()
    cells = page.locator("a.cell").filter(has_text=re.compile(r"\d"))
    expect(cells.first).to_be_visible(timeout=SLOW_MS)
    cell, beside = cells.last, page.locator(".beside .panel").first

    def same() -> bool:
        """The hour that runs is judged as far as it has come: both are asked for anew."""
        page.reload()
        expect(cell).to_be_visible(timeout=SLOW_MS)
        score = float(cell.inner_text())
        cell.click()
        told = beside.locator("dd b")
        expect(told).to_have_text(re.compile(r"\d"), timeout=SLOW_MS)
        number = re.search(r"[\d.]+", told.inner_text())
        return number is not None and abs(float(number[0]) - score) <= 1.0

    until(same, within=120)
    expect(beside).to_contain_text(desk.say("完整性", "Completeness"))
    beside.get_by_role("link", name=desk.say("按测点细看", "Point by point")).click()
    expect(page).to_have_url(re.compile("equipment="))
    expect(page.locator(".list canvas")).to_be_visible(timeout=SLOW_MS)


def standard(desk: Desk) -> None:
    """How far the points follow the standard, as the API says; the findings of a rule, and as a file."""
    page = desk.page
    said = desk.ask("standard/report", limit=1)
    worst = max(said["rules"], key=lambda each: each["broken"])
    desk.open("/standard")
    panel = page.locator(".beside .panel").first
    expect(panel.locator(".sum").first).to_contain_text(str(said["following"]), timeout=SLOW_MS)
    expect(panel).to_contain_text(desk.say("符合率", "follow"))
    panel.get_by_role("button", name=desk.named(worst), exact=True).click()
    expect(page).to_have_url(re.compile(f"rule={re.escape(worst['rule'])}"))
    expect(page.locator(".list tbody tr").first).to_contain_text(desk.named(worst))
    export = page.get_by_role("link", name=desk.say("导出 CSV", "Export CSV"))
    expect(export).to_have_attribute("href", re.compile(re.escape(worst["rule"])))
    href = export.get_attribute("href") or ""
    rows = list(
        csv.DictReader(io.StringIO(page.request.get(desk.mine.url + href, max_retries=RESET).text().lstrip("\ufeff")))
    )
    assert len(rows) == worst["broken"]


def lineage(desk: Desk) -> None:
    """A roll-up is traced to its samples' point, the device's address, the connection and the gateway."""
    page = desk.page
    point = desk.point(desk.one("belt_101/speed", "belt_102/speed"))
    desk.open("/lineage")
    field = page.locator(".pick input")
    field.fill(point["point"])
    expect(page.locator(".pick li").first).to_be_visible(timeout=SLOW_MS)
    field.press("Enter")
    nodes = page.locator("svg .node")
    for words in (desk.say("设备地址", "address in the device"), desk.say("网关", "gateway")):
        expect(nodes.filter(has_text=words).first).to_be_visible(timeout=SLOW_MS)
    page.get_by_label(desk.say("汇总", "Roll-up")).select_option("1m")
    expect(nodes.filter(has_text=desk.say("汇总", "roll-up")).first).to_be_visible(timeout=SLOW_MS)
    nodes.filter(has_text=desk.say("连接", "connection")).last.click()
    expect(page.locator(".beside h2")).to_contain_text(desk.one("belt_plc_1", "belt_plc_2"))
    desk.button("清单", "List").click()
    expect(page.get_by_role("treeitem").first).to_contain_text(desk.say("汇总", "roll-up"))
