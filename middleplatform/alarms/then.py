"""Which alarms stood at an instant that is past, out of the journal.

What was raised late, and so announced to nobody, did not stand. Priority, kind and version are those of the rule's last
raise, which the journal does not repeat; whether an alarm that had returned was latched shows in that it was reset
afterwards, or is latched still.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, and_, bindparam, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import NamedFromClause

from middleplatform.alarms.book import MOST, suppressed_at
from middleplatform.alarms.condition import Act, Alarm, Kind, State
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarms


def stood(where: Place, mine: str, at: int) -> list[tuple[Alarm, float | None]]:
    """The alarms that were not at rest at `at` (µs UTC), each with the value with which it had been raised; the most
    urgent and newest first."""
    raised, ended, seen = aliased(journal, name="raised"), aliased(journal, name="ended"), aliased(journal, name="seen")
    query = (
        select(
            alarms,
            raised.c.number.label("raise_number"),
            raised.c.ts.label("raise_ts"),
            raised.c.value.label("raise_value"),
            ended.c.number.label("end_number"),
            seen.c.number.label("seen_number"),
        )
        .select_from(alarms)
        .join(raised, raised.c.number == _last(at, Act.RAISE))
        .join(ended, and_(ended.c.number == _last(at, Act.RETURN), ended.c.number > raised.c.number), isouter=True)
        .join(seen, and_(seen.c.number == _last(at, Act.ACKNOWLEDGE), seen.c.number > raised.c.number), isouter=True)
        .where(alarms.c.mine == mine)
    )
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
        over = [row.id for row in rows if row.end_number is not None]
        latched = {row.id for start in range(0, len(over), MOST) for row in connection.execute(
            _held(over[start : start + MOST], at))}  # fmt: skip
        held = suppressed_at(connection, mine, at)
        standing = [row for row in rows if row.end_number is None or row.seen_number is None or row.id in latched]
        levels: dict[int, int] = {}
        for start in range(0, len(standing), MOST):
            raises = {row.id: row.raise_number for row in standing[start : start + MOST]}
            for number, alarm in connection.execute(_escalations(list(raises), at)):
                levels[alarm] = levels.get(alarm, 0) + (number > raises[alarm])
    found = [(_alarm(row, row.id in latched, levels.get(row.id, 0), held), row.raise_value) for row in standing]
    return sorted(found, key=lambda each: (each[0].priority, -each[0].since, each[0].id))


def _last(at: int, act: Act) -> ScalarSelect[int]:
    """The number of the last line of an act at or before the instant, of the alarm of the row."""
    lines = aliased(journal)
    return (
        select(lines.c.number)
        .where(lines.c.alarm == alarms.c.id, lines.c.what == str(act), lines.c.ts <= at, ~lines.c.late)
        .order_by(lines.c.number.desc())
        .limit(1)
        .correlate(alarms)
        .scalar_subquery()
    )


def _held(numbers: list[int], at: int) -> Any:
    """Of alarms that had returned, those that were latched then: reset later, before the next raise, or latched now."""
    after = aliased(journal, name="after")
    next_line = (
        select(func.min(after.c.number))
        .where(_of(after, Act.RAISE, Act.RESET), after.c.alarm == alarms.c.id, after.c.number > _last(at, Act.RETURN))
        .correlate(alarms)
        .scalar_subquery()
    )
    then = aliased(journal, name="then")
    reset = and_(then.c.what == str(Act.RESET), then.c.ts > at)
    return (
        select(alarms.c.id)
        .select_from(alarms)
        .join(then, then.c.number == next_line, isouter=True)
        .where(alarms.c.id.in_(_written_out(numbers)), reset | and_(then.c.number.is_(None), alarms.c.latched))
    )


def _of(lines: NamedFromClause, *acts: Act) -> ColumnElement[bool]:
    return and_(lines.c.what.in_([str(act) for act in acts]), ~lines.c.late)


def _escalations(numbers: list[int], at: int) -> Any:
    return select(journal.c.number, journal.c.alarm).where(
        journal.c.alarm.in_(_written_out(numbers)), journal.c.what == str(Act.ESCALATE), journal.c.ts <= at
    )


def _written_out(numbers: list[int]) -> Any:
    return bindparam("numbers", numbers, expanding=True, literal_execute=True)


def _alarm(row: Row, latched: bool, level: int, held: dict[int, Any]) -> Alarm:
    state = State.of(active=row.end_number is None, latched=latched, acknowledged=row.seen_number is not None)
    cause = row.cause if row.since == row.raise_ts else None
    told = (row.rule_version, row.priority, row.statutory, state, row.raise_ts, cause, level, None)
    return Alarm(row.id, row.rule, row.subject, Kind(row.kind), *told, held.get(row.id, ()))
