"""Returns the alarms of what aborted runs left running: once it is seen to stand, once a later run of it is done, or,
where nobody can see it any more, once a person has acknowledged it.

One that is seen to run stays, acknowledged or not: that somebody knows of it does not stop it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.alarms import book as alarm_book
from middleplatform.alarms.condition import Act, Alarm, Change, State
from middleplatform.control import book
from middleplatform.control.book import SequenceError
from middleplatform.control.left_running import PRIORITY, RULE, VERSION, Cause, points, step_of, stopped
from middleplatform.control.progress import Phase
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.tables.alarms import alarms
from models.sequence import Look, Step

log = structlog.get_logger("sequences")

LOOK_S = 5.0
UNSEEN_US = 60 * 1_000_000
"""So long nobody has known whether it runs, before the word of a person is enough: after a restart nothing is known
for a moment."""


@dataclass(frozen=True, slots=True)
class Left:
    """An alarm that is raised. `step`: what would stop it, None when nobody knows; `done`: a later run, by which it
    runs or stands as somebody wanted."""

    alarm: Alarm
    step: Step | None
    done: bool

    @property
    def acknowledged(self) -> bool:
        return self.alarm.state is State.ACKNOWLEDGED


async def look_back(
    mine: str,
    where: Place,
    look: Look,
    drives: Callable[[], bool],
    refresh: Callable[[], None] = lambda: None,
    every_s: float = LOOK_S,
) -> None:
    """Look until cancelled, while this process `drives`; `refresh`: called before points are looked at."""
    unseen: dict[int, int] = {}
    while True:
        await asyncio.sleep(every_s)
        if not drives():
            continue
        try:
            found = await asyncio.to_thread(left, where, mine)
            if found:
                refresh()
            held = {
                path: look(path) for path in points(each.step for each in found)
            }  # here: the table is this thread's
            over = judge(found, held.get, time.time_ns() // 1000, unseen)
            for each in await asyncio.to_thread(give_back, where, mine, over):
                log.info("left_running", what=str(each.act), subject=each.subject, note=each.note)
        except (DatabaseError, SQLAlchemyError) as error:
            log.error("left_running_unknown", reason=str(error)[:500])
        except Exception:
            log.exception("left_running_unknown")


def left(where: Place, mine: str) -> list[Left]:
    """The alarms that are raised."""
    found: list[Left] = []
    if all(rule != RULE for rule, _ in alarm_book.active(where, mine)):
        return found  # as nearly always: what all alarms are like is not asked for each time
    for alarm in alarm_book.alarms_of(where, mine):
        if alarm.rule != RULE or alarm.state not in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED):
            continue
        cause = Cause.of_memory(alarm.memory)
        step, done = None, False
        if cause is not None:
            try:
                step = step_of(book.find(where, mine, cause.run).sequence, cause.step)
            except SequenceError:
                step = None  # the run is gone: a person's word ends it
            done = any(_machine_of(run, alarm.subject) for run in _later(where, mine, cause.run))
        found.append(Left(alarm, step, done))
    return found


def judge(found: list[Left], look: Look, now: int, unseen: dict[int, int]) -> list[tuple[Left, str]]:
    """Which are over at `now` (µs UTC), and why. `unseen`: alarm → since when nobody knows; kept from call to call."""
    over = []
    for each in found:
        standing = stopped(each.step, look)
        since = unseen.setdefault(each.alarm.id, now) if standing is None else now
        if standing is not None:
            unseen.pop(each.alarm.id, None)
        if standing:
            over.append((each, "已确认停止 · seen to stand"))
        elif each.done:
            over.append((each, "此后的顺序控制已完成 · a later sequence of it is done"))
        elif each.acknowledged and now - since >= UNSEEN_US:
            over.append((each, "状态未知，已由人员确认 · not known, a person has acknowledged it"))
    for gone in unseen.keys() - {each.alarm.id for each in found}:
        del unseen[gone]
    return over


def give_back(where: Place, mine: str, over: list[tuple[Left, str]]) -> list[Change]:
    """Return what is over, unless it was raised anew since it was looked at; what was changed."""
    if not over:
        return []
    now = time.time_ns() // 1000
    with connect(where).begin() as connection:
        query = select(alarms.c.id, alarms.c.memory).where(
            alarms.c.mine == mine, alarms.c.rule == RULE, alarms.c.active
        )
        raised = {row.id: row.memory for row in connection.execute(query.with_for_update())}
        changes = [
            Change(RULE, each.alarm.subject, Act.RETURN, now, VERSION, PRIORITY, note=why)
            for each, why in over
            if raised.get(each.alarm.id) == each.alarm.memory
        ]
        alarm_book.write(connection, mine, changes, now)
    return changes


def _later(where: Place, mine: str, run: int) -> list[book.Run]:
    return [each for each in book.listed(where, mine, limit=200) if each.id > run and each.phase is Phase.DONE]


def _machine_of(run: book.Run, subject: str) -> bool:
    """Whether the run commands this machine."""
    return any(path.rpartition("/")[0] == subject for path in run.sequence.writes())
