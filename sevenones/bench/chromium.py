"""A real browser on the console: Debian's chromium by Playwright, with a profile of its own and a user signed in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import APIResponse, BrowserContext, sync_playwright

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
)
"""Nothing of its own to fetch; drawing by the processor, as a control room's thin client may have to."""


RESET = 2
"""Times a question of ours beside the pages is asked again when its kept connection was just closed: as the browser
itself does, and Playwright does not."""


class NoBrowser(Exception):
    """There is no chromium here: what to do."""


class NotIn(Exception):
    """The platform did not let the user in: its words."""


@contextmanager
def browser(profile: Path, width: int = 1600, height: int = 900) -> Iterator[BrowserContext]:
    """Chromium with a profile of its own. Raises NoBrowser."""
    program = shutil.which("chromium")
    if program is None:
        raise NoBrowser("没有 chromium · chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=program,
            headless=True,
            args=FLAGS,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        try:
            yield context
        finally:
            context.close()


def enter(context: BrowserContext, url: str, user: str, password: str, fresh: str = "") -> None:
    """Sign a user in for all pages of the browser; an initial password becomes `fresh`. Raises NotIn."""
    said = _believed(context.request.post(f"{url}/api/v1/sign-in", data=_who(user, password), max_retries=RESET))
    if said["must_change"]:
        change = {"old": password, "new": fresh}
        headers = {"X-CSRF-Token": str(said["csrf"])}
        _believed(context.request.post(f"{url}/api/v1/me/password", data=change, headers=headers, max_retries=RESET))
    # The console asks who it is only where someone has signed in before: the cookie itself is kept from it.
    context.add_init_script("localStorage.setItem('signed', '1')")


def _who(user: str, password: str) -> dict[str, str | bool]:
    return {"user": user, "password": password, "cookie": True}


def _believed(answer: APIResponse) -> dict[str, object]:
    body: dict[str, object] = answer.json()
    if not answer.ok:
        raise NotIn(f"{answer.status}: {body}")
    return body
