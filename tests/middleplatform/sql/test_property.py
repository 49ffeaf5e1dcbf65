"""Whatever passes the gate reads nothing but the allowed tables: the engine's own plan is asked."""

# ruff: noqa: S608
from __future__ import annotations

import re

import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.rewrite import rewrite
from middleplatform.store.engine import EngineError
from tests.middleplatform.api.build import CODE

SCOPES = {"points": 1, "equipment": 1, "events": 1}
OPEN = {"samples", "events", "site_points", "site_equipment", "seen_points", "seen_equipment"}
SHUT = (
    "system.numbers",
    "quarantine",
    "default.quarantine",
    "seen_points",
    "file('/etc/passwd', 'LineAsString')",
    "numbers(3)",
    "`/etc/passwd`",
    "url('http://127.0.0.1:1/', 'LineAsString')",
    "merge('default', '.*')",
    "Python(x)",
    "w",
    "z",
)

names = st.sampled_from(
    ["value", "ts", "point", "time", "quality", "s.value", "a", "equipment", "`a`", '"quarantine"', "*"]
)
atoms = st.one_of(
    names,
    st.integers(-3, 9).map(str),
    st.sampled_from(["'x'", "'\\''", "'a''b'", "'\\\\'", "'--'", "'/*'", "NULL", "now()", "point_id('belt1/speed')"]),
)
tables = st.one_of(
    st.sampled_from(["samples", "points", "equipment", "events", "samples s", "samples FINAL"]), st.sampled_from(SHUT)
)


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda p: f"({p[0]} + {p[1]})"),
        two.map(lambda p: f"{p[0]} = {p[1]} AND 1"),
        two.map(lambda p: f"if({p[0]}, {p[1]}, 1)"),
        st.tuples(
            st.sampled_from(["max", "count", "file", "toString", "sumIf", "hostName", "sleep", "length"]), inner
        ).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, tables).map(lambda p: f"{p[0]} IN ({p[1]})"),
        st.tuples(inner, tables).map(lambda p: f"{p[0]} IN {p[1]}"),
        st.tuples(inner, tables).map(lambda p: f"{p[0]} IN (SELECT point FROM {p[1]})"),
        tables.map(lambda t: f"(SELECT count() FROM {t})"),
        inner.map(lambda e: f"arrayMap(x -> x + {e}, [1, 2])"),
        inner.map(lambda e: f"CASE WHEN {e} THEN 1 ELSE 2 END"),
        two.map(lambda p: f"max({p[0]}) OVER (ORDER BY {p[1]})"),
    )


expressions = st.recursive(atoms, deeper, max_leaves=4)
froms = st.one_of(
    tables.map(lambda t: f"FROM {t}"),
    st.tuples(tables, tables).map(lambda p: f"FROM {p[0]} JOIN {p[1]} USING (point)"),
    st.tuples(tables, tables).map(lambda p: f"FROM {p[0]}, {p[1]}"),
    tables.map(lambda t: f"FROM (SELECT * FROM {t}) AS z"),
    st.just(""),
)
tails = st.sampled_from(
    [
        "",
        "",
        "LIMIT 3",
        "ORDER BY 1",
        "GROUP BY ALL",
        "SETTINGS readonly = 0",
        "FORMAT CSV",
        "; SELECT 2",
        "INTO OUTFILE '/tmp/sevenones-property.csv'",
        "-- x",
        "/* x */",
        "UNION ALL SELECT * FROM quarantine",
    ]
)
heads = st.sampled_from(
    ["", "", "WITH w AS (SELECT 1 AS point) ", "WITH quarantine AS (SELECT 1 AS point) ", "WITH 1 AS w ", "EXPLAIN "]
)
wheres = st.one_of(st.just(""), expressions.map(lambda e: f"WHERE {e}"))
statements = st.tuples(heads, expressions, froms, wheres, tails).map(
    lambda p: f"{p[0]}SELECT {p[1]} {p[2]} {p[3]} {p[4]}"
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(statements)
def test_what_passes_reads_only_allowed_tables(desk, text):
    try:
        written = rewrite(text, CODE, SCOPES).text
    except SqlRefused as refused:
        assert refused.code and refused.zh and refused.en
        return
    assert "OUTFILE" not in written and "SETTINGS" not in written and "FORMAT" not in written
    try:
        # As the store's own reader, which may do more than the analysts' session.
        plan = "\n".join(desk.engine.query(f"EXPLAIN PLAN {written}").column(0).to_pylist())
    except EngineError:
        return
    for kind, table in re.findall(r"ReadFrom(\w+)(?: \(([\w.]+)\))?", plan):
        if kind not in {"SystemOne", "PreparedSource"}:  # a SELECT without FROM; one that is empty beforehand
            assert kind == "MergeTree" and table.removeprefix("default.") in OPEN, plan


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=60))
def test_text_reaches_the_engine_as_it_was_meant(desk, text):
    literal = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    try:
        written = rewrite(f"SELECT {literal} AS a", CODE, SCOPES).text
    except SqlRefused as refused:
        assert refused.code == "syntax" and not text.isprintable()
        return
    assert desk.engine.query(written).to_pydict() == {"a": [text]}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), statements, st.integers(0, 200))
def test_rubbish_is_refused_and_never_fails(text, statement, at):
    for each in (text, statement[:at] + text + statement[at:], statement[at:]):
        try:
            written = rewrite(each, CODE, SCOPES).text
        except SqlRefused:
            continue
        assert len(sqlglot.parse(written, dialect="clickhouse")) == 1
