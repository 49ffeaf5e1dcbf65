"""The alarms of a mine in the relational store: what the engine found, with the position of the stream it found it in,
in one transaction. What people do is in `middleplatform.alarms.acts`.

The engine says whether an alarm is active, people whether it is acknowledged: neither overwrites what the other said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from middleplatform.alarms.condition import (
    Act,
    Alarm,
    AlarmError,
    Change,
    Entry,
    Handling,
    Kind,
    Position,
    State,
    Suppression,
)
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_handlings as handlings
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarm_positions as positions
from middleplatform.database.tables.alarms import alarm_suppressions as suppressions
from middleplatform.database.tables.alarms import alarms

MOST = 500
"""Alarms that one statement names: SQLite and PostgreSQL both take several times as many."""


def record(where: Place, mine: str, reached: Position, changes: Sequence[Change]) -> bool:
    """Keep what came of judging a stream up to a position: journal, conditions and position, all or nothing. False,
    and nothing is kept, when the position was reached before: the same messages came again."""
    now = _now()
    with connect(where).begin() as connection:
        if not advance(connection, reached, now):
            return False
        write(connection, mine, changes, now)
    return True


def write(connection: Connection, mine: str, changes: Sequence[Change], now: int) -> None:
    """Changes into journal and conditions, within a transaction that is the caller's."""
    if not changes:
        return
    ids = _make(connection, mine, changes)
    connection.execute(insert(journal), [_line(ids[each.rule, each.subject], each, now) for each in changes])
    _conditions(connection, changes, ids)


def reached(where: Place, consumer: str, stream: str, born: int) -> int:
    """The last message whose judgement is kept of the stream that was made at `born`; 0 before the first."""
    named = (positions.c.consumer == consumer, positions.c.stream == stream, positions.c.born == born)
    query = select(positions.c.sequence).where(*named)
    with connect(where).connect() as connection:
        return connection.execute(query).scalar() or 0


def alarms_of(where: Place, mine: str, *, at: int | None = None, resting: bool = False) -> list[Alarm]:
    """Those that are not at rest (or all), the most urgent and newest first, and by what they are suppressed at `at`
    (µs UTC; None: now)."""
    query = select(alarms).where(alarms.c.mine == mine).order_by(alarms.c.priority, alarms.c.since.desc(), alarms.c.id)
    if not resting:
        query = query.where(or_(alarms.c.active, alarms.c.latched, ~alarms.c.acknowledged))
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
        held = suppressed_at(connection, mine, _now() if at is None else at)
    return [_alarm(row, held.get(row.id, ())) for row in rows]


def active(where: Place, mine: str) -> list[tuple[str, str]]:
    """Rule and subject of what is raised."""
    query = select(alarms.c.rule, alarms.c.subject).where(alarms.c.mine == mine, alarms.c.active)
    with connect(where).connect() as connection:
        return [(row.rule, row.subject) for row in connection.execute(query)]


def subjects_of(where: Place, mine: str) -> dict[int, tuple[str, str]]:
    """Rule and subject of every alarm that ever spoke, by its id."""
    query = select(alarms.c.id, alarms.c.rule, alarms.c.subject).where(alarms.c.mine == mine)
    with connect(where).connect() as connection:
        return {row.id: (row.rule, row.subject) for row in connection.execute(query)}


def find(where: Place, mine: str, number: int) -> Alarm:
    """One alarm as it is now. Raises AlarmError when there is none."""
    with connect(where).connect() as connection:
        row = connection.execute(select(alarms).where(alarms.c.id == number, alarms.c.mine == mine)).first()
        if row is None:
            raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
        return _alarm(row, suppressed_at(connection, mine, _now()).get(number, ()))


def entries(
    where: Place,
    mine: str,
    *,
    alarm: int | None = None,
    among: Collection[int] | None = None,
    within: tuple[int, int] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The journal, newest first: of one alarm, of those `among` which it must be, of what happened `within` two times
    (µs UTC, the end not with it), numbers below `before`."""
    query = select(journal).join(alarms, alarms.c.id == journal.c.alarm).where(alarms.c.mine == mine)
    if alarm is not None:
        query = query.where(journal.c.alarm == alarm)
    if among is not None:
        # Written out, as they are whole numbers: no database takes tens of thousands of parameters.
        query = query.where(journal.c.alarm.in_(bindparam("among", list(among), expanding=True, literal_execute=True)))
    if within is not None:
        query = query.where(journal.c.ts >= within[0], journal.c.ts < within[1])
    if before is not None:
        query = query.where(journal.c.number < before)
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(journal.c.number.desc()).limit(limit)).all()
    return [Entry(row.number, row.alarm, Act(row.what), *row[3:]) for row in rows]


def handlings_of(where: Place, mine: str, raised: Iterable[int]) -> list[Handling]:
    """The handling records of raises, oldest first."""
    query = (
        select(handlings)
        .join(journal, journal.c.number == handlings.c.raised)
        .join(alarms, alarms.c.id == journal.c.alarm)
        .where(alarms.c.mine == mine, handlings.c.raised.in_(sorted(set(raised))[:MOST]))
    )
    with connect(where).connect() as connection:
        return [Handling(*row) for row in connection.execute(query.order_by(handlings.c.id))]


def advance(connection: Connection, to: Position, now: int) -> bool:
    """Move a position within a transaction; False when it was reached before."""
    named = and_(positions.c.consumer == to.consumer, positions.c.stream == to.stream)
    ahead = or_(positions.c.born != to.born, positions.c.sequence < to.sequence)
    moving = update(positions).where(named, ahead).values(born=to.born, sequence=to.sequence, at=now)
    if connection.execute(moving).rowcount:
        return True
    if connection.execute(select(positions.c.sequence).where(named)).first() is not None:
        return False
    connection.execute(insert(positions).values({**asdict(to), "at": now}))
    return True


def _make(connection: Connection, mine: str, changes: Sequence[Change]) -> dict[tuple[str, str], int]:
    """The ids by (rule, subject) of all alarms that are named, made where there were none."""
    causes = {each.cause for each in changes if each.cause is not None}
    known = _ids(connection, mine, {(each.rule, each.subject) for each in changes} | causes)
    new = {(each.rule, each.subject): each for each in changes if (each.rule, each.subject) not in known}
    if new:
        rest = {"mine": mine, "active": False, "latched": False, "acknowledged": True, "level": 0}
        facts = [{**rest, **_facts(each), "rule": each.rule, "subject": each.subject} for each in new.values()]
        connection.execute(insert(alarms), facts)
        known |= _ids(connection, mine, set(new))
    return known


def _ids(connection: Connection, mine: str, names: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    subjects = sorted({subject for _, subject in names})
    for start in range(0, len(subjects), MOST):
        query = select(alarms.c.rule, alarms.c.subject, alarms.c.id).where(
            alarms.c.mine == mine, alarms.c.subject.in_(subjects[start : start + MOST])
        )
        found |= {(row.rule, row.subject): row.id for row in connection.execute(query)}
    return {name: found[name] for name in names if name in found}


def _facts(each: Change) -> dict[str, Any]:
    """What every change tells of its alarm anew."""
    return {
        "kind": str(each.kind),
        "rule_version": each.rule_version,
        "priority": each.priority,
        "statutory": each.statutory,
        "since": each.ts,
    }


def _conditions(connection: Connection, changes: Iterable[Change], ids: dict[tuple[str, str], int]) -> None:
    """What is announced, in the order that changes have of one alarm: what was raised and returned at once has been
    raised, and waits for somebody to see it."""
    raised: dict[int, dict[str, Any]] = {}
    returned: dict[int, dict[str, Any]] = {}
    levels: dict[int, dict[str, Any]] = {}
    for each in changes:
        number = ids[each.rule, each.subject]
        if each.late or each.act is Act.RECORD:
            continue
        told = {"number": number, "latched": each.latched, "level": each.level, "memory": each.memory}
        if each.act is Act.ESCALATE:
            levels[number] = {"number": number, "level": each.level}
            continue
        levels.pop(number, None)
        if each.act is Act.RAISE:
            cause = ids.get(each.cause or ("", ""))
            raised[number] = {**told, **_facts(each), "active": True, "acknowledged": False, "cause": cause}
            returned.pop(number, None)
        else:
            returned[number] = {**told, "active": False}
    for rows in (raised, returned, levels):
        if rows:
            fields = {field: bindparam(f"b_{field}") for field in next(iter(rows.values())) if field != "number"}
            named = update(alarms).where(alarms.c.id == bindparam("b_number")).values(fields)
            connection.execute(named, [{f"b_{field}": fact for field, fact in row.items()} for row in rows.values()])


def _line(number: int, each: Change, now: int) -> dict[str, Any]:
    line = {"alarm": number, "what": str(each.act), "ts": each.ts, "at": now, "late": each.late}
    return {**line, "value": each.value, "quality": each.quality, "who": None, "note": each.note}


def suppressed_at(connection: Connection, mine: str, at: int) -> dict[int, tuple[Suppression, ...]]:
    """By what each alarm that is suppressed at a time (µs UTC) is. None is shelved any more once it is statutory."""
    query = (
        select(suppressions.c.alarm, suppressions.c.kind)
        .join(alarms, alarms.c.id == suppressions.c.alarm)
        .where(
            alarms.c.mine == mine,
            suppressions.c.since <= at,
            or_(suppressions.c.ended.is_(None), suppressions.c.ended > at),
            or_(suppressions.c.until.is_(None), suppressions.c.until > at),
            or_(~alarms.c.statutory, suppressions.c.kind != str(Suppression.SHELVED)),
        )
    )
    found: dict[int, tuple[Suppression, ...]] = {}
    for number, kind in connection.execute(query):
        found[number] = (*found.get(number, ()), Suppression(kind))
    return found


def _alarm(row: Row, suppressed: tuple[Suppression, ...]) -> Alarm:
    state = State.of(active=row.active, latched=row.latched, acknowledged=row.acknowledged)
    told = (row.rule_version, row.priority, row.statutory, state, row.since, row.cause, row.level, row.memory)
    return Alarm(row.id, row.rule, row.subject, Kind(row.kind), *told, suppressed)


def _now() -> int:
    return time.time_ns() // 1000
