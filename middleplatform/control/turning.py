"""Rotations that run: asks for the runs that start and stop their pumps. One rests until a person lets it run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import insert, select, update

from middleplatform.audit.log import note
from middleplatform.control import book
from middleplatform.control.book import SequenceError
from middleplatform.control.progress import Phase
from middleplatform.control.rotation import choose
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.tables.sequences import sequence_rotations as table
from models.sequence import Look, Rotation
from models.site.model import Site
from models.tariffs import period_at

log = structlog.get_logger("rotations")

LOOK_S = 10.0
FAILED_US = 30 * 60 * 1_000_000
"""A pump whose start failed is taken after the others for so long, and no sequence that failed is asked for sooner than
after `AGAIN_US`."""
AGAIN_US = 5 * 60 * 1_000_000


def switch(where: Place, mine: str, rotation: str, runs: bool, who: str) -> None:
    """Let a rotation run, or rest."""
    now = time.time_ns() // 1000
    row = {"runs": runs, "who": who, "at": now}
    with connect(where).begin() as connection:
        changed = update(table).where(table.c.mine == mine, table.c.rotation == rotation).values(row)
        if not connection.execute(changed).rowcount:
            connection.execute(insert(table).values({"mine": mine, "rotation": rotation, **row}))
        note(connection, "rotation.run" if runs else "rotation.rest", f"{mine}: {rotation}", who=who)


def running(where: Place, mine: str) -> dict[str, str]:
    """The rotations that run, and who let each."""
    with connect(where).connect() as connection:
        rows = connection.execute(select(table).where(table.c.mine == mine, table.c.runs)).all()
    return {row.rotation: row.who for row in rows}


async def turn(site: Site, where: Place, look: Look, drives: Callable[[], bool]) -> None:
    """Look after all rotations that run, until cancelled, while this process `drives`."""
    while True:
        await asyncio.sleep(LOOK_S)
        if not drives() or not site.rotations:
            continue
        try:
            let = await asyncio.to_thread(running, where, site.code)
            for name in let.keys() & site.rotations.keys():
                await asyncio.to_thread(turn_once, site, where, site.rotations[name], look, time.time_ns() // 1000)
        except DatabaseError as error:
            log.error("rotations_rest", reason=str(error))
        except Exception:
            log.exception("rotations_rest")


def turn_once(site: Site, where: Place, rotation: Rotation, look: Look, now: int) -> int | None:
    """Ask for what is to be done now, if anything; the number of the run. One run of its pumps at a time."""
    names = {name for each in rotation.turns for name in (each.start, each.stop)}
    mine = [run for run in book.listed(where, site.code, limit=200) if run.sequence.id in names]
    if any(run.ended is None for run in mine):
        return None
    bad = [run for run in mine if run.phase in (Phase.ABORTED, Phase.REFUSED) and now - (run.ended or 0) < FAILED_US]
    failed = {each.id for each in rotation.turns if any(run.sequence.id == each.start for run in bad)}
    local = datetime.fromtimestamp(now / 1e6, UTC).astimezone(ZoneInfo(site.time_zone))
    choice = choose(rotation, look, period_at(rotation.tariff, local), failed)
    if not choice.sequence or any(
        run.sequence.id == choice.sequence and now - (run.ended or 0) < AGAIN_US for run in bad
    ):
        return None
    words = f"{choice.words.zh} · {choice.words.en}"
    try:
        return book.ask(where, site.code, site.sequences[choice.sequence], f"rotation:{rotation.id}", words)
    except SequenceError as error:
        log.warning("rotation_waits", rotation=rotation.id, reason=error.en)
        return None
