"""kill -9 under load: nothing acknowledged is lost, nothing is there twice, and each answer is whole or an error."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from middleplatform.store.errors import StoreError
from middleplatform.store.schema import open_store
from tests.clickhouse import Cluster
from tests.middleplatform.clickhouse.load import RECOVERED_S, ROWS, held, patiently, rows, settled, whole

READERS = 2


class Load:
    """One writer that repeats what was refused, as the store's ingest does, and readers that check each answer."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.begun = self.acknowledged = self.refused = self.answered = 0
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write)]
        self._threads += [threading.Thread(target=self._read) for _ in range(READERS)]

    def _write(self) -> None:
        while not self._stop.is_set():
            self.begun = self.acknowledged + 1
            with contextlib.suppress(StoreError):
                self.engine.insert("samples", rows(self.acknowledged))
                self.acknowledged += 1

    def _read(self) -> None:
        while not self._stop.is_set():
            least = self.acknowledged
            try:
                count, total = held(self.engine)
            except StoreError:
                self.refused += 1
                time.sleep(0.05)
                continue
            most = self.begun
            self.answered += 1
            if not (whole(least)[0] <= count <= whole(most)[0] and whole(least)[1] <= total <= whole(most)[1]):
                self.wrong.append(f"{count} rows of {least} to {most} batches, sum {total}")

    def reach(self, batches: int) -> None:
        """Wait until so many more batches are acknowledged."""
        goal, deadline = self.acknowledged + batches, time.monotonic() + RECOVERED_S
        while self.acknowledged < goal:
            assert time.monotonic() < deadline, f"writing stands still at {self.acknowledged} batches"
            assert all(thread.is_alive() for thread in self._threads), "the load broke off"
            time.sleep(0.02)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextlib.contextmanager
def running(tmp_path, shards: int, replicas: int) -> Iterator[tuple]:
    cluster = Cluster(shards, replicas)
    try:
        cluster.start()
        engine = open_store(tmp_path, cluster.url("mine"))
        try:
            yield cluster, engine
        finally:
            engine.close()
    finally:
        cluster.remove()


def check(load: Load, cluster: Cluster, engine) -> None:
    """All of it is there once, on each replica."""
    settled(engine, cluster)
    assert not load.wrong, load.wrong[:3]
    assert load.answered > 10
    assert patiently(lambda: held(engine)) == whole(load.begun) or held(engine) == whole(load.acknowledged)
    for replicas in cluster.shards:
        assert len({held(server) for server in replicas}) == 1
    assert sum(held(replicas[0])[0] for replicas in cluster.shards) in (load.acknowledged * ROWS, load.begun * ROWS)


@pytest.mark.parametrize("dies", [0, pytest.param(1, marks=pytest.mark.proof)])
def test_a_replica_is_killed_under_load(tmp_path, dies):
    """The other one goes on alone; the one that comes back is not asked before it has all."""
    with running(tmp_path, 1, 2) as (cluster, engine):
        with Load(engine) as load:
            load.reach(5)
            cluster.servers[dies].kill()
            load.reach(10)
            cluster.servers[dies].launch()
            load.reach(10)
            settled(engine, cluster)
            load.reach(5)
        check(load, cluster, engine)


@pytest.mark.proof
@pytest.mark.parametrize("dies", [0, 1])
@pytest.mark.timeout(600)
def test_a_shard_is_killed_under_load(tmp_path, dies):
    """Writing and answers wait for it."""
    with running(tmp_path, 2, 1) as (cluster, engine):
        with Load(engine) as load:
            load.reach(5)
            cluster.servers[dies].kill()
            before, deadline = load.refused, time.monotonic() + 60
            while load.refused < before + 5:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            cluster.servers[dies].launch()
            load.reach(10)
        check(load, cluster, engine)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_two_shards_of_two_replicas_lose_one_of_each_in_turn_under_load(tmp_path):
    with running(tmp_path, 2, 2) as (cluster, engine):
        with Load(engine) as load:
            for round_ in range(4):
                load.reach(5)
                victims = [replicas[(round_ + shard) % 2] for shard, replicas in enumerate(cluster.shards)]
                for victim in victims:
                    victim.kill()
                load.reach(10)
                for victim in victims:
                    victim.launch()
                settled(engine, cluster)
        check(load, cluster, engine)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_a_replica_hangs_under_load(tmp_path):
    """It holds its connections and answers nothing: the other one goes on, and it catches up."""
    with running(tmp_path, 1, 2) as (cluster, engine):
        with Load(engine) as load:
            load.reach(5)
            cluster.servers[0].hang()
            try:
                load.reach(3)
            finally:
                cluster.servers[0].resume()
            load.reach(5)
            settled(engine, cluster)
        check(load, cluster, engine)
