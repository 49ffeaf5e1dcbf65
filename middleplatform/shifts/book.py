"""The shift log and the hand-overs in the relational store.

An entry is never changed: what was wrong is corrected by another one. A hand-over is signed by two: the one who goes
offers it, with what is open at that moment, and the one who comes takes it. Each step is audited in its own
transaction.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.shifts import shift_entries as log
from middleplatform.database.tables.shifts import shift_handovers as handovers
from middleplatform.shifts.open_things import LEFT_OUT, left_out
from middleplatform.shifts.turn import Turn

LONGEST = 2_000
"""Characters of an entry, or of what is said at a hand-over."""


class ShiftError(Exception):
    """What cannot be written or signed: `code` for programs, and why in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.code, self.zh, self.en = code, zh, en


class State(StrEnum):
    OFFERED = "offered"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Entry:
    """`day`: ISO, the local date on which the shift began; `shift`: its Chinese name; `subject`: a path, or "";
    `corrects`: the entry that this one corrects. Times µs UTC."""

    id: int
    mine: str
    day: str
    shift: str
    at: int
    who: str
    subject: str
    words: str
    corrects: int | None


@dataclass(frozen=True, slots=True)
class Handover:
    """`open`: what was open when it was offered, see `open_things`. `goes` signed at `at`, `comes` at `taken` (µs
    UTC)."""

    id: int
    mine: str
    day: str
    shift: str
    at: int
    goes: str
    words: str
    open: Mapping[str, Any]
    state: State
    comes: str
    taken: int | None
    remarks: str


def write(
    where: Place, mine: str, turn: Turn, who: str, words: str, subject: str = "", corrects: int | None = None
) -> Entry:
    """Write an entry into the log of a shift. Raises ShiftError."""
    _check(words, least=1)
    row = {
        "mine": mine, "day": turn.day.isoformat(), "shift": turn.name.zh, "at": _now(), "who": who,
        "subject": subject or None, "words": words.strip(), "corrects": corrects,
    }  # fmt: skip
    with connect(where).begin() as connection:
        if corrects is not None:
            known = select(log.c.id).where(log.c.id == corrects, log.c.mine == mine)
            if connection.execute(known).first() is None:
                raise ShiftError("unknown_entry", f"没有记录 {corrects}", f"there is no entry {corrects}")
        key = connection.execute(insert(log).values(row)).inserted_primary_key
        number = 0 if key is None else int(key[0])
        note(connection, "shift.write", f"{mine}: {row['day']} {row['shift']} #{number}", after=row, who=who)
        return _entry(connection.execute(select(log).where(log.c.id == number)).one())


def entries(
    where: Place, mine: str, *, day: str = "", shift: str = "", before: int | None = None, limit: int = 100
) -> list[Entry]:
    """The newest first, those whose number is below `before`; of one day and shift when they are given."""
    query = select(log).where(log.c.mine == mine).order_by(log.c.id.desc()).limit(limit)
    for column, wanted in ((log.c.day, day), (log.c.shift, shift)):
        if wanted:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(log.c.id < before)
    with connect(where).connect() as connection:
        return [_entry(row) for row in connection.execute(query)]


def offer(where: Place, mine: str, turn: Turn, who: str, words: str, things: Mapping[str, Any]) -> Handover:
    """Hand over a shift, with what is open: the one who goes signs. Raises ShiftError while another offer waits."""
    _check(words)
    row = {
        "mine": mine, "day": turn.day.isoformat(), "shift": turn.name.zh, "at": _now(), "goes": who,
        "words": words.strip(), "open": json.dumps(things, ensure_ascii=False), "state": str(State.OFFERED),
    }  # fmt: skip
    with connect(where).begin() as connection:
        key = connection.execute(insert(handovers).values(row)).inserted_primary_key
        number = 0 if key is None else int(key[0])
        # The audit log lets one in at a time: whoever comes second sees from here on what the first has offered.
        note(
            connection, "shift.offer", f"{mine}: {row['day']} {row['shift']} #{number}", after=_counts(things), who=who
        )
        waiting = select(handovers.c.id, handovers.c.goes).where(
            handovers.c.mine == mine, handovers.c.state == str(State.OFFERED), handovers.c.id != number
        )
        other = connection.execute(waiting).first()
        if other is not None:
            raise ShiftError(
                "offered_already",
                f"{other.goes} 的交班 {other.id} 尚未接班",
                f"the hand-over {other.id} of {other.goes} waits to be taken",
            )
        return _one(connection, mine, number)


def take(where: Place, mine: str, number: int, who: str, remarks: str = "") -> Handover:
    """Take a shift over: the one who comes signs, and is another one. Raises ShiftError."""
    _check(remarks)
    with connect(where).begin() as connection:
        before = _offered(connection, mine, number)
        if before.goes == who:
            raise ShiftError("own_handover", "交班人不能自己接班", "nobody takes over from themselves")
        row = {"state": str(State.TAKEN), "comes": who, "taken": _now(), "remarks": remarks.strip() or None}
        connection.execute(update(handovers).where(handovers.c.id == number).values(row))
        after = {"goes": before.goes, "comes": who, "remarks": remarks}
        note(connection, "shift.take", f"{mine}: {before.day} {before.shift} #{number}", after=after, who=who)
        return _one(connection, mine, number)


def withdraw(where: Place, mine: str, number: int, who: str) -> Handover:
    """Take an own offer back that nobody has taken. Raises ShiftError."""
    with connect(where).begin() as connection:
        before = _offered(connection, mine, number)
        if before.goes != who:
            raise ShiftError("not_own_handover", "只能撤回自己的交班", "only an own hand-over is withdrawn")
        connection.execute(update(handovers).where(handovers.c.id == number).values(state=str(State.WITHDRAWN)))
        note(connection, "shift.withdraw", f"{mine}: {before.day} {before.shift} #{number}", who=who)
        return _one(connection, mine, number)


def find(where: Place, mine: str, number: int) -> Handover:
    """Raises ShiftError when there is none."""
    with connect(where).connect() as connection:
        return _one(connection, mine, number)


def listed(where: Place, mine: str, *, before: int | None = None, limit: int = 100) -> list[Handover]:
    """Hand-overs, the newest first, those whose number is below `before`."""
    query = select(handovers).where(handovers.c.mine == mine).order_by(handovers.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(handovers.c.id < before)
    with connect(where).connect() as connection:
        return [_handover(row) for row in connection.execute(query)]


def _offered(connection: Connection, mine: str, number: int) -> Handover:
    """The hand-over, which nobody else changes until the transaction ends. Raises ShiftError unless it is offered."""
    connection.execute(update(handovers).where(handovers.c.id == number).values(mine=handovers.c.mine))
    found = _one(connection, mine, number)
    if found.state is not State.OFFERED:
        raise ShiftError("wrong_state", f"交班 {number} 已处理", f"the hand-over {number} is {found.state}")
    return found


def _one(connection: Connection, mine: str, number: int) -> Handover:
    row = connection.execute(select(handovers).where(handovers.c.id == number, handovers.c.mine == mine)).first()
    if row is None:
        raise ShiftError("unknown_handover", f"没有交班 {number}", f"there is no hand-over {number}")
    return _handover(row)


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.id, row.mine, row.day, row.shift, row.at, row.who, row.subject or "", row.words, row.corrects)


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.id, row.mine, row.day, row.shift, row.at, row.goes, row.words, json.loads(row.open), State(row.state),
        row.comes or "", row.taken, row.remarks or "",
    )  # fmt: skip


def _counts(things: Mapping[str, Any]) -> dict[str, int]:
    counts = {name: len(each) for name, each in things.items() if name != LEFT_OUT}
    return {name: count + left_out(things).get(name, 0) for name, count in counts.items()}


def _check(words: str, least: int = 0) -> None:
    if not least <= len(words.strip()) <= LONGEST:
        raise ShiftError(
            "invalid_words", f"应为 {least} 至 {LONGEST} 字", f"a text has {least} to {LONGEST} characters"
        )


def _now() -> int:
    return time.time_ns() // 1000
