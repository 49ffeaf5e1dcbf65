"""Trends: points are added by their names, drawn, followed, and given as a file."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

DRAWN = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let found = 0
    for (let k = 3; k < data.length; k += 4) if (data[k]) found++
    return found
}"""


def trends(desk: Desk) -> None:
    page = desk.page
    paths = desk.one(("belt_101/power", "main_fan_1/negative_pressure"), ("belt_102/power", "pump_room_1/level"))
    points = [desk.point(path) for path in paths]
    desk.open("/trends")
    search = page.get_by_role("combobox", name=desk.say("添加测点", "Add a point"))
    for point in points:
        search.fill(f"{point['equipment']['id']} {desk.named(point['name'])}")
        page.get_by_role("option").filter(has_text=point["point"]).first.click()
    rows = page.locator(".pens tbody tr")
    expect(rows).to_have_count(2)
    expect(page.locator(".plot")).to_have_attribute("aria-busy", "false", timeout=SLOW_MS)
    for row, path in zip(rows.all(), paths, strict=True):
        desk.within(row.locator(".value b"), lambda path=path: desk.now(path)["value"], 5.0)
        expect(row.locator("td").nth(2)).to_contain_text("/")  # least and most of the range
    until(lambda: page.locator(".trend canvas").evaluate(DRAWN) > 1000)
    expect(page.locator(".mode")).to_have_text(desk.say("实时", "live"))

    desk.button("导出", "Export").click()
    with page.expect_download() as told:
        desk.dialog.get_by_role("link", name="CSV").click()
    with Path(told.value.path()).open(encoding="utf-8-sig", newline="") as file:
        exported = list(csv.DictReader(file))
    assert {row["point"] for row in exported} == {point["point"] for point in points}
    page.keyboard.press("Escape")
