"""When somebody watched: the times of a mine that the alarm process judged; outside of them no alarm says nothing."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_watched as table
from models.spans import Spans

CLOSE_US = 60_000_000
"""A shorter time between two is the process's own start: what came in it was judged from the stream."""


def extend(connection: Connection, mine: str, since: int, until: int) -> None:
    """All from `since` on was judged up to `until`, µs UTC; within a transaction that is the caller's."""
    named = (table.c.mine == mine, table.c.since == since)
    known = connection.execute(select(table.c.until).where(*named)).scalar()
    if known is None:
        connection.execute(insert(table).values(mine=mine, since=since, until=until))
    elif known < until:
        connection.execute(update(table).where(*named).values(until=until))


def watched(where: Place, mine: str, start: int, end: int) -> Spans:
    """Within [start, end), µs UTC."""
    query = (
        select(table.c.since, table.c.until)
        .where(table.c.mine == mine, table.c.since < end, table.c.until > start)
        .order_by(table.c.since)
    )
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
    spans = Spans.of((row.since, row.until) for row in rows)
    short = [pair for pair in spans.gaps(start, end).pairs() if pair[1] - pair[0] <= CLOSE_US and pair[1] < end]
    return (spans | Spans.of(short)).within(start, end)
