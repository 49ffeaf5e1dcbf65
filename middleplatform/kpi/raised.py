"""Which alarms lasted when, out of the journal: what failures and stoppages are told by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from middleplatform.alarms.watched import watched
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarms
from models.alarms.finding import Act
from models.production.failures import Raised
from models.site.model import Site

BACK_US = 31 * 86_400_000_000
"""How long before a time an alarm may have been raised that still lasts in it; one that has lasted for longer is taken
as not raised."""
WATCHED = 0.99
"""The part of a day in which alarms must have been judged."""
FIRST_OUT = "first out"
"""In the note of a raise that came first of its group."""


def raised(
    where: Place, site: Site, rules: Iterable[str], start: int, end: int, day: tuple[int, int] | None = None
) -> dict[str, list[Raised]] | None:
    """By equipment: alarms by these rules that lasted at any time in [start, end), µs UTC, oldest first. None where
    somebody watched for less than WATCHED of `day`, or of all that time: then no alarm means nothing."""
    since, until = (start, end) if day is None else day
    if watched(where, site.code, since, until).us() < WATCHED * (until - since):
        return None
    with connect(where).connect() as connection:
        query = (
            select(alarms.c.rule, alarms.c.subject, journal.c.what, journal.c.ts, journal.c.note)
            .join(alarms, alarms.c.id == journal.c.alarm)
            .where(
                alarms.c.mine == site.code,
                alarms.c.rule.in_(sorted(rules)),
                journal.c.what.in_([Act.RAISE.value, Act.RETURN.value]),
                journal.c.ts >= start - BACK_US,
                journal.c.ts < end,
            )
            # What was told of one instant in the order in which it was told.
            .order_by(alarms.c.id, journal.c.ts, journal.c.number)
        )
        rows = connection.execute(query).all()
    return _by_equipment(site, rows, start)


def _by_equipment(site: Site, rows: Sequence[Any], start: int) -> dict[str, list[Raised]]:
    roles = {point.path: (point.equipment, point.role) for point in site.points}
    lasts: dict[tuple[str, str], tuple[int, bool]] = {}
    found: dict[str, list[Raised]] = defaultdict(list)

    def close(rule: str, subject: str, end: int | None) -> None:
        begin, first = lasts.pop((rule, subject))
        equipment, role = roles.get(subject, (subject.partition("/")[2], ""))
        if equipment in site.equipment and (end is None or end > start):
            found[equipment].append(Raised(rule, equipment, role, begin, end, first))

    for rule, subject, what, ts, note in rows:
        if what == Act.RAISE.value:
            # Raised again without a return: it lasted.
            lasts.setdefault((rule, subject), (ts, FIRST_OUT in (note or "")))
        elif (rule, subject) in lasts:
            close(rule, subject, ts)
    for rule, subject in [*lasts]:
        close(rule, subject, None)
    return {name: sorted(each, key=lambda one: (one.begin, one.rule)) for name, each in found.items()}
