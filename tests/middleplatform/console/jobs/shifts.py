"""The shift's log and its hand-over."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def shifts(desk: Desk) -> None:
    """A note about a machine is written; the shift is offered with what is open, and taken back: nobody takes over from
    themselves."""
    page = desk.page
    machine = desk.machine("belt_104")
    words = desk.say("换托辊 12 组", "twelve idlers changed")
    desk.open("/shifts")
    page.fill("#entry", words)
    page.locator(".write select").select_option(machine["id"])
    desk.button("记一条", "Write").click()
    expect(page.locator(".write [role=status]")).to_have_text(desk.say("已记录", "Written"))
    entry = page.locator("ol li", has_text=words).first
    expect(entry.get_by_role("link")).to_have_text(desk.named(machine["name"]))
    told = desk.ask("shifts/log", limit=1)["entries"][0]
    assert told["words"] == words and told["subject"].endswith(f"/{machine['id']}")

    waiting = desk.ask("shifts/open")["open"]["alarms"]
    page.fill("#offer", words)
    offer = desk.button("签字交班", "Sign and hand over")
    expect(offer).to_be_enabled(timeout=SLOW_MS)
    offer.click()
    expect(desk.dialog).to_contain_text(words)
    desk.confirm("确认签字", "Sign")
    own = desk.say("您是交班人，不能自己接班", "cannot take over from yourself")
    expect(page.get_by_text(own)).to_be_visible()
    (offered,) = (each for each in desk.ask("shifts/handovers", limit=5)["handovers"] if each["state"] == "offered")
    assert offered["words"] == words
    kept = desk.ask(f"shifts/handovers/{offered['id']}")["open"]["alarms"]
    still = desk.ask("shifts/open")["open"]["alarms"]  # what ended meanwhile was not open any more when it was signed
    before, after, signed = ({each["id"] for each in listed} for listed in (waiting, still, kept))
    assert before & after <= signed
    desk.button("撤回交班", "Withdraw").click()
    desk.confirm("撤回交班", "Withdraw")
    expect(offer).to_be_visible()
    assert desk.ask(f"shifts/handovers/{offered['id']}")["state"] == "withdrawn"
