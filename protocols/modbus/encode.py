"""From a value to the request that writes it: the inverse of decode."""

from __future__ import annotations

import math

import numpy as np

from protocols.adapter import AdapterError
from protocols.modbus import pdu
from protocols.modbus.address import Target
from protocols.modbus.datatype import DATA_TYPES, packed
from protocols.modbus.pdu import Ask
from protocols.modbus.text import encoded


def request(target: Target, unit: int, start: int, value: float | str, *, multiple: bool = False) -> Ask:
    """What writes a value: functions 5, 6, 15 and 16 by the type, 22 for bits of a register, which leaves its
    other bits to the device. `multiple`: 15 and 16 in place of 5 and 6. Raises AdapterError for a value
    that does not fit."""
    if target.type == "string":
        return pdu.write_registers(unit, start, _string(target, str(value)))
    given = number(target, value)
    if target.low_is_on:
        given = int(given) ^ ((1 << (target.width if target.table.of_bits else target.span)) - 1)
    if target.table.of_bits:
        bits = [int(given) >> place & 1 for place in range(target.width)]
        if len(bits) == 1 and not multiple:
            return pdu.write_bit(unit, start, bool(bits[0]))
        return pdu.write_bits(unit, start, bits)
    if target.bit >= 0:
        mask, bits_ = target.mask, int(given) << target.bit
        if target.order in ("badc", "dcba"):
            mask, bits_ = _swapped(mask), _swapped(bits_)
        return pdu.mask_register(unit, start, mask, bits_)
    data = packed(DATA_TYPES[target.type], given, target.order)
    if len(data) == 2 and not multiple:
        return pdu.write_register(unit, start, int.from_bytes(data, "big"))
    return pdu.write_registers(unit, start, data)


def number(target: Target, value: float | str) -> int | float:
    """The value as a number that the target's type can hold. Raises AdapterError. A string may hold an
    integer that float64 cannot."""
    kind = DATA_TYPES[target.type]
    real = "float" in target.type
    try:
        given: int | float = float(value) if real else _integer(value)
    except (ValueError, OverflowError):
        raise AdapterError(
            f"'{value}' 不是{'数' if real else '整数'} · '{value}' is not {'a number' if real else 'a whole number'}"
        ) from None
    if isinstance(given, float):
        if not math.isfinite(given) or abs(given) > float(np.finfo(target.type).max):
            raise AdapterError(
                f"{value} 不是 {target.type} 能存放的数 · {value} is not a number that {target.type} can hold"
            )
    elif target.type == "bool":
        if given not in (0, 1):
            raise AdapterError(f"单个位为 0 或 1，不是 {value} · a single bit is 0 or 1, not {value}")
    else:
        several = target.width if target.table.of_bits else target.span if target.bit >= 0 else 0
        low, high = (0, (1 << several) - 1) if several else (kind.low, kind.high)
        if not low <= given <= high:
            what = f"{several} bits" if several else target.type
            what_zh = f"{several} 位" if several else target.type
            raise AdapterError(
                f"{value} 超出 {what_zh} 的范围：{low} … {high} · {value} is outside {what}: {low} … {high}"
            )
    return given


def _string(target: Target, text: str) -> bytes:
    data = encoded(text, target.encoding, target.length).ljust(2 * target.width, b"\0")
    return np.frombuffer(data, np.uint16).byteswap().tobytes() if target.order == "badc" else data


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def _integer(value: float | str) -> int:
    if isinstance(value, str):
        return int(value.strip())
    if value != int(value):
        raise ValueError
    return int(value)
