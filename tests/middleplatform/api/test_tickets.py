"""Tickets over the API: who opens, who decides, who sees them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from middleplatform.access import tokens, users
from middleplatform.access.scope import Scope
from middleplatform.audit.log import entries
from sevenones.commands import kpi_exclusions
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


LEFT_OUT = {
    "kind": "excluded_time",
    "cause": "face_move",
    "equipment": ["belt1"],
    "reason": "搬家倒面 to face 2",
    "start": "2090-01-02T00:00:00Z",
    "end": "2090-01-03T00:00:00Z",
}


def test_time_is_left_out_within_limits_and_by_as_many_as_its_cause_needs(ask):
    asked = ask("anna", "POST", **LEFT_OUT)
    assert asked.status_code == 201, asked.text
    ticket = asked.json()
    assert (ticket["cause"], ticket["needed"], ticket["extent"]) == ("face_move", 2, [f"{CODE}/belt1"])
    assert ask("boris", "POST", f"/{ticket['id']}/approve").json()["state"] == "waiting"
    assert ask("vera", "POST", f"/{ticket['id']}/approve").json()["state"] == "approved"
    over = ask("anna", "POST", **{**LEFT_OUT, "end": "2090-02-03T00:00:00Z"})
    assert code(over) == (400, "over_limit")
    assert "最长 720 小时" in over.json()["error"]["message_zh"]
    assert code(ask("anna", "POST", **{**LEFT_OUT, "start": "-25h", "end": "now"})) == (400, "over_limit")


def test_commands_ask_for_it_and_list_it(platform, callers):
    runner = CliRunner(env={"COLUMNS": "200"})

    def run(who, *words):
        return runner.invoke(kpi_exclusions.app, [*words, "--url", platform.url, "--token", callers[who]])

    def said(who, *words):
        result = run(who, *words)
        assert result.exit_code == 0, result.output
        return result.output

    at = ("--start", "2090-05-01T08:00+08:00", "--end", "2090-05-01T10:00+08:00")
    asked = said("anna", "ask", "belt1", "--cause", "planned_maintenance", *at, "--reason", "换托辊 rollers")
    number = asked.split()[0]
    assert "2090-05-01 08:00 – 2090-05-01 10:00  计划检修 planned_maintenance  belt1  待审批 waiting (0/1)" in asked
    assert "已批准 approved (1/1)" in said("vera", "approve", number)
    assert f"{number}  2090-05-01 08:00" in said("anna", "list", "--state", "approved")
    assert "已结束 closed" in said("anna", "close", number)
    wrong = run("anna", "ask", "pump1", "--cause", "geology", *at, "--reason", "F12")
    assert wrong.exit_code == 1
    assert "不是统计使用率的单元" in str(wrong.exception)


@pytest.mark.parametrize(
    ("wrong", "status", "why"),
    [
        ({"cause": None}, 400, "cause_of_excluded_time"),
        ({"kind": "maintenance"}, 400, "cause_of_excluded_time"),
        ({"end": None}, 400, "no_end"),
        ({"equipment": ["pump1"]}, 400, "not_a_unit"),
        ({"equipment": [], "chamber": ["nowhere"]}, 404, "unknown_chamber"),
    ],
)
def test_time_of_nothing_or_without_a_cause_is_not_left_out(ask, wrong, status, why):
    assert code(ask("anna", "POST", **{**LEFT_OUT, **wrong})) == (status, why)
