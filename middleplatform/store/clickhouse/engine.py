"""The engine on servers: what `middleplatform.store.engine.Engine` is, over the network.

Written means: on the disk of a replica of the right shard, and on every other replica of it that is up. So a
replica that dies takes nothing along that was acknowledged, and none that is up answers without it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import structlog

from middleplatform.store.clickhouse.address import Address
from middleplatform.store.clickhouse.layout import Layout
from middleplatform.store.clickhouse.literals import fill
from middleplatform.store.clickhouse.replicas import Replicas
from middleplatform.store.clickhouse.session import Server, Session
from middleplatform.store.clickhouse.statements import Plan, Where, local, plan
from middleplatform.store.engine import QUERY_TIMEOUT_S, READERS, EngineError, turn
from middleplatform.store.errors import StoreError, StoreVersionError

log = structlog.get_logger("store")

WRITE_S = 60.0
"""How long a server may be silent about a write."""
SURE_S = 10.0
"""How long a question is asked again while a replica that may lack something could have answered it."""
_UNSURE = "a replica that is up may lack what was written: nothing is answered, rather than what is old. Try again"

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
        delay_s = profile.session["max_replica_delay_for_distributed_queries"]
        self._replicas = Replicas(self.layout, delay_s) if address.cluster else None
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
        verb = sql.split(maxsplit=1)[0].upper()
        with self._write_lock:
            if verb in ("SELECT", "WITH"):
                return self.query(sql, params)
            if planned.where is Where.ONE:
                for statement in planned.statements:
                    self._writer.query(statement)
                if verb == "INSERT":
                    self._replicate(sql.split()[2])
            else:
                self._on_servers(planned)
        return pa.table({})

    def aside(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement that takes long; here its servers do the work, and inserts wait for their word."""
        return self.execute(sql, params)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows to a table, matching columns by name; durable on return. Raises EngineError: some may
        then be written, and all are to be written again."""
        with self._write_lock:
            self._writer.insert(table, rows)
            self._replicate(table)

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a read-only query; `params` fill `{name:Type}` in it. Raises EngineError."""
        filled = fill(sql, params)
        deadline = time.monotonic() + SURE_S
        while True:
            sure = self._surely()
            with turn(self._readers) as session:
                answer = session.query(filled)
            if sure():
                return answer
            if time.monotonic() > deadline:
                raise EngineError(_UNSURE)
            time.sleep(0.1)

    def stream(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """Run a read-only query and give its rows in batches. Raises EngineError, at the end too, when it turns
        out that some may lack."""
        sure = self._surely()
        with turn(self._readers) as session, contextlib.closing(session.stream(fill(sql, params))) as batches:
            yield from batches
        if not sure():
            raise EngineError(_UNSURE)

    def _surely(self) -> Callable[[], bool]:
        """Called when the answer is there: whether it was given by replicas that had all."""
        replicas = self._replicas
        if replicas is None or replicas.all_current:
            # Each had what was acknowledged when it was asked; what came since need not be in the answer.
            return lambda: True
        told = replicas.told
        return lambda: not replicas.doubted() and replicas.told == told

    def _replicate(self, table: str) -> None:
        if self._replicas is not None:
            self._replicas.replicate(local(table))

    confines = False
    looks_at_parts = False

    def confined(self, sql: str) -> pa.Table:
        """Refused: what confines a caller's statement is proved on the embedded engine alone."""
        raise EngineError("statements of callers are run by the embedded engine only, not on ClickHouse servers")

    def stop(self, mark: str) -> int:
        """Nothing of a caller's runs here."""
        return 0

    def parts(self, table: str) -> dict[int, int]:
        """The parts that each partition of a table has, over all servers."""
        return self.layout.parts(local(table) if self.address.cluster else table)

    def held(self) -> pa.Table:
        """table, id (of a partition), parts, rows, bytes on disk: of one replica of each shard."""
        return self.layout.held()

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


def open_server(url: str, version: int, older: frozenset[str] = frozenset()) -> ServerEngine:
    """The engine at a URL, its database of the version that this program reads, or brought to it from one of
    `older`. Raises StoreVersionError when it is of another one, StoreError when it cannot be opened."""
    address = Address.parse(url)
    engine = ServerEngine(address)
    try:
        engine.execute(_VERSION)
        found = engine.query("SELECT max(version) AS v, count() AS n FROM store_version").to_pylist()[0]
        if not found["n"] or str(found["v"]) in older:
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
