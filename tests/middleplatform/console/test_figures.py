"""What the pages of figures say beside a figure: of what time it is, what is not known, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from middleplatform.kpi import book
from middleplatform.kpi.evidence import Evidence, UnitSpans
from models.energy.day import Use
from models.kpi.calendar import bounds
from models.site.model import Name
from models.spans import NOTHING, Spans
from models.utilisation.judge import Judged
from models.utilisation.verdict import Verdict
from tests.middleplatform.api.build import site
from tests.middleplatform.api.stage import Stage, bare, threaded, until
from tests.middleplatform.console.browser import serious, settled, sign_in, speak, spilled, watched, wide
from tests.middleplatform.console.kept import BY, DAY, RULES, keep_month
from tests.middleplatform.kpi.made import energy_of
from tests.servers import CODE

STOOD = date(2026, 6, 1)
"""A day on which the belt stood: nothing of it counts."""
MADE = "计算于 2026-04-01 01:00"


def stood(day: date) -> Evidence:
    start, end = bounds(site(), day)
    never, always = Spans.of(()), Spans.of([(start, end)])
    moving, *held = RULES.categories["belt"].clauses()
    judged = Judged(
        ((moving, Verdict(never, always)),), tuple((each, Verdict(always, never)) for each in held), NOTHING
    )
    unit = UnitSpans("belt", "belt1", Name("一号带式输送机", "belt 1"), ("belt1",), (), None, start, end, judged)
    return Evidence(CODE, day, start, end, RULES.version, "v1", (("rest", start, end),), (unit,), (), RULES.digest)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("figures")
    with threaded(lambda loop: bare(home, loop)) as standing:
        keep_month(standing)
        made, end = stood(STOOD), bounds(site(), STOOD)[1]
        book.keep(home, CODE, book.UTILISATION, STOOD, made.mine_day().document(), BY, made.pack(), at=end)
        energy = energy_of(CODE, STOOD)
        meters = tuple(
            replace(each, point=f"{CODE}/belt1/current", equipment=("belt1",)) if each.use is Use.LOAD else each
            for each in energy.meters
        )
        book.keep(home, CODE, book.ENERGY, STOOD, replace(energy, meters=meters).document(), BY, at=end)
        yield standing


def look(page: Page, stage: Stage, address: str) -> None:
    sign_in(page, stage)
    page.goto(stage.url + address)


def test_belts_of_which_nobody_knows_are_a_dash_with_its_reason(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/figures?p=2026-03")
        expect(page.locator(".belt-share")).to_have_text("—")
        expect(page.locator(".panel", has=page.locator(".belt-share"))).to_contain_text("不可评价 1 座")


def test_each_level_says_of_what_time_it_is_and_when_it_was_reckoned(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        for name in ("", "/mine", "/belt", "/belt/belt1"):
            page.goto(f"{stage.url}/figures{name}?p=2026-03")
            stamp = page.locator(".stamp").first
            expect(stamp).to_contain_text("2026-03-01 – 2026-03-31")
            expect(stamp).to_contain_text(MADE)
            if name:
                expect(stamp).to_contain_text("有数据 31/31 天")
        page.goto(f"{stage.url}/figures/belt/belt1/{DAY}?p=2026-03")
        expect(page.locator(".stamp").first).to_have_text(f"{DAY} · 计算于 2026-03-03 01:00")
        # What is kept of some days only says of how many.
        page.goto(f"{stage.url}/figures/belt/belt1?p=2026-03-30..2026-04-02")
        expect(page.locator(".stamp").first).to_contain_text("有数据 2/4 天")
        assert not spilled(page) and not serious(page)


def test_days_that_lack_are_unknown_of_a_machine_as_of_its_category(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/figures/belt?p=2026-03-30..2026-04-02")
        rows = page.locator("table.level tbody tr")
        expect(rows).to_have_count(2)
        coverage = page.locator(".panel header", has=page.locator(".figure")).first
        for row in rows.all():
            expect(row).to_contain_text("96:00:00")
        expect(page.locator("table.level tfoot")).to_contain_text("192:00:00")
        expect(coverage).to_contain_text("23.4 %")
        expect(rows.first).to_contain_text("22.2 %")
        page.goto(f"{stage.url}/figures/belt/belt1?p=2026-03-30..2026-04-02")
        expect(coverage).to_contain_text("22.2 %")
        expect(coverage).to_contain_text("不可评价")
        expect(page.locator(".notes")).to_contain_text("缺 2 天")
        expect(page.locator("table.level tbody tr").last).to_contain_text("48:00:00")
        expect(page.locator("table.level tfoot")).to_contain_text("96:00:00")
        assert not spilled(page) and not serious(page)


def test_the_reasons_of_a_machine_are_all_that_did_not_count(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, f"/figures/belt/belt1?p={DAY}..{date(2026, 4, 2)}")
        why = page.locator(".reasons")
        # Each of thirty days half an hour of which nobody knows whether it ran, and two days that are not kept.
        expect(why.locator("tr", has_text="不知是否在生产")).to_contain_text("15:00:00")
        expect(why.locator("tr", has_text="未保存的日子（2 天）")).to_contain_text("48:00:00")
        expect(why.locator("tfoot")).to_contain_text("✓ 与上级一致")
        with stage.client("admin") as client:
            answer = client.get(
                "/api/v1/kpi/units", params={"first": str(DAY), "last": "2026-04-02", "unit": "belt1"}
            ).json()
        own = answer["units"][0]["seconds"]
        whole = round(own["by_hand"] + own["open"] + own["blind"])
        expect(why.locator("tfoot")).to_contain_text(f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}")
        # Of a day on which it stood there is nothing to give reasons for.
        page.goto(f"{stage.url}/figures/belt/belt1?p={STOOD}")
        expect(page.locator("table.level")).to_be_visible()
        expect(why).to_have_count(0)


def seconds_of(text: str) -> int:
    hours, minutes, seconds = (int(each) for each in text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_times_of_a_row_make_its_calendar_and_none_is_cut(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        for name in ("mine", "belt", "belt/belt1"):
            page.goto(f"{stage.url}/figures/{name}?p=2026-03")
            level = page.locator("table.level")
            expect(level.locator("tfoot")).to_be_visible()
            for row in (*level.locator("tbody tr").all(), level.locator("tfoot tr")):
                *parts, whole = (
                    0 if text == "—" else seconds_of(text) for text in row.locator(".lasted").all_inner_texts()
                )
                assert len(parts) == 5 and sum(parts) == whole > 0, (name, row.inner_text())
            for width in (1440, 1024):
                page.set_viewport_size({"width": width, "height": 900})
                assert not cut(page), (name, width)
        assert not serious(page)
        speak(page, "zh")


def test_times_are_told_to_the_second_and_the_whole_of_them_where_one_points(
    stage: Stage, context: BrowserContext
) -> None:
    def odd(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        for each in said["units"]:
            each["seconds"] |= {"by_hand": 0.004, "intelligent": 59.996}
        route.fulfill(response=answer, json=said)

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/kpi/units?*", odd)
        page.goto(f"{stage.url}/figures/belt?p={DAY}")
        row = page.locator("table.level tbody tr").first
        expect(row.locator(".used")).to_have_text("0:01:00")
        expect(row.locator(".used span")).to_have_attribute("title", "0:00:59.996")
        expect(row.locator(".hand")).to_have_text("<0:00:01")
        expect(row.locator(".hand span")).to_have_attribute("title", "0:00:00.004")


def cut(page: Page) -> list[str]:
    """Of tables, what cannot be seen without scrolling."""
    told = """() => [...document.querySelectorAll('main .wide')]
        .filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText.slice(0, 60))"""
    return settled(page, lambda: page.evaluate(told))


def high(rows: Locator, most: float) -> list[str]:
    """Rows that are higher than that."""
    return settled(
        rows.page, lambda: [row.inner_text() for row in rows.all() if (row.bounding_box() or TALL)["height"] >= most]
    )


TALL = {"height": 1e9}
"""What has no place yet."""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_mine_lacks_has_the_width_of_the_table(stage: Stage, context: BrowserContext, language: str) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/figures?p=2026-03")
        lacking = page.locator("table.mines .lacking").first
        expect(lacking).to_be_visible()
        for width in (1440, 1024):
            page.set_viewport_size({"width": width, "height": 900})
            assert not cut(page), width
            assert not high(page.locator("table.mines tr"), 90), width
        assert not spilled(page) and not serious(page)
        speak(page, "zh")


def test_a_face_is_called_by_its_name(stage: Stage, context: BrowserContext) -> None:
    def told(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        face = {"unit": "shearer_1", "name": {"zh": "一号采煤机", "en": "shearer 1"}}
        said["periods"][0]["normalised"] = [
            {**face, "days": 2, "producing": 3, "share": 0.8, "needed": 25, "met": False}
        ]
        route.fulfill(response=answer, json=said)

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/kpi/figure?*", told)
        page.goto(f"{stage.url}/figures/mine?p=2026-03")
        expect(page.locator(".notes")).to_contain_text("一号采煤机: 常态化运行")
        expect(page.locator("main")).not_to_contain_text("shearer_1")


def test_costs_by_system_and_the_rest_make_the_cost_of_all(stage: Stage, context: BrowserContext) -> None:
    def priced(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        for each in said["systems"]:
            each["cost"]["money"] = 300
        all_of_them = 300 * len(said["systems"]) + 45
        said["used"]["cost"] |= {"money": all_of_them, "relative": 1, "least_money": 1}
        said["rest"] |= {"kwh": 90, "money": 45}
        route.fulfill(response=answer, json=said)

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/kpi/energy?*", priced)
        page.goto(f"{stage.url}/energy?p={DAY}")
        systems = page.locator("table.systems")
        expect(systems.locator("tbody tr").last.locator("td").last).to_have_text("¥ 45")
        costs = [int(each.split()[-1]) for each in systems.locator("tr td:last-child").all_inner_texts()]
        assert len(costs) > 2 and sum(costs[:-1]) == costs[-1]
        expect(systems.locator("tfoot")).to_contain_text("合计")


def test_time_that_there_was_not_is_a_dash(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        for name in ("/mine", "/belt", "/belt/belt1"):
            page.goto(f"{stage.url}/figures{name}?p={STOOD}")
            row = page.locator("table.level tbody tr").first
            expect(row.locator(".used")).to_have_text("—")
            expect(row.locator(".hand")).to_have_text("—")
            expect(page.locator("table.level")).to_contain_text("24:00:00")
            expect(page.locator("table.level")).not_to_contain_text(re.compile(r"\b0:00:00"))
        page.goto(f"{stage.url}/figures/belt/belt1/{STOOD}?p={STOOD}")
        expect(page.locator("table.intervals tfoot .used")).to_have_text("—")


def test_the_chosen_time_goes_along_to_the_other_pages_of_figures(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/figures/belt?p=2026-03&shift=rest")
        expect(page.locator("main .period")).to_be_visible()

        def follow(name: str, p: str) -> None:
            link = page.locator("nav").get_by_role("link", name=name, exact=True)
            link.click()
            expect(link).to_have_attribute("aria-current", "page")
            expect(page.locator("main .period")).to_be_visible()
            expect(page).to_have_url(re.compile(rf"p={re.escape(p)}(&|$)"))

        follow("能耗", "2026-03")
        follow("产量", "2026-03")
        page.get_by_role("button", name="前一段").click()
        expect(page).to_have_url(re.compile("p=2026-02"))
        follow("使用率", "2026-02")
        follow("能耗", "2026-02")
        page.locator("nav").get_by_role("link", name="报表", exact=True).click()
        expect(page.locator(".make")).to_be_visible()
        follow("产量", "2026-02")
        # The way back leads where one was, not to where one is once more.
        page.go_back()
        expect(page.locator(".make")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/figures?p=<script>", "“<script>”不是时段"),
        ("/figures/mine?p=2026-11-26..2026-11-01", "“2026-11-26..2026-11-01”的结束早于开始"),
        ("/figures/mine?p=2026-03-01..2026-03-02..2026-03-03", "不是时段"),
        ("/production?p=-5", "“-5”不是时段"),
        ("/energy?p=2026-02-30", "“2026-02-30”不是时段"),
        ("/figures/belt?p=0001-01", "“0001-01”早于 2000 年"),
        ("/production?p=0050", "“0050”早于 2000 年"),
    ],
)
def test_what_is_no_period_is_told_and_never_taken_for_another(
    stage: Stage, context: BrowserContext, address: str, why: str
) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, address)
        told = page.locator(".period + [role=alert]")
        expect(told).to_contain_text(why)
        expect(told).to_contain_text(re.compile(r"以下为 20\d\d-\d\d 的指标，请另选时段"))
        page.get_by_role("button", name="今日", exact=True).click()
        expect(told).to_have_count(0)
        expect(page).to_have_url(re.compile(r"p=20\d\d-\d\d-\d\d"))


def test_a_range_that_is_entered_the_wrong_way_round_is_told(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/production?p=2026-03-30..2026-04-02")
        page.get_by_label("到", exact=True).fill("2026-03-01")
        told = page.locator(".period + [role=alert]")
        expect(told).to_have_text("“2026-03-30..2026-03-01”的结束早于开始")
        expect(page).to_have_url(re.compile(r"p=2026-03-30\.\.2026-04-02"))
        page.get_by_label("从", exact=True).fill("2026-02-28")
        expect(page).to_have_url(re.compile(r"p=2026-02-28\.\.2026-03-01"))
        expect(told).to_have_count(0)


def test_a_category_s_page_has_that_category_s_notes_alone(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/figures/mine?p=2026-03-30..2026-04-02")
        expect(page.locator(".notes")).to_contain_text("本矿没有")
        for name, own, other in (("belt", "皮带集中控制", "掘进"), ("roadheader", "掘进", "皮带集中控制")):
            page.goto(f"{stage.url}/figures/{name}?p=2026-03-30..2026-04-02")
            notes = page.locator(".notes")
            expect(notes).to_contain_text("缺 2 天")
            expect(notes).to_contain_text(f"覆盖不足：{own}" if name == "belt" else own)
            expect(notes).not_to_contain_text("本矿没有")
            expect(notes).not_to_contain_text(other)


def test_output_says_how_much_machines_were_on_and_what_that_means(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/production?p=2026-03")
        expect(page.locator(".power-on")).to_have_text("62.5 %")
        expect(page.locator("main")).to_contain_text("开机率=运行时长/（运行时长+停机时长）")
        speak(page, "en")
        page.reload()
        expect(page.locator("main")).to_contain_text("Power-on rate = running / (running + standing)")
        assert not spilled(page)
        speak(page, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rate_of_which_little_is_known_is_no_rate_to_judge_by(
    stage: Stage, context: BrowserContext, language: str
) -> None:
    none, few, part = {
        "zh": ("不可评价", "仅 1/27 天", "已知 3.7 %，其中 62.5 %"),
        "en": ("not assessable", "1 of 27 days only", "3.7 % known, 62.5 % of it"),
    }[language]
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/production?p=2026-03-31..2026-04-26")
        machines = page.locator(".machines")
        rate = machines.locator(".power-on")
        expect(rate).to_contain_text(none)
        expect(rate).to_contain_text(part)
        expect(machines.locator(".available")).to_contain_text(none)
        # The hours are of the one day that is kept, and say so: above the table and in the machine's row.
        expect(machines.locator("header")).to_contain_text(few)
        expect(machines.locator("tbody .name")).to_contain_text(few)
        assert not spilled(page) and not serious(page)
        page.goto(f"{stage.url}/production?p=2026-03")
        expect(rate).to_have_text("62.5 %")
        expect(machines).not_to_contain_text(none)
        speak(page, "zh")


def test_no_tonnes_in_the_little_that_is_known_are_a_dash_with_its_reason(
    stage: Stage, context: BrowserContext
) -> None:
    known: list[tuple[float | None, float | None]] = [(0.0, 0.004), (None, 0.0), (0.0, 1.0)]

    def told(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        value, part = known[0]
        for each in (said["tonnes"], *said["shifts"].values()):
            each.update(value=value, known=part)
        route.fulfill(response=answer, json=said)

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/kpi/production?*", told)
        page.goto(f"{stage.url}/production?p={DAY}")
        foot = page.locator("table.tonnes tfoot")
        expect(foot.locator("b")).to_have_text("—")
        expect(foot).to_contain_text("已知的 0.4 % 时间里为 0")
        expect(page.locator("table.tonnes tbody")).not_to_contain_text(re.compile(r"\b0\b(?!\.)"))
        del known[0]
        page.reload()
        expect(foot.locator("b")).to_have_text("—")
        expect(foot).to_contain_text(re.compile("没有登记原煤计量|计量全部不详"))
        del known[0]
        page.reload()
        expect(foot.locator("b")).to_have_text("0")


def test_hours_that_a_machine_stood_and_stoppages_of_production_are_two_words(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/production?p=2026-03")
        expect(page.locator(".machines thead")).to_contain_text("停机时长 h")
        expect(page.locator(".panel", has_text="停产原因（帕累托）").first).to_be_visible()
        words = page.locator("main").inner_text()
        assert set(re.findall("停机.{2}", words)) == {"停机时长"}


def test_the_city_says_that_the_running_day_is_left_out(stage: Stage, context: BrowserContext) -> None:
    def running(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "last": "2026-03-20"})

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/figures?p=2026-03")
        heading = page.locator(".panel h2", has_text="2026-03-01").first
        expect(heading).to_contain_text("2026-03-31")
        expect(heading).not_to_contain_text("不含")
        # Of mines that need it, how many can be judged stands beside how many have it.
        expect(page.locator(".panel", has=page.locator(".belt-share"))).to_contain_text(
            re.compile(r"中可评价 \d 座，其中")
        )
        page.route("**/api/v1/kpi/city?*", running)
        page.reload()
        expect(heading).to_contain_text("2026-03-20（今日未结束，不含）")


def test_an_hour_of_which_a_part_is_known_is_not_drawn_as_a_whole_one(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.goto(f"{stage.url}/energy?p=2026-03")
        bars = page.locator("svg.hours")
        expect(bars.locator(".use")).to_have_count(23)
        expect(bars.locator(".none")).to_have_count(1)
        expect(bars.locator(".part")).to_have_count(0)
        page.goto(f"{stage.url}/energy?p=2026-03-31..2026-04-04")
        expect(bars.locator(".part")).to_have_count(23)
        expect(bars.locator(".use")).to_have_count(0)
        expect(bars.locator("title").nth(8)).to_have_text(
            re.compile(r"^8 时: 已知部分 .+ kWh，只知道该时段的 20\.0 %，其余不详$")
        )
        expect(bars.locator("title").nth(23)).to_have_text("23 时: 不详")
        expect(page.locator("main .legend")).to_contain_text("只有部分已知")
        assert not serious(page)


def test_factors_are_apart_and_their_grid_has_its_name(stage: Stage, context: BrowserContext) -> None:
    def told(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        dated = {"version": "v", "effective_from": "2026-01-01", "source": {"zh": "发改委", "en": "source"}}
        said["energy"]["tariff"] = {**dated, "confirmed": True, "ratios": {"sharp": 1.92, "peak": 1.6, "flat": 1}}
        route.fulfill(response=answer, json=said)

    with watched(context, stage.url) as page:
        sign_in(page, stage)
        page.route("**/api/v1/kpi/definitions?*", told)
        page.goto(f"{stage.url}/energy?p={DAY}")
        expect(page.locator(".ratios")).to_have_text("尖 ×1.92，峰 ×1.6，平 ×1")
        expect(page.locator(".factors").first).to_contain_text("华北 2023: 0.6361 kg/kWh")
        expect(page.locator("main")).not_to_contain_text("north_china")


def test_a_meter_leads_to_its_trend_over_the_same_days(stage: Stage, context: BrowserContext) -> None:
    start, end = bounds(site(), STOOD)
    with watched(context, stage.url, forgiven=("503",)) as page:
        look(page, stage, f"/energy?p={STOOD}")
        row = page.locator("tbody tr", has_text="一号带式输送机")
        row.locator("a.meter").click()
        expect(page).to_have_url(re.compile(r"/trends\?"))
        asked = parse_qs(urlsplit(page.url).query)
        assert (urlsplit(page.url).path, asked["p"]) == ("/trends", [f"{CODE}/belt1/current"])
        assert (asked["from"], asked["to"]) == ([str(start // 1000)], [str(end // 1000)])
        # A meter that the mine has no more leads nowhere.
        page.goto(f"{stage.url}/energy?p=2026-03")
        expect(page.locator("tbody tr", has_text="belt_1")).to_be_visible()
        expect(page.locator("a.meter")).to_have_count(0)


def test_a_report_names_its_mine_and_an_address_with_a_code_verifies_it(stage: Stage, context: BrowserContext) -> None:
    with stage.client("admin") as client:
        made = client.post("/api/v1/reports", json={"kind": "daily", "first": str(DAY)}, timeout=60)
    assert made.status_code == 201, made.text
    report = made.json()
    assert report["names"] == {CODE: {"zh": "试验矿", "en": "test mine"}}
    with watched(context, stage.url, forgiven=("404",)) as page:
        look(page, stage, "/reports")
        expect(page.locator(".list tbody .mines").first).to_have_text(f"试验矿 ({CODE})")
        expect(page.locator(".verdict")).to_have_count(0)
        for _ in range(2):
            page.goto(f"{stage.url}/reports?code={report['code']}")
            expect(page.locator(".verdict h3")).to_contain_text("核验通过", timeout=60_000)
            expect(page.locator(".verify form input")).to_have_value(report["code"])
        page.goto(f"{stage.url}/reports?code=AAAA-AAAA-AAAA-AAAA-AAAA")
        alert = page.locator(".verify").get_by_role("alert")
        expect(alert).to_contain_text("没有该验证码")
        # What can be no code is told so in few words, whatever the address brings, and nobody is asked.
        page.goto(f"{stage.url}/reports?code={'rubbish1' * 25}")
        expect(alert).to_contain_text("这不是验证码")
        assert len(alert.inner_text()) < 120
        expect(page.locator(".list tbody .mines").first).to_be_visible()
        for width in (1600, 1280, 900):
            page.set_viewport_size({"width": width, "height": 900})
            assert not high(page.locator(".list thead th"), 40), width
            for name in (".mines", ".who"):
                cell = page.locator(f".list tbody {name}").first
                until(lambda cell=cell: (cell.bounding_box() or {"width": 0})["width"] >= 84)
            assert not wide(page)
