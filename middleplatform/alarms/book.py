"""The alarms of a mine in the relational store: what the engine found, with the position of the stream it found it in,
in one transaction. What people do is in `middleplatform.alarms.acts`.

The engine says whether an alarm is active, people whether it is acknowledged: neither overwrites what the other said.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

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
    Suppressed,
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
    """Those that are not at rest or are suppressed at `at` (µs UTC; None: now), or all; the most urgent and newest
    first. One at rest that is suppressed will say nothing when it comes: somebody has to know."""
    query = select(alarms).where(alarms.c.mine == mine).order_by(alarms.c.priority, alarms.c.since.desc(), alarms.c.id)
    with connect(where).connect() as connection:
        held = suppressed_at(connection, mine, _now() if at is None else at)
        if not resting:
            silent = alarms.c.id.in_(_written_out("silent", held))
            query = query.where(or_(alarms.c.active, alarms.c.latched, ~alarms.c.acknowledged, silent))
        rows = connection.execute(query).all()
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


def named(where: Place, mine: str, numbers: Collection[int]) -> dict[int, Alarm]:
    """Alarms by their ids, as they are now."""
    query = select(alarms).where(alarms.c.mine == mine, alarms.c.id.in_(_written_out("numbers", numbers)))
    with connect(where).connect() as connection:
        held = suppressed_at(connection, mine, _now())
        return {row.id: _alarm(row, held.get(row.id, ())) for row in connection.execute(query)}


def find(where: Place, mine: str, number: int) -> Alarm:
    """One alarm as it is now. Raises AlarmError when there is none."""
    with connect(where).connect() as connection:
        row = connection.execute(select(alarms).where(alarms.c.id == number, alarms.c.mine == mine)).first()
        if row is None:
            raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
        return _alarm(row, suppressed_at(connection, mine, _now()).get(number, ()))


def raised_values(where: Place, numbers: Collection[int]) -> dict[int, float]:
    """By alarm, the value with which each of these was raised last, where it had one."""
    # From the newest line back, an alarm at a time: one that chatters has very many.
    raised = and_(journal.c.alarm == alarms.c.id, journal.c.what == str(Act.RAISE), ~journal.c.late)
    last = select(journal.c.value).where(raised).order_by(journal.c.number.desc()).limit(1).scalar_subquery()
    query = select(alarms.c.id, last.label("value")).where(alarms.c.id.in_(_written_out("numbers", numbers)))
    with connect(where).connect() as connection:
        return {row.id: row.value for row in connection.execute(query) if row.value is not None}


def entries(
    where: Place,
    mine: str,
    *,
    alarm: int | None = None,
    among: Collection[int] | None = None,
    within: tuple[int, int] | None = None,
    before: int | None = None,
    what: Act | None = None,
    handled: bool | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The journal, newest first: of one alarm, of those `among` which it must be, of what happened `within` two times
    (µs UTC, the end not with it), numbers below `before`, one kind of act, raises that have a handling record or
    have none."""
    chosen = _chosen(mine, alarm, among, within, what, handled)
    query = select(journal).join(alarms, alarms.c.id == journal.c.alarm).where(*chosen)
    if before is not None:
        query = query.where(journal.c.number < before)
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(journal.c.number.desc()).limit(limit)).all()
    return [Entry(row.number, row.alarm, Act(row.what), *row[3:]) for row in rows]


def count(
    where: Place,
    mine: str,
    *,
    alarm: int | None = None,
    among: Collection[int] | None = None,
    within: tuple[int, int] | None = None,
    what: Act | None = None,
    handled: bool | None = None,
) -> int:
    """How many lines of the journal there are of those that `entries` tells."""
    chosen = _chosen(mine, alarm, among, within, what, handled)
    query = select(func.count()).select_from(journal).join(alarms, alarms.c.id == journal.c.alarm).where(*chosen)
    with connect(where).connect() as connection:
        return connection.execute(query).scalar_one()


def _chosen(
    mine: str,
    alarm: int | None,
    among: Collection[int] | None,
    within: tuple[int, int] | None,
    what: Act | None,
    handled: bool | None,
) -> list[ColumnElement[bool]]:
    found = [alarms.c.mine == mine]
    if alarm is not None:
        found.append(journal.c.alarm == alarm)
    if among is not None:
        found.append(journal.c.alarm.in_(_written_out("among", among)))
    if within is not None:
        found += [journal.c.ts >= within[0], journal.c.ts < within[1]]
    if what is not None:
        found.append(journal.c.what == str(what))
    if handled is not None:
        record = select(handlings.c.id).where(handlings.c.raised == journal.c.number).exists()
        found += [journal.c.what == str(Act.RAISE), ~journal.c.late, record if handled else ~record]
    return found


def handlings_of(where: Place, mine: str, raised: Iterable[int]) -> list[Handling]:
    """The handling records of raises, oldest first."""
    query = (
        select(handlings)
        .join(journal, journal.c.number == handlings.c.raised)
        .join(alarms, alarms.c.id == journal.c.alarm)
        .where(alarms.c.mine == mine, handlings.c.raised.in_(sorted(set(raised))[:MOST]))
    )
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(handlings.c.id)).all()
    return [Handling(*row[:-1], row.result or "") for row in rows]


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
    others = {each.cause for each in changes if each.cause is not None}.union(*(each.takes for each in changes))
    known = _ids(connection, mine, {(each.rule, each.subject) for each in changes} | others)
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


def _written_out(name: str, numbers: Iterable[int]) -> BindParameter[list[int]]:
    """Ids in the text of the statement, as they are whole numbers: no database takes so many parameters."""
    return bindparam(name, list(numbers), expanding=True, literal_execute=True)


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
            first = raised[number]["waits_since"] if number in raised else each.ts
            state = {"active": True, "acknowledged": False, "cause": cause, "waits_since": first}
            raised[number] = {**told, **_facts(each), **state}
            returned.pop(number, None)
        else:
            returned[number] = {**told, "active": False}
    for rows in (raised, returned, levels):
        if rows:
            fields: dict[str, Any] = {
                field: bindparam(f"b_{field}") for field in next(iter(rows.values())) if field != "number"
            }
            if rows is not levels:  # one that comes and goes waits since it first came, on the level that it reached
                waits = and_(~alarms.c.acknowledged, alarms.c.waits_since.is_not(None))
                for field in {"waits_since", "level"}.intersection(fields):
                    fields[field] = case((waits, alarms.c[field]), else_=fields[field])
            named = update(alarms).where(alarms.c.id == bindparam("b_number")).values(fields)
            connection.execute(named, [{f"b_{field}": fact for field, fact in row.items()} for row in rows.values()])
    for each in changes:
        if each.takes and each.act is Act.RAISE and not each.late:
            _take(connection, ids[each.rule, each.subject], [ids[name] for name in each.takes if name in ids], each)


def _take(connection: Connection, cause: int, numbers: list[int], change: Change) -> None:
    """What was raised before its cause was known, since the cause began, stands behind it."""
    follows = and_(alarms.c.id.in_(_written_out("takes", numbers)), alarms.c.cause.is_(None))
    named = update(alarms).where(follows, alarms.c.since >= (change.ts if change.began is None else change.began))
    connection.execute(named.values(cause=cause))


def _line(number: int, each: Change, now: int) -> dict[str, Any]:
    line = {"alarm": number, "what": str(each.act), "ts": each.ts, "at": now, "late": each.late}
    return {**line, "value": each.value, "quality": each.quality, "who": None, "note": each.note}


def suppressed_at(connection: Connection, mine: str, at: int) -> dict[int, tuple[Suppressed, ...]]:
    """What suppresses each alarm that is suppressed at a time (µs UTC), the oldest first. Once it is statutory it is
    shelved no more, nor silent without an end and somebody who allowed it."""
    of = suppressions.c
    query = (
        select(of.alarm, of.kind, of.who, of.reason, of.since, of.until, of.ticket, of.allowed_by)
        .join(alarms, alarms.c.id == suppressions.c.alarm)
        .where(
            alarms.c.mine == mine,
            suppressions.c.since <= at,
            or_(suppressions.c.ended.is_(None), suppressions.c.ended > at),
            or_(suppressions.c.until.is_(None), suppressions.c.until > at),
            or_(
                ~alarms.c.statutory,
                and_(
                    suppressions.c.kind != str(Suppression.SHELVED),
                    suppressions.c.until.is_not(None),
                    suppressions.c.allowed_by.is_not(None),
                ),
            ),
        )
        .order_by(of.id)
    )
    found: dict[int, tuple[Suppressed, ...]] = {}
    for number, kind, *facts in connection.execute(query):
        found[number] = (*found.get(number, ()), Suppressed(Suppression(kind), *facts))
    return found


def _alarm(row: Row, held: tuple[Suppressed, ...]) -> Alarm:
    state = State.of(active=row.active, latched=row.latched, acknowledged=row.acknowledged)
    told = (row.rule_version, row.priority, row.statutory, state, row.since, row.cause, row.level, row.memory)
    return Alarm(row.id, row.rule, row.subject, Kind(row.kind), *told, held, row.waits_since)


def _now() -> int:
    return time.time_ns() // 1000
