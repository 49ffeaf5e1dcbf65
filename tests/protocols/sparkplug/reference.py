"""A plain reader of Sparkplug B payloads, byte by byte as the protobuf encoding is described: slow, simple, and
written without the library that the adapter uses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}


@dataclass
class Metric:
    """What the fields said; `raw` is the value's field number and content."""

    name: bytes = b""
    alias: int | None = None
    timestamp: int = 0
    datatype: int = 0
    historical: bool = False
    null: bool = False
    raw: tuple[int, int | bytes] | None = None

    def number(self, datatype: int) -> float | None:
        """The value as a number of this type; None when it is none."""
        if self.raw is None or self.null:
            return None
        where, content = self.raw
        if where == 12 and isinstance(content, bytes):
            return float(struct.unpack("<f", content)[0])
        if where == 13 and isinstance(content, bytes):
            return float(struct.unpack("<d", content)[0])
        if where not in (10, 11, 14) or not isinstance(content, int):
            return None
        bits = SIGNED.get(datatype)
        width = 32 if where == 10 else 64
        if bits and content >> (width - 1):
            content -= 1 << width
        return float(content)


@dataclass
class Payload:
    timestamp: int = 0
    seq: int | None = None
    metrics: list[Metric] = field(default_factory=list)


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at += 1
        if not data[at - 1] & 128:
            return value, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field, in their order."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
            yield key >> 3, value
        else:
            size, at = (8, at) if key & 7 == 1 else (4, at) if key & 7 == 5 else varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size


def read(data: bytes) -> Payload:
    payload = Payload()
    for number, content in fields(data):
        if number == 1 and isinstance(content, int):
            payload.timestamp = content
        elif number == 2 and isinstance(content, bytes):
            payload.metrics.append(_metric(content))
        elif number == 3 and isinstance(content, int):
            payload.seq = content
    return payload


def _metric(data: bytes) -> Metric:
    metric = Metric()
    for number, content in fields(data):
        if number == 1 and isinstance(content, bytes):
            metric.name = content
        elif number >= 10:
            metric.raw = (number, content)
        elif isinstance(content, int):
            if number == 2:
                metric.alias = content
            elif number == 3:
                metric.timestamp = content
            elif number == 4:
                metric.datatype = content
            elif number == 5:
                metric.historical = bool(content)
            elif number == 7:
                metric.null = bool(content)
    return metric
