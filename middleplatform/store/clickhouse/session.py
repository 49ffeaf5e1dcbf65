"""A connection to one of several equal servers, used by one thread at a time; the next server is taken when one
goes away."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import structlog

from middleplatform.store.clickhouse.address import Address
from middleplatform.store.engine import TOOK_TOO_LONG, EngineError, QueryTimeout, QueryTooLarge

log = structlog.get_logger("store")
# It tells every refused connection with its stack; here the next server is taken, and what matters is raised.
logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)

CONNECT_S = 3
PING_S = 5
"""How long a server that took a connection may take to say that it is alive."""

_BROKEN_INSIDE = frozenset({32, 209, 210})
"""Codes of a server that lost another one in the middle of an answer: read after the end, time-out, network."""
_PLAIN = {
    192: "the server knows no such user",
    193: "the server refuses the password",
    194: "the server wants a password",
    516: "the server refuses the user or the password",
    279: "a part of the cluster does not answer: nothing is answered, rather than without it. "
    "It can be asked again when one server of each shard is up",
    369: "no replica that is up has all that was written: nothing is answered, rather than what is old. "
    "It can be asked again when one has caught up",
}

T = TypeVar("T")


class Server(NamedTuple):
    """Where one server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class ServerAway(EngineError):
    """None of the servers that could do it answers."""


def connection_errors() -> tuple[type[BaseException], ...]:
    from clickhouse_driver import errors

    return (errors.NetworkError, errors.SocketTimeoutError, EOFError, OSError)


def plain(error: Any) -> EngineError:
    """A server's refusal in few words."""
    if error.code == 159:
        return QueryTimeout(TOOK_TOO_LONG)
    if error.code == 241:
        return QueryTooLarge("the query needs more memory than allowed: ask for a shorter range or fewer points")
    if error.code in _PLAIN:
        return EngineError(_PLAIN[error.code])
    text = str(error.message).split("Stack trace", maxsplit=1)[0].removeprefix("DB::Exception: ").strip()
    return EngineError(f"{text[:500]} (code {error.code})")


class Session:
    """`settings` go with every statement; `patience_s` is how long a silent server is waited for."""

    def __init__(
        self,
        address: Address,
        servers: Sequence[Server],
        settings: Mapping[str, Any],
        patience_s: float,
        database: str | None = None,
    ) -> None:
        self._address = address
        self._servers = tuple(servers)
        self._settings = {"use_numpy": True, **settings}
        self._patience_s = patience_s
        self._database = database or address.database
        self._at = 0
        self._client: Any = None

    @property
    def server(self) -> Server:
        """The server that is asked now."""
        return self._servers[self._at]

    def query(self, sql: str) -> pa.Table:
        """The result of one statement; an empty table without columns for one that returns nothing."""
        return self._anywhere(lambda client: client.query_arrow(sql, field_metadata=False))

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result in batches. Another server is taken only before the first batch came."""

        def begin(client: Any) -> tuple[pa.RecordBatch | None, pa.RecordBatchReader]:
            batches = client.query_arrow_stream(sql, field_metadata=False)
            return next(batches, None), batches

        first, batches = self._anywhere(begin)
        finished = False
        try:
            if first is not None:
                with self._told():
                    yield first
                    yield from batches
            finished = True
        finally:
            if not finished:
                self.close()  # the server stops a query whose asker is gone

    def insert(self, table: str, rows: pa.Table) -> None:
        """Write rows, matching columns by name. Written again on another server when one went away, which
        changes nothing for tables that are keyed."""
        names = ", ".join(f"`{name}`" for name in rows.schema.names)
        columns = [_numpy(column) for column in rows.columns]
        sql = f"INSERT INTO {table} ({names}) VALUES"
        self._anywhere(lambda client: client.execute(sql, columns, columnar=True))

    def close(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.disconnect()
            self._client = None

    def _anywhere(self, act: Callable[[Any], T]) -> T:
        """Do it on the first server that can, beginning with the one at hand."""
        from clickhouse_driver import errors

        reason: BaseException | None = None
        for attempt in range(len(self._servers) + 1):
            try:
                return act(self._connected())
            except errors.ServerException as error:
                self.close()
                if error.code not in _BROKEN_INSIDE or attempt:
                    raise plain(error) from error
                reason = error
            except connection_errors() as error:
                self.close()
                reason = error
                self._at = (self._at + 1) % len(self._servers)
            except BaseException:
                self.close()
                raise
        raise ServerAway(f"no server answers at {', '.join(map(str, self._servers))}: {_short(reason)}") from reason

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        from clickhouse_driver import errors

        try:
            yield
        except errors.ServerException as error:
            raise plain(error) from error
        except connection_errors() as error:
            raise ServerAway(f"{self.server} went away in the middle of an answer: {_short(error)}") from error

    def _connected(self) -> Any:
        if self._client is None:
            from clickhouse_driver import Client

            where = self._address
            secure = {"secure": True, "ca_certs": where.ca} if where.secure else {}
            self._client = Client(
                self.server.host,
                self.server.port,
                database=self._database,
                user=where.user,
                password=where.password,
                client_name="sevenones",
                connect_timeout=CONNECT_S,
                send_receive_timeout=self._patience_s,
                sync_request_timeout=min(PING_S, self._patience_s),
                settings=self._settings,
                **secure,
            )
        return self._client


def _short(error: BaseException | None) -> str:
    return str(getattr(error, "message", error)).split("Stack trace", maxsplit=1)[0].strip()[:200]


def _numpy(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    if not column.null_count or pa.types.is_string(column.type):
        return column.to_numpy()
    return np.array(column.to_pylist(), object)
