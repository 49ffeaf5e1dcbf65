"""What a time-series engine is, and the embedded one: chDB, one per process, opened so that its arithmetic is right.

By default the engine rewrites `sum(x / c)` to `sum(x) / c`, which wraps a 64-bit integer and
returns a wrong sum without a word. The switch against it is lost when a session closes, so every
session here is opened with it, there is no other way to a session, and opening proves it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from middleplatform.store.errors import StoreError

S = TypeVar("S")

READERS = 3
"""Sessions for queries: this many run at once, the next one waits."""
ANALYSTS = 2
"""Sessions for statements that a caller wrote."""
ANALYST_TIMEOUT_S = 10
ANALYST_TURN_S = 5
"""How long a caller's statement waits for a session."""
ANALYST_ROWS = 100_000
"""Rows that the answer to a caller's statement may have."""
QUERY_TIMEOUT_S = 20
TOOK_TOO_LONG = f"the query took over {QUERY_TIMEOUT_S} s: ask for a shorter range or fewer points"

_SESSION: dict[str, object] = {
    "optimize_arithmetic_operations_in_aggregate_functions": 0,
    "max_threads": 1,
    # A key never spans partitions (the partition is made from ts), so each can be deduplicated alone.
    "do_not_merge_across_partitions_select_final": 1,
    "output_format_arrow_compression_method": "none",
}
_WRITER = {
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
    "max_insert_block_size": 262_144,
    # Repeats are taken out by FINAL and by merges anyway; a pass at every insert costs a sixth of it.
    "optimize_on_insert": 0,
}
_READER = {"max_memory_usage": 300_000_000, "max_execution_time": QUERY_TIMEOUT_S, "readonly": 2}
# A level of 1, and not 2 as above: no SET and no SETTINGS, and no table function that reads files, the network or
# Python. Functions that read a file, INTO OUTFILE and other databases stay open even so: `middleplatform.sql` is the
# wall against them. Conditions stay where they are written, behind the choice of the rows that may be seen.
_ANALYST = {
    "max_memory_usage": 300_000_000,
    "max_execution_time": ANALYST_TIMEOUT_S,
    "timeout_overflow_mode": "throw",
    "max_result_rows": ANALYST_ROWS,
    "max_result_bytes": 64_000_000,
    "result_overflow_mode": "throw",
    "max_ast_depth": 500,
    "max_ast_elements": 20_000,
    "max_expanded_ast_elements": 100_000,
    "max_subquery_depth": 50,
    "max_columns_to_read": 200,
    "session_timezone": "UTC",
    "allow_introspection_functions": 0,
    "optimize_move_to_prewhere": 0,
    "allow_ddl": 0,
    "readonly": 1,
}
# For the whole process, taken from the first session that opens.
_PROCESS = {
    "max_server_memory_usage": 1_200_000_000,
    "mark_cache_size": 33_554_432,
    "primary_index_cache_size": 33_554_432,
    "background_pool_size": 2,
}

_TRAP = (
    "SELECT toInt64(sum(x / 1e15)) AS s FROM (SELECT toInt64(1795420368000000000) + number AS x FROM numbers(1000000))"
)
_TRAP_RESULT = 1_795_420_368


class EngineError(StoreError):
    """The engine refused a statement: its own words, shortened."""


class QueryTimeout(EngineError):
    """A query ran longer than it may."""


class QueryStopped(EngineError):
    """A query was stopped by somebody."""


class QueryTooLarge(EngineError):
    """A query needed more memory than it may have."""


def _plain(error: BaseException) -> EngineError:
    text = str(error).split("Detail: Python exception", maxsplit=1)[0].strip()
    if "TIMEOUT_EXCEEDED" in text:
        return QueryTimeout(TOOK_TOO_LONG)
    if "QUERY_WAS_CANCELLED" in text:
        return QueryStopped("the query was stopped")
    if "MEMORY_LIMIT_EXCEEDED" in text:
        return QueryTooLarge("the query needs more memory than allowed: ask for a shorter range or fewer points")
    return EngineError(text[:500])


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters as chDB wants them: it quotes a text alone, but not those in a list."""
    return {
        name: [_quoted(each) for each in value]
        if isinstance(value, list) and value and isinstance(value[0], str)
        else value
        for name, value in (params or {}).items()
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class _Session:
    """One chDB session; used by one thread at a time.

    After a statement that failed while it ran, the library puts what that one had written before the
    next one's result. So a session that saw a failure is thrown away, and the next use opens another.
    """

    def __init__(self, path: Path, *settings: Mapping[str, object]) -> None:
        if set(str(path)) & set("?&#"):
            raise StoreError(f"the store cannot live in '{path}': its path must not hold ?, & or #")
        merged: dict[str, object] = {}
        for part in (_SESSION, *settings):
            merged |= part
        self._path = path
        self._address = f"{path}?{'&'.join(f'{name}={value}' for name, value in merged.items())}"
        self._open: Any = None
        self._session()

    def _session(self) -> Any:
        if self._open is None:
            # Imported here: it takes a second and 200 MB, which only the store process should pay.
            from chdb.session import Session

            try:
                session = Session(self._address)
            except Exception as error:
                raise StoreError(
                    f"the store in '{self._path}' does not open: another process may have it open. "
                    f"The engine says: {error}"
                ) from error
            try:
                _prove(session)
            except BaseException:
                session.close()
                raise
            self._open = session
        return self._open

    @contextlib.contextmanager
    def _use(self) -> Iterator[Any]:
        session = self._session()
        try:
            yield session
        except BaseException as error:
            self.close()
            if isinstance(error, GeneratorExit | KeyboardInterrupt | EngineError):
                raise
            raise _plain(error) from error

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The result of one statement; an empty table without columns for one that returns nothing."""
        with self._use() as session:
            result = session.query(sql, "Arrow", params=_given(params))
            # Copied: the table may outlive the engine's buffer.
            data = result.bytes() if result is not None else b""
            return pa.ipc.open_file(data).read_all() if data else pa.table({})

    def stream(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """The result in batches, in bounded memory."""
        with self._use() as session:
            result = session.send_query(sql, "Arrow", params=_given(params))
            try:
                yield from pa.RecordBatchReader.from_stream(result)
            finally:
                with contextlib.suppress(Exception):
                    result.close()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows; on return they are on disk."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        columns = ", ".join(f"`{name}`" for name in rows.schema.names)
        with (
            self._use() as session,
            session.send_insert(f"INSERT INTO {table} ({columns})", "ArrowStream") as inserter,
        ):
            inserter.append(memoryview(sink.getvalue()))
            inserter.finish()

    def close(self) -> None:
        if self._open is not None:
            with contextlib.suppress(Exception):
                self._open.close()
            self._open = None


_PARTS = """SELECT toInt64(partition_id) AS partition, count() AS parts FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String} GROUP BY partition"""
_HELD = """SELECT table, partition_id AS id, toInt64(count()) AS parts, toInt64(sum(rows)) AS rows,
 toInt64(sum(bytes_on_disk)) AS bytes
FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table, id ORDER BY table, id"""


@contextlib.contextmanager
def turn(readers: queue.Queue[S]) -> Iterator[S]:
    """One of the sessions for queries, when its turn has come. Raises QueryTimeout."""
    try:
        session = readers.get(timeout=QUERY_TIMEOUT_S)
    except queue.Empty:
        raise QueryTimeout(f"the store is busy: {READERS} other queries are running. Try again") from None
    try:
        yield session
    finally:
        readers.put(session)


class Engine(Protocol):
    """An engine: `Embedded` here, `middleplatform.store.clickhouse.ServerEngine` on servers. The dialect is
    ClickHouse's; `{name:Type}` in a statement is filled from `params`. All methods block and may be called from
    any thread. All raise EngineError."""

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that may write, after those before it."""

    def aside(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that takes long, such as a merge, beside the inserts and not between them."""

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows to a table, matching columns by name; durable on return."""

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a read-only query."""

    def stream(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """Run a read-only query and give its rows in batches, in bounded memory."""

    confines: bool
    """Whether it can run a statement that a caller wrote."""

    def confined(self, sql: str) -> pa.Table:
        """Run a statement that a caller wrote, with everything switched off that can be."""

    def stop(self, mark: str) -> int:
        """Stop the queries whose text holds `mark`; how many there were."""

    def parts(self, table: str) -> dict[int, int]:
        """How many parts on disk each partition of a table has; its partitions are numbered."""

    def held(self) -> pa.Table:
        """table, id (of a partition), parts, rows, bytes on disk: of every table; no copy counts twice."""

    looks_at_parts: bool
    """Whether it can be asked for the checksums of its parts, and for parts that it set aside."""

    def close(self) -> None:
        """Let go of the data; running queries end first, at most for as long as they may take."""


def embedded(engine: Engine) -> Engine:
    """The engine when it is the embedded one; else raises StoreError: servers have their own means."""
    if not isinstance(engine, Embedded):
        raise StoreError(
            "数据在 ClickHouse 服务器上，请在服务器上备份：24.8 及以上用 BACKUP DATABASE，更早的在每个分片的一个副本上"
            "用 ALTER TABLE … FREEZE · the data are on ClickHouse servers, which have their own means: BACKUP DATABASE "
            "from 24.8 on; before, ALTER TABLE … FREEZE on a replica of each shard, see docs/clickhouse.md"
        )
    return engine


class Embedded:
    """The engine inside of this process, the only one on its folder."""

    confines = True
    looks_at_parts = True

    def __init__(self, path: Path) -> None:
        """Open the database in the folder `path`, made when missing. Raises StoreError."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The first session stays open to the end: it holds the process's own settings.
        self._first = _Session(path, _PROCESS, _WRITER)
        self._aside_lock = threading.Lock()
        self._writer = _Session(path, _WRITER)
        self._write_lock = threading.Lock()
        self._readers: queue.Queue[_Session] = queue.Queue()
        for _ in range(READERS):
            self._readers.put(_Session(path, _READER))
        self._path = path
        self._analysts: queue.Queue[_Session | None] = queue.Queue()
        for _ in range(ANALYSTS):
            self._analysts.put(None)  # opened when first asked for

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that may write, after those before it."""
        with self._write_lock:
            return self._writer.query(sql, params)

    def aside(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that takes long, such as a merge, beside the inserts and not between them."""
        with self._aside_lock:
            return self._first.query(sql, params)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows to a table, matching columns by name; durable on return. Raises EngineError."""
        with self._write_lock:
            self._writer.insert(table, rows)

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a read-only query; `params` fill `{name:Type}` in it. Raises EngineError."""
        with turn(self._readers) as session:
            return session.query(sql, params)

    def stream(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """Run a read-only query and give its rows in batches. Raises EngineError."""
        with turn(self._readers) as session, contextlib.closing(session.stream(sql, params)) as batches:
            yield from batches

    def confined(self, sql: str) -> pa.Table:
        """Run a statement that a caller wrote, with everything switched off that can be. Raises EngineError."""
        try:
            session = self._analysts.get(timeout=ANALYST_TURN_S)
        except queue.Empty:
            raise QueryTimeout(f"{ANALYSTS} other statements are running: try again in a moment") from None
        try:
            session = session or _Session(self._path, _ANALYST)
            return session.query(sql)
        finally:
            self._analysts.put(session)

    def stop(self, mark: str) -> int:
        """Stop the queries whose text holds `mark`, letters and digits; how many there were."""
        return self.execute(
            "KILL QUERY WHERE position(query, {mark:String}) > 0 AND NOT startsWith(query, 'KILL') ASYNC",
            {"mark": mark},
        ).num_rows

    def parts(self, table: str) -> dict[int, int]:
        """How many parts on disk each partition of a table has."""
        found = self.query(_PARTS, {"table": table})
        return dict(zip(found.column("partition").to_pylist(), found.column("parts").to_pylist(), strict=True))

    def held(self) -> pa.Table:
        """table, id (of a partition), parts, rows, bytes on disk: of every table."""
        return self.query(_HELD)

    def close(self) -> None:
        """Close every session; running queries end first, at most for as long as they may take."""
        for _ in range(READERS):
            with contextlib.suppress(queue.Empty):
                self._readers.get(timeout=QUERY_TIMEOUT_S).close()
        for _ in range(ANALYSTS):
            with contextlib.suppress(queue.Empty):
                if session := self._analysts.get(timeout=ANALYST_TIMEOUT_S):
                    session.close()
        with self._write_lock, self._aside_lock:
            self._writer.close()
            self._first.close()


def _prove(session: Any) -> None:
    got = int(session.query(_TRAP, "CSV").bytes())
    if got != _TRAP_RESULT:
        raise StoreError(
            f"the engine sums wrongly: {got} instead of {_TRAP_RESULT}. The setting "
            "optimize_arithmetic_operations_in_aggregate_functions=0 has no effect in this version of chDB"
        )
