"""Takes the site's versions off the bus into the relational store, as they are published."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bus import sites
from bus.connection import Bus
from bus.errors import BusError, NotPermitted
from middleplatform.database import DatabaseError, Place
from middleplatform.governance.versions import newest_number, record
from models.site import SiteErrors
from models.site.model import Site

log = structlog.get_logger("governance")

LOOK_S = 5.0
FILES = "本机文件 · files of this machine"
"""Who brought a version that was never published."""


async def follow(bus: Bus, where: Place, running: Site, look_s: float = LOOK_S) -> None:
    """Keep what is on the bus, and what runs here if it was never published. Runs until cancelled; whatever fails
    is told once and tried again, for nothing waits on this record."""
    told = ""
    mistaken: set[int] = set()
    while True:
        try:
            await _catch_up(bus, where, running.code, mistaken)
            await asyncio.to_thread(record, where, running, FILES)
            told = ""
        except NotPermitted as error:
            log.warning("配置版本无法从总线读取 · the site's versions cannot be read from the bus", error=str(error))
            await asyncio.to_thread(record, where, running, FILES)
            return
        except (BusError, DatabaseError, SQLAlchemyError) as error:
            if str(error) != told:
                told = str(error)
                log.warning("配置版本暂未记录 · versions of the site are not kept yet", error=told[:300])
        await asyncio.sleep(look_s)


async def _catch_up(bus: Bus, where: Place, mine: str, mistaken: set[int]) -> None:
    known = await asyncio.to_thread(newest_number, where, mine)
    for number in await sites.numbers(bus):
        if number <= known or number in mistaken:
            continue
        try:
            version = await sites.fetch(bus, number)
            site = await asyncio.to_thread(_site_of, version.data)
        except (sites.SiteFolderError, SiteErrors) as error:
            mistaken.add(number)
            log.warning(
                "版本有误，未记录 · a version has mistakes and is not kept", number=number, error=str(error)[:300]
            )
            continue
        if site.code != mine:
            mistaken.add(number)
            log.warning("版本属于别的矿井 · a version is another mine's", number=number, mine=site.code)
            continue
        await asyncio.to_thread(
            record, where, site, version.who, version.at, version.note, version.number, version.back_to
        )


def _site_of(data: bytes) -> Site:
    """The site in a packed folder. Raises SiteErrors, SiteFolderError."""
    from models.site import examine

    with tempfile.TemporaryDirectory() as folder:
        sites.unpack(data, Path(folder))
        report = examine(Path(folder), require_environment=False)
    if report.site is None:
        raise SiteErrors(report.problems)
    return report.site
