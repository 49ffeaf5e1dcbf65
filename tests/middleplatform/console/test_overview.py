"""The overview in a real browser: what the mine is now, what is not known of it, and what a role does not see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from middleplatform.api.live import LiveTable
from middleplatform.api.times import now_us
from models.basis import Basis
from models.identity import point_id
from models.samples import Samples
from models.site.model import Area, Equipment, Feature, Kind, Limit, Name, Point, Shift, Site
from tests.middleplatform.api import stage as stages
from tests.middleplatform.api.build import site
from tests.middleplatform.api.stage import Stage, threaded, until
from tests.middleplatform.console.browser import serious, settled, sign_in, speak, spilled, watched, wide
from tests.servers import CODE

RUN = {0: Name("停止", "stopped"), 1: Name("运行", "running")}
HOSTILE = "<script>alert(1)</script>" + "很长" * 90
POINTS = {
    # equipment/key: (role, unit, limit)
    "gas_a/ch4": ("ch4", "%CH4", 1.0),
    "gas_b/ch4": ("ch4", "%CH4", 0.5),
    "gas_c/ch4": ("ch4", "%CH4", 1.0),
    "out/speed": ("belt.speed", "m/s", None),
    "out/flow": ("belt.flow", "t/h", None),
    "out/running": ("run.state", "", None),
    "gate/speed": ("belt.speed", "m/s", None),
    "gate/flow": ("belt.flow", "t/h", None),
    "gate/running": ("run.state", "", None),
    "shearer/position": ("shearer.position", "m", None),
    "shearer/running": ("run.state", "", None),
    "fan/pressure": ("fan.negative_pressure", "Pa", None),
    "fan/running": ("run.state", "", None),
    "sump/level": ("sump.level", "m", 3.5),
    "in/energy": ("power.energy", "kWh", None),
    "in/power": ("power.active", "kW", None),
    "scale/total": ("belt.mass_total", "t", None),
    "scale/flow": ("belt.flow", "t/h", None),
    "card_1/persons": ("personnel.count", "", None),
    "card_2/persons": ("personnel.count", "", None),
}
MACHINES = {
    "gas_a": ("甲烷甲", "gas A", "face1", "safety"),
    "gas_b": ("甲烷乙", "gas B", "face1", "safety"),
    "gas_c": (HOSTILE, HOSTILE, "sump", "safety"),
    "out": ("主斜井皮带", "incline belt", "east", "transport"),
    "gate": ("顺槽皮带", "gate belt", "face1", "transport"),
    "shearer": ("采煤机", "shearer", "face1", "mining"),
    "fan": ("主扇", "main fan", "east", "ventilation"),
    "sump": ("水泵房", "pump room", "sump", "drainage"),
    "in": ("进线表", "incoming meter", "east", "power"),
    "scale": ("皮带秤", "scale", "east", "transport"),
    "card_1": ("分站一", "station 1", "face1", "safety"),
    "card_2": ("分站二", "station 2", "sump", "safety"),
}


def mine() -> Site:
    base = site()
    pattern = base.points[0]
    points: list[Point] = []
    for name, (role, unit, limit) in POINTS.items():
        equipment, key = name.split("/")
        state = key == "running"
        points.append(
            replace(
                pattern,
                path=f"{CODE}/{name}",
                id=point_id(f"{CODE}/{name}"),
                equipment=equipment,
                key=key,
                name=Name(key, key),
                role=role,
                unit=unit,
                kind=Kind.STATE if state else Kind.ANALOG,
                states=RUN if state else {},
                limits=() if limit is None else (Limit("hi", limit),),
                silence_s=300.0,
            )
        )
    lines = {"out": [(900.0, 0.0), (0.0, 0.0)], "gate": [(2000.0, 0.0), (910.0, 5.0)]}
    return replace(
        base,
        areas={**base.areas, "east": Area("east", Name("东翼", "east wing"), None)},
        equipment={
            name: Equipment(name, name, Name(zh, en), area, subsystem)
            for name, (zh, en, area, subsystem) in MACHINES.items()
        },
        points=tuple(sorted(points, key=lambda point: point.path)),
        features=tuple(
            Feature(name, "belt", Name(name, name), "LineString", (np.array(line),), name, None, {})
            for name, line in lines.items()
        ),
        shifts=(Shift(Name("全日班", "all-day"), "00:00", "00:00"),),
        basis=Basis(
            incoming=(f"{CODE}/in/energy",), output=(f"{CODE}/scale/total",), rated={("gate", "belt.flow"): 1000.0}
        ),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home: Path = tmp_path_factory.mktemp("overview")
    with threaded(lambda loop: stages.bare(home, loop, made=mine())) as standing:
        yield standing


def tell(stage: Stage, values: dict[str, float], quality: int = 192) -> None:
    rows = Samples(
        np.array([point_id(f"{CODE}/{name}") for name in values], np.uint64),
        np.full(len(values), now_us(), np.int64),
        np.array(list(values.values()), np.float64),
        np.full(len(values), quality, np.uint8),
        None,
    )
    assert stage.app is not None
    table: LiveTable = stage.app.state.live
    stage.call(lambda: table.update(rows, now_us(), "edge1"))


def all_well(stage: Stage) -> None:
    tell(
        stage,
        {
            "gas_a/ch4": 0.31, "gas_b/ch4": 0.62, "gas_c/ch4": 0.05, "out/speed": 3.5, "out/flow": 410.0,
            "out/running": 1.0, "gate/speed": 0.0, "gate/flow": 250.0, "gate/running": 0.0, "shearer/position": 88.0,
            "shearer/running": 1.0, "fan/pressure": 1900.0, "fan/running": 1.0, "sump/level": 1.8,
            "in/energy": 100.0, "in/power": 3010.0, "scale/total": 7.0, "scale/flow": 52.0, "card_1/persons": 9.0,
            "card_2/persons": 3.0,
        },
    )  # fmt: skip


def tile(page: Page, heading: str) -> Locator:
    return page.locator(".tile", has=page.get_by_role("heading", name=re.compile(f"^{heading}")))


def cut(page: Page) -> list[str]:
    """The tiles that tell more than is seen of them; the alarms beside are a list that is scrolled."""
    told = """() => [...document.querySelectorAll('.part .tile')]
        .filter(tile => [tile, tile.querySelector('.body')].some(
            each => each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1))
        .map(tile => tile.querySelector('h2').textContent)"""
    return settled(page, lambda: page.evaluate(told))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            {"gas": "瓦斯", "over": "超限", "people": "井下人数", "belts": "主煤流",
             "power": "电力", "fans": "主通风机"},
        ),
        (
            "en",
            {"gas": "Methane", "over": "over the limit", "people": "Underground", "belts": "Main haulage",
             "power": "Power", "fans": "Main fans"},
        ),
    ],
)  # fmt: skip
def test_the_mine_is_on_one_screen_and_each_tile_leads_further(
    stage: Stage, context: BrowserContext, language: str, words: dict[str, str]
) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        speak(page, language)
        all_well(stage)
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(stage.url + "/")
        gas = tile(page, words["gas"])
        # The highest is not the one with the highest limit, and it is told where and against what.
        expect(gas.locator(".big")).to_contain_text("0.62")
        expect(gas.locator(".big")).to_contain_text("0.5")
        expect(gas).to_contain_text("甲烷乙" if language == "zh" else "gas B")
        expect(gas).to_contain_text(words["over"])
        expect(tile(page, words["people"]).locator(".big")).to_have_text("12")
        expect(tile(page, words["power"]).locator(".big")).to_contain_text("3010")
        chain = tile(page, words["belts"]).locator("li")
        expect(chain.nth(0)).to_contain_text("顺槽皮带" if language == "zh" else "gate belt")
        expect(chain.nth(0)).to_contain_text("25")
        expect(chain.nth(0).locator(".run.stopped")).to_be_visible()
        expect(chain.nth(1).locator(".run.running")).to_be_visible()
        expect(tile(page, words["fans"]).locator(".run.running")).to_be_visible()
        main = page.locator("main")
        until(lambda: main.evaluate("each => each.scrollHeight <= each.clientHeight"))  # it does not scroll
        assert not spilled(page)
        assert not serious(page)
        gas.get_by_role("heading").get_by_role("link").click()
        expect(page).to_have_url(re.compile(r"/values\?q=ch4"))
        page.go_back()
        expect(page.locator(".tile").first).to_be_visible()
        for width, height in ((1280, 720), (1366, 650), (1024, 768)):
            page.set_viewport_size({"width": width, "height": height})
            assert cut(page) == [], width
            assert not spilled(page), width
            assert not wide(page), width
        page.set_viewport_size({"width": 1600, "height": 900})
        speak(page, "zh")


def test_what_is_not_to_be_trusted_is_told_as_unknown_and_never_as_nothing(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage)
        all_well(stage)
        page.goto(stage.url + "/overview")
        gas = tile(page, "瓦斯")
        expect(gas.locator(".big")).to_contain_text("0.62")
        tell(stage, {"gas_b/ch4": 0.62, "card_2/persons": 3.0}, quality=24)
        expect(gas.locator(".big")).to_contain_text("0.31")
        expect(gas).to_contain_text(re.compile("1 个测点未知.*甲烷乙"))
        people = tile(page, "井下人数")
        expect(people.locator(".big")).to_have_text("9+ ?")
        tell(stage, {"in/power": 3010.0, "card_1/persons": 9.0, "gas_a/ch4": 0.3, "gas_c/ch4": 0.1}, quality=0)
        expect(tile(page, "电力").locator(".big")).to_have_text("未知")
        expect(people.locator(".big")).to_have_text("未知")
        expect(gas.locator(".big")).to_have_text("没有可信的瓦斯值")
        tell(stage, {"fan/running": 1.0}, quality=20)
        expect(tile(page, "主通风机").locator(".run.unknown")).to_be_visible()


def test_what_a_role_may_not_read_is_absent(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503", "404", "401")) as page:
        sign_in(page, stage)
        page.goto(stage.url + "/overview")
        expect(tile(page, "报警")).to_be_visible()
        expect(tile(page, "智能化设备使用率")).to_be_visible()
        everything = page.evaluate("fetch('/api/v1/me').then(each => each.json())")
        kept = [each for each in everything["permissions"] if each not in {"kpi.read", "alarm.read"}]
        page.route("**/api/v1/me", lambda route: route.fulfill(json={**everything, "permissions": kept}))
        page.goto("about:blank")  # what the page of before asks for goes with it
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(stage.url + "/overview")
        expect(tile(page, "瓦斯")).to_be_visible()
        expect(page.locator(".tile", has_text="报警")).to_have_count(1)  # the platform's own health names the watch
        expect(tile(page, "智能化设备使用率")).to_have_count(0)
        expect(tile(page, "产量")).to_have_count(0)
        assert not [url for url in asked if "/kpi/" in url or "/alarms/" in url]
