"""A metric's value by its data type: numbers as they are, texts, elements of arrays, and why there is none.

Source: Eclipse Sparkplug 3.0.0, section 6.4.16 (data types) and 6.4.17 (how each is carried).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from models.quality import Quality

_WORDS = """
Unknown Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float Double Boolean String DateTime Text UUID
DataSet Bytes File Template PropertySet PropertySetList
Int8Array Int16Array Int32Array Int64Array UInt8Array UInt16Array UInt32Array UInt64Array FloatArray DoubleArray
BooleanArray StringArray DateTimeArray
"""
NAMES = dict(enumerate(_WORDS.split()))
CODES = {name: code for code, name in NAMES.items()}
NUMERIC_FIELDS = frozenset({"int_value", "long_value", "float_value", "double_value", "boolean_value"})

BITS = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED_BITS = {5: 8, 6: 16, 7: 32, 8: 64}
_TEXTS = frozenset({CODES["String"], CODES["Text"], CODES["UUID"]})
_ARRAYS = {
    "Int8Array": "<i1",
    "Int16Array": "<i2",
    "Int32Array": "<i4",
    "Int64Array": "<i8",
    "UInt8Array": "<u1",
    "UInt16Array": "<u2",
    "UInt32Array": "<u4",
    "UInt64Array": "<u8",
    "FloatArray": "<f4",
    "DoubleArray": "<f8",
    "DateTimeArray": "<u8",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_MS = 253_402_300_800_000


class NoValueError(ValueError):
    """Why there is none, with the quality that says so best."""

    def __init__(self, words: str, quality: Quality = Quality.BAD) -> None:
        super().__init__(words)
        self.quality = quality


def signed(code: int) -> Callable[[int], int] | None:
    """How an unsigned field is turned into a signed number of this type; None when it is not one."""
    bits = BITS.get(code)
    if bits is None:
        return None
    top, whole, half = 1 << 64, 1 << 32, 1 << (bits - 1)

    def turn(value: int) -> int:
        # Some write -1 with 8 or 16 bits, most with 32, and Int64 with 64.
        if value >= half:
            if value < (1 << bits):
                return value - (1 << bits)
            if value >= top >> 1:
                return value - top
            if whole >> 1 <= value < whole:
                return value - whole
        return value

    return turn


def words(data: bytes) -> str:
    """A text as UTF-8, or as the GBK that some nodes send in its place."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def python_value(metric: Any, code: int, element: int | None) -> Any:
    """The value as int, float, bool or str. Raises NoValueError in plain words."""
    which = metric.WhichOneof("value")
    kind = NAMES.get(code, f"type {code}")
    if metric.is_null or which is None:
        raise NoValueError("设备发来 null · the device sent null", Quality.BAD_SENSOR_FAILURE)
    if kind.endswith("Array"):
        if which != "bytes_value":
            raise NoValueError(f"此度量为 {kind}，没有其字节 · the metric is a {kind} and came without its bytes")
        return _element(kind, metric.bytes_value, element)
    if element is not None:
        raise NoValueError(
            f"给出了选项 element，而此度量为 {kind}，不是数组 · "
            f"the option element is given, and the metric is a {kind}, not an array",
            Quality.BAD_CONFIGURATION,
        )
    if which == "string_value":
        return words(metric.string_value)
    if which not in NUMERIC_FIELDS:
        raise NoValueError(
            f"此度量为 {kind}，不能作测点的值 · the metric is a {kind}, which is no value of a point",
            Quality.BAD_CONFIGURATION,
        )
    if code in _TEXTS:
        raise NoValueError(f"此度量为 {kind}，发来的是数 · the metric is a {kind} and came as a number")
    value = getattr(metric, which)
    turn = signed(code)
    if turn is not None and isinstance(value, int):
        value = turn(value)
        if not -(1 << (BITS[code] - 1)) <= value < 1 << (BITS[code] - 1):
            raise NoValueError(f"收到 {value}，{kind} 不能存放 · {value} came, which no {kind} holds")
    if code in UNSIGNED_BITS and not 0 <= value < 1 << UNSIGNED_BITS[code]:
        raise NoValueError(f"收到 {value}，{kind} 不能存放 · {value} came, which no {kind} holds")
    if code == CODES["Boolean"] and value not in (0, 1):
        raise NoValueError(f"收到 {value}，应为 Boolean · {value} came where a Boolean is due")
    return value


def _element(kind: str, data: bytes, element: int | None) -> Any:
    if element is None:
        asks = (
            f"此度量为 {kind}：请用选项 element 写明是哪个元素 · "
            f"the metric is a {kind}: say which element by the option element"
        )
        raise NoValueError(asks, Quality.BAD_CONFIGURATION)
    values: Any
    if kind == "StringArray":
        values = [words(part) for part in data.split(b"\0")[:-1]]
    elif kind == "BooleanArray":
        # A count of four bytes, then the bits from the high end of each byte on.
        bits = np.unpackbits(np.frombuffer(data, np.uint8)[4:])
        count = int.from_bytes(data[:4], "little")
        if len(data) < 4 or count > len(bits):
            raise NoValueError("BooleanArray 比其所述的短 · the BooleanArray is shorter than it says")
        values = bits[:count] > 0
    else:
        dtype = np.dtype(_ARRAYS[kind])
        if len(data) % dtype.itemsize:
            raise NoValueError(
                f"{kind} 有 {len(data)} 字节，不是 {dtype.itemsize} 的倍数 · "
                f"the {kind} has {len(data)} bytes, which is no multiple of {dtype.itemsize}"
            )
        values = np.frombuffer(data, dtype)
    if element >= len(values):
        raise NoValueError(
            f"{kind} 有 {len(values)} 个元素，没有第 {element} 号 · "
            f"the {kind} has {len(values)} elements and none of number {element}"
        )
    found = values[element]
    return found.item() if isinstance(found, np.generic) else found


def convert(value: Any, code: int, kind: str) -> tuple[float, str | None]:
    """Value and text of a point whose site says `kind`. Raises NoValueError."""
    nan = float("nan")
    if kind == "text":
        if code in (CODES["DateTime"], CODES["DateTimeArray"]) and 0 <= value < _LARGEST_MS:
            return nan, (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
        if isinstance(value, bool):
            return nan, "true" if value else "false"
        return nan, value if isinstance(value, str) else repr(value)
    if isinstance(value, str):
        if kind != "number_text":
            raise NoValueError(
                f"收到文本 '{value[:40]}'，应为数：文本用类型 text 或 number_text · "
                f"the text '{value[:40]}' came where a number is due: the types text and number_text take texts",
                Quality.BAD_CONFIGURATION,
            )
        try:
            value = float(value)
        except ValueError:
            raise NoValueError(f"文本 '{value[:40]}' 不是数 · the text '{value[:40]}' is not a number") from None
    if kind == "bool" and value not in (0, 1):
        raise NoValueError(
            f"收到 {value!r}，应为 true、false、1 或 0 · {value!r} came where true, false, 1 or 0 is due"
        )
    if isinstance(value, float) and not math.isfinite(value):
        word = "NaN" if math.isnan(value) else "infinity"
        raise NoValueError(
            f"设备发来 {'NaN' if math.isnan(value) else '无穷大'}，不是数 · the device sent {word}, which is no number",
            Quality.BAD_SENSOR_FAILURE,
        )
    return float(value), None
