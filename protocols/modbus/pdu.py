"""Requests, and what the reply to each must look like. The same on every kind of line."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from protocols.modbus.address import Table

_PLACE = struct.Struct(">BHH")
_MASK = struct.Struct(">BHHH")
ECHO = 8


class Ask(NamedTuple):
    """One request. `pdu`: function code and what follows. Its reply has `body` bytes after the function
    code, and these begin with `begins`: the count of a read's data, or the echo of a write.
    `any_unit`: the reply may name another."""

    unit: int
    pdu: bytes
    body: int
    begins: bytes
    any_unit: bool = False


def read(unit: int, table: Table, start: int, count: int) -> Ask:
    """Functions 1 to 4: `count` registers or bits from `start`."""
    size = (count + 7) // 8 if table.of_bits else 2 * count
    return Ask(unit, _PLACE.pack(table, start, count), 1 + size, bytes((size,)))


def write_bit(unit: int, start: int, on: bool) -> Ask:
    """Function 5: one coil."""
    return _echoed(unit, _PLACE.pack(5, start, 0xFF00 if on else 0))


def write_register(unit: int, start: int, word: int) -> Ask:
    """Function 6: one register."""
    return _echoed(unit, _PLACE.pack(6, start, word))


def write_bits(unit: int, start: int, bits: Sequence[int]) -> Ask:
    """Function 15: coils from `start`."""
    packed = sum(bool(bit) << place for place, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    head = _PLACE.pack(15, start, len(bits))
    return Ask(unit, head + bytes((len(packed),)) + packed, 4, head[1:])


def write_registers(unit: int, start: int, data: bytes) -> Ask:
    """Function 16: registers from `start`, two bytes each."""
    head = _PLACE.pack(16, start, len(data) // 2)
    return Ask(unit, head + bytes((len(data),)) + data, 4, head[1:])


def mask_register(unit: int, start: int, mask: int, bits: int) -> Ask:
    """Function 22: the device itself sets the register's bits in `mask` to those of `bits`."""
    return _echoed(unit, _MASK.pack(22, start, 0xFFFF ^ mask, bits & mask))


def echo(unit: int, number: int) -> Ask:
    """Function 8, sub-function 0: the unit gives our number back, and so shows where it has got to."""
    return _echoed(unit, _PLACE.pack(ECHO, 0, number))


def _echoed(unit: int, pdu: bytes) -> Ask:
    return Ask(unit, pdu, len(pdu) - 1, pdu[1:])


def mismatch(ask: Ask, unit: int, pdu: bytes) -> str:
    """Why a reply cannot be the one to `ask`, or ""."""
    function, wanted = pdu[0], ask.pdu[0]
    size = len(pdu) - 1
    if unit != ask.unit and not ask.any_unit:
        return f"请求的是站 {ask.unit}，应答的是站 {unit} · unit {ask.unit} was asked and unit {unit} answered"
    if function == wanted | 0x80:
        return (
            ""
            if size == 1
            else f"异常应答为 1 字节，此应答为 {size} 字节 · an exception reply has 1 byte, this one has {size}"
        )
    if function != wanted:
        return (
            f"请求的是功能码 {wanted}，应答的是功能码 {function} · "
            f"function {wanted} was asked and function {function} answered"
        )
    if size == ask.body and pdu.startswith(ask.begins, 1):
        return ""
    if wanted > Table.INPUT_REGISTERS and size == ask.body:
        return "设备确认的与请求的不同 · the device confirmed something else than was asked"
    said_zh = f"，其中自称有 {pdu[1]} 字节数据" if wanted <= Table.INPUT_REGISTERS and size else ""
    said = f", and says it has {pdu[1]} bytes of data" if wanted <= Table.INPUT_REGISTERS and size else ""
    return (
        f"应答为 {size} 字节，应为 {ask.body} 字节{said_zh} · "
        f"the reply has {size} bytes where {ask.body} were due{said}"
    )
