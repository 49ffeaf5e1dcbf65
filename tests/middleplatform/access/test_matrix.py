"""Every route for every role and scope, against `matrix.csv`, which people wrote and reviewed."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from middleplatform.access import tokens, users
from middleplatform.access.policy import ROLES
from middleplatform.access.scope import Scope
from middleplatform.api.app import build as application
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.live import LiveTable
from models.events import Event
from models.identity import point_id
from models.samples import Batch
from tests.middleplatform.api.build import HOST, batch, id_of, samples, site
from tests.middleplatform.api.stage import Link, until
from tests.servers import CODE

OTHER = "140581000001"
PLACED = ("engineer", "administrator")
"""Who may know where devices are on the network."""
HIDDEN = ("pump1", "一号水泵", "sump", "水仓", *(str(id_of(f"pump1/{key}")) for key in ("level", "flow")))
"""What stands for the part of the mine that a caller of the east wing must not hear of."""


def rows() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "matrix.csv").read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in text if not line.startswith("#")))


MATRIX = rows()
PLACES = {
    "name": "nobody",
    "number": "999999",
    "export": "f" * 16,
    "id": "nobodys",
    "kind": "owners",
    "version": "1",
    "label": "point",
    "entry": "999999",
    "ticket": "999999",
    "act": "select",
    "command": "nothing",
    "equipment": "nothing",
    "sequence": "nothing",
    "run": "999999",
    "rotation": "nothing",
    "handover": "999999",
    "alarm": "999999",
    "raised": "999999",
    "code": "AAAA-AAAA-AAAA-AAAA-AAAA",
}
"""What stands in an address: of what can be lost something that is not there."""


def routes(app: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, mount and WebSocket of an application."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:  # a router that was included
            yield from routes(inner, prefix + (getattr(route.include_context, "prefix", "") or ""))
        elif isinstance(route, WebSocketRoute):
            yield "WS", prefix + route.path
        else:
            methods = getattr(route, "methods", None) or {"GET"}
            yield from ((method, prefix + route.path or "/") for method in methods - {"HEAD"})


@pytest.fixture(scope="module")
def told(platform):
    """A platform with a sample and an event of each machine, and of another mine what a gateway must not say."""
    ts = time.time_ns() // 1000 - 1_000_000
    platform.send(batch(platform.next_number(), ("belt1/speed", ts, 2.0, 192), ("pump1/level", ts, 7.0, 192)))
    platform.send_events(
        Event("matrix-b", f"{CODE}/belt1", "stop", ts, None, 192, "edge1", {}),
        Event("matrix-p", f"{CODE}/pump1", "stop", ts, None, 192, "edge1", {}),
        Event("matrix-o", f"{OTHER}/belt1", "stop", ts, None, 192, "edge1", {}),
    )
    until(lambda: {"matrix-b", "matrix-p"} <= events_in(platform, ts))
    assert "matrix-o" not in events_in(platform, ts)
    return platform


def events_in(stage, ts: int) -> set[str]:
    return {each["id"] for each in stage.get("events", start=str(ts - 1)).json()["events"]}


@pytest.fixture(scope="module")
def callers(told) -> dict[str, str]:
    """Tokens by role, by role in the east wing (`east operator`), and of an initial password (`initial`)."""
    home = told.home
    found = {role: tokens.create_token(home, role, role) for role in ROLES}
    east = Scope.of({"areas": ["east"]})
    found |= {f"east {role}": tokens.create_token(home, f"east {role}", role, scope=east) for role in ROLES}
    users.create_user(home, "fresh", "an initial horse", "administrator", must_change=True)
    return found


def ask(stage, row: dict[str, str], token: str | None, given: str) -> httpx.Response:
    path = row["path"].format(**PLACES)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = json.loads(given) if given.startswith("{") else None
    query = "" if body is not None or not given else f"?{given}"
    with httpx.Client(base_url=stage.url, timeout=30, follow_redirects=True) as client:
        return client.request(row["method"], path + query, headers=headers, json=body)


def listen(stage, row: dict[str, str], token: str | None, wanted: dict[str, Any]) -> dict[str, Any]:
    """The first that a stream says."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with connect(stage.url.replace("http", "ws") + row["path"], additional_headers=headers) as socket:
        try:
            socket.send(json.dumps({"subscribe": wanted}))
            return json.loads(socket.recv(10))
        except ConnectionClosed:
            return {"error": {"code": "closed"}}


def test_every_route_is_in_the_matrix_and_nothing_else():
    made = site()
    found = set(routes(application(Catalogue(made), LiveTable(made), Link(), Path("nowhere"))))
    listed = [(row["method"], row["path"]) for row in MATRIX]
    assert len(listed) == len(set(listed))
    assert found - set(listed) == set(), "a new route needs a row that says who may use it"
    assert set(listed) - found == set(), "a row without a route"


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row['method']} {row['path']}")
def test_each_role_is_served_or_refused_as_the_matrix_says(told, callers, row):
    initial = tokens.create_token(told.home, "sign-in", "administrator", 1, "fresh")
    for who, token in (("anonymous", None), *((role, callers[role]) for role in ROLES), ("initial", initial)):
        allowed = row[who]
        assert allowed in {"yes", "no"}, who
        if row["method"] == "WS":
            said = listen(told, row, token, {"all": True})
            assert ("snapshot" in said) == (allowed == "yes"), (who, said)
            continue
        answer = ask(told, row, token, row["try"])
        assert answer.status_code < 500, (who, answer.text)
        if allowed == "no":
            expected = {"anonymous": (401, "unauthorised"), "initial": (403, "password_change_needed")}
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == expected.get(who, (403, "forbidden")), (who, answer.text)
        else:
            assert answer.status_code not in {401, 403}, (who, answer.text)
        assert who in PLACED or HOST not in answer.text, f"{who} hears where a device is on the network"


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row['method']} {row['path']}")
def test_no_role_hears_of_what_is_beyond_its_scope(told, callers, row):
    for role in ROLES:
        if row[role] == "no":
            continue
        token = callers[f"east {role}"]
        if row["method"] == "WS":
            said = json.dumps(listen(told, row, token, {"all": True}), ensure_ascii=False)
            assert "snapshot" in said
        else:
            answer = ask(told, row, token, row["try"])
            assert answer.status_code not in {401, 403}, (role, answer.text)
            said = answer.text
        assert not [word for word in (*HIDDEN, OTHER) if word in said], role
        for beyond in filter(None, (part.strip() for part in row["beyond"].split("|"))):
            field, _, name = beyond.partition("=")
            if row["method"] == "WS":
                error = listen(told, row, token, {"points" if field == "point" else field: [name]})["error"]
                assert error["code"].startswith("unknown_"), (role, beyond, error)
            else:
                answer = ask(told, row, token, beyond)
                error = answer.json()["error"]
                assert (answer.status_code, error["code"][:8]) == (404, "unknown_"), (role, beyond, answer.text)
            assert not [path for path in error.get("nearest", []) if any(word in path for word in HIDDEN)]


@pytest.mark.parametrize("path", ["catalogue", "lineage"])
def test_who_runs_the_mines_network_is_told_where_devices_are(told, callers, path):
    row = {"method": "GET", "path": f"/api/v1/{path}"}
    for role in ROLES:
        answer = ask(told, row, callers[role], "point=belt1/speed")
        if role in PLACED:
            assert HOST in answer.text, role
        else:
            assert HOST not in answer.text, role


def test_what_a_gateway_says_of_another_mine_is_nowhere(told):
    number = point_id(f"{OTHER}/belt1/speed")
    ts = time.time_ns() // 1000
    forged = samples(("belt1/speed", ts, 66.0, 192), ("belt1/current", ts, 5.0, 192))
    forged.point[0] = number
    told.send(Batch("edge1", told.next_number(), ts, forged))

    def live() -> dict[str, Any]:
        return {each["point"]: each["value"] for each in told.get("live").json()["values"]}

    until(lambda: live()[f"{CODE}/belt1/current"] == 5.0)
    assert 66.0 not in live().values()
    for path in ("history", "live"):
        answer = told.get(path, point=str(number))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_point")


def test_a_gateway_is_believed_for_its_own_points_only():
    table = LiveTable(site())
    told = samples(("belt1/speed", time.time_ns() // 1000, 3.0, 192))
    for stranger in ("edge2", "mine", ""):
        table.update(told, gateway=stranger)
    assert (table.foreign, table.waiting()) == (3, len(table))
    table.update(told, gateway="edge1")
    assert (table.foreign, table.waiting()) == (3, len(table) - 1)
