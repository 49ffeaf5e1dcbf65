"""The tickets' book, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from middleplatform.audit.log import entries
from middleplatform.tickets import book
from middleplatform.tickets.book import Kind, State, TicketError
from tests.servers import CODE

OTHER = "140581000001"
PATHS = [f"{CODE}/pump1/level", f"{CODE}/belt1"]


def opened(place, **more):
    asked = {
        "kind": Kind.MAINTENANCE,
        "who": "olga",
        "reason": "belt splice",
        "extent": PATHS,
        "start": 100,
        "end": 200,
    }
    return book.open_ticket(place, CODE, **{**asked, **more})


def test_it_is_opened_approved_in_force_and_closed(place):
    ticket = opened(place, needed=2)
    assert (ticket.state, ticket.extent) == (State.WAITING, (f"{CODE}/belt1", f"{CODE}/pump1/level"))
    assert book.in_force(place, CODE, 150) == []
    half = book.decide(place, CODE, ticket.id, "ivan", approve=True, words="shift 2")
    assert half.state is State.WAITING
    with pytest.raises(TicketError, match="decided on this ticket already"):
        book.decide(place, CODE, ticket.id, "ivan", approve=True)
    with pytest.raises(TicketError, match="own ticket"):
        book.decide(place, CODE, ticket.id, "olga", approve=True)
    done = book.decide(place, CODE, ticket.id, "pavel", approve=True)
    assert done.state is State.APPROVED and [each.who for each in done.decisions] == ["ivan", "pavel"]
    assert [each.id for each in book.in_force(place, CODE, 150)] == [ticket.id]
    for at in (99, 200):
        assert book.in_force(place, CODE, at) == []
    assert book.in_force(place, OTHER, 150) == []
    closed = book.close(place, CODE, ticket.id)
    assert closed.state is State.CLOSED and closed.closed_at is not None
    assert [each.id for each in book.in_force(place, CODE, 150)] == [ticket.id], "it was in force then"
    with pytest.raises(TicketError, match="is closed"):
        book.close(place, CODE, ticket.id)
    assert [each.what for each in reversed(entries(place, what="ticket."))] == [
        "ticket.open", "ticket.approve", "ticket.approve", "ticket.closed",
    ]  # fmt: skip


def test_one_without_an_end_holds_until_it_is_closed(place):
    ticket = opened(place, end=None, kind=Kind.EXCLUSION)
    book.decide(place, CODE, ticket.id, "ivan", approve=True)
    assert book.in_force(place, CODE, 10**15)
    end = book.close(place, CODE, ticket.id).closed_at
    assert book.in_force(place, CODE, end - 1) and not book.in_force(place, CODE, end)


def test_one_who_rejects_is_enough_and_what_is_over_is_over(place):
    ticket = opened(place, needed=2)
    book.decide(place, CODE, ticket.id, "ivan", approve=True)
    assert book.decide(place, CODE, ticket.id, "pavel", approve=False, words="no").state is State.REJECTED
    with pytest.raises(TicketError, match="is rejected"):
        book.decide(place, CODE, ticket.id, "anna", approve=True)
    other = opened(place)
    with pytest.raises(TicketError, match="only an own"):
        book.withdraw(place, CODE, other.id, "ivan")
    assert book.withdraw(place, CODE, other.id, "olga").state is State.WITHDRAWN
    for number, mine in ((999, CODE), (other.id, OTHER)):
        with pytest.raises(TicketError, match="no ticket"):
            book.find(place, mine, number)
    third = opened(place)
    assert [each.id for each in book.listed(place, CODE)] == [third.id, other.id, ticket.id]
    assert [each.id for each in book.listed(place, CODE, state=State.WAITING)] == [third.id]
    assert [each.id for each in book.listed(place, CODE, before=third.id, limit=1)] == [other.id]


def test_two_who_decide_at_once_are_both_counted(place):
    ticket = opened(place, needed=2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda who: book.decide(place, CODE, ticket.id, who, approve=True), ("ivan", "pavel")))
    assert book.find(place, CODE, ticket.id).state is State.APPROVED


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": " "}, "a reason"), ({"reason": "x" * 501}, "a reason"), ({"extent": []}, "names 1 to"),
        ({"extent": ["x" * 141]}, "names 1 to"), ({"extent": ["x"] * 1001}, "names 1 to"), ({"end": 100}, "ends after"),
        ({"needed": 0}, "1 to 5"), ({"needed": 6}, "1 to 5"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_nothing_is_kept(tmp_path, wrong, said):
    with pytest.raises(TicketError, match=said):
        opened(tmp_path, **wrong)
    assert book.listed(tmp_path, CODE) == []
