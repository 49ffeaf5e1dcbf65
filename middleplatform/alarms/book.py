"""The alarms of a mine in the relational store: what the engine found, with the position of the stream it found it in,
in one transaction; and what people did.

The engine says whether an alarm is active, people whether it is acknowledged: neither overwrites what the other said.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
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
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_handlings as handlings
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarm_positions as positions
from middleplatform.database.tables.alarms import alarm_suppressions as suppressions
from middleplatform.database.tables.alarms import alarms

LONGEST = 500
"""Characters of a note, reason, cause or measure."""
MOST = 500
"""Alarms that one statement names: SQLite and PostgreSQL both take several times as many."""


def record(where: Place, mine: str, reached: Position, changes: Sequence[Change]) -> bool:
    """Keep what came of judging a stream up to a position: journal, conditions and position, all or nothing. False,
    and nothing is kept, when the position was reached before: the same messages came again."""
    now = _now()
    with connect(where).begin() as connection:
        if not _advance(connection, reached, now):
            return False
        if changes:
            ids = _make(connection, mine, changes)
            connection.execute(insert(journal), [_line(ids[each.rule, each.subject], each, now) for each in changes])
            last = {(each.rule, each.subject): each for each in changes if not each.late}
            _conditions(connection, [(ids[name], each, ids.get(each.cause or ("", ""))) for name, each in last.items()])
    return True


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
        held = _suppressed(connection, mine, _now() if at is None else at)
    return [_alarm(row, held.get(row.id, ())) for row in rows]


def entries(
    where: Place, mine: str, *, alarm: int | None = None, before: int | None = None, limit: int = 100
) -> list[Entry]:
    """The journal, newest first, numbers below `before`."""
    query = select(journal).join(alarms, alarms.c.id == journal.c.alarm).where(alarms.c.mine == mine)
    if alarm is not None:
        query = query.where(journal.c.alarm == alarm)
    if before is not None:
        query = query.where(journal.c.number < before)
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(journal.c.number.desc()).limit(limit)).all()
    return [Entry(row.number, row.alarm, Act(row.what), *row[3:]) for row in rows]


def acknowledge(where: Place, mine: str, numbers: Iterable[int], who: str, words: str = "") -> list[int]:
    """Acknowledge one or many; those that were not acknowledged before. Raises AlarmError."""
    _check_words(words)
    now, wanted = _now(), sorted(set(numbers))[: MOST + 1]
    if len(wanted) > MOST:
        raise AlarmError(f"一次最多确认 {MOST} 条 · at most {MOST} alarms are acknowledged at once")
    named = and_(alarms.c.mine == mine, alarms.c.id.in_(wanted), ~alarms.c.acknowledged)
    with connect(where).begin() as connection:
        done = sorted(
            connection.execute(update(alarms).where(named).values(acknowledged=True).returning(alarms.c.id)).scalars()
        )
        if done:
            lines = [_act(number, Act.ACKNOWLEDGE, now, who, words) for number in done]
            connection.execute(insert(journal), lines)
            note(connection, "alarm.acknowledge", f"{mine}: {len(done)}", after={"alarms": done, "note": words})
    return done


def suppress(
    where: Place,
    mine: str,
    number: int,
    kind: Suppression,
    who: str,
    reason: str,
    until: int | None = None,
    ticket: int | None = None,
) -> int:
    """Let an alarm be silent until a time (µs UTC) or until it is lifted; the number of the suppression. Shelving has
    an end, and a statutory alarm is never shelved. Raises AlarmError."""
    _check_words(reason, least=1)
    now = _now()
    if until is not None and until <= now:
        raise AlarmError("结束时间须在将来 · the end lies in the future")
    if kind is Suppression.SHELVED and until is None:
        raise AlarmError("搁置须有结束时间 · shelving has an end")
    with connect(where).begin() as connection:
        row = _row(connection, mine, number)
        if kind is Suppression.SHELVED and row.statutory:
            raise AlarmError("法定报警不得搁置 · a statutory alarm is not shelved")
        if kind in _suppressed(connection, mine, now).get(number, ()):
            raise AlarmError(f"该报警已处于 {kind} · the alarm is {kind} already")
        made = {"alarm": number, "kind": str(kind), "who": who, "reason": reason, "since": now, "until": until}
        key = connection.execute(insert(suppressions).values({**made, "ticket": ticket})).inserted_primary_key
        connection.execute(insert(journal), [_act(number, Act.SUPPRESS, now, who, f"{kind}: {reason}"[:LONGEST])])
        note(connection, "alarm.suppress", f"{mine}: {row.subject} {row.rule}", after={**made, "ticket": ticket})
        return 0 if key is None else int(key[0])


def lift(where: Place, mine: str, suppression: int, who: str) -> None:
    """End a suppression before its time. Raises AlarmError when there is none that lasts."""
    now = _now()
    with connect(where).begin() as connection:
        lasting = and_(
            suppressions.c.id == suppression,
            suppressions.c.ended.is_(None),
            suppressions.c.alarm.in_(select(alarms.c.id).where(alarms.c.mine == mine)),
        )
        ending = update(suppressions).where(lasting).values(ended=now, ended_by=who)
        row = connection.execute(ending.returning(suppressions.c.alarm, suppressions.c.kind)).first()
        if row is None:
            raise AlarmError(f"没有进行中的抑制 {suppression} · there is no suppression {suppression} that lasts")
        connection.execute(insert(journal), [_act(row.alarm, Act.UNSUPPRESS, now, who, row.kind)])
        note(connection, "alarm.unsuppress", f"{mine}: {row.alarm}", before={"kind": row.kind})


def handle(where: Place, mine: str, raised: int, cause: str, measure: str, who: str) -> Handling:
    """Write down why it came to a raise (its number in the journal) and what was done. Raises AlarmError."""
    _check_words(cause, least=1)
    _check_words(measure, least=1)
    at = _now()
    row = {"raised": raised, "cause": cause, "measure": measure, "who": who, "at": at}
    of_raise = select(journal.c.number).join(alarms, alarms.c.id == journal.c.alarm)
    known = of_raise.where(alarms.c.mine == mine, journal.c.number == raised, journal.c.what == str(Act.RAISE))
    with connect(where).begin() as connection:
        if connection.execute(known).first() is None:
            raise AlarmError(f"没有编号 {raised} 的报警记录 · the journal has no raise {raised}")
        key = connection.execute(insert(handlings).values(row)).inserted_primary_key
        note(connection, "alarm.handle", f"{mine}: {raised}", after=row)
    return Handling(0 if key is None else int(key[0]), raised, cause, measure, who, at)


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


def _advance(connection: Connection, to: Position, now: int) -> bool:
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


def _conditions(connection: Connection, last: Iterable[tuple[int, Change, int | None]]) -> None:
    raised, other = [], []
    for number, each, cause in last:
        told = {"number": number, "latched": each.latched, "level": each.level, "memory": each.memory}
        if each.act is Act.RAISE:
            raised.append({**told, **_facts(each), "active": True, "acknowledged": False, "cause": cause})
        elif each.act in {Act.RETURN, Act.RESET}:
            other.append({**told, "active": False})
        else:
            other.append({**told, "active": True})
    for rows in (raised, other):
        if rows:
            fields = {field: bindparam(f"b_{field}") for field in rows[0] if field != "number"}
            named = update(alarms).where(alarms.c.id == bindparam("b_number")).values(fields)
            connection.execute(named, [{f"b_{field}": fact for field, fact in row.items()} for row in rows])


def _line(number: int, each: Change, now: int) -> dict[str, Any]:
    line = {"alarm": number, "what": str(each.act), "ts": each.ts, "at": now, "late": each.late}
    return {**line, "value": each.value, "quality": each.quality, "who": None, "note": None}


def _act(number: int, what: Act, now: int, who: str, words: str) -> dict[str, Any]:
    line = {"alarm": number, "what": str(what), "ts": now, "at": now, "late": False}
    return {**line, "value": None, "quality": None, "who": who, "note": words or None}


def _suppressed(connection: Connection, mine: str, at: int) -> dict[int, tuple[Suppression, ...]]:
    query = (
        select(suppressions.c.alarm, suppressions.c.kind)
        .join(alarms, alarms.c.id == suppressions.c.alarm)
        .where(
            alarms.c.mine == mine,
            suppressions.c.since <= at,
            or_(suppressions.c.ended.is_(None), suppressions.c.ended > at),
            or_(suppressions.c.until.is_(None), suppressions.c.until > at),
        )
    )
    found: dict[int, tuple[Suppression, ...]] = {}
    for number, kind in connection.execute(query):
        found[number] = (*found.get(number, ()), Suppression(kind))
    return found


def _row(connection: Connection, mine: str, number: int) -> Row:
    """An alarm, which nobody else changes until the transaction ends. Raises AlarmError."""
    # A write, if only of the same: SQLite lets no other writer in from here on, PostgreSQL holds the row.
    connection.execute(update(alarms).where(alarms.c.id == number).values(mine=alarms.c.mine))
    row = connection.execute(select(alarms).where(alarms.c.id == number, alarms.c.mine == mine)).first()
    if row is None:
        raise AlarmError(f"没有报警 {number} · there is no alarm {number}")
    return row


def _alarm(row: Row, suppressed: tuple[Suppression, ...]) -> Alarm:
    state = State.of(active=row.active, latched=row.latched, acknowledged=row.acknowledged)
    told = (row.rule_version, row.priority, row.statutory, state, row.since, row.cause, row.level, row.memory)
    return Alarm(row.id, row.rule, row.subject, Kind(row.kind), *told, suppressed)


def _check_words(words: str, least: int = 0) -> None:
    if not least <= len(words.strip()) <= LONGEST:
        raise AlarmError(f"说明应为 {least} 至 {LONGEST} 字 · a text is {least} to {LONGEST} characters")


def _now() -> int:
    return time.time_ns() // 1000
