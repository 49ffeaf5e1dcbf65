"""The book of figures in the relational store: what was made of each day of a mine, by section, with its revisions.

What has been published is never overwritten: a day that comes out otherwise is another revision. A day that is not over
is provisional, and rewritten in place until it is.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, literal_column, select, update

from middleplatform.database import Place, connect
from middleplatform.database.tables.kpi import kpi_categories as times
from middleplatform.database.tables.kpi import kpi_days as days
from middleplatform.database.tables.kpi import kpi_sites as sites
from middleplatform.governance.turns import until_first
from middleplatform.kpi.mines import Mine, keep_mine, mines
from models.kpi.day import MineDay, digest
from models.kpi.mine import by_category
from models.utilisation.figure import TIMES, Figure

__all__ = [
    "ENERGY",
    "PRODUCTION",
    "UTILISATION",
    "CategorySum",
    "Kept",
    "Mine",
    "Versions",
    "category_sums",
    "evidence",
    "keep",
    "keep_mine",
    "made_here",
    "mines",
    "newest",
    "read",
    "received",
    "revision",
    "revisions",
]

UTILISATION = "utilisation"
ENERGY = "energy"
PRODUCTION = "production"

By = Literal["day", "month", "year"]


@dataclass(frozen=True, slots=True)
class Versions:
    """By what a section was made: the rules' version ("" where it has none), the site's, the program's; and what the
    rules said: their digest ("" where it has none)."""

    rules: str
    site: str
    program: str
    rules_digest: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One revision of a section of a day. `document`: canonical JSON, `digest` its SHA-256; `provisional`: the day was
    not over; `superseded_at`: None of the newest; `received_at`: when it came from another platform, which says that it
    was made at `made_at`; None of what was made here. Times µs UTC."""

    mine: str
    section: str
    day: date
    revision: int
    provisional: bool
    made_at: int
    superseded_at: int | None
    versions: Versions
    digest: str
    document: str
    received_at: int | None = None


@dataclass(frozen=True, slots=True)
class CategorySum:
    """`period`: "2026-03-02", "2026-03", "2026", or "" for all of it; `days`: of how many days `figure` (without its
    reasons) is the sum."""

    mine: str
    period: str
    category: str
    days: int
    figure: Figure


def read(where: Place, mine: str, section: str, first: date, last: date) -> dict[date, Kept]:
    """The newest revision of each day from `first` to `last` that has one, in their order."""
    query = _query().where(
        days.c.mine == mine,
        days.c.section == section,
        days.c.day.between(first.isoformat(), last.isoformat()),
        days.c.superseded_at.is_(None),
    )
    with connect(where).connect() as connection:
        return {kept.day: kept for kept in map(_kept, connection.execute(query.order_by(days.c.day)))}


def newest(where: Place, section: str, first: date, last: date) -> int | None:
    """When the newest of what holds of these days of all mines was made, µs UTC; None where nothing is kept."""
    query = select(func.max(days.c.made_at)).where(
        days.c.section == section,
        days.c.day.between(first.isoformat(), last.isoformat()),
        days.c.superseded_at.is_(None),
    )
    with connect(where).connect() as connection:
        made_at = connection.execute(query).scalar_one()
    return None if made_at is None else int(made_at)


def revision(where: Place, mine: str, section: str, day: date, number: int) -> Kept | None:
    """One revision, None where there is none of that number."""
    return next((kept for kept in revisions(where, mine, section, day) if kept.revision == number), None)


def revisions(where: Place, mine: str, section: str, day: date) -> list[Kept]:
    """All that are kept of a day, the oldest first."""
    query = _query().where(_of(mine, section, day)).order_by(days.c.revision)
    with connect(where).connect() as connection:
        return [_kept(row) for row in connection.execute(query)]


def made_here(where: Place, mine: str) -> bool:
    """Whether this platform makes a mine's days itself: it has its site, or the evidence of a day of it."""
    own = select(sites.c.mine).where(sites.c.mine == mine).limit(1)
    judged = select(days.c.mine).where(days.c.mine == mine, days.c.evidence.is_not(None)).limit(1)
    with connect(where).connect() as connection:
        return any(connection.execute(query).first() is not None for query in (own, judged))


def received(where: Place, mine: str, first: date, last: date) -> set[tuple[date, str]]:
    """Of the days from `first` to `last`, those documents (day, digest) that came from another platform."""
    query = select(days.c.day, days.c.digest).where(
        days.c.mine == mine, days.c.day.between(first.isoformat(), last.isoformat()), days.c.received_at.is_not(None)
    )
    with connect(where).connect() as connection:
        return {(date.fromisoformat(row.day), row.digest) for row in connection.execute(query)}


def evidence(where: Place, mine: str, section: str, day: date, number: int) -> bytes | None:
    """What a revision was reckoned from; None where it has none, or is not there."""
    query = select(days.c.evidence).where(_of(mine, section, day), days.c.revision == number)
    with connect(where).connect() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def keep(
    where: Place,
    mine: str,
    section: str,
    day: date,
    document: str,
    versions: Versions,
    evidence: bytes | None = None,
    provisional: bool = False,
    at: int | None = None,
    received_at: int | None = None,
) -> Kept:
    """Keep a section of a day as its newest revision, or return the one that says the same already. `at`: when it was
    made, µs UTC, now by default; `received_at`: when it came, where it was made elsewhere. What is kept of a day that
    is over does not become provisional again."""
    made_at = time.time_ns() // 1000 if at is None else at
    facts: dict[str, Any] = {
        "provisional": provisional,
        "made_at": made_at,
        "rules": versions.rules,
        "rules_digest": versions.rules_digest,
        "site": versions.site,
        "program": versions.program,
        "digest": digest(document),
        "document": document,
        "evidence": evidence,
        "received_at": received_at,
    }

    def once() -> Kept:
        with connect(where).begin() as connection:
            return _keep(connection, mine, section, day, facts)

    return until_first(once)


def category_sums(
    where: Place, mines: Collection[str] | None, first: date, last: date, by: By | None = None
) -> list[CategorySum]:
    """The times of each mine (all of them: None) and category from `first` to `last`, summed by the store; in
    the order of mines, categories and periods."""
    length = {"day": 10, "month": 7, "year": 4, None: 0}[by]
    sums = [func.sum(times.c[name]).label(name) for name in TIMES]
    query = (
        select(times.c.mine, times.c.category, func.count().label("days"), *sums)
        .where(times.c.day.between(first.isoformat(), last.isoformat()))
        .group_by(times.c.mine, times.c.category)
        .order_by(times.c.mine, times.c.category)
    )
    if length:
        period = func.substr(times.c.day, 1, literal_column(str(length))).label("period")
        query = query.add_columns(period).group_by(period).order_by(period)
    if mines is not None:
        query = query.where(times.c.mine.in_(sorted(mines)))
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
    # PostgreSQL sums whole numbers to decimals.
    return [
        CategorySum(
            row.mine,
            row.period if length else "",
            row.category,
            row.days,
            Figure(**{name: int(getattr(row, name)) for name in TIMES}),
        )
        for row in rows
    ]


def _keep(connection: Connection, mine: str, section: str, day: date, facts: dict[str, Any]) -> Kept:
    newest = connection.execute(
        _query().where(_of(mine, section, day), days.c.superseded_at.is_(None)).with_for_update()
    ).first()
    number = 1
    if newest is not None:
        number = newest.revision
        if newest.digest == facts["digest"] and newest.provisional <= facts["provisional"]:
            return _kept(newest)
        own = and_(_of(mine, section, day), days.c.revision == number)
        if newest.provisional:
            connection.execute(delete(days).where(own))
        else:
            facts = facts | {"provisional": False}
            since = facts["made_at"] if facts["received_at"] is None else facts["received_at"]
            connection.execute(update(days).where(own).values(superseded_at=since))
            number += 1
    key = {"mine": mine, "section": section, "day": day.isoformat(), "revision": number}
    connection.execute(insert(days).values(key | facts))
    if section == UTILISATION:
        _follow(connection, mine, day, facts["document"])
    row = connection.execute(_query().where(_of(mine, section, day), days.c.revision == number)).one()
    return _kept(row)


def _follow(connection: Connection, mine: str, day: date, document: str) -> None:
    """Let the times by category say what the newest document does."""
    connection.execute(delete(times).where(times.c.mine == mine, times.c.day == day.isoformat()))
    rows = [
        {"mine": mine, "day": day.isoformat(), "category": category} | {name: getattr(own, name) for name in TIMES}
        for category, own in by_category([MineDay.read(document)]).items()
    ]
    if rows:
        connection.execute(insert(times), rows)


def _of(mine: str, section: str, day: date) -> Any:
    return and_(days.c.mine == mine, days.c.section == section, days.c.day == day.isoformat())


def _query() -> Select[Any]:
    """All but the evidence, which is large."""
    return select(*(column for column in days.columns if column.name != "evidence"))


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        row.mine,
        row.section,
        date.fromisoformat(row.day),
        row.revision,
        row.provisional,
        row.made_at,
        row.superseded_at,
        Versions(row.rules, row.site, row.program, row.rules_digest),
        row.digest,
        row.document,
        row.received_at,
    )
