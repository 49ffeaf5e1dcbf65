"""The pages about the data itself, in a real browser against the real application: what people come to them for,
in both languages. What needs the store is in `test_measured`."""

from __future__ import annotations

import dataclasses
import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from middleplatform.access import lockout, users
from middleplatform.governance import versions
from models.site.model import Name
from sevenones.bench.chromium import RESET
from tests.middleplatform.api.build import CODE, now, site
from tests.middleplatform.api.stage import PASSWORD, Stage, until
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, tell, watched, wide

SECOND = 1_000_000


def look(page: Page, stage: Stage, address: str, language: str = "zh") -> None:
    """Open an address as olga, in a language."""
    sign_in(page, stage, "/values")
    speak(page, language)
    page.goto(stage.url + address)
    expect(page.locator("main")).to_be_visible()


def english(page: Page) -> None:
    """Turn the page that is open to English, and its neighbours back to Chinese."""
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    speak(page, "zh")


def fit(page: Page) -> None:
    """Nothing stands out of its panel, at either width, and nobody is kept out."""
    for width in (1280, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert not spilled(page), width
        assert not wide(page), width
    assert not serious(page)


@pytest.mark.parametrize(("language", "word", "speed"), [("zh", "带速", "一号带式输送机"), ("en", "speed", "belt 1")])
def test_a_point_is_found_as_one_types_and_told_of(
    stage: Stage, context: BrowserContext, language: str, word: str, speed: str
) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/catalogue", language)
        tell(stage, 3.25)
        rows = page.locator("tbody tr", has=page.locator("button.plain"))
        expect(rows).to_have_count(6)
        page.locator("input.q").fill(word)
        expect(rows).to_have_count(1)
        rows.get_by_role("button").click()
        beside = page.locator(".panel")
        expect(beside.locator("h2")).to_contain_text(speed)
        for told in (f"{CODE}/belt1/speed", "m/s", "hr:1", "plc.of-belt.example", "edge1"):
            expect(beside).to_contain_text(told)
        expect(beside.locator("dd .value").first).to_contain_text("3.25")
        expect(beside.locator(f'a[href^="/lineage?p={CODE}"]')).to_be_visible()
        expect(page).to_have_url(re.compile(f"q=.*p={CODE}|p={CODE}.*q="))  # what is shown can be kept and sent
        fit(page)
        page.go_back()
        expect(beside).not_to_contain_text("hr:1")
        speak(page, "zh")


def test_what_nothing_fits_and_what_is_not_there_is_said(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("404",)) as page:
        look(page, stage, "/catalogue?q=%3Cscript%3Ealert(1)%3C/script%3E&p=gone/point")
        expect(page.get_by_text("没有符合条件的内容")).to_be_visible()
        expect(page.locator("main").get_by_role("alert")).to_contain_text("没有测点")


def test_the_standard_is_summed_by_rule_and_its_findings_taken_away(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/standard")
        rows = page.locator(".list tbody tr")
        expect(rows.first).to_be_visible()
        every = rows.count()
        page.locator(".filter label", has_text="方面").locator("select").select_option("range")
        expect(page).to_have_url(re.compile("about=range"))
        expect(rows.first).to_contain_text("模拟量应有上下限")
        until(lambda: 0 < rows.count() < every)
        export = page.get_by_role("link", name="导出 CSV")
        expect(export).to_have_attribute("href", re.compile("about=range"))
        href = export.get_attribute("href")
        sheet = page.request.get(stage.url + (href or ""), max_retries=RESET).text()
        assert len(sheet.splitlines()) == rows.count() + 1
        fit(page)
        english(page)
        expect(page.locator(".panel h2")).to_contain_text("follow")
        expect(rows.first).to_contain_text("an analog point has a lowest and a highest value")


def test_where_a_value_comes_from_is_drawn_and_listed(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, f"/lineage?p={CODE}/belt1/speed")
        nodes = page.locator("svg .node")
        expect(nodes).to_have_count(6)
        nodes.filter(has_text="测点").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator(".panel h2")).to_contain_text(re.compile("设备地址|设备"))
        nodes.filter(has_text="网关").click()
        expect(page.locator(".panel h2")).to_have_text("网关: edge1")
        fit(page)
        page.get_by_role("button", name="清单").click()
        expect(page.get_by_role("treeitem").first).to_contain_text("一号带式输送机 · 带速")
        expect(page.get_by_role("treeitem").nth(4)).to_be_attached()
        english(page)
        expect(page.get_by_role("tree")).to_contain_text("read at")
        fit(page)


def test_users_are_let_in_within_a_scope_and_the_last_administrator_stays(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=("409",)) as page:
        look(page, stage, "/access")
        page.get_by_role("button", name="添加用户").click()
        dialogue = page.locator("dialog")
        dialogue.locator("input").first.fill("zhang")
        dialogue.get_by_label("东翼").check()
        dialogue.get_by_role("button", name="添加用户").click()
        secret = page.locator("output.secret")
        password = secret.inner_text()
        assert len(password) >= 12 and password not in page.url
        with httpx.Client(base_url=stage.url, timeout=30) as client:
            said = client.post("/api/v1/sign-in", json={"user": "zhang", "password": password})
            assert said.status_code == 200
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(secret).to_have_text(password)
        expect(page.locator("dialog").get_by_role("button", name="取消")).to_have_count(0)
        page.get_by_role("button", name="我已保存，关闭").click()
        expect(secret).to_have_count(0)
        assert password not in page.content()
        row = page.locator("tbody tr", has_text="zhang")
        expect(row).to_contain_text("区域：东翼")
        expect(row).to_contain_text("待更改初始密码")
        fit(page)
        while not lockout.failed(stage.home, "zhang"):
            pass
        page.reload()
        expect(row).to_contain_text("已锁定")
        row.get_by_role("button", name="解锁").click()
        dialogue.get_by_role("button", name="解锁").click()
        expect(row).not_to_contain_text("已锁定")
        page.locator("tbody tr", has_text="olga").get_by_role("button", name="删除").click()
        dialogue.get_by_role("button", name="删除").click()
        expect(dialogue.get_by_role("alert")).to_contain_text("管理员")
        page.keyboard.press("Escape")
        row.get_by_role("button", name="删除").click()
        dialogue.get_by_role("button", name="删除").click()
        expect(row).to_have_count(0)
        english(page)
        expect(page.locator("main")).to_contain_text("the whole mine")


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/access/tokens", "en")
        page.get_by_role("button", name="Make a token").click()
        dialogue = page.locator("dialog")
        dialogue.locator("input").first.fill("report script")
        dialogue.get_by_role("button", name="Make a token").click()
        token = page.locator("output.secret").inner_text()
        page.get_by_role("button", name="I have kept it, close").click()
        expect(page.locator("output.secret")).to_have_count(0)
        row = page.locator("tbody tr", has_text="report script")
        expect(row).to_contain_text("operator")
        assert token not in page.content() and token not in page.url
        with httpx.Client(base_url=stage.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            assert client.get("/api/v1/live").status_code == 200
            row.get_by_role("button", name="Revoke").click()
            dialogue.get_by_role("button", name="Revoke").click()
            expect(row).to_have_count(0)
            until(lambda: client.get("/api/v1/live").status_code == 401)
        fit(page)
        page.get_by_role("link", name="What roles may do").click()
        matrix = page.locator("tbody tr", has_text="users.manage")
        expect(matrix.locator("td").nth(0).get_by_role("img")).to_have_attribute("aria-label", "no")
        expect(matrix.locator("td").nth(4).get_by_role("img")).to_have_attribute("aria-label", "yes")
        fit(page)
        speak(page, "zh")


def test_what_was_done_is_found_with_before_and_after_and_the_chain_holds(
    stage: Stage, context: BrowserContext
) -> None:
    users.create_user(stage.home, "petr", PASSWORD, "operator")
    users.change(stage.home, "petr", role="analyst")
    with watched(context, stage.url) as page:
        look(page, stage, "/audit?about=petr")
        rows = page.locator(".list tbody tr")
        expect(rows).to_have_count(2)
        page.locator(".filter select").select_option("user.role")
        expect(rows).to_have_count(1)
        rows.get_by_role("button").click()
        change = page.locator(".panel").first.locator("tbody tr", has_text="role")
        expect(change.locator("td")).to_have_text(["operator", "analyst"])
        expect(page.locator(".chain")).to_contain_text("链条完整")
        export = page.get_by_role("link", name="导出 CSV")
        expect(export).to_have_attribute("href", re.compile("user.role"))
        href = export.get_attribute("href")
        assert "petr" in page.request.get(stage.url + (href or ""), max_retries=RESET).text().splitlines()[1]
        fit(page)
        english(page)
        expect(rows).to_contain_text("role changed")
        expect(page.locator(".chain")).to_contain_text("The chain holds")


def pick(where: Locator, words: str) -> None:
    """Choose a point by its words."""
    field = where.locator(".pick input")
    field.fill(words)
    expect(where.locator(".pick li").first).to_be_visible()
    field.press("Enter")


def test_a_value_is_corrected_by_one_and_approved_by_another(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "anna", PASSWORD, "administrator")
    ts = now() // SECOND * SECOND - 120 * SECOND
    with httpx.Client(base_url=stage.url, timeout=30) as client:
        token = client.post("/api/v1/sign-in", json={"user": "anna", "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        given = {"point": "belt1/current", "samples": [{"time": str(ts), "value": 7.5}], "reason": "dirty sensor"}
        made = client.post("/api/v1/manual/values", json=given)
        assert made.status_code == 201, made.text
    with watched(context, stage.url, forgiven=("400",)) as page:
        look(page, stage, "/manual?state=waiting")
        page.get_by_role("button", name="录入或更正数值").click()
        dialogue = page.locator("dialog")
        pick(dialogue, "带速")
        dialogue.locator("input.given").fill("99")
        dialogue.locator("input.reason").fill("重新校准")
        dialogue.get_by_role("button", name="提交审批").click()
        expect(page.get_by_role("status").filter(has_text="已提交")).to_be_visible()
        own = page.locator(".list tbody tr", has_text="重新校准")
        own.get_by_role("button").click()
        expect(page.locator(".panel")).to_contain_text("须由他人审批")
        expect(page.get_by_role("button", name="批准")).to_have_count(0)
        fit(page)
        page.get_by_role("button", name="撤回").click()
        expect(dialogue).to_contain_text("撤回后不能恢复")
        dialogue.get_by_role("button", name="撤回").click()
        expect(own).to_have_count(0)
        expect(page.locator(".panel dt", has_text="撤回")).to_have_count(1)
        expect(page.locator(".panel dt", has_text="审批")).to_have_count(0)
        page.get_by_role("button", name="录入或更正数值").click()
        pick(dialogue, "带速")
        dialogue.locator("input.given").fill("99")
        dialogue.locator("input.reason").fill("重新\u200f校准")
        dialogue.get_by_role("button", name="提交审批").click()
        expect(dialogue.get_by_role("alert")).to_contain_text("第 3 个字符（U+200F）看不见：请删去")
        page.keyboard.press("Escape")
        theirs = page.locator(".list tbody tr", has_text="dirty sensor")
        expect(theirs.locator(".what")).to_have_text("7.5")
        theirs.get_by_text("dirty sensor").click()
        samples = page.locator(".panel table tbody td")
        expect(samples.nth(1)).to_have_text("未知")
        expect(samples.nth(2)).to_have_text("7.5")
        expect(page.locator(".panel")).to_contain_text("数据存储没有应答：原值未知")
        english(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".panel dd b")).to_have_text("waiting")
        expect(dialogue).to_contain_text("7.5")
        expect(dialogue).to_contain_text("takes the place of what was there")
        fit(page)
        dialogue.get_by_role("button", name="Approve").click()
        expect(page.locator(".panel dd b")).to_have_text("approved")
        expect(page.locator(".panel dt", has_text="Approved")).to_have_count(1)


def test_what_is_no_number_is_told_as_such_and_never_taken_for_another(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/manual")
        page.get_by_role("button", name="录入或更正数值").click()
        dialogue = page.locator("dialog")
        pick(dialogue, "带速")
        dialogue.locator("input.reason").fill("重新校准")
        for written in ("abc", "1,5", "1e999", "0x2", "1e3", "Infinity", "9" * 400):
            dialogue.locator("input.given").fill(written)
            dialogue.get_by_role("button", name="提交审批").click()
            expect(dialogue.get_by_role("alert")).to_contain_text(f"第 1 行的“{written[:30]}”不是数")
        dialogue.locator("input.given").fill(" ")
        dialogue.get_by_role("button", name="提交审批").click()
        expect(dialogue.get_by_role("alert")).to_have_text("第 1 行没有数值")
        dialogue.locator("input.given").fill(" 1.50 ")
        dialogue.get_by_role("button", name="提交审批").click()
        expect(page.locator(".list tbody tr", has_text="重新校准").first.locator(".what")).to_have_text("1.5 m/s")


def test_a_dictionary_with_mistakes_names_them_by_row_and_a_right_one_holds(
    stage: Stage, context: BrowserContext
) -> None:
    wrong = "适用范围,责任人\npoint:belt1/*,张三\nbelt without a kind,李四\n"
    right = wrong.replace("belt without a kind", "point:pump1/*")
    with watched(context, stage.url, forgiven=("400",)) as page:
        look(page, stage, "/dictionaries?kind=owners")
        expect(page.locator(".panel h2").first).to_have_text("数据责任人")
        page.get_by_role("button", name="装载文件").click()
        dialogue = page.locator("dialog")
        dialogue.get_by_label("版次").fill("1")
        dialogue.get_by_label("来源").fill("order 7")
        dialogue.get_by_label("生效日").fill("2026-01-01")
        for text in (wrong, right):
            file = {"name": "owners.csv", "mimeType": "text/csv", "buffer": text.encode()}
            dialogue.locator('input[type="file"]').set_input_files(file)  # type: ignore[arg-type]
            dialogue.get_by_role("button", name="装载文件").click()
            if text is wrong:
                expect(dialogue.locator(".problems tbody tr").first).to_contain_text("3")
                expect(dialogue.get_by_role("alert")).to_contain_text("1 处错误")
        expect(dialogue.get_by_role("status")).to_contain_text("已装载为第 1 版")
        page.keyboard.press("Escape")
        expect(page.locator(".list tbody")).to_contain_text("张三")
        # What it is for, and where the program's own came from, in the reader's language; a person's words as they are.
        beside = page.locator(".panel").first
        expect(beside).to_contain_text("所列测点由谁负责")
        expect(beside).to_contain_text("由各矿自定")
        expect(beside).to_contain_text("order 7")
        expect(beside).not_to_contain_text(re.compile("who answers|each mine's own"))
        fit(page)
        english(page)
        expect(beside).to_contain_text("who answers for the points")
        expect(beside).to_contain_text("each mine's own")
        expect(page.locator(".panel h2").first).to_have_text("owners of data")


def test_a_dictionary_is_named_alike_on_every_page(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/dictionaries?kind=zzz")
        expect(page.locator(".list")).to_contain_text("没有名为“zzz”的字典")
        expect(page.locator(".list table")).to_have_count(0)
        others = page.locator(".others tr")
        types = others.filter(has_text="传感器类型").locator("td").last
        expect(types).to_have_text(re.compile(r"^\s*第 0 版（.+），自 \d{4}-\d\d-\d\d 起\s*$"))
        said = types.inner_text()
        expect(others.filter(has_text="数据分类")).to_contain_text("尚未装载")
        page.goto(stage.url + "/standard")
        expect(page.locator(".panel a", has_text=said)).to_contain_text("传感器类型")
        expect(page.locator(".panel a", has_text="尚未装载").first).to_contain_text("数据")
        expect(page.locator(".panel")).not_to_contain_text(re.compile("sensor_types|empty"))


def test_a_list_past_its_end_says_so_and_leads_back(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/catalogue?offset=999999")
        pager = page.locator(".pager")
        expect(pager).to_contain_text("只有 6 条")
        pager.get_by_role("button", name="上一页").click()
        expect(pager).to_contain_text("第 1–6 条，共 6 条")
        expect(page.locator("tbody tr").first).to_be_visible()


def test_a_narrow_screen_has_lists_and_details_one_above_the_other(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, f"/catalogue?p={CODE}/belt1/speed")
        size = page.viewport_size
        page.set_viewport_size({"width": 600, "height": 900})
        names = page.locator("tbody td:nth-child(2)")
        expect(names.first).to_be_visible()
        until(lambda: all((each.bounding_box() or {"width": 0})["width"] >= 110 for each in names.all()))

        def stacked() -> bool:
            above, below = page.locator(".list").bounding_box(), page.locator(".beside").bounding_box()
            return bool(above and below and above["y"] + above["height"] <= below["y"] and below["width"] > 500)

        until(stacked)
        assert not wide(page)
        page.locator(".beside dl").scroll_into_view_if_needed()
        expect(page.locator(".beside dt").last).to_be_visible()
        if size:
            page.set_viewport_size(size)


def test_commands_without_a_machine_ask_for_one(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        look(page, stage, "/commands")
        expect(page.locator("main")).to_contain_text("地址中没有写明设备")
        assert not serious(page)


def test_what_changed_from_one_version_of_the_site_to_the_next_is_told_in_words(
    stage: Stage, context: BrowserContext
) -> None:
    made = site()
    low = dataclasses.replace(made, points=tuple(dataclasses.replace(each, low=-1.0) for each in made.points[:1]))
    for number, (each, who) in enumerate(((made, "anna"), (low, "平台启动 · the platform, olga")), start=1):
        named = dataclasses.replace(each, name=Name(f"{number}矿", str(number)), version=str(number))
        versions.record(stage.home, named, who, number=number)
    with watched(context, stage.url) as page:
        look(page, stage, "/versions")
        beside = page.locator(".panel")
        expect(beside).to_contain_text("移除测点")
        expect(beside).to_contain_text("“下量程”由 0 改为 -1")
        newest = page.locator(".list tbody tr").first
        expect(newest).to_contain_text("平台启动")
        expect(newest).not_to_contain_text("the platform")
        fit(page)
        english(page)
        expect(newest).to_contain_text("the platform, olga")
        expect(newest).not_to_contain_text("平台")
        expect(beside).to_contain_text("lowest: was 0, is -1")
        page.locator(".filter select").last.select_option("mine")
        expect(beside).to_contain_text("changed")
        expect(beside).not_to_contain_text("lowest")
