"""Who may come in, and what was done: users, tokens, and the audit that has it all."""

from __future__ import annotations

import httpx
from playwright.sync_api import expect

from tests.middleplatform.api.stage import until
from tests.middleplatform.console.jobs.desk import SLOW_MS, Desk


def access(desk: Desk) -> None:
    """A user comes in with a password shown once, and no more when removed; a program with its token, until revoked."""
    page = desk.page
    name = desk.one("zhang", "jones")
    desk.open("/access")
    desk.button("添加用户", "Add a user").click()
    desk.dialog.locator("input").first.fill(name)
    desk.dialog.locator("select").first.select_option("engineer")
    desk.confirm("添加用户", "Add a user")
    password = page.locator("output.secret").inner_text()
    _keep(desk)
    row = page.locator("tbody tr", has_text=name)
    expect(row).to_contain_text(desk.say("待更改初始密码", "has an initial password to change"))
    with httpx.Client(base_url=desk.mine.url, timeout=30) as client:
        given = {"user": name, "password": password}
        assert client.post("/api/v1/sign-in", json=given).status_code == 200
        desk.button("删除", "Remove", row).click()
        desk.confirm("删除", "Remove")
        expect(row).to_have_count(0)
        assert client.post("/api/v1/sign-in", json=given).status_code == 401

    page.get_by_role("link", name=desk.say("令牌", "Tokens"), exact=True).click()
    desk.button("生成令牌", "Make a token").click()
    desk.dialog.locator("input").first.fill(f"program of {name}")
    desk.confirm("生成令牌", "Make a token")
    token = page.locator("output.secret").inner_text()
    _keep(desk)
    with httpx.Client(base_url=desk.mine.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        assert client.get("/api/v1/mine").status_code == 200
        row = page.locator("tbody tr", has_text=f"program of {name}")
        desk.button("撤销", "Revoke", row).click()
        desk.confirm("撤销", "Revoke")
        expect(row).to_have_count(0)
        until(lambda: client.get("/api/v1/mine").status_code == 401)


def _keep(desk: Desk) -> None:
    """A secret is gone once it is said to be kept."""
    secret = desk.page.locator("output.secret")
    shown = secret.inner_text()
    desk.dialog.get_by_role("button", name=desk.say("我已保存，关闭", "I have kept it, close")).click()
    expect(secret).to_have_count(0)
    assert shown not in desk.page.content()


def audit(desk: Desk) -> None:
    """What was just done is found with who did it, and the chain of the log holds."""
    page = desk.page
    words = desk.say("审计所见", "seen by the audit")
    desk.post("shifts/log", {"words": words, "equipment": None, "corrects": None})
    desk.open("/audit?what=shift.write")
    first = page.locator(".list tbody tr").first
    expect(first).to_contain_text("admin")
    expect(first).to_contain_text(desk.say("记值班日志", "shift log written"))
    first.get_by_role("button").click()
    beside = page.locator(".beside .panel").first
    expect(beside).to_contain_text("shift.write")
    expect(beside).to_contain_text(words)
    expect(page.locator(".chain")).to_contain_text(desk.say("链条完整", "The chain holds"), timeout=SLOW_MS)
    assert desk.ask("audit", what="shift.write", limit=1)["entries"][0]["who"] == "admin"
