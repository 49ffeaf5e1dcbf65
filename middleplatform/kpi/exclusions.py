"""Time left out of the figures: asked for by tickets within limits, approved by others, and what then is in force."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from middleplatform.database import Place
from middleplatform.tickets import book
from middleplatform.tickets.book import Kind, State, Ticket, TicketError
from models.kpi import exclusions
from models.kpi.calendar import Calendar, day_of, days
from models.kpi.day import Excluded
from models.kpi.exclusions import Cause, Key, Left
from models.site.model import Site
from models.spans import Spans
from models.utilisation.rules import standard
from models.utilisation.units import Unit, units

_ASKED = (State.WAITING, State.APPROVED, State.CLOSED)
_IN_FORCE = (State.APPROVED, State.CLOSED)
_MONTH_US = 32 * 86_400_000_000


def ask(
    where: Place,
    site: Site,
    cause: Cause,
    who: str,
    reason: str,
    names: Sequence[str],
    start: int,
    end: int | None,
    needed: int = 1,
) -> Ticket:
    """Ask for [start, end) µs UTC of units, each named by its own id or path, to be left out. As many others approve as
    its cause needs, or more. Raises TicketError: `not_a_unit`, `no_end`, `over_limit`."""
    if end is None:
        raise TicketError("no_end", "剔除时段须写明结束时间", "time that is left out has an end")
    day = day_of(site, start)
    version = standard().at(day)
    known = units(site, version) if version else ()
    extent = [f"{site.code}/{name.removeprefix(f'{site.code}/')}" for name in names]
    for path in extent:
        if not exclusions.named(known, site.code, [path]):
            raise _no_unit(path.removeprefix(f"{site.code}/"), known)
    asked = _left(cause, exclusions.named(known, site.code, extent), start, end)

    def check(connection: Connection, ticket: Ticket) -> None:
        around = max(start - _MONTH_US, 0), end + _MONTH_US
        others = book.overlapping(connection, site.code, Kind.EXCLUDED_TIME, _ASKED, *around)
        told = _found(others, site.code, known)
        told.pop(ticket.id, None)
        if (why := exclusions.refusal(asked, ticket.at, list(told.values()), site)) is not None:
            raise TicketError("over_limit", why.zh, why.en)

    least = exclusions.standard().at(day).causes[cause].approvals
    return book.open_ticket(
        *(where, site.code, Kind.EXCLUDED_TIME, who, reason, extent, start, end, max(needed, least)),
        cause=str(cause),
        check=check,
    )


def approve(where: Place, site: Site, number: int, who: str, words: str = "", at: int | None = None) -> Ticket:
    """Approve, as long as its cause allows after it ended. `at`: µs UTC, now by default. Raises TicketError:
    `too_late`, and as `decide` of tickets does."""
    now = time.time_ns() // 1000 if at is None else at

    def check(ticket: Ticket) -> None:
        if ticket.cause and ticket.end is not None:
            left = _left(Cause(ticket.cause), (), ticket.start, ticket.end)
            if (why := exclusions.too_late(left, now, site)) is not None:
                raise TicketError("too_late", why.zh, why.en)

    return book.decide(where, site.code, number, who, approve=True, words=words, check=check)


def excluded(
    where: Place, mine: str, span: tuple[int, int], of: Sequence[Unit]
) -> tuple[Mapping[Key, Spans], tuple[Excluded, ...]]:
    """What approved tickets leave out of a day of the mine, [start, end) µs UTC: by (category, unit id), and ticket by
    ticket. One that was closed early leaves out nothing from then on; one that waits, was rejected or withdrawn nothing
    at all."""
    tickets = book.overlapping(where, mine, Kind.EXCLUDED_TIME, _IN_FORCE, *span)
    found = exclusions.of_day(_found(tickets, mine, of), *span)
    told = tuple(
        Excluded(ticket, str(left.cause), *unit, left.start, left.end)
        for ticket, left in found.items()
        for unit in sorted(left.units)
    )
    return exclusions.spans(found.values()), told


def touched(where: Place, mine: str, calendar: Calendar, since: int) -> set[date]:
    """The days of the mine whose exclusions changed since an instant (µs UTC): something was decided, or closed."""
    tickets = book.overlapping(where, mine, Kind.EXCLUDED_TIME, _IN_FORCE, 0, 2**62)
    changed = [ticket for ticket in tickets if _changed(ticket) >= since]
    return {
        day
        for ticket in changed
        if ticket.end is not None
        for day in days(calendar.day_of(ticket.start), calendar.day_of(ticket.end - 1))
    }


def _changed(ticket: Ticket) -> int:
    return max([ticket.closed_at or 0, *(decision.at for decision in ticket.decisions)])


def _found(tickets: Sequence[Ticket], mine: str, known: Sequence[Unit]) -> dict[int, Left]:
    """By ticket: what it leaves out; those that name none of the units are left out."""
    found = {}
    for ticket in tickets:
        of = exclusions.named(known, mine, ticket.extent)
        end = min(each for each in (ticket.end, ticket.closed_at) if each is not None)
        if of and ticket.cause and end > ticket.start:
            found[ticket.id] = _left(Cause(ticket.cause), of, ticket.start, end)
    return found


def _left(cause: Cause, of: Sequence[Unit], start: int, end: int) -> Left:
    return Left(cause, frozenset((unit.category, unit.id) for unit in of), start, end)


def _no_unit(name: str, known: Sequence[Unit]) -> TicketError:
    whole = next((unit.id for unit in known if name in unit.equipment), None)
    if whole is not None:
        zh, en = f"，它属于 {whole}", f"; it is part of {whole}, which is"
    else:
        listed = ", ".join(sorted(unit.id for unit in known)[:20])
        zh, en = f"；可填：{listed}", f"; there are {listed}"
    return TicketError("not_a_unit", f"{name} 不是统计使用率的单元{zh}", f"'{name}' is no unit of the figures{en}")
