"""Other stores beside ours: the same samples written to each, and the same questions asked.

victoria-metrics and InfluxDB 1.x are servers on loopback, asked over HTTP in their own languages; DuckDB is in this
process. Each keeps what it can: victoria-metrics rounds to 12 digits and milliseconds, neither of the servers has a
quality, and none takes out repetitions as our store does. What differs is said in docs/benchmarks.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sevenones.bench.month import Columns, Month
from sevenones.bench.stack import free_port

MS = 1_000
START_S = 30.0
SETTLE_S = 180.0
LINES = 200_000
"""Lines of one write to InfluxDB: some megabytes."""


class Peer(Protocol):
    """One store. Times are µs UTC; `start` ≤ ts < `end`."""

    name: str

    def write(self, columns: Columns) -> None:
        """Point, ts, value: some points one after the other, each in the order of time."""

    def settle(self) -> None:
        """All is written: bring it into the form in which it is to be asked."""

    def raw(self, point: int, start: int, end: int) -> int:
        """Read every sample, value and time, as columns; how many there were."""

    def buckets(self, points: list[int], start: int, end: int, width: int) -> int:
        """Least and greatest of each bucket; how many buckets there were."""

    def bytes_on_disk(self) -> int: ...

    def close(self) -> None: ...


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # merged away meanwhile
            size += path.stat().st_size if path.is_file() else 0
    return size


class DuckDb:
    """One table without an index, in the order in which it was written."""

    name = "duckdb"

    def __init__(self, folder: Path) -> None:
        import duckdb

        self._folder = folder
        folder.mkdir(parents=True)
        # Sorting 100 million samples would take what memory there is; beyond this it goes to disk.
        settings = {"memory_limit": "4GB", "temp_directory": str(folder / "sorting")}
        self._connection = duckdb.connect(str(folder / "samples.duckdb"), config=settings)
        self._connection.execute("CREATE TABLE samples (point UBIGINT, ts BIGINT, value DOUBLE, quality UTINYINT)")

    def write(self, columns: Columns) -> None:
        point, ts, value = columns
        rows = pa.table({"point": point, "ts": ts, "value": value, "quality": np.full(len(ts), 192, np.uint8)})
        self._connection.register("rows", rows)
        self._connection.execute("INSERT INTO samples SELECT * FROM rows")
        self._connection.unregister("rows")

    def settle(self) -> None:
        # Sorted by point, as a user would who asks for one point's history.
        self._connection.execute("CREATE TABLE sorted AS SELECT * FROM samples ORDER BY point, ts")
        self._connection.execute("DROP TABLE samples")
        self._connection.execute("ALTER TABLE sorted RENAME TO samples")
        self._connection.execute("CHECKPOINT")

    def raw(self, point: int, start: int, end: int) -> int:
        sql = "SELECT ts, value, quality FROM samples WHERE point = ? AND ts >= ? AND ts < ? ORDER BY ts"
        return self._connection.sql(sql, params=[point, start, end]).to_arrow_table().num_rows

    def buckets(self, points: list[int], start: int, end: int, width: int) -> int:
        sql = (
            "SELECT point, (ts - $1) // $2 AS bucket, min(value), max(value) FROM samples "
            "WHERE list_contains($3, point) AND ts >= $1 AND ts < $4 GROUP BY ALL ORDER BY ALL"
        )
        return self._connection.sql(sql, params=[start, width, points, end]).to_arrow_table().num_rows

    def bytes_on_disk(self) -> int:
        # The file does not shrink when a table is dropped: a copy holds only what is there.
        self._connection.execute(f"ATTACH '{self._folder / 'copy.duckdb'}' AS copy")
        self._connection.execute("CREATE TABLE copy.samples AS SELECT * FROM samples")
        self._connection.execute("DETACH copy")
        return (self._folder / "copy.duckdb").stat().st_size

    def close(self) -> None:
        self._connection.close()


class _Server:
    """A program on a port of loopback, with its data in a folder; ends with `close`."""

    def __init__(self, argv: list[str], folder: Path, port: int, alive: str) -> None:
        self._folder, self._port = folder, port
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=folder)
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._get(alive)
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.close()
                    raise RuntimeError(f"{argv[0]} does not start: see {folder / 'log'}") from None
                time.sleep(0.05)

    def _get(self, path: str, **query: Any) -> bytes:
        address = f"http://127.0.0.1:{self._port}{path}?{urllib.parse.urlencode(query, doseq=True)}"
        with urllib.request.urlopen(address, timeout=120) as answer:
            body: bytes = answer.read()
            return body

    def _post(self, path: str, body: bytes, **query: Any) -> bytes:
        address = f"http://127.0.0.1:{self._port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=120) as answer:
            got: bytes = answer.read()
            return got

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class VictoriaMetrics(_Server):
    """One series a point, imported as lines of JSON with arrays."""

    name = "victoria-metrics"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        argv = [
            _program("victoria-metrics"), f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=10y", "-search.maxPointsPerTimeseries=10000000", "-import.maxLineLen=200000000",
            "-search.latencyOffset=0s", "-search.disableCache",
        ]  # fmt: skip
        super().__init__(argv, folder, port, "/health")

    def write(self, columns: Columns) -> None:
        import orjson

        point, ts, value = columns
        lines = []
        for begin, end in _runs(point):
            metric = {"__name__": "value", "point": str(point[begin])}
            row = {"metric": metric, "values": value[begin:end], "timestamps": ts[begin:end] // MS}
            lines.append(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY))
        self._post("/api/v1/import", b"\n".join(lines))

    def settle(self) -> None:
        self._get("/internal/force_flush")
        self._get("/internal/force_merge")
        before = -1
        while (now := self.bytes_on_disk()) != before:
            before = now
            time.sleep(2.0)
        self._get("/internal/resetRollupResultCache")

    def raw(self, point: int, start: int, end: int) -> int:
        query = {"match[]": f'value{{point="{point}"}}', "start": start / 1e6, "end": (end - MS) / 1e6}
        rows = [json.loads(line) for line in self._get("/api/v1/export", **query).splitlines()]
        return sum(len(np.array(row["values"])) for row in rows)

    def buckets(self, points: list[int], start: int, end: int, width: int) -> int:
        chosen = f'value{{point=~"{"|".join(map(str, points))}"}}[{width // 1_000_000}s]'
        count = 0
        for what in ("min_over_time", "max_over_time"):
            query = {
                "query": f"{what}({chosen})",
                "start": (start + width) / 1e6,
                "end": end / 1e6,
                "step": width / 1e6,
            }
            found = json.loads(self._get("/api/v1/query_range", **query))["data"]["result"]
            count = sum(len(series["values"]) for series in found)
        return count

    def bytes_on_disk(self) -> int:
        return _size(self._folder / "data")


class InfluxDb(_Server):
    """InfluxDB 1.x: a tag for the point, fields for value and quality."""

    name = "influxdb"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        (folder / "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\n  dir = "{folder}/meta"\n'
            f'[data]\n  dir = "{folder}/data"\n  wal-dir = "{folder}/wal"\n  query-log-enabled = false\n'
            '  cache-max-memory-size = 2147483648\n  cache-snapshot-write-cold-duration = "10s"\n'
            f'[http]\n  bind-address = "127.0.0.1:{port}"\n  log-enabled = false\n  max-body-size = 0\n'
            "  max-row-limit = 0\n[monitor]\n  store-enabled = false\n"
        )
        argv = [_program("influxd"), "run", "-config", str(folder / "influxdb.conf")]
        super().__init__(argv, folder, port, "/ping")
        self._post("/query", b"", q="CREATE DATABASE mine")

    def write(self, columns: Columns) -> None:
        for lines in _lines(columns):
            self._post("/write", lines, db="mine", precision="u")

    def settle(self) -> None:
        """Its cache goes to disk when nothing was written for a while, then its log is empty."""
        deadline = time.monotonic() + SETTLE_S
        while _size(self._folder / "wal") > 1_000_000 and time.monotonic() < deadline:
            time.sleep(1.0)

    def raw(self, point: int, start: int, end: int) -> int:
        q = f"SELECT v, q FROM samples WHERE point = '{point}' AND time >= {start}000 AND time < {end}000"  # noqa: S608
        return sum(len(np.array(series["values"])) for series in self._ask(q))

    def buckets(self, points: list[int], start: int, end: int, width: int) -> int:
        any_of = " OR ".join(f"point = '{point}'" for point in points)
        q = (
            f"SELECT min(v), max(v) FROM samples WHERE ({any_of}) AND time >= {start}000 AND time < {end}000 "  # noqa: S608
            f"GROUP BY point, time({width}u, {start % width}u)"
        )
        return sum(len(series["values"]) for series in self._ask(q))

    def _ask(self, q: str) -> list[dict[str, Any]]:
        found = json.loads(self._get("/query", db="mine", epoch="u", q=q))["results"][0]
        if "error" in found:
            raise RuntimeError(f"InfluxDB refuses: {found['error']}")
        series: list[dict[str, Any]] = found.get("series", [])
        return series

    def bytes_on_disk(self) -> int:
        return _size(self._folder / "data") + _size(self._folder / "wal")


def _runs(point: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    starts = np.flatnonzero(np.append(True, point[1:] != point[:-1]))
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(point)], strict=True)


def _lines(columns: Columns) -> Iterator[bytes]:
    """InfluxDB's line protocol, made column by column."""
    point, ts, value = columns
    for begin in range(0, len(ts), LINES):
        part = slice(begin, begin + LINES)
        texts = [pc.cast(pa.array(column[part]), pa.string()) for column in (point, value, ts)]
        joined = pc.binary_join_element_wise(
            "samples,point=", texts[0], " v=", texts[1], ",q=192i ", texts[2], "\n", ""
        )
        _, offsets, text = joined.buffers()
        yield text[: np.frombuffer(offsets, np.int32)[len(joined)]].to_pybytes()


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        raise FileNotFoundError(f"找不到程序 {name} · there is no program {name} on this machine")
    return found


PEERS = (DuckDb, VictoriaMetrics, InfluxDb)


@contextlib.contextmanager
def opened(make: Any, folder: Path) -> Iterator[Peer]:
    """A peer in a folder of its own, closed and removed afterwards."""
    peer: Peer = make(folder)
    try:
        yield peer
    finally:
        peer.close()
        shutil.rmtree(folder, ignore_errors=True)


Once = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]
"""Measures what is named, unless that was done before."""


def beside(month: Month, rounds: int, folder: Path, once: Once) -> dict[str, dict[str, Any]]:
    """What each peer makes of the month: what it took, by name, or why it was not asked."""

    def measured(make: Any) -> dict[str, Any]:
        return once(make.name, lambda: _beside(make, month, rounds, folder / make.name))

    return {make.name: measured(make) for make in PEERS}


def _beside(make: Any, month: Month, rounds: int, folder: Path) -> dict[str, Any]:
    try:
        with opened(make, folder) as peer:
            wrote = 0.0
            for columns in month.pieces():
                began = time.perf_counter()
                peer.write(columns)
                wrote += time.perf_counter() - began
            peer.settle()
            asked = month.questions(peer.raw, peer.buckets)
            counts = {name: ask() for name, ask in asked.items()}
            times = {name: [_took(ask) for _ in range(rounds)] for name, ask in asked.items()}
            return {
                "write_samples_per_s": round(month.samples / wrote),
                "bytes_per_sample": round(peer.bytes_on_disk() / month.samples, 2),
                **{f"{name}_p50_ms": round(float(np.median(each)), 1) for name, each in times.items()},
                "rows": counts,
            }
    except (ImportError, OSError, RuntimeError) as error:
        return {"not_asked": str(error)}


def _took(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1e3
