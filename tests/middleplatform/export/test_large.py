"""The long form: an export of many samples takes no more memory than one of few, and holds all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from bus.process import die_with_parent
from middleplatform.export import Exports, Order, Owner
from middleplatform.store.answers import Answers
from middleplatform.store.client import StoreClient, StoreUnavailable
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.latest import Latest
from middleplatform.store.schema import DAY, SAMPLE_COLUMNS, open_store

DAYS, POINTS, EACH = 10, 40, 10_000
FIRST = 20_000 * DAY


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_four_million_samples_take_no_more_memory_than_a_page(tmp_path, form):
    engine = open_store(tmp_path / "store")
    ids = tuple(range(1_000, 1_000 + POINTS))
    for day in range(DAYS):
        ts = FIRST + day * DAY + np.arange(EACH) * 8_000_000
        point = np.repeat(np.array(ids, np.uint64), EACH)
        value = np.round(np.sin(np.arange(POINTS * EACH) / 100), 2) + day
        columns = [point, np.tile(ts, POINTS), value, np.full(len(point), 192, np.uint8),
                   pa.nulls(len(point), pa.string()), np.ones(len(point), np.uint64)]  # fmt: skip
        engine.insert("samples", pa.table(columns, schema=SAMPLE_COLUMNS))
    history = History(engine, lambda asked: np.full(len(asked), 10**7, np.int64))
    door = Door(Answers(history, Latest(), lambda: True, dict).handlers)
    client = StoreClient(door.endpoint)

    def away(question):
        """For all but the planning: the work is left to a program of its own."""
        if threading.current_thread().name == "exports":
            raise StoreUnavailable("the store is away")
        return question(client)

    exports = Exports(tmp_path / "exports", away)
    order = Order(ids, tuple(f"140581000000/belt1/p{k}" for k in ids), FIRST, FIRST + DAYS * DAY, form)
    job = exports.submit(Owner("olga", 1), order)
    (tmp_path / "endpoint.json").write_text(json.dumps(door.endpoint))
    argv = (sys.executable, "-m", "tests.middleplatform.export.export_program", str(tmp_path / "exports"),
            str(tmp_path / "endpoint.json"), "200000")  # fmt: skip
    program = subprocess.Popen(argv, preexec_fn=die_with_parent)  # noqa: PLW1509 - only sets a signal
    most = 0
    while program.poll() is None:
        status = Path(f"/proc/{program.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        most = max(most, int(found[1]) if found else 0)
        time.sleep(0.1)
    assert program.returncode == 0
    path = exports.file(job)
    rows, total, points = duckdb.sql(
        f"SELECT count(*), sum(value), count(DISTINCT point) FROM '{path}'"  # noqa: S608 - our own file
    ).fetchall()[0]
    assert (rows, points) == (DAYS * POINTS * EACH, POINTS)
    expected = DAYS * np.round(np.sin(np.arange(POINTS * EACH) / 100), 2).sum() + POINTS * EACH * sum(range(DAYS))
    assert total == pytest.approx(expected)
    assert most < 600_000, f"{most} kB"
    print(f"\n{form}: {rows} samples, {path.stat().st_size / rows:.2f} bytes a sample, {most / 1024:.0f} MB at most")
    exports.close()
    client.close()
    door.shutdown()
    engine.close()
