"""One shard, two replicas: what was acknowledged is on both, and one of them is enough."""

import pyarrow as pa
import pytest

from middleplatform.store.clickhouse import replicas as replicas_module
from middleplatform.store.clickhouse.session import ServerAway
from middleplatform.store.errors import StoreError, StoreVersionError
from middleplatform.store.schema import VERSION, open_store
from tests.middleplatform.clickhouse.load import held, patiently, rows, settled, whole


@pytest.fixture(scope="module")
def engine(replicas, tmp_path_factory):
    engine = open_store(tmp_path_factory.mktemp("store"), replicas.url("mine"))
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def empty(replicas, engine):
    """Both up, and nothing in them."""
    replicas.start()
    settled(engine, replicas)
    engine.execute("TRUNCATE TABLE samples")
    settled(engine, replicas)


def test_what_is_acknowledged_is_on_both_replicas_at_once(replicas, engine):
    for batch in range(20):
        engine.insert("samples", rows(batch))
        assert [held(server) for server in replicas.servers] == [whole(batch + 1)] * 2


def test_the_same_rows_through_the_other_replica_change_nothing_and_the_higher_version_holds(replicas, engine):
    engine.insert("samples", rows(0))
    engine._writer._at = 1 - engine._writer._at
    engine._writer.close()
    engine.insert("samples", rows(0))
    assert [held(server) for server in replicas.servers] == [whole(1)] * 2
    changed = rows(0, ver=2).set_column(2, "value", pa.array([7.0] * 1000))
    engine.insert("samples", changed)
    engine.insert("samples", rows(0))
    found = engine.query("SELECT count() AS n, sum(value) AS s FROM samples FINAL").to_pylist()
    assert found == [{"n": 1000, "s": 7000.0}]


def test_rows_that_were_deleted_may_come_again(engine):
    """A server remembers the blocks that it was given, and would take these for a repetition."""
    engine.insert("samples", rows(0))
    engine.execute("DELETE FROM samples WHERE point < {p:UInt64}", {"p": 10_000})
    assert engine.query("SELECT count() AS n FROM samples").to_pylist() == [{"n": 0}]
    engine.insert("samples", rows(0))
    assert engine.query("SELECT count() AS n FROM samples").to_pylist() == [{"n": 1000}]


@pytest.mark.proof
@pytest.mark.parametrize("dies", [0, 1])
def test_writing_and_reading_go_on_when_a_replica_is_killed(replicas, engine, dies):
    engine.insert("samples", rows(0))
    replicas.servers[dies].kill()
    assert held(engine) == whole(1), "nothing that was acknowledged went with it"
    for batch in range(1, 5):
        engine.insert("samples", rows(batch))
        assert held(engine) == whole(batch + 1)
    replicas.servers[dies].launch()
    replicas.servers[dies].wait()
    seen = {held(engine) for _ in range(50)}
    assert seen == {whole(5)}, "the one that came back is not asked before it has caught up"
    settled(engine, replicas)
    assert [held(server) for server in replicas.servers] == [whole(5)] * 2


@pytest.mark.proof
def test_when_both_are_down_it_says_so_and_goes_on_when_one_is_back(replicas, engine):
    engine.insert("samples", rows(0))
    for server in replicas.servers:
        server.kill()
    for act in (lambda: held(engine), lambda: engine.insert("samples", rows(1))):
        with pytest.raises(ServerAway, match=r"no server answers at 127\.0\.0\.1:\d+, 127"):
            act()
    replicas.servers[1].launch()
    replicas.servers[1].wait()
    patiently(lambda: engine.insert("samples", rows(1)))
    assert patiently(lambda: held(engine)) == whole(2)


def test_data_of_another_version_is_left_alone(replicas, engine, tmp_path, monkeypatch):
    ours = VERSION
    monkeypatch.setattr("middleplatform.store.schema.VERSION", 7)
    with pytest.raises(StoreVersionError, match=rf"is of version {ours}, this program reads version 7"):
        open_store(tmp_path, replicas.url("mine"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("only-in-tests", "guessed"), "refuses the password"),
        (("cluster=mine", "cluster=another"), "know no cluster 'another', only mine"),
        (("cluster=mine&", ""), "names several servers"),
        (("profile=legacy", "profile=current"), "of version 18.16.1, which is not one of the profile"),
    ],
)
def test_a_wrong_setting_is_told_in_plain_words_without_the_password(replicas, tmp_path, change, words):
    with pytest.raises(StoreError, match=words) as refused:
        open_store(tmp_path, replicas.url("mine").replace(*change))
    assert "guessed" not in str(refused.value) and "only-in-tests" not in str(refused.value)


def test_partitions_are_counted_over_all_servers(replicas, engine):
    engine.insert("samples", rows(0))
    engine.insert("samples", rows(0, day=1))
    assert set(engine.parts("samples")) == {rows(0)["ts"][0].as_py() // 86_400_000_000 + day for day in (0, 1)}
    assert engine.address.profile.session["max_replica_delay_for_distributed_queries"] < replicas_module.CATCH_UP_S


# The last one: a replica that was killed takes ten seconds to come back.
def test_the_store_opens_while_a_replica_is_down_but_not_for_the_first_time(replicas, engine, tmp_path):
    engine.insert("samples", rows(0))
    replicas.servers[0].kill()
    again = open_store(tmp_path, replicas.url("mine"))
    assert held(again) == whole(1)
    again.close()
    with pytest.raises(StoreError, match="must be up while the table store_version is first made"):
        open_store(tmp_path, replicas.url("another"))
