"""The files of an export: each takes whole chunks, and says after which byte the last whole one ends."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from middleplatform.export.job import Form, Order

SCHEMA = pa.schema(
    [
        ("point", pa.string()),
        ("id", pa.uint64()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("ts", pa.int64()),
        ("value", pa.float64()),
        ("quality", pa.uint8()),
        ("text", pa.string()),
    ]
)
BYTES_A_ROW = {"parquet": 16, "arrow": 24, "csv": 130}
"""To judge by before the first chunk is written. Measured on a simulated mine, 2026-11, rounded up."""
CAN_GO_ON: frozenset[Form] = frozenset({"csv", "arrow"})
"""Forms whose file is whole after each chunk but for its end."""

_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")
_END = 8
"""Bytes of an Arrow stream's end mark."""


def columns(order: Order, samples: pa.Table) -> pa.Table:
    """The store's raw samples as an export has them."""
    id_column = samples.column("point")
    place = np.searchsorted(np.array(order.ids, np.uint64), id_column.to_numpy())
    ts = samples.column("ts")
    named = pa.array(order.paths, pa.string()).take(pa.array(place))
    rest = (samples.column(name) for name in ("value", "quality", "text"))
    return pa.table([named, id_column, ts.cast(SCHEMA.field("time").type), ts, *rest], schema=SCHEMA)


class Writing(Protocol):
    def __init__(self, path: Path, whole: int) -> None: ...
    def add(self, rows: pa.Table) -> int:
        """Append rows; the length of the file, in bytes, up to which it is whole and on disk."""

    def finish(self) -> int:
        """End the file; its length."""

    def close(self) -> None:
        """Let go of the file as it is."""


def open_file(form: Form, path: Path, whole: int) -> Writing:
    """The file of a form, going on after its first `whole` bytes, which must be 0 for Parquet."""
    forms: dict[Form, type[Writing]] = {"csv": _Csv, "arrow": _Arrow, "parquet": _Parquet}
    return forms[form](path, whole)


class _Appended:
    """A file that grows by parts; what lies behind the last whole one is cut off."""

    def __init__(self, path: Path, whole: int) -> None:
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._append(self._head())

    def add(self, rows: pa.Table) -> int:
        return self._append(self._part(rows))

    def finish(self) -> int:
        return self._append(self._tail())

    def close(self) -> None:
        self._file.close()

    def _append(self, part: bytes) -> int:
        self._file.write(part)
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def _head(self) -> bytes:
        raise NotImplementedError

    def _part(self, rows: pa.Table) -> bytes:
        raise NotImplementedError

    def _tail(self) -> bytes:
        return b""


class _Csv(_Appended):
    def _head(self) -> bytes:
        # With the mark in front, a spreadsheet reads UTF-8.
        return ("\ufeff" + ",".join(f'"{name}"' for name in SCHEMA.names) + "\n").encode()

    def _part(self, rows: pa.Table) -> bytes:
        """`id` as text, for a number would lose digits in a spreadsheet; what is not a number as nothing."""
        value = rows.column("value")
        changed = {
            "id": rows.column("id").cast(pa.string()),
            "time": pc.strftime(rows.column("time"), "%Y-%m-%dT%H:%M:%SZ"),
            "value": pc.if_else(pc.is_nan(value), None, value),
        }
        sink = io.BytesIO()
        table = pa.table({name: changed.get(name, rows.column(name)) for name in SCHEMA.names})
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
        return sink.getvalue()


class _Arrow(_Appended):
    def _head(self) -> bytes:
        return _stream(None)[:-_END]

    def _part(self, rows: pa.Table) -> bytes:
        # No column is a dictionary, so that a stream is its schema, its batches and its end.
        return _stream(rows)[len(self._head()) : -_END]

    def _tail(self) -> bytes:
        return _stream(None)[-_END:]


def _stream(rows: pa.Table | None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=_ZSTD) as writer:
        if rows is not None:
            writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


class _Parquet:
    """A row group a chunk. Its index is written last: what was not finished cannot be read or gone on with."""

    def __init__(self, path: Path, whole: int) -> None:
        if whole:
            raise ValueError("a Parquet file is not gone on with")
        self._path = path
        self._writer = parquet.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["point"])

    def add(self, rows: pa.Table) -> int:
        self._writer.write_table(rows)
        return self._path.stat().st_size

    def finish(self) -> int:
        self._writer.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        return self._path.stat().st_size

    def close(self) -> None:
        self._writer.close()
