"""Which alarms lasted when, out of the journal: what stands under a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from middleplatform.alarms.condition import Act, Alarm, State
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_journal as journal

BACK_US = 31 * 86_400_000_000
"""How long before a time a raise is looked for; an alarm that has lasted for longer is known by its state alone."""
MOST_ENTRIES = 10_000
"""Of the journal that one question reads, the newest."""
ACTIVE = {State.UNACKNOWLEDGED, State.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class Lasted:
    """`begin` None: it was raised before the journal was read; `end` None: it has not returned."""

    alarm: int
    begin: int | None
    end: int | None


def lasted(where: Place, chosen: Mapping[int, Alarm], start: int, end: int) -> tuple[list[Lasted], bool]:
    """When these alarms lasted at any time in [start, end), µs UTC, oldest first; and whether there is more in the
    journal than was read."""
    if not chosen:
        return [], False
    # Ids in the text of the statement, as they are whole numbers: no database takes so many parameters.
    numbers = bindparam("numbers", list(chosen), expanding=True, literal_execute=True)
    query = (
        select(journal.c.alarm, journal.c.what, journal.c.ts)
        .where(
            journal.c.alarm.in_(numbers),
            journal.c.what.in_([Act.RAISE.value, Act.RETURN.value]),
            journal.c.ts >= start - BACK_US,
            journal.c.ts < end,
        )
        .order_by(journal.c.ts.desc(), journal.c.number.desc())
        .limit(MOST_ENTRIES + 1)
    )
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
    more = len(rows) > MOST_ENTRIES
    found: list[Lasted] = []
    begun: dict[int, int] = {}
    told: set[int] = set()
    for number, what, ts in reversed(rows[:MOST_ENTRIES]):
        if what == Act.RAISE.value:
            begun.setdefault(number, ts)  # raised again without a return: it lasted
        elif number in begun or number not in told:
            found.append(Lasted(number, begun.pop(number, None), ts))
        told.add(number)
    found += [Lasted(number, ts, None) for number, ts in begun.items()]
    found += [
        Lasted(number, each.since, None)
        for number, each in chosen.items()
        if number not in told and each.state in ACTIVE and each.since < end
    ]
    within = [each for each in found if each.end is None or each.end > start]
    return sorted(within, key=lambda each: (each.begin or 0, each.alarm)), more
