"""From the answers' bytes to float64 columns, one numpy step a type and byte order.

Integers beyond 2^53 lose their low digits in float64: an int64 or uint64 counter above 9.0e15 is
read to 1 part in 2^53.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from protocols.modbus.planner import Plan


def decode(plan: Plan, registers: bytes | bytearray, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The values by row. `registers` holds the plan's area of registers as they came, `bits` one bit a
    byte. NaN and infinity are passed on as they are."""
    words = np.frombuffer(registers, np.uint16)
    value = np.empty(len(plan), np.float64)
    with np.errstate(invalid="ignore"):
        for group in plan.groups:
            if group.dtype is None:
                value[group.rows] = bits[group.at]
                continue
            column = words.take(group.at).view(group.dtype)[:, 0]
            if group.shift is not None:
                column = (column >> group.shift) & 1
            elif group.truth:
                column = column != 0
            value[group.rows] = column
    return value
