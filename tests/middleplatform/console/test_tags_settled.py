"""A gateway's record of tags that cannot be read, set aside in a real browser by two persons."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.middleplatform.console.browser import serious, sign_in, spilled, watched
from tests.middleplatform.console.commanded import commanded
from tests.middleplatform.console.test_control import arm


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_two_persons_settle_a_record_that_cannot_be_read(context: BrowserContext, tmp_path: Path, lost: bool) -> None:
    with commanded(tmp_path) as stage, watched(context, stage.url, forgiven=("ERR_FAILED",)) as page:
        kept = stage.bench.home / "gateway" / "control"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "tags.json.unreadable-1").write_text("{")
        tags = stage.bench.tags
        tags._bad = tags._set_aside()
        sign_in(page, stage, "/tags")
        dialog = page.locator("dialog")
        page.get_by_role("button", name="处置 …").click()
        arm(page, stage, "周班长", "dispatcher")
        settle = dialog.get_by_role("button", name="处置挂牌记录", exact=True)
        dialog.locator("textarea").fill("已逐台核实")
        dialog.get_by_role("checkbox").check()
        # One alone settles nothing.
        expect(settle).to_be_disabled()
        arm(page, stage, "李工", "maintainer")
        assert not spilled(page) and not serious(page)
        if lost:

            def lose(way) -> None:
                way.fetch()
                way.abort()

            page.route("**/api/v1/control/settle", lose)
        settle.click()
        expect(dialog.locator(".outcome")).to_contain_text("可能已处置" if lost else "已处置")
        expect(settle).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.locator("main .none")).to_have_text("没有挂牌")
        assert tags.trouble is None
