"""What a console meets in bad hours: names that want to be code, a huge site, a platform that is slow or errs, sessions
that end, points that vanish, users who may little."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from middleplatform.access import tokens, users
from models.identity import point_id
from models.site.model import Name, Site
from tests.middleplatform.api.build import CODE, site
from tests.middleplatform.api.stage import PASSWORD, Stage, bare, threaded
from tests.middleplatform.console.browser import pages_of, patient, sign_in, speak, spilled, tell, watched, wide
from tests.proxy import Proxy

pytestmark = pytest.mark.long

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
LONG = "很长的名字" * 40
BACKWARDS = "\u202egnihtemos\u202c \u0645\u062d\u0637\u0629"


def named_by_an_enemy() -> Site:
    """The same mine, with names that its people should never see as anything but text."""
    made = site()
    belt = replace(made.equipment["belt1"], name=Name(SCRIPT, SCRIPT))
    pump = replace(made.equipment["pump1"], name=Name(LONG, BACKWARDS))
    points = tuple(
        replace(point, name=Name(SCRIPT, LONG))
        if point.key == "speed"
        else replace(point, name=Name(BACKWARDS, SCRIPT))
        for point in made.points
    )
    return replace(made, name=Name(LONG, SCRIPT), equipment={"belt1": belt, "pump1": pump}, points=points)


def huge(machines: int) -> Site:
    """`machines` belts, six points each."""
    made = site()
    equipment, points = {}, []
    for number in range(machines):
        id_ = f"m{number:05}"
        equipment[id_] = replace(made.equipment["belt1"], id=id_, name=Name(f"{number} 号机", f"machine {number}"))
        for point in made.points:
            path = f"{CODE}/{id_}/{point.key}"
            points.append(replace(point, equipment=id_, path=path, id=point_id(path)))
    return replace(made, equipment=equipment, points=tuple(sorted(points, key=lambda point: point.path)))


@pytest.fixture(scope="module")
def enemy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("enemy")
    with threaded(lambda loop: bare(home, loop, made=patient(named_by_an_enemy()))) as standing:
        yield standing


@pytest.mark.parametrize("language", ["zh", "en"])
def test_names_are_text_and_break_no_page(enemy: Stage, context: BrowserContext, language: str) -> None:
    with watched(context, enemy.url, forgiven=("409", "503")) as page:
        sign_in(page, enemy)
        speak(page, language)
        page.goto(enemy.url)
        tell(enemy, 3.25)
        for address in pages_of(page):
            page.goto(enemy.url + address)
            expect(page.locator("main")).to_be_visible()
            assert page.title() != "taken"
            assert page.locator("main script, main img[onerror]").count() == 0, address
            assert not spilled(page), address
            assert not wide(page), address
        speak(page, "zh")


@pytest.mark.timeout(180)
def test_a_site_of_fifteen_thousand_points_is_shown_and_searched(tmp_path: Path, context: BrowserContext) -> None:
    with (
        threaded(lambda loop: bare(tmp_path, loop, made=huge(2500))) as standing,
        watched(context, standing.url, forgiven=("503",)) as page,
    ):
        page.set_default_timeout(60_000)
        sign_in(page, standing, "/values")
        expect(page.locator("main")).to_contain_text("15000", timeout=60_000)
        page.locator("main input[type=search]").fill("m02499")
        expect(page.locator("main .panel")).to_have_count(1, timeout=60_000)
        expect(page.locator("main .panel")).to_contain_text("2499 号机")


def test_a_session_that_ends_under_the_users_hands_is_told_and_the_page_comes_back(
    stage: Stage, context: BrowserContext
) -> None:
    with watched(context, stage.url, forgiven=("401", "503", "WebSocket")) as page:
        sign_in(page, stage, f"/trends?p={CODE}/belt1/speed")
        for each in tokens.list_tokens(stage.home):
            if each.user == "olga":
                tokens.revoke_token(stage.home, each.id)
        page.goto(f"{stage.url}/trends?p={CODE}/belt1/speed")
        expect(page.locator("#user")).to_be_visible()
        sign_in(page, stage, f"/trends?p={CODE}/belt1/speed")
        expect(page.locator("main")).to_be_visible()


def test_a_point_that_is_gone_is_told(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503", "404")) as page:
        sign_in(page, stage, f"/trends?p={CODE}/belt1/speed,{CODE}/belt1/sold_last_year")
        expect(page.locator("main")).to_contain_text("sold_last_year")


def test_a_store_that_is_away_is_told_in_the_pages_words(stage: Stage, context: BrowserContext) -> None:
    with watched(context, stage.url, forgiven=("503",)) as page:
        sign_in(page, stage, f"/trends?p={CODE}/belt1/speed")
        expect(page.locator("main").get_by_role("alert")).to_be_visible()


def test_who_may_little_sees_no_control_that_would_be_refused(stage: Stage, context: BrowserContext) -> None:
    users.create_user(stage.home, "bora", PASSWORD, "bureau")
    with watched(context, stage.url, forgiven=("401", "503")) as page:
        page.goto(stage.url)
        expect(page.locator("#user, nav").first).to_be_visible()  # until then nobody knows which of the two it will be
        if page.get_by_role("button", name="退出").is_visible():
            page.get_by_role("button", name="退出").click()
        page.fill("#user", "bora")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        expect(page.locator("nav")).to_be_visible()
        refused: list[str] = []
        page.on("response", lambda said: refused.append(said.url) if said.status == 403 else None)
        for address in pages_of(page):
            page.goto(stage.url + address)
            expect(page.locator("main")).to_be_visible()
            expect(page.locator("main").get_by_text("没有此权限")).to_have_count(0)
            page.wait_for_load_state("networkidle")
        assert not refused, "a page asks for what its user may not have"
        page.get_by_role("button", name="退出").click()
        expect(page.locator("#user")).to_be_visible()


def test_a_link_that_is_cut_and_mended_comes_back_by_itself(stage: Stage, context: BrowserContext) -> None:
    made: list[Proxy] = []

    async def opened() -> Proxy:
        return await Proxy(int(stage.url.rsplit(":", 1)[1])).__aenter__()

    made.append(stage.within(opened()))
    link = made[0]
    base = f"http://127.0.0.1:{link.port}"
    page = context.new_page()
    try:
        page.goto(f"{base}/values")
        page.fill("#user", "olga")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
        tell(stage, 3.25)
        speed = page.locator("tr", has_text="带速").locator(".value")
        expect(speed).to_contain_text("3.25")
        stage.within(link.cut())
        expect(page.locator(".shell.old")).to_be_visible()
        stage.within(link.mend())
        expect(page.locator(".shell.old")).to_have_count(0, timeout=60_000)
        tell(stage, 4.5)
        expect(speed).to_contain_text("4.5")
    finally:
        stage.within(asyncio.wait_for(link.cut(), 10))
        page.close()
