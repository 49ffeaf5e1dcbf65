"""Two shards: each point lives on one of them, and an answer has both or is none."""

import numpy as np
import pyarrow as pa
import pytest

from middleplatform.backup import take
from middleplatform.store.clickhouse.session import ServerAway
from middleplatform.store.engine import EngineError
from middleplatform.store.errors import StoreError
from middleplatform.store.schema import open_store
from tests.middleplatform.clickhouse.load import ROWS, held, patiently, rows, settled, whole
from tests.middleplatform.store import test_history, test_rollups, test_upkeep, test_writer
from tests.middleplatform.store.test_history import case_of_two_days

clock, parts = test_writer.clock, test_writer.parts

# The writer's own tests, over two shards.
test_again = test_writer.test_the_same_message_again_changes_nothing_and_the_higher_number_holds
test_unknown_ids = test_writer.test_unknown_ids_wait_in_quarantine_until_the_catalogue_has_them
test_event_end = test_writer.test_an_event_is_known_by_its_id_and_gets_its_end
test_limit = test_history.test_the_limit_cuts_raw_history_at_the_end

stage = test_upkeep.stage
test_retention = test_upkeep.test_each_class_is_kept_for_its_time_and_what_is_over_goes_with_its_roll_ups
test_compaction = test_upkeep.test_compaction_takes_out_repeats_and_changes_no_answer


@pytest.fixture(scope="module")
def engine(shards, tmp_path_factory):
    engine = open_store(tmp_path_factory.mktemp("store"), shards.url("mine"))
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def empty(shards, engine):
    shards.start()
    settled(engine, shards)
    engine.execute("TRUNCATE TABLE samples")


def test_history_equals_the_reference_over_shards_and_midnight(engine, monkeypatch):
    for seed in range(5):
        test_history.compare(engine, monkeypatch, case_of_two_days(seed))


def test_roll_ups_equal_the_reference_over_shards_and_midnight(engine, monkeypatch):
    write = [(point, second, float(second % 7), 192) for point in range(3) for second in range(0, 6 * 3600, 1111)]
    case = {
        "writes": [write, [(1, 3700, 99.0, 192), (2, 7300, 1.0, 0)]],
        "few": 6,
        "chunk": 262_144,
        "most_stays": 60,
        "most_points": 256,
        "pieces": 60,
    }
    case |= {"ages": [60_000_000] * 3, "now": 9, "start": 0, "length": 6 * test_rollups.HOUR, "reopen": True}
    test_rollups.compare(engine, monkeypatch, case | {"width": 5 * test_rollups.MINUTE})


def test_a_backup_is_refused_and_names_the_servers_own_means(shards, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "version").write_text("1\n")
    with pytest.raises(StoreError, match="FREEZE on a replica of each shard"):
        take(tmp_path / "home", tmp_path / "b", store=shards.url("mine"))
    assert not list(tmp_path.glob("b*"))


def test_points_are_spread_and_versions_of_a_key_meet(shards, engine):
    engine.insert("samples", rows(0))
    engine.insert("samples", rows(0, ver=2))
    assert held(engine) == whole(1)
    for at, server in enumerate(shards.servers):
        points = {row[0] for row in server.ask("SELECT DISTINCT point FROM mine.samples_local")}
        assert points == set(range(at, ROWS, 2))
        assert held(server)[0] == ROWS // 2


def test_a_stream_has_all_rows_and_may_be_left_half_way(engine):
    for batch in range(5):
        engine.insert("samples", rows(batch))
    streamed = pa.Table.from_batches(engine.stream("SELECT point, value FROM samples FINAL"))
    assert (streamed.num_rows, int(np.sum(streamed["value"].to_numpy()))) == whole(5)
    for _ in range(4):
        batches = engine.stream("SELECT number FROM numbers(100000000)")
        assert next(batches).num_rows
        batches.close()
    assert held(engine) == whole(5)


@pytest.mark.proof
@pytest.mark.parametrize("dies", [0, 1])
def test_a_shard_comes_back_and_nothing_is_lost_or_doubled(shards, engine, dies):
    engine.insert("samples", rows(0))
    shards.servers[dies].kill()
    with pytest.raises(EngineError):
        engine.insert("samples", rows(1))
    shards.servers[dies].launch()
    shards.servers[dies].wait()
    # The store's ingest does the same: what was not acknowledged is written again.
    patiently(lambda: engine.insert("samples", rows(1)))
    assert patiently(lambda: held(engine)) == whole(2), "what had reached one shard is replaced, not doubled"


# The last one: a server that was killed takes ten seconds to come back.
def test_without_a_shard_nothing_is_answered_rather_than_half(shards, engine):
    engine.insert("samples", rows(0))
    shards.servers[1].kill()
    for _ in range(5):
        with pytest.raises(EngineError, match=r"a part of the cluster does not answer|went away"):
            held(engine)
        with pytest.raises(EngineError):
            list(engine.stream("SELECT point FROM samples"))
    with pytest.raises(ServerAway):
        engine.parts("samples")
    with pytest.raises(EngineError, match="a part of the cluster does not answer"):
        engine.insert("samples", rows(1))
