"""One read-only connection to a database, and the few questions that are asked over it.

Everything blocks. Names of columns and views are always quoted and values always bound, so that
nothing in a site's file can become a statement; a `query` is the engineer's own statement, and runs
in a transaction that cannot write where the database knows such.
"""

from __future__ import annotations

import datetime
import math
import threading
from collections.abc import Sequence
from typing import Any

from models.words import halves
from protocols.adapter import LinkLost
from protocols.sql.errors import explain
from protocols.sql.settings import SqlSettings

Row = tuple[Any, ...]

MOST_LATE = 50_000
"""Rows behind the last key that are looked at in one poll."""
CLOSING_S = 0.5
MISSING = (
    "未安装数据库支持，请执行 pip install 'sevenones[sql]' · "
    "the support for databases is not installed: pip install 'sevenones[sql]'"
)
_READ_ONLY = {
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = {ms}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {s}"),
    "sqlite": ("PRAGMA query_only = ON",),
}
"""What makes a session unable to write and bounds its statements; PostgreSQL is told on connecting."""


def _connect_arguments(dialect: str, timeout_s: float) -> dict[str, Any]:
    seconds = max(1, math.ceil(timeout_s))
    if dialect == "postgresql":
        options = f"-c default_transaction_read_only=on -c statement_timeout={round(timeout_s * 1000)}"
        # A server that vanished without a word is noticed within a minute, also where a statement waits for it.
        alive = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        return {"connect_timeout": seconds, "options": options, "application_name": "sevenones", **alive}
    if dialect in ("mysql", "mariadb"):
        return {"connect_timeout": seconds}
    if dialect == "sqlite":
        return {"timeout": timeout_s, "check_same_thread": False}
    return {}


class Database:
    """One connection. `where` is the database in words; `columns` are those of the view, once it is open."""

    columns: tuple[str, ...] = ()

    def __init__(self, settings: SqlSettings) -> None:
        """Loads what it needs, which may take seconds, and does not connect yet. Raises LinkLost."""
        try:
            import sqlalchemy
        except ImportError:
            raise LinkLost(MISSING) from None
        self._sql = sqlalchemy
        self._settings = settings
        self._turn = threading.RLock()
        self._closed = False
        self.source = settings.view or "the query"
        try:
            url = sqlalchemy.make_url(settings.where())
            if url.drivername in ("postgresql", "postgres"):
                url = url.set(drivername="postgresql+psycopg")
            if (secret := settings.secret()) is not None:
                url = url.set(password=secret)
            self.where = url.render_as_string(hide_password=True)
            self._dialect = url.get_backend_name()
            arguments = _connect_arguments(self._dialect, settings.timeout_s)
            self._engine = sqlalchemy.create_engine(url, connect_args=arguments, poolclass=sqlalchemy.pool.NullPool)
        except (ImportError, sqlalchemy.exc.NoSuchModuleError) as error:
            missing = halves(MISSING)
            raise LinkLost(f"{missing.zh}（{error}） · {missing.en} ({error})") from None
        except sqlalchemy.exc.ArgumentError:
            raise LinkLost(
                "不是数据库地址，请写作 dialect://user:password@host:port/database · "
                "the url is none: write dialect://user:password@host:port/database"
            ) from None

    def open(self) -> None:
        """Connect, sign in, and see that the columns are there. Raises LinkLost."""
        with self._turn:
            try:
                self._open()
            except self._sql.exc.SQLAlchemyError as error:
                self._give_up()
                raise explain(error, self.where, self.source) from None
            finally:
                if self._closed:
                    self._give_up()
        self._check_columns()

    def _open(self) -> None:
        seconds = self._settings.timeout_s
        self._connection = self._engine.connect()
        for statement in _READ_ONLY.get(self._dialect, ()):
            self._connection.execute(self._sql.text(statement.format(ms=round(seconds * 1000), s=seconds)))
        self.columns = self._columns()

    def close(self) -> None:
        """Give the connection up. Never raises. While an answer is still waited for in another thread, that
        thread gives it up when it comes back."""
        self._closed = True
        if self._turn.acquire(timeout=CLOSING_S):
            try:
                self._give_up()
            finally:
                self._turn.release()

    def _give_up(self) -> None:
        try:
            if hasattr(self, "_connection"):
                self._connection.close()
            self._engine.dispose()
        except Exception:  # noqa: S110  a connection that is broken cannot be closed well
            pass

    # ---- what is asked

    def newest_key(self, until: Any = None) -> Any:
        """The highest key that there is, and that is not above `until`; None without any."""
        key = self._column(self._settings.key)
        statement = self._select([self._sql.func.max(key)])
        return self._ask(statement if until is None else statement.where(key <= until))[0][0]

    def after(self, columns: Sequence[str], key: Any, until: Any) -> list[Row]:
        """The next rows with a key above `key` (None: any) and not above `until` (None: any), the lowest
        first. Never ends within the rows of one key. The key comes first in each row."""
        most = self._settings.rows_per_poll
        column = self._column(self._settings.key)
        statement = self._select([column, *map(self._column, columns)]).where(column.is_not(None))
        if until is not None:
            statement = statement.where(column <= until)
        following = statement if key is None else statement.where(column > key)
        rows = self._ask(following.order_by(column).limit(most))
        if len(rows) < most:
            return rows
        last = rows[-1][0]
        whole = [row for row in rows if row[0] != last]
        return whole or self._ask(statement.where(column == last).limit(MOST_LATE))

    def between(self, columns: Sequence[str], low: Any, high: Any) -> list[Row]:
        """The rows with a key from `low` to `high`, both included, the lowest first; of too many the newest."""
        column = self._column(self._settings.key)
        statement = self._select([column, *map(self._column, columns)])
        statement = statement.where(column >= low).where(column <= high)
        return self._ask(statement.order_by(column.desc()).limit(MOST_LATE))[::-1]

    def names(self, most: int) -> list[str]:
        """The first names in the name column."""
        column = self._column(self._settings.name)
        rows = self._ask(self._select([column]).where(column.is_not(None)).distinct().order_by(column).limit(most))
        return [str(row[0]) for row in rows]

    # ---- how

    def _column(self, name: str) -> Any:
        return self._sql.column(self._sql.quoted_name(name, quote=True))

    def _from(self) -> Any:
        if self._settings.query:
            # A colon in it is the engineer's own, no bind of ours.
            escaped = self._settings.query.strip().rstrip(";").replace(":", "\\:")
            return self._sql.text(f"({escaped}) sevenones_source")
        schema, dot, view = self._settings.view.rpartition(".")
        quoted = self._sql.quoted_name
        return self._sql.table(quoted(view, quote=True), schema=quoted(schema, quote=True) if dot else None)

    def _select(self, columns: Sequence[Any]) -> Any:
        return self._sql.select(*columns).select_from(self._from())

    def _columns(self) -> tuple[str, ...]:
        statement = self._select([self._sql.text("*")]).where(self._sql.text("1 = 0"))
        found = tuple(self._connection.execute(statement).keys())
        self._connection.rollback()
        return found

    def _check_columns(self) -> None:
        used = self._settings
        for what in ("key", "time", "name", "value", "quality"):
            name = getattr(used, what)
            if name and name not in self.columns:
                self.close()
                raise LinkLost(
                    f"{self.source} 没有列“{name}”（{what}），现有 {', '.join(self.columns)[:500]} · "
                    f"{self.source} has no column '{name}' ({what}); it has {', '.join(self.columns)[:500]}"
                )

    def _ask(self, statement: Any) -> list[Row]:
        with self._turn:
            if self._closed:
                raise LinkLost("与数据库的连接已关闭 · the connection to the database was closed")
            try:
                rows = [tuple(row) for row in self._connection.execute(statement)]
                # No transaction stays open between polls: it would hold back the database's own tidying.
                self._connection.rollback()
            except self._sql.exc.SQLAlchemyError as error:
                self._give_up()
                raise explain(error, self.where, self.source) from None
            finally:
                if self._closed:
                    self._give_up()
            return rows


def moment(like: Any, microseconds: int, zone: datetime.tzinfo) -> datetime.datetime:
    """A time as the column that holds `like` has it: with a zone, or local without one."""
    found = datetime.datetime.fromtimestamp(microseconds / 1e6, zone)
    return found if getattr(like, "tzinfo", None) else found.replace(tzinfo=None)
