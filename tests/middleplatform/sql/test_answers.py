"""What analysts ask, and what they get: each sample once, of what they see."""

from __future__ import annotations

import threading
import time

import pytest

from tests.middleplatform.api.build import CODE, id_of
from tests.middleplatform.sql.conftest import SECOND, SEEN, START


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT count(), sum(value) FROM samples WHERE point = point_id('belt1/speed')", [(10, 72.0)]),
        ("SELECT value FROM samples WHERE point = point_id('belt1/speed') AND ts = 1790000003000000", [(30.0,)]),
        ("SELECT count() FROM samples", [(20,)]),
        ("SELECT count() FROM samples FINAL", [(20,)]),
        ("SELECT uniqExact(point) FROM samples AS s", [(2,)]),
        ("SELECT count() FROM samples WHERE time >= fromUnixTimestamp64Micro(1790000005000000)", [(10,)]),
        ("SELECT count() FROM samples WHERE time BETWEEN '2026-09-21 14:13:22' AND '2026-09-21 14:13:23.5'", [(4,)]),
        ("SELECT count() FROM samples WHERE '2026-09-21 14:13:22' < time AND time < '2026-09-21 14:13:24'", [(2,)]),
        ("SELECT path, unit FROM points WHERE role = 'belt.speed'", [(f"{CODE}/belt1/speed", "m/s")]),
        ("SELECT count() FROM points", [(4,)]),
        ("SELECT equipment, name_zh, area FROM equipment", [(f"{CODE}/belt1", "一号带式输送机", "face1")]),
        ("SELECT id, JSONExtractString(attributes, 'why'), `end` - start FROM events", [("belt1", "jam", SECOND)]),
        (
            "SELECT p.path, max(s.value) AS most FROM samples s JOIN points p ON p.point = s.point"
            " GROUP BY p.path ORDER BY most DESC LIMIT 1",
            [(f"{CODE}/belt1/current", 109.0)],
        ),
        ("WITH s AS (SELECT value FROM samples WHERE value < 5), 2 AS two SELECT sum(value) * two FROM s", [(14.0,)]),
        ("SELECT sumIf(value, quality >= 192 AND value < 100), quantile(0.5)(value) FROM samples", [(72.0, 65.0)]),
        (
            "SELECT a.value, b.value FROM samples a ASOF JOIN samples b ON a.point = b.point AND a.ts > b.ts"
            " WHERE a.ts = 1790000004000000 ORDER BY a.value",
            [(4.0, 30.0), (104.0, 103.0)],
        ),
        (
            "SELECT toStartOfInterval(time, INTERVAL 5 SECOND) AS t, toUnixTimestamp(t), avg(value) FROM samples"
            " WHERE point = point_id('belt1/current') GROUP BY t ORDER BY t",
            None,
        ),
        ("SELECT max(value) FROM (SELECT value FROM samples UNION ALL SELECT 1 AS value)", [(109.0,)]),
        ("SELECT date_trunc('hour', time) AS h, count() FROM samples GROUP BY h", None),
        ("SELECT point, value - lagInFrame(value) OVER (PARTITION BY point ORDER BY ts) AS d FROM samples", None),
        ("SELECT arraySum(arrayMap(x -> x * 2, [1, 2, 3])), x::Float64 + 1 FROM (SELECT 3 AS x)", [(12, 4.0)]),
        ("SELECT 'it''s \\\\ 中文 \\' \"x\" /* no */ -- no' AS 值", [("it's \\ 中文 ' \"x\" /* no */ -- no",)]),
        ("SELECT point IN (SELECT point FROM points WHERE role = 'belt.speed') AS ours, count() FROM samples"
         " GROUP BY ours ORDER BY ours", [(0, 10), (1, 10)]),
        ("SELECT dateDiff('second', min(time), max(time)), count(DISTINCT point) FROM samples", [(9, 2)]),
        ("(SELECT 1 AS a) UNION ALL (SELECT 2) ORDER BY a", None),
    ],
)  # fmt: skip
def test_what_is_asked_is_answered(desk, text, expected):
    found = desk.rows(text)
    assert found
    if expected is not None:
        assert found == expected


def test_who_sees_nothing_gets_nothing(desk):
    for table in ("samples", "points", "equipment", "events"):
        assert desk.rows(f"SELECT count() FROM {table}", points=(), equipment=(), events=()) == [(0,)]  # noqa: S608


def test_events_are_given_apart_from_equipment(desk):
    assert desk.rows("SELECT count() FROM events", events=()) == [(0,)]
    assert desk.rows("SELECT count() FROM equipment", events=()) == [(1,)]


def test_each_caller_gets_its_own(desk):
    both = (*SEEN, "pump1/level")
    assert desk.rows("SELECT count() FROM samples", points=both) == [(30,)]
    assert desk.rows("SELECT count() FROM samples", points=("pump1/level",)) == [(10,)]
    assert desk.rows("SELECT count() FROM samples") == [(20,)]


def test_a_condition_on_time_reads_only_its_days(desk):
    from middleplatform.sql.rewrite import rewrite

    scopes = {"points": 1, "equipment": 2, "events": 3}
    said = "SELECT count() FROM samples WHERE time >= '2026-09-21 14:13:22' AND value > 1"
    bounded = rewrite(said, CODE, scopes).text
    plan = "\n".join(desk.engine.query(f"EXPLAIN indexes = 1 {bounded}").column(0).to_pylist())
    assert "ts in [1790000002000000" in plan
    renamed = rewrite("SELECT ts + 1 AS ts FROM samples WHERE time >= '2026-09-21'", CODE, scopes).text
    assert "toUnixTimestamp64Micro" not in renamed


def test_a_running_statement_is_stopped(desk):
    long = (
        "SELECT count() FROM (SELECT arrayJoin(range(100000)) AS a) x, (SELECT arrayJoin(range(100000)) AS b) y"
        " WHERE sin(a * b) > 2"
    )
    told = []
    asking = threading.Thread(target=lambda: told.append(desk.refusal(long, name="mine")))
    asking.start()
    deadline = time.monotonic() + 9
    while asking.is_alive() and time.monotonic() < deadline:
        desk.statements.handlers["sql_stop"]({"id": "mine"})
        time.sleep(0.1)
    asking.join()
    assert told[0]["code"] == "stopped"
    assert desk.rows("SELECT 1") == [(1,)]
    assert desk.statements.handlers["sql_stop"]({"id": "mine"}).column("stopped").to_pylist() == [False]


def test_a_point_is_named_by_its_path(desk):
    assert desk.rows("SELECT point_id('belt1/speed')") == [(id_of("belt1/speed"),)]
    for wrong in ("point_id('speed')", "point_id(1)", "point_id('a/b', 1)", "point_id(kind)", "point_id('A/b')"):
        assert desk.refusal(f"SELECT {wrong} FROM points")["code"] == "point_id"  # noqa: S608


def test_times_of_whole_seconds_are_times(desk):
    asked = "toStartOfInterval(min(time), INTERVAL 1 MINUTE) AS a, toDateTime('2026-09-21 14:13:00') AS b, 7 AS c"
    ((a, b, c),) = desk.rows(f"SELECT {asked} FROM samples")  # noqa: S608
    assert a.isoformat() == b.isoformat() == "2026-09-21T14:13:00+00:00"
    assert c == 7


def test_start_is_in_utc(desk):
    assert desk.rows("SELECT toString(min(time)) FROM samples")[0][0].startswith("2026-09-21 14:13:20")
    assert START == 1_790_000_000_000_000
