"""A database as a personnel, weighing or older monitoring system offers it: rows in the table that the
connection's view names.

The connection's url is that of the reader. The device writes to the same table by `SEVENONES_SIMULATOR_SQL_URL`
where that is set (a reader who may not write is as it should be), else by the same url. The table is made where
it is not there: key, time and the columns that the site reads. Rows are added with rising keys; the oldest go.
SQLite files and PostgreSQL. Nobody writes to a device over a view, so it takes no commands.
"""

from __future__ import annotations

import asyncio
import os
import queue
import random
import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.device import Device, DeviceError
from simulators.encode import STRING, EncodeError, Typed

log = structlog.get_logger(__name__)

WRITER_URL = "SEVENONES_SIMULATOR_SQL_URL"
MOST_ROWS = 100_000
"""Rows that the table keeps at most."""
MOST_WAITING = 1_000
"""Renewals that wait while the database is away; more, and the oldest are given up."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[^\W\d]\w{0,62}")


class SqlView(Device):
    """Adds rows at each renewal: one a value with its name, or one with a column a point. Raises DeviceError."""

    tells_all = True
    kinds = frozenset({"reset", "hang", "slow", "garbage", "clock_jump", "cut", "loss", "delay"})

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        super().__init__(connection, points)
        settings = connection.settings
        if not settings.get("view"):
            raise self._error("a simulated database needs a view to fill, not a query")
        self._url = os.environ.get(WRITER_URL) or str(
            settings.get("url") or os.environ.get(str(settings.get("url_env", "")), "")
        )
        if not self._url:
            raise self._error(f"the environment variable {settings.get('url_env')} with its url is not set")
        self._sqlite = self._url.startswith("sqlite")
        """It has no times: they are numbers there, ms since 1970."""
        self._password_file = str(settings.get("password_file") or "")
        periods = [group.period_s for group in connection.groups.values()]
        self.period_s = max(1.0, min(periods, default=5.0))
        try:
            self._typed = Typed(self.points)
        except EncodeError as error:
            raise self._error(str(error)) from None
        self.key, self.time = str(settings["key"]), str(settings["time"])
        self._name, self._value = str(settings.get("name", "")), str(settings.get("value", ""))
        self._quality = str(settings.get("quality", ""))
        words = {int(code): str(word) for word, code in dict(settings.get("quality_map") or {}).items()}
        self._good: str | int = words.get(192, "good") if words else 192
        self._bad: str | int = words.get(0, "bad") if words else 0
        self._columns = self._plan()
        self._present: dict[str, float] = {}
        self._away_until = 0.0
        self._dice = random.Random(1)
        self._orders: queue.Queue[Callable[[Any], None] | None] = queue.Queue()
        self._held: list[list[dict[str, Any]]] = []
        self._ready: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None
        self._table: Any = None
        self.rows = 0
        """Rows that are in the database from here."""

    def _error(self, what: str) -> DeviceError:
        return DeviceError(f"connection '{self.connection.name}': {what}")

    def _plan(self) -> dict[str, str]:
        """The columns of the table beside key and time, and whether each holds texts or numbers."""
        columns: dict[str, str] = {}
        self._by_name: dict[str, dict[str, int]] = {}
        for row, (point, kind) in enumerate(zip(self.points, self._typed.kinds, strict=True)):
            name, mark, column = point.address.rpartition("#") if self._name else ("", "", point.address)
            if self._name and not mark:
                name, column = point.address, self._value
            self._by_name.setdefault(name, {})[column] = row
            held = "text" if kind == STRING or point.type == "text" else "number"
            # One column of texts and numbers is one of texts.
            columns[column] = "text" if "text" in (held, columns.get(column)) else "number"
        if self._name:
            columns.setdefault(self._value, "number")
            columns[self._name] = "text"
        if self._quality:
            columns[self._quality] = "text" if isinstance(self._good, str) else "number"
        for column in (*columns, self.key, self.time):
            if not _NAME.fullmatch(column):
                raise self._error(f"'{column}' is no name of a column that the simulator makes")
        columns.pop(self.key, None)
        columns.pop(self.time, None)
        return columns

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._thread = threading.Thread(target=self._work, args=(loop, self._ready), daemon=True, name="sql-device")
        self._thread.start()
        try:
            await self._ready
        except DeviceError:
            raise
        except Exception as error:
            raise self._error(f"its database cannot be filled: {error}") from None
        held, self._held = self._held, []
        for rows in held:
            self._put(rows)

    def stamp(self, ts: int) -> int:
        return ts - ts % 1000

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        return self._typed.hold(values, texts)

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        loop = asyncio.get_running_loop()
        if self._present.get("hang") or loop.time() < self._away_until:
            return
        now = ts + self.clock_off_us
        rows = self._told(now // 1000 if self._sqlite else _EPOCH + timedelta(microseconds=now))
        if self._present.get("loss"):
            rows = [row for row in rows if self._dice.random() >= self._present["loss"]]
        if self._ready is None or self._present.get("cut"):
            self._held.append(rows)
            del self._held[:-MOST_WAITING]
            return
        wait = self._present.get("slow", 0.0) + self._present.get("delay", 0.0)
        if wait:
            loop.call_later(wait, self._put, rows)
        else:
            self._put(rows)

    def _told(self, when: datetime | int) -> list[dict[str, Any]]:
        rows = []
        for name, columns in self._by_name.items():
            row: dict[str, Any] = {**dict.fromkeys(self._columns), self.time: when}
            if self._name:
                row[self._name] = name
            for column, point in columns.items():
                if column not in (self.key, self.time):
                    row[column] = self._said(point, column)
            if self._quality and self._quality not in columns:
                value = row.get(self._value) if self._name else True
                row[self._quality] = self._good if value is not None else self._bad
            rows.append(row)
        return rows

    def _said(self, row: int, column: str) -> Any:
        held = self._typed[row]
        if self._present.get("garbage") and held is not None:
            # Rubbish in the wrong type, where the column takes it.
            return "#VALUE!" if self._columns[column] == "text" else float(self._dice.randrange(-(10**9), 10**9))
        if held is None:
            return None
        if self._columns[column] == "text":
            return str(int(held)) if isinstance(held, bool) else str(held)
        return float(held) if not isinstance(held, str) else None

    def _put(self, rows: list[dict[str, Any]]) -> None:
        if rows and self._orders.qsize() < MOST_WAITING:
            self._orders.put(lambda connection: self._insert(connection, rows))

    def _begin(self, kind: str, amount: float) -> None:
        if kind == "reset":
            self._away_until = asyncio.get_running_loop().time() + amount
            return
        if kind != "clock_jump":
            self._present[kind] = amount
        if kind == "cut" and not amount:
            held, self._held = self._held, []
            for rows in held:
                self._put(rows)

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._orders.put(None)
            await asyncio.to_thread(thread.join, 5.0)

    # ---- the thread that has the database

    def _work(self, loop: asyncio.AbstractEventLoop, ready: asyncio.Future[None]) -> None:
        try:
            engine = self._open()
        except BaseException as error:
            loop.call_soon_threadsafe(ready.set_exception, error)
            return
        loop.call_soon_threadsafe(ready.set_result, None)
        while (order := self._orders.get()) is not None:
            try:
                with engine.begin() as connection:
                    order(connection)
            except Exception as error:  # a database that is away loses what it was to take
                log.warning("sql_away", connection=self.connection.name, error=str(error).splitlines()[0])
        engine.dispose()

    def _open(self) -> Any:
        try:
            import sqlalchemy as sql
        except ImportError:
            raise self._error("a simulated database needs pip install 'sevenones[sql]'") from None
        url = sql.make_url(self._url)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise self._error(f"the simulated database is SQLite or PostgreSQL, not {url.get_backend_name()}")
        if self._password_file and not os.environ.get(WRITER_URL):
            url = url.set(password=Path(self._password_file).read_text(encoding="utf-8").strip())
        if self._sqlite and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sql.create_engine(url)
        schema, _, name = str(self.connection.settings["view"]).rpartition(".")
        self._table = sql.Table(name, sql.MetaData(), *self._made(sql), schema=schema or None)
        there = sql.inspect(engine)
        if name not in there.get_view_names(schema=schema or None):
            self._table.create(engine, checkfirst=True)
        return engine

    def _made(self, sql: Any) -> list[Any]:
        """The table's columns."""
        when = sql.BigInteger() if self._sqlite else sql.DateTime(timezone=True)
        if self.key == self.time:
            # Rows of one time have one key, so it is no primary one where each value is a row.
            columns = [sql.Column(self.key, when, primary_key=not self._name, index=bool(self._name))]
        else:
            whole = sql.BigInteger().with_variant(sql.Integer, "sqlite")
            columns = [sql.Column(self.key, whole, primary_key=True), sql.Column(self.time, when)]
        held = {"text": sql.Text, "number": sql.Float(53)}
        return columns + [sql.Column(column, held[kind]) for column, kind in self._columns.items()]

    def _insert(self, connection: Any, rows: list[dict[str, Any]]) -> None:
        connection.execute(self._table.insert(), rows)
        self.rows += len(rows)
        if self.key != self.time and self.rows % 1_000 < len(rows):
            self._forget(connection)

    def _forget(self, connection: Any) -> None:
        import sqlalchemy as sql

        key = self._table.c[self.key]
        newest = connection.execute(sql.select(sql.func.max(key))).scalar()
        connection.execute(self._table.delete().where(key <= (newest or 0) - MOST_ROWS))
