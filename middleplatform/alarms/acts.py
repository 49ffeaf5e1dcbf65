"""What people do to alarms: each act is in the journal, with who and why, and audited in its own transaction."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, insert, select, update

from middleplatform.alarms.annunciation import annunciation
from middleplatform.alarms.book import MOST, suppressed_at
from middleplatform.alarms.condition import Act, AlarmError, Handling, Suppression
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_handlings as handlings
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarm_suppressions as suppressions
from middleplatform.database.tables.alarms import alarms
from middleplatform.database.tables.tickets import tickets

_LIFTS = {
    Suppression.SHELVED: "unshelve",
    Suppression.OUT_OF_SERVICE: "in-service",
    Suppression.BY_DESIGN: "unsuppress",
}
"""The act that ends each."""
GRACE_US = 60_000_000
"""What passes between saying for how long and being heard."""
LONGEST = 500
"""Characters of a note, reason, cause or measure."""


def acknowledge(
    where: Place, mine: str, numbers: Iterable[int], who: str, words: str = "", seen: Mapping[int, int] | None = None
) -> list[int]:
    """Acknowledge one or many; those that were not acknowledged before. `seen`: by alarm, since when it was raised
    (µs UTC) as it was seen: one that was raised again meanwhile stays as it is. Raises AlarmError."""
    _check_words(words)
    now, wanted = _now(), sorted(set(numbers))[: MOST + 1]
    if len(wanted) > MOST:
        raise AlarmError("too_many", f"一次最多确认 {MOST} 条", f"at most {MOST} alarms are acknowledged at once")
    named = and_(alarms.c.mine == mine, alarms.c.id.in_(wanted), ~alarms.c.acknowledged)
    if seen:
        named = and_(named, alarms.c.since == case(dict(seen), value=alarms.c.id, else_=alarms.c.since))
    with connect(where).begin() as connection:
        done = sorted(
            connection.execute(
                update(alarms).where(named).values(acknowledged=True, waits_since=None).returning(alarms.c.id)
            ).scalars()
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
        if row.active:
            raise AlarmError(
                "still_active",
                f"报警 {number} 尚未恢复，恢复后方可复位",
                f"alarm {number} is still in alarm: it is reset once the process has returned",
            )
        if not row.latched:
            raise AlarmError(
                "not_latched",
                f"报警 {number} 未锁定，无须复位",
                f"alarm {number} is not latched: there is nothing to reset",
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
    allowed_by: str | None = None,
) -> int:
    """Let an alarm be silent until a time (µs UTC) or until it is lifted; the number of the suppression. Shelving has
    an end that is not far. A statutory alarm is never shelved, and is suppressed otherwise only until an end that is
    not far, and with who else allowed it. Raises AlarmError."""
    _check_words(reason, least=1)
    now, how = _now(), annunciation(datetime.datetime.now(datetime.UTC).date())
    if until is not None and until <= now:
        raise AlarmError("end_passed", "结束时间须在将来", "the end lies in the future")
    if kind is Suppression.SHELVED and until is None:
        raise AlarmError("no_end", "搁置须有结束时间", "shelving has an end")
    if kind is Suppression.SHELVED:
        _check_end(until, now, how.shelved_us, "搁置", "an alarm is shelved")
    with connect(where).begin() as connection:
        row = _row(connection, mine, number)
        if kind is Suppression.SHELVED and row.statutory:
            raise AlarmError("statutory_alarm", "法定报警不得搁置", "a statutory alarm is not shelved")
        if row.statutory:
            if until is None:
                raise AlarmError("no_end", "法定报警停用须有结束时间", "of a statutory alarm it has an end")
            _check_end(until, now, how.statutory_us, "法定报警停用", "a statutory alarm is silent")
            if not allowed_by or allowed_by == who:
                raise AlarmError(
                    "not_allowed_by",
                    "法定报警停用须由另一人批准",
                    "of a statutory alarm somebody else allows it: say who ('allowed_by')",
                )
        if kind in {each.kind for each in suppressed_at(connection, mine, now).get(number, ())}:
            raise AlarmError(
                "suppressed_already",
                f"该报警已处于 {kind}：须先解除（{_LIFTS[kind]}），再重新设定",
                f"the alarm is {kind} already: lift that first ({_LIFTS[kind]}), then set it anew",
            )
        if ticket is not None and connection.execute(_ticket(mine, ticket)).first() is None:
            raise AlarmError("unknown_ticket", f"没有工单 {ticket}", f"there is no ticket {ticket}")
        more = {"ticket": ticket, "allowed_by": allowed_by}
        made = {"alarm": number, "kind": str(kind), "who": who, "reason": reason, "since": now, "until": until}
        key = connection.execute(insert(suppressions).values({**made, **more})).inserted_primary_key
        allowed = f"（批准 allowed by {allowed_by}）" if allowed_by else ""
        words = f"{kind}{allowed}: {reason}"[:LONGEST]
        connection.execute(insert(journal), [_line(number, Act.SUPPRESS, now, who, words)])
        note(connection, "alarm.suppress", f"{mine}: {row.subject} {row.rule}", after={**made, **more})
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


def handle(where: Place, mine: str, raised: int, cause: str, measure: str, who: str, result: str = "") -> Handling:
    """Write down why it came to a raise (its number in the journal), what was done and what came of it. Raises
    AlarmError."""
    _check_words(cause, least=1)
    _check_words(measure, least=1)
    _check_words(result)
    at = _now()
    row = {"raised": raised, "cause": cause, "measure": measure, "who": who, "at": at, "result": result or None}
    of_raise = select(journal.c.number).join(alarms, alarms.c.id == journal.c.alarm)
    known = of_raise.where(alarms.c.mine == mine, journal.c.number == raised, journal.c.what == str(Act.RAISE))
    with connect(where).begin() as connection:
        if connection.execute(known).first() is None:
            raise AlarmError("unknown_raise", f"没有编号 {raised} 的报警记录", f"the journal has no raise {raised}")
        key = connection.execute(insert(handlings).values(row)).inserted_primary_key
        note(connection, "alarm.handle", f"{mine}: {raised}", after=row)
    return Handling(0 if key is None else int(key[0]), raised, cause, measure, who, at, result)


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


def _check_end(until: int | None, now: int, most: int, zh: str, en: str) -> None:
    if until is not None and until - now > most + GRACE_US:
        hours = most / 3_600_000_000
        raise AlarmError("end_too_far", f"{zh}最长 {hours:g} 小时", f"{en} for at most {hours:g} hours")


def _now() -> int:
    return time.time_ns() // 1000
