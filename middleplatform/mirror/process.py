"""The mirror process, from start to stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import structlog

from bus import subjects
from bus.connection import Bus
from bus.credentials import Credential
from middleplatform.ending import until_stopped
from middleplatform.metrics_page import MetricsPage
from middleplatform.mirror.copying import Copying
from middleplatform.mirror.lines import Lines
from middleplatform.mirror.metrics import MirrorMetrics
from middleplatform.mirror.settings import Settings
from middleplatform.mirror.target import Target
from middleplatform.store.catalogue import SiteFolder
from models.site.model import Site

log = structlog.get_logger("mirror")

HEARTBEAT_S = 2.0
SITE_S = 5.0


async def run(
    site_folder: Path,
    home: Path,
    settings: Settings,
    bus_url: str,
    credential: Credential,
    stop: asyncio.Event,
    load: Callable[[Path], Site],
) -> None:
    """Mirror until `stop` is set; `home` is told where its metrics are. Raises SiteErrors when the site has mistakes at
    the start, MirrorError when the client library is missing, NotPermitted when the bus refuses the credential."""
    sites: list[Site] = []

    def remember(folder: Path) -> Site:
        sites[:] = [load(folder)]
        return sites[0]

    folder = SiteFolder(site_folder, remember)
    await asyncio.to_thread(folder.read)
    target = Target(settings)
    bus = await Bus.connect(bus_url, credential, name="mirror", wait_s=0)
    thread = ThreadPoolExecutor(1, "mirror")
    try:
        copying = Copying(bus, target, chosen(sites[0], settings), thread)
        page = MetricsPage(home, "mirror", MirrorMetrics(copying))
        log.info("镜像已启动 · mirror running", points=len(copying.lines.points), url=settings.url)

        async def follow() -> None:
            while True:
                await asyncio.sleep(SITE_S)
                try:
                    if await asyncio.to_thread(folder.read) is not None:
                        copying.lines = chosen(sites[0], settings)
                except Exception as error:  # whatever is wrong with the files, the last good ones stay
                    log.error("配置有误，沿用旧配置 · the site has mistakes", error=str(error)[:2000])

        async def tell() -> None:
            subject = subjects.state(sites[0].code, "mirror")
            while True:
                status = {"process": "mirror", "time": time.time_ns() // 1000, **asdict(copying.counters)}
                status |= {"failing": copying.failing is not None, "error": copying.failing}
                await bus.live(subject, json.dumps(status).encode())
                await asyncio.sleep(HEARTBEAT_S)

        work = [asyncio.create_task(each) for each in (copying.run(), follow(), tell())]
        try:
            await until_stopped(stop, work)
        finally:
            page.close()
    finally:
        await bus.close()
        thread.shutdown(wait=False, cancel_futures=True)
        target.close()
        log.info("镜像已停止 · mirror stopped")


def chosen(site: Site, settings: Settings) -> Lines:
    """The lines of the site's points that the settings name."""
    return Lines([point for point in site.points if settings.takes(point)], site.code, settings.measurement)
