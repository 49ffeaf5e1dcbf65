"""The pages that read the store, in a real browser against the whole platform: how good the data is, where a
roll-up comes from, and what a correction by hand did."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.access import users
from tests.middleplatform.api.build import CODE, SILENCE_S, batch, now
from tests.middleplatform.api.stage import PASSWORD, Stage, threaded, until, whole
from tests.middleplatform.console.browser import watched
from tests.middleplatform.console.test_governance import english, fit, look

SECOND = 1_000_000
HOUR = 3_600 * SECOND


@pytest.fixture(scope="module")
def end() -> int:
    """When the values that are told end, µs: the bad ones are minutes before it, whenever a test has its turn."""
    return now()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, end: int) -> Iterator[Stage]:
    """Bus, store and API, with a speed that was good, then bad, and is good now."""
    home = tmp_path_factory.mktemp("governance")
    with threaded(lambda loop: whole(home, loop)) as standing:
        step = round(SILENCE_S / 2 * SECOND)
        rows = [("belt1/speed", end - k * step, 3.0 + k % 2, 84 if 20 < k < 40 else 192) for k in range(60, 0, -1)]
        standing.send(batch(standing.next_number(), *rows))
        standing.send(batch(standing.next_number(), ("belt1/speed", now(), 3.25, 192)))
        until(
            lambda: standing.get("history", point="belt1/speed", start="-1h").json()["series"][0]["samples"]["ts"], 90
        )
        yield standing


def test_an_hour_that_was_not_good_is_seen_and_why_and_its_trend_is_one_click_away(
    stage: Stage, end: int, context: BrowserContext
) -> None:
    bad = end - round(30 * SILENCE_S / 2 * SECOND)
    hour = bad // HOUR * HOUR
    with watched(context, stage.url) as page:
        look(page, stage, "/quality?equipment=belt1&as=table")
        row = page.locator("tbody tr", has_text="带速")
        row.locator(f'a.cell[href*="at={hour}"]').click()
        beside = page.locator(".panel").first
        expect(beside.locator("h2")).to_contain_text("带速")
        interval = beside.locator("tbody tr", has_text="设备")
        expect(interval.first).to_contain_text("超出量程")
        expect(interval.locator("a").first).to_have_attribute(
            "href",
            f"/trends?p={CODE.replace('/', '%2F')}%2Fbelt1%2Fspeed&from={hour // 1000}&to={(hour + HOUR) // 1000}",
        )
        expect(page.locator("main")).to_contain_text("加权平均")  # what the score is stands beside it
        expect(page.locator("tbody tr", has_text="备注").first).to_contain_text("—")  # unknown is neither 0 nor 100
        fit(page)
        page.get_by_role("button", name="热图").click()
        page.locator("canvas").focus()
        for key in ("ArrowLeft", "Enter"):
            page.keyboard.press(key)
        expect(page).to_have_url(re.compile(f"at={hour - HOUR}"))
        english(page)
        expect(page.get_by_role("button", name="Heat map")).to_be_visible()
        expect(page.locator("canvas")).to_have_attribute("aria-label", re.compile("belt 1|not known|score", re.I))
        fit(page)


def test_a_roll_up_is_made_of_a_point(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, f"/lineage?p={CODE}/belt1/speed&width=1h&as=list", "en")
        expect(page.get_by_role("treeitem").first).to_contain_text("roll-up")
        expect(page.get_by_role("tree")).to_contain_text("aggregates")
        expect(page.locator("main")).to_contain_text("samples in it")
        fit(page)


def test_a_correction_stands_beside_what_the_device_had_said(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "anna", PASSWORD, "administrator")
    ts = now() // SECOND * SECOND - 120 * SECOND
    with httpx.Client(base_url=stage.url, timeout=30) as client:
        token = client.post("/api/v1/sign-in", json={"user": "anna", "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        given = {"point": "belt1/current", "samples": [{"time": str(ts), "value": 7.5}], "reason": "dirty sensor"}
        made = client.post("/api/v1/manual/values", json=given)
        assert made.status_code == 201, made.text
    with stage.client("admin") as client:
        assert client.post(f"/api/v1/manual/entries/{made.json()['id']}/approve", json={}).status_code == 200
    until(lambda: stage.get("manual/versions", point="belt1/current", start="-1h").json()["versions"], within=60)
    with watched(context, stage.url) as page:
        look(page, stage, f"/manual?p={CODE}/belt1/current", "en")
        told = page.locator(".versions tbody").first
        expect(told).to_contain_text("of the device")
        expect(told).to_contain_text("nothing was there")
        expect(told).to_contain_text("7.5")
        expect(told).to_contain_text("anna")
        fit(page)
