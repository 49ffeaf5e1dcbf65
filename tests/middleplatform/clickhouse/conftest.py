"""Real ClickHouse servers in the shapes that a mine may have."""

from collections.abc import Iterator

import pytest

from middleplatform.store.schema import open_store
from tests.clickhouse import Cluster


def running(shards: int, replicas: int) -> Iterator[Cluster]:
    cluster = Cluster(shards, replicas)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def single() -> Iterator[Cluster]:
    yield from running(1, 1)


@pytest.fixture(scope="module")
def replicas() -> Iterator[Cluster]:
    yield from running(1, 2)


@pytest.fixture(scope="module")
def shards() -> Iterator[Cluster]:
    yield from running(2, 1)


@pytest.fixture(scope="module")
def engine(single, tmp_path_factory):
    """The store's tables on one server."""
    engine = open_store(tmp_path_factory.mktemp("store"), single.url("mine"))
    yield engine
    engine.close()
