"""Machines in the browser: the list of them, and the faceplate of each, bound to roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.site.model import Equipment, Name, RunStyle
from tests.middleplatform.api.stage import Stage, bare, threaded, until
from tests.middleplatform.console.browser import patient, serious, sign_in, speak, spilled, watched, wide
from tests.middleplatform.console.mine import middle, say

NO_STORE = ("503",)
"""The history that nobody keeps here is told as a failure, and the browser says so."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("console")
    mine = patient(replace(middle(), run_style=RunStyle.GREEN))
    with threaded(lambda loop: bare(home, loop, made=mine)) as standing:
        yield standing


_CONTRAST = """look => {
    const root = document.documentElement
    const kept = root.dataset.theme
    root.dataset.theme = look
    const bright = name => {
        const probe = document.body.appendChild(document.createElement('i'))
        probe.style.color = `var(${name})`
        const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(each => Number(each) / 255)
            .map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
        probe.remove()
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    }
    const [run, panel] = [bright('--run'), bright('--panel')]
    root.dataset.theme = kept
    return Math.max(run, panel) / Math.min(run, panel)
}"""
"""How far what runs stands out of its panel."""
_CUT = """drawing => {
    const frame = drawing.getBoundingClientRect()
    return [...drawing.querySelectorAll('text')].filter(each => each.getBoundingClientRect().bottom > frame.bottom + 1)
        .map(each => each.textContent)
}"""
"""Words of a drawing that its frame cuts off below."""


def opened(page: Page, stage: Stage, address: str, language: str = "zh") -> None:
    sign_in(page, stage)
    speak(page, language)
    page.goto(stage.url + address)
    expect(page.locator("main")).to_be_visible()


def test_the_mine_tells_its_templates_what_a_belt_feeds_and_its_colour(stage: Stage) -> None:
    told = stage.get("mine").json()
    assert told["run_style"] == "green"
    feeds = {each["id"]: each["feeds"] for each in told["equipment"] if each["template"] == "belt_conveyor"}
    assert feeds["belt_104"] == "belt_103" and feeds["belt_103"] == "belt_102" and feeds["belt_101"] is None
    names = {each["id"]: (each["name"]["zh"], each["subsystem"]) for each in told["templates"]}
    assert names["belt_conveyor"] == ("带式输送机", "transport")
    assert names.keys() == {each["template"] for each in told["equipment"]}


def test_machines_are_found_by_an_address_that_keeps_what_was_asked(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        say(stage, {"belt_101/running": 1, "belt_102/running": 0})
        opened(page, stage, "/equipment")
        expect(page.get_by_role("status")).to_have_text("300 台")
        assert page.locator(".machine").count() < 80, "only what is in sight is drawn"
        assert not serious(page)
        page.get_by_role("searchbox").fill("带式输送机")
        # With the feeders and meters that are called by their belt.
        expect(page.get_by_role("status")).to_have_text("18 / 300 台")
        page.get_by_label("状态").select_option("running")
        expect(page.locator(".machine")).to_have_count(1)
        expect(page.locator(".machine")).to_contain_text("主斜井带式输送机")
        expect(page).to_have_url(re.compile("state=running"))
        page.reload()
        expect(page.locator(".machine")).to_have_count(1)
        page.locator(".machine a").click()
        expect(page.locator("h2").first).to_have_text("主斜井带式输送机")
        page.go_back()
        expect(page.locator(".machine")).to_have_count(1)
        page.goto(f"{stage.url}/equipment?area=district_1&system=mining&by=area")
        expect(page.locator("main .group").first).to_contain_text("综采工作面")
        page.goto(f"{stage.url}/equipment?q=nothing-is-called-so")
        expect(page.get_by_text("没有符合条件的设备")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_faceplate_tells_values_limits_quality_and_age(stage: Stage, context: BrowserContext, language: str) -> None:
    words = {
        "zh": ("运行", "就地", "通信故障", "8 项保护均正常", "已动作", "全部测点"),
        "en": ("running", "local", "communication", "8 protections, all normal", "tripped", "All points"),
    }[language]
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        guards = ("slip", "pile_up", "deviation", "smoke", "over_temperature", "tear", "pull_cord", "tension_fault")
        say(stage, {f"belt_101/{guard}": 0 for guard in guards})
        say(stage, {"belt_101/running": 1, "belt_101/mode": 1, "belt_101/motor_temp_1": 124.5, "belt_101/flow": 812.25})
        say(stage, {"belt_101/speed": 3.1}, quality=24)
        opened(page, stage, "/equipment/belt_101", language)
        expect(page.locator("html")).to_have_attribute("data-run", "green")
        for look in ("dark", "light"):
            assert page.evaluate(_CONTRAST, look) >= 3, look
        face = page.locator(".faceplate")
        expect(face.locator(".states")).to_contain_text(words[0])
        expect(face.locator(".states")).to_contain_text(words[1])
        expect(face.locator(".readings", has_text="812.25")).to_have_count(1)
        row = face.locator(".readings tr", has=page.locator("svg.bar")).filter(has_text="124.5")
        expect(row).to_contain_text("°C")
        expect(row.locator("svg.bar .limit")).to_have_count(2)
        expect(row.locator("svg.bar .mark.over")).to_have_count(1)
        expect(face.locator(".readings .why").first).to_have_text(words[2])
        expect(face.locator(".protections")).to_contain_text(words[3])
        say(stage, {"belt_101/tear": 1})
        expect(face.locator(".protections .tripped")).to_contain_text(words[4])
        expect(face.locator(".recent [role=alert]")).to_be_visible()
        face.get_by_text(re.compile(rf"{words[5]}.*25")).click()
        expect(face.locator(".wide tbody tr")).to_have_count(25)
        assert not spilled(page)
        assert not serious(page)
        say(stage, {"belt_101/tear": 0})
        speak(page, "zh")


def test_what_a_machine_lacks_is_left_out_and_what_is_not_there_is_told(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        opened(page, stage, "/equipment/meter_belt_101")
        expect(page.locator(".faceplate .readings").first).to_be_visible()
        expect(page.locator(".protections")).to_have_count(0)
        expect(page.locator(".states .run")).to_have_count(0)
        page.goto(f"{stage.url}/equipment/no-such-thing")
        expect(page.get_by_text("没有此设备")).to_contain_text("no-such-thing")


def test_three_thousand_machines_and_hostile_names_are_listed(
    tmp_path_factory: pytest.TempPathFactory, context: BrowserContext
) -> None:
    bad = {"x1": "<script>alert(1)</script>", "x2": "长" * 200, "x3": "\u202eתחנה"}
    many = {
        f"x{n}": Equipment(f"x{n}", "methane_sensor", Name(bad.get(f"x{n}", f"号{n}"), ""), "face_1", "safety")
        for n in range(1, 3001)
    }
    mine = replace(middle(), equipment=many)
    with (
        threaded(lambda loop: bare(tmp_path_factory.mktemp("many"), loop, made=mine)) as standing,
        watched(context, standing.url, forgiven=NO_STORE) as page,
    ):
        opened(page, standing, "/equipment")
        expect(page.get_by_role("status")).to_have_text("3000 台")
        expect(page.locator(".machine").first).to_contain_text("<script>alert(1)</script>")
        page.locator(".frame").evaluate("each => { each.scrollTop = each.scrollHeight }")
        expect(page.locator(".machine").last).to_contain_text("号3000")
        assert page.locator(".machine").count() < 80
        assert not wide(page)
        assert not spilled(page)


def legs(pressure: float) -> dict[str, float]:
    supports = [each for each in middle().equipment if each.startswith("support_")]
    return {f"{each}/{side}_leg_pressure": pressure for each in supports for side in ("left", "right")}


def test_belts_stand_in_the_order_of_the_coal_and_lead_to_each_other(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        say(stage, {f"belt_10{n}/running": float(n != 2) for n in range(1, 7)} | {"belt_103/speed": 2.75})
        opened(page, stage, "/equipment/belt_103")
        cards = page.locator(".line .card")
        expect(cards).to_have_count(6)
        expect(page.locator(".card.focus")).to_contain_text("2.75")
        expect(page.locator(".band rect.running")).to_have_count(5)
        expect(page.locator(".band rect.stopped")).to_have_count(1)
        names = [middle().equipment[f"belt_10{n}"].name.zh for n in (4, 3, 2, 1)]

        def stand() -> list[str]:
            heads = cards.locator(".head a").all()
            left = {each.inner_text(): (each.bounding_box() or {"x": 0.0})["x"] for each in heads}
            return sorted(names, key=lambda name: left.get(name, 0.0))

        until(lambda: stand() == names)
        cards.get_by_text(names[2]).click()
        expect(page.locator("h2").first).to_have_text(names[2])
        expect(page).to_have_url(re.compile("/equipment/belt_102$"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_face_shows_its_supports_and_where_the_shearer_is(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        say(stage, legs(31.0))
        say(stage, {"support_010/left_leg_pressure": 45.5, "support_020/right_leg_pressure": 12.0})
        say(stage, {"support_030/left_leg_pressure": 31, "support_030/right_leg_pressure": 31}, quality=24)
        say(stage, {"support_040/action": 3, "shearer_1/running": 1, "shearer_1/support_number": 60})
        say(stage, {"shearer_1/direction": 1, "afc_1/state": 2})
        opened(page, stage, "/equipment/shearer_1", language)
        strip = page.get_by_role("slider")
        expect(strip.locator(".beyond")).to_have_count(2)
        expect(strip.locator("rect.none")).to_have_count(2)
        expect(strip.locator(".drum.running")).to_have_count(1)
        expect(strip.locator(".conveyor.running")).to_have_count(1)
        told = {
            "zh": ("1 架动作中", "低于 24 的 1 架", "高于 43 的 1 架", "无有效值 1 架"),
            "en": ("1 moving", "1 below 24", "1 above 43", "1 without a good value"),
        }
        for words in told[language]:
            expect(page.locator(".scale")).to_contain_text(words)
        expect(strip).to_have_attribute("aria-valuenow", "60")
        strip.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(strip).to_have_attribute("aria-valuenow", "2")
        expect(page.locator(".chosen")).to_contain_text("31")
        assert not spilled(page)
        assert not serious(page)
        page.keyboard.press("Enter")
        expect(page.locator("h2").first).to_have_text(getattr(middle().equipment["support_002"].name, language))
        speak(page, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pumps_fans_substations_sensors_and_switches_are_drawn(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    zh = language == "zh"
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        say(stage, {"pump_room_1/level": 1.67, "pump_1/state": 2, "pump_2/state": 0, "pump_1/flow": 302.7})
        opened(page, stage, "/equipment/pump_1", language)
        expect(page.locator(".sump .water")).to_have_count(1)
        expect(page.locator(".sump g")).to_have_count(3)
        expect(page.locator(".pumps circle.running")).to_have_count(1)
        expect(page.locator(".pumps li.focus")).to_contain_text("302.7")
        say(stage, {"pump_room_1/level": 1.67}, quality=24)
        expect(page.locator(".sump .water")).to_have_count(0)
        expect(page.locator(".sump .gone")).to_have_text("未知" if zh else "unknown")

        say(stage, {"main_fan_1/running": 1, "main_fan_2/running": 0, "main_fan_1/negative_pressure": 1898})
        page.goto(f"{stage.url}/equipment/main_fan_2")
        expect(page.locator(".fan circle.running")).to_have_count(1)
        expect(page.locator(".card.focus .fan circle.stopped")).to_have_count(1)
        expect(page.locator(".card").first).to_contain_text("1898")

        volts = {f"feeder_2_0{n}/voltage_ab": 1200.0 for n in range(1, 7)}
        say(stage, volts | {f"feeder_2_0{n}/breaker": float(n < 3) for n in range(1, 7)})
        say(stage, {"transformer_1/low_voltage": 1204, "transformer_1/high_breaker": 1})
        page.goto(f"{stage.url}/equipment/feeder_2_01")
        expect(page.locator(".row.in")).to_contain_text("1204")
        expect(page.locator(".row:not(.in) .breaker.closed")).to_have_count(2)
        expect(page.locator(".row:not(.in) .breaker.open")).to_have_count(4)

        say(stage, {"ch4_face_t0/ch4": 0.42, "ch4_face_t0/state": 0})
        page.goto(f"{stage.url}/equipment/ch4_face_t0")
        expect(page.locator(".reading")).to_contain_text("0.42")
        expect(page.locator(".sensor svg")).to_contain_text("断电 1.5" if zh else "power cut 1.5")
        assert page.locator(".sensor svg").evaluate(_CUT) == []
        expect(page.locator(".note")).to_have_count(0)
        say(stage, {"ch4_face_t0/state": 4})
        expect(page.locator(".note")).to_have_text("标校" if zh else "Calibration")

        say(stage, {"switch_1/online": 1, "switch_1/ring_port_1": 1, "switch_1/ring_port_2": 0})
        page.goto(f"{stage.url}/equipment/switch_1")
        expect(page.locator(".device .port.up")).to_have_count(1)
        expect(page.locator(".device rect.port.down")).to_have_count(1)
        assert not spilled(page)
        speak(page, "zh")


def test_a_heading_and_compressors_are_drawn_and_the_map_opens_a_faceplate(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        say(stage, {"aux_fan_1a/running": 1, "aux_fan_1a/air_volume": 447, "roadheader_1/cut_running": 0})
        say(stage, {"ch4_heading1_t1/ch4": 0.05, "compressor_1/running": 1, "compressor_1/load_state": 1})
        opened(page, stage, "/equipment/roadheader_1")
        expect(page.locator(".plan .duct.blowing")).to_have_count(1)
        expect(page.locator(".plan")).to_contain_text("447 m³/min")
        expect(page.locator(".plan")).to_contain_text("0.05 %CH4")
        page.goto(f"{stage.url}/equipment/compressor_1")
        expect(page.locator(".card.focus .loaded")).to_have_count(1)
        page.goto(f"{stage.url}/map?e=compressor_1")
        expect(page.locator("aside .faceplate .card.focus")).to_have_count(1)
        page.locator("aside .faceplate").get_by_role("button", name="关闭").click()
        expect(page.locator("aside .faceplate")).to_have_count(0)
