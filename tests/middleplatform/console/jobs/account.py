"""One's own password: what cannot be one is refused in words, and the old one goes on."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.middleplatform.console.jobs.desk import Desk


def account(desk: Desk) -> None:
    page = desk.page
    desk.open("/account")
    expect(page.locator("main h1")).to_contain_text("admin")
    refused = page.locator("main").get_by_role("alert")

    def change(old: str, fresh: str, again: str) -> None:
        for field, words in (("#old", old), ("#fresh", fresh), ("#again", again)):
            page.fill(field, words)
        desk.button("保存", "Save").click()

    change(desk.password, "fresh one 1", "fresh one 2")
    expect(refused).to_have_text(desk.say("两次输入不一致", "The two differ"))
    change("not the old one", "fresh one 1", "fresh one 1")
    expect(refused).to_have_text(desk.say("原密码错误", "The old password is wrong"))
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if each.url.endswith("/me/password") else None)
    change(desk.password, "short", "short")
    expect(refused).to_have_text(
        desk.say("新密码太短：至少 8 个字符", "The new password is too short: 8 characters at least")
    )
    expect(page.get_by_label(desk.say("至少 8 个字符", "8 characters or more"))).to_be_focused()
    assert not asked and desk.ask("me")["user"] == "admin"
