"""Makes docs/screens anew: each page of the console in both languages, over a simulated mine that runs.

    python -m tools.screens [page …] [--days 2] [--home FOLDER]

`--days` fills the mine's past first, so that its figures have something to show. A home that is given is kept, and
filled only when it is new.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import yaml
from PIL import Image
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import TimeoutError as Late

from bus.secret import write_secret
from sevenones.bench.chromium import RESET, browser, enter
from sevenones.bench.mine import Mine, running
from tools.screens.happen import happen
from tools.screens.places import places

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "docs" / "screens"
COLOURS = 256
"""Enough for a page that is grey when all is well."""
SETTLED_S = 2.5
MINE = "low"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("page", nargs="*", help="names in pages.yaml; all without")
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    pages = yaml.safe_load((Path(__file__).parent / "pages.yaml").read_text(encoding="utf-8"))
    SCREENS.mkdir(exist_ok=True)
    wanted = [page for page in pages if not asked.page or page["name"] in asked.page]
    (SCREENS / "README.md").write_text(_gallery(pages), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="sevenones-screens-") as folder:
        home = asked.home or Path(folder) / "home"
        if asked.days and not (home / "store").exists():
            _fill(home, asked.days)
        with running(MINE, home, _port()) as mine:
            happen(mine)
            _take(mine, Path(folder), wanted)


def _fill(home: Path, days: int) -> None:
    command = (sys.executable, "-m", "sevenones", "simulate", "--mine", MINE, "--backfill", f"{days}d")
    subprocess.run([*command, "--home", str(home)], check=True)


GALLERY = """# 控制台截图 · The console's pages

Made by `python -m tools.screens`.

| 页面 · page | 中文 | English |
|---|---|---|
"""


def _gallery(pages: list[dict[str, str]]) -> str:
    """All pictures on one page."""

    def picture(name: str, language: str) -> str:
        return f"![{name}]({name}-{language}.png)"

    rows = (
        f"| `{page['address'].split('?')[0]}` | {picture(page['name'], 'zh')} | {picture(page['name'], 'en')} |\n"
        for page in pages
    )
    return GALLERY + "".join(rows)


def _port() -> int:
    return int(os.environ.get("SEVENONES_SCREENS_PORT", "9600"))


def _take(mine: Mine, folder: Path, pages: list[dict[str, str]]) -> None:
    with browser(folder / "profile", 1440, 900) as context:
        enter(context, mine.url, "admin", *_passwords(mine))
        found = places(lambda path: context.request.get(f"{mine.url}/api/v1/{path}", max_retries=RESET).json())
        for page in pages:
            for language in ("zh", "en"):
                _picture(
                    context,
                    mine.url + page["address"].format_map(found),
                    SCREENS / f"{page['name']}-{language}.png",
                    language,
                )
                print(f"docs/screens/{page['name']}-{language}.png", flush=True)


def _passwords(mine: Mine) -> tuple[str, str]:
    """The one that holds, and the one that it becomes when it is the initial one."""
    kept = mine.home / "screens.json"
    if kept.exists():
        password: str = json.loads(kept.read_text())
        return password, password
    password = secrets.token_urlsafe(12)
    write_secret(kept, json.dumps(password))
    return mine.password, password


def _picture(context: BrowserContext, url: str, to: Path, language: str) -> None:
    page: Page = context.new_page()
    try:
        page.add_init_script(f"localStorage.setItem('language', '{language}')")
        page.goto(url)
        page.locator("main").wait_for(timeout=60_000)
        with suppress(Late):  # a page that asks again and again is never idle
            page.wait_for_load_state("networkidle", timeout=15_000)
        time.sleep(SETTLED_S)
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(to, optimize=True)
    finally:
        page.close()


if __name__ == "__main__":
    main()
