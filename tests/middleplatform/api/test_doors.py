"""Who may come in: every route, with every kind of token."""

from __future__ import annotations

import json
import re
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bus import certificates
from middleplatform.access import tokens
from middleplatform.access.throttle import Throttle
from middleplatform.api.health import CertificateProbe
from tests.middleplatform.api.stage import PASSWORD

OPEN = {"/api/v1/health", "/api/v1/sign-in", "/api/docs", "/api/docs/start.js", "/api/docs/assets", "/"}
"""No data is behind these: the health, the sign-in itself, and the pages' own files."""


def operations(app):
    """(method, path) of every route of the application, mounts and WebSocket left out."""

    def walk(routes, prefix=""):
        for route in routes:
            inner = getattr(route, "original_router", None)
            if inner is not None:  # a router that was included
                yield from walk(inner.routes, prefix + (getattr(route.include_context, "prefix", "") or ""))
            for method in sorted(getattr(route, "methods", None) or ()):
                yield method, prefix + route.path

    return sorted(set(walk(app.routes)))


def test_every_route_but_the_open_ones_needs_a_token(alone):
    found = {(m, p) for m, p in operations(alone.app) if p not in OPEN}
    described = {
        (method.upper(), path)
        for path, item in alone.app.openapi()["paths"].items()
        for method in item
        if path not in OPEN
    }
    assert described, "the description lists routes"
    closed = found | described | {("GET", "/metrics"), ("GET", "/api/openapi.json")}
    assert len(closed) >= 8
    expired = tokens.create_token(alone.home, "expired", days=1e-9)
    revoked = tokens.create_token(alone.home, "revoked")
    tokens.revoke_token(alone.home, tokens.list_tokens(alone.home)[-1].id)
    wrong = {
        "none": {},
        "empty": {"Authorization": "Bearer"},
        "unknown": {"Authorization": f"Bearer so_{'x' * 43}"},
        "expired": {"Authorization": f"Bearer {expired}"},
        "revoked": {"Authorization": f"Bearer {revoked}"},
        "other scheme": {"Authorization": f"Basic {alone.reader}"},
        "in the address": {},
    }
    with httpx.Client(base_url=alone.url) as client:
        for method, template in sorted(closed):
            path = template.replace("{number}", "1").replace("{name}", "olga")
            for kind, headers in wrong.items():
                query = {"token": alone.reader, "access_token": alone.reader} if kind == "in the address" else {}
                answer = client.request(method, path, headers=headers, params=query)
                assert answer.status_code == 401, (method, path, kind, answer.text)
                assert answer.json()["error"]["code"] == "unauthorised"
                assert answer.headers["www-authenticate"] == "Bearer"
    with alone.client() as client:
        for path in ("/api/v1/points", "/api/v1/live", "/metrics", "/api/openapi.json"):
            assert client.get(path).status_code == 200, path


def test_open_routes_are_open_and_hold_no_data(standing):
    with httpx.Client(base_url=standing.url) as client:
        for path in sorted(OPEN - {"/api/v1/sign-in", "/api/docs/assets"}):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "belt1" not in answer.text
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_health_tells_the_truth_and_still_answers(standing):
    body = httpx.get(f"{standing.url}/api/v1/health").json()
    assert (body["status"], body["store"], body["bus"]) == ("degraded", False, True)
    assert any(words.startswith("store: the store is not running") for words in body["degraded"])
    assert any(words.startswith("live:") for words in body["degraded"])
    assert (body["points"], body["waiting"]) == (6, 6)


def test_health_says_that_the_audit_is_not_anchored_and_that_certificates_end(alone, tmp_path, monkeypatch):
    state = alone.app.state

    def degraded() -> list[str]:
        return httpx.get(f"{alone.url}/api/v1/health").json()["degraded"]

    assert not [words for words in degraded() if words.startswith(("audit", "certificate"))]
    monkeypatch.setattr(state.anchoring, "trouble", "the bus refuses the anchors")
    assert "audit: the bus refuses the anchors" in degraded()
    monkeypatch.setattr(certificates, "DAYS", 12.5)
    certificates.init(tmp_path)
    monkeypatch.setattr(certificates, "DAYS", -0.02)
    certificates.issue(tmp_path, "leaf")
    monkeypatch.setattr(certificates, "DAYS", certificates.RENEW_DAYS + 1)
    certificates.issue(tmp_path, "mqtt")
    monkeypatch.setattr(state.certificates, "look", CertificateProbe(tmp_path).look)
    renew = "renew it with 'sevenones pki renew' and restart"
    first, *others = [words for words in degraded() if words.startswith("certificate")]
    assert first == f"certificate leaf: it has expired, {renew}"
    assert sorted(others) == [f"certificate {name}: it ends in 12 days, {renew}" for name in ("api", "bus")]
    certificates.folder(tmp_path).joinpath("bus.pem").write_text("rubbish")
    monkeypatch.setattr(state.certificates, "look", CertificateProbe(tmp_path).look)
    assert "certificates: they cannot be read" in degraded()


def test_a_reader_cannot_do_what_an_administrator_can(alone):
    with alone.client() as reader, alone.client("admin") as admin:
        for method, path in (("GET", "/api/v1/tokens"), ("DELETE", "/api/v1/tokens/1")):
            answer = reader.request(method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        rows = admin.get("/api/v1/tokens").json()
        assert [row["name"] for row in rows] == ["r", "a"]
        assert alone.reader not in json.dumps(rows)
        assert reader.get("/api/v1/points").status_code == 200
        assert admin.delete("/api/v1/tokens/1").status_code == 204
        assert reader.get("/api/v1/points").status_code == 401, "at once, not when a memory ends"
        assert admin.delete("/api/v1/tokens/77").json()["error"]["code"] == "unknown_token"


def test_sign_in_gives_a_token_that_sign_out_ends(alone):
    with httpx.Client(base_url=alone.url) as client:
        signed = client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD}).json()
        assert (signed["role"], signed["expires_s"]) == ("administrator", 43_200)
        headers = {"Authorization": f"Bearer {signed['token']}"}
        assert client.get("/api/v1/tokens", headers=headers).status_code == 200
        assert client.post("/api/v1/sign-out", headers=headers).status_code == 204
        assert client.get("/api/v1/tokens", headers=headers).status_code == 401
    with alone.client() as client:
        assert client.post("/api/v1/sign-out").json()["error"]["code"] == "not_signed_in"


def test_guessing_a_password_is_slowed_down_and_says_nothing(alone):
    now = [1000.0]  # a hash takes seconds on a busy machine, so the waits are not waited for
    alone.app.state.throttle = Throttle(lambda: now[0])
    with httpx.Client(base_url=alone.url) as client:
        said = set()
        for user in ("olga", "nobody"):
            answer = client.post("/api/v1/sign-in", json={"user": user, "password": "wrong horse"})
            assert answer.status_code == 401
            said.add(answer.text)
        assert len(said) == 1, "whether the user exists is not told"
        for _ in range(4):
            assert client.post("/api/v1/sign-in", json={"user": "olga", "password": "x"}).status_code == 401
        refused = client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "throttled")
        assert int(refused.headers["retry-after"]) >= 1
        now[0] += int(refused.headers["retry-after"])
        assert client.post("/api/v1/sign-in", json={"user": "olga", "password": PASSWORD}).status_code == 200


def test_a_password_is_never_said_again(alone):
    for body in ({"user": "olga", "password": ["secret-word"]}, {"user": 5, "password": "secret-word"}):
        answer = httpx.post(f"{alone.url}/api/v1/sign-in", json=body)
        assert answer.status_code == 400
        assert "secret-word" not in answer.text


@pytest.mark.parametrize("way", ["header", "subprotocol", "first message", "with the subscription"])
def test_the_stream_takes_a_token_in_each_way(standing, way):
    headers = {"Authorization": f"Bearer {standing.reader}"} if way == "header" else {}
    offered = ["bearer", standing.reader] if way == "subprotocol" else None
    with connect(standing.ws, additional_headers=headers, subprotocols=offered) as socket:
        if way == "subprotocol":
            assert socket.subprotocol == "bearer"
        if way == "first message":
            socket.send(json.dumps({"token": standing.reader}))
        if way == "with the subscription":
            socket.send(json.dumps({"token": standing.reader, "subscribe": {}}))
        else:
            socket.send(json.dumps({"subscribe": {"all": True}}))
        assert len(json.loads(socket.recv(20))["snapshot"]["points"]) == 6


@pytest.mark.parametrize("way", ["header", "subprotocol", "first message", "address", "nothing"])
def test_the_stream_is_shut_without_one(standing, way):
    bad = f"so_{'x' * 43}"
    headers = {"Authorization": f"Bearer {bad}"} if way == "header" else {}
    offered = ["bearer", bad] if way == "subprotocol" else None
    url = f"{standing.ws}?token={standing.reader}" if way == "address" else standing.ws
    with connect(url, additional_headers=headers, subprotocols=offered) as socket:
        if way in {"first message", "nothing"}:
            socket.send(json.dumps({"token": bad} if way == "first message" else {"subscribe": {}}))
        assert json.loads(socket.recv(20))["error"]["code"] == "unauthorised"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
        assert closed.value.rcvd.code == 1008


def test_a_stream_ends_when_its_token_is_revoked(alone):
    with connect(alone.ws, additional_headers={"Authorization": f"Bearer {alone.reader}"}) as socket:
        socket.send(json.dumps({"subscribe": {"interval_s": 0.2}}))
        socket.recv(20)
        with alone.client("admin") as admin:
            assert admin.delete("/api/v1/tokens/1").status_code == 204
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            while time.monotonic() - began < 45:
                socket.recv(20)
        assert closed.value.rcvd.code == 1008
        assert time.monotonic() - began < 30


def test_the_description_is_what_the_packaged_page_can_read(standing):
    with standing.client() as client:
        described = client.get("/api/openapi.json").json()
    assert described["openapi"] == "3.0.3"
    text = json.dumps(described)
    assert '"type": "null"' not in text and '"const"' not in text
    assert "422" not in text
    assert {"/api/v1/history", "/api/v1/live", "/api/v1/points", "/api/v1/events"} <= set(described["paths"])
    assert described["paths"]["/api/v1/points"]["get"]["security"], "a token is asked for"


def test_pages_use_nothing_from_outside(standing):
    pages = {}
    with httpx.Client(base_url=standing.url) as client:
        for page in ("/", "/api/docs"):
            pages[page] = client.get(page).text
            for link in re.findall(r'(?:src|href)="([^"]+)"', pages[page]):
                assert not re.match(r"https?:|//", link), link
                if not link.startswith("data:"):
                    found = client.get(link if link.startswith("/") else f"/{link}")
                    assert found.status_code == 200, link
        assert "<script>" not in pages["/"] + pages["/api/docs"], "no script in the page itself"
        assert not re.search(r"\son[a-z]+=", pages["/"])
        assert "unsafe" not in client.get("/").headers["content-security-policy"]
        scripts = re.findall(r'src="([^"]+\.js)"', pages["/"])
        assert scripts
        # What the libraries within mention (a namespace, a page about an error) is looked up by nobody.
        known = r"https?://(?:www\.w3\.org|vuejs\.org|v3\.vuejs\.org)"
        assert not any(re.search(r"https?://", re.sub(known, "", client.get(each).text)) for each in scripts)


def test_a_page_of_the_console_has_an_address(standing):
    with httpx.Client(base_url=standing.url, headers={"accept": "text/html,*/*"}) as browser:
        page = browser.get("/trends?p=140581000001/belt1/speed")
        assert page.status_code == 200
        assert page.text == browser.get("/").text
        assert page.headers["cache-control"] == "no-cache"
        assert browser.get("/assets/nothing.js").status_code == 404
        assert browser.get("/api/v1/nothing").status_code == 404
        asset = re.findall(r'src="([^"]+\.js)"', page.text)[0]
        assert "immutable" in browser.get(asset).headers["cache-control"]
