"""Commands given in a real browser to a real gateway that reads a simulated device, signed by the person's own key."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from middleplatform.console import STATIC
from models.control.canonical import canonical
from tests.middleplatform.console.browser import serious, sign_in, speak, spilled, watched
from tests.middleplatform.console.commanded import Commanded, commanded

WEB = STATIC.parent / "web"
START, RUNNING, SPEED = "belt_101/command", "belt_102/running", "belt_101/speed_set"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commanded]:
    with commanded(tmp_path_factory.mktemp("commanded")) as standing:
        yield standing


PATIENT_S = 300.0


@pytest.fixture(autouse=True)
def at_rest(stage: Commanded) -> None:
    stage.hold_selections(PATIENT_S)
    for place, value in (
        (START, 0),
        (RUNNING, 1),
        ("belt_101/mode", 2),
        (SPEED, 0),
        ("feeder_1/mode", 2),
        ("feeder_1/command", 0),
    ):
        stage.set(place, value)


def arm(page: Page, stage: Commanded, name: str, *roles: str, place: int = 0) -> None:
    folder = stage.folder(name, *roles)
    files = [str(folder / "credential.json"), str(folder / "person.key")]
    page.locator("dialog input.files").nth(place).set_input_files(files)
    expect(page.locator("dialog")).to_contain_text(name)


def machine(page: Page, stage: Commanded, name: str, language: str = "zh") -> None:
    sign_in(page, stage, "/tags")
    speak(page, language)
    page.goto(f"{stage.url}/commands/{name}")
    expect(page.locator(".commands tbody tr").first).to_be_visible()


def press(page: Page, words: str) -> None:
    page.locator("dialog").get_by_role("button", name=re.compile(words)).click()


@pytest.mark.parametrize(
    ("language", "start", "select", "execute", "done", "person"),
    [
        ("zh", "启动", "^选择$", "^执行", "已执行", "操作人"),
        ("en", "start", "^Select$", "^Execute", "Done", "You command as"),
    ],
)
def test_a_start_is_selected_shown_and_executed(
    stage: Commanded,
    context: BrowserContext,
    language: str,
    start: str,
    select: str,
    execute: str,
    done: str,
    person: str,
) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_101", language)
        page.get_by_role("button", name=start, exact=True).click()
        expect(page.get_by_role("button", name=re.compile(select))).to_be_disabled()
        arm(page, stage, "王工", "operator")
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text(person)
        expect(dialog).to_contain_text({"zh": "检查通过：可以执行", "en": "it would be done"}[language])
        expect(dialog).to_contain_text(
            {"zh": "102 皮带 运行状态 = 运行；当前 运行", "en": "belt 102 Running = running; now running"}[language]
        )
        assert stage.register(START) == 0, "a dry run writes nothing"
        press(page, select)
        expect(dialog.get_by_role("timer")).to_contain_text(re.compile(r"[12]\d\d|300"))
        expect(dialog.locator(".trace li")).to_have_count(12)
        expect(dialog.locator(".trace .failed")).to_have_count(0)
        assert stage.register(START) == 0
        press(page, execute)
        expect(dialog.locator(".outcome")).to_contain_text(done)
        assert stage.register(START) == 1
        assert not spilled(page) and not serious(page)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(page.locator(".commands .last")).to_contain_text(done)
        expect(page.locator(".commands")).to_contain_text("王工")  # who has the right of control now
        speak(page, "zh")


def test_why_not_is_said_before_and_a_stop_needs_no_select(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        stage.set(RUNNING, 0)
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        dialog = page.locator("dialog")
        expect(dialog.locator(".outcome")).to_contain_text("联锁“前级胶带运行”不满足")
        expect(dialog.locator(".trace .failed")).to_have_count(1)
        expect(dialog).to_contain_text("当前 停止")
        # The condition is met while they look.
        stage.set(RUNNING, 1)
        expect(dialog).to_contain_text("当前 运行")
        page.keyboard.press("Escape")
        stage.set(START, 1)
        page.get_by_role("button", name="停止", exact=True).click()
        expect(dialog).to_contain_text("王工")
        press(page, "确认停止")
        expect(dialog.locator(".outcome")).to_contain_text("已执行")
        assert stage.register(START) == 2


def test_a_double_click_sends_one_order_and_a_number_out_of_range_none(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url) as page:
        sent: list[str] = []
        page.on("request", lambda asked: sent.append(asked.url) if "/control/execute" in asked.url else None)
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="设定 …").click()
        arm(page, stage, "王工", "operator")
        field = page.get_by_label("新值")
        field.fill("9")
        expect(page.locator("dialog")).to_contain_text("超出范围 0 至 8")
        expect(page.get_by_role("button", name="选择", exact=True)).to_be_disabled()
        field.fill("2.5")
        page.get_by_role("button", name="选择", exact=True).dblclick()
        # The second click met the next button, which is not to be taken for a yes.
        expect(page.locator("dialog").get_by_role("timer")).to_be_visible()
        assert not sent
        page.locator("dialog .execute").dblclick()
        expect(page.locator("dialog .outcome")).to_contain_text("回读值 2.5")
        assert len(sent) == 1 and stage.register(SPEED) == 25


def test_a_selection_that_is_over_executes_nothing_and_says_so(stage: Commanded, context: BrowserContext) -> None:
    stage.hold_selections(2.0)
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, "^选择$")
        # Said of a selection that was made, and no other; how long its time was seen to run is the machine's affair.
        expect(page.locator("dialog .wrong[role=alert]")).to_contain_text("没有执行任何命令，请重新选择")
        expect(page.locator("dialog .execute")).to_have_count(0)
        press(page, "重新选择")
        expect(page.get_by_role("button", name="选择", exact=True)).to_be_visible()
        assert stage.register(START) == 0


def test_a_feeder_is_switched_on_by_two_persons(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "feeder_1")
        page.get_by_role("button", name="合闸", exact=True).click()
        arm(page, stage, "赵工", "electrician")
        press(page, "^选择$")
        execute = page.locator("dialog .execute")
        expect(execute).to_be_visible()
        expect(execute).to_be_disabled()
        arm(page, stage, "赵工", "electrician")
        expect(page.locator("dialog")).to_contain_text("第二人不能是同一人")
        arm(page, stage, "孙工", "electrician")
        execute.click()
        expect(page.locator("dialog .outcome")).to_contain_text("已执行")
        assert stage.register("feeder_1/command") == 1


def test_an_answer_that_stays_lost_is_told_as_unknown_and_no_other_order_is_sent(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=("503", "ERR_FAILED", "ERR_CONNECTION")) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        arm(page, stage, "王工", "operator")
        press(page, "^选择$")
        sent: list[str] = []

        def lose(way) -> None:
            sent.append(way.request.post_data)
            way.fetch()  # it arrives and is carried out: only the answer is lost
            way.abort()

        page.route("**/api/v1/control/execute", lose)
        press(page, "^执行")
        outcome = page.locator("dialog .outcome.loud")
        expect(outcome).to_contain_text("结果未知", timeout=60_000)
        expect(outcome).to_contain_text("不要另发新命令")
        expect(page.locator("dialog .execute")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.locator(".commands .last .loud")).to_contain_text("结果未知")
        # However often it was asked after: it was one order.
        assert len(set(sent)) == 1 and stage.register(START) == 1


def test_a_gateway_that_does_not_answer_is_told_and_its_tags_are_not_none(
    stage: Commanded, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=("503",)) as page:
        machine(page, stage, "belt_101")
        stage.away(True)
        try:
            expect(page.locator(".commands")).to_contain_text("网关 edge1 没有应答")
            page.goto(f"{stage.url}/tags")
            expect(page.locator("main")).to_contain_text("其挂牌现在不明，不等于没有")
            expect(page.locator("main .none")).to_have_text("不明")
            expect(page.locator("main")).not_to_contain_text("共 0 块")
        finally:
            stage.away(False)


def test_a_tag_is_hung_shown_and_removed_by_its_person(stage: Commanded, context: BrowserContext) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_102")
        page.get_by_role("button", name="挂牌 …").click()
        arm(page, stage, "李工", "maintainer")
        page.locator("dialog textarea").fill("换托辊 <script>alert(1)</script>")
        page.locator("dialog").get_by_role("button", name="挂牌", exact=True).click()
        expect(page.locator("dialog .outcome")).to_contain_text("已挂牌")
        page.keyboard.press("Escape")
        expect(page.locator(".commands .hangs")).to_contain_text("换托辊 <script>")
        for language, words in (("zh", "102 皮带"), ("en", "belt 102")):
            speak(page, language)
            page.goto(f"{stage.url}/tags?q=托辊")
            row = page.locator("tbody tr")
            expect(row).to_have_count(1)
            expect(row).to_contain_text(words)
            expect(row).to_contain_text("李工")
            assert not spilled(page) and not serious(page)
        speak(page, "zh")
        page.goto(f"{stage.url}/tags")
        page.get_by_role("button", name="摘牌 …").click()
        # The key was in the page's memory alone: it is gone with the page.
        expect(page.locator("dialog")).to_contain_text("尚未装入操作凭证")
        arm(page, stage, "李工", "maintainer")
        page.locator("dialog").get_by_role("button", name="摘牌", exact=True).click()
        expect(page.locator("dialog .outcome")).to_contain_text("已摘牌")
        page.keyboard.press("Escape")
        expect(page.locator("main")).to_contain_text("没有挂牌")


def test_a_folder_that_is_not_a_persons_is_refused_and_a_key_cannot_be_taken_out(
    stage: Commanded, context: BrowserContext, tmp_path
) -> None:
    with watched(context, stage.url) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        wang, li = stage.folder("王工", "operator"), stage.folder("李工", "maintainer")
        (tmp_path / "credential.json").write_bytes((wang / "credential.json").read_bytes())
        (tmp_path / "person.key").write_bytes((li / "person.key").read_bytes())
        choose = page.locator("dialog input.files")
        choose.set_input_files([str(tmp_path / "credential.json"), str(tmp_path / "person.key")])
        expect(page.locator("dialog")).to_contain_text("不是一对")
        choose.set_input_files([str(wang / "credential.json")])
        expect(page.locator("dialog")).to_contain_text("没有找到 person.key")
        (tmp_path / "credential.json").write_text('{"statement": 3}')
        choose.set_input_files([str(tmp_path / "credential.json"), str(tmp_path / "person.key")])
        expect(page.locator("dialog")).to_contain_text("不是操作凭证")
        arm(page, stage, "王工", "operator")
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        secret = (wang / "person.key").read_text().splitlines()[1]
        assert secret not in kept and "王工" not in kept
        page.locator("dialog").get_by_role("button", name="收起凭证").click()
        expect(page.locator("dialog")).to_contain_text("尚未装入操作凭证")


def test_a_mine_without_an_authority_says_how_to_make_one(context: BrowserContext, tmp_path) -> None:
    with commanded(tmp_path, signed=False) as stage, watched(context, stage.url) as page:
        machine(page, stage, "belt_101")
        page.get_by_role("button", name="启动", exact=True).click()
        expect(page.locator("dialog pre")).to_contain_text("sevenones control authority 140581000000")
        expect(page.locator("dialog").get_by_role("button", name="选择", exact=True)).to_have_count(0)


def test_what_is_signed_is_what_the_edge_checks_for_every_value(context: BrowserContext) -> None:
    """The browser's canonical form against models/control's, text for text."""
    dice = random.Random(7)
    numbers = [0, -0.0, 1.0, 1e-5, 1.5e-7, 9.999e-5, 1e-4, 1e-10, 2**53 - 1, 1e21, 1.5e300, 0.1 + 0.2, 123456.789]
    numbers += [dice.uniform(-1, 1) * 10 ** dice.randint(-300, 300) for _ in range(500)]
    texts = ["启动", 'a"\\b', "\x00\x1f\x7f\u2028\ud7ff", "😀ﬁ", "\t\n\r\b\f", "/"]
    things = [*numbers, *texts, None, True, [], {}, {"ﬁ": 1, "😀": 2, "a": [1.0, {"z": None, "b": "x"}]}]
    script = (
        "const ts = require('typescript'); process.stdout.write(ts.transpileModule(require('fs')"
        ".readFileSync('src/control/signing.ts', 'utf8'), {compilerOptions: {target: 'es2022', module: 'es2022'}})"
        ".outputText)"
    )
    made = subprocess.run(["node", "-e", script], cwd=WEB, capture_output=True, text=True, check=True).stdout
    page = context.new_page()
    page.evaluate(
        "code => import('data:text/javascript,' + encodeURIComponent(code)).then(m => { window.m = m })", made
    )
    # As it goes over the wire: what the browser writes, and the edge reads.
    wire, ours = page.evaluate(
        "text => { const all = JSON.parse(text); return [all.map(x => JSON.stringify(x)), all.map(m.canonical)] }",
        json.dumps(things),
    )
    assert [canonical(json.loads(each)).decode() for each in wire] == ours
    page.close()
