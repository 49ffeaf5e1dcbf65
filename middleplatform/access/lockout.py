"""Sign-ins that fail in a row under one name lock it for a while. On disk, so that a restart forgets nothing.

A name locks whether there is such a user or not, so that a lock tells nothing. It locks for strangers: were it for all,
anybody could keep an administrator out by failing in that name. How often and for how long: `sign_in` in
`models/access/policy.yaml`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from middleplatform.access.policy import policy
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import failures as table
from middleplatform.database.tables.access import users
from middleplatform.database.tables.audit import audit

MOST = 10_000
"""Names that are remembered; beyond it, those that are not locked are forgotten, the oldest first."""

UNKNOWN = "(unknown)"
FAMILIAR_US = 30 * 86_400_000_000
"""For how long an address from which a user signed in is that user's own."""

Clock = Callable[[], int]


def now_us() -> int:
    return time.time_ns() // 1000


def locked_s(where: Place, name: str, clock: Clock = now_us) -> float:
    """For how many seconds the name is locked; 0.0: it is not."""
    with connect(where).connect() as connection:
        until = connection.execute(select(table.c.locked_until).where(table.c.user == name)).scalar()
    return max(0.0, ((until or 0) - clock()) / 1e6)


def failed(where: Place, name: str, clock: Clock = now_us) -> bool:
    """Count a sign-in that failed; whether it locked the name."""
    rule, now = policy().sign_in, clock()
    fresh = {"count": 1, "last": now, "locked_until": 0}
    with connect(where).begin() as connection:
        counted = update(table).where(table.c.user == name)
        recent = counted.where(table.c.last >= now - rule.forget_us)
        long_ago = counted.where(table.c.last < now - rule.forget_us)  # or another's first failure would be forgotten
        if connection.execute(recent.values(count=table.c.count + 1, last=now)).rowcount == 0:
            if connection.execute(long_ago.values(fresh)).rowcount == 0:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(table).values(user=name, **fresh))
                except IntegrityError:  # another process was first
                    connection.execute(recent.values(count=table.c.count + 1, last=now))
            _forget(connection, now)
        over = counted.where(table.c.count >= rule.failures).values(count=0, locked_until=now + rule.lock_us)
        locked = connection.execute(over).rowcount > 0
        known = connection.execute(select(users.c.name).where(users.c.name == name)).first() is not None
        # Another name may be a password that slipped into the wrong field.
        note(connection, "sign_in.fail", name if known else UNKNOWN, after={"locked": locked})
        return locked


def familiar(where: Place, name: str, address: str, clock: Clock = now_us) -> bool:
    """Whether the user signed in from this address of late: what strangers try elsewhere does not keep it out. Looks
    through a month of the audit log, so ask only where it matters."""
    began = (audit.c.at >= clock() - FAMILIAR_US, audit.c.what == "session.begin")
    query = select(audit.c.number).where(*began, audit.c.about == name, audit.c.origin == address).limit(1)
    with connect(where).connect() as connection:
        return connection.execute(query).first() is not None


def clear(connection: Connection, name: str) -> bool:
    """The sign-in was right, or an administrator says so: the name starts anew. Whether it had to."""
    return connection.execute(delete(table).where(table.c.user == name)).rowcount > 0


def succeeded(where: Place, name: str) -> None:
    """The sign-in was right."""
    with connect(where).begin() as connection:
        clear(connection, name)


def unlock(where: Place, name: str) -> None:
    """An administrator lets a name sign in again."""
    with connect(where).begin() as connection:
        if clear(connection, name):
            note(connection, "user.unlock", name)


def _forget(connection: Connection, now: int) -> None:
    if connection.execute(select(func.count()).select_from(table)).scalar_one() <= MOST:
        return
    oldest = select(table.c.user).where(table.c.locked_until <= now).order_by(table.c.last).limit(MOST // 10)
    connection.execute(delete(table).where(table.c.user.in_(oldest)))
