"""Trends in a real browser against bus, store and API: what is drawn is what was told, and the address holds it all."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Locator, Page, expect

from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from tests.middleplatform.api.build import CODE, batch, path_of
from tests.middleplatform.api.stage import Stage, threaded, until, whole
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched, wide

SECOND = 1_000_000
SPEED, RUNNING, LEVEL = path_of("belt1/speed"), path_of("belt1/running"), path_of("pump1/level")
SPIKE = 4.75
"""One sample of thousands."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, int]]:
    """A platform with an hour of a belt that ends at the time told, µs: a spike at its minute 10, bad values from 20 to
    25, nothing from 40 to 45, stopped from 50 on; and two alarms."""
    home: Path = tmp_path_factory.mktemp("trends")
    with threaded(lambda loop: whole(home, loop)) as stage:
        end = time.time_ns() // 1000 // (60 * SECOND) * 60 * SECOND - 60 * SECOND
        begin = end - 3600 * SECOND
        rows = []
        for second in range(0, 3600, 10):
            ts = begin + second * SECOND
            if 2400 <= second < 2700:
                continue
            quality = 24 if 1200 <= second < 1500 else 192
            rows += [
                ("belt1/speed", ts, SPIKE if second == 600 else 3.0 if second < 3000 else 0.0, quality),
                ("belt1/running", ts, float(second < 3000), quality),
                ("pump1/level", ts, 2.0, 192),
            ]
        for k in range(0, len(rows), 300):
            stage.send(batch(stage.next_number(), *rows[k : k + 300]), live=k == 0)
        minute = 60 * SECOND
        changes = [
            Change("belt.slow", SPEED, Act.RAISE, begin + 50 * minute, rule_version=1, priority=2, value=0.0),
            Change("belt.hot", f"{CODE}/belt1", Act.RAISE, begin + 5 * minute, rule_version=1, priority=1),
            Change("belt.hot", f"{CODE}/belt1", Act.RETURN, begin + 9 * minute, rule_version=1, priority=1),
            Change("pump.full", LEVEL, Act.RAISE, begin + 3 * minute, rule_version=1, priority=3),
        ]
        assert book.record(home, CODE, Position("watch-alarms", "SAMPLES", 1, 1), changes)

        def written() -> bool:
            told = stage.get("history", point=LEVEL, start=str(begin), end=str(end), width="1h").json()
            return bool(told["series"][0]["buckets"]["n"] == [330])

        until(written, within=90)
        yield stage, end


def address(filled: tuple[Stage, int], **more: str) -> str:
    stage, end = filled
    query = {"p": f"{SPEED},{RUNNING}", "from": str(end // 1000 - 3_600_000), "to": str(end // 1000), **more}
    return f"{stage.url}/trends?" + "&".join(f"{key}={value}" for key, value in query.items())


def held(page: Page) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlparse(page.url).query).items()}


def label(page: Page) -> Locator:
    """The range that is told of the curves, as it is printed."""
    return page.locator(".told span", has_text=re.compile(r"\d{4}-.* – \d{4}-"))


def told_at(page: Page, share: float, told: Locator, words: str) -> None:
    """With the pointer at a part of the range. A plot that is laid out anew meanwhile has no pointer over it: again."""

    def pointed() -> bool:
        box = page.locator(".u-over").bounding_box()
        if box is None:
            return False
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        return told.inner_text().strip() == words

    until(pointed)


def drawn(page: Page) -> None:
    """The plot with all that stands under it, so that nothing moves it any more."""
    expect(page.locator(".plot")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".row.alarm")).to_have_count(2)
    expect(page.locator(".held")).to_have_count(1)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            {"runs": "运行", "stands": "停止", "unknown": "未知", "none": "无有效数据", "dashed": "虚线：早 1 天",
             "compare": "对比"},
        ),
        (
            "en",
            {"runs": "running", "stands": "stopped", "unknown": "unknown", "none": "no valid data",
             "dashed": "dashed: 1 d earlier", "compare": "Compare"},
        ),
    ],
)  # fmt: skip
def test_curves_are_told_at_the_cursor_with_what_was_wrong_meanwhile(
    filled: tuple[Stage, int], context: BrowserContext, language: str, words: dict[str, str]
) -> None:
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(address(filled))
        speed = page.locator(".pens tbody tr").nth(0)
        running = page.locator(".pens tbody tr").nth(1)
        # One sample of an hour is still there.
        expect(speed).to_contain_text(f"0 / {SPIKE}")
        told_at(page, 15.5 / 60, speed.locator(".at"), "3")
        told_at(page, 15.5 / 60, running.locator(".at"), words["runs"])
        told_at(page, 42.5 / 60, speed.locator(".at"), words["none"])
        told_at(page, 55.5 / 60, running.locator(".at"), words["stands"])
        # Under the curves: the machine's alarms, not those of another, and in which state it was.
        alarms = page.locator(".row.alarm")
        expect(alarms).to_have_count(2)
        expect(alarms.nth(0)).to_contain_text("belt.hot")
        width, x = (float(alarms.nth(0).locator("rect").get_attribute(name) or 0) for name in ("width", "x"))
        assert (round(x), round(width)) == (round(100 * 5 / 60), round(100 * 4 / 60))
        states = page.locator(".held")
        expect(states).to_have_count(1)
        expect(states).to_contain_text([re.compile(words["runs"])])
        expect(states.locator(".unknown").first).to_have_attribute("title", re.compile(words["unknown"]))
        assert not spilled(page)
        assert not serious(page)
        page.get_by_label(words["compare"]).select_option("1d")
        expect(page.locator(".told")).to_contain_text(words["dashed"])
        expect(page).to_have_url(re.compile("with=1d"))
        for size in ((1280, 720), (1024, 768)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert not spilled(page), size
            assert not wide(page), size
        page.set_viewport_size({"width": 1600, "height": 900})
        speak(page, "zh")


def test_a_point_is_found_and_added_by_the_keyboard_alone(filled: tuple[Stage, int], context: BrowserContext) -> None:
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled, p=SPEED, name="皮带"))
        expect(page.locator("h2.set")).to_have_text("皮带")
        page.get_by_role("combobox", name="添加测点").focus()
        page.keyboard.type("水泵")
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("listbox").get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.locator(".pens tbody tr")).to_have_count(2)
        chosen = held(page)["p"].split(",")
        assert chosen[0] == SPEED and "pump1" in chosen[1]
        page.locator(".pens button").nth(0).click()
        expect(page.locator(".pens tbody tr")).to_have_count(1)
        page.go_back()
        expect(page.locator(".pens tbody tr")).to_have_count(2)


def test_dragging_asks_the_platform_for_that_time_and_the_way_back_leads_back(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    stage, end = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled))
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        drawn(page)
        before = held(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/history" in request.url else None)
        box = page.locator(".u-over").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
        page.mouse.up()
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text("3 / 3")
        begin = end // 1000 - 3_600_000
        start, finish = int(held(page)["from"]), int(held(page)["to"])
        assert abs(start - begin - 1_800_000) < 20_000 and abs(finish - begin - 2_160_000) < 20_000
        assert any(f"start={start * 1000}" in url for url in asked), asked
        page.locator(".plot").focus()
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile(f"from={round(start + (finish - start) / 2)}"))
        page.go_back()
        page.go_back()
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        assert held(page) == before


def test_a_time_that_is_none_is_told_with_one_that_is(filled: tuple[Stage, int], context: BrowserContext) -> None:
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled))
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        page.get_by_label("从", exact=True).fill("gestern")
        page.get_by_role("button", name="应用", exact=True).click()
        expect(page.locator("main").get_by_role("alert")).to_contain_text("2026-03-01")


def test_what_is_told_of_the_curves_is_of_the_time_that_was_applied(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    """The label, the fields and the alarms under it, with the focus still on the button."""
    stage, end = filled
    begin = end // 1000 - 3_600_000
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled, **{"from": str(begin + 240_000), "to": str(begin + 540_000)}))
        start, until_ = page.get_by_label("从", exact=True), page.get_by_label("到", exact=True)
        expect(label(page)).to_be_visible()
        asked = [start.input_value(), until_.input_value()]
        page.goto(f"{stage.url}/trends?p={SPEED}&range=15m")
        expect(label(page)).to_be_visible()
        for press in ("应用", "Enter"):
            start.fill(asked[0])
            until_.fill(asked[1])
            if press == "Enter":
                until_.press(press)
            else:
                page.get_by_role("button", name=press, exact=True).click()
            expect(page.locator(".row.alarm")).to_contain_text(["belt.hot"])
            expect(label(page)).to_have_text(" – ".join(asked))
            expect(page.locator(".pens tbody tr").nth(0)).to_contain_text("3 / 3")
            assert [start.input_value(), until_.input_value()] == asked
            page.get_by_role("button", name="实时跟随", exact=True).click()
            expect(label(page)).not_to_have_text(" – ".join(asked))


def test_alarms_of_another_time_are_told_of_none_while_its_own_are_asked_for(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    stage, end = filled
    begin = end // 1000 - 3_600_000
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled, **{"from": str(begin), "to": str(begin + 60_000)}))
        none = page.get_by_text("所选设备此时段没有报警")
        expect(none).to_be_visible()
        page.route("**/alarms/intervals?*", lambda _: None)  # no answer comes
        fields = page.get_by_label("从", exact=True), page.get_by_label("到", exact=True)
        before = fields[1].input_value()
        page.get_by_role("button", name="后移", exact=True).click()
        expect(label(page)).not_to_contain_text(f"– {before}")
        expect(none).to_have_count(0)


@pytest.mark.parametrize(
    ("start", "words", "drawn"),
    [("1900-01-01 08:00", "早于 1970 年", False), ("2026-02-30 08:00", "“2026-02-30 08:00”不是时刻", True)],
)
def test_a_time_that_nothing_can_be_drawn_of_is_told_in_words(
    filled: tuple[Stage, int], context: BrowserContext, start: str, words: str, drawn: bool
) -> None:
    """And no curve of another stands under what was taken for asked."""
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled))
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        before = label(page).text_content()
        page.get_by_label("从", exact=True).fill(start)
        page.get_by_role("button", name="应用", exact=True).click()
        expect(page.locator("main").get_by_role("alert")).to_contain_text(words)
        expect(page.locator(".trend canvas")).to_have_count(int(drawn))
        if drawn:
            expect(label(page)).to_have_text(before or "")


def test_what_cannot_be_asked_leaves_no_curve_of_another_time(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    stage, _ = filled
    with watched(context, stage.url, forgiven=("ERR_FAILED",)) as page:
        sign_in(page, stage)
        page.goto(address(filled))
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        page.route("**/api/v1/history?*", lambda way: way.abort())
        page.get_by_role("button", name="前移", exact=True).click()
        expect(page.locator(".told").get_by_role("alert")).to_be_visible()
        expect(page.locator(".trend canvas")).to_have_count(0)
        expect(label(page)).to_have_count(0)


def test_gaps_and_bad_values_are_drawn_as_such(filled: tuple[Stage, int], context: BrowserContext) -> None:
    stage, end = filled
    count = """() => {
        const canvas = document.querySelector('.trend canvas')
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        const told = getComputedStyle(document.documentElement).getPropertyValue('--bad').trim()
        const [red, green, blue] = [1, 3, 5].map(at => parseInt(told.slice(at, at + 2), 16))
        let found = 0
        const bad = k => data[k] === red && data[k + 1] === green && data[k + 2] === blue
        for (let k = 0; k < data.length; k += 4) if (bad(k)) found++
        return found
    }"""
    painted = """() => {
        const canvas = document.querySelector('.trend canvas')
        return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(each => each)
    }"""
    with watched(context, stage.url, forgiven=("willReadFrequently",)) as page:  # read until it is drawn
        sign_in(page, stage)
        minutes = {"whole": (26, 39), "bad": (20, 25), "none": (41, 44)}
        least = {"bad": 500, "none": 0}
        for name, (first, last) in minutes.items():
            begin = end // 1000 - 3_600_000
            page.goto(
                address(filled, p=SPEED, **{"from": str(begin + first * 60_000), "to": str(begin + last * 60_000)})
            )
            expect(page.locator(".trend canvas")).to_be_visible()
            expect(page.locator(".plot")).to_have_attribute("aria-busy", "false")
            until(lambda: page.evaluate(painted))
            if name != "whole":
                until(lambda name=name: page.evaluate(count) > least[name])
            else:
                assert page.evaluate(count) == 0


def test_what_is_shown_is_exported_and_many_samples_by_the_platform(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(address(filled))
        expect(page.locator(".pens tbody tr").nth(0)).to_contain_text(f"/ {SPIKE}")
        page.get_by_role("button", name="导出").click()
        with page.expect_download() as told:
            page.get_by_role("link", name="XLSX").click()
        rows = list(load_workbook(io.BytesIO(Path(told.value.path()).read_bytes()), read_only=True).active.values)
        assert rows[0][0] == "point" and {row[0] for row in rows[1:]} == {SPEED, RUNNING}
        most = rows[0].index("max")
        assert max(row[most] for row in rows[1:] if row[most] is not None) == SPIKE
        with page.expect_download() as told:
            page.get_by_role("link", name="CSV").click()
        assert Path(told.value.path()).read_text("utf-8-sig").startswith('"point","id","time"')
        page.get_by_role("button", name="Parquet").click()
        fetch = page.get_by_role("link", name="下载文件")
        expect(fetch).to_be_visible(timeout=60_000)
        with page.expect_download() as told:
            fetch.click()
        assert Path(told.value.path()).read_bytes()[:4] == b"PAR1"
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_the_store_has_not_written_and_points_that_are_gone_are_told(
    filled: tuple[Stage, int], context: BrowserContext
) -> None:
    stage, _ = filled
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        shown = stage.get("history", point=SPEED, start="-1h", buckets=200).json()
        page.route("**/api/v1/history?*", lambda route: route.fulfill(json={**shown, "incomplete": True}))
        page.goto(address(filled, p=f"{SPEED},{CODE}/belt9/speed"))
        expect(page.locator(".told")).to_contain_text("存储尚未写完")
        expect(page.locator(".told")).to_contain_text("belt9/speed")
