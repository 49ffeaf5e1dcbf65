"""The map: a machine is found on it, layers are put away, and a moment that is over is shown as such."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

MINUTE_MS = 60_000
BACK = """slider => {
    slider.value = String(Number(slider.max) - %d)
    slider.dispatchEvent(new Event('input', {bubbles: true}))
}"""


def minemap(desk: Desk) -> None:
    page = desk.page
    machine = desk.machine(desk.one("belt_103", "pump_1"))
    desk.open("/map")
    page.locator(".search input").fill(desk.named(machine["name"]))
    expect(page.locator(".found button").first).to_contain_text(desk.named(machine["name"]), timeout=SLOW_MS)
    page.locator(".search input").press("Enter")
    expect(page).to_have_url(re.compile(rf"[?&]e={machine['id']}\b"))
    face = page.locator("aside .faceplate")
    expect(face.locator("h2").first).to_have_text(desk.named(machine["name"]))
    expect(face.locator(".readings .value.good").first).to_be_visible(timeout=SLOW_MS)

    layer = page.get_by_label(desk.say("运", "Transport"), exact=True)
    layer.uncheck()
    expect(page).to_have_url(re.compile(r"[?&]off=[^&]*transport"))
    layer.check()

    page.locator("input[type=range]").evaluate(BACK % MINUTE_MS)
    expect(page.locator(".replay")).to_contain_text(desk.say("这不是当前状态", "not the present"))
    expect(page.locator("main.past")).to_be_visible()
    expect(page.locator("aside table").first).to_be_visible(timeout=SLOW_MS)
    expect(page).to_have_url(re.compile(r"[?&]at=\d+"))
    page.locator(".replay").get_by_role("button", name=desk.say("回到实时", "Back to live")).click()
    expect(page.locator(".replay")).to_have_count(0)
    expect(page.locator(".mode")).to_have_text(desk.say("实时", "Live"))
