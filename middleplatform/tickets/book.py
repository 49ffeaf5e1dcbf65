"""The tickets of a mine: asked for by one, decided by others.

Nobody decides on an own ticket, and nobody twice; one that is refused by anybody is refused. Each step is audited in
its own transaction.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.tickets import ticket_approvals, tickets

MOST_EXTENT = 1000
MOST_NEEDED = 5
LONGEST = 500
"""Characters of a reason or note."""


class TicketError(Exception):
    """What a ticket cannot be, or what may not be done with it: `code` for programs, and why in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.code, self.zh, self.en = code, zh, en


class Kind(StrEnum):
    """What is asked for: that alarms are left out, that work is done, that something is allowed, that time is left out
    of the figures (`middleplatform.kpi.exclusions`)."""

    EXCLUSION = "exclusion"
    MAINTENANCE = "maintenance"
    APPROVAL = "approval"
    EXCLUDED_TIME = "excluded_time"


class State(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person decided, and when (µs UTC)."""

    who: str
    approved: bool
    note: str
    at: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """`extent`: paths of points, equipment and chambers; `start` to before `end` (None: until it is closed) is for when
    it is asked; `needed` have to approve; `cause`: why time is excluded, None of other kinds. Times µs UTC."""

    id: int
    mine: str
    kind: Kind
    state: State
    reason: str
    extent: tuple[str, ...]
    start: int
    end: int | None
    who: str
    at: int
    needed: int
    closed_at: int | None
    cause: str | None = None
    decisions: tuple[Decision, ...] = ()

    def holds(self, at: int) -> bool:
        """Whether it was, or is, in force at an instant."""
        if self.state not in {State.APPROVED, State.CLOSED}:
            return False
        end = min(end for end in (self.end, self.closed_at, at + 1) if end is not None)
        return self.start <= at < end


def open_ticket(
    where: Place,
    mine: str,
    kind: Kind,
    who: str,
    reason: str,
    extent: Sequence[str],
    start: int,
    end: int | None = None,
    needed: int = 1,
    cause: str | None = None,
    check: Callable[[Connection, Ticket], None] | None = None,
) -> Ticket:
    """Ask for something. `check` looks at it within the transaction and raises what it is refused by. Raises
    TicketError."""
    wrong = ("", "")
    if not 1 <= len(reason.strip()) <= LONGEST:
        wrong = (f"须有 1 至 {LONGEST} 字的理由", f"a ticket has a reason of 1 to {LONGEST} characters")
    elif not 1 <= len(extent) <= MOST_EXTENT or not all(1 <= len(path) <= 140 for path in extent):
        wrong = (f"须指明 1 至 {MOST_EXTENT} 个测点或设备", f"a ticket names 1 to {MOST_EXTENT} points or equipment")
    elif end is not None and end <= start:
        wrong = ("结束须晚于开始", "a ticket ends after it begins")
    elif not 1 <= needed <= MOST_NEEDED:
        wrong = (f"审批人数应为 1 至 {MOST_NEEDED}", f"a ticket needs 1 to {MOST_NEEDED} approvals")
    if any(wrong):
        raise TicketError("invalid_ticket", *wrong)
    row = {
        "mine": mine,
        "kind": str(kind),
        "state": str(State.WAITING),
        "reason": reason.strip(),
        "extent": json.dumps(sorted(set(extent)), ensure_ascii=False),
        "start": start,
        "end": end,
        "who": who,
        "at": _now(),
        "needed": needed,
        "cause": cause,
    }
    with connect(where).begin() as connection:
        key = connection.execute(insert(tickets).values(row)).inserted_primary_key
        ticket = _one(connection, mine, 0 if key is None else int(key[0]))
        if check is not None:
            check(connection, ticket)
        note(connection, "ticket.open", str(ticket.id), after=_told(ticket))
    return ticket


def decide(
    where: Place,
    mine: str,
    number: int,
    who: str,
    *,
    approve: bool,
    words: str = "",
    check: Callable[[Ticket], None] | None = None,
) -> Ticket:
    """Approve or reject. It is approved once as many have as it needs; `check` raises TicketError where it may not be
    any more. Raises TicketError."""
    if len(words) > LONGEST:
        raise TicketError("invalid_ticket", f"意见最多 {LONGEST} 字", f"a note has at most {LONGEST} characters")
    with connect(where).begin() as connection:
        before = _held(connection, mine, number, State.WAITING)
        if before.who == who:
            raise TicketError("own_ticket", "不能审批自己的申请", "nobody decides on an own ticket")
        if check is not None:
            check(before)
        decision = "approve" if approve else "reject"
        made = {"ticket": number, "who": who, "decision": decision, "note": words or None, "at": _now()}
        try:
            connection.execute(insert(ticket_approvals).values(made))
        except IntegrityError:
            raise TicketError(
                "decided_already", f"{who} 已审批过", f"'{who}' has decided on this ticket already"
            ) from None
        approvals = sum(each.approved for each in before.decisions) + approve
        if not approve:
            _set(connection, number, state=str(State.REJECTED), closed_at=_now())
        elif approvals >= before.needed:
            _set(connection, number, state=str(State.APPROVED))
        after = _one(connection, mine, number)
        note(connection, f"ticket.{decision}", str(number), before=_told(before), after=_told(after))
    return after


def withdraw(where: Place, mine: str, number: int, who: str) -> Ticket:
    """Take back an own ticket that waits. Raises TicketError."""
    with connect(where).begin() as connection:
        before = _held(connection, mine, number, State.WAITING)
        if before.who != who:
            raise TicketError("not_own_ticket", "只能撤回自己的申请", "only an own ticket is withdrawn")
        return _end(connection, before, State.WITHDRAWN)


def close(where: Place, mine: str, number: int) -> Ticket:
    """End an approved one: the work is done, the exclusion over. Raises TicketError."""
    with connect(where).begin() as connection:
        return _end(connection, _held(connection, mine, number, State.APPROVED), State.CLOSED)


def find(where: Place, mine: str, number: int) -> Ticket:
    """Raises TicketError when there is none."""
    with connect(where).connect() as connection:
        return _one(connection, mine, number)


def listed(
    where: Place, mine: str, *, state: State | None = None, before: int | None = None, limit: int = 100
) -> list[Ticket]:
    """The newest first, those whose number is below `before`."""
    query = select(tickets).where(tickets.c.mine == mine).order_by(tickets.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(tickets.c.state == str(state))
    if before is not None:
        query = query.where(tickets.c.id < before)
    with connect(where).connect() as connection:
        return _tickets(connection, connection.execute(query).all())


def in_force(where: Place, mine: str, at: int) -> list[Ticket]:
    """Those that were, or are, in force at an instant (µs UTC)."""
    query = select(tickets).where(
        tickets.c.mine == mine,
        tickets.c.state.in_((State.APPROVED, State.CLOSED)),
        tickets.c.start <= at,
        or_(tickets.c.end.is_(None), tickets.c.end > at),
        or_(tickets.c.closed_at.is_(None), tickets.c.closed_at > at),
    )
    with connect(where).connect() as connection:
        return _tickets(connection, connection.execute(query.order_by(tickets.c.id)).all())


def overlapping(
    where: Place | Connection, mine: str, kind: Kind, states: Collection[State], start: int, end: int
) -> list[Ticket]:
    """Those of a kind, in any of these states, that are asked for some of [start, end), µs UTC."""
    query = select(tickets).where(
        tickets.c.mine == mine,
        tickets.c.kind == str(kind),
        tickets.c.state.in_(sorted(states)),
        tickets.c.start < end,
        or_(tickets.c.end.is_(None), tickets.c.end > start),
    )
    if isinstance(where, Connection):
        return _tickets(where, where.execute(query.order_by(tickets.c.id)).all())
    with connect(where).connect() as connection:
        return overlapping(connection, mine, kind, states, start, end)


def _end(connection: Connection, before: Ticket, state: State) -> Ticket:
    _set(connection, before.id, state=str(state), closed_at=_now())
    after = _one(connection, before.mine, before.id)
    note(connection, f"ticket.{state}", str(before.id), before=_told(before), after=_told(after))
    return after


def _held(connection: Connection, mine: str, number: int, state: State) -> Ticket:
    """The ticket, which nobody else changes until the transaction ends. Raises TicketError unless it is in `state`."""
    # A write, if only of the same: SQLite lets no other writer in from here on, PostgreSQL holds the row.
    connection.execute(update(tickets).where(tickets.c.id == number).values(mine=tickets.c.mine))
    found = _one(connection, mine, number)
    if found.state != state:
        raise TicketError(
            "wrong_state", f"工单 {number} 状态为 {found.state}", f"ticket {number} is {found.state}, not {state}"
        )
    return found


def _set(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(tickets).where(tickets.c.id == number).values(values))


def _one(connection: Connection, mine: str, number: int) -> Ticket:
    rows = connection.execute(select(tickets).where(tickets.c.id == number, tickets.c.mine == mine)).all()
    if not rows:
        raise TicketError("unknown_ticket", f"没有工单 {number}", f"there is no ticket {number}")
    return _tickets(connection, rows)[0]


def _tickets(connection: Connection, rows: Sequence[Row]) -> list[Ticket]:
    table = ticket_approvals
    query = select(table).where(table.c.ticket.in_([row.id for row in rows])).order_by(table.c.at, table.c.who)
    decisions: dict[int, list[Decision]] = {}
    for each in connection.execute(query):
        decided = Decision(each.who, each.decision == "approve", each.note or "", each.at)
        decisions.setdefault(each.ticket, []).append(decided)
    return [
        Ticket(
            *(row.id, row.mine, Kind(row.kind), State(row.state), row.reason, tuple(json.loads(row.extent))),
            *(row.start, row.end, row.who, row.at, row.needed, row.closed_at, row.cause),
            tuple(decisions.get(row.id, ())),
        )
        for row in rows
    ]


def _told(ticket: Ticket) -> dict[str, Any]:
    """What the audit log tells of a ticket."""
    extent = list(ticket.extent[:20])
    more = {"more": len(ticket.extent) - 20} if len(ticket.extent) > 20 else {}
    facts = {"kind": ticket.kind, "state": ticket.state, "reason": ticket.reason, "extent": extent, **more}
    cause = {"cause": ticket.cause} if ticket.cause is not None else {}
    return {**facts, **cause, "start": ticket.start, "end": ticket.end, "needed": ticket.needed}


def _now() -> int:
    return time.time_ns() // 1000
