"""Statements that would read or write elsewhere, see more, or never end: refused, with the reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.middleplatform.api.build import CODE, id_of
from tests.middleplatform.sql.conftest import SECRET

FUNCTION, TABLE, DATABASE = "function", "table_function", "database"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # writes and settings
        ("INSERT INTO samples (point) VALUES (1)", "not_a_query"),
        ("DROP TABLE samples", "not_a_query"),
        ("ALTER TABLE samples DELETE WHERE 1", "not_a_query"),
        ("TRUNCATE TABLE samples", "not_a_query"),
        ("CREATE TABLE x (a Int8) ENGINE = Memory", "not_a_query"),
        ("CREATE TABLE x ENGINE = Memory AS SELECT 1", "not_a_query"),
        ("SET max_execution_time = 0", "not_a_query"),
        ("SYSTEM SHUTDOWN", "not_a_query"),
        ("KILL QUERY WHERE 1", "not_a_query"),
        ("USE system", "not_a_query"),
        ("ATTACH TABLE x", "not_a_query"),
        ("BACKUP TABLE samples TO Disk('x', 'y')", "not_a_query"),
        ("GRANT ALL ON *.* TO default", "not_a_query"),
        ("OPTIMIZE TABLE samples FINAL", "not_a_query"),
        ("SHOW TABLES", "not_a_query"),
        ("DESCRIBE samples", "not_a_query"),
        ("EXPLAIN SELECT 1", "not_a_query"),
        ("SELECT 1; DROP TABLE samples", "several"),
        ("SELECT 1; SELECT 2", "several"),
        ("SELECT 1 SETTINGS max_execution_time = 0", "clause"),
        ("SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)", None),
        ("SELECT 1 FORMAT CSV", "clause"),
        ("SELECT 1 INTO OUTFILE '/tmp/sevenones-out.csv'", "syntax"),
        ("SELECT 1 INTO OUTFILE '/tmp/sevenones-out.csv' FORMAT CSV", None),
        # files, network, Python, the server itself
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", TABLE),
        ("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", TABLE),
        ("SELECT * FROM Python(x)", TABLE),
        ("SELECT * FROM s3('http://127.0.0.1/x')", TABLE),
        ("SELECT * FROM remote('127.0.0.1', system.one)", None),
        ("SELECT * FROM executable('id', 'CSV', 'a String')", TABLE),
        ("SELECT * FROM sqlite('/tmp/x.db', 't')", TABLE),
        ("SELECT * FROM mysql('h:1', 'd', 't', 'u', 'p')", TABLE),
        ("SELECT * FROM merge('default', '.*')", TABLE),
        ("SELECT * FROM view(SELECT 1)", None),
        ("SELECT * FROM numbers(1000000000000)", TABLE),
        ("SELECT * FROM zeros_mt(1)", TABLE),
        ("SELECT * FROM generateRandom('a Int8')", TABLE),
        ("SELECT * FROM input('a Int8')", None),
        ("SELECT * FROM dictionary('x')", None),
        ("SELECT * FROM values('a Int8', 1)", None),
        ("SELECT * FROM (VALUES (1))", None),
        ("SELECT file('/etc/passwd')", FUNCTION),
        ("SELECT FILE('/etc/passwd')", FUNCTION),
        ("SELECT `file`('/etc/passwd')", None),
        ("SELECT \"file\"('/etc/passwd')", None),
        ("SELECT arrayMap(x -> file(x), ['/etc/passwd'])", FUNCTION),
        ("SELECT 1 WHERE file('/etc/passwd') != ''", FUNCTION),
        ("SELECT 1 IN file('/etc/passwd')", None),
        ("SELECT 1 ORDER BY file('/etc/passwd')", FUNCTION),
        ("SELECT 1 LIMIT length(file('/etc/passwd'))", FUNCTION),
        ("WITH file('/etc/passwd') AS f SELECT f", FUNCTION),
        ("SELECT max(1) OVER (ORDER BY file('/etc/passwd'))", FUNCTION),
        ("SELECT CASE WHEN 1 THEN file('/etc/passwd') END", FUNCTION),
        ("SELECT 1 LIMIT 1 BY file('x')", FUNCTION),
        ("SELECT (SELECT file('x'))", FUNCTION),
        ("SELECT quantile(length(file('x')))(1)", FUNCTION),
        ("SELECT hostName()", FUNCTION),
        ("SELECT version()", FUNCTION),
        ("SELECT currentUser()", FUNCTION),
        ("SELECT currentDatabase()", FUNCTION),
        ("SELECT getSetting('max_threads')", FUNCTION),
        ("SELECT sleep(3)", FUNCTION),
        ("SELECT sleepEachRow(3) FROM samples", FUNCTION),
        ("SELECT dictGet('d', 'a', 1)", FUNCTION),
        ("SELECT joinGet('default.samples', 'value', 1)", FUNCTION),
        ("SELECT throwIf(1)", FUNCTION),
        ("SELECT evalMLMethod(a, b) FROM samples", FUNCTION),
        ("SELECT addressToLine(1)", FUNCTION),
        ("SELECT in(1, system.one)", None),
        ("SELECT initializeAggregation('sum', 1)", FUNCTION),
        ("SELECT arrayReduce('sum', [1])", FUNCTION),
        ("SELECT serverUUID()", FUNCTION),
        # other tables
        ("SELECT * FROM system.tables", DATABASE),
        ("SELECT * FROM information_schema.tables", DATABASE),
        ("SELECT * FROM default.samples", DATABASE),
        ("SELECT * FROM `default`.samples", DATABASE),
        ("SELECT * FROM a.b.c", DATABASE),
        ("SELECT * FROM quarantine", "unknown_table"),
        ("SELECT * FROM seen_points", "unknown_table"),
        ("SELECT * FROM site_points", "unknown_table"),
        ("SELECT * FROM Samples", "unknown_table"),
        ("SELECT * FROM `/etc/passwd`", "unknown_table"),
        ("SELECT * FROM `default.samples`", "unknown_table"),
        ("SELECT * FROM '/etc/passwd'", None),
        ("SELECT 1 IN (system.one)", "in"),
        ("SELECT 1 IN system.one", "in"),
        ("SELECT point IN quarantine FROM samples", "in"),
        ("SELECT point IN (quarantine) FROM samples", "in"),
        ("SELECT point IN ((quarantine)) FROM samples", "in"),
        ("SELECT point NOT IN (quarantine) FROM samples", "in"),
        ("SELECT point GLOBAL IN (quarantine) FROM samples", "in"),
        ("SELECT point IN [quarantine] FROM samples", "in"),
        ("SELECT * FROM samples JOIN quarantine USING (point)", "unknown_table"),
        ("SELECT (SELECT count() FROM quarantine)", "unknown_table"),
        ("SELECT 1 UNION ALL SELECT value FROM quarantine", "unknown_table"),
        ("WITH samples AS (SELECT 1) SELECT * FROM samples", "name"),
        ("SELECT * FROM (WITH quarantine AS (SELECT 1 AS a) SELECT a FROM quarantine) x, quarantine", "failed"),
        ("WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT * FROM r", "clause"),
        ("SELECT _part FROM samples", "failed"),
        ("SELECT ver FROM samples", "failed"),
        ("SELECT COLUMNS('.*') FROM samples", None),
        ("SELECT * APPLY(toString) FROM samples", None),
        ("SELECT * REPLACE(file('x') AS text) FROM samples", None),
        ("SELECT {x:String}", None),
        ("SELECT {scope:Identifier} FROM samples", None),
        ("SELECT value FROM samples SAMPLE 1/10", None),
        ("SELECT value FROM samples ARRAY JOIN [1] AS x", "clause"),
        ("SELECT a FROM samples ORDER BY a WITH FILL FROM 0 TO 1000000000000", "clause"),
        ("SELECT value FROM samples FOR UPDATE", None),
        ("SELECT CAST(1 AS Enum8('a' = 1))", "type"),
        ("SELECT CAST(1 AS AggregateFunction(sum, Int8))", None),
        # rubbish
        ("", "empty"),
        (";", "empty"),
        ("-- nothing", "empty"),
        ("SELECT", None),
        ("SELECT (((", "syntax"),
        ("SELECT 'a", "syntax"),
        ("SELECT `a", "syntax"),
        ("SELECT 1 AS `a\\`", None),
        ("SELECT `a\\` , file('/etc/passwd') , `b`", None),
        ("SELECT 1 AS \"a\\\" , file(1) , \"b\"", None),
        ("SELECT '\0'", "syntax"),
        ("SELECT " + "(" * 500 + "1" + ")" * 500, "too_deep"),
        ("SELECT " + "NOT " * 2000 + "1", "too_deep"),
        ("SELECT " + "1+" * 4900 + "1", "too_long"),
        ("SELECT " + "a," * 8000 + "1", "too_long"),
        ("SELECT " + "CASE WHEN " * 300 + "1", None),
        ("SELECT -" + "-" * 3000 + "1", None),
        ("SELECT nothing FROM samples", "failed"),
        ("SELECT value FROM samples GROUP BY point", "failed"),
        ("SELECT ∞", None),
        ("中文", None),
    ],
)  # fmt: skip
def test_refused(desk, text, code):
    refused = desk.refusal(text)
    if code is not None:
        assert refused["code"] == code, refused
    assert "root:" not in refused["en"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count() FROM samples WHERE value = {secret}",
        "SELECT count() FROM samples WHERE point = {hidden}",
        "SELECT count() FROM samples WHERE point = point_id('pump1/level')",
        "SELECT count() FROM samples WHERE intDiv(1, toUInt8(value != {secret})) < 2 AND value > 1e5",
        "SELECT count() FROM samples s WHERE s.value > 1e5 OR 0",
        "SELECT count() FROM samples a LEFT JOIN samples b ON a.ts = b.ts WHERE b.value > 1e5",
        "SELECT count() FROM (SELECT value FROM samples UNION ALL SELECT value FROM samples) WHERE value > 1e5",
        "WITH s AS (SELECT * FROM samples) SELECT countIf(value > 1e5) FROM s",
        "SELECT countIf(path LIKE '%pump%') FROM points",
        "SELECT countIf(equipment LIKE '%pump%') FROM equipment",
        "SELECT countIf(kind = 'secret') FROM events",
        "SELECT count() FROM events WHERE intDiv(1, toUInt8(kind != 'secret')) > 1",
    ],
)  # fmt: skip
def test_not_even_a_failing_condition_tells_of_what_is_not_seen(desk, text):
    assert desk.rows(text.format(secret=SECRET, hidden=id_of("pump1/level"))) == [(0,)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a.x + b.x FROM (SELECT arrayJoin(range(1000)) AS x) a, (SELECT arrayJoin(range(1000)) AS x) b",
        "SELECT count() FROM (SELECT arrayJoin(range(1000000)) AS a) x, (SELECT arrayJoin(range(1000000)) AS b) y"
        " WHERE sin(a * b) > 2",
        "SELECT groupArray(a) FROM (SELECT arrayJoin(range(400000000)) AS a)",
        "SELECT length(arrayMap(x -> arraySum(arrayMap(y -> sin(x * y), range(100000))), range(100000)))",
        "SELECT arrayJoin(range(200000)) AS a",
    ],
)  # fmt: skip
def test_what_is_endless_or_huge_is_ended(desk, text):
    began = time.monotonic()
    assert desk.refusal(text)["code"] in {"too_slow", "too_large", "too_many_rows"}
    assert time.monotonic() - began < 30
    assert desk.rows("SELECT 1") == [(1,)]


def test_nothing_was_written(desk):
    assert not Path("/tmp/sevenones-out.csv").exists()  # noqa: S108
    tables = {row["name"] for row in desk.engine.query("SHOW TABLES").to_pylist()}
    assert {"samples", "events", "quarantine"} <= tables
    assert "x" not in tables
    assert desk.rows("SELECT count() FROM samples") == [(20,)]
    assert CODE in desk.rows("SELECT min(path) FROM points")[0][0]
