"""What is beyond a caller's scope does not exist for it, over REST and over the stream."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from models.events import Event
from tests.middleplatform.api.build import batch, id_of, path_of
from tests.middleplatform.api.stage import until
from tests.servers import CODE

HIDDEN = ("pump1", "一号水泵", "pump 1", "sump", str(id_of("pump1/level")), str(id_of("pump1/flow")))


@pytest.fixture(scope="module")
def told(platform):
    """A platform with a sample and an event of each machine, and the time of them."""
    ts = time.time_ns() // 1000 - 1_000_000
    platform.send(batch(platform.next_number(), ("belt1/speed", ts, 2.0, 192), ("pump1/level", ts, 7.0, 192)))
    platform.send_events(
        Event("sb", f"{CODE}/belt1", "stop", ts, None, 192, "edge1", {}),
        Event("sp", f"{CODE}/pump1", "stop", ts, None, 192, "edge1", {}),
    )
    around = {"start": str(ts - 1), "end": str(ts + 2)}
    until(lambda: {"sb", "sp"} <= {each["id"] for each in platform.get("events", **around).json()["events"]})
    return platform, around


@pytest.fixture(scope="module")
def narrow(told):
    """A caller who sees the east wing only: the belt."""
    platform, _ = told
    token = tokens.create_token(platform.home, "east", role="administrator", scope=Scope.of({"areas": ["east"]}))
    with httpx.Client(base_url=platform.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        client.token = token
        yield client


def test_what_is_in_scope_is_answered_as_ever(told, narrow):
    platform, around = told
    for path, query in (("history", {"point": "belt1/speed", **around}), ("live", {"point": "belt1/speed"})):
        assert narrow.get(f"/api/v1/{path}", params=query).status_code == 200
    mine = narrow.get("/api/v1/history", params={"point": "belt1/speed", **around}).json()
    assert mine["series"] == platform.get("history", point="belt1/speed", **around).json()["series"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("history", "point"), ("live", "point"), ("live", "equipment"), ("points", "equipment"), ("events", "equipment")],
)
def test_what_is_beyond_is_refused_as_what_is_not_there(told, narrow, path, name):
    _, around = told
    of = {"point": ["pump1/level", path_of("pump1/level"), str(id_of("pump1/level"))], "equipment": ["pump1"]}[name]
    none = {"point": "belt1/nothing", "equipment": "nothing"}[name]
    query = around if path in {"history", "events"} else {}
    like = narrow.get(f"/api/v1/{path}", params={name: none, **query})
    for word in of:
        answer = narrow.get(f"/api/v1/{path}", params={name: word, **query})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, like.json()["error"]["code"])
        assert not set(answer.json()["error"]["nearest"]) & {path_of("pump1/level"), "pump1"}
        other = "belt1/speed" if name == "point" else "belt1"
        mixed = narrow.get(f"/api/v1/{path}", params={name: f"{word},{other}"})
        assert mixed.status_code in {400, 404}, "never the part that is seen, without a word"


@pytest.mark.parametrize("query", ["points", "live", "points?q=pump", "points?q=泵", "events?start=-1h"])
def test_lists_are_silent_of_what_is_beyond(told, narrow, query):
    answer = narrow.get(f"/api/v1/{query}")
    assert answer.status_code == 200
    assert not [word for word in HIDDEN if word in answer.text]
    if query == "points":
        assert answer.json()["total"] == 4
    if query == "live":
        assert len(answer.json()["values"]) == 4
    if query.startswith("events"):
        assert {each["equipment"] for each in answer.json()["events"]} == {f"{CODE}/belt1"}


def test_the_stream_holds_what_is_in_scope(told, narrow):
    platform, _ = told
    headers = {"Authorization": f"Bearer {narrow.token}"}
    with connect(platform.ws, additional_headers=headers) as socket:
        socket.send(json.dumps({"subscribe": {"all": True, "interval_s": 0.2}}))
        first = socket.recv(5)
        assert not [word for word in HIDDEN if word in first]
        assert len(json.loads(first)["snapshot"]["points"]) == 4
        ts = time.time_ns() // 1000
        platform.send(batch(platform.next_number(), ("pump1/level", ts, 8.0, 192), ("belt1/speed", ts, 3.5, 192)))
        frame = until(lambda: (found := json.loads(socket.recv(5)))["i"] and found)
        assert frame["v"] == [3.5]
        socket.send(json.dumps({"subscribe": {"points": ["pump1/level"]}}))
        with pytest.raises(ConnectionClosed):
            while "error" not in (said := json.loads(socket.recv(5))):
                pass
            assert said["error"]["code"] == "unknown_point"
            socket.recv(5)


def test_a_class_of_data_bounds_samples_and_events(told):
    platform, _ = told
    token = tokens.create_token(platform.home, "statutory", scope=Scope.of({"classes": ["statutory"]}))
    with httpx.Client(base_url=platform.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        assert [each["point"] for each in client.get("/api/v1/points").json()["points"]] == [path_of("pump1/flow")]
        assert client.get("/api/v1/events", params={"start": "-1h"}).json()["events"] == []
