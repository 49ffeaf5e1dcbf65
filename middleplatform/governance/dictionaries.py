"""Dictionaries in the relational store, beside those that the program came with (version 0 of each kind)."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import func, insert, select

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.dictionaries import dictionaries as table
from middleplatform.governance.turns import until_first
from models.dictionaries.builtin import builtin
from models.dictionaries.shape import Dictionary, Entry

MAX_VERSIONS = 200
"""Of one kind."""
PROGRAM = "sevenones"


class DictionaryRefused(Exception):
    """A dictionary that is right in itself and still is not kept: why."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A version of a dictionary without its rows. `at`: µs UTC, None for the program's own."""

    kind: str
    version: int
    edition: str
    effective_from: datetime.date
    source: str
    who: str
    at: int | None
    digest: str
    entries: int


def load(where: Place, dictionary: Dictionary, who: str) -> tuple[Edition, bool]:
    """Keep a dictionary as the newest version of its kind; the same content again is the version that it was.
    Returns it and whether it is new. Raises DictionaryRefused."""
    return until_first(lambda: _load(where, dictionary, who))


def editions(where: Place, kind: str | None = None) -> list[Edition]:
    """All versions, the program's own among them, by kind and version."""
    query = select(*_FACTS).order_by(table.c.kind, table.c.version)
    if kind is not None:
        query = query.where(table.c.kind == kind)
    with connect(where).connect() as connection:
        loaded = [_edition(row) for row in connection.execute(query)]
    own = [_own(each) for name, each in builtin().items() if kind in (None, name)]
    return sorted([*own, *loaded], key=lambda each: (each.kind, each.version))


def entries(where: Place, edition: Edition) -> tuple[Entry, ...]:
    """The rows of a version. Raises LookupError when it is gone."""
    if edition.version == 0:
        return builtin()[edition.kind].entries
    return _entries(where, edition.kind, edition.version)


def effective(where: Place, kind: str, day: datetime.date) -> Edition | None:
    """The version that holds on a day: that with the latest `effective_from` up to it, of several the newest; None
    when none holds yet."""
    held = [each for each in editions(where, kind) if each.effective_from <= day]
    return max(held, key=lambda each: (each.effective_from, each.version), default=None)


def rows_of(where: Place, kind: str, day: datetime.date) -> tuple[Edition | None, tuple[Entry, ...]]:
    """The version that holds on a day and its rows."""
    edition = effective(where, kind, day)
    return edition, () if edition is None else entries(where, edition)


_FACTS = [
    table.c[name]
    for name in ("kind", "version", "edition", "effective_from", "source", "who", "at", "digest", "entries")
]


def _load(where: Place, dictionary: Dictionary, who: str) -> tuple[Edition, bool]:
    digest = dictionary.digest()
    own = builtin().get(dictionary.kind)
    if own is not None and own.digest() == digest:
        return _own(own), False
    with connect(where).begin() as connection:
        same = connection.execute(
            select(*_FACTS).where(table.c.kind == dictionary.kind, table.c.digest == digest)
        ).first()
        if same is not None:
            return _edition(same), False
        last = (
            connection.execute(select(func.max(table.c.version)).where(table.c.kind == dictionary.kind)).scalar() or 0
        )
        if last >= MAX_VERSIONS:
            raise DictionaryRefused(
                f"已有 {last} 个版本，最多 {MAX_VERSIONS} 个 · there are {last} versions of it, "
                f"at most {MAX_VERSIONS} are kept"
            )
        made = Edition(
            dictionary.kind,
            last + 1,
            dictionary.edition,
            dictionary.effective_from,
            dictionary.source,
            who[:80],
            time.time_ns() // 1000,
            digest,
            len(dictionary.entries),
        )
        facts: Mapping[str, object] = {column.name: getattr(made, column.name) for column in _FACTS}
        body = json.dumps([dict(entry) for entry in dictionary.entries], ensure_ascii=False)
        connection.execute(
            insert(table).values({**facts, "effective_from": made.effective_from.isoformat(), "body": body})
        )
        told = {"edition": made.edition, "source": made.source, "effective_from": made.effective_from.isoformat()}
        told |= {"digest": digest, "entries": str(made.entries)}
        note(connection, "dictionary.load", f"{made.kind}/{made.version}", after=told, who=who)
    return made, True


@lru_cache(maxsize=32)
def _entries(where: Place, kind: str, version: int) -> tuple[Entry, ...]:
    """Versions never change, so that they may be remembered."""
    query = select(table.c.body).where(table.c.kind == kind, table.c.version == version)
    with connect(where).connect() as connection:
        body = connection.execute(query).scalar()
    if body is None:
        raise LookupError(f"{kind} {version}")
    return tuple(json.loads(body))


def _own(dictionary: Dictionary) -> Edition:
    facts = (dictionary.edition, dictionary.effective_from, dictionary.source)
    return Edition(dictionary.kind, 0, *facts, PROGRAM, None, dictionary.digest(), len(dictionary.entries))


def _edition(row: object) -> Edition:
    kind, version, edition, effective_from, *rest = tuple(row)  # type: ignore[arg-type]
    return Edition(kind, version, edition, datetime.date.fromisoformat(effective_from), *rest)
