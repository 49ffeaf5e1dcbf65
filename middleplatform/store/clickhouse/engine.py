"""The engine on servers: what `middleplatform.store.engine.Engine` is, over the network.

Written means: on the disk of a replica of the right shard, and on every other replica of it that is up. So a
replica that dies takes nothing along that was acknowledged, and none that is up answers without it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import structlog

from middleplatform.store.clickhouse.address import Address
from middleplatform.store.clickhouse.layout import Layout
from middleplatform.store.clickhouse.literals import fill
from middleplatform.store.clickhouse.session import Server, Session
from middleplatform.store.clickhouse.statements import Plan, Where, local, plan
from middleplatform.store.engine import QUERY_TIMEOUT_S, READERS, QueryTimeout
from middleplatform.store.errors import StoreError, StoreVersionError

log = structlog.get_logger("store")

WRITE_S = 60.0
"""How long a server may be silent about a write."""

_TRAP = """SELECT toFloat64(sum(x / 1e15)) AS s
FROM (SELECT toInt64(1795420368000000000) + number AS x FROM numbers(1000000))"""
_TRAP_RESULT = 1_795_420_368
_VERSION = "CREATE TABLE IF NOT EXISTS store_version (version UInt64) ENGINE = ReplacingMergeTree ORDER BY version"


class ServerEngine:
    """All methods may be called from any thread; they block."""

    def __init__(self, address: Address) -> None:
        """Connect, see what servers there are, make the database when missing. Raises StoreError."""
        try:
            import clickhouse_driver  # noqa: F401
        except ImportError:
            raise StoreError("the store is on a ClickHouse server: pip install sevenones[clickhouse]") from None
        self.address = address
        self.layout = Layout(address)
        profile = address.profile
        seeds = [Server(*host) for host in address.hosts]
        write = {**profile.session, **profile.writer}
        read = {**profile.session, **profile.reader, "max_execution_time": QUERY_TIMEOUT_S}
        self._writer = Session(address, seeds, write, WRITE_S)
        self._write_lock = threading.Lock()
        self._readers: queue.Queue[Session] = queue.Queue()
        for _ in range(READERS):
            self._readers.put(Session(address, seeds, read, QUERY_TIMEOUT_S + 10))
        try:
            self._prove()
        except BaseException:
            self.close()
            raise

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that may write, after those before it."""
        planned = plan(fill(sql, params), self.address.profile, self.address.cluster, self.address.database)
        with self._write_lock:
            if planned.where is Where.ONE:
                table = pa.table({})
                for statement in planned.statements:
                    table = self._writer.query(statement)
                if sql.lstrip()[:6].upper() == "INSERT":
                    self.layout.replicate(local(sql.split()[2]))
                return table
            self._on_servers(planned)
        return pa.table({})

    def aside(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """As `execute`: what takes long, a server does beside the inserts by itself."""
        return self.execute(sql, params)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows to a table, matching columns by name; durable on return. Raises EngineError: some may
        then be written, and all are to be written again."""
        with self._write_lock:
            self._writer.insert(table, rows)
            self.layout.replicate(local(table))

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a read-only query; `params` fill `{name:Type}` in it. Raises EngineError."""
        with self._reader() as session:
            return session.query(fill(sql, params))

    def stream(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """Run a read-only query and give its rows in batches. Raises EngineError."""
        with self._reader() as session, contextlib.closing(session.stream(fill(sql, params))) as batches:
            yield from batches

    def parts(self, table: str) -> dict[int, int]:
        """The parts that each partition of a table has, over all servers."""
        return self.layout.parts(local(table) if self.address.cluster else table)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Session]:
        try:
            session = self._readers.get(timeout=QUERY_TIMEOUT_S)
        except queue.Empty:
            raise QueryTimeout(f"the store is busy: {READERS} other queries are running. Try again") from None
        try:
            yield session
        finally:
            self._readers.put(session)

    def _on_servers(self, planned: Plan) -> None:
        if planned.where is Where.EACH_SERVER:
            self.layout.on_every_server(planned.statements, planned.table or "")
            return
        self.layout.on_every_shard(planned.statements, planned.table or "")
        if planned.mutates and planned.table:
            self.layout.wait_for_mutations(planned.table)

    def _prove(self) -> None:
        got = float(self.query(_TRAP).column("s")[0].as_py())
        if abs(got - _TRAP_RESULT) > 1:
            raise StoreError(f"the server sums wrongly: {got} instead of {_TRAP_RESULT}; another version is needed")

    def close(self) -> None:
        """Close every connection; running queries end first, at most for as long as they may take."""
        for _ in range(READERS):
            with contextlib.suppress(queue.Empty):
                self._readers.get(timeout=QUERY_TIMEOUT_S).close()
        with self._write_lock:
            self._writer.close()
            self.layout.close()


def open_server(url: str, version: int) -> ServerEngine:
    """The engine at a URL, its database of the version that this program reads. Raises StoreVersionError when
    it is of another one, StoreError when it cannot be opened."""
    address = Address.parse(url)
    engine = ServerEngine(address)
    try:
        engine.execute(_VERSION)
        found = engine.query("SELECT max(version) AS v, count() AS n FROM store_version").to_pylist()[0]
        if not found["n"]:
            engine.insert("store_version", pa.table({"version": pa.array([version], pa.uint64())}))
        elif found["v"] != version:
            raise StoreVersionError(
                f"the store at {address} is of version {found['v']}, this program reads version {version}. "
                "Name another database, or start the program that wrote it"
            )
    except BaseException:
        engine.close()
        raise
    return engine
