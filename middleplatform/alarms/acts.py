"""What people do to alarms: each act is in the journal, with who and why, and audited in its own transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, insert, select, update

from middleplatform.alarms.book import MOST, suppressed_at
from middleplatform.alarms.condition import Act, AlarmError, Handling, Suppression
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_handlings as handlings
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarm_suppressions as suppressions
from middleplatform.database.tables.alarms import alarms
from middleplatform.database.tables.tickets import tickets

LONGEST = 500
"""Characters of a note, reason, cause or measure."""


def acknowledge(where: Place, mine: str, numbers: Iterable[int], who: str, words: str = "") -> list[int]:
    """Acknowledge one or many; those that were not acknowledged before. Raises AlarmError."""
    _check_words(words)
    now, wanted = _now(), sorted(set(numbers))[: MOST + 1]
    if len(wanted) > MOST:
        raise AlarmError("too_many", f"一次最多确认 {MOST} 条", f"at most {MOST} alarms are acknowledged at once")
    named = and_(alarms.c.mine == mine, alarms.c.id.in_(wanted), ~alarms.c.acknowledged)
    with connect(where).begin() as connection:
        done = sorted(
            connection.execute(update(alarms).where(named).values(acknowledged=True).returning(alarms.c.id)).scalars()
        )
        if done:
            lines = [_line(number, Act.ACKNOWLEDGE, now, who, words) for number in done]
            connection.execute(insert(journal), lines)
            note(connection, "alarm.acknowledge", f"{mine}: {len(done)}", after={"alarms": done, "note": words})
    return done


def reset(where: Place, mine: str, number: int, who: str, words: str = "") -> None:
    """Let go of an alarm that latched, once the process has returned. Raises AlarmError."""
    _check_words(words)
    now = _now()
    with connect(where).begin() as connection:
        row = _row(connection, mine, number)
        if not row.latched:
            raise AlarmError("not_latched", f"报警 {number} 未锁定", f"alarm {number} is not latched")
        if row.active:
            raise AlarmError(
                "still_active", f"报警 {number} 尚未恢复，不能复位", f"alarm {number} has not returned: not to be reset"
            )
        connection.execute(update(alarms).where(alarms.c.id == number).values(latched=False))
        connection.execute(insert(journal), [_line(number, Act.RESET, now, who, words)])
        note(connection, "alarm.reset", f"{mine}: {row.subject} {row.rule}", after={"note": words})


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
        raise AlarmError("end_passed", "结束时间须在将来", "the end lies in the future")
    if kind is Suppression.SHELVED and until is None:
        raise AlarmError("no_end", "搁置须有结束时间", "shelving has an end")
    with connect(where).begin() as connection:
        row = _row(connection, mine, number)
        if kind is Suppression.SHELVED and row.statutory:
            raise AlarmError("statutory_alarm", "法定报警不得搁置", "a statutory alarm is not shelved")
        if kind in suppressed_at(connection, mine, now).get(number, ()):
            raise AlarmError("suppressed_already", f"该报警已处于 {kind}", f"the alarm is {kind} already")
        if ticket is not None and connection.execute(_ticket(mine, ticket)).first() is None:
            raise AlarmError("unknown_ticket", f"没有工单 {ticket}", f"there is no ticket {ticket}")
        made = {"alarm": number, "kind": str(kind), "who": who, "reason": reason, "since": now, "until": until}
        key = connection.execute(insert(suppressions).values({**made, "ticket": ticket})).inserted_primary_key
        connection.execute(insert(journal), [_line(number, Act.SUPPRESS, now, who, f"{kind}: {reason}"[:LONGEST])])
        note(connection, "alarm.suppress", f"{mine}: {row.subject} {row.rule}", after={**made, "ticket": ticket})
        return 0 if key is None else int(key[0])


def lift(where: Place, mine: str, suppression: int, who: str) -> None:
    """End a suppression before its time. Raises AlarmError when there is none that lasts."""
    with connect(where).begin() as connection:
        if not _lift(connection, mine, suppressions.c.id == suppression, who):
            raise AlarmError(
                "not_suppressed",
                f"没有进行中的抑制 {suppression}",
                f"there is no suppression {suppression} that lasts",
            )


def unsuppress(where: Place, mine: str, number: int, kind: Suppression, who: str) -> None:
    """End what suppresses an alarm in this way. Raises AlarmError when nothing does."""
    with connect(where).begin() as connection:
        _row(connection, mine, number)
        named = and_(suppressions.c.alarm == number, suppressions.c.kind == str(kind))
        if not _lift(connection, mine, named, who):
            raise AlarmError("not_suppressed", f"报警 {number} 未处于 {kind}", f"alarm {number} is not {kind}")


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
            raise AlarmError("unknown_raise", f"没有编号 {raised} 的报警记录", f"the journal has no raise {raised}")
        key = connection.execute(insert(handlings).values(row)).inserted_primary_key
        note(connection, "alarm.handle", f"{mine}: {raised}", after=row)
    return Handling(0 if key is None else int(key[0]), raised, cause, measure, who, at)


def _lift(connection: Connection, mine: str, named: Any, who: str) -> bool:
    """Whether any suppression that lasts was among those named; they are over then."""
    now = _now()
    lasting = and_(
        named,
        suppressions.c.ended.is_(None),
        suppressions.c.until.is_(None) | (suppressions.c.until > now),
        suppressions.c.alarm.in_(select(alarms.c.id).where(alarms.c.mine == mine)),
    )
    ending = update(suppressions).where(lasting).values(ended=now, ended_by=who)
    ended = connection.execute(ending.returning(suppressions.c.alarm, suppressions.c.kind)).all()
    if ended:
        connection.execute(insert(journal), [_line(row.alarm, Act.UNSUPPRESS, now, who, row.kind) for row in ended])
        for row in ended:
            note(connection, "alarm.unsuppress", f"{mine}: {row.alarm}", before={"kind": row.kind})
    return bool(ended)


def _row(connection: Connection, mine: str, number: int) -> Row:
    """An alarm, which nobody else changes until the transaction ends. Raises AlarmError."""
    # A write, if only of the same: SQLite lets no other writer in from here on, PostgreSQL holds the row.
    connection.execute(update(alarms).where(alarms.c.id == number).values(mine=alarms.c.mine))
    row = connection.execute(select(alarms).where(alarms.c.id == number, alarms.c.mine == mine)).first()
    if row is None:
        raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
    return row


def _ticket(mine: str, number: int) -> Select[tuple[int]]:
    return select(tickets.c.id).where(tickets.c.id == number, tickets.c.mine == mine)


def _line(number: int, what: Act, now: int, who: str, words: str) -> dict[str, Any]:
    line = {"alarm": number, "what": str(what), "ts": now, "at": now, "late": False}
    return {**line, "value": None, "quality": None, "who": who, "note": words or None}


def _check_words(words: str, least: int = 0) -> None:
    if not least <= len(words.strip()) <= LONGEST:
        raise AlarmError(
            "invalid_words", f"说明应为 {least} 至 {LONGEST} 字", f"a text is {least} to {LONGEST} characters"
        )


def _now() -> int:
    return time.time_ns() // 1000
