"""A latched linkage in a real browser: what keeps it so is said, and it is restored by signed order at its gateway."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from gateway.linkage.edge import Linkages
from middleplatform.alarms import book
from middleplatform.audit.log import tell
from models.site.model import Act, Comparison, Conditions, Linkage, Name, Restore, Site
from tests.gateway.control.benches import FEEDER, Bench
from tests.gateway.sites import CODE
from tests.middleplatform.console.browser import serious, speak, spilled, watched
from tests.middleplatform.console.commanded import Commanded, commanded
from tests.middleplatform.console.test_alarms import change, record
from tests.middleplatform.console.test_control import arm, machine

METHANE = "ch4_101/ch4"
CH4 = f"{CODE}/{METHANE}"
OPEN, CLOSE = 2, 1


def cut(closes: bool) -> Linkage:
    """Methane cuts the feeder off; restored by hand, or closed again by the restore."""
    below = Comparison(CH4, -math.inf, math.nextafter(1.0, 0), 0.0, "ch4_101/ch4 < 1")
    return Linkage(
        id="cut_feeder", name=Name("甲烷断电", "Methane cuts off"), act=Act.POWER_OFF, mine=False,
        when=Conditions((Comparison(CH4, 1.5, math.inf, 0.0, "ch4_101/ch4 ≥ 1.5"),), every=False), then=(),
        command={f"{CODE}/{FEEDER}": OPEN}, within_s=2.0, source="test", gateways=("edge1",), priority=1, latched=True,
        restore=Restore(Conditions((below,), every=True), False, {f"{CODE}/{FEEDER}": CLOSE} if closes else {}),
    )  # fmt: skip


class Linked(Bench):
    """A bench whose gateway carries out one linkage."""

    def __init__(self, home: Path, rule: Linkage) -> None:
        super().__init__(home)
        self.rule = rule

    def site(self) -> Site:
        return replace(super().site(), linkages=(self.rule,))

    async def open(self) -> None:
        await super().open()
        file = self.home / "gateway" / "latches.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.linkages = Linkages(CODE, "edge1", self.devices, self.writer, self.clock.wall, self.events.extend, file)
        self.linkages.apply(self.site())
        self.control.latched = self.linkages.restoring

    async def shut(self) -> None:
        await self.linkages.stop(1.0)
        await super().shut()


@contextmanager
def linked(home: Path, *, closes: bool = False) -> Iterator[Commanded]:
    with commanded(home, made_by=partial(Linked, rule=cut(closes))) as stage:
        yield stage


def trip(stage: Commanded) -> None:
    stage.set(METHANE, 17)
    stage.within(
        stage.bench.until(lambda: (found := stage.bench.linkages.latches.tripped) and found["cut_feeder"].done)
    )


def facts(page: Page) -> Locator:
    return page.locator(".linkages article")


def test_it_is_told_with_what_keeps_it_and_restored_by_one_who_may(context: BrowserContext, tmp_path: Path) -> None:
    with linked(tmp_path) as stage, watched(context, stage.url) as page:
        trip(stage)
        machine(page, stage, "feeder_1")
        told = facts(page)
        expect(told).to_contain_text("已闭锁 甲烷断电")
        expect(told).to_contain_text("1 号馈电 控制命令 → 分闸")
        expect(told).to_contain_text("动作条件仍成立")
        expect(told.locator(".wrong")).to_have_count(0)  # nothing of it is a value that cannot be trusted
        expect(told).to_contain_text("不能复位")
        expect(told).to_contain_text("可复位：安全监测工、调度值班长")
        assert not spilled(page) and not serious(page)
        told.get_by_role("button", name="复位 …").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("101 甲烷 甲烷 < 1：不满足；当前 1.7")
        arm(page, stage, "王工", "operator")
        dialog.locator("textarea").fill("已排放")
        restore = dialog.get_by_role("button", name="复位联动", exact=True)
        expect(restore).to_be_disabled()  # until it is said that it was looked at there
        dialog.get_by_role("checkbox").check()
        assert not spilled(page) and not serious(page)
        # Who may not restore is refused at the edge, as at the command line.
        restore.click()
        expect(dialog.locator(".outcome")).to_contain_text("无此权限")
        dialog.get_by_role("button", name="收起凭证").click()
        arm(page, stage, "周工", "safety")
        dialog.get_by_role("button", name="试运行").click()
        expect(dialog.locator(".outcome").filter(has_text="复电条件不满足")).to_have_count(1)
        assert stage.bench.linkages.latches.tripped
        stage.set(METHANE, 3)
        expect(dialog.locator(".refusal")).to_contain_text("现在可以复位")
        # That the gas is gone is good, and reads so.
        gone = dialog.locator("li", has_text="甲烷 ≥ 1.5")
        expect(gone).to_contain_text("已消失")
        expect(gone).to_contain_text("✓")
        restore.click()
        expect(dialog.locator(".outcome").filter(has_text="已复位")).to_have_count(1)
        expect(restore).to_have_count(0)
        assert not stage.bench.linkages.latches.tripped and stage.register(FEEDER) == OPEN
        page.keyboard.press("Escape")
        expect(facts(page)).to_have_count(0)


def test_one_that_closes_the_breaker_needs_two(context: BrowserContext, tmp_path: Path) -> None:
    with linked(tmp_path, closes=True) as stage, watched(context, stage.url) as page:
        trip(stage)
        stage.set(METHANE, 3)
        machine(page, stage, "feeder_1", "en")
        expect(facts(page)).to_contain_text("may restore: dispatcher in charge · two persons sign")
        facts(page).get_by_role("button", name="Restore …").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("restoring commands feeder 1 Command → close")
        arm(page, stage, "吴长", "dispatcher")
        dialog.locator("textarea").fill("aired")
        dialog.get_by_role("checkbox").check()
        restore = dialog.get_by_role("button", name="Restore the linkage", exact=True)
        expect(restore).to_be_disabled()
        arm(page, stage, "孙工", "electrician")
        assert not spilled(page) and not serious(page)
        restore.click()
        expect(dialog.locator(".outcome")).to_contain_text("restored")
        assert stage.register(FEEDER) == CLOSE
        speak(page, "zh")


@pytest.mark.parametrize("arrives", [True, False], ids=["done", "not done"])
def test_a_lost_answer_is_looked_for_at_the_gateway(context: BrowserContext, tmp_path: Path, arrives: bool) -> None:
    with linked(tmp_path) as stage, watched(context, stage.url, forgiven=("ERR_FAILED",)) as page:
        trip(stage)
        stage.set(METHANE, 3)
        machine(page, stage, "feeder_1")
        facts(page).get_by_role("button", name="复位 …").click()
        dialog = page.locator("dialog")
        arm(page, stage, "周工", "safety")
        dialog.locator("textarea").fill("已排放")
        dialog.get_by_role("checkbox").check()

        def lose(way) -> None:
            if arrives:
                way.fetch()
            way.abort()

        page.route("**/api/v1/control/restore", lose)
        dialog.get_by_role("button", name="复位联动", exact=True).click()
        expect(dialog.locator(".outcome.loud")).to_contain_text("可能已复位")
        expect(dialog.locator(".now")).to_contain_text("现在没有闭锁" if arrives else "现在仍闭锁")
        expect(dialog.get_by_role("button", name="复位联动", exact=True)).to_have_count(0 if arrives else 1)


def test_of_the_whole_mine_it_is_told_and_a_silent_gateway_is_not_none(context: BrowserContext, tmp_path: Path) -> None:
    with linked(tmp_path) as stage, watched(context, stage.url, forgiven=("503",)) as page:
        machine(page, stage, "feeder_1")
        page.goto(f"{stage.url}/tags")
        panel = page.locator(".linkages")
        expect(panel).to_have_text("没有闭锁的联动")
        trip(stage)
        expect(panel).to_contain_text("已闭锁 甲烷断电")
        # The sensor takes no commands, and by it the linkage has tripped.
        page.goto(f"{stage.url}/commands/ch4_101")
        expect(page.locator(".linkages")).to_contain_text("已闭锁 甲烷断电")
        stage.away(True)
        expect(page.locator(".linkages")).to_contain_text("其联动是否闭锁现在不明，不等于没有")
        expect(facts(page)).to_have_count(0)
        stage.away(False)
        expect(facts(page)).to_have_count(1)


def test_the_overview_tells_what_is_latched_and_what_merely_acts_is_told_apart(
    context: BrowserContext, tmp_path: Path
) -> None:
    with linked(tmp_path) as stage, watched(context, stage.url, forgiven=("503", "404")) as page:
        machine(page, stage, "feeder_1")
        page.goto(f"{stage.url}/overview")
        bar = page.locator("main > .latched")
        expect(page.locator(".tile").first).to_be_visible()
        stage.away(True)
        expect(bar).to_contain_text("不明，不等于没有")
        stage.away(False)
        expect(bar).to_have_count(0)
        trip(stage)
        expect(bar).to_contain_text("联动闭锁 1")
        expect(bar).to_contain_text("甲烷断电")
        assert not spilled(page) and not serious(page)

        def acting_too(way: Route) -> None:
            told = way.fetch().json()
            (one,) = told["linkages"]
            acts = {**one["tripped"][0], "held": False, "refusal": None}
            told["linkages"].append({**one, "id": "acts", "name": {"zh": "联动报警", "en": "acts"}, "tripped": [acts]})
            way.fulfill(json=told)

        page.route("**/api/v1/control/linkages*", acting_too)
        bar.get_by_role("link").first.click()
        expect(page).to_have_url(f"{stage.url}/tags")
        panel = page.locator(".linkages")
        expect(facts(page)).to_have_count(2)
        expect(panel.locator("h3 + article").nth(0)).to_contain_text("甲烷断电")
        expect(panel.locator("h3 + article").nth(1)).to_contain_text("联动报警")
        expect(panel.locator("h3").filter(has_text="动作中：条件消失后自行结束")).to_be_visible()
        page.unroute("**/api/v1/control/linkages*")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("联动闭锁", "甲烷断电", "结果未知的命令", "分闸", "不明，不等于没有")),
                            ("en", ("Latched linkages", "Methane cuts off", "Commands of unknown outcome", "open",
                                    "which is not none"))],
)  # fmt: skip
def test_a_hand_over_is_signed_with_what_is_latched(
    context: BrowserContext, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    latches, name, commands, value, silent = words
    with linked(tmp_path) as stage, watched(context, stage.url, forgiven=("503",)) as page:
        trip(stage)
        point = f"{CODE}/{FEEDER}"
        asked = {"order": {"act": "execute", "id": "lost", "point": point, "value": OPEN}, "gateway": "edge1"}
        tell(stage.home, "command.ask", point, after=asked, who="wang", origin="test")
        tell(stage.home, "command.end", point, after={"id": "lost"}, who="wang", origin="test")
        machine(page, stage, "feeder_1", language)
        stage.away(True)
        page.goto(f"{stage.url}/shifts")
        expect(page.locator("p.wrong", has_text=silent)).to_be_visible()
        stage.away(False)
        page.reload()
        kept = page.locator(".kind", has=page.get_by_role("heading", name=latches))
        expect(kept).to_contain_text(name)
        expect(kept).to_contain_text("edge1")
        expect(page.locator(".kind", has=page.get_by_role("heading", name=commands))).to_contain_text(f"→ {value}")
        page.locator(".sign button[type=submit]").click()
        dialog = page.locator("dialog")
        expect(dialog.locator("dt", has_text=latches).locator("+ dd")).to_have_text("1")
        expect(dialog.locator("dt", has_text=commands).locator("+ dd")).to_have_text("1")
        dialog.locator(".buttons button").first.click()
        expect(dialog).to_have_count(0)
        page.goto(f"{stage.url}/shifts/1")
        page.emulate_media(media="print")
        expect(kept).to_contain_text(name)
        expect(kept).to_be_visible()
        page.emulate_media(media="screen")
        # What is signed is not taken back by one click.
        page.locator(".sign button").click()
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.locator(".sign button").click()
        assert not spilled(page) and not serious(page)
        dialog.locator(".buttons button").first.click()
        expect(page.locator(".past tbody tr").first).to_contain_text("已撤回" if language == "zh" else "withdrawn")
        speak(page, "zh")


def test_the_alarm_by_which_it_trips_leads_to_it(context: BrowserContext, tmp_path: Path) -> None:
    with linked(tmp_path) as stage, watched(context, stage.url, forgiven=("503", "404")) as page:
        trip(stage)
        record(stage, change("limit.hihi", CH4, priority=1))
        (alarm,) = book.alarms_of(stage.home, CODE)
        machine(page, stage, "feeder_1")
        page.goto(f"{stage.url}/alarms/{alarm.id}")
        told = page.locator("aside.detail .linkages")
        expect(told).to_contain_text("已闭锁 甲烷断电")
        expect(told.get_by_role("button", name="复位 …")).to_be_visible()
        assert not spilled(page) and not serious(page)
