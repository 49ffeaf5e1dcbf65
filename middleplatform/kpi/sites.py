"""The site as it was: each version that figures were made by, kept with what of it they need, and since when it holds.

Files change in place; a day that is made again after months must be judged by the equipment that was there then. How
devices are reached is no part of it, and so no secret either.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pydantic import TypeAdapter
from sqlalchemy import insert, select

from middleplatform.database import Place, connect
from middleplatform.database.tables.kpi import kpi_sites as table
from middleplatform.governance.turns import until_first
from models.basis import Basis
from models.kpi.calendar import Calendar
from models.patrol import Chamber
from models.site.model import Area, Connection, Equipment, Linkage, Name, Point, Shift, Site, TemplateFacts

FIRST = -(2**62)
"""Since when the first version holds: for all days before it too, which were filled in later."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What figures need of a site; of its connections how often they read. `rated` stands apart, as its keys are
    pairs."""

    code: str
    name: Name
    capacity_kt: int
    gas_class: str
    time_zone: str
    version: str
    areas: Mapping[str, Area]
    equipment: Mapping[str, Equipment]
    points: tuple[Point, ...]
    shifts: tuple[Shift, ...]
    templates: Mapping[str, TemplateFacts]
    chambers: Mapping[str, Chamber]
    connections: Mapping[str, Connection]
    basis: Basis
    rated: tuple[tuple[str, str, float], ...] = field(default=())
    linkages: tuple[Linkage, ...] = ()
    """By which a machine's trip stops another: of two such standstills one is the cause."""


_FACTS = TypeAdapter(_Facts)
_OWN = tuple(name for name in _Facts.__dataclass_fields__ if name not in ("points", "connections", "basis", "rated"))


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a day in which one version of the site held: `start` to before `end`, µs UTC."""

    site: Site
    start: int
    end: int


def needed(site: Site) -> Site:
    """What of a site its figures need; the same whether it was loaded or kept."""
    return _site(_facts(site))


def adopt(where: Place, site: Site, at: int | None = None) -> bool:
    """From `at` (µs UTC, now by default) on this is the mine's site; the first one always was. Whether it is another
    version than before."""

    def once() -> bool:
        with connect(where).begin() as connection:
            newest = connection.execute(
                select(table.c.version).where(table.c.mine == site.code).order_by(table.c.since.desc()).limit(1)
            ).scalar_one_or_none()
            if newest == site.version:
                return False
            now = time.time_ns() // 1000 if at is None else at
            since = FIRST if newest is None else now
            connection.execute(
                insert(table).values(mine=site.code, since=since, version=site.version, body=_packed(site))
            )
            return True

    return until_first(once)


def kept(where: Place, mine: str, version: str | None = None) -> Site | None:
    """The site by which figures were made last, or last by this version, with what figures need of it; None where they
    never were."""
    query = select(table.c.body).where(table.c.mine == mine)
    if version is not None:
        query = query.where(table.c.version == version)
    with connect(where).connect() as connection:
        body = connection.execute(query.order_by(table.c.since.desc()).limit(1)).scalar_one_or_none()
    return None if body is None else _unpacked(bytes(body))


def parts(where: Place, mine: str, start: int, end: int) -> tuple[Part, ...]:
    """The versions that held in [start, end), in their order, without gap or overlap; none where none is kept."""
    query = select(table.c.since, table.c.version).where(table.c.mine == mine, table.c.since < end)
    with connect(where).connect() as connection:
        rows = connection.execute(query.order_by(table.c.since)).all()
        ends = [*(row.since for row in rows), end][1:]
        held = [(row, until) for row, until in zip(rows, ends, strict=True) if until > start]
        bodies = {
            row.since: connection.execute(
                select(table.c.body).where(table.c.mine == mine, table.c.since == row.since)
            ).scalar_one()
            for row, _ in held
        }
    return tuple(
        Part(_unpacked(bytes(bodies[row.since])), max(row.since, start), min(until, end)) for row, until in held
    )


def calendar(where: Place, site: Site) -> Calendar:
    """The mine's days as they were, of all versions that are kept; by this one where none is."""
    with connect(where).connect() as connection:
        query = select(table.c.since, table.c.body).where(table.c.mine == site.code).order_by(table.c.since)
        all_ = [(row.since, _unpacked(bytes(row.body))) for row in connection.execute(query)]
    clocks = [(since, own) for n, (since, own) in enumerate(all_) if not n or _clock(own) != _clock(all_[n - 1][1])]
    ends = [*(since for since, _ in clocks), math.inf][1:]
    return Calendar(tuple((own, until) for (_, own), until in zip(clocks, ends, strict=True)) or ((site, math.inf),))


def _clock(site: Site) -> object:
    return site.time_zone, [(shift.start, shift.end) for shift in site.shifts]


def _packed(site: Site) -> bytes:
    told = json.dumps(_FACTS.dump_python(_facts(site), mode="json")).encode()  # which knows Infinity
    packed: bytes = pa.compress(told, codec="zstd", asbytes=True)
    return len(told).to_bytes(8, "big") + packed


def _unpacked(body: bytes) -> Site:
    size = int.from_bytes(body[:8], "big")
    return _site(_FACTS.validate_json(pa.decompress(body[8:], size, codec="zstd", asbytes=True)))


def _facts(site: Site) -> _Facts:
    return _Facts(
        **{name: getattr(site, name) for name in _OWN},
        points=tuple(replace(point, options={}) for point in site.points),
        connections={name: replace(each, settings={}) for name, each in site.connections.items()},
        basis=replace(site.basis, rated={}),
        rated=tuple((equipment, role, value) for (equipment, role), value in sorted(site.basis.rated.items())),
    )


def _site(facts: _Facts) -> Site:
    rated = {(equipment, role): value for equipment, role, value in facts.rated}
    return Site(
        **{name: getattr(facts, name) for name in _OWN},
        connections=facts.connections,
        points=facts.points,
        basis=replace(facts.basis, rated=rated),
    )
