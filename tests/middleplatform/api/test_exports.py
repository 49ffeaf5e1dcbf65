"""Exports over HTTP: from the order to the last byte of the file."""

from __future__ import annotations

import io
import re

import httpx
import pytest
from pyarrow import parquet

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from tests.middleplatform.api.build import batch, id_of, now, path_of
from tests.middleplatform.api.stage import until

SECOND = 1_000_000
FLOW = path_of("pump1/flow")


@pytest.fixture(scope="module")
def told(platform):
    """A hundred samples, two hours ago; the start in µs."""
    start = (now() // SECOND - 7200) * SECOND
    rows = [("pump1/flow", start + k * SECOND, k / 4, 192) for k in range(100)]
    platform.send(batch(platform.next_number(), *rows), live=False)
    ask = {"point": FLOW, "start": start, "end": start + 100 * SECOND}
    until(lambda: len(platform.get("history", **ask).json()["series"][0]["samples"]["ts"]) == 100)
    return start


@pytest.fixture
def client(platform):
    with platform.client() as client:
        yield client
        for export in client.get("/api/v1/exports").json()["exports"]:
            client.delete(f"/api/v1/exports/{export['id']}")


def ordered(client: httpx.Client, start: int, **more) -> dict:
    answer = client.post("/api/v1/exports", json={"point": [FLOW], "start": str(start), **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


def done(client: httpx.Client, export: dict) -> dict:
    def state():
        facts = client.get(f"/api/v1/exports/{export['id']}").json()
        return None if facts["state"] in {"waiting", "running"} else facts

    return until(state)


def test_an_export_is_ordered_watched_and_fetched(client, told):
    export = ordered(client, told, end=str(told + 60 * SECOND))
    assert export["state"] in {"waiting", "running", "done"} and export["rows_expected"] == 60
    facts = done(client, export)
    assert (facts["state"], facts["rows"], facts["progress"], facts["words"]) == ("done", 60, 1, None)
    assert facts["expires"] > facts["finished"]
    answer = client.get(facts["file"])
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert int(answer.headers["content-length"]) == facts["bytes"] == len(answer.content)
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.column("value").to_pylist() == [k / 4 for k in range(60)]
    assert set(table.column("point").to_pylist()) == {FLOW} and set(table.column("id").to_pylist()) == {
        id_of("pump1/flow")
    }
    assert client.get("/api/v1/exports").json()["exports"][0] == facts
    assert client.delete(f"/api/v1/exports/{facts['id']}").json() == {"removed": facts["id"]}
    assert client.get(facts["file"]).status_code == 404


def test_a_download_that_broke_off_goes_on(client, told):
    facts = done(client, ordered(client, told, format="csv"))
    whole = client.get(facts["file"])
    assert whole.headers["accept-ranges"] == "bytes"
    rest = {"Range": "bytes=1000-", "If-Range": whole.headers["etag"]}
    part = client.get(facts["file"], headers=rest)
    assert (part.status_code, part.content) == (206, whole.content[1000:])
    assert part.headers["content-range"] == f"bytes 1000-{facts['bytes'] - 1}/{facts['bytes']}"
    changed = client.get(facts["file"], headers={**rest, "If-Range": '"another"'})
    assert (changed.status_code, len(changed.content)) == (200, facts["bytes"])
    for wrong in (
        f"bytes={facts['bytes']}-",
        "bytes=0-1,5-6",
        "bytes=x",
        "rows=1-2",
        "bytes=-",
        "bytes=9-5",
        "bytes=-0",
    ):
        refused = client.get(facts["file"], headers={"Range": wrong})
        assert (refused.status_code, refused.json()["error"]["code"]) == (416, "no_such_range"), wrong
        assert refused.headers["content-range"] == f"bytes */{facts['bytes']}"


def test_a_file_that_is_not_whole_any_more_is_refused_and_never_given_in_part(client, told, platform):
    facts = done(client, ordered(client, told, format="csv"))
    path = platform.home / "exports" / facts["id"] / "samples.csv"
    for spoil in (lambda: path.write_bytes(path.read_bytes()[:-1]), path.unlink):
        spoil()
        refused = client.get(facts["file"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "file_damaged")


def test_without_samples_there_is_a_file_that_says_so(client, told):
    facts = done(client, ordered(client, 1_000_000_000_000_000, end=str(1_000_000_060_000_000)))
    assert (facts["state"], facts["rows"]) == ("done", 0)
    assert "no samples" in facts["words"]["en"] and "没有样本" in facts["words"]["zh"]
    assert parquet.read_table(io.BytesIO(client.get(facts["file"]).content)).num_rows == 0


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        ({"start": "2100-01-01T00:00:00Z", "end": "2101-01-01T00:00:00Z"}, 400, "future_range", "start"),
        ({"start": "now"}, 400, "empty_range", "start"),
        ({"start": "-1h", "end": "-2h"}, 400, "empty_range", "start"),
        ({"start": "soon"}, 400, "invalid_time", "start"),
        ({"start": "-1h", "point": ["belt1/sped"]}, 404, "unknown_point", "point"),
        ({"start": "-1h", "equipment": ["belt9"]}, 404, "unknown_equipment", "equipment"),
        ({"start": "-1h", "format": "xlsx"}, 400, "invalid_parameter", "format"),
        ({"start": "-1h", "points": []}, 400, "invalid_parameter", "points"),
        ({}, 400, "invalid_parameter", "start"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(client, body, status, code, where):
    answer = client.post("/api/v1/exports", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["where"]) == (status, code, where)
    assert error["message"] and re.search("[\u4e00-\u9fff]", error["message_zh"])


def test_only_its_owner_and_an_administrator_see_an_export(platform, client, told):
    facts = done(client, ordered(client, told))
    address = f"{platform.url}/api/v1/exports/{facts['id']}"
    other = {"Authorization": f"Bearer {tokens.create_token(platform.home, 'other', role='analyst')}"}
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        answer = httpx.request(method, address + path, headers=other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_export")
    assert facts["id"] not in httpx.get(f"{platform.url}/api/v1/exports", headers=other).text
    operator = {"Authorization": f"Bearer {tokens.create_token(platform.home, 'o', role='operator')}"}
    assert httpx.get(address, headers=operator).status_code == 403
    with platform.client("admin") as administrator:
        assert administrator.get(address).json() == facts
    assert client.get(address.replace(facts["id"], "0" * 24)).status_code == 404
    assert client.get(address.replace(facts["id"], "../../bus")).status_code in {400, 404}


def test_what_is_beyond_a_scope_is_in_no_export(platform, client, told):
    """Of the pump's export a caller of the east wing hears nothing, though he may manage users."""
    facts = done(client, ordered(client, told))
    east = Scope.of({"areas": ["east"]})
    token = tokens.create_token(platform.home, "east", role="administrator", scope=east)
    with httpx.Client(base_url=platform.url, headers={"Authorization": f"Bearer {token}"}) as narrow:
        for path in ("", "/file"):
            assert narrow.get(f"/api/v1/exports/{facts['id']}{path}").status_code == 404
        assert narrow.delete(f"/api/v1/exports/{facts['id']}").status_code == 404
        assert narrow.get("/api/v1/exports").json() == {"exports": []}
        refused = narrow.post("/api/v1/exports", json={"point": [FLOW], "start": str(told)})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_point")
        everything = narrow.post("/api/v1/exports", json={"start": str(told), "format": "csv"}).json()
        mine = done(narrow, everything)
        assert mine["points"] == 4 and "pump1" not in narrow.get(mine["file"]).text
        assert client.get(f"/api/v1/exports/{mine['id']}").status_code == 404
        narrow.delete(f"/api/v1/exports/{mine['id']}")


def test_too_many_at_once_are_refused(platform, client, told, monkeypatch):
    monkeypatch.setattr("middleplatform.export.exports.MOST_ACTIVE", 0)
    answer = client.post("/api/v1/exports", json={"point": [FLOW], "start": str(told)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_exports")
    assert int(answer.headers["retry-after"]) > 0
