"""The setting, and what statements become for old servers and for clusters."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from middleplatform.store import schema
from middleplatform.store.clickhouse.address import Address, profiles
from middleplatform.store.clickhouse.literals import fill
from middleplatform.store.clickhouse.statements import Where, plan
from middleplatform.store.engine import EngineError
from middleplatform.store.errors import StoreError


def test_a_url_names_servers_database_cluster_and_profile_and_never_shows_its_password():
    found = Address.parse("clickhouse://mine:pa%40ss@a:9001,b/store?cluster=c1&profile=legacy")
    assert found.hosts == (("a", 9001), ("b", 9000))
    assert (found.user, found.password, found.database, found.cluster) == ("mine", "pa@ss", "store", "c1")
    assert found.profile.name == "legacy" and not found.secure
    assert "pa@ss" not in f"{found} {found!r}"
    assert Address.parse("clickhouses://[::1]/store").hosts == (("::1", 9440),)


@pytest.mark.parametrize(
    "url",
    [
        "http://mine:secret@a/store",
        "clickhouse://mine:secret@a",
        "clickhouse://mine:secret@a/st;ore",
        "clickhouse://mine:secret@a:99999/store",
        "clickhouse://mine:secret@/store",
        "clickhouse://mine:secret@a/store?profile=modern",
        "clickhouse://mine:secret@a/store?cluster=a'b",
        "clickhouse://mine:secret@a/store?settings=1",
        "clickhouse://mine:secret@[::1/store",
        "rubbish",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url):
    with pytest.raises(StoreError) as refused:
        Address.parse(url)
    assert "secret" not in str(refused.value) and "store's address" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("UInt64", -1),
        ("UInt64", 2**64),
        ("Int64", 2**63),
        ("Int64", True),
        ("Int64", "1"),
        ("UInt8", 256),
        ("String", 5),
        ("Array(UInt64)", ["1) OR (1"]),
        ("Date", "2026-01-01"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_no_part_of_a_statement(kind, value):
    with pytest.raises(EngineError):
        fill(f"SELECT {{x:{kind}}}", {"x": value})


def test_a_filled_value_is_not_filled_again():
    assert fill("SELECT {a:String}, {b:String}", {"a": "{b:String}", "b": "'"}) == "SELECT '{b:String}', '\\''"


integers = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=20), number=integers, unsigned=st.integers(0, 2**64 - 1), some=st.lists(integers, max_size=5)
)
@example(text="'; DROP TABLE samples; -- \\' \\\\ \0\b", number=-(2**63), unsigned=2**64 - 1, some=[])
def test_literals_are_what_the_engines_own_parameters_are(engine, text, number, unsigned, some):
    """By value on a server; a parameter is typed, so the result's type is that of the parameter."""
    params = {"text": text, "number": number, "unsigned": unsigned, "some": some}
    sql = (
        "SELECT {text:String} AS text, {number:Int64} AS number, {unsigned:UInt64} AS unsigned, "
        "arraySum(arrayMap(x -> bitAnd(x, 255), {some:Array(Int64)})) AS sum, "
        "toUInt8(materialize({number:Int64}) IN {some:Array(Int64)}) AS inside"
    )
    got = engine.query(sql, params)
    expected = {"text": text, "number": number, "unsigned": unsigned, "sum": sum(x & 255 for x in some)}
    assert got.to_pylist() == [{**expected, "inside": int(number in some)}]
    assert [str(kind) for kind in got.schema.types[:3]] == ["string", "int64", "uint64"]


def test_tables_for_an_old_server_carry_what_it_does_not_know_no_more():
    planned = plan(schema.EVENTS, profiles()["legacy"], None, "mine")
    assert planned.where is Where.EACH_SERVER
    (made,) = planned.statements
    assert "CODEC" not in made and "LowCardinality" not in made and "SETTINGS" not in made
    assert "end Nullable(Int64)" in made and "ReplacingMergeTree(ver) ORDER BY id" in made
    current = plan(schema.EVENTS, profiles()["current"], None, "mine").statements[0]
    assert "CODEC(ZSTD(1))" in current and "fsync_after_insert = 1" in current


def test_in_a_cluster_a_table_is_replicated_and_spread_by_what_its_key_begins_with():
    shard, spread = plan(schema.SAMPLES, profiles()["current"], "c1", "mine").statements
    assert "samples_local" in shard and "CODEC(Delta, ZSTD(1))" in shard
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/mine/samples', '{replica}', ver)" in shard
    assert spread.endswith("ENGINE = Distributed(c1, mine, samples_local, point)")
    assert (
        "Distributed(c1, mine, events_local, cityHash64(id))"
        in (plan(schema.EVENTS, profiles()["legacy"], "c1", "mine").statements[1])
    )
    assert "quarantine_local, point)" in plan(schema.QUARANTINE, profiles()["legacy"], "c1", "mine").statements[1]


@pytest.mark.parametrize(
    ("sql", "profile", "cluster", "said"),
    [
        ("DELETE FROM t WHERE a = 1", "legacy", None, (Where.EACH_SHARD, "ALTER TABLE t DELETE WHERE a = 1")),
        ("DELETE FROM t WHERE a = 1", "current", None, (Where.ONE, "DELETE FROM t WHERE a = 1")),
        ("DELETE FROM t WHERE a = 1", "current", "c", (Where.EACH_SHARD, "DELETE FROM t_local WHERE a = 1")),
        ("TRUNCATE TABLE t", "legacy", "c", (Where.EACH_SHARD, "TRUNCATE TABLE t_local")),
        ("ALTER TABLE t DROP PARTITION 5", "legacy", "c", (Where.EACH_SHARD, "ALTER TABLE t_local DROP PARTITION 5")),
        ("TRUNCATE TABLE t", "legacy", None, (Where.ONE, "TRUNCATE TABLE t")),
        ("INSERT INTO t SELECT 1", "legacy", "c", (Where.ONE, "INSERT INTO t SELECT 1")),
    ],
)  # fmt: skip
def test_what_changes_tables_is_said_to_each_shard(sql, profile, cluster, said):
    planned = plan(sql, profiles()[profile], cluster, "mine")
    assert (planned.where, planned.statements) == (said[0], (said[1],))


def test_a_statement_without_meaning_in_a_cluster_is_refused():
    with pytest.raises(EngineError, match="no meaning in a cluster"):
        plan("DROP DATABASE mine", profiles()["legacy"], "c", "mine")
