"""The figures process, from start to stop. It is not on the bus: it reads the store over Flight and keeps what it makes
in the relational store, so that nothing it does can delay a sample or an alarm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.audit.actor import PROCESS, Actor, act_as
from middleplatform.database import DatabaseError, Place
from middleplatform.kpi.held import Held
from middleplatform.kpi.making import Making
from middleplatform.kpi.metrics import FiguresMetrics
from middleplatform.kpi.state import State
from middleplatform.metrics_page import MetricsPage
from middleplatform.reports.rounds import ReportRounds
from middleplatform.store.catalogue import SiteFolder
from middleplatform.store.client import StoreClient, read_endpoint
from middleplatform.store.errors import StoreError
from models.site.model import Site

log = structlog.get_logger("figures")

ROUND_S = 60.0
AGAIN_S = 5.0
"""How soon it is tried again when the store or the database did not answer."""
ANSWER_S = 120.0


def run(
    site_folder: Path,
    home: Path,
    where: Place,
    stop: threading.Event,
    load: Callable[[Path], Site],
    round_s: float = ROUND_S,
    again_s: float = AGAIN_S,
) -> None:
    """Make figures until `stop` is set. Raises SiteErrors when the site has mistakes at the start; what fails later is
    told, and tried again."""
    act_as(Actor("figures", PROCESS))
    folder = SiteFolder(site_folder, load)
    catalogue = folder.read()
    if catalogue is None:
        raise FileNotFoundError(site_folder)
    process = _Process(home, where, Held(where, folder, catalogue.site))
    reports = ReportRounds(where, home, site_folder)
    page = MetricsPage(home, "figures", FiguresMetrics(lambda: process.state))
    log.info("指标进程已启动 · figures running", mine=process.site.code, points=len(process.site.points))
    try:
        while not stop.is_set():
            began = time.monotonic()
            well = process.round(lambda: not stop.is_set())
            if well:
                reports.round(process.site, time.time_ns() // 1000)
            more = well and process.state.due > 0
            stop.wait(0 if more else max(0.0, began + round_s - time.monotonic()) if well else again_s)
    finally:
        page.close()
        process.close()
        log.info("指标进程已停止 · figures stopped")


class _Process:
    """What lives from one round to the next. A client is made anew after it failed: the store may be another one."""

    def __init__(self, home: Path, where: Place, held: Held) -> None:
        self.home, self.where, self._held = home, where, held
        self.state = State()
        self._client: StoreClient | None = None
        self._making: Making | None = None
        self._told = ""

    @property
    def site(self) -> Site:
        return self._held.site

    def round(self, going_on: Callable[[], bool]) -> bool:
        """Whether it went well."""
        try:
            self._held.look()
            self.state.outdated = self._held.outdated
            self._ready().round(going_on)
        except (StoreError, DatabaseError, SQLAlchemyError) as error:
            words = f"{type(error).__name__}: {error}"[:300]
            if words != self._told:
                log.warning("暂停计算指标，稍后重试 · no figures for now, tried again soon", why=words)
            self._told = self.state.failing = words
            self._drop()
            self._tell()
            return False
        if self._told:
            log.info("恢复计算指标 · figures are made again")
        self._told = self.state.failing = ""
        self._tell()
        return True

    def _ready(self) -> Making:
        if self._making is None:
            self._client = StoreClient(read_endpoint(self.home), timeout_s=ANSWER_S)
            self._making = Making(self.where, self.site, self._client)
            self._making.state = self.state
        self._making.site = self.site
        return self._making

    def _tell(self) -> None:
        try:
            self.state.tell(self.where, self.site.code, time.time_ns() // 1000)
        except (DatabaseError, SQLAlchemyError):
            log.warning("状态无法记录 · how it goes cannot be kept: the relational store does not answer")

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._making = None

    def close(self) -> None:
        self._drop()
