"""What the overview says of a mine with many stations, a shearer that stands and a rate of too little data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.api.times import now_us
from models.identity import point_id
from models.site.model import Equipment, Kind, Name, Site
from tests.middleplatform.api import stage as stages
from tests.middleplatform.api.stage import Stage, threaded, until
from tests.middleplatform.console.browser import serious, sign_in, speak, watched, wide
from tests.middleplatform.console.test_overview import all_well, mine, tell, tile
from tests.servers import CODE

STATIONS = 6
_FILLED = """() => {
    const list = document.querySelector('ul.first'), end = list.getBoundingClientRect().bottom + 1
    const seen = [...list.querySelectorAll('li:not(.beyond)')], next = list.querySelector('li.beyond')
    return !!next && seen.at(-1).getBoundingClientRect().bottom <= end && next.getBoundingClientRect().bottom > end
}"""
HAULS = {0: Name("停止", "stopped"), 1: Name("向机尾", "towards the tail")}


def crowded() -> Site:
    """The mine of the overview with six more stations, and a shearer that tells where it hauls to."""
    base = mine()
    pattern = next(each for each in base.points if each.role == "personnel.count")
    position = next(each for each in base.points if each.role == "shearer.position")
    more = [
        replace(
            pattern, path=f"{CODE}/more_{k}/persons", id=point_id(f"{CODE}/more_{k}/persons"), equipment=f"more_{k}"
        )
        for k in range(STATIONS)
    ]
    path = f"{CODE}/shearer/direction"
    hauls = replace(
        position, path=path, id=point_id(path), key="direction", role="shearer.direction", unit="", kind=Kind.STATE,
        states=HAULS,
    )  # fmt: skip
    stations = {
        f"more_{k}": Equipment(f"more_{k}", f"more_{k}", Name(f"又一分站{k}", f"more {k}"), "face1", "safety")
        for k in range(STATIONS)
    }
    return replace(
        base,
        equipment={**base.equipment, **stations},
        points=tuple(sorted((*base.points, *more, hauls), key=lambda point: point.path)),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home: Path = tmp_path_factory.mktemp("tiles")
    with threaded(lambda loop: stages.bare(home, loop, made=crowded())) as standing:
        yield standing


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_stations_that_are_shown_make_the_total(stage: Stage, context: BrowserContext, language: str) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        speak(page, language)
        all_well(stage)
        tell(stage, {f"more_{k}/persons": 1.0 + k % 2 for k in range(STATIONS)})
        page.goto(stage.url + "/")
        people = tile(page, "井下人数" if language == "zh" else "Underground")
        expect(people.locator(".big")).to_have_text("21")
        rows = people.locator("p.line b")
        expect(rows).to_have_count(5)
        assert sum(int(each) for each in rows.all_inner_texts()) == 21
        expect(people).to_contain_text("其他 4 个分站" if language == "zh" else "4 other stations")
        speak(page, "zh")


def test_a_shearer_that_stands_says_so_once(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        all_well(stage)
        tell(stage, {"shearer/running": 0.0, "shearer/direction": 0.0})
        page.goto(stage.url + "/")
        face = tile(page, "工作面")
        expect(face.locator(".words.stopped")).to_have_text("停止")
        until(lambda: face.inner_text().count("停止") == 1)
        tell(stage, {"shearer/running": 1.0, "shearer/direction": 1.0})
        expect(face).to_contain_text("向机尾")
        expect(face.locator(".words.running")).to_have_text("运行")


def _figure(standing: str) -> dict[str, Any]:
    rate = {
        "period": "2026-11-27", "first": "2026-11-27", "missing": 0, "provisional": True, "rate": 0.912345,
        "least": 0.012345, "most": 0.98765, "coverage": 0.99987, "standing": standing,
        "why_words": {"zh": "数据覆盖不足", "en": "too little is covered"},
    }  # fmt: skip
    return {"periods": [rate], "trouble": []}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rate_that_cannot_be_assessed_is_no_large_number(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    zh = language == "zh"
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        speak(page, language)
        answered = ["not_assessable"]
        page.route("**/api/v1/kpi/figure?*", lambda route: route.fulfill(json=_figure(answered[0])))
        page.goto(stage.url + "/")
        rate = tile(page, "智能化设备使用率" if zh else "Utilisation")
        expect(rate.locator(".big")).to_have_text("—")
        expect(rate).to_contain_text("不能评定" if zh else "too little data to judge")
        expect(rate).to_contain_text("数据覆盖不足" if zh else "too little is covered")
        expect(rate).not_to_contain_text("91.2")
        # What is known is told to what is known: a cover that lacks a little is not whole.
        expect(rate).to_contain_text("数据覆盖 99%" if zh else "coverage 99 %")
        expect(rate).to_contain_text("1.2%～98.8%" if zh else "1.2 and 98.8 %")
        assert not serious(page)
        answered[0] = "met"
        page.reload()
        expect(rate.locator(".big")).to_have_text(re.compile(r"^91\.2\s*%$"))
        speak(page, "zh")


def test_on_a_narrow_screen_the_alarms_stand_first(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        all_well(stage)
        page.set_viewport_size({"width": 1024, "height": 768})
        page.goto(stage.url + "/")
        alarms = tile(page, "报警")
        expect(alarms).to_be_visible()

        def first() -> bool:
            """Not beneath what may be looked at later."""
            box, top = alarms.bounding_box(), tile(page, "瓦斯").bounding_box()
            return box is not None and top is not None and box["y"] + box["height"] <= top["y"]

        until(first)
        assert not wide(page)
        page.set_viewport_size({"width": 1600, "height": 900})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_device_that_is_not_reached_is_told_beside_the_processes_that_are_well(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    zh = language == "zh"
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        speak(page, language)
        everything = [point.path.partition("/")[2] for point in crowded().points]
        tell(stage, dict.fromkeys(everything, 1.0))
        page.goto(stage.url + "/")
        health = tile(page, "平台" if zh else "Platform")
        expect(health).to_contain_text("坏值测点 0" if zh else "0 bad points")
        tell(stage, dict.fromkeys(everything, 1.0), quality=24)
        many = len(everything)
        expect(health).to_contain_text(f"坏值测点 {many}" if zh else f"{many} bad points")
        expect(health.locator("b.wrong, .wrong b").last).to_contain_text("中断的连接 1" if zh else "1 connections down")
        tell(stage, {everything[0]: 1.0})
        expect(health).not_to_contain_text("中断的连接" if zh else "connections down")
        speak(page, "zh")


def test_the_alarms_fill_their_panel_and_say_how_many_more_there_are(stage: Stage, context: BrowserContext) -> None:
    raised = [Change(f"r{k}", f"{CODE}/out/speed", Act.RAISE, now_us(), 0, 2) for k in range(70)]
    assert book.record(stage.home, CODE, Position("watch-alarms", "SAMPLES", 1, 1), raised)
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        all_well(stage)
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(stage.url + "/")
        alarms = tile(page, "报警")

        def all_of_them() -> bool:
            seen = alarms.locator(".first li:not(.beyond)").count()
            told = re.search(r"\d+", alarms.locator(".more").inner_text())
            return told is not None and seen > 5 and seen + int(told[0]) == 70

        for height in (900, 700):
            page.set_viewport_size({"width": 1600, "height": height})
            expect(alarms.locator(".more")).to_have_text(re.compile(r"另有 \d+ 组"))
            until(lambda: page.evaluate(_FILLED) and all_of_them())
        # A colour of the priorities stands with its number alone.
        ring = tile(page, "主煤流").locator("li", has_text="主斜井皮带").locator(".state")
        expect(ring.locator(".priority.p2")).to_have_text("2")
        assert ring.locator(".run").evaluate("each => getComputedStyle(each).outlineStyle") == "none"
        # An excess is no bad quality.
        over = tile(page, "瓦斯").locator("b", has_text="超限")
        assert over.evaluate("each => getComputedStyle(each).color == getComputedStyle(document.body).color")
        assert not serious(page)
