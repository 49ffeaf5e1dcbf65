"""History and events over HTTP, from a real store by way of a real bus."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from models.events import Event, event_id
from tests.middleplatform.api.build import CODE, NAMES, batch, id_of, now, path_of
from tests.middleplatform.api.stage import until

SECOND = 1_000_000
SPEED = path_of("belt1/speed")


@pytest.fixture(scope="module")
def told(platform):
    """Ten seconds of two points, the fifth sample of one bad and without a value; the start in µs."""
    start = (now() // SECOND - 600) * SECOND
    rows = []
    for k in range(10):
        bad = k == 5
        rows.append(("belt1/speed", start + k * SECOND, float("nan") if bad else 1.0 + k, 24 if bad else 192))
        rows.append(("pump1/level", start + k * SECOND + 250_000, 50.0, 192))
    platform.send(batch(platform.next_number(), *rows), live=False)
    note = ("belt1/note", start, float("nan"), 192)
    platform.send(batch(platform.next_number(), note, texts=['检修, "two"\nlines']), live=False)
    ask = {"point": path_of("belt1/note"), "start": start, "end": start + SECOND}
    until(lambda: platform.get("history", **ask).json()["series"][0]["samples"]["ts"])
    return start


def history(platform, start, **query):
    query = {"point": SPEED, "start": start, "end": start + 10 * SECOND, **query}
    answer = platform.get("history", **query)
    assert answer.status_code == 200, answer.text
    return answer


def test_raw_samples_come_with_time_in_both_forms_and_null_for_no_value(platform, told):
    body = history(platform, told).json()
    (series,) = body["series"]
    assert (series["point"], series["id"], series["unit"]) == (SPEED, str(id_of("belt1/speed")), "m/s")
    columns = series["samples"]
    assert columns["ts"] == [told + k * SECOND for k in range(10)]
    assert columns["value"] == [None if k == 5 else 1.0 + k for k in range(10)]
    assert columns["quality"] == [24 if k == 5 else 192 for k in range(10)]
    for moment, ts in zip(columns["time"], columns["ts"], strict=True):
        assert moment.endswith("Z")
        assert datetime.fromisoformat(moment) == datetime.fromtimestamp(ts // SECOND, UTC)
    assert body["truncated"] is False
    assert (body["start_us"], body["end_us"], body["width_us"]) == (told, told + 10 * SECOND, None)


@pytest.mark.parametrize("name", [SPEED, str(id_of("belt1/speed")), "belt1/speed", f" {SPEED} "])
def test_a_point_has_three_names(platform, told, name):
    assert history(platform, told, point=name).json()["series"] == history(platform, told).json()["series"]


def test_points_are_answered_in_the_order_named_and_once(platform, told):
    names = [path_of("pump1/level"), f"{SPEED},{path_of('pump1/flow')}", SPEED]
    series = history(platform, told, point=names).json()["series"]
    assert [each["point"] for each in series] == [path_of("pump1/level"), SPEED, path_of("pump1/flow")]
    assert [len(each["samples"]["ts"]) for each in series] == [10, 10, 0]


@pytest.mark.parametrize("buckets", [None, 5])
def test_all_forms_hold_the_same_rows(platform, told, buckets):
    query = {"point": [path_of("pump1/level"), SPEED], **({"buckets": buckets} if buckets else {})}
    kind = "buckets" if buckets else "samples"
    want = []
    for each in history(platform, told, **query).json()["series"]:
        columns = each[kind]
        names = [name for name in columns if name != "time"]
        for values in zip(*(columns[name] for name in names), strict=True):
            want.append({"point": each["point"], "id": int(each["id"]), **dict(zip(names, values, strict=True))})
    assert len(want) == (10 if buckets else 20)
    arrow = pa.ipc.open_stream(history(platform, told, **query, format="arrow").content).read_all()
    columnar = parquet.read_table(io.BytesIO(history(platform, told, **query, format="parquet").content))
    for table in (arrow, columnar):
        rows = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
        assert [{name: row[name] for name in want[0]} for row in rows] == want
        assert all(row["time"].timestamp() * SECOND == row["ts"] for row in table.to_pylist())
        assert table.schema.field("time").type == pa.timestamp("us", "UTC")
        assert table.schema.field("id").type == pa.uint64()
    text = history(platform, told, **query, format="csv").content.decode("utf-8-sig")
    got = list(csv.DictReader(io.StringIO(text)))
    assert [row["point"] for row in got] == [row["point"] for row in want]
    for row, expected in zip(got, want, strict=True):
        for name, value in expected.items():
            if isinstance(value, float):
                assert float(row[name]) == value
            else:
                assert row[name] == ("" if value is None else str(value))


def _plain(value):
    return None if value != value else value  # noqa: PLR0124 - NaN


def test_text_survives_each_form(platform, told):
    query = {"point": path_of("belt1/note")}
    text = '检修, "two"\nlines'
    assert history(platform, told, **query).json()["series"][0]["samples"]["text"] == [text]
    arrow = pa.ipc.open_stream(history(platform, told, **query, format="arrow").content).read_all()
    assert arrow.column("text").to_pylist() == [text]
    body = history(platform, told, **query, format="csv").content.decode("utf-8-sig")
    assert [row["text"] for row in csv.DictReader(io.StringIO(body))] == [text]


def test_the_accept_header_chooses_the_form(platform, told):
    with platform.client() as client:
        for accept, media in (
            ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
            ("text/csv;q=1, application/json", "text/csv; charset=utf-8"),
            ("*/*", "application/json"),
        ):
            answer = client.get("/api/v1/history", params={"point": SPEED}, headers={"Accept": accept})
            assert answer.headers["content-type"] == media
        refused = client.get("/api/v1/history", params={"point": SPEED}, headers={"Accept": "image/png"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (406, "no_such_form")


def test_buckets_tell_of_bad_time(platform, told):
    body = history(platform, told, width="5s").json()
    assert body["width_us"] == 5 * SECOND
    columns = body["series"][0]["buckets"]
    assert columns["n"] == [5, 5]
    assert columns["n_good"] == [5, 4]
    assert (columns["min"], columns["max"]) == ([1.0, 7.0], [5.0, 10.0])
    assert columns["mean"] == [3.0, 8.5]
    assert columns["worst"] == [192, 24]
    assert columns["good_us"] == [5 * SECOND, 4 * SECOND]
    assert (columns["first"], columns["last"]) == ([1.0, None], [5.0, 10.0])
    by_count = history(platform, told, buckets=2).json()
    assert by_count["series"] == body["series"]


def test_a_limit_cuts_off_and_says_so(platform, told):
    answer = history(platform, told, limit=4)
    assert answer.json()["truncated"] is True
    assert answer.headers["x-truncated"] == "true"
    assert len(answer.json()["series"][0]["samples"]["ts"]) == 4
    assert history(platform, told, limit=10).json()["truncated"] is False


def test_a_sample_is_answered_before_the_store_has_it_on_disk(platform):
    ts = now()
    platform.send(batch(platform.next_number(), ("pump1/flow", ts, 7.0, 192)), live=False)
    columns = platform.get("history", point="pump1/flow", start=ts, end=ts + 1).json()["series"][0]["samples"]
    assert columns["value"] == [7.0]


@pytest.mark.parametrize(
    ("query", "status", "code", "where"),
    [
        ({"point": "belt1/sped"}, 404, "unknown_point", "point"),
        ({"point": "140581000000/belt1/speed\0"}, 404, "unknown_point", "point"),
        ({"point": "-1"}, 404, "unknown_point", "point"),
        ({"point": "99999999999999999999"}, 404, "unknown_point", "point"),
        ({"point": ",,"}, 400, "no_point", "point"),
        ({}, 400, "invalid_parameter", "point"),
        ({"point": ",".join(f"x{k}" for k in range(201))}, 400, "too_many_points", "point"),
        ({"point": SPEED, "start": "yesterday"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "2026-01-01T00:00:00"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "2026-02-30T00:00:00Z"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "9999999-01-01T00:00:00Z"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "end": "9999-12-31T23:59:59Z"}, 400, "invalid_time", "end"),
        ({"point": SPEED, "start": "9" * 30}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "-5"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "-999999999w"}, 400, "invalid_time", "start"),
        ({"point": SPEED, "start": "now", "end": "-1m"}, 400, "empty_range", "start"),
        ({"point": SPEED, "buckets": "0"}, 400, "invalid_parameter", "buckets"),
        ({"point": SPEED, "buckets": "-3"}, 400, "invalid_parameter", "buckets"),
        ({"point": SPEED, "buckets": str(2**70)}, 400, "invalid_parameter", "buckets"),
        ({"point": SPEED, "buckets": "3", "width": "1s"}, 400, "both", "width"),
        ({"point": SPEED, "width": "0s"}, 400, "invalid_width", "width"),
        ({"point": SPEED, "width": "ten"}, 400, "invalid_duration", "width"),
        ({"point": SPEED, "start": "0", "width": "1ms"}, 400, "too_many_buckets", "width"),
        ({"point": SPEED, "buckets": "3", "limit": "3"}, 400, "limit_of_raw", "limit"),
        ({"point": SPEED, "format": "docx"}, 400, "invalid_parameter", "format"),
        ({"point": SPEED, "bukets": "3"}, 400, "invalid_parameter", "bukets"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(platform, query, status, code, where):
    answer = platform.get("history", **query)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["where"]) == (status, code, where)
    assert error["message"] and re.search("[\u4e00-\u9fff]", error["message_zh"])
    if code == "invalid_parameter":
        assert not re.search("[a-z]{3,} [a-z]{2,} ", error["message_zh"]), "no English sentence in the Chinese one"


def test_a_wrong_point_is_told_the_nearest(platform):
    error = platform.get("history", point=f"{CODE}/belt/sped").json()["error"]
    assert error["nearest"][0] == SPEED
    assert SPEED in error["message"] and SPEED in error["message_zh"]
    assert error["unknown"] == [f"{CODE}/belt/sped"]


@pytest.mark.parametrize(
    "written",
    ["2026-01-31T08:00:00+08:00", "2026-01-31T08:00:00 08:00", "2026-01-31 00:00:00Z", "2026-01-31T00:00:00.000000Z"],
)
def test_a_time_can_be_written_in_several_ways(platform, written):
    body = platform.get("history", point=SPEED, start=written, end="2026-02-01T00:00:00Z").json()
    assert body["start"] == "2026-01-31T00:00:00.000000Z"
    assert body["start_us"] == int(datetime(2026, 1, 31, tzinfo=UTC).timestamp()) * SECOND


def test_events_come_with_their_attributes(platform):
    start = now() - 60 * SECOND
    one = Event(
        event_id(f"{CODE}/belt1", "stop", "1"), f"{CODE}/belt1", "stop", start, None, 192, "plc", {"why": "急停"}
    )
    two = Event(event_id(f"{CODE}/pump1", "leak", "2"), f"{CODE}/pump1", "leak", start + 1, start + 9, 192, "hand", {})
    platform.send_events(one, two)

    def told(**query):
        """Of these two: others tell of the same machines on this platform."""
        events = platform.get("events", start="-30m", **query).json()["events"]
        return [event for event in events if event["id"] in (one.id, two.id)]

    until(lambda: told(kind="stop") and told(kind="leak"))
    body = platform.get("events", equipment="belt1", kind="stop", start="-30m").json()
    (event,) = body["events"]
    assert (event["id"], event["end"], event["attributes"]) == (one.id, None, {"why": "急停"})
    assert body["truncated"] is False
    assert [e["kind"] for e in told(kind="leak")] == ["leak"] and not told(kind="leak", equipment="belt1")
    cut = platform.get("events", start="-30m", limit=1).json()
    assert (len(cut["events"]), cut["truncated"]) == (1, True)
    assert platform.get("events", kind="no\0thing").json()["events"] == []
    refused = platform.get("events", equipment="belt9").json()["error"]
    assert (refused["code"], refused["nearest"][0]) == ("unknown_equipment", "belt1")


def test_the_catalogue_is_found_by_words_of_both_languages(platform):
    with platform.client() as client:
        everything = client.get("/api/v1/points").json()
        assert everything["total"] == len(NAMES)
        (speed,) = client.get("/api/v1/points", params={"q": "带速"}).json()["points"]
        assert speed["point"] == SPEED
        assert speed["id"] == str(id_of("belt1/speed"))
        assert speed["range"] == {"low": 0.0, "high": None}
        assert speed["limits"] == [{"kind": "hi", "value": 5.0, "restore": None}]
        assert speed["equipment"]["name"] == {"zh": "一号带式输送机", "en": "belt 1"}
        assert client.get("/api/v1/points", params={"q": "BELT run"}).json()["points"][0]["states"]["1"]["zh"] == "运行"
        assert client.get("/api/v1/points", params={"role": "pump.flow"}).json()["total"] == 1
        page = client.get("/api/v1/points", params={"equipment": "belt1", "limit": 2, "offset": 1}).json()
        paths = [point["point"] for point in everything["points"] if "/belt1/" in point["point"]]
        assert [point["point"] for point in page["points"]] == paths[1:3]
        assert page["total"] == 4
