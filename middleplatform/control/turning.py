"""Rotations that run: asks for the runs that start and stop their pumps. One rests until a person lets it run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.audit.log import note
from middleplatform.control import book
from middleplatform.control.book import SequenceError
from middleplatform.control.progress import Phase
from middleplatform.control.rotation import Choice, choose
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.tables.sequences import sequence_rotations as table
from models.sequence import Look, Rotation
from models.site.model import Name, Site
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


async def turn(
    site: Site,
    where: Place,
    look: Look,
    drives: Callable[[], bool],
    refresh: Callable[[], None] = lambda: None,
    every_s: float = LOOK_S,
) -> None:
    """Look after all rotations that run, until cancelled, while this process `drives`; `refresh`: called before points
    are looked at."""
    said: dict[str, str] = {}
    while True:
        await asyncio.sleep(every_s)
        if not drives() or not site.rotations:
            continue
        try:
            let = await asyncio.to_thread(running, where, site.code)
            for name in let.keys() & site.rotations.keys():
                rotation = site.rotations[name]
                refresh()
                held = {path: look(path) for path in rotation.points()}  # here: the table is not another thread's
                now = time.time_ns() // 1000
                _, words = await asyncio.to_thread(turn_once, site, where, rotation, held.get, now)
                if said.get(name) != words.en:
                    said[name] = words.en
                    log.info("rotation", rotation=name, says=words.en)
        except (DatabaseError, SQLAlchemyError) as error:
            log.error("rotations_rest", reason=str(error)[:500])
        except Exception:
            log.exception("rotations_rest")


def says(site: Site, rotation: Rotation, look: Look, now: int, failed: Collection[str] = ()) -> Choice:
    """What a rotation would do at `now` (µs UTC) and why; nothing where no tariff is known of that day."""
    local = datetime.fromtimestamp(now / 1e6, UTC).astimezone(ZoneInfo(site.time_zone))
    try:
        period = period_at(rotation.tariff, local)
    except KeyError as error:
        return Choice("", Name(f"电价未知，不动作：{error}", f"the tariff is not known, nothing is done: {error}"))
    return choose(rotation, look, period, failed)


def turn_once(site: Site, where: Place, rotation: Rotation, look: Look, now: int) -> tuple[int | None, Name]:
    """Ask for what is to be done now, if anything; the number of the run, and why. One run of its pumps at a time."""
    names = {name for each in rotation.turns for name in (each.start, each.stop)}
    mine = [run for run in book.listed(where, site.code, limit=200) if run.sequence.id in names]
    going = next((run for run in mine if run.ended is None), None)
    if going is not None:
        return None, Name(f"等待运行 {going.id} 结束", f"waits for run {going.id} to end")
    bad = [run for run in mine if run.phase in (Phase.ABORTED, Phase.REFUSED) and now - (run.ended or 0) < FAILED_US]
    failed = {each.id for each in rotation.turns if any(run.sequence.id == each.start for run in bad)}
    choice = says(site, rotation, look, now, failed)
    if not choice.sequence:
        return None, choice.words
    if any(run.sequence.id == choice.sequence and now - (run.ended or 0) < AGAIN_US for run in bad):
        minutes = AGAIN_US / 60e6
        return None, Name(
            f"{choice.sequence} 刚失败，{minutes:g} 分钟后再试", f"{choice.sequence} has just failed: {minutes:g} min"
        )
    words = f"{choice.words.zh} · {choice.words.en}"
    try:
        run = book.ask(where, site.code, site.sequences[choice.sequence], f"rotation:{rotation.id}", words)
    except SequenceError as error:
        return None, Name(error.zh, error.en)
    return run, choice.words
