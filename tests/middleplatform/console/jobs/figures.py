"""Figures: from a rate down to the samples, and what the mine used and raised."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def figures(desk: Desk) -> None:
    """Six clicks from the city's rate of a month to the samples of an interval; each level makes what stands above."""
    page, clicks = desk.page, 0

    def click(link: Locator) -> None:
        nonlocal clicks
        clicks += 1
        link.click()

    _kept(desk)
    same = desk.say("与上级一致", "as above")
    desk.open(f"/figures?p={desk.day[:7]}")
    click(page.locator("table.mines").get_by_role("link", name=desk.named(desk.ask("mine")["name"])))
    level = page.locator("table.level")
    expect(level.locator("tfoot")).to_contain_text(same, timeout=SLOW_MS)
    rules = desk.ask("kpi/definitions", day=desk.day)["rules"]["categories"]
    belts = next(each for each in rules if each["key"] == "belt")
    click(level.get_by_role("link", name=desk.named(belts["name"]), exact=True))
    expect(page).to_have_url(re.compile("/figures/belt"))
    expect(level.locator("tfoot")).to_contain_text(same, timeout=SLOW_MS)
    # The units' links, not those of the categories that stood there before.
    click(level.locator('tbody a[href*="/figures/belt/"]').nth(desk.one(0, 1)))
    expect(page).to_have_url(re.compile("/figures/belt/belt_"))
    click(level.get_by_role("link", name=desk.day))
    expect(page.locator("table.intervals tfoot")).to_contain_text(same, timeout=SLOW_MS)
    known = page.locator("table.intervals tbody tr").filter(has_not=page.locator(".mark.unknown"))
    click(known.get_by_role("link").first)
    expect(page.locator(".why .said")).not_to_be_empty(timeout=SLOW_MS)
    click(page.locator(".why .samples").first)
    expect(page).to_have_url(re.compile("/trends"))
    asked = parse_qs(urlsplit(page.url).query)
    assert "belt_" in asked["p"][0] and float(asked["from"][0]) < float(asked["to"][0])
    expect(page.locator(".trend canvas").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".pens tbody tr").first.locator("td").nth(2)).to_contain_text("/")
    assert clicks == 6


def energy(desk: Desk) -> None:
    """What the mine used is what the API says, with what is known of it."""
    _kept(desk)
    said = desk.ask("kpi/energy", first=desk.day, last=desk.day)
    desk.open(f"/energy?p={desk.day}")
    sums = desk.page.locator(".sums > div")
    expect(sums.first.locator("b")).to_have_text(_amount(said["used"]["kwh"]["value"]), timeout=SLOW_MS)
    known = f"{100 * said['used']['kwh']['known']:.1f} %"
    expect(sums.first).to_contain_text(f"{desk.say('已知部分', 'Known')} {known}")
    expect(sums.nth(1)).to_contain_text("¥")
    rows = desk.page.locator("table.periods tbody tr")
    expect(rows).to_have_count(len(said["used"]["periods"]))


def production(desk: Desk) -> None:
    """What the mine raised is what the API says, by shift; a machine leads to its page."""
    _kept(desk)
    said = desk.ask("kpi/production", first=desk.day, last=desk.day)
    desk.open(f"/production?p={desk.day}")
    tonnes = desk.page.locator("table.tonnes")
    expect(tonnes.locator("tfoot b")).to_have_text(_amount(said["tonnes"]["value"]), timeout=SLOW_MS)
    expect(tonnes.locator("tbody tr")).to_have_count(len(said["shifts"]))
    machine = desk.machine(said["machines"][0]["id"])
    desk.page.get_by_role("link", name=desk.named(machine["name"]), exact=True).last.click()
    expect(desk.page.locator(".faceplate h2").first).to_have_text(desk.named(machine["name"]))


def excluded(desk: Desk) -> None:
    """Time that is asked to be left out is listed with machine and reason, and refused with a reason."""
    page = desk.page
    reason = desk.say("更换滚筒", "a drum is changed")
    begin = datetime.now(UTC) + timedelta(hours=1)
    asked = {
        "kind": "excluded_time",
        "cause": "planned_maintenance",
        "equipment": [desk.one("belt_101", "belt_102")],
        "start": begin.isoformat(),
        "end": (begin + timedelta(hours=1)).isoformat(),
        "reason": reason,
    }
    desk.tell("tickets", asked)
    desk.open("/excluded")
    row = page.locator("table.tickets tr", has_text=reason)
    expect(row).to_contain_text(desk.named(desk.machine(asked["equipment"][0])["name"]))
    desk.button("驳回", "Reject", row).click()
    desk.dialog.locator("input").fill(desk.say("没有工作票", "no permit"))
    desk.confirm("驳回", "Reject")
    expect(row).to_contain_text(desk.say("已驳回", "rejected"))
    expect(row).to_contain_text(desk.say("没有工作票", "no permit"))


def _kept(desk: Desk) -> None:
    """The figures process has made the day of which there are data."""
    until(lambda: desk.ask("kpi/figure", first=desk.day, last=desk.day)["periods"][0]["missing"] == 0, within=180)
    until(lambda: desk.ask("kpi/energy", first=desk.day, last=desk.day)["days"] == 1, within=180)
    until(lambda: desk.ask("kpi/production", first=desk.day, last=desk.day)["days"] == 1, within=180)


def _amount(value: float, digits: int = 4) -> str:
    """As the page has amounts."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{round(value):,}".replace(",", " ")
    return f"{float(f'{value:.{digits}g}'):,.6f}".rstrip("0").rstrip(".").replace(",", " ")
