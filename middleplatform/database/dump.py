"""The rows of the relational store at one moment, a Parquet file each table, that every dialect takes in again.

Which tables a revision has is not asked of the database but of the revisions themselves, run in memory: so rows can be
written to a place of an earlier program, and what is not ours in a shared database stays out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import (
    Boolean,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from middleplatform.database.connect import Place, shown, unchanged
from middleplatform.database.migrate import DatabaseError, alone, bring_to, check_known, revision_of

_ROWS = 1_000
"""Rows that are held in memory at once."""
_ARROW: tuple[tuple[type, pa.DataType], ...] = (
    (Boolean, pa.bool_()),
    (Integer, pa.int64()),
    (Float, pa.float64()),
    (String, pa.string()),
    (LargeBinary, pa.binary()),
)


class Dump(TypedDict):
    """What was written: the revision of the tables, and each one's rows."""

    revision: str
    rows: dict[str, int]


def file_of(table: str) -> str:
    """The name of a table's file."""
    return f"{table}.parquet"


def dump(where: Place, folder: Path) -> Dump | None:
    """Write each table of a place to a file in `folder`, as all of them are at one moment while others write. None
    when there are no tables. Nothing in the place is changed. Raises DatabaseError."""
    if isinstance(where, Path) and not (where / "platform.db").exists():
        return None
    with unchanged(where) as engine, _moment(engine) as connection:
        revision = revision_of(connection)
        if revision is None:
            return None
        check_known(revision)
        return {
            "revision": revision,
            "rows": {table.name: _write(connection, table, folder) for table in _tables(revision)},
        }


def check_empty(where: Place) -> None:
    """Raises DatabaseError unless there is nothing in the place."""
    if isinstance(where, Path) and not (where / "platform.db").exists():
        return
    with unchanged(where) as engine, engine.connect() as connection:
        _check_empty(connection)


def load(where: Place, folder: Path, held: Dump) -> None:
    """Bring what `dump` wrote into an empty place and from its revision to the newest; all of it or nothing. Raises
    DatabaseError."""
    check_known(held["revision"])
    with unchanged(where) as engine, alone(engine) as connection:
        _check_empty(connection)
        bring_to(connection, held["revision"])
        tables = _tables(held["revision"])
        for table in reversed(tables):
            if _count(connection, table):  # what a revision itself puts in; the audit log refuses even an empty DELETE
                connection.execute(delete(table))
        for table in tables:
            _read(connection, table, folder / file_of(table.name))
            found, expected = _count(connection, table), held["rows"].get(table.name)
            if found != expected:
                raise DatabaseError(
                    f"{table.name}：恢复了 {found} 行，应为 {expected} 行 · {found} rows of {table.name} came back, "
                    f"there were {expected}: the backup is damaged, take another one"
                )
        if engine.dialect.name == "postgresql":
            _go_on_counting(connection, tables)
        bring_to(connection, "heads")


@contextmanager
def _moment(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees everything as it is now and changes nothing."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # which the driver would leave out before a SELECT
            yield connection
            return
        moment = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield moment.execution_options(stream_results=True)


@lru_cache(maxsize=4)
def _tables(revision: str) -> list[Table]:
    """The tables of a revision in an order in which each comes after those it refers to."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        bring_to(connection, revision)
        made = MetaData()
        made.reflect(connection)
    engine.dispose()
    return [table for table in made.sorted_tables if table.name != "alembic_version"]


def _schema(table: Table) -> pa.Schema:
    fields = []
    for column in table.columns:
        kind = next(arrow for ours, arrow in _ARROW if isinstance(column.type, ours))
        fields.append(pa.field(column.name, kind, nullable=bool(column.nullable)))
    return pa.schema(fields)


def _write(connection: Connection, table: Table, folder: Path) -> int:
    schema, rows = _schema(table), 0
    query = select(table).order_by(*table.primary_key.columns)
    with pq.ParquetWriter(folder / file_of(table.name), schema, compression="zstd") as writer:
        for part in connection.execute(query).mappings().partitions(_ROWS):
            writer.write_table(pa.Table.from_pylist([dict(row) for row in part], schema=schema))
            rows += len(part)
    return rows


def _read(connection: Connection, table: Table, path: Path) -> None:
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(_schema(table)):
                raise DatabaseError(
                    f"备份中的表结构不符 · the backup's {table.name} has other columns than its revision"
                )
            for batch in file.iter_batches(_ROWS):
                connection.execute(insert(table), batch.to_pylist())
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DatabaseError(f"备份中的表无法读取 · the backup's {table.name} cannot be read: {error}") from error
    except DBAPIError as error:
        raise DatabaseError(f"{table.name} 无法恢复 · {table.name} is not taken: {str(error.orig)[:300]}") from error


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _check_empty(connection: Connection) -> None:
    if found := inspect(connection).get_table_names():
        where = shown(connection.engine.url)
        raise DatabaseError(
            f"关系库 {where} 不是空的（有表 {found[0]}） · the relational store {where} is not empty, it has the table "
            f"'{found[0]}': name a new database"
        )


def _go_on_counting(connection: Connection, tables: list[Table]) -> None:
    """Let numbers that PostgreSQL gives follow those that are there; SQLite does so by itself."""
    for table in tables:
        for column in table.primary_key.columns:
            named: dict[str, Any] = {"table": f'"{table.name}"', "column": column.name}
            counter = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar_one()
            most = connection.execute(select(func.max(column))).scalar_one()
            if counter is not None and most is not None:
                connection.execute(text("SELECT setval(:counter, :most)"), {"counter": counter, "most": most})
