"""The bureau's figures in a real browser: from a city's rate to the samples beneath in six clicks, and it adds up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from middleplatform.access import users
from middleplatform.access.scope import Scope
from models.kpi.calendar import bounds
from tests.middleplatform.api.build import now, site
from tests.middleplatform.api.stage import PASSWORD, Stage, threaded, until, whole
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched, wide
from tests.middleplatform.console.kept import DAY, HOUR, keep_month, send_samples
from tests.servers import CODE

pytestmark = pytest.mark.long

START = bounds(site(), DAY)[0]
WORDS = {
    "zh": {"belt": "皮带集中控制", "unit": "一号带式输送机", "hand": "不由集控室控制", "same": "与上级一致"},
    "en": {"belt": "Belts from the control room", "unit": "belt 1", "hand": "not controlled from", "same": "as above"},
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("bureau")
    with threaded(lambda loop: whole(home, loop)) as standing:
        keep_month(standing)
        send_samples(standing)
        asked = {"point": f"{CODE}/belt1/speed", "start": START + 6 * HOUR, "end": START + 10 * HOUR}
        until(lambda: standing.get("history", **asked).json()["series"][0]["samples"]["ts"], within=90)
        yield standing


def texts(row: Locator, *names: str) -> tuple[str, ...]:
    return tuple(row.locator(f".{name}").first.inner_text() for name in names)


def tells(row: Locator, names: tuple[str, ...], above: tuple[str, ...]) -> None:
    """What stood above is what is told here, once the page is another one."""
    for name, each in zip(names, above, strict=True):
        expect(row.locator(f".{name}").first).to_have_text(each, use_inner_text=True)


SUMS = ("rate-of", "used", "hand")


def foot(page: Page) -> Locator:
    return page.locator("table.level tfoot tr")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_six_clicks_lead_from_the_citys_rate_to_the_samples(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    words, clicks = WORDS[language], 0

    def click(link: Locator) -> None:
        nonlocal clicks
        clicks += 1
        link.click()

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/figures?p=2026-03")
        mine = page.locator("table.mines tbody tr", has_text="试验矿" if language == "zh" else "test mine")
        expect(mine.locator(".rate-of").first).to_have_text(re.compile(r"^\d\d\.\d %$"), use_inner_text=True)
        top = texts(mine, *SUMS)
        click(mine.get_by_role("link"))

        expect(page).to_have_url(re.compile(r"/figures/mine\?"))
        expect(foot(page)).to_contain_text(words["same"])
        tells(foot(page), SUMS, top)  # the mine's categories make its figure
        belt = page.locator("table.level tbody tr", has_text=words["belt"])
        above = texts(belt, *SUMS)
        click(belt.get_by_role("link"))

        unit = page.locator("table.level tbody tr", has_text=words["unit"])
        expect(page).to_have_url(re.compile(r"/figures/belt\?"))
        expect(unit).to_be_visible()
        expect(foot(page)).to_contain_text(words["same"])
        tells(foot(page), SUMS, above)  # the units make their category's
        above = texts(unit, *SUMS)
        click(unit.get_by_role("link"))

        day = page.locator("table.level tbody tr", has_text=str(DAY))
        expect(page).to_have_url(re.compile(r"/figures/belt/belt1\?"))
        expect(page.locator("table.level tbody tr")).to_have_count(31)
        expect(foot(page)).to_contain_text(words["same"])
        tells(foot(page), SUMS, above)  # the days make their unit's
        above = texts(day, "used", "hand")
        assert above == ("3:00:00", "4:00:00")
        click(day.get_by_role("link"))

        ends = page.locator("table.intervals tfoot")
        expect(ends).to_contain_text(words["same"])
        tells(ends, ("used", "hand"), above)  # the intervals make their day's
        begins = page.locator("table.intervals tbody")
        click(begins.get_by_role("link", name="04:00:00", exact=True))

        assert not spilled(page) and not serious(page)
        samples = page.locator(".why .samples")
        expect(samples).to_be_visible()
        click(samples)

        expect(page).to_have_url(re.compile(r"/trends\?"))
        asked = parse_qs(urlsplit(page.url).query)
        why = stage.get("kpi/why", unit="belt1", category="belt", at=str(START + 4 * HOUR)).json()
        assert f"{CODE}/belt1/speed" in asked["p"][0].split(",")
        # From when the earliest value that decided was seen to say so, which is before the interval, to its end.
        earliest = min(each["since"] for each in why["witnesses"] if each.get("since"))
        assert earliest < START + 4 * HOUR
        assert (asked["from"], asked["to"]) == ([str(earliest // 1000)], [str((START + 6 * HOUR) // 1000)])
        expect(page.locator(".trend canvas")).to_be_visible()
        assert clicks == 6
        page.go_back()
        expect(page.locator(".why .said")).to_be_visible()
        # Of the stretch that did not count, the condition that decided stands out in its definition.
        begins.get_by_role("link", name="06:00:00", exact=True).click()
        expect(page.locator(".why .said")).to_contain_text(words["hand"])
        expect(page.locator(".definition .deciding")).to_contain_text(words["hand"])
        speak(page, "zh")


PAGES = (
    "figures?p=2026-03",
    "figures/mine?p=2026-03",
    "figures/belt?p=2026-03",
    "figures/belt/belt1?p=2026-03",
    f"figures/belt/belt1/{DAY}?p=2026-03",
    "energy?p=2026-03",
    "production?p=2026-03",
    "reports",
    "excluded",
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_page_has_room_for_its_controls_and_can_be_used_by_all(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        for name in PAGES:
            page.goto(f"{stage.url}/{name}")
            expect(page.locator("main .panel header").first).to_be_visible()
            expect(page.locator("main").get_by_role("alert")).to_have_count(0)
            for width in (1600, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                assert not spilled(page), (name, width)
                assert not wide(page), (name, width)
            if language == "zh":
                assert not serious(page), name
        speak(page, "zh")


def test_what_is_not_known_is_told_and_never_nought(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("404",)) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/figures/belt/belt1?p=2026-03-30..2026-04-02")
        expect(page.locator("table.level tbody tr")).to_have_count(3)
        lacking = page.locator("table.level tbody tr", has_text="未保存的日子")
        expect(lacking.locator(".not-known")).to_have_text("48:00:00")
        expect(page.locator("table.level tfoot")).to_contain_text("与上级一致")
        expect(page.locator(".grid .cell.missing")).to_have_count(2)
        expect(page.locator(".grid .cell.missing b").first).to_have_text("—")
        page.goto(f"{stage.url}/figures/mine?p=2026-03-30..2026-04-02")
        expect(page.locator(".notes")).to_contain_text("缺 2 天")
        page.goto(f"{stage.url}/figures/belt?p=2026-03-30..2026-04-02")
        expect(lacking).to_have_count(0)
        expect(page.locator("table.level tbody tr").first).to_contain_text("96:00:00")
        expect(page.locator("table.level tfoot")).to_contain_text("与上级一致")
        page.goto(f"{stage.url}/figures/mine?p=2026-05")
        expect(page.locator("main")).to_contain_text("没有保存的指标")
        page.goto(f"{stage.url}/figures/belt/nobody?p=2026-03")
        expect(page.locator("main").get_by_role("alert")).to_contain_text("nobody")


def test_definitions_stand_beside_figures_and_findings_change_none(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        for name in ("", "/mine", "/belt", "/belt/belt1", f"/belt/belt1/{DAY}"):
            page.goto(f"{stage.url}/figures{name}?p=2026-03")
            beside = page.locator(".definition")
            expect(beside).to_contain_text("未经主管部门确认")
            expect(beside).to_contain_text("2020-01-01 起施行")
        expect(beside).to_contain_text("带速超过额定值的10%")
        expect(page.locator(".findings")).to_contain_text("信号不变")
        expect(page.locator(".findings td a").first).to_have_text("一号带式输送机")
        page.locator(".strip svg").click(position={"x": 4, "y": 50})
        expect(page.locator(".why .said")).to_contain_text("皮带未运行")
        page.locator(".strip svg").press("ArrowRight")
        expect(page.locator(".why .said")).to_contain_text("智能运行，计入")


def test_energy_and_output_are_what_the_days_say(stage: Stage, context: BrowserContext) -> None:
    asked = {"first": "2026-03-01", "last": "2026-03-31"}
    energy = stage.get("kpi/energy", **asked).json()
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/energy?p=2026-03")
        expect(page.locator(".sums dd b").first).to_have_text(
            f"{energy['used']['kwh']['value']:,.0f}".replace(",", " ")
        )
        expect(page.locator("main")).to_contain_text("未说明电网区域")
        expect(page.locator("svg.hours .none")).to_have_count(1)
        page.goto(f"{stage.url}/production?p=2026-03")
        expect(page.locator("table.tonnes tfoot b")).to_have_text("2 976")
        expect(page.locator("main")).to_contain_text("50.0 %")
        expect(page.locator("main")).to_contain_text("31 天未判别报警")


def test_an_address_of_nothing_says_what_is_wrong_and_nothing_known_is_not_all_well(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        alert = page.locator("main").get_by_role("alert")
        for wrong in ("2026-13-45", "2026-02-30"):
            page.goto(f"{stage.url}/figures/belt/belt1/{wrong}")
            expect(alert).to_contain_text(wrong)
        page.goto(f"{stage.url}/figures/nonsense?p=2026-03")
        expect(alert).to_contain_text("nonsense")
        expect(alert.get_by_role("link", name="皮带集中控制")).to_be_visible()
        page.goto(f"{stage.url}/figures/mine?p=2026-05")
        expect(page.locator(".notes")).to_contain_text("无数据")
        expect(page.locator(".findings")).to_contain_text("天未检查")
        expect(page.locator(".findings")).not_to_contain_text("未发现问题")
        page.goto(f"{stage.url}/figures?p=2026-05")
        silent = page.locator("table.mines tbody tr").first
        expect(silent.locator(".used")).to_have_text("—")
        expect(page.locator(".belt-share")).to_have_text("—")
        expect(page.locator("main")).to_contain_text("不可评价 2 座")


def test_sums_of_few_days_say_so_and_no_day_is_no_data(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/energy?p=2026-03-31..2026-04-04")
        # Opened by its address, the page has its layout all the same.
        expect(page.locator("main.bureau")).to_have_css("display", "grid")
        electricity = page.locator(".sums > div").first
        expect(electricity).to_contain_text("仅 1/5 天")
        expect(electricity).to_contain_text(re.compile(r"已知部分 (19|20)\.\d %"))
        expect(page.locator("svg.hours .part").first).to_be_attached()
        page.goto(f"{stage.url}/production?p=2026-03-31..2026-04-04")
        expect(page.locator("table.tonnes tfoot")).to_contain_text("仅 1/5 天")
        page.goto(f"{stage.url}/energy?p=2026-05")
        expect(page.locator("main .nothing")).to_contain_text("无数据")
        expect(page.locator("main")).not_to_contain_text("缺电价或电价方案")
        page.goto(f"{stage.url}/production?p=2026-05")
        expect(page.locator("main")).to_contain_text("无数据")
        expect(page.locator("main")).not_to_contain_text("没有停产")
        expect(page.locator("main")).not_to_contain_text("已知时间内未见停产")


def test_each_level_has_its_bounds_and_a_day_is_held_against_what_was_kept(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        for name in ("/mine", "/belt", "/belt/belt1", f"/belt/belt1/{DAY}"):
            page.goto(f"{stage.url}/figures{name}?p=2026-03")
            header = page.locator(".panel header", has=page.locator(".figure")).first
            expect(header.locator("svg.rate")).to_be_visible()
            expect(header).to_contain_text("覆盖率")
        expect(header).to_contain_text("全天")
        ends = page.locator("table.intervals tfoot")
        expect(ends).to_contain_text("✓ 与上级一致")

        def halved(route: Route) -> None:
            answer = route.fetch()
            said = answer.json()
            said["units"][0]["seconds"]["intelligent"] /= 2
            route.fulfill(response=answer, json=said)

        page.route("**/api/v1/kpi/units?*", halved)
        page.reload()
        expect(ends).to_contain_text("与上级不一致")
        page.unroute("**/api/v1/kpi/units?*")
        page.goto(f"{stage.url}/figures/belt/belt1/{DAY}?p=2026-03&shift=rest")
        expect(header).to_contain_text("班外")
        expect(ends).to_contain_text("✓ 与上级一致")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_is_made_fetched_and_verified_and_a_forged_one_found_out(
    stage: Stage, context: BrowserContext, tmp_path: Path, language: str
) -> None:
    said = {
        "zh": ("编制报表", "日期", "已编制", "中文", "核验通过", "核验未通过", "处"),
        "en": ("Make a report", "Day", "Made: code", "English", "Verified", "Not verified", "differences"),
    }[language]
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/reports")
        make = page.locator(".make")
        make.get_by_label(said[1]).fill(str(DAY))
        make.get_by_role("button", name=said[0]).click()
        expect(make.get_by_role("status")).to_contain_text(said[2], timeout=60_000)
        row = page.locator(".list tbody tr").first
        expect(row).to_contain_text(str(DAY))
        with page.expect_download() as fetched:
            row.get_by_role("link", name=f"XLSX {said[3]}").click()
        path = tmp_path / fetched.value.suggested_filename
        fetched.value.save_as(path)
        page.locator(".verify input[type=file]").set_input_files(path)
        verdict = page.locator(".verdict")
        expect(verdict.locator("h3")).to_contain_text(said[4], timeout=60_000)
        forged = load_workbook(path)
        cell = next(c for sheet in forged for row in sheet for c in row if isinstance(c.value, float))
        cell.value += 0.01
        forged.save(tmp_path / "forged.xlsx")
        page.locator(".verify input[type=file]").set_input_files(tmp_path / "forged.xlsx")
        expect(verdict.locator("h3")).to_contain_text(said[5], timeout=60_000)
        expect(verdict).to_contain_text(said[6])
        assert not spilled(page)
        speak(page, "zh")


def test_excluded_time_is_approved_by_another_with_a_reason(stage: Stage, context: BrowserContext) -> None:
    asked = {"kind": "excluded_time", "cause": "planned_maintenance", "equipment": ["belt1"], "reason": "更换托辊"}
    with stage.client("admin") as client:
        later = now() + HOUR
        answer = client.post("/api/v1/tickets", json={**asked, "start": str(later), "end": str(later + HOUR)})
    assert answer.status_code == 201, answer.text
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/excluded")
        row = page.locator(".tickets tbody tr", has_text="更换托辊")
        expect(row).to_contain_text("一号带式输送机")
        row.get_by_role("button", name="批准").click()
        decide = page.get_by_role("dialog").get_by_role("button", name="批准")
        expect(decide).to_be_disabled()
        page.get_by_role("dialog").locator("input").fill("计划内，同意")
        decide.click()
        expect(row).to_contain_text("已批准")
        expect(row).to_contain_text("计划内，同意")
        expect(row.get_by_role("button")).to_have_text(["提前结束"])


def test_who_sees_a_part_of_the_mine_begins_there_and_is_told_so(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "eve", PASSWORD, role="operator", scope=Scope.of({"areas": ["east"]}))
    with watched(context, stage.url, forgiven=("404", "403")) as page:
        sign_in(page, stage)
        page.get_by_role("button", name="退出").click()
        page.fill("#user", "eve")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator("nav")).to_be_visible()
        page.goto(f"{stage.url}/figures?p=2026-03")
        expect(page.locator(".notes")).to_contain_text("不是全矿")
        assert urlsplit(page.url).path == "/figures/mine"
        expect(page.locator("table.level")).not_to_contain_text("掘进机")
        page.get_by_role("button", name="退出").click()
        expect(page.locator("#user")).to_be_visible()
