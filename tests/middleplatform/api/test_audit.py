"""What callers do over HTTP is in the audit log, and who may read of it does."""

from __future__ import annotations

import json

from sqlalchemy import text

from middleplatform.access import tokens, users
from middleplatform.access.scope import Scope
from middleplatform.audit.log import entries
from middleplatform.audit.verify import verify
from middleplatform.database import connect
from tests.middleplatform.api.stage import PASSWORD


def test_sign_ins_changes_and_refusals_are_told_with_who_and_from_where(alone):
    with alone.client(None) as client:
        assert client.post("/api/v1/sign-in", json={"user": "olga", "password": "wrong"}).status_code == 401
        token = client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        made = client.post("/api/v1/users", json={"name": "petr", "role": "operator"}).json()["password"]
        given = client.post("/api/v1/tokens", json={"name": "script", "role": "operator"}).json()["token"]
        assert client.delete("/api/v1/users/olga").status_code == 409
        client.post("/api/v1/sign-out")
    page = alone.client("admin").get("/api/v1/audit").json()
    found = [(each["what"], each["about"], each["who"], each["origin"]) for each in reversed(page["entries"])]
    number = str(tokens.list_tokens(alone.home)[-1].id)
    assert found[-5:] == [
        ("sign_in.fail", "olga", "", "127.0.0.1"),
        ("session.begin", "olga", "olga", "127.0.0.1"),
        ("user.add", "petr", "olga", "127.0.0.1"),
        ("token.add", number, "olga", "127.0.0.1"),
        ("session.end", "olga", "olga", "127.0.0.1"),
    ]
    assert page["entries"][1]["after"]["name"] == "script"
    assert (page["head"], page["head_digest"]) == (page["entries"][0]["number"], page["entries"][0]["digest"])
    said = json.dumps(page)
    assert not [secret for secret in (PASSWORD, token, made, given, alone.admin) if secret in said]
    assert verify(alone.home).whole


def test_pages_and_filters(alone):
    for number in range(5):
        users.create_user(alone.home, f"user{number}", "a right horse")
    with alone.client("admin") as client:
        first = client.get("/api/v1/audit", params={"what": "user.add", "limit": 2}).json()
        assert [each["about"] for each in first["entries"]] == ["user4", "user3"]
        more = {"what": "user.add", "limit": 2, "before": first["next"]}
        assert [each["about"] for each in client.get("/api/v1/audit", params=more).json()["entries"]] == [
            "user2",
            "user1",
        ]
        assert client.get("/api/v1/audit", params={"about": "user3"}).json()["entries"][0]["what"] == "user.add"
        assert client.get("/api/v1/audit", params={"start": "now"}).json()["entries"] == []
        assert client.get("/api/v1/audit", params={"start": "yesterday"}).status_code == 400


def test_the_state_of_the_chain_and_the_list_as_a_table(alone):
    users.create_user(alone.home, "u1", PASSWORD)
    with alone.client("admin") as client:
        state = client.get("/api/v1/audit/chain").json()
        assert state["whole"] and state["findings"] == [] and state["entries"] == state["head"] >= 3
        assert state["anchored"] == 0, "nothing anchors here"
        sheet = client.get("/api/v1/audit", params={"what": "user.add", "format": "csv"})
        assert sheet.headers["content-type"].startswith("text/csv")
        assert "attachment" in sheet.headers["content-disposition"]
        assert [line.split(",")[5] for line in sheet.text.splitlines()[1:]] == ["u1", "olga"]
        assert client.get("/api/v1/audit", params={"format": "xlsx"}).content.startswith(b"PK")


def test_a_changed_entry_is_told(alone):
    with connect(alone.home).begin() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit SET who = 'nobody' WHERE number = 1"))
    with alone.client("admin") as client:
        state = client.get("/api/v1/audit/chain").json()
    assert not state["whole"]
    assert [(each["kind"], each["number"]) for each in state["findings"]] == [("changed", 1)]
    assert "改动" in state["findings"][0]["words"]["zh"]


def test_who_sees_a_part_of_the_mine_reads_of_the_own_acts_only(alone):
    users.create_user(alone.home, "east", PASSWORD, "bureau", Scope.of({"areas": ["east"]}))
    with alone.client(None) as client:
        token = client.post("/api/v1/sign-in", json={"user": "east", "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        found = client.get("/api/v1/audit").json()["entries"]
        assert [(each["what"], each["who"]) for each in found] == [("session.begin", "east")]
        assert client.get("/api/v1/audit", params={"who": "olga"}).json()["entries"] == []
    with alone.client("reader") as client:
        assert client.get("/api/v1/audit").status_code == 403


def test_statements_are_told_before_they_run_also_those_that_are_refused(platform):
    with platform.client("admin") as client:
        assert client.post("/api/v1/sql", json={"sql": "SELECT 1 AS one"}).status_code == 200
        assert client.post("/api/v1/sql", json={"sql": "DROP TABLE samples"}).status_code == 400
    found = entries(platform.home, what="sql.run", limit=2)
    assert [json.loads(each.after or "")["sql"] for each in found] == ["DROP TABLE samples", "SELECT 1 AS one"]
    assert {(each.who.rpartition(":")[2], each.origin) for each in found} == {("a", "127.0.0.1")}
