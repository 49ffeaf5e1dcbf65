"""The engine's arithmetic, its sessions, and what lies on disk."""

import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from middleplatform.store import engine as engine_module
from middleplatform.store.engine import EngineError, QueryTimeout, QueryTooLarge
from middleplatform.store.errors import StoreError, StoreVersionError
from middleplatform.store.schema import SAMPLE_COLUMNS, open_store

TS = 1_795_420_368_000_000
SETTING = """SELECT toString(value) AS v FROM system.settings
WHERE name = 'optimize_arithmetic_operations_in_aggregate_functions'"""
MEAN = "SELECT avg(ts / 1e6) AS mean, sum(ts / 1e15) AS total FROM samples"


def rows(count: int) -> pa.Table:
    columns = [
        np.arange(count).astype(np.uint64),
        np.full(count, TS),
        np.random.default_rng(1).normal(size=count),
        np.full(count, 192, np.uint8),
        pa.nulls(count, pa.string()),
        np.ones(count, np.uint64),
    ]
    return pa.table(columns, schema=SAMPLE_COLUMNS)


def right(table: pa.Table) -> None:
    assert table.column("mean")[0].as_py() == pytest.approx(TS / 1e6, rel=1e-12)
    assert table.column("total")[0].as_py() == pytest.approx(20_000 * TS / 1e15, rel=1e-9)


def test_averages_and_sums_of_timestamps_are_right_on_every_way_and_after_reopening(tmp_path):
    """Unless it is switched off, the engine rewrites sum(x / c) to sum(x) / c, and the sum of x wraps."""
    for turn in range(2):
        engine = open_store(tmp_path / "store")
        try:
            if turn == 0:
                engine.insert("samples", rows(20_000))
            for _ in range(engine_module.READERS + 1):
                right(engine.query(MEAN))
                right(pa.Table.from_batches(engine.stream(MEAN)))
                assert engine.query(SETTING).to_pylist() == [{"v": "0"}]
            right(engine.execute(MEAN))
        finally:
            engine.close()


def test_opening_refuses_an_engine_that_sums_wrongly(tmp_path, monkeypatch):
    monkeypatch.delitem(engine_module._SESSION, "optimize_arithmetic_operations_in_aggregate_functions")
    with pytest.raises(StoreError, match="sums wrongly"):
        open_store(tmp_path / "store")
    monkeypatch.undo()
    open_store(tmp_path / "store").close()


def test_data_of_another_version_is_left_alone_and_named(tmp_path):
    open_store(tmp_path / "store").close()
    (tmp_path / "store" / "version").write_text("7\n")
    with pytest.raises(StoreVersionError, match=r"is of version '7', this program reads version 3"):
        open_store(tmp_path / "store")


def test_a_query_can_neither_write_nor_run_for_ever_nor_eat_the_memory(tmp_path):
    engine = open_store(tmp_path / "store")
    try:
        with pytest.raises(EngineError, match="readonly"):
            engine.query("INSERT INTO samples (point) VALUES (1)")
        with pytest.raises(QueryTimeout):
            engine.query("SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_execution_time = 1")
        with pytest.raises(QueryTimeout):
            slow = "SELECT number FROM numbers(100000000000) WHERE sipHash64(number) = 1"
            list(engine.stream(f"{slow} SETTINGS max_execution_time = 1"))
        with pytest.raises(QueryTooLarge):
            engine.query("SELECT groupArray(number) FROM numbers(1000000000)")
        for _ in range(engine_module.READERS):
            assert engine.query("SELECT 1 AS x").to_pylist() == [{"x": 1}], "left over from a query that failed"
            assert engine.query(SETTING).to_pylist() == [{"v": "0"}]
    finally:
        engine.close()


def test_a_stream_that_is_left_half_way_leaves_nothing_behind(tmp_path):
    engine = open_store(tmp_path / "store")
    try:
        for _ in range(engine_module.READERS + 1):
            batches = engine.stream("SELECT number FROM numbers(100000000)")
            assert next(batches).num_rows
            batches.close()
        for _ in range(engine_module.READERS):
            assert engine.query("SELECT 1 AS x").to_pylist() == [{"x": 1}]
        with pytest.raises(EngineError):
            engine.insert("samples", pa.table({"nothing": [1]}))
        engine.insert("samples", rows(10))
        assert engine.query("SELECT count() AS n FROM samples").to_pylist() == [{"n": 10}]
    finally:
        engine.close()


def test_slow_queries_do_not_hold_up_writing(tmp_path):
    engine = open_store(tmp_path / "store")
    try:
        query = "SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_execution_time = 8"

        def slow() -> None:
            with pytest.raises(QueryTimeout):
                engine.query(query)

        threads = [threading.Thread(target=slow) for _ in range(engine_module.READERS)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        started = time.monotonic()
        engine.insert("samples", rows(1000))
        took, busy = time.monotonic() - started, all(thread.is_alive() for thread in threads)
        for thread in threads:
            thread.join()
        assert busy, f"the insert took {took:.1f} s beside slow queries"
        assert engine.query("SELECT count() AS n FROM samples").to_pylist() == [{"n": 1000}]
    finally:
        engine.close()


def test_a_second_process_on_the_same_data_hears_why_it_cannot(tmp_path):
    engine = open_store(tmp_path / "store")
    try:
        code = (
            "from pathlib import Path\nfrom middleplatform.store.errors import StoreError\n"
            "from middleplatform.store.schema import open_store\n"
            f"try: open_store(Path({str(tmp_path / 'store')!r}))\nexcept StoreError as error: print(error)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        assert "another process may have it open" in done.stdout
    finally:
        engine.close()
