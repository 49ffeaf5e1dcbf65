"""Sparkplug B payloads on the wire: just enough of protocol buffers to write and read them.

Field numbers and data types: Eclipse Sparkplug 3.0.0, sections 6.4.1 to 6.4.16.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Value = float | int | bool | str

DATATYPES: Mapping[str, int] = {
    "int8": 1,
    "int16": 2,
    "int32": 3,
    "int64": 4,
    "uint8": 5,
    "uint16": 6,
    "uint32": 7,
    "uint64": 8,
    "float32": 9,
    "float64": 10,
    "bool": 11,
    "string": 12,
}
"""Our types → the specification's numbers (Int8, Int16 …, Float, Double, Boolean, String)."""
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3
_NAME, _ALIAS, _WHEN, _TYPE, _NULL = 1, 2, 3, 4, 7
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _STRING = 10, 11, 12, 13, 14, 15
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """Bytes that are no such payload."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` "" goes by its alias alone; `datatype` 0 is unknown; `value` None is null; `ms` since 1970."""

    name: str
    datatype: int
    value: Value | None
    alias: int | None = None
    ms: int = 0


def payload(ms: int, metrics: Iterable[Metric], seq: int | None) -> bytes:
    """The bytes of a message. `seq`: none in a death."""
    parts = [_number(_TIMESTAMP, ms)]
    parts += [_bytes(_METRICS, _metric(metric)) for metric in metrics]
    if seq is not None:
        parts.append(_number(_SEQ, seq))
    return b"".join(parts)


def metrics(data: bytes) -> list[Metric]:
    """The metrics of a message. Raises WireError."""
    return [_read(body) for field, body in _fields(data) if field == _METRICS and isinstance(body, bytes)]


def _metric(metric: Metric) -> bytes:
    parts = []
    if metric.name:
        parts.append(_bytes(_NAME, metric.name.encode()))
    if metric.alias is not None:
        parts.append(_number(_ALIAS, metric.alias))
    parts.append(_number(_WHEN, metric.ms))
    parts.append(_number(_TYPE, metric.datatype))
    parts.append(_number(_NULL, 1) if metric.value is None else _value(metric.datatype, metric.value))
    return b"".join(parts)


def _value(datatype: int, value: Value) -> bytes:
    if isinstance(value, str):
        return _bytes(_STRING, value.encode())
    if datatype == DATATYPES["bool"]:
        return _number(_BOOLEAN, int(bool(value)))
    if datatype == DATATYPES["float32"]:
        return _varint(_FLOAT << 3 | _FIXED32) + struct.pack("<f", value)
    if datatype == DATATYPES["float64"]:
        return _varint(_DOUBLE << 3 | _FIXED64) + struct.pack("<d", value)
    wide = datatype in (4, 8)
    return _number(_LONG if wide else _INT, int(value) & ((1 << 64 if wide else 1 << 32) - 1))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read(data: bytes) -> Metric:
    found: dict[int, int | bytes] = dict(_fields(data))
    datatype = found.get(_TYPE, 0)
    if not isinstance(datatype, int):
        raise WireError("a data type is a number")
    value: Value | None = None
    for field in (_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _STRING):
        if field in found:
            value = _understood(field, datatype, found[field])
    name, alias = found.get(_NAME, b""), found.get(_ALIAS)
    return Metric(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else "",
        datatype,
        value,
        alias if isinstance(alias, int) else None,
    )


def _understood(field: int, datatype: int, raw: int | bytes) -> Value:
    if isinstance(raw, bytes):
        if field == _STRING:
            return raw.decode("utf-8", "replace")
        if (field, len(raw)) not in ((_FLOAT, 4), (_DOUBLE, 8)):
            raise WireError("a value is not of its field's type")
        return float(struct.unpack("<f" if field == _FLOAT else "<d", raw)[0])
    if field == _BOOLEAN:
        return bool(raw)
    bits = _SIGNED.get(datatype)
    if bits is None:
        return raw
    raw &= (1 << bits) - 1
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and what they hold: a number, or bytes."""
    at = 0
    while at < len(data):
        key, at = _take_varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            number, at = _take_varint(data, at)
            yield key >> 3, number
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _take_varint(data, at)
        if size is None or at + size > len(data):
            raise WireError("a field is cut off, or of no type that there is")
        yield key >> 3, data[at : at + size]
        at += size


def _take_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise WireError("a number is cut off")
