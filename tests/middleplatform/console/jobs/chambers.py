"""Unattended chambers: who is there, what it is like, and the way to a machine of it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk

STATES = {True: ("有人", "somebody is there"), False: ("无人", "nobody is there"), None: ("不明", "not known")}


def _attended(desk: Desk, chamber: str) -> str:
    """Whether somebody is there now: people of the mine come and go."""
    (told,) = (each for each in desk.ask("chambers")["chambers"] if each["id"] == chamber)
    return desk.say(*STATES[told["attended"]])


def chambers(desk: Desk) -> None:
    page = desk.page
    desk.open("/chambers")
    told = desk.ask("chambers")["chambers"]
    assert told
    expect(page.locator(".chambers .panel")).to_have_count(len(told), timeout=SLOW_MS)
    for each in told:
        panel = page.locator(".panel", has=page.get_by_role("heading", name=desk.named(each["name"]), exact=True))
        until(lambda panel=panel, name=each["id"]: _attended(desk, name) in panel.locator(".state").inner_text())
        expect(panel.locator(".value.good").first).to_be_visible(timeout=SLOW_MS)
    first = page.locator(".chambers td.name a").first
    name = first.inner_text()
    first.click()
    expect(page.locator(".faceplate h2").first).to_have_text(name)
