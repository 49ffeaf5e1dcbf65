"""From a value to the registers that hold it: the inverse of decode."""

from __future__ import annotations

import math

import numpy as np

from protocols.adapter import AdapterError
from protocols.modbus.address import Target


def number(target: Target, value: float | str) -> int | float:
    """The value as a number that the target's type can hold. Raises AdapterError. A string may hold an
    integer that float64 cannot."""
    try:
        given: int | float = _integer(value) if "float" not in target.type else float(value)
    except (ValueError, OverflowError):
        raise AdapterError(f"'{value}' is not {_wanted(target.type)}") from None
    if target.type == "bool":
        if given not in (0, 1):
            raise AdapterError(f"a single bit is 0 or 1, not {value}")
    elif isinstance(given, float):
        highest = float(np.finfo(target.type).max)
        if not math.isfinite(given) or abs(given) > highest:
            raise AdapterError(f"{value} is not a number that {target.type} can hold")
    else:
        bounds = np.iinfo(target.type)
        if not int(bounds.min) <= given <= int(bounds.max):
            raise AdapterError(f"{value} is outside {target.type}: {bounds.min} … {bounds.max}")
    return given


def registers(target: Target, value: int | float) -> list[int]:
    """The registers, first address first, for a value that `number` gave."""
    name = "uint16" if target.type == "bool" else target.type
    swapped = target.order in ("badc", "dcba")
    words = np.array([value], name).astype(np.dtype(name).newbyteorder("<" if swapped else ">")).view(">u2")
    if target.order in ("cdab", "badc"):
        words = words[::-1]
    return [int(word) for word in words]


def _integer(value: float | str) -> int:
    if isinstance(value, str):
        return int(value.strip())
    if value != int(value):
        raise ValueError
    return int(value)


def _wanted(type_: str) -> str:
    return "a number" if "float" in type_ else "a whole number"
