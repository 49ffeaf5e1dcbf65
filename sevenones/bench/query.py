"""What the store answers how fast, on so many samples of a month: raw, buckets out of roll-ups, latest.

Points at 1 Hz for 30 days, quantities that wander in steps of their resolution; on disk, rolled up and compacted
before anything is asked. Questions go the way of the API's, in the process, without the door: what Flight adds is in
`e2e`. What is measured of a store is kept when a folder is named, and a run that was cut short goes on behind it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sevenones.bench.month import DAY, DAYS, MINUTE, Month

TARGETS_MS = {"raw_day": 10, "week_8x600": 50, "month_1000": 30, "states_month": 20, "latest_100k": 5}
"""Milliseconds that each may take."""
ROUNDS = 15
LATEST = 100_000
STATE, SAID_US, LASTS = 7, 30_000_000, 20
"""A point that has states: its id, how often a gateway says what it is, and how many of these a state lasts."""


def run(samples: int = 100_000_000, peers: bool = False, results: Path | None = None) -> dict[str, Any]:
    """The result by name, units in the keys. Runs in a process of its own. `peers`: other stores beside ours.
    `results`: a folder that keeps what was measured of each store."""
    asked = f"{int(samples)}, {bool(peers)}, {None if results is None else str(results)!r}"
    argv = [sys.executable, "-c", f"from sevenones.bench.query import measure; measure({asked})"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ))
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(samples: int, peers: bool = False, results: str | None = None) -> None:
    """Measure in this process and print the result as one JSON object."""
    folder = Path(tempfile.mkdtemp(prefix="sevenones-bench-"))

    def once(name: str, take: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        return _kept(None if results is None else Path(results) / f"{name}-{samples}.json", take)

    try:
        result = once("ours", lambda: _measure(samples, folder / "ours"))
        shutil.rmtree(folder / "ours", ignore_errors=True)
        if peers:
            from sevenones.bench.store_peers import beside

            result["peers"] = beside(Month.of(samples), ROUNDS, folder, once)
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kept(file: Path | None, take: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was measured before, else now."""
    if file is not None and file.exists():
        before: dict[str, Any] = json.loads(file.read_text())
        return before
    result = take()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result))
    return result


def _measure(samples: int, folder: Path) -> dict[str, Any]:
    from middleplatform.store.aggregates import Aggregates
    from middleplatform.store.history import History
    from middleplatform.store.latest import Latest
    from middleplatform.store.rollup_tables import NAMES, STAYS
    from middleplatform.store.rollups import RollUps
    from middleplatform.store.schema import open_store
    from middleplatform.store.stays import Stayed
    from middleplatform.store.windows import Windows
    from models.samples import Samples

    month, random = Month.of(samples), np.random.default_rng(5)
    start, end = month.start, month.end
    engine = open_store(folder)
    try:
        windows = Windows(engine, quiet_s=0)
        wrote = 0.0
        for columns in month.pieces():
            began = time.perf_counter()
            write(engine, windows, *columns)
            wrote += time.perf_counter() - began
        for day in range(DAYS):
            _write_states(engine, windows, start + day * DAY, random)

        def ages(asked: Any) -> np.ndarray:
            return np.full(len(asked), 60_000_000, np.int64)

        rollups = RollUps(engine, windows, ages)
        began, cpu = time.perf_counter(), time.process_time()
        while rollups.step():
            pass
        rolled, cpu = time.perf_counter() - began, time.process_time() - cpu
        began = time.perf_counter()
        for table in ("samples", *NAMES.values(), STAYS):
            engine.aside(f"OPTIMIZE TABLE {table} FINAL")
        merged = time.perf_counter() - began
        sizes = engine.query(
            "SELECT table, sum(bytes_on_disk) AS bytes, sum(rows) AS rows FROM system.parts WHERE active GROUP BY table"
        )
        of = {row["table"]: row for row in sizes.to_pylist()}
        history, plain, latest = History(engine, ages, windows), History(engine, ages), Latest()
        states = Aggregates(history, Stayed(engine, windows, history))
        many = np.unique(random.integers(1, 2**64 - 1, LATEST, np.uint64))
        one = np.ones(len(many), np.uint64)
        latest.update(Samples(many, np.full(len(many), start), many % 97 / 7.0, one.astype(np.uint8)), one)
        of_samples = month.questions(_no_raw, plain.buckets)["month_1000"]
        of_minutes = month.questions(_no_raw, lambda points, *_: history.buckets(points, start, end, 44 * MINUTE))
        asked: dict[str, Callable[[], Any]] = {
            **month.questions(lambda point, since, until: plain.raw([point], since, until, 100_000), history.buckets),
            "states_month": lambda: states.states([STATE], start, end, end - start),
            "latest_100k": latest.table,
            "month_1000_of_minutes": of_minutes["month_1000"],
            "month_1000_of_samples": of_samples,
            "states_month_of_samples": lambda: Aggregates(plain).states([STATE], start, end, end - start),
        }
        times = {name: _times(ask) for name, ask in asked.items()}
    finally:
        engine.close()
    rows = month.samples + DAY // SAID_US * DAYS
    return {
        "bench": "query",
        "samples": rows,
        "points": len(month.points),
        **{f"{name}_p50_ms": round(float(np.median(each)), 1) for name, each in times.items()},
        **{f"{name}_min_ms": round(float(np.min(each)), 1) for name, each in times.items()},
        **{f"{name}_max_ms": round(float(np.max(each)), 1) for name, each in times.items()},
        "targets_ms": TARGETS_MS,
        "bytes_per_sample": round(of["samples"]["bytes"] / rows, 2),
        "rollup_bytes_per_sample": round(sum(of[name]["bytes"] for name in (*NAMES.values(), STAYS)) / rows, 2),
        "bytes_per_rollup_row": round(of["rollup_1m"]["bytes"] / of["rollup_1m"]["rows"], 2),
        "write_samples_per_s": round(month.samples / wrote),
        "roll_up_samples_per_s": round(rows / rolled),
        "roll_up_samples_per_cpu_s": round(rows / max(cpu, 1e-9)),
        "merge_s": round(merged, 1),
    }


def _no_raw(point: int, start: int, end: int) -> None:
    """Not asked."""


def _write_states(engine: Any, windows: Any, start: int, random: Any) -> None:
    ts = np.arange(start, start + DAY, SAID_US)
    changes = random.random(len(ts)) < 1 / LASTS
    write(engine, windows, np.full(len(ts), STATE, np.uint64), ts, np.cumsum(changes) % 4.0)


def write(engine: Any, windows: Any, point: np.ndarray, ts: np.ndarray, value: np.ndarray) -> None:
    """Put good samples into an engine's table, as the store would."""
    import pyarrow as pa

    from middleplatform.store.schema import SAMPLE_COLUMNS

    columns = [point, ts, value, np.full(len(ts), 192, np.uint8)]
    table = pa.Table.from_arrays(
        [*map(pa.array, columns), pa.nulls(len(ts), pa.string()), pa.array(np.ones(len(ts), np.uint64))],
        schema=SAMPLE_COLUMNS,
    )
    with windows.touching(point, ts, 60_000_000):
        engine.insert("samples", table)


def _times(ask: Callable[[], Any]) -> list[float]:
    ask()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1e3)
    return took
