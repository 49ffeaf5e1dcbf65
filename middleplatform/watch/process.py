"""The watch process, from start to stop."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from bus import subjects
from bus.connection import Bus
from bus.credentials import Credential
from middleplatform.audit.actor import PROCESS, Actor, act_as
from middleplatform.database import Place
from middleplatform.ending import until_stopped
from middleplatform.metrics_page import MetricsPage
from middleplatform.store.catalogue import SiteFolder
from middleplatform.watch.judging import Judging
from middleplatform.watch.metrics import WatchMetrics
from middleplatform.watch.watching import Watching
from models.site.model import Site

log = structlog.get_logger("watch")

HEARTBEAT_S = 2.0
SITE_S = 5.0
FORGET_S = 6 * 3600.0
"""How often it is looked for lines of the journal whose time is over."""
MOST_CHATTERING = 200
"""Alarms that a heartbeat names as chattering."""
MOST_NAMES = 200
"""Rules of the site's own that a heartbeat tells the names of: they may be younger than who shows them."""


async def run(
    site_folder: Path,
    home: Path,
    where: Place,
    bus_url: str,
    credential: Credential,
    stop: asyncio.Event,
    load: Callable[[Path], Site],
) -> None:
    """Watch until `stop` is set; `home` is told where its metrics are, `where` the relational store is. Raises
    SiteErrors when the site has mistakes at the start, NotPermitted when the bus refuses the credential, Superseded
    when another watch has begun."""
    act_as(Actor("watch", PROCESS))
    sites: list[Site] = []

    def remember(folder: Path) -> Site:
        sites[:] = [load(folder)]
        return sites[0]

    folder = SiteFolder(site_folder, remember)
    await asyncio.to_thread(folder.read)
    bus = await Bus.connect(bus_url, credential, name="watch", wait_s=0)
    try:
        judging = await asyncio.to_thread(Judging, sites[0], today(sites[0]))
        watching = Watching(bus, where, judging)
        page = MetricsPage(home, "watch", WatchMetrics(watching))
        log.info("报警进程已启动 · watch running", points=len(sites[0].points), rules=len(list(judging.rules.alarms())))

        async def follow() -> None:
            due = False
            while True:
                await asyncio.sleep(SITE_S)
                try:
                    due |= await asyncio.to_thread(folder.read) is not None
                    day = today(sites[0])
                    if due or day != judging.today:
                        await watching.follow(lambda: judging.follow(sites[0], day))  # noqa: B023 - called at once
                        log.info("规则已更新 · rules renewed", rules=len(list(judging.rules.alarms())))
                except Exception as error:  # whatever is wrong with the files, the last good ones stay
                    watching.outdated = True
                    log.error("配置有误，沿用旧配置 · the site has mistakes", error=str(error)[:2000])
                else:
                    due = watching.outdated = False

        async def forget() -> None:
            while True:
                await watching.forget()
                await asyncio.sleep(FORGET_S)

        async def tell() -> None:
            subject = subjects.state(sites[0].code, "watch")
            while True:
                await bus.live(subject, json.dumps(status(watching)).encode())
                await asyncio.sleep(HEARTBEAT_S)

        work = [asyncio.create_task(each) for each in (watching.run(), follow(), forget(), tell())]
        try:
            await until_stopped(stop, work)
        finally:
            page.close()
    finally:
        await bus.close()
        log.info("报警进程已停止 · watch stopped")


def today(site: Site) -> datetime.date:
    """The day at the mine."""
    return datetime.datetime.now(ZoneInfo(site.time_zone)).date()


def status(watching: Watching) -> dict[str, object]:
    """The heartbeat."""
    told = {"process": "watch", "time": time.time_ns() // 1000, **asdict(watching.counters)}
    judging = watching.judging
    told |= {"missed": watching.missed, "malformed": judging.malformed, "broken": judging.broken}
    told |= {"foreign": judging.foreign, "clock_back": judging.engine.back}
    told["chattering"] = judging.engine.chattering()[:MOST_CHATTERING]
    own = [each for each in judging.rules.facts if each.name.startswith(("own.", "linkage."))][:MOST_NAMES]
    told["names"] = {each.name: [each.text.zh, each.text.en] for each in own}
    told |= {"deaf": watching.deaf, "behind": watching.behind, "behind_s": round(watching.behind_s, 1)}
    return told | {"failing": watching.failing, "outdated": watching.outdated}
