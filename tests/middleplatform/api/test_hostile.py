"""Whatever comes in, the answer is JSON that says what is wrong, never a 500, and others are served on."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from urllib.parse import quote, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.middleplatform.api.stage import until

pytestmark = pytest.mark.long

PATHS = ("points", "live", "history", "events", "health", "stream", "tokens", "nothing")


def refused(answer) -> dict:
    error = answer.json()["error"]
    assert error["message"] and error["message_zh"] and error["code"]
    return error


def raw(stage, data: bytes, wait: float = 5) -> bytes:
    """Send bytes, and read until the other side ends."""
    where = urlsplit(stage.url)
    with socket.create_connection((where.hostname, where.port), timeout=wait) as link:
        try:
            link.sendall(data)
            found = b""
            while part := link.recv(65536):
                found += part
        except (ConnectionError, TimeoutError):
            pass
    return found


ODD = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(
        ["\0", "9999999-01-01T00:00:00Z", "-9223372036854775809", "1e308", "NaN", "%", "../..", "' OR 1=1"]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(
    ["point", "start", "end", "buckets", "width", "limit", "format", "q", "equipment", "role", "kind", "offset", "x"]),
    ODD, max_size=5))  # fmt: skip
def test_odd_queries_are_refused_not_failed(platform, path, query):
    with platform.client() as client:
        answer = client.get(f"/api/v1/{path}", params={k: v.encode("utf-8", "replace") for k, v in query.items()})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        refused(answer)


@pytest.mark.parametrize(
    "query",
    [
        "point=%ff%fe",
        "point=%00",
        "start=%c3%28&point=a",
        "%ff=%ff",
        "point=" + "a" * 19_000,
        "&&&===",
        "q=%F0%9F%98%80",
    ],
)
def test_bytes_that_are_no_text(platform, query):
    where = urlsplit(platform.url)
    for path in ("history", "points", "events"):
        link = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
        link.request("GET", f"/api/v1/{path}?{query}", headers={"Authorization": f"Bearer {platform.reader}"})
        answer = link.getresponse()
        body = json.loads(answer.read())
        assert answer.status < 500
        assert answer.status == 200 or body["error"]["code"]
        link.close()


def test_a_long_address_is_refused_and_its_memory_bounded(platform):
    answer = raw(platform, b"GET /api/v1/points?q=" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""
    assert platform.get("points").status_code == 200
    many = b"".join(b"X-%d: %s\r\n" % (k, b"v" * 100) for k in range(3000))
    answer = raw(platform, b"GET /api/v1/points HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""


def test_a_request_that_does_not_end_is_ended(platform, monkeypatch):
    monkeypatch.setattr("middleplatform.api.http.HEAD_S", 0.5)
    began = time.monotonic()
    answer = raw(platform, b"GET /api/v1/points HTTP/1.1\r\nHost: x\r\nX-Slow: ", wait=10)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 5


def test_rubbish_is_not_http(platform):
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET \xff\xfe HTTP/1.1\r\n\r\n",
        b"\0" * 100,
        b"OPTIONS * HTTP/1.1\r\n\r\n",
    ):
        assert b" 500 " not in raw(platform, data, wait=1)[:20]
    assert platform.get("points").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b'"x"', 400), (b"\xff\xfe", 400), (b"[" * 30_000, 400),
        (b'{"user":"\\ud800","password":"\\ud800"}', 400), (b'{"user":"\\u0000","password":"\\u0000"}', 401),
        (b'{"user":1,"password":{}}', 400), (b'{"user":"x","password":"' + b"y" * 201 + b'"}', 400),
        (b"x" * 70_000, 413),
    ],
)  # fmt: skip
def test_odd_sign_ins(alone, body, status):
    with alone.client() as client:
        answer = client.post("/api/v1/sign-in", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, answer.text
        refused(answer)
        chunked = client.post(
            "/api/v1/sign-in", content=iter([body[:5], body[5:]]), headers={"Content-Type": "application/json"}
        )
        assert chunked.status_code in {status, 429}, chunked.text


def test_other_methods_and_addresses(platform):
    with platform.client() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = client.request(method, "/api/v1/points")
            assert (answer.status_code, refused(answer)["code"]) == (405, "method_not_allowed")
            assert "GET" in answer.headers["allow"]
        for path in (
            "/api/v1/nothing",
            "/api/v2/points",
            "/api/v1/points/",
            "/nothing",
            "/" + quote("../../pyproject.toml", ""),
        ):
            answer = client.get(path)
            assert answer.status_code == 404, path
            refused(answer)


def test_without_the_store_the_answer_is_503_and_the_present_is_served(alone):
    for path, query in (("history", {"point": "belt1/speed"}), ("events", {})):
        answer = alone.get(path, **query)
        assert answer.status_code == 503
        assert refused(answer)["code"] == "store_unavailable"
        assert int(answer.headers["retry-after"]) > 0
    assert len(alone.get("live").json()["values"]) == 6


def test_the_store_is_found_again_after_it_was_killed(platform):
    assert platform.get("history", point="belt1/speed").status_code == 200
    platform.within(platform.kill_store())
    answer = platform.get("history", point="belt1/speed")
    assert (answer.status_code, refused(answer)["code"]) == (503, "store_unavailable")
    until(lambda: platform.get("health").json()["status"] == "degraded")
    platform.within(platform.start_store())
    until(lambda: platform.get("history", point="belt1/speed").status_code == 200)
    until(lambda: platform.get("health").json()["store"])


@pytest.mark.timeout(540)
def test_the_description_holds_for_whatever_is_sent(platform):
    with platform.client() as client:
        described = client.get("/api/openapi.json").json()
    left_out = "sign-|tokens|users|/me|sql"
    schema = schemathesis.openapi.from_dict(described).exclude(path_regex=left_out)
    checks = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
    seen = set()
    for found in schema.get_all_operations():

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=found.ok().as_strategy())
        def every(case):
            answer = case.call(base_url=platform.url, headers={"Authorization": f"Bearer {platform.reader}"})
            seen.add(case.path)
            case.validate_response(answer, checks=checks)

        every()
    assert seen == {path for path in described["paths"] if not re.search(left_out, path)}


def test_a_point_of_blanks_is_refused_in_words(platform):
    answer = platform.client("admin").get("/api/v1/manual/versions", params={"point": "\n", "start": "-1h"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_point")
