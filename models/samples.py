"""Samples as columns, and the batch of them that travels.

In a process they are numpy arrays of equal length, on the wire one Arrow IPC stream with zstd. A
batch carries its gateway, the time at which the gateway received it, and a number that the gateway
never uses twice and always raises: where the same (point, ts) comes twice, the higher number holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

WIRE_VERSION = b"1"
MAX_ROWS = 1_000_000
"""Rows that one batch may hold: the bound that keeps a reader's memory finite."""

SCHEMA = pa.schema(
    [
        pa.field("point", pa.uint64(), nullable=False),
        pa.field("ts", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
TEXT_FIELD = pa.field("text", pa.string(), nullable=True)
SCHEMA_WITH_TEXT = SCHEMA.append(TEXT_FIELD)

# One thread: a batch has four columns, and waking helpers for them costs more than it saves.
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


class WireError(ValueError):
    """Bytes that are not a batch of ours: what was expected and what came."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Columns of equal length n: `point` uint64, `ts` int64 (µs UTC), `value` float64 (NaN where a
    bad sample has none), `quality` uint8, and `text` (string array with nulls, or None where no
    sample of the batch has text)."""

    point: NDArray[np.uint64]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    text: pa.StringArray | None = None

    def __len__(self) -> int:
        return len(self.point)

    @staticmethod
    def empty() -> Samples:
        return Samples(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Samples:
        """The rows that an index or a mask names."""
        text = None
        if self.text is not None:
            text = self.text.filter(pa.array(rows)) if rows.dtype == np.bool_ else self.text.take(pa.array(rows))
        return Samples(self.point[rows], self.ts[rows], self.value[rows], self.quality[rows], text)

    def to_arrow(self) -> pa.RecordBatch:
        """The columns as one record batch, zero copy where numpy and Arrow agree."""
        columns = [pa.array(self.point), pa.array(self.ts), pa.array(self.value), pa.array(self.quality)]
        if self.text is None:
            return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
        return pa.RecordBatch.from_arrays([*columns, self.text], schema=SCHEMA_WITH_TEXT)

    @staticmethod
    def from_arrow(batch: pa.RecordBatch) -> Samples:
        """Views on a record batch. Raises WireError when a column is missing, mistyped or null."""
        names = batch.schema.names
        if names not in (SCHEMA.names, SCHEMA_WITH_TEXT.names):
            raise WireError(f"expected the columns {SCHEMA_WITH_TEXT.names} (text optional), got {names}")
        for field in SCHEMA:
            column = batch.column(field.name)
            if column.type != field.type or column.null_count:
                raise WireError(
                    f"column '{field.name}' must be {field.type} without nulls, "
                    f"got {column.type} with {column.null_count} nulls"
                )
        text = batch.column("text") if "text" in names else None
        if text is not None and text.type != pa.string():
            raise WireError(f"column 'text' must be string, got {text.type}")
        return Samples(
            batch.column("point").to_numpy(),
            batch.column("ts").to_numpy(),
            batch.column("value").to_numpy(),
            batch.column("quality").to_numpy(),
            text,
        )


def concat(parts: Sequence[Samples]) -> Samples:
    """The parts one after the other, as one."""
    if not parts:
        return Samples.empty()
    if len(parts) == 1:
        return parts[0]
    text = None
    if any(part.text is not None for part in parts):
        columns = [pa.nulls(len(part), pa.string()) if part.text is None else part.text for part in parts]
        text = pa.concat_arrays(columns)
    return Samples(
        np.concatenate([part.point for part in parts]),
        np.concatenate([part.ts for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
        text,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples on their way: `gateway` is its name, `number` > 0 its batch number, `received` µs UTC."""

    gateway: str
    number: int
    received: int
    samples: Samples

    def encode(self) -> bytes:
        """One Arrow IPC stream, zstd, with the batch's own facts in the schema's metadata."""
        record = self.samples.to_arrow()
        schema = record.schema.with_metadata(
            {
                b"sevenones": WIRE_VERSION,
                b"gateway": self.gateway.encode(),
                b"number": str(self.number).encode(),
                b"received": str(self.received).encode(),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema, options=_OPTIONS) as writer:
            writer.write_batch(record)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    @staticmethod
    def decode(data: bytes | memoryview) -> Batch:
        """The batch in `data`. Raises WireError, and nothing else, whatever the bytes are."""
        try:
            with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
                facts = reader.schema.metadata or {}
                if facts.get(b"sevenones") != WIRE_VERSION:
                    raise WireError(f"wire version {facts.get(b'sevenones')!r}, this program reads {WIRE_VERSION!r}")
                records: list[pa.RecordBatch] = []
                rows = 0
                for record in reader:
                    rows += record.num_rows
                    if rows > MAX_ROWS:
                        raise WireError(f"more than {MAX_ROWS} samples in one batch")
                    # Offsets that lead out of a buffer would end the process when they are followed.
                    record.validate(full=True)
                    records.append(record)
                gateway = facts[b"gateway"].decode()
                number, received = int(facts[b"number"]), int(facts[b"received"])
        except WireError:
            raise
        except (pa.ArrowException, KeyError, ValueError, OSError, UnicodeDecodeError) as error:
            raise WireError(f"not a batch of samples: {error}") from error
        if number <= 0:
            raise WireError(f"the batch number must be above 0, got {number}")
        return Batch(gateway, number, received, concat([Samples.from_arrow(record) for record in records]))
