"""Numbers as a device holds them: by type to bytes, most significant first, and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TYPES: Mapping[str, str] = {
    "bool": "u1",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}
"""numpy codes of the types that a point table may name and numpy has."""

SIZES: Mapping[str, int] = {
    "int16": 2,
    "uint16": 2,
    "bcd16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "bcd32": 4,
    "int48": 6,
    "uint48": 6,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
    "bcd64": 8,
}
"""Bytes of the numbers that fill whole registers."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


class EncodeError(ValueError):
    """A point whose address, type or order no device of ours can hold."""


@lru_cache
def bounds(kind: str) -> tuple[float, float]:
    """The least and the greatest that a type holds; of 64 bits the double below the greatest."""
    if kind.startswith("bcd"):
        return 0.0, float(np.nextafter(1e16, 0.0)) if kind == "bcd64" else 10.0 ** (2 * SIZES[kind]) - 1
    if kind.startswith("float"):
        return -np.inf, np.inf
    bits = 1 if kind == "bool" else 8 * (SIZES.get(kind) or np.dtype(TYPES[kind]).itemsize)
    signed = not kind.startswith(("u", "bool"))
    high = 2.0 ** (bits - signed)
    return (-high if signed else 0.0), (float(np.nextafter(high, 0.0)) if bits == 64 else high - 1)


def quantise(values: Floats, kind: str) -> NDArray[np.generic]:
    """Values as the type holds them: rounded half to even and held at the type's ends. A NaN cannot
    be an integer: EncodeError."""
    code = TYPES.get(kind, "u8" if kind.startswith(("u", "bcd")) else "i8")
    if code.startswith("f"):
        with np.errstate(over="ignore"):
            return values.astype(code)
    if not np.isfinite(values).all():
        raise EncodeError(f"a value that is no finite number cannot be held as {kind}")
    whole = np.rint(values)
    if kind == "bool":
        return (whole != 0).astype(code)
    low, high = bounds(kind)
    return np.clip(whole, low, high).astype(code)


def to_bytes(held: NDArray[np.generic], kind: str) -> Bytes:
    """[n, size] bytes, most significant first, of numbers that `quantise` gave."""
    if kind.startswith("bcd"):
        held = _to_digits(held.astype(np.uint64), 2 * SIZES[kind])
    wide = held.astype(held.dtype.newbyteorder(">")).view(np.uint8).reshape(len(held), -1)
    return wide[:, wide.shape[1] - SIZES[kind] :]


def from_bytes(data: Bytes, kind: str) -> Floats:
    """The numbers in [n, size] bytes; NaN where decimal digits are none."""
    code = TYPES.get(kind)
    if code is None:
        signed = kind.startswith("i")
        full = np.zeros((len(data), 8), np.uint8)
        if signed:
            full[:] = np.where(data[:, :1] & 0x80, 0xFF, 0)
        full[:, 8 - data.shape[1] :] = data
        numbers = full.view(">i8" if signed else ">u8")[:, 0]
        return _from_digits(numbers.astype(np.uint64)) if kind.startswith("bcd") else numbers.astype(np.float64)
    return np.ascontiguousarray(data).view(f">{code}")[:, 0].astype(np.float64)


def _to_digits(numbers: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    packed = np.zeros_like(numbers)
    for place in range(count):
        packed |= numbers // np.uint64(10**place) % np.uint64(10) << np.uint64(4 * place)
    return packed


def _from_digits(packed: NDArray[np.uint64]) -> Floats:
    total, wrong = np.zeros(len(packed)), np.zeros(len(packed), bool)
    for place in range(16):
        digit = packed >> np.uint64(4 * place) & np.uint64(15)
        wrong |= digit > 9
        total += digit.astype(np.float64) * 10.0**place
    return np.where(wrong, np.nan, total)
