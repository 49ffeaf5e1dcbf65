"""The store process: everything put together, from start to stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog

from bus import subjects
from bus.connection import Bus
from bus.credentials import Credential
from bus.errors import BusUnavailable, NotPermitted
from bus.secret import Announcement
from middleplatform.ending import until_stopped
from middleplatform.metrics_page import MetricsPage
from middleplatform.store import aggregates, changed, instant, tally, turns
from middleplatform.store.answers import Answers
from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue, SiteFolder
from middleplatform.store.changed import Changed
from middleplatform.store.deadletters import DeadLetters
from middleplatform.store.engine import Engine, EngineError
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Door
from middleplatform.store.freeze import Freezer
from middleplatform.store.history import History
from middleplatform.store.ingest import SETTLE_S, Ingest
from middleplatform.store.latest import Latest
from middleplatform.store.merges import Merges
from middleplatform.store.metrics import StoreMetrics
from middleplatform.store.quality import answers as quality_answers
from middleplatform.store.quality.arrivals import Arrivals
from middleplatform.store.quality.assessment import Assessment
from middleplatform.store.quality.consistency import Consistency
from middleplatform.store.quality.expected import Expected
from middleplatform.store.quality.polls import Polls
from middleplatform.store.quarantine import Quarantine
from middleplatform.store.retention import Keeper, file_of
from middleplatform.store.roller import Roller
from middleplatform.store.rollups import RollUps
from middleplatform.store.schema import open_store
from middleplatform.store.sitetables import SiteTables
from middleplatform.store.sql import Statements
from middleplatform.store.stays import Stayed
from middleplatform.store.turns import Turns
from middleplatform.store.upkeep import Upkeep
from middleplatform.store.windows import Windows
from middleplatform.store.writer import Writer
from models.site.model import Site

log = structlog.get_logger("store")

HEARTBEAT_S = 2.0
BUS_S = 3.0
"""How long the start waits for the bus."""
SITE_S = 5.0
"""How often the site's folder is looked at."""


async def run(
    site_folder: Path,
    home: Path,
    bus_url: str,
    credential: Credential,
    stop: asyncio.Event,
    environment: Mapping[str, str] | None = None,
    load: Callable[[Path], Site] | None = None,
    url: str | None = None,
) -> None:
    """Store what the bus brings and answer questions until `stop` is set.

    `environment` fills the `${NAME}` in the site's files; `load` replaces the site's loader; `url` names a
    ClickHouse server or cluster instead of the engine in `home`. Raises
    SiteErrors when the site has mistakes at the start, StoreError when the data cannot be opened,
    NotPermitted when the bus refuses the credential.
    """
    folder = SiteFolder(site_folder, load or _loader(environment or {}))
    catalogue = await asyncio.to_thread(folder.read)
    if catalogue is None:
        raise StoreError(f"the site folder '{site_folder}' is empty")
    started = time.monotonic()
    store = await asyncio.to_thread(_Store, home / "store", catalogue, url)
    log.info("存储已打开 · store open", points=len(store.latest), took_s=round(time.monotonic() - started, 2))
    try:
        bus = await _connect(bus_url, credential)
    except BaseException:
        await asyncio.to_thread(store.close)
        raise
    try:
        await _serve(store, folder, bus, home, stop)
    finally:
        await bus.close()
        await asyncio.to_thread(store.close)
        log.info("存储已关闭 · store closed")


async def _connect(url: str, credential: Credential) -> Bus:
    """A connection, or one that is still being made: questions are answered without a bus too."""
    try:
        return await Bus.connect(url, credential, name="store", wait_s=BUS_S)
    except BusUnavailable:
        log.warning("总线尚未就绪 · the bus is not there yet: only what is stored can be asked", url=url)
        return await Bus.connect(url, credential, name="store", wait_s=0)


class _Store:
    """The parts that know nothing of the bus."""

    def __init__(self, folder: Path, catalogue: Catalogue, url: str | None = None) -> None:
        self.engine: Engine = open_store(folder, url)
        try:
            self.thread = ThreadPoolExecutor(1, "write")
            audit = Audit(folder / "audit.log")
            self.latest = Latest()
            self.quarantine = Quarantine(self.engine, audit)
            dead = DeadLetters(folder / "dead-letters")
            self.windows = Windows(self.engine)
            self.arrivals, self.polls = Arrivals(self.engine, catalogue), Polls(self.engine, catalogue)
            self.expected = Expected(self.engine, catalogue)
            parts = (self.quarantine, self.latest, dead, audit, self.windows, self.arrivals.add, self.expected)
            self.writer = Writer(self.engine, catalogue, *parts)
            self.rollups = RollUps(self.engine, self.windows, self.writer.ages)
            self.writer.adopt(catalogue)
            self.rollups.adopt(catalogue)
            self.site_tables = SiteTables(self.engine)
            self.site_tables.adopt(catalogue.site)
            self.history = History(self.engine, self.writer.ages, self.windows)
            self.stayed = Stayed(self.engine, self.windows, self.history)
            self.assessment = Assessment(
                self.engine,
                self.windows,
                self.writer.ages,
                (self.arrivals, self.polls, Consistency(self.history, lambda: self.writer.catalogue)),
                self.expected.since,
            )
            self.keeper = Keeper(
                self.engine,
                self.windows,
                audit,
                lambda: self.writer.catalogue.bulk,
                lambda: file_of(folder.parent),
            )
            self.upkeep = Upkeep(self.engine, self.windows, self.keeper, self.writer.ages)
            self.roller = Roller(self.rollups, self.keeper, Merges(self.engine))
            self.freezer = Freezer(self.engine, folder, self.roller.paused)
            self.roller.start()
        except BaseException:
            self.engine.close()
            raise

    def adopt(self, catalogue: Catalogue) -> None:
        rows = self.writer.adopt(catalogue)
        self.rollups.adopt(catalogue)
        self.site_tables.adopt(catalogue.site)
        self.arrivals.adopt(catalogue)
        self.polls.adopt(catalogue)
        log.info("配置已更新 · the site changed", points=len(catalogue.points), released_rows=rows)

    def tend(self) -> None:
        self.quarantine.tell()
        self.quarantine.count()
        self.quarantine.bound()
        self.arrivals.tend()
        self.polls.tend()
        self.expected.flush()

    def close(self) -> None:
        self.roller.close()
        self.thread.shutdown()
        try:
            self.arrivals.flush()
            self.polls.flush()
            self.expected.flush()
        except EngineError as error:
            log.error("the counts of arrivals and polls of the last minute are lost", error=str(error))
        self.engine.close()


async def _serve(store: _Store, folder: SiteFolder, bus: Bus, home: Path, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    ingest = Ingest(bus, store.writer, store.thread)
    begun = time.time()

    def status() -> dict[str, Any]:
        counters = store.writer.counters
        return {
            "time": time.time_ns() // 1000,
            "started": int(begun * 1e6),
            "connected": bus.connected,
            "site_version": store.writer.catalogue.version,
            "rows": counters.rows,
            "events": counters.events,
            "foreign_events": counters.foreign_events,
            "mistimed_events": counters.mistimed_events,
            "inserts": counters.inserts,
            "insert_seconds": round(counters.insert_s, 3),
            "malformed": counters.malformed,
            "quarantined": dict(counters.quarantined),
            "quarantine_rows": store.quarantine.rows,
            "dirty_hours": store.windows.dirty_hours,
            "rollup_rows": store.rollups.rows,
            "pending": ingest.pending,
            "points": len(store.latest),
            "newest_received": counters.last_received or None,
            "newest_received_seconds": counters.last_received / 1e6,
            "failing": ingest.failing is not None,
            "error": ingest.failing,
            "lag": dict(ingest.lag),
        }

    def settle() -> bool:
        waiting = asyncio.run_coroutine_threadsafe(ingest.settle(), loop)
        try:
            return waiting.result(SETTLE_S + 1)
        except TimeoutError:
            waiting.cancel()
            return False

    handlers = {
        **Answers(store.history, store.latest, settle, status).handlers,
        **aggregates.handlers(aggregates.Aggregates(store.history, store.stayed), settle),
        **tally.handlers(tally.Tally(store.engine, store.history), settle),
        **instant.handlers(instant.Instants(store.engine, store.writer.ages), settle),
        **changed.handlers(Changed(store.engine, store.windows), settle),
        **turns.handlers(Turns(store.engine, store.windows, store.history), settle),
        **quality_answers.handlers(store.assessment, settle),
        **store.upkeep.handlers,
        **store.freezer.handlers,
        **Statements(store.engine, store.writer.catalogue.code, settle).handlers,
    }
    door = await asyncio.to_thread(Door, handlers)
    page = MetricsPage(home, "store", StoreMetrics(status))
    announced = Announcement(home / "store" / "endpoint.json", door.endpoint)
    work = [
        asyncio.create_task(ingest.run(), name="ingest"),
        asyncio.create_task(_heartbeats(bus, store, status), name="heartbeats"),
        asyncio.create_task(_follow_site(store, folder), name="site"),
        asyncio.create_task(_hear_gateways(bus, store), name="gateways"),
    ]
    try:
        await until_stopped(stop, work)
    finally:
        announced.withdraw()
        page.close()
        await asyncio.to_thread(door.shutdown)


async def _heartbeats(bus: Bus, store: _Store, status: Callable[[], Mapping[str, Any]]) -> None:
    subject = subjects.state(store.writer.catalogue.code, "store")
    while True:
        await bus.live(subject, json.dumps({"process": "store", **status()}).encode())
        await asyncio.sleep(HEARTBEAT_S)


async def _hear_gateways(bus: Bus, store: _Store) -> None:
    """Take in that gateways are there, and what they tell of their polls."""

    async def heard(subject: str, data: bytes) -> None:
        process = subjects.source_of(subject)
        if process.startswith("gateway-"):
            gateway = process.removeprefix("gateway-")
            store.expected.heard(gateway)
            store.polls.heard(gateway, data, time.time_ns() // 1000)

    try:
        await bus.listen(subjects.state(store.writer.catalogue.code, "*"), heard)
    except NotPermitted as error:
        # A bus that was set up by an older release: everything else goes on.
        log.error("心跳不可读，轮询数未知 · polls are not known: the bus does not let us hear", error=str(error))
    await asyncio.Event().wait()


async def _follow_site(store: _Store, folder: SiteFolder) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SITE_S)
        try:
            catalogue = await asyncio.to_thread(folder.read)
        except Exception as error:  # whatever is wrong with the files, the store goes on with the last good ones
            log.error("配置有误，沿用旧配置 · the site has mistakes: the last good one stays", error=str(error)[:2000])
            continue
        try:
            if catalogue is not None:
                await loop.run_in_executor(store.thread, store.adopt, catalogue)
            await loop.run_in_executor(store.thread, store.tend)
        except EngineError as error:
            log.error("the quarantine cannot be looked after", error=str(error))


def _loader(environment: Mapping[str, str]) -> Callable[[Path], Site]:
    from models.site import load

    return lambda folder: load(folder, environment=environment)
