"""The values page in a real browser: what is wrong is found first, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.middleplatform.api.stage import Stage
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, tell, watched


@pytest.mark.parametrize(
    ("language", "quality", "order", "why"),
    [("zh", "质量", "次序", "通信故障"), ("en", "Quality", "Order", "communication")],
)
def test_what_is_not_to_be_trusted_is_found_first_and_the_address_holds_it(
    stage: Stage, context: BrowserContext, language: str, quality: str, order: str, why: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        tell(stage, 3.25, 24)
        page.goto(f"{stage.url}/values?q=belt1")
        page.get_by_label(order).select_option("worst")
        # The speed and whether it runs: of what never came nothing is known, which is as bad.
        rows = page.locator(".list tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.nth(3)).to_contain_text(re.compile("运行|running"))
        expect(page.locator(".list tr", has_text=why)).to_have_count(1)
        page.get_by_label(quality).select_option("bad")
        expect(rows).to_have_count(3)
        expect(page).to_have_url(re.compile(re.escape("/values?q=belt1&order=worst&quality=bad") + "$"))
        tell(stage, 3.25, 192)
        expect(rows).to_have_count(2)
        page.get_by_label(order).select_option("")
        expect(page.locator(".panels .panel")).to_have_count(1)
        assert not spilled(page)
        assert not serious(page)
        speak(page, "zh")
