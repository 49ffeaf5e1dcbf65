"""A real browser, of which a test fails when a page errs, asks another host for anything, or spills a button."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from middleplatform.console import STATIC
from models.site.model import Site
from tests.middleplatform.api.build import now, samples
from tests.middleplatform.api.stage import PASSWORD, Stage

_AXE = STATIC.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
_SPILLED = """() => [...document.querySelectorAll('button, .button, input, select')].filter(each => {
    const box = each.getBoundingClientRect()
    if (!box.width) return false
    const panel = each.closest('.panel, header, form, main')?.getBoundingClientRect()
    return panel && (box.right > panel.right + 1 || box.left < panel.left - 1)
}).map(each => each.outerHTML.slice(0, 120))"""
_TOFU = """() => {
    const drawn = text => {
        const canvas = document.createElement('canvas')
        const ctx = canvas.getContext('2d')
        ctx.font = getComputedStyle(document.body).font
        ctx.fillText(text, 10, 20)
        return canvas.toDataURL()
    }
    return drawn('瓦') === drawn('斯')
}"""

SETTLES_S = 10.0


def patient(made: Site) -> Site:
    """The mine, with values that do not turn stale while a busy machine draws them."""
    return replace(made, points=tuple(replace(each, silence_s=3600.0) for each in made.points))


def _counts(said: ConsoleMessage) -> bool:
    """Whether what the console said is wrong. A browser that signed in elsewhere on this host asks who it is, and is
    told that it is nobody here."""
    asked_who = said.location.get("url", "").endswith("/api/v1/me") and "401" in said.text
    return said.type in {"error", "warning"} and not asked_who


@contextmanager
def watched(context: BrowserContext, base: str, *, forgiven: tuple[str, ...] = ()) -> Iterator[Page]:
    """A page of which every error counts, but those that hold one of `forgiven`."""
    page = context.new_page()
    errors: list[str] = []
    away: list[str] = []
    left_by = [False]

    def hear(said: ConsoleMessage) -> None:
        # What was under way when somebody signed out is answered to nobody.
        if _counts(said) and not (left_by[0] and "401" in said.text):
            errors.append(said.text)

    def see(asked: Request) -> None:
        if asked.url.endswith(("/sign-out", "/sign-in")):
            left_by[0] = asked.url.endswith("/sign-out")
        if not asked.url.startswith((base, "data:", "blob:")):
            away.append(asked.url)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", hear)
    page.on("request", see)
    yield page
    assert not away, away
    assert not page.evaluate(_TOFU), "no font here has Chinese characters"
    left = [error for error in errors if not any(word in error for word in forgiven)]
    assert not left, left
    page.close()


def settled(page: Page, look: Callable[[], list[str]]) -> list[str]:
    """What is found of a page that has had time: its layout follows a new width, what it draws its answers, and where
    the machine stood still it says for a moment that nothing came."""
    deadline = time.monotonic() + SETTLES_S
    while (found := look()) and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    return found


def spilled(page: Page) -> list[str]:
    """Controls that stand out of their panel."""
    return settled(page, lambda: page.evaluate(_SPILLED))


def wide(page: Page) -> list[str]:
    """How much wider than the screen the page is, if it is."""
    told = """() => {
        const more = document.documentElement.scrollWidth - innerWidth
        return more > 0 ? [`${more} px wider than the screen`] : []
    }"""
    return settled(page, lambda: page.evaluate(told))


def serious(page: Page) -> list[str]:
    """What keeps people from using the page: axe-core's serious and critical findings."""
    page.evaluate(_AXE.read_text())
    return settled(page, lambda: _found(page))


def _found(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """async () => (await axe.run({resultTypes: ['violations']})).violations
            .filter(each => ['serious', 'critical'].includes(each.impact))
            .flatMap(each => each.nodes.slice(0, 5).map(node => `${each.id}: ${node.html.slice(0, 140)} ${
                (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`))"""
    )
    return found


def pages_of(page: Page) -> list[str]:
    """Every page of every group that the menus lead to."""
    found: dict[str, None] = {}
    expect(page.locator("header a.group").first).to_be_visible()  # `all` waits for none
    for group in page.locator("header a.group").all():
        group.click()
        expect(group).to_have_attribute("aria-current", "true")
        expect(page.locator("main")).to_be_visible()
        for link in page.locator("nav a.page-of").all():
            found[str(link.get_attribute("href"))] = None
    assert found
    return list(found)


def speak(page: Page, language: str) -> None:
    """What the next page that is loaded speaks: zh or en."""
    page.evaluate(f"localStorage.setItem('language', '{language}')")


def sign_in(page: Page, stage: Stage, address: str = "/") -> None:
    page.goto(stage.url + address)
    expect(page.locator("#user, nav").first).to_be_visible()  # until then nobody knows which of the two it will be
    if page.locator("#user").is_visible():
        page.fill("#user", "olga")
        page.fill("#password", PASSWORD)
        page.locator("form button").click()
    expect(page.locator("nav")).to_be_visible()


def tell(stage: Stage, speed: float, quality: int = 192) -> None:
    rows = [("belt1/speed", now(), speed, quality), ("belt1/running", now(), 1.0, 192)]
    assert stage.app is not None
    table = stage.app.state.live
    stage.call(lambda: table.update(samples(*rows), now(), "edge1"))
