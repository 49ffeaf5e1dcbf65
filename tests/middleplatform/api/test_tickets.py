"""Tickets over the API: who opens, who decides, who sees them."""

from __future__ import annotations

import pytest

from middleplatform.access import tokens, users
from middleplatform.access.scope import Scope
from middleplatform.audit.log import entries
from tests.servers import CODE

GIVEN = {
    "kind": "maintenance",
    "point": ["belt1/speed"],
    "equipment": ["belt1"],
    "reason": "belt splice",
    "end": "2090-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def callers(platform):
    """Tokens: of users, of another one's maker, and within a scope."""
    home, east = platform.home, Scope.of({"areas": ["east"]})
    for name, role in (("anna", "operator"), ("boris", "administrator"), ("vera", "administrator")):
        users.create_user(home, name, "right horse", role)
    return {
        "anna": tokens.create_token(home, "sign-in", "operator", 1, "anna"),
        "boris": tokens.create_token(home, "sign-in", "administrator", 1, "boris"),
        "boris by token": tokens.create_token(home, "tool", "administrator", 1, maker="boris"),
        "vera": tokens.create_token(home, "sign-in", "administrator", 1, "vera"),
        "east": tokens.create_token(home, "east", "administrator", 1, scope=east),
        "analyst": tokens.create_token(home, "analyst", "analyst"),
    }


@pytest.fixture
def ask(platform, callers):
    def asked(who, method, path="", **body):
        with platform.client(None) as client:
            client.headers["Authorization"] = f"Bearer {callers[who]}"
            more = {"json": body} if method == "POST" else {"params": body}
            return client.request(method, f"/api/v1/tickets{path}", **more)

    return asked


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_it_is_opened_decided_on_by_others_and_closed(platform, ask):
    opened = ask("boris", "POST", **GIVEN, needed=2)
    assert opened.status_code == 201
    ticket = opened.json()
    assert (ticket["who"], ticket["state"]) == ("boris", "waiting")
    assert ticket["extent"] == [f"{CODE}/belt1", f"{CODE}/belt1/speed"]
    at = f"/{ticket['id']}"
    for own in ("boris", "boris by token"):
        assert code(ask(own, "POST", f"{at}/approve")) == (403, "own_ticket"), own
    assert code(ask("anna", "POST", f"{at}/approve")) == (403, "forbidden")
    assert code(ask("anna", "POST", f"{at}/withdraw")) == (403, "not_own_ticket")
    assert ask("vera", "POST", f"{at}/approve", reason="in shift 2").json()["state"] == "waiting"
    assert code(ask("vera", "POST", f"{at}/reject")) == (409, "decided_already")
    assert code(ask("anna", "POST", f"{at}/close")) == (409, "wrong_state")
    assert ask("east", "POST", f"{at}/approve").json()["state"] == "approved"
    assert ask("anna", "POST", f"{at}/close").json()["state"] == "closed"
    first = ask("analyst", "GET", at).json()["decisions"][0]
    assert (first["who"], first["approved"], first["note"]) == ("vera", True, "in shift 2")
    told = entries(platform.home, about=str(ticket["id"]), what="ticket.")
    assert [each.what.partition(".")[2] for each in reversed(told)] == ["open", "approve", "approve", "closed"]
    assert told[0].who == "anna" and told[3].who == "boris"


def test_what_lies_beyond_a_scope_is_neither_asked_for_nor_seen(ask):
    hidden = ask("anna", "POST", **{**GIVEN, "equipment": ["pump1"]}).json()["id"]
    seen = ask("anna", "POST", **GIVEN).json()["id"]
    numbers = [each["id"] for each in ask("east", "GET").json()["tickets"]]
    assert seen in numbers and hidden not in numbers
    assert hidden in [each["id"] for each in ask("vera", "GET", state="waiting").json()["tickets"]]
    for way in ("", "/approve", "/withdraw", "/close"):
        answer = ask("east", "POST" if way else "GET", f"/{hidden}{way}")
        assert code(answer) == (404, "unknown_ticket"), way
    assert code(ask("east", "POST", **{**GIVEN, "equipment": ["pump1"]})) == (404, "unknown_equipment")
    first = ask("vera", "GET", limit=1).json()
    assert first["next"] == first["tickets"][0]["id"] == seen
    assert ask("vera", "GET", before=seen).json()["tickets"][0]["id"] == hidden


@pytest.mark.parametrize(
    "wrong",
    [
        {"point": [], "equipment": []}, {"end": "-1h"}, {"needed": 0}, {"needed": 6}, {"reason": "  "},
        {"reason": "x" * 501}, {"kind": "party"}, {"start": "yesterdayish"}, {"more": 1}, {"reason": "a\0bc"},
    ],
)  # fmt: skip
def test_a_mistake_is_refused(ask, wrong):
    answer = ask("anna", "POST", **{**GIVEN, **wrong})
    assert answer.status_code == 400, answer.text
