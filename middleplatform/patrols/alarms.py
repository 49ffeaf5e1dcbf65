"""Raises overdue patrols as alarms, into the book that all alarms are in, where people acknowledge and shelve them.

Whether one is overdue only the store can say: who runs this asks it each minute. While it is away nothing is known, and
nothing is raised or returned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.alarms.book import advance, write
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.tables.alarms import alarms
from middleplatform.patrols.checkins import Checkins, last_checkins
from middleplatform.patrols.overdue import Duty, overdue
from middleplatform.store.client import StoreClient, StoreError
from models.patrol import Chamber
from models.site.model import Site

log = structlog.get_logger("patrols")

LOOK_S = 60.0
RULE = "platform.patrol_overdue"
VERSION = 1
PRIORITY = 3
"""Set by us."""
_LOOKS = "patrols"

Ask = Callable[[Callable[[StoreClient], Checkins]], Awaitable[Checkins]]
"""Asks the store. Raises StoreError."""


async def raise_overdue(ask: Ask, where: Place, site: Site, look_s: float = LOOK_S) -> None:
    """Look each minute until cancelled, also where the site has no chambers: one that it had may still be overdue."""
    told = ""
    while True:
        now = time.time_ns() // 1000
        try:
            known = Checkins()
            if site.chambers:
                known = await ask(lambda store: last_checkins(store, site, now))  # noqa: B023 - called at once
            for each in await asyncio.to_thread(judge, where, site, known.last, now, known.kept):
                log.info("patrol", what=str(each.act), subject=each.subject, note=each.note)
            told = ""
        except (StoreError, DatabaseError, SQLAlchemyError) as error:
            if str(error) != told:
                told = str(error)
                log.error("巡检情况未知，不报超期 · patrols are not known, none is raised", error=told[:300])
        await asyncio.sleep(look_s)


def judge(where: Place, site: Site, last: Mapping[str, int], now: int, kept: int = 0) -> list[Change]:
    """Raise what is overdue at `now` (µs UTC) and is not raised, return what is not any more; what was changed. `last`:
    chamber → its last check-in; `kept`: from when on the platform keeps what the mine tells."""
    late = {subject(site, duty.chamber): duty for duty in overdue(site, last, now, kept)}
    with connect(where).begin() as connection:
        # The position of this kind of look is a lock: of two processes that look at once one waits for the other.
        advance(connection, Position(_LOOKS, _LOOKS, now, 0), now)
        query = select(alarms.c.subject).where(alarms.c.mine == site.code, alarms.c.rule == RULE, alarms.c.active)
        raised = set(connection.execute(query).scalars())
        changes = [
            _change(name, Act.RAISE, now, _words(site, duty)) for name, duty in late.items() if name not in raised
        ]
        changes += [_change(name, Act.RETURN, now, None) for name in sorted(raised - late.keys())]
        write(connection, site.code, changes, now)
    return changes


def subject(site: Site, chamber: Chamber) -> str:
    """What the alarm of a chamber is about: its first equipment, or point, or else the mine."""
    return next(iter((*chamber.equipment, *sorted(chamber.points()))), site.code)


def chamber_of(site: Site, name: str) -> Chamber | None:
    """The chamber that an alarm of this rule is about."""
    return next((each for each in site.chambers.values() if subject(site, each) == name), None)


def _change(name: str, act: Act, now: int, note: str | None) -> Change:
    return Change(RULE, name, act, now, VERSION, PRIORITY, note=note)


def _words(site: Site, duty: Duty) -> str:
    zone = ZoneInfo(site.time_zone)
    name, by = duty.chamber.name, duty.plan.by
    if duty.last is None:
        hours = f"{round(duty.looked_s / 3600, 1):g}"
        return f"{name.zh}最近 {hours} 小时没有{by.zh}的签到 · {name.en}: no check-in by {by.en} within {hours} h"
    due = datetime.fromtimestamp(duty.due / 1e6, UTC).astimezone(zone).strftime("%m-%d %H:%M")
    return f"{name.zh}应于 {due} 由{by.zh}巡检 · {name.en}: due {due}, by {by.en}"
