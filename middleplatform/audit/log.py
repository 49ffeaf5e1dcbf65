"""Writing to the audit log and reading it.

An entry is written in the transaction of what it tells of: neither is there without the other. One entry at a time is
appended, over all processes, because each holds the head until its transaction ends; so `note` comes last in it.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from middleplatform.audit.actor import acting
from middleplatform.audit.entry import Entry, digest_of
from middleplatform.database import Place, connect
from middleplatform.database.tables.audit import audit, audit_head

LONGEST = {"who": 160, "origin": 80, "what": 40, "about": 300}
MAX_FACTS = 16_384
"""Characters of `before` or `after`; of longer ones their digest is kept."""


def note(
    connection: Connection,
    what: str,
    about: str,
    *,
    before: Any = None,
    after: Any = None,
    who: str | None = None,
    origin: str | None = None,
) -> Entry:
    """Append an entry in this transaction. `before` and `after` become JSON; `who` and `origin` are by default those
    who act now. Never give it a secret."""
    connection.execute(update(audit_head).values(number=audit_head.c.number + 1))  # nobody else appends from here on
    number, previous = connection.execute(select(audit_head.c.number, audit_head.c.digest)).one()
    actor = acting()
    facts = (
        number,
        time.time_ns() // 1000,
        _text("who", actor.who if who is None else who),
        _text("origin", actor.origin if origin is None else origin),
        _text("what", what),
        _text("about", about),
        _json(before),
        _json(after),
        previous,
    )
    entry = Entry(*facts, digest_of(*facts))
    connection.execute(insert(audit).values(asdict(entry)))
    connection.execute(update(audit_head).values(digest=entry.digest))
    return entry


def tell(where: Place, what: str, about: str, **facts: Any) -> Entry:
    """`note` in a transaction of its own: for what changes nothing in the relational store."""
    with connect(where).begin() as connection:
        return note(connection, what, about, **facts)


def head(where: Place) -> tuple[int, str]:
    """The number and the digest of the newest entry; 0 before the first."""
    with connect(where).connect() as connection:
        row = connection.execute(select(audit_head.c.number, audit_head.c.digest)).one()
    return row.number, row.digest


def entries(
    where: Place,
    *,
    limit: int = 100,
    before: int | None = None,
    who: str = "",
    what: str = "",
    about: str = "",
    start: int | None = None,
    end: int | None = None,
) -> list[Entry]:
    """The newest first, those whose number is below `before`. `what` is an act or what acts begin with (`user.`);
    times are µs UTC, `end` is not with."""
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    who, what, about = _text("who", who), _text("what", what), _text("about", about)
    if who:
        query = query.where(audit.c.who == who)
    if what:
        acts = audit.c.what.startswith(what, autoescape=True) if what.endswith(".") else audit.c.what == what
        query = query.where(acts)
    if about:
        query = query.where(audit.c.about == about)
    if start is not None:
        query = query.where(audit.c.at >= start)
    if end is not None:
        query = query.where(audit.c.at < end)
    with connect(where).connect() as connection:
        return [Entry(*row) for row in connection.execute(query)]


def _text(field: str, text: str) -> str:
    """What every database keeps unchanged: neither half of a surrogate pair nor NUL, and not too long."""
    return text.encode("utf-8", "replace").decode().replace("\0", "�")[: LONGEST[field]]


def _json(facts: Any) -> str | None:
    if facts is None:
        return None
    text = json.dumps(facts, sort_keys=True, default=str)
    if len(text) > MAX_FACTS:
        return json.dumps({"characters": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
    return text
