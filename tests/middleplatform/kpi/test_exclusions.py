"""Excluded time by tickets, on both databases: asked for, approved, in force, closed early."""

from __future__ import annotations

import math
import time
from datetime import date

import pytest

from middleplatform.audit.log import entries
from middleplatform.database import Place
from middleplatform.kpi import exclusions
from middleplatform.tickets import book
from middleplatform.tickets.book import Kind, State, Ticket, TicketError
from models.kpi.calendar import Calendar, bounds, day_of
from models.kpi.exclusions import HOUR_US, Cause
from models.site.model import Site
from models.spans import Spans
from models.utilisation.rules import standard
from models.utilisation.units import Unit, units
from sevenones.backfill.mine import site_of
from tests.models.utilisation.played import MINES

DAY_US = 24 * HOUR_US


@pytest.fixture(scope="module")
def site() -> Site:
    return site_of(MINES / "low", {})


@pytest.fixture(scope="module")
def known(site: Site) -> tuple[Unit, ...]:
    return units(site, standard().versions[-1])


@pytest.fixture(scope="module")
def day(site: Site) -> date:
    """One that is still to come: nothing here is asked for too late."""
    return day_of(site, time.time_ns() // 1000 + 3 * DAY_US)


def asked(place: Place, site: Site, day: date, cause: Cause = Cause.GEOLOGY, **more: object) -> Ticket:
    start, end = bounds(site, day)
    given = {"who": "olga", "reason": "fault F12", "names": ["shearer_1"], "start": start, "end": end, **more}
    return exclusions.ask(place, site, cause, **given)  # type: ignore[arg-type]


def test_it_counts_from_its_last_approval_on_and_is_audited(place, site, known, day) -> None:
    start, end = bounds(site, day)
    ticket = asked(place, site, day, names=["shearer_1", f"{site.code}/pump_room"], end=end + 5 * HOUR_US)
    assert (ticket.kind, ticket.cause, ticket.needed) == (Kind.EXCLUDED_TIME, "geology", 2)
    with pytest.raises(TicketError, match="own ticket"):
        book.decide(place, site.code, ticket.id, "olga", approve=True)
    book.decide(place, site.code, ticket.id, "ivan", approve=True)
    assert exclusions.excluded(place, site.code, bounds(site, day), known) == ({}, ())
    before = book.find(place, site.code, ticket.id).decisions[-1].at
    assert exclusions.touched(place, site.code, Calendar(((site, math.inf),)), 0) == set()
    book.decide(place, site.code, ticket.id, "pavel", approve=True)
    found, told = exclusions.excluded(place, site.code, bounds(site, day), known)
    assert found == {("face", "shearer_1"): Spans.whole(start, end), ("chamber", "pump_room"): Spans.whole(start, end)}
    assert [(each.ticket, each.kind, each.unit, each.start, each.end) for each in told] == [
        (ticket.id, "geology", "pump_room", start, end),
        (ticket.id, "geology", "shearer_1", start, end),
    ]
    following = day_of(site, end)
    assert exclusions.excluded(place, site.code, bounds(site, following), known)[0]["face", "shearer_1"] == Spans.whole(
        end, end + 5 * HOUR_US
    )
    assert exclusions.touched(place, site.code, Calendar(((site, math.inf),)), before) == {day, following}
    assert exclusions.touched(place, site.code, Calendar(((site, math.inf),)), time.time_ns() // 1000 + 1) == set()
    last = next(iter(entries(place, what="ticket.approve")))
    assert '"cause": "geology"' in (last.after or "")


def test_what_is_not_approved_leaves_out_nothing(place, site, known, day) -> None:
    asked(place, site, day)
    assert book.decide(place, site.code, asked(place, site, day).id, "ivan", approve=False).state is State.REJECTED
    book.withdraw(place, site.code, asked(place, site, day).id, "olga")
    assert exclusions.excluded(place, site.code, bounds(site, day), known) == ({}, ())


def test_one_that_is_closed_early_leaves_out_nothing_from_then_on(place, site, known) -> None:
    now = time.time_ns() // 1000
    ticket = exclusions.ask(
        place, site, Cause.REGULATOR_STOP, "olga", "order 7", ["belt_101"], now - HOUR_US, now + 30 * HOUR_US
    )
    book.decide(place, site.code, ticket.id, "ivan", approve=True)
    closed = book.close(place, site.code, ticket.id).closed_at
    assert closed is not None
    days = {day_of(site, now - HOUR_US), day_of(site, now)}
    parts = [exclusions.excluded(place, site.code, bounds(site, each), known)[0] for each in days]
    left = Spans.of(pair for part in parts for spans in part.values() for pair in spans.pairs())
    assert left == Spans.whole(now - HOUR_US, closed)
    assert exclusions.excluded(place, site.code, bounds(site, day_of(site, closed + DAY_US)), known) == ({}, ())


def test_nobody_approves_long_after_the_fact_or_picks_a_day_to_pieces(place, site) -> None:
    start = time.time_ns() // 1000 - HOUR_US
    at = [start + part * 60_000_000 for part in range(9)]
    stop = [Cause.REGULATOR_STOP, "olga", "order 7", ["belt_101"]]
    day = [exclusions.ask(place, site, *stop, at[0], at[0] + 40_000_000)]
    end = day[0].end
    with pytest.raises(TicketError, match="no later than 12 h after it ends, and this ended 13 h ago") as raised:
        exclusions.approve(place, site, day[0].id, "ivan", at=end + 13 * HOUR_US)
    assert raised.value.code == "too_late"
    assert exclusions.approve(place, site, day[0].id, "ivan", at=end + 12 * HOUR_US).state is State.APPROVED
    with pytest.raises(TicketError, match="4 tickets that begin on one day at most"):
        for begin in at[1:]:
            exclusions.ask(place, site, *stop, begin, begin + 40_000_000)
    assert 4 <= len(book.listed(place, site.code)) <= 8, "of a day; they may lie on both sides of midnight"


def test_one_over_a_limit_is_refused_and_leaves_no_ticket(place, site, day) -> None:
    start = bounds(site, day)[0]
    with pytest.raises(TicketError, match="lasts 72 h at most") as raised:
        asked(place, site, day, end=start + 73 * HOUR_US)
    assert raised.value.code == "over_limit"
    with pytest.raises(TicketError, match="asked for before it begins"):
        asked(
            place,
            site,
            day,
            Cause.PLANNED_MAINTENANCE,
            start=(began := time.time_ns() // 1000 - HOUR_US),
            end=began + 2 * HOUR_US,
        )
    assert book.listed(place, site.code) == []
    month = bounds(site, date(2090, 3, 1))[0]
    for part in range(2):  # waiting ones take their share too: nobody piles them up
        asked(place, site, day, start=month + part * 3 * DAY_US, end=month + (part + 1) * 3 * DAY_US)
    with pytest.raises(TicketError, match="of 2090-03, over 20% of the month"):
        asked(place, site, day, start=month + 10 * DAY_US, end=month + 11 * DAY_US)
    assert len(book.listed(place, site.code)) == 2


def test_what_names_no_unit_or_no_end_is_refused(place, site, day) -> None:
    for more, words in (
        ({"end": None}, "has an end"),
        ({"names": ["support_001"]}, "part of shearer_1"),
        ({"names": ["belt_101", "nothing"]}, "'nothing' is no unit of the figures; there are belt_101"),
    ):
        with pytest.raises(TicketError, match=words):
            asked(place, site, day, **more)
