"""Aggregates, resampling and joins over HTTP, from a real store by way of a real bus."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.middleplatform.api.build import batch, now, path_of
from tests.middleplatform.api.stage import until

SECOND = 1_000_000
RUNNING, LEVEL = path_of("belt1/running"), path_of("pump1/level")


@pytest.fixture(scope="module")
def told(platform):
    """A minute, an hour ago: running for 20 s, stopped for 10, unknown for 10, running again for 20; a level that
    rises by one every 10 s. The start in µs."""
    start = (now() // SECOND - 3600) * SECOND
    states = [(0, 1.0, 192), (10, 1.0, 192), (20, 0.0, 192), (30, float("nan"), 24), (40, 1.0, 192)]
    rows = [("belt1/running", start + k * SECOND, value, quality) for k, value, quality in states]
    rows += [("pump1/level", start + k * 10 * SECOND, float(k), 192) for k in range(6)]
    platform.send(batch(platform.next_number(), *rows), live=False)
    ask = {"point": LEVEL, "start": start, "end": start + 60 * SECOND}
    until(lambda: len(platform.get("history", **ask).json()["series"][0]["samples"]["ts"]) == 6)
    return start


def ask(platform, route, begin, /, **query):
    answer = platform.get(route, **{"start": begin, "end": begin + 60 * SECOND, **query})
    assert answer.status_code == 200, answer.text
    return answer


def test_states_sum_to_the_range_what_is_not_known_included(platform, told):
    body = ask(platform, "aggregates/states", told, point=RUNNING).json()
    assert body["width_us"] == 60 * SECOND
    columns = body["series"][0]["buckets"]
    assert columns["state"] == [0.0, 1.0, None]
    assert columns["duration_us"] == [10 * SECOND, 40 * SECOND, 10 * SECOND]
    assert columns["times"] == [1, 2, 0]
    halves = ask(platform, "aggregates/states", told, point=RUNNING, width="30s").json()["series"][0]["buckets"]
    assert list(zip(halves["ts"], halves["state"], strict=True)) == [
        (told, 0.0), (told, 1.0), (told + 30 * SECOND, 1.0), (told + 30 * SECOND, None),
    ]  # fmt: skip


def test_an_integral_is_over_good_time(platform, told):
    (level, running) = ask(platform, "aggregates/integral", told, point=f"{LEVEL},{RUNNING}").json()["series"]
    assert level["buckets"]["integral"] == [pytest.approx(10 * (0 + 1 + 2 + 3 + 4 + 5))]
    assert level["buckets"]["good_us"] == [60 * SECOND]
    assert running["buckets"]["integral"] == [pytest.approx(40)]
    assert running["buckets"]["good_us"] == [50 * SECOND]


def test_quantiles_are_weighted_by_time(platform, told):
    body = ask(platform, "aggregates/quantiles", told, point=[LEVEL, RUNNING], q="0,0.5,0.951,1").json()
    level, running = (series["buckets"] for series in body["series"])
    assert [level[name] for name in ("p0", "p50", "p95.1", "p100")] == [[0.0], [2.0], [5.0], [5.0]]
    assert (running["p0"], running["p50"]) == ([0.0], [1.0])


def test_a_resampled_point_is_null_where_nothing_good_holds(platform, told):
    body = ask(platform, "resample", told, point=RUNNING, start=told - 10 * SECOND, step="10s").json()
    assert body["width_us"] == 10 * SECOND
    samples = body["series"][0]["samples"]
    assert samples["ts"] == [told + k * 10 * SECOND for k in range(-1, 6)]
    assert samples["value"] == [None, 1.0, 1.0, 0.0, None, 1.0, 1.0]
    assert samples["quality"] == [20, 192, 192, 192, 24, 192, 192]


def test_points_are_joined_side_by_side_in_the_order_named(platform, told):
    named = {"point": f"{LEVEL},{RUNNING}", "step": "15s"}
    body = ask(platform, "join", told, **named, quality=True).json()
    assert (body["step_us"], body["ts"]) == (15 * SECOND, [told + k * 15 * SECOND for k in range(4)])
    level, running = body["points"]
    assert (level["point"], level["value"]) == (LEVEL, [0.0, 1.0, 3.0, 4.0])
    assert (running["value"], running["quality"]) == ([1.0, 1.0, None, 1.0], [192, 192, 24, 192])
    assert "quality" not in ask(platform, "join", told, **named).json()["points"][0]
    turned = ask(platform, "join", told, point=f"{RUNNING},{LEVEL}", step="15s").json()["points"]
    assert [each["value"] for each in turned] == [running["value"], level["value"]]


def test_every_form_holds_the_same(platform, told):
    query = {"point": f"{RUNNING},{LEVEL}", "step": "15s", "quality": "true"}
    arrow = pa.ipc.open_stream(ask(platform, "join", told, **query, format="arrow").content).read_all()
    assert arrow.schema.names == ["time", "ts", RUNNING, f"{RUNNING}:quality", LEVEL, f"{LEVEL}:quality"]
    assert arrow.column(LEVEL).to_pylist() == [0.0, 1.0, 3.0, 4.0]
    again = parquet.read_table(io.BytesIO(ask(platform, "join", told, **query, format="parquet").content))
    written = csv.read_csv(io.BytesIO(ask(platform, "join", told, **query, format="csv").content))
    assert again.drop_columns(RUNNING).equals(arrow.drop_columns(RUNNING))
    assert written.column(LEVEL).to_pylist() == [0, 1, 3, 4]
    assert written.column(RUNNING).to_pylist() == [1, 1, None, 1]
    states = ask(platform, "aggregates/states", told, point=RUNNING, format="arrow").content
    assert pa.ipc.open_stream(states).read_all().column("duration_us").to_pylist() == [10**7, 4 * 10**7, 10**7]


@pytest.mark.parametrize(
    ("route", "query", "status", "code", "where"),
    [
        ("aggregates/states", {"point": "belt1/sped"}, 404, "unknown_point", "point"),
        ("aggregates/states", {}, 400, "invalid_parameter", "point"),
        ("aggregates/states", {"point": ","}, 400, "no_point", "point"),
        ("aggregates/integral", {"point": LEVEL, "width": "0s"}, 400, "invalid_width", "width"),
        ("aggregates/integral", {"point": LEVEL, "start": "0", "width": "1ms"}, 400, "too_many_buckets", "width"),
        ("aggregates/quantiles", {"point": LEVEL, "q": "1.5"}, 400, "invalid_quantile", "q"),
        ("aggregates/quantiles", {"point": LEVEL, "q": "0.5,x"}, 400, "invalid_quantile", "q"),
        ("aggregates/quantiles", {"point": LEVEL, "q": ","}, 400, "invalid_quantile", "q"),
        ("aggregates/quantiles", {"point": LEVEL, "q": ",".join(f"0.{k:02}" for k in range(21))},
         400, "too_many_quantiles", "q"),
        ("resample", {"point": LEVEL, "step": "0s"}, 400, "invalid_width", "step"),
        ("resample", {"point": LEVEL, "start": "0", "step": "1ms"}, 400, "too_many_values", "step"),
        ("join", {"point": LEVEL, "step": "soon"}, 400, "invalid_duration", "step"),
        ("join", {"point": LEVEL, "start": "now", "end": "-1m"}, 400, "empty_range", "start"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(platform, route, query, status, code, where):
    answer = platform.get(route, **query)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["where"]) == (status, code, where)
    assert error["message"] and re.search("[\u4e00-\u9fff]", error["message_zh"])


def test_a_future_range_is_empty_and_not_a_fault(platform):
    query = {"point": LEVEL, "start": "2100-01-01T00:00:00Z", "end": "2100-01-01T00:01:00Z"}
    assert platform.get("aggregates/integral", **query).json()["series"][0]["buckets"]["ts"] == []
    states = platform.get("aggregates/states", **query).json()["series"][0]["buckets"]
    assert (states["state"], states["duration_us"]) == ([None], [60 * SECOND])
    assert platform.get("resample", **query, step="30s").json()["series"][0]["samples"]["value"] == [None, None]
