"""Telling the bus what the newest entry of the audit log is, and hearing what it was told."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bus import anchors
from bus.connection import Bus
from bus.errors import BusError, NotPermitted, StreamFull
from middleplatform.audit.log import head
from middleplatform.audit.verify import Anchor
from middleplatform.database import DatabaseError, Place

log = structlog.get_logger("audit")

EVERY_S = 60.0
FIRST_S = 2.0
"""Soon after the start, so that what was written while nothing ran is not without an anchor for a minute."""


@dataclass
class Anchoring:
    """How the anchoring goes. `number`: of the newest entry that the bus knows; `trouble`: why a newer one is not
    anchored, None while all is well."""

    number: int = 0
    trouble: str | None = None


async def anchor(bus: Bus, where: Place, code: str) -> int:
    """Tell the bus the newest entry; its number, 0 when there is none. Raises BusError."""
    number, digest = await asyncio.to_thread(head, where)
    if number:
        await anchors.add(bus, code, {"number": number, "digest": digest}, f"{number}-{digest}")
    return number


async def every(bus: Bus) -> list[Anchor]:
    """What the bus was told, the oldest first; what cannot be an anchor has the number 0. Raises BusError."""
    found = []
    for told in await anchors.every(bus):
        number, digest = told.facts.get("number"), told.facts.get("digest")
        good = isinstance(number, int) and isinstance(digest, str)
        found.append(Anchor(number, digest, told.at) if good else Anchor(0, "", told.at))  # type: ignore[arg-type]
    return found


async def keep(bus: Bus, where: Place, code: str, every_s: float = EVERY_S, goes: Anchoring | None = None) -> None:
    """Tell the bus the newest entry whenever there is a new one, at most every `every_s` seconds, and once more when
    this is cancelled. Whatever fails is said, in the log and in `goes`, and tried again, for nothing waits on it."""
    goes, wait = goes or Anchoring(), min(FIRST_S, every_s)
    try:
        while True:
            await asyncio.sleep(wait)
            wait = every_s
            await _try(bus, where, code, goes)
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await _try(bus, where, code, goes)


async def _try(bus: Bus, where: Place, code: str, goes: Anchoring) -> None:
    try:
        if (await asyncio.to_thread(head, where))[0] != goes.number:
            goes.number = await anchor(bus, where, code)
        goes.trouble = None
    except (StreamFull, NotPermitted) as error:
        goes.trouble = "the bus refuses the anchors"
        log.error("审计锚无法写入 · the audit's anchor is refused", error=str(error))
    except (BusError, DatabaseError, SQLAlchemyError) as error:
        goes.trouble = "the newest entries are not anchored yet"
        log.warning("审计锚暂未写入 · the audit is not anchored yet", error=str(error)[:300])
