"""The site's versions in the relational store: each part of a site is kept from the version that brought it to the
one that changed it, so a thousand versions of a large site cost what changed between them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, tuple_, update

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.sites import site_parts, site_versions
from middleplatform.governance.parts import KINDS, Part, changed, parts
from middleplatform.governance.turns import until_first
from models.site.model import Site

_ROWS = 2_000
"""Rows that one statement names: SQLite takes at most 32,766 parameters."""


class UnknownVersion(LookupError):
    """There is no such version; `there` are the first and last of those there are, None without any."""

    def __init__(self, version: int, there: tuple[int, int] | None) -> None:
        super().__init__(version)
        self.version = version
        self.there = there


@dataclass(frozen=True, slots=True)
class SiteVersion:
    """A version of one mine's site. `number`: its number on the bus, None for files that were never published;
    `at`: µs UTC; `back_to`: the number of the version whose content it is again."""

    mine: str
    version: int
    digest: str
    number: int | None
    who: str
    at: int
    note: str
    back_to: int | None


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part between two versions. `old` and `new` are its facts, None where it is not there."""

    kind: str
    name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """The facts that differ, (old, new), when it is there in both."""


def record(
    where: Place,
    site: Site,
    who: str,
    at: int | None = None,
    note: str = "",
    number: int | None = None,
    back_to: int | None = None,
) -> SiteVersion:
    """Keep a site as the newest version of its mine, or return the version that it is already.

    Without `number` these are files on this machine's disk: they are a version only when no version had their
    content. With it, a version on the bus: kept once, even when its content is the last one's again.
    """
    bodies = parts(site)
    facts = (site.version, who[:80], time.time_ns() // 1000 if at is None else at, note[:500], number, back_to)

    def once() -> SiteVersion:
        with connect(where).begin() as connection:
            return _known(connection, site, number) or _added(connection, site.code, facts, bodies)

    return until_first(once)


def versions(where: Place, mine: str, limit: int = 100, before: int | None = None) -> list[SiteVersion]:
    """The newest versions first, at most `limit`, those below `before`."""
    query = select(site_versions).where(site_versions.c.mine == mine)
    if before is not None:
        query = query.where(site_versions.c.version < before)
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(site_versions.c.version.desc()).limit(limit)).all()
    return [SiteVersion(*row) for row in rows]


def version_at(where: Place, mine: str, at: int) -> SiteVersion | None:
    """The version that held at an instant (µs UTC), None before the first."""
    with connect(where).connect() as connection:
        row = connection.execute(
            select(site_versions)
            .where(site_versions.c.mine == mine, site_versions.c.at <= at)
            .order_by(site_versions.c.version.desc())
            .limit(1)
        ).first()
    return None if row is None else SiteVersion(*row)


def newest_number(where: Place, mine: str) -> int:
    """The highest number on the bus that is kept, 0 for none."""
    with connect(where).connect() as connection:
        found = connection.execute(select(func.max(site_versions.c.number)).where(site_versions.c.mine == mine))
        return found.scalar() or 0


def newest_published(where: Place, mine: str) -> SiteVersion | None:
    """The version that holds: the newest of the bus that is kept, None where none was ever published and what runs is
    what each process loaded as it started. What stands in a folder holds only once it is published."""
    with connect(where).connect() as connection:
        row = connection.execute(
            select(site_versions)
            .where(site_versions.c.mine == mine, site_versions.c.number.is_not(None))
            .order_by(site_versions.c.number.desc())
            .limit(1)
        ).first()
    return None if row is None else SiteVersion(*row)


def counts(where: Place, mine: str, version: int) -> dict[str, int]:
    """How many parts of each kind a version has. Raises UnknownVersion."""
    with connect(where).connect() as connection:
        _check(connection, mine, version)
        found = connection.execute(
            select(site_parts.c.kind, func.count()).where(_at(mine, version)).group_by(site_parts.c.kind)
        ).all()
    have: dict[str, int] = dict(found)
    return {kind: have.get(kind, 0) for kind in KINDS}


def parts_at(
    where: Place, mine: str, version: int, kind: str, names: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The parts of one kind as a version has them, by name; of these `names` only, where given."""
    return {name: body for name, (_, body) in parts_since(where, mine, version, kind, names).items()}


def parts_since(
    where: Place, mine: str, version: int, kind: str, names: Iterable[str] | None = None
) -> dict[str, tuple[int, dict[str, Any]]]:
    """As `parts_at`, each with the version that brought it to what it is. Raises UnknownVersion."""
    query = select(site_parts.c["name", "since", "body"]).where(_at(mine, version), site_parts.c.kind == kind)
    if names is not None:
        query = query.where(site_parts.c.name.in_(list(names)))
    with connect(where).connect() as connection:
        _check(connection, mine, version)
        rows = connection.execute(query.order_by(site_parts.c.name)).all()
    return {name: (since, json.loads(body)) for name, since, body in rows}


def history_of(where: Place, mine: str, kind: str, name: str) -> list[tuple[SiteVersion, dict[str, Any]]]:
    """One part's facts with the versions that brought them, oldest first."""
    joined = site_parts.join(
        site_versions,
        and_(site_versions.c.mine == site_parts.c.mine, site_versions.c.version == site_parts.c.since),
    )
    query = (
        select(*site_versions.c, site_parts.c.body)
        .select_from(joined)
        .where(site_parts.c.mine == mine, site_parts.c.kind == kind, site_parts.c.name == name)
        .order_by(site_parts.c.since)
    )
    with connect(where).connect() as connection:
        return [(SiteVersion(*row[:-1]), json.loads(row[-1])) for row in connection.execute(query)]


def difference(where: Place, mine: str, old: int, new: int) -> list[PartChange]:
    """What differs from one version to another, by kind and name. Raises UnknownVersion."""
    first, last = sorted((old, new))
    touched = or_(
        and_(site_parts.c.since > first, site_parts.c.since <= last),
        and_(site_parts.c.until > first, site_parts.c.until <= last),
    )
    query = select(site_parts.c["kind", "name", "since", "until", "body"]).where(site_parts.c.mine == mine, touched)
    with connect(where).connect() as connection:
        for version in (old, new):
            _check(connection, mine, version)
        rows = connection.execute(query).all()
    then: dict[Part, str] = {}
    now: dict[Part, str] = {}
    for kind, name, since, until, body in rows:
        for version, found in ((old, then), (new, now)):
            if since <= version and (until is None or until > version):
                found[kind, name] = body
    changes = []
    for kind, name in sorted(then.keys() | now.keys(), key=lambda part: (KINDS.index(part[0]), part[1])):
        before, after = (found.get((kind, name)) for found in (then, now))
        if before == after:
            continue  # changed, and changed back
        was, is_ = (None if text is None else json.loads(text) for text in (before, after))
        fields = {} if was is None or is_ is None else changed(was, is_)
        changes.append(PartChange(kind, name, was, is_, fields))
    return changes


def _known(connection: Connection, site: Site, number: int | None) -> SiteVersion | None:
    """The version that this site is already."""
    same = site_versions.c.number == number if number is not None else site_versions.c.digest == site.version
    row = connection.execute(
        select(site_versions)
        .where(site_versions.c.mine == site.code, same)
        .order_by(site_versions.c.version.desc())
        .limit(1)
    ).first()
    return None if row is None else SiteVersion(*row)


def _added(
    connection: Connection,
    mine: str,
    facts: tuple[str, str, int, str, int | None, int | None],
    bodies: dict[Part, str],
) -> SiteVersion:
    digest, who, at, note_, number, back_to = facts
    last = connection.execute(select(func.max(site_versions.c.version)).where(site_versions.c.mine == mine)).scalar()
    made = SiteVersion(mine, (last or 0) + 1, digest, number, who, at, note_, back_to)
    connection.execute(
        insert(site_versions).values(
            {
                name: getattr(made, name)
                for name in ("mine", "version", "digest", "number", "who", "at", "note", "back_to")
            }
        )
    )
    present = {
        (kind, name): body
        for kind, name, body in connection.execute(
            select(site_parts.c["kind", "name", "body"]).where(site_parts.c.mine == mine, site_parts.c.until.is_(None))
        )
    }
    ended = [part for part, body in present.items() if bodies.get(part) != body]
    begun = [part for part, body in bodies.items() if present.get(part) != body]
    for start in range(0, len(ended), _ROWS):
        connection.execute(
            update(site_parts)
            .where(
                site_parts.c.mine == mine,
                site_parts.c.until.is_(None),
                tuple_(site_parts.c.kind, site_parts.c.name).in_(ended[start : start + _ROWS]),
            )
            .values(until=made.version)
        )
    if begun:
        connection.execute(
            insert(site_parts),
            [
                {
                    "mine": mine,
                    "kind": kind,
                    "name": name,
                    "since": made.version,
                    "until": None,
                    "body": bodies[kind, name],
                }
                for kind, name in begun
            ],
        )
    told = {"digest": digest, "number": number, "note": note_, "back_to": back_to}
    told |= {"parts_begun": len(begun), "parts_ended": len(ended)}
    note(connection, "site.version", f"{mine}/{made.version}", after=told, who=who, origin="bus" if number else "files")
    return made


def _at(mine: str, version: int) -> Any:
    return and_(
        site_parts.c.mine == mine,
        site_parts.c.since <= version,
        or_(site_parts.c.until.is_(None), site_parts.c.until > version),
    )


def _check(connection: Connection, mine: str, version: int) -> None:
    row = connection.execute(
        select(func.min(site_versions.c.version), func.max(site_versions.c.version)).where(site_versions.c.mine == mine)
    ).one()
    if row[0] is None or not row[0] <= version <= row[1]:
        raise UnknownVersion(version, None if row[0] is None else (row[0], row[1]))
