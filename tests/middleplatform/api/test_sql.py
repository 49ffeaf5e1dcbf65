"""SQL over HTTP and from the command line, from a real store, within the asker's scope."""

# ruff: noqa: S608
from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.sql.views import VIEWS
from models.events import Event
from tests.middleplatform.api.build import batch, id_of, now, path_of
from tests.middleplatform.api.stage import until
from tests.servers import CODE

SECOND = 1_000_000


@pytest.fixture(scope="module")
def told(platform):
    """Ten samples of a belt and of a pump, an event of each; the µs of the first."""
    start = (now() // SECOND - 300) * SECOND
    rows = [(name, start + k * SECOND, 10.0 + k, 192) for k in range(10) for name in ("belt1/current", "pump1/flow")]
    platform.send(batch(platform.next_number(), *rows), live=False)
    platform.send_events(
        *(Event(f"sql-{name}", f"{CODE}/{name}", "sql", start, None, 192, "plc", {}) for name in ("belt1", "pump1"))
    )
    counted = f"SELECT count() FROM samples WHERE ts >= {start} AND ts < {start + 10 * SECOND}"
    until(lambda: ask(platform, counted).json()["columns"][0]["values"] == [20])
    until(lambda: ask(platform, "SELECT count() FROM events WHERE kind = 'sql'").json()["columns"][0]["values"] == [2])
    return start


@pytest.fixture
def east(platform):
    """A token that sees the belt only."""
    return tokens.create_token(platform.home, "east", role="analyst", scope=Scope.of({"areas": ["east"]}))


def ask(platform, sql, token=None, **more):
    headers = {"Authorization": f"Bearer {token or platform.reader}"}
    return httpx.post(f"{platform.url}/api/v1/sql", json={"sql": sql, **more}, headers=headers, timeout=30)


def column(answer, index=0):
    assert answer.status_code == 200, answer.text
    return answer.json()["columns"][index]["values"]


def test_an_answer_in_json(platform, told):
    sql = (
        "SELECT point, time, value, value / 0 AS none, toStartOfMinute(time) AS m"
        f" FROM samples WHERE ts = {told} AND point = point_id('belt1/current')"
    )
    body = ask(platform, sql).json()
    assert (body["rows"], body["incomplete"]) == (1, False)
    assert [each["name"] for each in body["columns"]] == ["point", "time", "value", "none", "m"]
    point, moment, value, none, minute = (each["values"][0] for each in body["columns"])
    assert (point, value, none) == (str(id_of("belt1/current")), 10.0, None)
    assert moment.endswith(".000000Z") and minute.endswith(":00Z")


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
def test_an_answer_in_other_forms(platform, told, form):
    sql = (
        "SELECT ts, value, text, [1, 2] AS a FROM samples"
        f" WHERE point = point_id('{path_of('pump1/flow')}') AND ts >= {told} ORDER BY ts LIMIT 3"
    )
    answer = ask(platform, sql, format=form)
    assert answer.status_code == 200, answer.text
    if form == "csv":
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert lines[1] == f'"{told}",10,,"[1, 2]"'
        return
    table = (
        pa.ipc.open_stream(answer.content).read_all()
        if form == "arrow"
        else parquet.read_table(io.BytesIO(answer.content))
    )
    assert table.column("ts").to_pylist() == [told + k * SECOND for k in range(3)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count() FROM samples WHERE point = {pump}", 0),
        ("SELECT count() FROM points WHERE path LIKE '%pump%'", 0),
        ("SELECT count() FROM equipment", 1),
        ("SELECT count() FROM events WHERE kind = 'sql'", 1),
        ("SELECT uniqExact(point) FROM samples WHERE ts >= {start} AND ts < {start} + 10", 1),
    ],
)
def test_what_is_beyond_the_scope_is_not_there(platform, told, east, sql, expected):
    assert column(ask(platform, sql.format(pump=id_of("pump1/flow"), start=told), east)) == [expected]


def test_a_point_beyond_the_scope_is_unknown(platform, told, east):
    sql = "SELECT count() FROM samples WHERE point = point_id('pump1/flow')"
    answer = ask(platform, sql, east)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_point")
    assert column(ask(platform, sql)) != [0]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM file('/etc/passwd')", "sql_table_function"),
        ("DROP TABLE samples", "sql_not_a_query"),
        ("SELECT nothing FROM samples", "sql_failed"),
        ("SELECT arrayJoin(range(200000)) AS a", "sql_too_many_rows"),
        ("x" * 10_001, "invalid_parameter"),
    ],
)
def test_a_refusal_says_why(platform, sql, code):
    error = ask(platform, sql).json()["error"]
    assert (error["code"], error["where"]) == (code, "sql")
    assert error["message"] and error["message_zh"]


def test_who_may_not_is_refused(platform):
    for role in ("operator", "engineer", "bureau"):
        token = tokens.create_token(platform.home, role, role=role)
        assert ask(platform, "SELECT 1", token).status_code == 403
    assert httpx.post(f"{platform.url}/api/v1/sql", json={"sql": "SELECT 1"}).status_code == 401


LONG = (
    "SELECT count() FROM (SELECT arrayJoin(range(100000)) AS a) x, (SELECT arrayJoin(range(100000)) AS b) y"
    " WHERE sin(a * b) > 2"
)


def test_a_running_statement_is_stopped_by_its_asker_alone(platform, told, east):
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(platform, LONG, id="mine")))
    asking.start()
    stop = lambda token: httpx.delete(f"{platform.url}/api/v1/sql/mine", headers={"Authorization": f"Bearer {token}"})  # noqa: E731
    assert stop(east).status_code == 404
    codes = []
    while asking.is_alive() and len(codes) < 100:
        codes.append(stop(platform.reader).status_code)
        time.sleep(0.1)
    asking.join()
    assert 204 in codes and set(codes) <= {204, 404}
    assert answers[0].json()["error"]["code"] == "sql_stopped"
    assert stop(platform.reader).status_code == 404


def test_a_statement_ends_when_its_asker_goes_away(platform, told):
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{platform.url}/api/v1/sql", json={"sql": LONG, "id": "left"}, timeout=0.5,
                       headers={"Authorization": f"Bearer {platform.reader}"})  # fmt: skip
    assert column(ask(platform, "SELECT 1")) == [1]
    assert time.monotonic() - began < 9, "their sessions were not free before their time was over"


def test_the_examples_of_the_docs_run(platform, told):
    text = (Path(__file__).parents[3] / "docs" / "sql.md").read_text("utf-8").replace("belt_101", "belt1")
    examples = re.findall(r'sevenones sql (?:--format csv )?"([^"]+)"', text) + re.findall(r'\{"sql": "([^"]+)"', text)
    assert len(examples) == 3
    for example in examples:
        answer = ask(platform, example)
        assert answer.status_code == 200, (example, answer.text)
    for table in VIEWS:
        assert f"`{table}`" in text


def test_the_tables_are_listed(platform):
    listed = {table["name"]: table["columns"] for table in platform.get("sql").json()["tables"]}
    for name, columns in listed.items():
        names = [each["name"] for each in columns]
        body = ask(platform, f"SELECT * FROM {name} LIMIT 0").json()
        assert [each["name"] for each in body["columns"]] == names


def test_from_the_command_line(platform, told):
    def run(*words):
        argv = [sys.executable, "-m", "sevenones", "sql", *words, "--url", platform.url, "--token", platform.reader]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return ended.stderr, ended.stdout

    sql = f"SELECT value, text FROM samples WHERE ts = {told} AND point = point_id('belt1/current')"
    assert json.loads(run(sql, "--format", "json")[1]) == [{"value": 10.0, "text": None}]
    assert run(sql, "--format", "csv")[1].splitlines() == ["value,text", "10.0,"]
    assert "10" in run(sql)[1]
    assert "point_id" in run()[1]
    assert "只能查询" in str(run("DROP TABLE samples")[0])


@pytest.mark.timeout(270)
def test_the_description_holds_for_whatever_is_sent(platform):
    schema = schemathesis.openapi.from_dict(platform.get("../openapi.json").json())
    checks = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def every(data):
        for operation in schema.include(path_regex="/sql").get_all_operations():
            case = data.draw(operation.ok().as_strategy())
            answer = case.call(base_url=platform.url, headers={"Authorization": f"Bearer {platform.reader}"})
            case.validate_response(answer, checks=checks)

    every()
