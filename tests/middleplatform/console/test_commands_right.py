"""The right of control in a real browser: it is taken, handed over, and taken from another by two persons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.middleplatform.console.browser import serious, spilled, watched
from tests.middleplatform.console.commanded import Commanded, commanded
from tests.middleplatform.console.test_control import arm, machine


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commanded]:
    with commanded(tmp_path_factory.mktemp("right")) as standing:
        yield standing


def give(page: Page, word: str) -> None:
    page.locator("dialog").get_by_role("button", name=word, exact=True).click()


def test_it_is_taken_handed_over_and_taken_from_another_by_two(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_102")
        panel, dialog = page.locator(".commands"), page.locator("dialog")
        expect(panel.get_by_role("button", name="移交 …")).to_have_count(0)
        panel.get_by_role("button", name="接管 …").click()
        arm(page, stage, "王工", "operator")
        assert not spilled(page) and not serious(page)
        give(page, "接管")
        expect(dialog.locator(".outcome")).to_contain_text("王工 已接管 102 皮带")
        page.keyboard.press("Escape")
        expect(panel).to_contain_text("控制权 王工")
        expect(panel.get_by_role("button", name="接管 …")).to_have_count(0)
        panel.get_by_role("button", name="移交 …").click()
        page.get_by_label("移交给").fill("钱工")
        give(page, "移交")
        expect(dialog.locator(".outcome")).to_contain_text("已移交：钱工")
        page.keyboard.press("Escape")
        expect(panel).to_contain_text("控制权 钱工")
        # It is another's now: a dispatcher takes it, and not alone.
        expect(panel.get_by_role("button", name="移交 …")).to_have_count(0)
        panel.get_by_role("button", name="接管 …").click()
        dialog.get_by_role("button", name="收起凭证").click()
        arm(page, stage, "周班长", "dispatcher")
        expect(dialog).to_contain_text("控制权现在在 钱工")
        expect(dialog.get_by_role("button", name="接管", exact=True)).to_be_disabled()
        arm(page, stage, "王工", "operator")
        give(page, "接管")
        expect(dialog.locator(".outcome")).to_contain_text("周班长 已接管")
        page.keyboard.press("Escape")
        expect(panel).to_contain_text("控制权 周班长")


def test_a_lost_answer_may_have_been_done(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("ERR_FAILED",)) as page:
        machine(page, stage, "belt_101")
        page.locator(".commands").get_by_role("button", name="接管 …").click()
        arm(page, stage, "王工", "operator")

        def lose(way) -> None:
            way.fetch()
            way.abort()

        page.route("**/api/v1/control/take", lose)
        give(page, "接管")
        expect(page.locator("dialog .outcome.loud")).to_contain_text("可能已生效")
        expect(page.locator("dialog .holder")).to_have_text("王工")
