"""Modbus requests out of a stream and answers back into it: TCP's header, or RTU's checksum inside TCP."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">HHHBB")


class NoModbusError(Exception):
    """The stream is no Modbus TCP: the connection is dropped."""


class Request(NamedTuple):
    """`transaction` is 0 in RTU."""

    transaction: int
    unit: int
    function: int
    body: bytes


def tcp_requests(data: bytes) -> tuple[list[Request], bytes]:
    """The whole requests of Modbus TCP, and what is left. Raises NoModbusError."""
    at, end = 0, len(data)
    found = []
    while end - at >= 8:
        transaction, protocol, length, unit, function = _HEADER.unpack_from(data, at)
        if protocol != 0 or not 2 <= length <= 254:
            raise NoModbusError
        after = at + 6 + length
        if after > end:
            break
        found.append(Request(transaction, unit, function, data[at + 8 : after]))
        at = after
    return found, data[at:]


def tcp_answer(request: Request, answer: bytes) -> bytes:
    return struct.pack(">HHHB", request.transaction, 0, len(answer) + 1, request.unit) + answer


def rtu_requests(data: bytes) -> tuple[list[Request], bytes]:
    """The whole requests of Modbus RTU, and what is left; from noise on, nothing."""
    found = []
    while len(data) >= 8:
        function = data[1]
        size = {22: 10}.get(function, 9 + data[6] if function in (15, 16) else 8)
        if len(data) < size:
            break
        if _crc(data[: size - 2]) != data[size - 2 : size]:
            return found, b""
        found.append(Request(0, data[0], function, data[2 : size - 2]))
        data = data[size:]
    return found, data


def rtu_answer(request: Request, answer: bytes) -> bytes:
    frame = bytes((request.unit,)) + answer
    return frame + _crc(frame)


def _crc(data: bytes) -> bytes:
    """CRC-16 with the polynomial 0xA001, low byte first (Modbus over serial line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return struct.pack("<H", crc)


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = [_crc_of(byte) for byte in range(256)]
