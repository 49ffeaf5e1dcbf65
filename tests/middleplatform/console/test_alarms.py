"""The room of alarms in a real browser: what an operator comes for, in both languages."""

from __future__ import annotations

import re
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete

from middleplatform.access import users
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Kind, Position
from middleplatform.alarms.watched import extend
from middleplatform.database import connect
from middleplatform.database.tables.alarms import alarm_watched
from middleplatform.patrols.alarms import RULE as OVERDUE
from tests.middleplatform.api.build import CODE, now
from tests.middleplatform.api.stage import PASSWORD, Stage, until
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched

SPEED, LEVEL, BELT, PUMP = f"{CODE}/belt1/speed", f"{CODE}/pump1/level", f"{CODE}/belt1", f"{CODE}/pump1"
SEQUENCE = count(1)
NO_STORE = ("503", "404")
"""There is no history in this stage: the page says so in words, and the browser as an error."""


def record(stage: Stage, *changes: Change) -> None:
    """What the watch does with what it finds."""
    assert book.record(stage.home, CODE, Position("watch-alarms", "SAMPLES", 1, next(SEQUENCE)), changes)


def change(rule: str, subject: str, act: Act = Act.RAISE, **more: object) -> Change:
    facts = {"ts": now(), "rule_version": 0, "priority": 2, **more}
    return Change(rule, subject, act, **facts)  # type: ignore[arg-type]


def quiet(stage: Stage) -> None:
    """Everything returned and acknowledged: each test begins with an empty board."""
    for alarm in book.alarms_of(stage.home, CODE):
        record(stage, change(alarm.rule, alarm.subject, Act.RETURN))
    with stage.client("admin") as client:
        numbers = [alarm.id for alarm in book.alarms_of(stage.home, CODE)]
        for start in range(0, len(numbers), 500):
            client.post("/api/v1/alarms/acknowledge", json={"alarms": numbers[start : start + 500]}).raise_for_status()


def judged(stage: Stage, hours: float) -> None:
    """The watch says that it judged the last hours, and nothing before."""
    with connect(stage.home).begin() as connection:
        connection.execute(delete(alarm_watched))
        extend(connection, CODE, now() - int(hours * 3600e6), now())


def row(page: Page, words: str) -> object:
    return page.locator("tbody tr", has_text=words)


@pytest.fixture(autouse=True)
def empty(stage: Stage) -> None:
    quiet(stage)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", {"open": "展开 6 条", "act": "确认", "state": "未确认", "took": "已确认 6 条"}),
        ("en", {"open": "Show 6", "act": "Acknowledge", "state": "unacknowledged", "took": "6 acknowledged"}),
    ],
)  # fmt: skip
def test_a_group_opens_out_by_keyboard_and_is_acknowledged_as_it_was_seen(
    stage: Stage, context: BrowserContext, language: str, words: dict[str, str]
) -> None:
    cause = ("connection.silent", f"{CODE}/connection:on-edge1")
    record(stage, change(*cause, priority=3), *(change(f"stale{n}", SPEED, cause=cause) for n in range(5)))
    record(stage, change("smoke", BELT, priority=1, statutory=True))
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.nth(0).locator(".priority")).to_have_text("1")
        expect(rows.nth(1).locator(".priority")).to_have_text("2")  # of its most urgent member
        fold = rows.nth(1).locator(".fold")
        expect(fold).to_contain_text(words["open"])
        rows.nth(0).locator("a.open").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(rows).to_have_count(7)
        expect(fold).to_have_attribute("aria-expanded", "true")
        assert not spilled(page)
        assert not serious(page)
        page.keyboard.press("ArrowLeft")
        expect(rows).to_have_count(2)
        rows.nth(1).get_by_role("button", name=words["act"], exact=True).click()
        expect(page.locator(".bar [role=status]")).to_contain_text(words["took"])
        expect(rows.nth(1)).not_to_have_class(re.compile("awaits"))
        expect(rows.nth(0)).to_contain_text(words["state"])
        speak(page, "zh")
    assert {each.state for each in book.alarms_of(stage.home, CODE) if each.rule != "smoke"} == {"acknowledged"}


def under(page: Page, heading: str) -> str:
    """What stands under a heading of the list; nothing, while not every value stands under one."""
    columns = page.evaluate(
        """() => ['thead th', 'tbody td'].map(cells => [...document.querySelectorAll(cells)]
            .filter(each => each.getClientRects().length)
            .map(each => [Math.round(each.getBoundingClientRect().x), each.innerText]))"""
    )
    heads, cells = (dict(row) for row in columns)
    return next((cells[x] for x, text in heads.items() if text == heading), "") if list(heads) == list(cells) else ""


@pytest.mark.parametrize(("language", "then"), [("zh", "报警时的值"), ("en", "Value when raised")])
def test_each_value_of_the_list_stands_under_its_heading_on_paper_too(
    stage: Stage, context: BrowserContext, language: str, then: str
) -> None:
    """And no button, no tab; the value is told as that of the raise."""
    record(stage, change("gas", SPEED, value=1.59))
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms")
        expect(page.locator("tbody tr")).to_have_count(1)
        for media in ("screen", "print"):
            page.emulate_media(media=media)
            until(lambda: under(page, then).startswith("1.59"))
        expect(page.locator("main button:visible, main .parts:visible, main input:visible")).to_have_count(0)
        page.emulate_media(media="screen")
        speak(page, "zh")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("筛选", "级别 1", "区域")), ("en", ("Only", "Priority 1", "Area"))]
)
def test_a_narrowed_list_says_on_paper_by_what(
    stage: Stage, context: BrowserContext, language: str, words: tuple[str, ...]
) -> None:
    """On the screen the fields say so; a sheet of paper without it would pass for all there is."""
    record(stage, change("gas", SPEED, priority=1))
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.emulate_media(media="print")
        expect(page.locator(".narrowed")).to_have_count(0)
        page.goto(f"{stage.url}/alarms?priority=1&area=east&q=gas")
        told = page.locator(".narrowed")
        expect(told).to_be_visible()
        for word in (*words, "gas"):
            expect(told).to_contain_text(word)
        page.goto(f"{stage.url}/alarms/journal?what=raise&range=8h")
        expect(told).to_contain_text("8")
        page.emulate_media(media="screen")
        expect(told).to_be_hidden()
        speak(page, "zh")


def test_a_machine_whose_alarm_follows_from_anothers_shows_it_everywhere(stage: Stage, context: BrowserContext) -> None:
    """Its group is told under the name of the cause, which is on another machine."""
    cause = ("motor.tripped", BELT)
    record(stage, change(*cause, priority=3), change("flooded", LEVEL, priority=1, cause=cause))
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        sign_in(page, stage, "/equipment")
        machine = page.locator(".machine", has=page.locator("a[href='/equipment/pump1']"))
        expect(machine.locator(".priority")).to_have_text("1")
        page.goto(f"{stage.url}/equipment/pump1")
        alarms = page.locator(".faceplate .alarms")
        expect(alarms).to_contain_text("flooded")
        expect(alarms).not_to_contain_text("motor.tripped")
        record(stage, change("dry", LEVEL, priority=2))
        expect(alarms).to_contain_text("dry")  # as soon as the board is another one
        alarms.get_by_role("link", name="在报警页查看").click()
        expect(page.locator("tbody tr")).to_have_count(2)


def test_a_group_shows_the_member_that_waits_and_not_the_oldest(stage: Stage, context: BrowserContext) -> None:
    """The oldest was acknowledged; a newer one that stands and nobody saw must not hide behind it."""
    subjects = [BELT, *(f"{CODE}/belt1/{key}" for key in ("speed", "current", "running", "note"))]
    record(stage, *(change("alike", each, priority=3) for each in subjects))
    with stage.client("admin") as client:
        numbers = [alarm.id for alarm in book.alarms_of(stage.home, CODE)]
        client.post("/api/v1/alarms/acknowledge", json={"alarms": numbers}).raise_for_status()
    record(stage, *(change("alike", each, Act.RETURN) for each in subjects[-2:]))
    record(stage, *(change("alike", each, priority=3) for each in subjects[-2:]))
    record(stage, change("alike", subjects[-1], Act.RETURN))
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        sign_in(page, stage, "/alarms")
        line = page.locator("tbody tr")
        expect(line).to_have_count(1)
        expect(line.locator("td").nth(6)).to_have_text(re.compile("^未确认未恢复 4 · 未确认 2 · 已恢复 1$"))
        waiting = next(each for each in book.alarms_of(stage.home, CODE) if each.subject == subjects[-2])
        expect(line.locator("a.open")).to_have_attribute("href", re.compile(f"/alarms/{waiting.id}$"))
        # The same words for the same numbers, here and on the overview.
        counts = "待处理 5 · 未恢复 4 · 未确认 2"
        expect(page.locator(".list .bar")).to_contain_text(counts)
        page.goto(f"{stage.url}/overview")
        for words in counts.split(" · "):
            expect(page.locator(".tile.alarms")).to_contain_text(words)


def test_the_overview_names_the_most_urgent_alarms_by_machine_and_point(stage: Stage, context: BrowserContext) -> None:
    record(stage, change("gas", LEVEL, priority=1))
    for n in range(6):
        record(stage, change(f"newer{n}", SPEED, priority=3))
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        sign_in(page, stage, "/overview")
        first = page.locator(".tile.alarms .first li").first
        expect(first).to_contain_text("gas")
        expect(first).to_contain_text("一号水泵 · 水位")


def test_a_state_is_told_by_its_word_and_a_rule_of_the_platform_as_its_own(
    stage: Stage, context: BrowserContext
) -> None:
    record(stage, change("stopped", f"{CODE}/belt1/running", value=0.0), change(OVERDUE, PUMP, priority=3))
    numbers = {alarm.rule: alarm.id for alarm in book.alarms_of(stage.home, CODE)}
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        sign_in(page, stage, "/alarms")
        expect(row(page, "stopped").locator("td.number")).to_have_text("停止")
        page.goto(f"{stage.url}/alarms/{numbers['stopped']}")
        expect(page.locator(".detail dd").nth(1)).to_have_text("停止")
        expect(page.locator(".detail")).to_contain_text("现行配置中已无此规则")
        page.goto(f"{stage.url}/alarms/{numbers[OVERDUE]}")
        expect(page.locator(".detail")).to_contain_text("平台自身的规则")
        expect(page.locator(".detail")).to_contain_text("巡检签到")
        expect(page.locator(".detail")).not_to_contain_text("现行配置中已无此规则")


def test_what_came_again_while_it_was_looked_at_is_left(stage: Stage, context: BrowserContext) -> None:
    record(stage, change("fast", SPEED))
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/alarms")
        expect(row(page, "fast")).to_have_count(1)
        # Between the click and its arrival it is raised again.
        page.route(
            "**/api/v1/alarms/acknowledge", lambda route: (record(stage, change("fast", SPEED)), route.continue_())
        )
        page.get_by_role("button", name="确认", exact=True).click()
        expect(page.locator(".bar [role=status]")).to_contain_text("已确认 0 条；1 条")
    (alarm,) = book.alarms_of(stage.home, CODE)
    assert alarm.state == "unacknowledged"


def test_filters_are_held_in_the_address_with_groups_and_one_by_one(stage: Stage, context: BrowserContext) -> None:
    record(
        stage,
        *(change("alike", f"{CODE}/belt1/{key}", priority=3) for key in ("speed", "current", "running", "note")),
        change("alike", BELT, priority=3),
        change("cut", PUMP, kind=Kind.POWER_CUT, priority=1, statutory=True),
    )
    with watched(context, stage.url, forgiven=("404",)) as page:
        sign_in(page, stage, "/alarms")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(2)
        page.get_by_role("button", name="逐条").click()
        expect(rows).to_have_count(6)
        page.get_by_label("区域").select_option("sump")
        expect(rows).to_have_count(1)
        expect(page).to_have_url(re.compile("flat=1.*area=sump|area=sump.*flat=1"))
        page.get_by_role("button", name="清除条件").click()
        page.get_by_label("查找").fill("皮带 没有")
        expect(page.get_by_text("没有符合条件的报警")).to_be_visible()
        page.goto(f"{stage.url}/alarms?kind=power_cut&state=waiting&equipment=pump1")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("断电")
        expect(page.get_by_label("设备")).to_have_value("pump1")
        page.goto(f"{stage.url}/alarms?priority=3")
        expect(rows).to_have_count(1)  # alike, as one group
        page.go_back()
        expect(rows).to_contain_text("断电")
        page.goto(f"{stage.url}/alarms?area=nowhere")
        expect(page.locator(".wrong[role=alert]")).to_contain_text("nowhere")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("处理", "报警时的值", "6.5 m/s", "打开设备")),
        ("en", ("What to do", "Value when raised", "6.5 m/s", "Open the machine")),
    ],
)  # fmt: skip
def test_the_detail_says_what_it_means_what_to_do_and_what_happened(
    stage: Stage, context: BrowserContext, language: str, words: tuple[str, ...]
) -> None:
    record(stage, change("limit.hi", SPEED, value=6.5, quality=192))
    (alarm,) = book.alarms_of(stage.home, CODE)
    with watched(context, stage.url, forgiven=NO_STORE) as page:
        sign_in(page, stage)
        speak(page, language)
        page.set_viewport_size({"width": 1280, "height": 720})
        page.goto(f"{stage.url}/alarms")
        page.locator("tbody a.open").click()
        detail = page.locator("aside.detail")
        for each in words:
            expect(detail).to_contain_text(each)
        expect(page).to_have_url(re.compile(f"/alarms/{alarm.id}$"))
        expect(detail.locator("dl").first).to_contain_text("5 m/s")
        assert not spilled(page)
        assert not serious(page)
        page.keyboard.press("Escape")
        expect(detail).to_have_count(0)
        page.goto(f"{stage.url}/alarms/999999")
        expect(detail).to_contain_text("没有这条报警" if language == "zh" else "There is no such alarm")
        page.set_viewport_size({"width": 1600, "height": 900})
        speak(page, "zh")


def test_what_is_shelved_and_out_of_service_is_told_with_who_and_why_and_lifted(
    stage: Stage, context: BrowserContext
) -> None:
    if not any(user.name == "erik" for user in users.list_users(stage.home)):
        users.create_user(stage.home, "erik", PASSWORD, "engineer")
    record(stage, change("fast", SPEED, priority=3), change("full", LEVEL, priority=1, statutory=True))
    with watched(context, stage.url, forgiven=("503", "409", "404")) as page:
        sign_in(page, stage, "/alarms")
        row(page, "fast").get_by_role("button", name="搁置").click()
        page.fill("#reason", "传感器标校")
        page.locator("dialog").get_by_role("button", name="搁置").click()
        expect(row(page, "fast")).to_have_count(0)
        # What is law is not shelved: an engineer takes it out of service, and another one allows it.
        expect(row(page, "full").get_by_role("button", name="搁置")).to_have_count(0)
        row(page, "full").locator("a.open").click()
        page.get_by_role("button", name="停用…").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("须有结束时间")
        expect(dialog.get_by_role("button", name="停用")).to_be_disabled()
        page.fill("#reason", "更换传感器")
        page.fill("#allowed", "olga")
        dialog.get_by_role("button", name="停用").click()
        expect(dialog.get_by_role("alert")).to_contain_text("另一人")
        page.fill("#allowed", "erik")
        dialog.get_by_role("button", name="停用").click()
        expect(dialog).to_have_count(0)
        page.get_by_role("link", name=re.compile(r"被抑制\s*2")).click()
        expect(row(page, "fast")).to_contain_text("olga")
        expect(row(page, "fast")).to_contain_text("传感器标校")
        expect(row(page, "full")).to_contain_text("批准人 erik")
        assert not spilled(page)
        assert not serious(page)
        row(page, "fast").get_by_role("button", name="取消搁置").click()
        expect(row(page, "fast")).to_have_count(0)
        row(page, "full").get_by_role("button", name="恢复使用").click()
        expect(page.get_by_text("没有被抑制的报警")).to_be_visible()


def test_the_journal_is_filtered_paged_and_given_as_a_file(stage: Stage, context: BrowserContext) -> None:
    words = "=HYPERLINK('x')"
    record(stage, *(change("paged", SPEED, ts=now() - 1000 * n) for n in range(120)), change("full", LEVEL))
    (alarm,) = (each for each in book.alarms_of(stage.home, CODE) if each.rule == "paged")
    with stage.client("admin") as client:
        given = {"alarms": [alarm.id], "note": words}
        assert client.post("/api/v1/alarms/acknowledge", json=given).json()["acknowledged"]
    with watched(context, stage.url) as page:
        sign_in(page, stage, f"/alarms/journal?alarm={alarm.id}&range=1h")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(100)
        page.get_by_role("button", name="更早").click()
        expect(rows).to_have_count(21)
        page.go_back()
        expect(rows).to_have_count(100)
        page.get_by_label("动作").select_option("acknowledge")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("确认")
        expect(page).to_have_url(re.compile("what=acknowledge"))
        with page.expect_download() as got:
            page.get_by_role("button", name="导出 CSV").click()
        text = got.value.path().read_bytes().decode("utf-8-sig")
        assert text.count("\r\n") == 2 and f",'{words}" in text, "no cell is a formula"
        page.goto(f"{stage.url}/alarms/journal?from=1000&to=2000")
        expect(page.get_by_text("此时段没有记录")).to_be_visible()
        assert not spilled(page)
        assert not serious(page)


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ("缺处置记录", "填写处置", "没有缺处置记录", "已有记录")), ("en", ("lack a handling record", "Write record",
     "No raise lacks", "Record kept"))],
)  # fmt: skip
def test_what_lacks_its_handling_record_is_told_and_filled_in(
    stage: Stage, context: BrowserContext, language: str, words: tuple[str, ...]
) -> None:
    rule = f"cut {language}"
    record(stage, change(rule, BELT, kind=Kind.POWER_CUT), change(f"plain {language}", SPEED))
    lacks, fill, none, kept = words
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms/handling?q={rule}")
        expect(page.locator(".told")).to_contain_text(f"1 {'条报警' if language == 'zh' else 'raises'}")
        expect(page.locator(".told")).to_contain_text(lacks)
        page.get_by_role("button", name=fill).click()
        page.fill("#cause", "methane at T1")
        page.fill("#measure", "ventilated")
        page.fill("#result", "power is on again")
        page.locator("dialog button").first.click()
        expect(page.locator(".told")).to_contain_text(none)
        page.get_by_role("button", name=kept).click()
        expect(page.locator("tbody tr")).to_contain_text("power is on again")
        expect(page.locator("tbody tr")).to_contain_text("olga")
        assert not spilled(page)
        assert not serious(page)
        page.emulate_media(media="print")
        expect(page.locator(".sign")).to_be_visible()
        expect(page.locator(".filter")).to_be_hidden()
        page.emulate_media(media="screen")
        speak(page, "zh")


@pytest.mark.parametrize(("language", "beyond"), [("zh", "超标"), ("en", "not met")])
def test_figures_stand_beside_what_is_advised(
    stage: Stage, context: BrowserContext, language: str, beyond: str
) -> None:
    record(stage, *(change("often", SPEED, ts=now() - 60_000_000 + n * 1_000_000) for n in range(30)))
    judged(stage, 2)
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms/performance?range=1h")
        figures = page.locator(".figures tr")
        expect(figures).to_have_count(12)
        expect(figures.nth(0)).to_contain_text(beyond)
        expect(figures.nth(0)).to_contain_text("150")
        expect(page.locator(".panel").nth(3)).to_contain_text("often")
        assert not spilled(page)
        assert not serious(page)
        speak(page, "zh")


@pytest.mark.parametrize(
    ("language", "known", "verdict"),
    [("zh", r"其中 2[45][.\d]* %", "不评定"), ("en", r"judged in 2[45][.\d]* %", "too little to judge")],
)
def test_figures_of_a_range_that_was_hardly_watched_are_held_against_nothing(
    stage: Stage, context: BrowserContext, language: str, known: str, verdict: str
) -> None:
    record(stage, *(change("often", SPEED, ts=now() - 60_000_000 + n * 1_000_000) for n in range(3)))
    judged(stage, 2)
    with watched(context, stage.url) as page:
        sign_in(page, stage)
        speak(page, language)
        page.goto(f"{stage.url}/alarms/performance?range=8h")
        expect(page.locator(".defined")).to_contain_text(re.compile(known))
        expect(page.locator(".figures tr").nth(0)).to_contain_text(verdict)
        # Low is one share of the target, whichever of our two priorities it is.
        advised = page.locator(".panel", has_text="80 %").locator("tr")
        expect(advised).to_have_count(3)
        expect(advised.nth(2)).to_contain_text(re.compile(r"3 \+ 4.*80 %"))
        assert not spilled(page)
        speak(page, "zh")


COUNT_TONES = """() => {
    window.tones = []
    const start = OscillatorNode.prototype.start
    OscillatorNode.prototype.start = function (...when) {
        window.tones.push(this.frequency.value)
        return start.apply(this, when)
    }
}"""


def test_the_sound_is_no_more_urgent_than_what_still_waits(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        sign_in(page, stage, "/values")
        page.locator("h1").click()
        record(stage, change("slow", SPEED, priority=3))
        record(stage, change("gas", LEVEL, priority=1))
        expect(page.locator(".sound")).to_contain_text("报警声：1 级")
        (gas,) = (alarm.id for alarm in book.alarms_of(stage.home, CODE) if alarm.rule == "gas")
        with stage.client("admin") as client:
            client.post("/api/v1/alarms/acknowledge", json={"alarms": [gas]}).raise_for_status()
        expect(page.locator(".sound")).to_contain_text("报警声：3 级")
        page.keyboard.press("F8")


def test_new_alarms_sound_until_they_are_silenced_and_one_window_alone(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        page.add_init_script(f"({COUNT_TONES})()")
        sign_in(page, stage, "/values")
        page.reload()
        sound = page.locator(".sound")
        expect(sound).to_contain_text("请点击")  # the browser lets nobody sound before
        record(stage, change("slow", SPEED, priority=3))
        expect(page.locator("header .counts")).to_contain_text("3")
        assert page.evaluate("tones") == []
        page.locator("h1").click()
        expect(sound).to_contain_text("报警声：3 级")
        until(lambda: page.evaluate("tones.length") >= 2)  # it comes again
        assert set(page.evaluate("tones")) == {659}
        page.keyboard.press("F8")
        expect(sound).to_contain_text("已静音")
        heard = page.evaluate("tones.length")
        record(stage, change("gas", LEVEL, priority=1))
        expect(sound).to_contain_text("报警声：1 级")  # a new one sounds all the same
        until(lambda: page.evaluate("tones.length") > heard)
        with watched(context, stage.url) as other:
            other.goto(f"{stage.url}/alarms")
            other.locator("h1").click()
            expect(other.locator(".sound")).to_contain_text("另一窗口")
            other.get_by_role("button", name="静音").click()
            expect(sound).to_contain_text("已静音")
        page.get_by_role("button", name="关闭声音").click()
        expect(page.locator(".sound [role=alert]")).to_contain_text("本机报警声音已关闭")
        page.goto(f"{stage.url}/trends")
        expect(page.locator(".sound [role=alert]")).to_contain_text("本机报警声音已关闭")  # on every page
        assert not serious(page)
        page.get_by_role("button", name="打开声音").click()
        expect(page.locator(".sound")).not_to_contain_text("已关闭")
