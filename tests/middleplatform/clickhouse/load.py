"""Rows whose sum says which of them are there, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyarrow as pa

from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.schema import DAY, SAMPLE_COLUMNS
from tests.clickhouse import ClickHouse, Cluster

T = TypeVar("T")
TS = 1_795_420_368_000_000
ROWS = 1000
"""Of a batch: one sample of each of as many points."""
RECOVERED_S = 180
"""A server that was killed was back with all its data after 31 s at most when it was measured."""

_HELD = "SELECT count() AS n, toInt64(sum(value)) AS s FROM {}samples FINAL"


def rows(batch: int, ver: int = 1, day: int = 0) -> pa.Table:
    """A batch: the value is one more than its number, so that a sum tells what is missing or twice there."""
    columns = [
        np.arange(ROWS, dtype=np.uint64),
        np.full(ROWS, TS + batch * 1_000_000 + day * DAY),
        np.full(ROWS, float(1 + batch)),
        np.full(ROWS, 192, np.uint8),
        pa.nulls(ROWS, pa.string()),
        np.full(ROWS, ver, np.uint64),
    ]
    return pa.table(columns, schema=SAMPLE_COLUMNS)


def whole(batches: int) -> tuple[int, int]:
    """What `held` is when so many batches are there, each once."""
    return batches * ROWS, ROWS * batches * (batches + 1) // 2


def held(where: Engine | ClickHouse) -> tuple[int, int]:
    """How many rows and their sum: of the store, or of what one server has on its own."""
    if isinstance(where, ClickHouse):
        return tuple(where.ask(_HELD.format("mine.").replace("samples", "samples_local"))[0])
    return tuple(where.query(_HELD.format("")).to_pylist()[0].values())


def patiently(act: Callable[[], T]) -> T:
    """Try until it is not refused any more."""
    deadline = time.monotonic() + RECOVERED_S
    while True:
        try:
            return act()
        except StoreError as error:
            assert time.monotonic() < deadline, error
            time.sleep(0.1)


def settled(engine: Engine, cluster: Cluster) -> None:
    """Wait until every server is up, has caught up and the store is answered."""
    deadline = time.monotonic() + RECOVERED_S
    behind = (
        "SELECT count() FROM system.replicas WHERE is_readonly OR inserts_in_queue > 0 "
        "OR (log_max_index > 0 AND log_pointer <= log_max_index)"
    )
    while True:
        try:
            if not any(server.ask(behind)[0][0] for server in cluster.servers):
                engine.query("SELECT 1 FROM samples LIMIT 1")
                return
        except Exception as error:
            assert time.monotonic() < deadline, error
        assert time.monotonic() < deadline, "the servers did not recover"
        time.sleep(0.1)
