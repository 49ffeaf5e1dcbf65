"""Machines: one is found, told with its values as they are, and leads to its curves."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def equipment(desk: Desk) -> None:
    page = desk.page
    machine = desk.machine(desk.one("belt_101", "belt_102"))
    name = desk.named(machine["name"])
    path = f"{machine['id']}/power"
    point = desk.point(path)
    desk.open("/equipment")
    page.get_by_role("searchbox").fill(name)
    page.locator(".machine").get_by_role("link", name=name, exact=True).click()
    face = page.locator(".faceplate")
    expect(face.locator("h2").first).to_have_text(name)
    row = face.locator(".readings tr", has=page.get_by_role("link", name=desk.named(point["name"]), exact=True))
    value = row.locator(".value.good")
    expect(value.locator("i")).to_have_text(point["unit"], timeout=SLOW_MS)
    desk.within(value.locator("b"), lambda: desk.now(path)["value"], 2.0)
    expect(row.locator("td").last).to_have_text(re.compile(desk.say(r"\d+ 秒", r"\d+ s")))
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/trends\?p="))
    expect(page.locator(".trend canvas").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".pens tbody tr")).to_contain_text(name)
