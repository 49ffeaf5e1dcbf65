"""Events: the second kind of record, for what happens rather than what is measured.

Support actions, drill holes, patrol check-ins, exceptions of exchange files, OPC UA events, manual
entries. An event is known by its id, made from the source's own key; the same id again is the same
event, and the version decides which telling holds: that is how an open event gets its end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import xxhash

from models.samples import WIRE_VERSION, WireError

MAX_ROWS = 100_000
MAX_ATTRIBUTES = 16_384
"""Bytes of JSON that one event's attributes may take."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("equipment", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=True),
        pa.field("quality", pa.uint8(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),
    ]
)

_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


def event_id(equipment: str, kind: str, key: str) -> str:
    """The id of the event that the source itself knows by `key`: 32 hexadecimal digits (xxh3, 128 bit)."""
    return xxhash.xxh3_128_hexdigest(f"{equipment}\0{kind}\0{key}".encode())


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `equipment` is `<mine code>/<equipment>`, times are µs UTC, `end` None while it lasts."""

    id: str
    equipment: str
    kind: str
    start: int
    end: int | None
    quality: int
    source: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events on their way, with the same facts as a batch of samples."""

    gateway: str
    number: int
    received: int
    events: Sequence[Event]

    def encode(self) -> bytes:
        """One Arrow IPC stream, zstd. Raises ValueError when an event's attributes are too large."""
        attributes = [json.dumps(dict(e.attributes), ensure_ascii=False, sort_keys=True) for e in self.events]
        for event, text in zip(self.events, attributes, strict=True):
            if len(text.encode()) > MAX_ATTRIBUTES:
                raise ValueError(f"event {event.id}: its attributes take over {MAX_ATTRIBUTES} bytes")
        columns = {name: [getattr(e, name) for e in self.events] for name in SCHEMA.names if name != "attributes"}
        schema = SCHEMA.with_metadata(
            {
                b"sevenones": WIRE_VERSION,
                b"gateway": self.gateway.encode(),
                b"number": str(self.number).encode(),
                b"received": str(self.received).encode(),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema, options=_OPTIONS) as writer:
            writer.write_batch(pa.RecordBatch.from_pydict({**columns, "attributes": attributes}, schema=schema))
        data: bytes = sink.getvalue().to_pybytes()
        return data

    @staticmethod
    def decode(data: bytes | memoryview) -> EventBatch:
        """The events in `data`. Raises WireError, and nothing else, whatever the bytes are."""
        try:
            with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
                facts = reader.schema.metadata or {}
                if facts.get(b"sevenones") != WIRE_VERSION:
                    raise WireError(f"wire version {facts.get(b'sevenones')!r}, this program reads {WIRE_VERSION!r}")
                table = reader.read_all()
                # Offsets that lead out of a buffer would end the process when they are followed.
                table.validate(full=True)
                gateway = facts[b"gateway"].decode()
                number, received = int(facts[b"number"]), int(facts[b"received"])
            if not table.schema.remove_metadata().equals(SCHEMA):
                raise WireError(f"expected the columns {SCHEMA.names}, got {table.schema.names}")
            if table.num_rows > MAX_ROWS:
                raise WireError(f"{table.num_rows} events in one batch, at most {MAX_ROWS} are taken")
            events = [Event(**{**row, "attributes": _attributes(row["attributes"])}) for row in table.to_pylist()]
        except WireError:
            raise
        except (pa.ArrowException, KeyError, ValueError, TypeError, OSError, RecursionError) as error:
            raise WireError(f"not a batch of events: {error}") from error
        return EventBatch(gateway, number, received, events)


def _attributes(text: str) -> dict[str, Any]:
    """What can be written again as it was read: the escape of half a surrogate pair is JSON, and no text to anybody
    else. Raises WireError, ValueError, RecursionError."""
    if len(text.encode()) > MAX_ATTRIBUTES:
        raise WireError(f"the attributes of an event take over {MAX_ATTRIBUTES} bytes")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise WireError(f"the attributes of an event are no object: {text[:60]}")
    json.dumps(found, ensure_ascii=False).encode()
    return found
