"""How long the journal of alarms is kept: by `annunciation.yaml`, statutory alarms longer than others."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, or_, select

from middleplatform.alarms.annunciation import Annunciation
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_handlings as handlings
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarms

MOST = 2_000
"""Lines that go in one transaction, so that nobody waits long for the store."""


def forget(where: Place, mine: str, how: Annunciation, now: int) -> int:
    """Drop the oldest lines whose time is over at `now` (µs UTC), with the handling of raises among them; how many
    went: fewer than MOST when there are no more. What is not at rest keeps all its lines; so does, for as long as a
    statutory one, what was handled."""
    with connect(where).begin() as connection:
        gone = _over(connection, mine, how, now)
        if gone:
            connection.execute(delete(handlings).where(handlings.c.raised.in_(gone)))
            connection.execute(delete(journal).where(journal.c.number.in_(gone)))
            note(connection, "alarm.forget", f"{mine}: {len(gone)}", before={"first": gone[0], "last": gone[-1]})
    return len(gone)


def _over(connection: Connection, mine: str, how: Annunciation, now: int) -> list[int]:
    handled = select(handlings.c.raised).where(handlings.c.raised == journal.c.number).exists()
    longer = or_(alarms.c.statutory, handled)
    query = (
        select(journal.c.number)
        .join(alarms, alarms.c.id == journal.c.alarm)
        .where(alarms.c.mine == mine, alarms.c.acknowledged, ~alarms.c.active, ~alarms.c.latched)
        .where(journal.c.at < now - min(how.kept_us, how.statutory_kept_us))
        .where(
            or_(
                and_(~longer, journal.c.at < now - how.kept_us),
                and_(longer, journal.c.at < now - how.statutory_kept_us),
            )
        )
        .order_by(journal.c.number)
        .limit(MOST)
    )
    return list(connection.execute(query).scalars())
