"""From the answers' bytes to float64 columns, one numpy step a type and byte order; and to texts.

Integers beyond 2^53 lose their low digits in float64: an int64 or uint64 counter above 9.0e15 is
read to 1 part in 2^53, and so are the last of 16 BCD digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from protocols.modbus.groups import Group, Sort
from protocols.modbus.planner import Plan
from protocols.modbus.text import decoded

_POWERS = 1 << np.arange(16, dtype=np.uint32)


def decode(plan: Plan, registers: bytes | bytearray, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The values by row. `registers` holds the plan's area of registers as they came, `bits` one bit a
    byte. NaN and infinity are passed on as they are; what is no BCD is NaN, and so is a text."""
    words = np.frombuffer(registers, np.uint16)
    value = np.empty(len(plan), np.float64)
    with np.errstate(invalid="ignore"):
        for group in plan.groups:
            sort = group.kind.sort
            if sort is Sort.TEXT:
                value[group.rows] = np.nan
                continue
            if sort is Sort.WIRE_BITS:
                column = _wire_bits(group, bits)
            else:
                column = words.take(group.at).view(group.dtype)[:, 0]
                if sort is Sort.REGISTER_BITS:
                    column = column >> group.shift & group.mask
                elif sort is Sort.SHIFTED:
                    column = column >> 16
                elif sort is Sort.TRUTH:
                    column = column != 0
                elif sort is Sort.DIGITS:
                    column = _digits(column)
            value[group.rows] = column if group.flip is None else column.astype(np.uint16) ^ group.flip
    return value


def _wire_bits(group: Group, bits: NDArray[np.uint8]) -> NDArray[Any]:
    found = bits.take(group.at)
    return found[:, 0] if group.kind.width == 1 else found @ _POWERS[: group.kind.width]


def _digits(column: NDArray[Any]) -> NDArray[np.float64]:
    """Binary coded decimals: four bits a digit. NaN where four bits are none."""
    left = column.astype(np.uint64)
    total, odd = np.zeros(len(left), np.uint64), np.zeros(len(left), np.bool_)
    for place in range(2 * column.dtype.itemsize):
        digit = left >> np.uint64(4 * place) & np.uint64(15)
        odd |= digit > 9
        total += digit * np.uint64(10**place)
    return np.where(odd, np.nan, total)


def decode_texts(plan: Plan, registers: bytes | bytearray) -> pa.StringArray | None:
    """The texts by row, null in the rows of numbers and where the bytes are no text; None without any."""
    groups = [group for group in plan.groups if group.kind.sort is Sort.TEXT]
    if not groups:
        return None
    words = np.frombuffer(registers, np.uint16)
    gathered = [words.take(group.at).astype(np.uint16) for group in groups]
    key = b"".join(each.tobytes() for each in gathered)
    if plan.texts and plan.texts[0][0] == key:
        return plan.texts[0][1]
    found: list[str | None] = [None] * len(plan)
    for group, columns in zip(groups, gathered, strict=True):
        lines = columns.byteswap() if group.kind.order == "badc" else columns
        for row, line in zip(range(group.rows.start, group.rows.stop), lines, strict=True):
            found[row] = decoded(line.tobytes()[: group.kind.length], group.kind.encoding)
    texts = pa.array(found, pa.string())
    plan.texts[:] = [(key, texts)]
    return texts
