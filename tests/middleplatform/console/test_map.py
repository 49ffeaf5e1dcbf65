"""The map: what was at a moment that is past, and that nobody takes it for the present."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete

from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.alarms.watched import extend
from middleplatform.database import connect
from middleplatform.database.tables.alarms import alarm_watched
from models.site.model import Feature, Name, Site
from tests.middleplatform.api.build import CODE, batch, site
from tests.middleplatform.api.stage import Stage, threaded, until, whole
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched

SECOND = 1_000_000
HOSTILE = "<script>alert(1)</script>" + "长" * 150 + "\u202eabc"


def drawn(number: int, layer: str, kind: Any, ring: list[tuple[float, float]], **more: Any) -> Feature:
    name = more.pop("name", Name(f"图元{number}", f"feature {number}"))
    equipment, area = more.pop("equipment", None), more.pop("area", None)
    return Feature(f"f{number}", layer, name, kind, (np.array(ring, float),), equipment, area, more)


def mapped() -> Site:
    """The small site with a plan: a roadway with its belt and its air, the sump with its pump, and a hostile name."""
    road = [(0.0, 0.0), (400.0, 0.0), (400.0, 300.0)]
    return replace(
        site(),
        features=(
            drawn(1, "roadway", "LineString", road, width_m=5.0),
            drawn(2, "belt", "LineString", road, equipment="belt1", name=Name("一号带式输送机", "belt 1")),
            drawn(3, "pump", "Point", [(0.0, 200.0)], equipment="pump1", name=Name("一号水泵", "pump 1")),
            drawn(4, "vent_edge", "LineString", road, air_m3_per_s=30, kind_of="intake"),
            drawn(
                5, "surface", "Polygon", [(-50, -50), (-20, -50), (-20, -20), (-50, -50)], name=Name(HOSTILE, HOSTILE)
            ),
        ),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("map")
    with threaded(lambda loop: whole(home, loop, mapped())) as standing:
        yield standing


@pytest.fixture(scope="module")
def then(stage: Stage) -> int:
    """A moment an hour ago, ms: the belt ran at 2.5 m/s with an alarm, which is over; now it runs at 3.25."""
    now = time.time_ns() // 1000
    at = (now - 3_600 * SECOND) // SECOND * SECOND
    stage.send(
        batch(
            stage.next_number(),
            ("belt1/speed", at - SECOND, 2.5, 192),
            ("belt1/running", at - SECOND, 1.0, 192),
            ("pump1/level", at - 600 * SECOND, 7.0, 192),
        ),
        live=False,
    )
    stage.send(batch(stage.next_number(), ("belt1/speed", now, 3.25, 192), ("belt1/running", now, 1.0, 192)))
    subject = f"{CODE}/belt1/speed"
    for number, (act, ts) in enumerate(((Act.RAISE, at - 60 * SECOND), (Act.RETURN, at + 60 * SECOND)), 1):
        change = Change("map.fast", subject, act, ts, 1, 2)
        assert book.record(stage.home, CODE, Position("map", "SAMPLES", 1, number), [change])
    until(lambda: 2.5 in stage.get("live/at", time=at).json()["value"], within=90)
    return at // 1000


def at_of(page: Page) -> int | None:
    found = re.search(r"[?&]at=(\d+)", page.url)
    return int(found[1]) if found else None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_past_moment_is_shown_as_one_and_left_again(
    stage: Stage, context: BrowserContext, then: int, language: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/map?e=belt1&at={then}")
        expect(page.locator(".replay")).to_contain_text("这不是当前状态" if language == "zh" else "not the present")
        expect(page.locator("main.past")).to_be_visible()
        values = page.locator("aside table")
        expect(values).to_contain_text("2.5")
        expect(values).not_to_contain_text("3.25")
        alarms = page.locator("aside .then")
        expect(alarms).to_contain_text("map.fast")
        expect(alarms).to_contain_text("没有报警进程在判断" if language == "zh" else "does not mean none")
        assert not spilled(page)
        assert not serious(page)
        # What is silent for longer than it holds is as old there as it would have been then.
        page.goto(f"{stage.url}/map?e=pump1&at={then}")
        expect(page.locator("aside tr", has_text="水位" if language == "zh" else "level")).to_contain_text(
            "陈旧" if language == "zh" else "stale"
        )
        page.get_by_role("button", name="回到实时" if language == "zh" else "Back to live").click()
        expect(page.locator(".replay")).to_have_count(0)
        expect(page.locator("main.past")).to_have_count(0)
        expect(page.locator("aside .then")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("[?&]at="))
        speak(page, "zh")


@pytest.mark.parametrize(
    ("language", "unknown", "none"),
    [("zh", "未列出不等于没有", "当时没有报警"), ("en", "does not mean none", "No alarms stood")],
)
def test_of_a_moment_that_nobody_judged_it_is_not_said_that_there_was_no_alarm(
    stage: Stage, context: BrowserContext, then: int, language: str, unknown: str, none: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/map?at={then - 600_000}")
        said = page.locator("aside .then p")
        expect(said).to_have_count(1)
        expect(said).to_contain_text(unknown)
        with connect(stage.home).begin() as connection:
            extend(connection, CODE, (then - 900_000) * 1000, (then - 300_000) * 1000)
        try:
            page.reload()
            expect(said).to_have_text([none])
        finally:
            with connect(stage.home).begin() as connection:
                connection.execute(delete(alarm_watched))
        speak(page, "zh")


def test_the_slider_asks_for_the_newest_wish_alone_and_play_goes_on_to_now(
    stage: Stage, context: BrowserContext, then: int
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/map?e=belt1&span=8h")
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url) if "live/at" in request.url else None)
        slider = page.locator("input[type=range]")
        expect(slider).to_be_visible()
        # Many wishes in one gesture, of which the last is the moment that we know.
        slider.evaluate(
            """(slider, then) => {
                for (let k = 40; k >= 0; k--) {
                    slider.value = String(then - k * 60_000)
                    slider.dispatchEvent(new Event('input', {bubbles: true}))
                }
            }""",
            then,
        )
        expect(page.locator("aside table")).to_contain_text("2.5")
        expect(page.locator(".replay")).to_be_visible()
        assert len(asked) <= 2, "a slider that is dragged does not ask at each step"
        page.wait_for_url(re.compile("at="))
        first = at_of(page)
        assert first is not None
        # At a speed at which it is far from now when it is stopped, however late that is.
        page.get_by_label("速度").select_option("60")
        page.get_by_role("button", name="播放").click()
        page.wait_for_url(lambda url: int(re.search(r"[?&]at=(\d+)", url)[1]) >= first + 60_000)
        page.get_by_role("button", name="暂停").click()
        before = page.locator("input[type=datetime-local]").input_value()
        page.get_by_role("button", name="前进").click()
        expect(page.locator("input[type=datetime-local]")).not_to_have_value(before)
        # Played up to now it is now, and says so.
        page.goto(f"{stage.url}/map?e=belt1&at={int(time.time() * 1000) - 60_000}")
        page.get_by_label("速度").select_option("600")
        page.get_by_role("button", name="播放").click()
        expect(page.locator(".replay")).to_have_count(0)
        expect(page.locator(".mode")).to_have_text("实时")


@pytest.mark.parametrize(
    ("wish", "zh", "en"),
    [
        ("4102444800000", "尚未到来", "still to come"),
        ("-5000", "不是可以回放的时刻", "no moment that can be replayed"),
        ("1e300", "不是可以回放的时刻", "no moment that can be replayed"),
        ("rubbish", "不是可以回放的时刻", "no moment that can be replayed"),
    ],
)
def test_an_address_of_a_moment_of_which_nothing_is_known_says_so_and_leads_back(
    stage: Stage, context: BrowserContext, wish: str, zh: str, en: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/at?" in request.url else None)
        for language, words, loading, back in (("en", en, "Loading", "Back to live"), ("zh", zh, "加载中", "回到实时")):
            speak(page, language)
            page.goto(f"{stage.url}/map?e=belt1&at={wish}")
            told = page.locator(".plan .over.wrong")
            expect(told).to_contain_text(words)
            if wish.isdigit():
                expect(page.locator("aside")).to_contain_text("不明" if language == "zh" else "Not known")
            else:  # no moment at all: the map shows the present, says so, and no clock tells of 1970
                expect(told).to_contain_text(wish)
                expect(told).to_contain_text("实时状态" if language == "zh" else "This is the present")
                expect(page.locator("main.past")).to_have_count(0)
                expect(page.locator(".mode")).to_have_text("实时" if language == "zh" else "Live")
                shown = page.get_by_role("slider").get_attribute("aria-valuetext") or ""
                assert "01/01" not in shown and "1970" not in page.locator("main").inner_text()
                assert not page.locator("input[type=datetime-local]").input_value().startswith("1970")
            # It is read over whatever the map draws beneath it.
            assert told.evaluate("each => getComputedStyle(each).backgroundColor") != "rgba(0, 0, 0, 0)"
            assert not serious(page)
            expect(page.locator("main")).not_to_contain_text(re.compile(f"{loading}|NaN|Invalid"))
            assert not spilled(page)
            told.get_by_role("button", name=back).click()
            expect(page.locator("main.past")).to_have_count(0)
            expect(page.locator(".over.wrong")).to_have_count(0)
            expect(page).not_to_have_url(re.compile("at="))
        assert asked == []


def test_a_moment_that_is_to_come_is_refused_and_a_moment_by_the_mines_clock_is_found(
    stage: Stage, context: BrowserContext, then: int
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/map?e=belt1")
        field = page.locator("input[type=datetime-local]")
        field.fill("2199-01-01T00:00:00")
        page.get_by_role("button", name="跳转").click()
        expect(page.locator(".timeline").get_by_role("alert")).to_contain_text("尚未到来")
        local = page.evaluate(
            "ms => new Date(ms + 8 * 3600_000).toISOString().slice(0, 19)", then
        )  # the mine lives by Shanghai's clock
        field.fill(local)
        page.get_by_role("button", name="跳转").click()
        expect(page.locator("aside table")).to_contain_text("2.5")
        page.wait_for_url(re.compile(f"at={then}"))
