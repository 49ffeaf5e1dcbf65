"""What the overview says of a mine with many stations, a shearer that stands and a rate of too little data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from models.identity import point_id
from models.site.model import Equipment, Kind, Name, Site
from tests.middleplatform.api import stage as stages
from tests.middleplatform.api.stage import Stage, threaded
from tests.middleplatform.console.browser import serious, sign_in, speak, watched
from tests.middleplatform.console.test_overview import all_well, mine, tell, tile
from tests.servers import CODE

STATIONS = 6
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
        assert face.inner_text().count("停止") == 1
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
        box, top = alarms.bounding_box(), tile(page, "瓦斯").bounding_box()
        assert box is not None and top is not None
        assert box["y"] + box["height"] <= top["y"], "beneath what may be looked at later"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 1600, "height": 900})
