"""Prometheus' HTTP API as Grafana's data source uses it, over a real store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from tests.middleplatform.api.build import batch, now, path_of
from tests.middleplatform.api.stage import until

SECOND = 1_000_000
RECORDED = {
    each["what"]: each for each in yaml.safe_load(Path(__file__).with_name("grafana_requests.yaml").read_text())
}


@pytest.fixture(scope="module")
def start(platform):
    """The second of the first of twenty samples, one a second: 10, 11, … of a belt and of a pump; the last is bad.
    Hours ago: what other files tell of the same belt on this platform is of the last minutes."""
    start = now() // SECOND - 3 * 3600
    rows = [
        (name, (start + k) * SECOND, 10.0 + k, 192 if k < 19 else 0)
        for k in range(20)
        for name in ("belt1/current", "pump1/flow")
    ]
    platform.send(batch(platform.next_number(), *rows), live=False)
    counted = {"query": "count_over_time(belt_current[20s])", "time": start + 19}
    until(lambda: [each["value"][1] for each in ask(platform, "query", **counted).json()["data"]["result"]] == ["19"])
    return start


def ask(platform, path, token=None, method="GET", form=None, **params):
    headers = {"Authorization": f"Bearer {token or platform.reader}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    url = f"{platform.url}/api/v1/prometheus/api/v1/{path}"
    return httpx.request(method, url, params=params or None, content=form, headers=headers, timeout=30)


def recorded(platform, start, what):
    each = RECORDED[what]
    path, form = (
        str(each.get(part, "")).replace("START", str(start)).replace("END", str(start + 20))
        for part in ("path", "form")
    )
    answer = ask(platform, path, method=each["method"], form=form if "form" in each else None)
    body = answer.json()
    if "refused" in each:
        assert (answer.status_code, body["status"], body["errorType"]) == (404, "error", "not_found")
        return body["error"]
    assert answer.status_code == 200, answer.text
    assert body["status"] == "success"
    return body["data"]


def test_save_and_test(platform, start):
    assert recorded(platform, start, "save and test") == {"resultType": "scalar", "result": [4, "2"]}
    again = recorded(platform, start, "save and test, by GET and with a timeout")
    assert again == {"resultType": "scalar", "result": [4, "2"]}
    assert "features" not in recorded(platform, start, "what do I speak to"), "which would make it another product"
    assert recorded(platform, start, "what do I speak to")["application"] == "sevenones"


def test_what_the_query_builder_asks_for(platform, start):
    names = recorded(platform, start, "metric names for the query builder")
    assert {"belt_speed", "belt_current", "belt_running", "pump_level", "pump_flow"} == set(names)  # and no text
    labels = recorded(platform, start, "label names of one metric")
    assert {"__name__", "point", "equipment", "mine", "area"} <= set(labels)
    assert "unit" not in labels  # this metric has none
    assert recorded(platform, start, "values of a dashboard's variable") == ["belt1", "pump1"]
    assert set(recorded(platform, start, "label names of all")) >= set(labels) | {"unit"}
    assert "m/s" in recorded(platform, start, "values of a label that is not empty")
    assert len(recorded(platform, start, "all series")) == 3
    assert len(recorded(platform, start, "metadata of metrics, a few")) == 2
    (series,) = recorded(platform, start, "series")
    assert (series["__name__"], series["point"]) == ("belt_current", path_of("belt1/current"))
    metadata = recorded(platform, start, "metadata of metrics")
    assert metadata["belt_speed"] == [{"type": "gauge", "help": "带速 · belt speed", "unit": "m/s"}]


def test_a_panel(platform, start):
    data = recorded(platform, start, "a panel")
    assert data["resultType"] == "matrix"
    (series,) = data["result"]
    assert series["metric"]["__name__"] == "belt_current"
    # At 20 s the last sample is bad: nothing holds.
    assert series["values"] == [[start + k, f"{10 + k}"] for k in (0, 5, 10, 15)]


def test_a_rate_by_equipment(platform, start):
    data = recorded(platform, start, "a panel with a rate and an aggregation")
    found = {each["metric"]["equipment"]: dict(each["values"]) for each in data["result"]}
    assert set(found) == {"belt1", "pump1"}
    assert float(found["belt1"][start + 15]) == pytest.approx(60)


def test_a_stat_panel(platform, start):
    data = recorded(platform, start, "a stat panel")
    assert data["resultType"] == "vector"
    assert [each["value"] for each in data["result"]] == [[start + 20, "28"]]
    assert "__name__" not in data["result"][0]["metric"]
    constant = recorded(platform, start, "a rule's condition")
    assert constant == {"resultType": "vector", "result": [{"metric": {}, "value": [start + 20, "1"]}]}


def test_what_is_not_served_is_named(platform, start):
    for what, each in RECORDED.items():
        if "refused" in each:
            assert f"'{each['refused']}' is not served here" in recorded(platform, start, what)


def test_what_is_beyond_the_scope_is_not_there(platform, start):
    east = tokens.create_token(platform.home, "east", role="analyst", scope=Scope.of({"areas": ["east"]}))
    assert ask(platform, "label/equipment/values", east).json()["data"] == ["belt1"]
    assert "pump" not in ask(platform, "series", east, **{"match[]": '{point=~".+"}'}).text
    assert ask(platform, "query", east, query="pump_flow", time=start + 5).json()["data"]["result"] == []
    assert len(ask(platform, "query", query="pump_flow", time=start + 5).json()["data"]["result"]) == 1
    total = ask(platform, "query", east, query='count({key=~"current|flow"})', time=start + 5).json()["data"]["result"]
    assert [each["value"][1] for each in total] == ["1"]
    assert httpx.get(f"{platform.url}/api/v1/prometheus/api/v1/labels").status_code == 401


def test_many_at_once_are_all_answered(platform, start):
    """A query waits in a thread for another that asks the store: they must not take each other's place."""
    with ThreadPoolExecutor(30) as pool:
        form = f"query=belt_current&start={start}&end={start + 10}&step=1"
        asked = [pool.submit(ask, platform, "query_range", method="POST", form=form) for _ in range(60)]
        codes = [each.result().status_code for each in asked]
    assert set(codes) <= {200, 503} and codes.count(200) >= 30


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("query", {"query": "topk(3, belt_current)"}, "topk"),
        ("query", {"query": "belt_current offset 5m"}, "offset"),
        ("query", {"query": '{point=~"("}'}, "pattern"),
        ("query", {}, "'query'"),
        ("query", {"query": "1", "time": "yesterday"}, "yesterday"),
        ("query", {"query": "1", "time": "nan"}, "time"),
        ("query_range", {"query": "1", "start": "1", "end": "0", "step": "1"}, "before"),
        ("query_range", {"query": "1", "start": "0", "end": "99999", "step": "1"}, "11000"),
        ("query_range", {"query": "1", "start": "0", "end": "9", "step": "0"}, "step"),
        ("query_range", {"query": "1", "start": "0", "end": "9", "step": "inf"}, "step"),
        ("query_range", {"query": "1", "start": "0", "end": "9"}, "'step'"),
        ("series", {}, "match[]"),
        ("series", {"match[]": "1+1"}, "selector"),
        ("metadata", {"limit": "x"}, "limit"),
    ],
)
def test_what_is_wrong_is_named(platform, path, params, named):
    answer = ask(platform, path, **params)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", "bad_data")
    assert named in body["error"]


PATHS = st.sampled_from(["query", "query_range", "labels", "label/x/values", "series", "metadata", "status/buildinfo"])
NAMES = st.sampled_from(["query", "time", "start", "end", "step", "match[]", "limit", "metric"])
ODD = st.one_of(
    st.text(max_size=30),
    st.floats().map(str),
    st.sampled_from(["belt_current", "rate(belt_current[1m])", '{a=~".*.*.*"}', "1e400"]),
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(PATHS, st.dictionaries(NAMES, ODD, max_size=5), st.binary(max_size=30), st.booleans())
def test_whatever_comes_is_answered_or_refused(platform, path, params, form, posted):
    params = {name: value.encode("utf-8", "replace") for name, value in params.items()}
    answer = ask(platform, path, method="POST" if posted else "GET", form=form if posted else None, **params)
    assert answer.status_code in {200, 400}, answer.text
    assert answer.json()["status"] in {"success", "error"}
