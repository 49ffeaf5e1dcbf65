"""Users over the API: an initial password opens nothing but its change, a cookie serves our own pages only, nobody
reaches beyond the own role and scope, and failures lock."""

from __future__ import annotations

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from middleplatform.access import lockout, tokens, users
from middleplatform.access.policy import policy
from middleplatform.access.scope import Scope
from middleplatform.access.throttle import Throttle
from middleplatform.api import signin
from tests.middleplatform.api.stage import PASSWORD


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def signed(stage, client: httpx.Client, user: str = "olga", password: str = PASSWORD) -> dict:
    answer = client.post("/api/v1/sign-in", json={"user": user, "password": password, "cookie": True})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_initial_password_opens_nothing_but_its_change(alone):
    with alone.client("admin") as admin, httpx.Client(base_url=alone.url) as client:
        made = admin.post("/api/v1/users", json={"name": "ivan", "role": "operator"})
        assert made.status_code == 201
        initial = made.json()["password"]
        said = client.post("/api/v1/sign-in", json={"user": "ivan", "password": initial}).json()
        assert said["must_change"]
        client.headers["Authorization"] = f"Bearer {said['token']}"
        for path in ("points", "live", "tokens", "events"):
            assert code(client.get(f"/api/v1/{path}")) == (403, "password_change_needed")
        with connect(alone.ws, additional_headers={"Authorization": f"Bearer {said['token']}"}) as socket:
            assert json.loads(socket.recv(20))["error"]["code"] == "password_change_needed"
        assert client.get("/api/v1/me").json()["must_change"]
        for body, refused in (
            ({"old": initial, "new": initial}, (400, "same_password")),
            ({"old": initial, "new": "short"}, (400, "invalid_parameter")),
            ({"old": "not the password", "new": "a new horse"}, (401, "wrong_sign_in")),
        ):
            assert code(client.post("/api/v1/me/password", json=body)) == refused
        fresh = client.post("/api/v1/me/password", json={"old": initial, "new": "a new horse"}).json()
        assert not fresh["must_change"]
        assert client.get("/api/v1/points").status_code == 401, "the earlier session has ended"
        client.headers["Authorization"] = f"Bearer {fresh['token']}"
        assert client.get("/api/v1/points").status_code == 200


def test_the_cookie_is_for_our_pages_only(alone):
    with httpx.Client(base_url=alone.url) as client:
        said = signed(alone, client)
        assert said["token"] is None, "no script can hand it on"
        assert client.get("/api/v1/points").status_code == 200
        kept = client.get("/api/v1/me").json()
        assert (kept["csrf"], kept["role"]) == (said["csrf"], "administrator")
        refused = (
            {},
            {"X-CSRF-Token": "x" * 64},
            {"X-CSRF-Token": said["csrf"], "Origin": "https://elsewhere.example"},
            {"X-CSRF-Token": said["csrf"], "Origin": "null"},
        )
        for headers in refused:
            answer = client.post("/api/v1/users", json={"name": "eve"}, headers=headers)
            assert code(answer) == (403, "csrf"), headers
        ours = {"X-CSRF-Token": said["csrf"], "Origin": alone.url}
        assert client.post("/api/v1/users", json={"name": "ivan"}, headers=ours).status_code == 201
        gone = client.post("/api/v1/sign-out", headers=ours)
        assert gone.status_code == 204 and "Max-Age=0" in gone.headers["set-cookie"]
        assert client.get("/api/v1/points").status_code == 401


def test_what_the_browser_is_told_of_the_cookie(alone):
    with httpx.Client(base_url=alone.url) as client:
        given = client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD, "cookie": True})
        cookie = given.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
        token = cookie.split(";")[0].partition("=")[2]
        assert token not in given.text
        plain = client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD})
        assert "set-cookie" not in plain.headers


@pytest.mark.parametrize("origin", [None, "https://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_stream_by_cookie_comes_from_our_own_page(alone, origin):
    with httpx.Client(base_url=alone.url) as client:
        signed(alone, client)
        cookie = {"Cookie": f"sevenones_session={client.cookies['sevenones_session']}"}
    with connect(alone.ws, additional_headers=cookie, origin=alone.url) as socket:
        socket.send(json.dumps({"subscribe": {}}))
        assert "snapshot" in json.loads(socket.recv(20))
    with connect(alone.ws, additional_headers=cookie, origin=origin) as socket:
        assert json.loads(socket.recv(20))["error"]["code"] == "unauthorised"
        with pytest.raises(ConnectionClosed):
            socket.recv(20)


def test_a_change_of_role_and_scope_holds_at_once(alone):
    users.create_user(alone.home, "ivan", PASSWORD, "administrator")
    with alone.client("admin") as admin, httpx.Client(base_url=alone.url) as client:
        signed(alone, client, "ivan")
        assert client.get("/api/v1/users").status_code == 200
        change = {"role": "operator", "scope": {"areas": ["east"]}}
        assert admin.patch("/api/v1/users/ivan", json=change).json()["scope"] == [{"areas": ["east"]}]
        assert code(client.get("/api/v1/users")) == (403, "forbidden")
        assert client.get("/api/v1/points").json()["total"] == 4
        assert admin.delete("/api/v1/users/ivan").status_code == 204
        assert client.get("/api/v1/points").status_code == 401
        assert code(admin.delete("/api/v1/users/olga")) == (409, "not_possible"), "the last administrator"
        assert code(admin.patch("/api/v1/users/olga", json={"role": "analyst"})) == (409, "not_possible")
        for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/password"), ("DELETE", "/lock")):
            answer = admin.request(method, f"/api/v1/users/nobody{path}", json={} if method == "PATCH" else None)
            assert code(answer) == (404, "unknown_user")


def test_nobody_reaches_beyond_the_own_scope(alone):
    east = {"areas": ["east"]}
    users.create_user(alone.home, "boss", PASSWORD, "administrator", Scope.of(east))
    users.create_user(
        alone.home, "inside", PASSWORD, "operator", Scope.of(east).narrowed(Scope.of({"classes": ["bulk"]}))
    )
    with httpx.Client(base_url=alone.url) as client:
        csrf = signed(alone, client, "boss")["csrf"]
        client.headers["X-CSRF-Token"] = csrf
        assert [row["name"] for row in client.get("/api/v1/users").json()] == ["boss", "inside"]
        for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/password"), ("DELETE", "/lock")):
            answer = client.request(method, f"/api/v1/users/olga{path}", json={} if method == "PATCH" else None)
            assert code(answer) == (404, "unknown_user"), "who sees more is not there"
        client.post("/api/v1/users", json={"name": "new", "scope": {"areas": ["sump"]}})
        assert users.find_user(alone.home, "new").scope.as_json() == [east, {"areas": ["sump"]}]
        client.patch("/api/v1/users/boss", json={"scope": {}})
        assert users.find_user(alone.home, "boss").scope.as_json() == [east], "not even for oneself"
        made = client.post("/api/v1/tokens", json={"name": "script", "scope": {"subsystems": ["transport"]}}).json()
        listed = client.get("/api/v1/tokens").json()
        assert {row["name"] for row in listed} == {"sign-in", "script"}, "others' wider tokens are not there"
        assert code(client.delete("/api/v1/tokens/1")) == (404, "unknown_token")
        with httpx.Client(base_url=alone.url, headers={"Authorization": f"Bearer {made['token']}"}) as script:
            assert script.get("/api/v1/points").json()["total"] == 4
            assert code(script.get("/api/v1/live", params={"point": "pump1/level"})) == (404, "unknown_point")
        number = next(row["id"] for row in listed if row["name"] == "script")
        assert client.delete(f"/api/v1/tokens/{number}").status_code == 204
        assert tokens.verify_token(alone.home, made["token"]) is None


def test_failures_lock_a_name_until_an_administrator_unlocks_it(alone):
    alone.app.state.throttle = Throttle(lambda: 0.0)
    for _ in range(policy().sign_in.failures):
        lockout.failed(alone.home, "olga")
    right = {"user": "olga", "password": PASSWORD}
    with httpx.Client(base_url=alone.url) as client, alone.client("admin") as admin:
        refused = client.post("/api/v1/sign-in", json=right)
        assert code(refused) == (429, "locked")
        assert 0 < int(refused.headers["retry-after"]) <= policy().sign_in.lock_us / 1e6 + 1
        (row,) = admin.get("/api/v1/users").json()
        assert row["locked_s"] > 0
        assert admin.delete("/api/v1/users/olga/lock").status_code == 204
        assert client.post("/api/v1/sign-in", json=right).status_code == 200


def test_strangers_cannot_keep_somebody_out_of_the_own_place(alone):
    """By failing in the name from elsewhere they lock it for all places but that from which it signed in before."""
    now = [0.0]
    alone.app.state.throttle = Throttle(lambda: now[0])
    right, wrong = ({"user": "olga", "password": word} for word in (PASSWORD, "a guess"))
    elsewhere = httpx.Client(base_url=alone.url, transport=httpx.HTTPTransport(local_address="127.0.0.2"))
    with httpx.Client(base_url=alone.url) as client, elsewhere:
        assert client.post("/api/v1/sign-in", json=right).status_code == 200
        for _ in range(policy().sign_in.failures):
            now[0] += 301
            assert code(elsewhere.post("/api/v1/sign-in", json=wrong)) == (401, "wrong_sign_in")
        for _ in range(signin.FREE_BY_USER):
            alone.app.state.throttle.begin({("user", "olga"): signin.FREE_BY_USER})
        now[0] += 301
        assert code(elsewhere.post("/api/v1/sign-in", json=right)) == (429, "locked")
        assert client.post("/api/v1/sign-in", json=right).status_code == 200
        now[0] += 301
        assert code(elsewhere.post("/api/v1/sign-in", json=right)) == (429, "locked"), "for strangers it holds on"
        for _ in range(signin.FREE_BY_USER_AND_ADDRESS):
            client.post("/api/v1/sign-in", json=wrong)
        assert code(client.post("/api/v1/sign-in", json=right)) == (429, "throttled"), "nobody guesses without end"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "users", {"name": "Ivan"}, (400, "not_possible")),
        ("POST", "users", {"name": "olga"}, (400, "not_possible")),
        ("POST", "users", {"name": "ivan", "role": "root"}, (400, "not_possible")),
        ("POST", "users", {"name": "ivan", "scope": {"areas": []}}, (400, "invalid_parameter")),
        ("POST", "users", {"name": "ivan", "scope": {"areas": ["A b"]}}, (400, "not_possible")),
        ("POST", "users", {"name": "ivan", "scope": {"zones": ["x"]}}, (400, "invalid_parameter")),
        ("PATCH", "users/olga", {"role": "root"}, (400, "not_possible")),
        ("POST", "tokens", {"name": "x", "role": "root"}, (400, "not_possible")),
        ("POST", "tokens", {"name": "x", "days": 0}, (400, "invalid_parameter")),
        ("POST", "tokens", {"name": "\u0007"}, (400, "not_possible")),
    ],
)
def test_what_cannot_be_is_refused(alone, method, path, body, expected):
    with alone.client("admin") as admin:
        answer = admin.request(method, f"/api/v1/{path}", json=body)
        assert code(answer) == expected
        assert answer.json()["error"]["message_zh"] != answer.json()["error"]["message"]
