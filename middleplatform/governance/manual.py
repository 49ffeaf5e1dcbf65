"""Values and events that people enter or correct: each is a version with user and reason, holds once somebody else has
approved it, and leaves what was there before on record.

An approved entry gets a batch number above any that a gateway gives (numbers of gateways are clocks, below 2^62): a
gateway that tells the same instant again cannot undo what a person corrected; a later entry can.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import tokens
from middleplatform.database.tables.manual import manual_entries as table
from middleplatform.database.tables.manual import manual_samples
from middleplatform.governance.turns import until_first
from models.identity import MANUAL_FLOOR

MAX_SAMPLES = 5_000
"""Of one entry."""
MAX_SPAN = 7 * 86_400_000_000
"""µs from an entry's first sample to its last."""
MAX_WAITING = 10_000
"""Entries of a mine that wait for a decision."""
_TOKEN = re.compile(r"token:([0-9]{1,9}):", re.ASCII)
STATES = ("waiting", "approved", "rejected", "withdrawn")


class ManualRefused(Exception):
    """It cannot be done: `code` for programs, words for people."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as `middleplatform.database.tables.manual` describes it. `body` and `was`: of an event."""

    id: int
    mine: str
    kind: str
    subject: str
    start: int
    end: int | None
    body: dict[str, Any] | None
    was: dict[str, Any] | None
    reason: str
    who: str
    at: int
    state: str
    decided_by: str | None
    decided_at: int | None
    decision: str | None
    number: int | None
    kept: int | None
    published: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """Samples as columns of equal length: `ts` rising, µs; `value` NaN where there is none."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    text: tuple[str | None, ...]


def enter_values(where: Place, mine: str, point: str, told: Told, reason: str, who: str) -> Entry:
    """Ask for samples of a point to be entered or corrected. Raises ManualRefused."""
    first, last = int(told.ts[0]), int(told.ts[-1])
    rows = [
        {"ts": ts, "value": None if np.isnan(value) else value, "quality": quality, "text": text}
        for ts, value, quality, text in zip(
            told.ts.tolist(), told.value.tolist(), told.quality.tolist(), told.text, strict=True
        )
    ]
    with connect(where).begin() as connection:
        entry = _insert(connection, mine, "value", point, first, last, reason, who)
        connection.execute(insert(manual_samples), [{"entry": entry, **row} for row in rows])
        return _get(connection, mine, entry)


def enter_event(
    where: Place, mine: str, equipment: str, body: dict[str, Any], was: dict[str, Any] | None, reason: str, who: str
) -> Entry:
    """Ask for an event (`body`: id or "", kind, start, end, quality, attributes) to be entered, or corrected where
    there `was` one. Raises ManualRefused."""
    with connect(where).begin() as connection:
        entry = _insert(connection, mine, "event", equipment, body["start"], body["end"], reason, who)
        texts = (json.dumps(each, ensure_ascii=False) if each is not None else None for each in (body, was))
        connection.execute(
            update(table).where(table.c.id == entry).values(dict(zip(("body", "was"), texts, strict=True)))
        )
        return _get(connection, mine, entry)


def decide(where: Place, mine: str, entry: int, who: str, *, approve: bool, reason: str = "") -> Entry:
    """Approve or reject an entry of somebody else's. Raises ManualRefused: not there, decided already, one's own."""

    def once() -> Entry:
        with connect(where).begin() as connection:
            found = _waiting(connection, mine, entry)
            if _person(connection, found.who) == _person(connection, who):
                raise ManualRefused(
                    "own_entry",
                    "不能审批自己录入的数据，请由他人审批",
                    "nobody decides on an entry of one's own: ask another",
                )
            number = _next_number(connection) if approve else None
            return _decided(connection, found, "approved" if approve else "rejected", who, reason, number)

    return until_first(once)


def withdraw(where: Place, mine: str, entry: int, who: str) -> Entry:
    """Take back an entry of one's own that nobody decided on. Raises ManualRefused."""
    with connect(where).begin() as connection:
        found = _waiting(connection, mine, entry)
        if _person(connection, found.who) != _person(connection, who):
            raise ManualRefused("not_own_entry", "只能撤回自己录入的数据", "only whoever made an entry may withdraw it")
        return _decided(connection, found, "withdrawn", who, "", None)


def get(where: Place, mine: str, entry: int) -> Entry:
    """One entry. Raises ManualRefused when there is none."""
    with connect(where).connect() as connection:
        return _get(connection, mine, entry)


def entries(
    where: Place,
    mine: str,
    state: str = "",
    subjects: Sequence[str] | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[Entry]:
    """The newest first, of these subjects only where given."""
    query = select(table).where(table.c.mine == mine)
    if state:
        query = query.where(table.c.state == state)
    if subjects is not None:
        query = query.where(table.c.subject.in_(list(subjects)))
    if before is not None:
        query = query.where(table.c.id < before)
    with connect(where).connect() as connection:
        return [_entry(row) for row in connection.execute(query.order_by(table.c.id.desc()).limit(limit))]


def samples(where: Place, entry: int) -> list[dict[str, Any]]:
    """An entry's samples with what was there before, by time."""
    query = select(manual_samples).where(manual_samples.c.entry == entry).order_by(manual_samples.c.ts)
    with connect(where).connect() as connection:
        return [_plain(row) for row in connection.execute(query)]


def firsts(where: Place, found: Sequence[Entry]) -> dict[int, tuple[int, dict[str, Any]]]:
    """Of entries of values, by their numbers: how many samples each has, and the first of them."""
    starts = {each.id: each.start for each in found if each.kind == "value"}
    own = manual_samples.c.entry.in_(list(starts))
    counted = select(manual_samples.c.entry, func.count()).where(own).group_by(manual_samples.c.entry)
    first = (
        select(manual_samples.c["entry", "ts", "value", "quality", "text"])
        .join(table, and_(table.c.id == manual_samples.c.entry, table.c.start == manual_samples.c.ts))
        .where(own)
    )
    with connect(where).connect() as connection:
        counts = {entry: int(count) for entry, count in connection.execute(counted)}
        rows = [_plain(row) for row in connection.execute(first)]
    return {(entry := int(row.pop("entry"))): (counts[entry], row) for row in rows}


def versions(where: Place, mine: str, point: str, start: int, end: int, limit: int) -> list[dict[str, Any]]:
    """Every published sample of a point with start ≤ ts < end: by time, and of one time the first entry first, so that
    the `was_*` of the first is what the device had said and the last is what holds."""
    query = (
        select(manual_samples, table.c["number", "reason", "who", "at", "decided_by", "decided_at"])
        .join(table, table.c.id == manual_samples.c.entry)
        .where(
            table.c.mine == mine,
            table.c.subject == point,
            table.c.published.is_not(None),
            manual_samples.c.ts >= start,
            manual_samples.c.ts < end,
        )
        .order_by(manual_samples.c.ts, table.c.number)
        .limit(limit)
    )
    with connect(where).connect() as connection:
        return [_plain(row) for row in connection.execute(query)]


def touching(where: Place, mine: str, subject: str, start: int, end: int, limit: int = 100) -> list[Entry]:
    """Published entries of a subject that touch start ≤ t < end, oldest first."""
    query = (
        select(table)
        .where(
            table.c.mine == mine,
            table.c.subject == subject,
            table.c.published.is_not(None),
            table.c.start < end,
            or_(table.c.end.is_(None), table.c.end >= start),
        )
        .order_by(table.c.number)
        .limit(limit)
    )
    with connect(where).connect() as connection:
        return [_entry(row) for row in connection.execute(query)]


def due(where: Place, mine: str) -> list[Entry]:
    """Approved entries that are not on the bus yet, in the order of their numbers."""
    query = select(table).where(table.c.mine == mine, table.c.state == "approved", table.c.published.is_(None))
    with connect(where).connect() as connection:
        return [_entry(row) for row in connection.execute(query.order_by(table.c.number).limit(100))]


def keep(where: Place, entry: int, was: Sequence[dict[str, Any]]) -> None:
    """Record what the store had before an entry: rows of ts, value, quality, text. Once; later calls change nothing."""
    with connect(where).begin() as connection:
        mine = update(table).where(table.c.id == entry, table.c.kept.is_(None)).values(kept=_now())
        if not connection.execute(mine).rowcount or not was:
            return
        connection.execute(
            update(manual_samples)
            .where(manual_samples.c.entry == entry, manual_samples.c.ts == bindparam("b_ts"))
            .values(was_value=bindparam("b_value"), was_quality=bindparam("b_quality"), was_text=bindparam("b_text")),
            [{f"b_{name}": row[name] for name in ("ts", "value", "quality", "text")} for row in was],
        )


def published(where: Place, entry: int) -> None:
    """The bus has an entry on disk."""
    with connect(where).begin() as connection:
        connection.execute(update(table).where(table.c.id == entry).values(published=_now()))


def _person(connection: Connection, who: str) -> str:
    """The user behind a name in records: of a token (`token:<id>:<name>`) the user who made it, or else itself. Nobody
    gets a second pair of eyes by making a token."""
    number = _TOKEN.match(who)
    maker = number and connection.execute(select(tokens.c.maker).where(tokens.c.id == int(number[1]))).scalar()
    return maker or who


def _insert(
    connection: Connection, mine: str, kind: str, subject: str, start: int, end: int | None, reason: str, who: str
) -> int:
    waiting = select(func.count()).select_from(table).where(table.c.mine == mine, table.c.state == "waiting")
    if (connection.execute(waiting).scalar() or 0) >= MAX_WAITING:
        raise ManualRefused(
            "too_many_waiting",
            f"待审批已达 {MAX_WAITING} 条，请先审批",
            f"{MAX_WAITING} entries wait: decide on them first",
        )
    facts = {"mine": mine, "kind": kind, "subject": subject, "start": start, "end": end, "reason": reason}
    made = connection.execute(insert(table).values({**facts, "who": who, "at": _now(), "state": "waiting"}))
    number = int(made.inserted_primary_key[0])
    note(connection, f"manual.{kind}", subject, after={"entry": number, **facts}, who=who)
    return number


def _get(connection: Connection, mine: str, entry: int) -> Entry:
    row = connection.execute(select(table).where(table.c.mine == mine, table.c.id == entry)).first()
    if row is None:
        raise ManualRefused("unknown_entry", f"没有人工录入 {entry}", f"there is no manual entry {entry}")
    return _entry(row)


def _waiting(connection: Connection, mine: str, entry: int) -> Entry:
    found = _get(connection, mine, entry)
    if found.state != "waiting":
        raise ManualRefused("decided", f"该录入已处理：{found.state}", f"this entry is {found.state} already")
    return found


def _decided(connection: Connection, entry: Entry, state: str, who: str, reason: str, number: int | None) -> Entry:
    values = {"state": state, "decided_by": who, "decided_at": _now(), "decision": reason, "number": number}
    changed = connection.execute(
        update(table).where(and_(table.c.id == entry.id, table.c.state == "waiting")).values(values)
    )
    if changed.rowcount == 0:  # somebody else decided meanwhile
        raise ManualRefused("decided", "该录入已由他人处理", "somebody has decided on this entry already")
    told = {"entry": entry.id, "state": state, "reason": reason}
    note(connection, f"manual.{state}", entry.subject, before={"state": entry.state}, after=told, who=who)
    return _get(connection, entry.mine, entry.id)


def _next_number(connection: Connection) -> int:
    highest = connection.execute(select(func.max(table.c.number))).scalar() or 0
    return max(MANUAL_FLOOR + _now(), int(highest) + 1)


def _entry(row: Any) -> Entry:
    facts = dict(row._mapping)
    for name in ("body", "was"):
        facts[name] = None if facts[name] is None else json.loads(facts[name])
    return Entry(**facts)


def _plain(row: Any) -> dict[str, Any]:
    """A row under plain text: the names of columns are of a class of their own, which JSON's writer does not take."""
    return {str(name): value for name, value in row._mapping.items()}


def _now() -> int:
    return time.time_ns() // 1000
