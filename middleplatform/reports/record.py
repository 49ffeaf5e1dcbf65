"""Reports by their codes, in the relational store: what each said, and of which days it was made."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.reports import kpi_reports as table
from models.kpi.day import digest
from models.report.content import Content, Kind, Source


@dataclass(frozen=True, slots=True)
class Report:
    """`made_at`: when it was first made, µs UTC; `who`: by whom."""

    id: int
    code: str
    kind: Kind
    mines: tuple[str, ...]
    first: date
    last: date
    shift: str
    made_at: int
    who: str
    digest: str


def keep(where: Place, content: Content, who: str, at: int | None = None) -> Report:
    """Record a report, or return the record of the one that says the same. `at`: µs UTC, now by default."""
    document = content.document()
    if (known := find(where, content.code)) is not None:
        return known
    values = {
        "code": content.code,
        "kind": str(content.kind),
        "mines": ",".join(each.code for each in content.mines),
        "first": content.first.isoformat(),
        "last": content.last.isoformat(),
        "shift": content.shift,
        "made_at": time.time_ns() // 1000 if at is None else at,
        "who": who,
        "digest": digest(document),
        "document": document,
        "sources": json.dumps([[s.mine, s.section, s.day.isoformat(), s.revision, s.digest] for s in content.sources]),
    }
    try:
        with connect(where).begin() as connection:
            connection.execute(insert(table).values(values))
            facts = {name: values[name] for name in ("kind", "mines", "first", "last", "shift", "digest")}
            note(connection, "report.make", content.code, after=facts, who=who or None)
    except IntegrityError:  # another made the same just now
        pass
    found = find(where, content.code)
    if found is None:
        raise LookupError(f"the report {content.code} was recorded, and is not there")
    return found


def find(where: Place, code: str) -> Report | None:
    """The report of a code."""
    with connect(where).connect() as connection:
        row = connection.execute(_query().where(table.c.code == code)).first()
    return None if row is None else _report(row)


def content_of(where: Place, code: str) -> Content:
    """What a report says. Raises KeyError for an unknown code."""
    return Content.read(document_of(where, code))


def document_of(where: Place, code: str) -> str:
    """The very text that was recorded. Raises KeyError for an unknown code."""
    with connect(where).connect() as connection:
        found = connection.execute(select(table.c.document).where(table.c.code == code)).scalar_one_or_none()
    if found is None:
        raise KeyError(code)
    return str(found)


def sources_of(where: Place, code: str) -> tuple[Source, ...]:
    """The kept days that a report was made of; none for an unknown code."""
    with connect(where).connect() as connection:
        found = connection.execute(select(table.c.sources).where(table.c.code == code)).scalar_one_or_none()
    rows = [] if found is None else json.loads(found)
    return tuple(Source(mine, section, date.fromisoformat(day), n, own) for mine, section, day, n, own in rows)


def listed(
    where: Place,
    kind: Kind | None = None,
    before: int | None = None,
    limit: int = 100,
    mines: Sequence[str] | None = None,
) -> list[Report]:
    """The newest first. `before`: an id; `mines`: of these alone, None for all."""
    query = _query().order_by(table.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(table.c.kind == str(kind))
    if before is not None:
        query = query.where(table.c.id < before)
    if mines is not None:
        query = query.where(table.c.mines.in_(list(mines)))
    with connect(where).connect() as connection:
        return [_report(row) for row in connection.execute(query)]


def _query() -> Any:
    return select(*(column for column in table.columns if column.name not in {"document", "sources"}))


def _report(row: Row[Any]) -> Report:
    return Report(
        row.id,
        row.code,
        Kind(row.kind),
        tuple(row.mines.split(",")),
        date.fromisoformat(row.first),
        date.fromisoformat(row.last),
        row.shift,
        row.made_at,
        row.who,
        row.digest,
    )
