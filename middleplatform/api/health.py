"""`/api/v1/health`: the one route that needs no token. It always answers 200, with the truth in its body."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import anyio
from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from bus.certificates import ending
from middleplatform.api.door import StoreDoor
from middleplatform.api.errors import ApiError
from middleplatform.api.times import now_us
from middleplatform.database import DatabaseError, Place
from middleplatform.kpi.state import trouble as figures_trouble
from middleplatform.store.client import StoreClient, StoreError

LIVE_OLD_S = 60.0
STORE_ANSWER_S = 3.0
_MEMORY_S = 1.0
_CERTIFICATES_S = 60.0
"""How often the certificates are looked at."""

router = APIRouter()


class Health(BaseModel):
    """What works now. `degraded` says in words what does not; `store_lag` is messages not yet stored; `watch`: whether
    alarms are judged and kept, and `watch_behind_s` how far behind (null: nobody knows). Of the `points`: `waiting`
    never had a sample, `stale` have an old one, `bad` one that is bad; `down`: connections that reach no device."""

    status: Literal["ok", "degraded"]
    version: str
    mine: str
    store: bool
    store_lag: int | None
    bus: bool
    watch: bool
    watch_behind_s: float | None
    live_age_s: float | None
    points: int
    waiting: int
    stale: int
    bad: int
    down: int
    degraded: list[str]


class StoreProbe:
    """Asks the store how it is, at most once a second however many want to know."""

    def __init__(self, door: StoreDoor) -> None:
        self._door = door
        self._lock = asyncio.Lock()
        self._asked = float("-inf")
        self._found: tuple[int | None, str | None] = (None, "not asked yet")

    async def look(self) -> tuple[int | None, str | None]:
        """Messages not yet stored, and what is wrong (None: nothing)."""
        async with self._lock:
            if time.monotonic() - self._asked > _MEMORY_S:
                self._found = await self._ask()
                self._asked = time.monotonic()
            return self._found

    async def _ask(self) -> tuple[int | None, str | None]:
        try:
            async with asyncio.timeout(STORE_ANSWER_S):
                status = await self._door.ask(StoreClient.status)
        except StoreError as error:
            return None, str(error)
        except ApiError as error:
            return None, error.message
        except TimeoutError:
            return None, f"no answer within {STORE_ANSWER_S:.0f} s"
        lag = sum(status.get("lag", {}).values())
        return lag, status.get("error") if status.get("failing") else None


class CertificateProbe:
    """Which certificates of a home end soon, in words; looked at once a minute however many want to know."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._looked = float("-inf")
        self._found: list[str] = []

    async def look(self) -> list[str]:
        if time.monotonic() - self._looked > _CERTIFICATES_S:
            self._looked = time.monotonic()
            self._found = await asyncio.to_thread(self._look)
        return self._found

    def _look(self) -> list[str]:
        now = datetime.datetime.now(datetime.UTC)
        try:
            found = ending(self._home, now)
        except (OSError, ValueError, KeyError):
            return ["certificates: they cannot be read"]
        return [_words(each.name, each.days_left(now)) for each in found]


def _words(name: str, days: float) -> str:
    if days <= 0:
        return f"certificate {name}: it has expired, renew it with 'sevenones pki renew' and restart"
    return f"certificate {name}: it ends in {days:.0f} days, renew it with 'sevenones pki renew' and restart"


class FiguresProbe:
    """What is wrong with the making of figures, in words; looked at once a second however many want to know. Whether
    the relational store is away others tell."""

    def __init__(self, where: Place, mine: str) -> None:
        self._where, self._mine = where, mine
        self._looked = -_MEMORY_S
        self._told: list[str] = []

    async def look(self) -> list[str]:
        if time.monotonic() - self._looked >= _MEMORY_S:
            self._looked = time.monotonic()
            with contextlib.suppress(DatabaseError, SQLAlchemyError):
                found = await anyio.to_thread.run_sync(figures_trouble, self._where, self._mine)
                self._told = [f"figures: {words}" for _, words in found]
        return self._told


@router.get("/health", tags=["open"])
async def health(request: Request) -> Health:
    """是否正常，无需令牌 · How it goes; the one route that needs no token."""
    state = request.app.state
    lag, trouble = await state.probe.look()
    degraded = [f"store: {trouble}"] if trouble else []
    if not state.bus.connected:
        degraded.append("bus: not connected, live values stand still")
    now = now_us()
    table = state.live
    table.refresh(now)
    age = None if table.heard is None else round(max(0, now - table.heard) / 1e6, 3)
    if age is None or age > LIVE_OLD_S:
        degraded.append(f"live: nothing came for {LIVE_OLD_S:.0f} s" if age is not None else "live: nothing came yet")
    for gateway, silence_s in table.silent_s(now).items():
        degraded.append(f"gateway {gateway}: not heard for {silence_s:.0f} s, its values are shown as last known")
    if state.anchoring.trouble is not None:
        degraded.append(f"audit: {state.anchoring.trouble}")
    watch = state.watch.told(now)
    degraded += state.watch.trouble(now) + state.clocks.trouble(now)
    degraded += await state.certificates.look()
    degraded += await state.figures.look()
    return Health(
        status="degraded" if degraded else "ok",
        version=version("sevenones"),
        mine=state.catalogue.site.code,
        store=trouble is None,
        store_lag=lag,
        bus=state.bus.connected,
        watch=watch["alive"] and not watch["failing"] and not watch["deaf"],
        watch_behind_s=state.watch.behind_s(now),
        live_age_s=age,
        points=len(table),
        waiting=table.waiting(),
        stale=int(table.stale.sum()),
        bad=table.bad(),
        down=table.down(),
        degraded=degraded,
    )
