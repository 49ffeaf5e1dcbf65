"""The overview: what the mine is now, and the way from a part of it to all of that part."""

from __future__ import annotations

import math
import re

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def overview(desk: Desk) -> None:
    """The highest gas is that of the mine, named and with its limit, and its tile leads to all of its points."""
    desk.open("/overview")
    gas = {each["point"]: each for each in desk.ask("points", role="ch4", limit=1000)["points"]}

    def highest() -> float:
        values = desk.ask("live", point=list(gas))["values"]
        good = (each["value"] for each in values if each["quality"] >= 192 and not each["stale"])
        return max(good, default=math.nan)  # where the machine stood still all are stale for a moment: like no number

    heading = desk.page.get_by_role("heading", name=re.compile(desk.say("^瓦斯", "^Methane")))
    tile = desk.page.locator(".tile", has=heading)
    big = tile.locator(".big")
    expect(big).to_contain_text("%CH4", timeout=SLOW_MS)
    desk.within(big, highest, 0.005)
    expect(big).to_contain_text(desk.say("限值", "limit"))
    where = tile.locator(".clip a").first.inner_text()
    assert where in {desk.named(each["equipment"]["name"]) for each in gas.values()}
    heading.get_by_role("link").click()
    expect(desk.page).to_have_url(re.compile(r"/values\?q=ch4"))
    expect(desk.page.locator("main .panel").first).to_contain_text("%CH4")
