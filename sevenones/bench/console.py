"""The console in headless Chromium, without a graphics card, on the demo of the low mine (2,209 points) on the same
machine: how soon a page is there, how much comes first, how the map moves, what hours of live values leave.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import BrowserContext, Page, WebSocketRoute

from sevenones.bench.chromium import RESET, browser, enter
from sevenones.bench.mine import Mine, running

MINE = "low"
FRAMES_S = 1.0
"""A live frame comes once a second."""
LOOKS = 32
"""So often the page's memory is looked at."""
IDLE_S = 20.0
PAN_S = 6.0
SHOWN = "body:not(:has([aria-busy=true])) main"
"""The page stands and waits for no answer."""
PAGES = ("overview", "map", "alarms", "trends", "values", "equipment")


def run(hours: float = 8.0, home: Path | None = None, port: int = 9500) -> dict[str, Any]:
    """Times in ms, each the middle of five; `pages_ms` by page; `live_growth_kb`: what the page's memory grew by over
    the last three quarters of `hours` of live frames, which come as fast as the page takes them."""
    with tempfile.TemporaryDirectory(prefix="sevenones-console-") as folder:
        root = Path(folder)
        password = secrets.token_urlsafe(12)
        with running(MINE, home or root / "home", port) as mine:
            with browser(root / "first") as context:
                enter(context, mine.url, "admin", mine.password, password)
                found: dict[str, Any] = {"points": _points(context, mine), "first_load_kb_gzip": _weight(context, mine)}
            found["first_view_ms"] = _middle(lambda: _first_view(root, mine, password))
            with browser(root / "again") as context:
                enter(context, mine.url, "admin", password)
                found["pages_ms"] = {name: _middle(lambda name=name: _page(context, mine, name)) for name in PAGES}
                found |= _map(context, mine)
                found |= _hours(context, mine, hours)
        return found


def _middle(once: Any, times: int = 5) -> float:
    return round(statistics.median(once() for _ in range(times)))


def _points(context: BrowserContext, mine: Mine) -> int:
    total: int = context.request.get(f"{mine.url}/api/v1/points?limit=1", max_retries=RESET).json()["total"]
    return total


def _weight(context: BrowserContext, mine: Mine) -> float:
    """What a browser that knows nothing loads before the first page stands, compressed as a server in front would."""
    page, files = context.new_page(), {}
    page.on("response", lambda said: files.setdefault(said.url, said) if "/api/" not in said.url else None)
    page.goto(f"{mine.url}/")
    page.locator(SHOWN).wait_for()
    page.wait_for_load_state("load")
    weight = sum(len(gzip.compress(said.body(), 9)) for said in files.values() if said.status == 200)
    page.close()
    return round(weight / 1000, 1)


def _first_view(root: Path, mine: Mine, password: str) -> float:
    """From the address to the first page with values, nothing kept from before; the browser itself is open."""
    with browser(root / secrets.token_hex(4)) as context:
        enter(context, mine.url, "admin", password)
        return _page(context, mine, "")


def _page(context: BrowserContext, mine: Mine, name: str) -> float:
    page = context.new_page()
    began = time.perf_counter()
    page.goto(f"{mine.url}/{name}", wait_until="commit")
    page.locator(SHOWN).wait_for()
    took = (time.perf_counter() - began) * 1e3
    page.close()
    return took


def _browser_cpu_s() -> float:
    """CPU seconds of all of the browser's processes."""
    used = 0.0
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if "chrom" in child.name():
                spent = child.cpu_times()
                used += spent.user + spent.system
        except psutil.Error:
            continue
    return used


def _map(context: BrowserContext, mine: Mine) -> dict[str, Any]:
    page = context.new_page()
    page.goto(f"{mine.url}/map")
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(3000)
    used, began = _browser_cpu_s(), time.perf_counter()
    page.wait_for_timeout(IDLE_S * 1e3)
    idle = 100 * (_browser_cpu_s() - used) / (time.perf_counter() - began)
    gaps = _pan(page)
    page.close()
    return {
        "map_idle_cpu_percent": round(idle, 1),
        "map_pan_fps": round(1e3 / statistics.fmean(gaps), 1),
        "map_pan_p95_ms": round(sorted(gaps)[int(0.95 * len(gaps))], 1),
    }


def _pan(page: Page) -> list[float]:
    """Gaps between frames, ms, while the map is dragged about."""
    page.evaluate(
        """() => {
            window.gaps = []
            let last = performance.now()
            const tick = now => { window.gaps.push(now - last); last = now; requestAnimationFrame(tick) }
            requestAnimationFrame(tick)
        }"""
    )
    box = page.locator("canvas").first.bounding_box()
    if box is None:
        raise RuntimeError("the map has no canvas")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    until, step = time.perf_counter() + PAN_S, 0
    while time.perf_counter() < until:
        step += 1
        page.mouse.move(x + 200 * ((step // 20) % 2) - 100 + 5 * (step % 20), y + 3 * (step % 20))
    page.mouse.up()
    gaps: list[float] = page.evaluate("window.gaps.slice(5)")
    return gaps


def _hours(context: BrowserContext, mine: Mine, hours: float) -> dict[str, Any]:
    """The values' page under live frames: every one changes a quarter of all points."""
    page = context.new_page()
    socket: list[WebSocketRoute] = []
    places: list[int] = [0]

    def passed(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def heard(message: str | bytes) -> None:
            frame = json.loads(message)
            if "snapshot" in frame:
                places[0] = len(frame["snapshot"]["points"])
                socket.append(route)
            route.send(message)

        server.on_message(heard)

    page.route_web_socket("**/api/v1/stream", passed)
    page.goto(f"{mine.url}/values")
    page.locator(SHOWN).wait_for()
    session = context.new_cdp_session(page)
    while not socket:
        page.wait_for_timeout(200)
    frames = int(hours * 3600 / FRAMES_S)
    held = []
    for number in range(frames):
        mine_of = range(number % 4, places[0], 4)
        at = int(time.time() * 1e6)
        n = len(mine_of)
        frame = {"t": at, "i": list(mine_of), "v": [number % 977 / 7] * n, "q": [192] * n, "ts": [at] * n}
        socket[-1].send(json.dumps(frame))
        if number % (frames // LOOKS or 1) == 0:
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
            session.send("HeapProfiler.collectGarbage")
            held.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e3)
    page.close()
    # A single look is off by what the frame under way has made, some MB: the growth is that of the line through all.
    later = np.array(held[len(held) // 4 :])
    slope = np.polyfit(np.arange(len(later)), later, 1)[0]
    return {
        "live_frames": frames,
        "live_heap_kb": round(float(np.median(later))),
        "live_growth_kb": round(slope * (len(later) - 1)),
    }
