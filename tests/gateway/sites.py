"""Small sites made in code, and an outbox that only remembers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.chunk import Chunk, Receipt
from models.events import Event
from models.identity import point_id
from models.samples import Samples, concat
from models.site.model import Connection, Group, Kind, Name, Point, Retention, Site

CODE = "140581000000"


def point(key: str, connection: str = "plc", group: str = "fast", **more: Any) -> Point:
    """A point of equipment `e`, plain in every way unless `more` says otherwise."""
    path = f"{CODE}/e/{key}"
    plain = Point(
        path=path,
        id=point_id(path),
        equipment="e",
        key=key,
        name=Name(key, key),
        role="",
        kind=Kind.ANALOG,
        unit="mm",
        retention=Retention.BULK,
        connection=connection,
        group=group,
        address=key,
        type="",
        order="",
        factor=1.0,
        offset=0.0,
        low=math.nan,
        high=math.nan,
        dead_band=0.0,
        silence_s=30.0,
    )
    return replace(plain, **more)


def connection(
    name: str = "plc", adapter: str = "scripted", groups: Mapping[str, float] | None = None, **settings: Any
) -> Connection:
    periods = {"fast": 1.0} if groups is None else groups
    return Connection(name, "edge1", adapter, settings, {n: Group(n, p) for n, p in periods.items()})


def site(connections: Sequence[Connection], points: Sequence[Point]) -> Site:
    return Site(
        code=CODE,
        name=Name("矿", "mine"),
        capacity_kt=0,
        gas_class="",
        time_zone="Asia/Shanghai",
        version="1",
        areas={},
        equipment={},
        connections={c.name: c for c in connections},
        points=tuple(sorted(points, key=lambda p: p.path)),
    )


class Remembered:
    """A chunk.Sink that keeps everything in lists."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.settled: list[Receipt] = []
        self.events: list[Event] = []

    def put(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    def emit_events(self, events: Sequence[Event], receipt: Receipt | None = None) -> None:
        self.events += events

    async def room(self) -> None:
        return

    def settle(self, receipt: Receipt) -> None:
        self.settled.append(receipt)

    def samples(self) -> Samples:
        return concat([chunk.samples for chunk in self.chunks])

    def of(self, key: str) -> list[tuple[int, float, int]]:
        """(ts, value, quality) of one point, in the order in which they were put."""
        all_of_them = self.samples()
        rows = all_of_them.take(all_of_them.point == point_id(f"{CODE}/e/{key}"))
        return list(zip(rows.ts.tolist(), rows.value.tolist(), rows.quality.tolist(), strict=True))
