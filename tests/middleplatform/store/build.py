"""Small sites and messages for the store's tests."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.deadletters import DeadLetters
from middleplatform.store.engine import Engine
from middleplatform.store.latest import Latest
from middleplatform.store.quarantine import Quarantine
from middleplatform.store.writer import Writer
from models.events import Event, EventBatch
from models.identity import point_id
from models.samples import Batch, Samples
from models.site.model import Connection, Equipment, Kind, Name, Point, Retention, Site
from tests.servers import CODE

NAME = Name("测点", "point")


def path_of(key: str) -> str:
    return f"{CODE}/belt1/{key}"


def id_of(key: str) -> int:
    return point_id(path_of(key))


def site_of(keys: Mapping[str, Iterable[str]], silence_s: float = 30.0) -> Site:
    """A site whose gateways (one connection each) have these points."""
    points = [
        Point(
            path=path_of(key),
            id=id_of(key),
            equipment="belt1",
            key=key,
            name=NAME,
            role="belt.speed",
            kind=Kind.ANALOG,
            unit="m/s",
            retention=Retention.BULK,
            connection=f"on-{gateway}",
            group="fast",
            address="hr:1",
            type="int16",
            order="abcd",
            factor=1.0,
            offset=0.0,
            low=float("nan"),
            high=float("nan"),
            dead_band=0.0,
            silence_s=silence_s,
        )
        for gateway, of in keys.items()
        for key in of
    ]
    connections = {f"on-{gateway}": Connection(f"on-{gateway}", gateway, "modbus", {}, {}) for gateway in keys}
    equipment = {"belt1": Equipment("belt1", "belt", NAME, "face1")}
    ordered = tuple(sorted(points, key=lambda point: point.path))
    return Site(CODE, NAME, 900, "low", "Asia/Shanghai", "1", {}, equipment, connections, ordered)


def now() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Sent:
    """A message as it comes off the bus."""

    data: bytes
    subject: str
    stream_sequence: int = 1


def samples_of(rows: Sequence[tuple], texts: Sequence[str | None] | None = None) -> Samples:
    """Rows of (point id, ts, value, quality)."""
    point, ts, value, quality = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Samples(
        np.array(point, np.uint64),
        np.array(ts, np.int64),
        np.array(value, np.float64),
        np.array(quality, np.uint8),
        None if texts is None else pa.array(texts, pa.string()),
    )


def batch_of(number: int, rows: Sequence[tuple], *, gateway: str = "edge1", texts=None) -> Batch:
    return Batch(gateway, number, now(), samples_of(rows, texts))


def sent(batch: Batch | EventBatch, sequence: int = 1, kind: str = "samples") -> Sent:
    return Sent(batch.encode(), f"mine.{CODE}.{kind}.{batch.gateway}", sequence)


def event_of(key: str, start: int, end: int | None = None, **attributes: object) -> Event:
    return Event(key, f"{CODE}/belt1", "stop", start, end, 192, "plc", attributes)


@dataclass
class Parts:
    """A writer and all that it stands on."""

    engine: Engine
    writer: Writer
    latest: Latest
    quarantine: Quarantine
    folder: Path

    def samples(self) -> list[tuple]:
        """(point, ts, value, quality, text) of every stored row, by key."""
        rows = self.engine.query("SELECT point, ts, value, quality, text FROM samples FINAL ORDER BY point, ts")
        return [tuple(row.values()) for row in rows.to_pylist()]


def parts_of(engine: Engine, folder: Path, site: Site) -> Parts:
    """A writer on an engine whose tables are emptied first."""
    for table in ("samples", "events", "quarantine"):
        engine.execute(f"TRUNCATE TABLE {table}")
    audit, latest = Audit(folder / "audit.log"), Latest()
    quarantine = Quarantine(engine, audit)
    writer = Writer(engine, Catalogue(site), quarantine, latest, DeadLetters(folder / "dead"), audit)
    return Parts(engine, writer, latest, quarantine, folder)
