"""The Sparkplug B payload as protobuf, its descriptor built here from the fields that the specification lists.

Source: Eclipse Sparkplug 3.0.0, chapter 6 (field numbers and wire types). What this house does not read
(metadata, data sets, templates, extensions) is left as bytes, so that it costs nothing to parse; names and
strings are bytes too, so that one that is not UTF-8 spoils itself and not its whole message.
"""

from __future__ import annotations

import zlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

MAX_PAYLOAD_BYTES = 1_000_000
COMPRESSED = b"SPBV1.0_COMPRESSED"
"""A payload with this `uuid` has another one, compressed, in its `body`: an early habit of some nodes."""

_PACKAGE = "sevenones.sparkplug"
_FIELD = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "PropertyValue": (
        ("type", 1, "uint32"),
        ("is_null", 2, "bool"),
        ("int_value", 3, "uint32"),
        ("long_value", 4, "uint64"),
    ),
    "PropertySet": (("keys", 1, "*bytes"), ("values", 2, "*PropertyValue")),
    "Metric": (
        ("name", 1, "bytes"),
        ("alias", 2, "uint64"),
        ("timestamp", 3, "uint64"),
        ("datatype", 4, "uint32"),
        ("is_historical", 5, "bool"),
        ("is_transient", 6, "bool"),
        ("is_null", 7, "bool"),
        ("properties", 9, "bytes"),
        ("int_value", 10, "|uint32"),
        ("long_value", 11, "|uint64"),
        ("float_value", 12, "|float"),
        ("double_value", 13, "|double"),
        ("boolean_value", 14, "|bool"),
        ("string_value", 15, "|bytes"),
        ("bytes_value", 16, "|bytes"),
        ("dataset_value", 17, "|bytes"),
        ("template_value", 18, "|bytes"),
        ("extension_value", 19, "|bytes"),
    ),
    "Payload": (
        ("timestamp", 1, "uint64"),
        ("metrics", 2, "*Metric"),
        ("seq", 3, "uint64"),
        ("uuid", 4, "bytes"),
        ("body", 5, "bytes"),
    ),
}
"""Name, number and type of each field; `*` is repeated, `|` one of the alternatives of `value`."""


def _descriptor() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="sevenones/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for name, number, kind in fields:
            field = made.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL)
            if kind[0] == "*":
                field.label = _FIELD.LABEL_REPEATED
            elif kind[0] == "|":
                if not made.oneof_decl:
                    made.oneof_decl.add(name="value")
                field.oneof_index = 0
            bare = kind.lstrip("*|")
            if bare in _MESSAGES:
                field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{bare}"
            else:
                field.type = getattr(_FIELD, f"TYPE_{bare.upper()}")
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_descriptor())
Payload: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
PropertySet: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.PropertySet"))
"""The message classes. A metric's properties are parsed only where they are asked for."""

__all__ = ["COMPRESSED", "DecodeError", "MalformedError", "Payload", "PropertySet", "parse"]


class MalformedError(ValueError):
    """Bytes that are no Sparkplug B payload of a bounded size; the message says why."""


def parse(data: bytes) -> Any:
    """The payload in these bytes. Raises MalformedError."""
    payload = _parse(data)
    if payload.uuid == COMPRESSED:
        payload = _parse(_unpack(payload.body))
    return payload


def _parse(data: bytes) -> Any:
    if len(data) > MAX_PAYLOAD_BYTES:
        raise MalformedError(
            f"报文有 {len(data):,} 字节，最多 {MAX_PAYLOAD_BYTES:,} 字节 · "
            f"the payload has {len(data):,} bytes; {MAX_PAYLOAD_BYTES:,} is the most"
        )
    try:
        return Payload.FromString(data)
    except DecodeError:
        raise MalformedError(
            f"报文不是 Sparkplug B protobuf，开头为 {data[:40]!r} · "
            f"the payload is not Sparkplug B protobuf; it begins {data[:40]!r}"
        ) from None


def _unpack(body: bytes) -> bytes:
    """A zlib or gzip body, never more than a payload may have."""
    inflater = zlib.decompressobj(wbits=47)
    try:
        data = inflater.decompress(body, MAX_PAYLOAD_BYTES + 1)
    except zlib.error as error:
        raise MalformedError(
            f"压缩的报文无法解压：{error} · the compressed payload cannot be unpacked: {error}"
        ) from None
    if not inflater.eof and len(data) <= MAX_PAYLOAD_BYTES:
        raise MalformedError("压缩的报文不完整 · the compressed payload is cut off")
    return data
