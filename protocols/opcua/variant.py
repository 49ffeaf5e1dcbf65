"""OPC UA's values to columns, and a value for writing to a variant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from asyncua import ua

from models.quality import Quality
from protocols.adapter import AdapterError, Reading
from protocols.opcua.status import name, qualities, words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAN = float("nan")
FLOAT32_MAX = float(np.finfo(np.float32).max)
MAX_TEXT = 4_096
"""Characters of a text; what is longer is cut."""

_INTEGERS = {
    "sbyte": (ua.VariantType.SByte, -(2**7), 2**7 - 1),
    "byte": (ua.VariantType.Byte, 0, 2**8 - 1),
    "int16": (ua.VariantType.Int16, -(2**15), 2**15 - 1),
    "uint16": (ua.VariantType.UInt16, 0, 2**16 - 1),
    "int32": (ua.VariantType.Int32, -(2**31), 2**31 - 1),
    "uint32": (ua.VariantType.UInt32, 0, 2**32 - 1),
    "int64": (ua.VariantType.Int64, -(2**63), 2**63 - 1),
    "uint64": (ua.VariantType.UInt64, 0, 2**64 - 1),
}
_OTHERS = {
    "bool": ua.VariantType.Boolean,
    "float32": ua.VariantType.Float,
    "float64": ua.VariantType.Double,
    "text": ua.VariantType.String,
}
_ALIASES = {
    "boolean": "bool",
    "int8": "sbyte",
    "uint8": "byte",
    "float": "float32",
    "double": "float64",
    "string": "text",
}
TYPES = (*_OTHERS, *_INTEGERS, *_ALIASES)
_BY_VARIANT = {kind: name for name, kind in _OTHERS.items()} | {kind: name for name, (kind, _, _) in _INTEGERS.items()}


def type_name(written: str) -> str:
    """The plain name of a type as a site writes it; "" stays "". Raises ValueError."""
    name = _ALIASES.get(written.lower(), written.lower())
    if name and name not in _OTHERS and name not in _INTEGERS:
        raise ValueError(
            f"没有类型 '{written}'，有 {', '.join(TYPES)}，或不写 · "
            f"the type '{written}' is unknown; there are {', '.join(TYPES)}, or nothing"
        )
    return name


def microseconds(moment: datetime | None) -> int:
    """µs since 1970, 0 where there is no time or one before 1970."""
    if moment is None:
        return 0
    delta = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return max(0, (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


def plain_text(text: str) -> str:
    """A text of bounded length that can be written as UTF-8: half a pair of surrogates cannot."""
    text = text[:MAX_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _decode(value: Any, as_text: bool) -> tuple[float, str | None]:
    """Number and text of what a variant holds. Raises ValueError in plain words."""
    if isinstance(value, list | tuple):
        raise ValueError(
            f"值是 {len(value)} 个元素的数组，只能读单个值 · "
            f"the value is an array of {len(value)}; only a single value can be read"
        )
    if isinstance(value, ua.LocalizedText):
        value = value.Text or ""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (_NAN, moment.isoformat()) if as_text else (moment.timestamp(), None)
    if isinstance(value, str):
        return _NAN, plain_text(value)
    if isinstance(value, bool | int | float):
        return (_NAN, str(value)) if as_text else (float(value), None)
    if isinstance(value, ua.StatusCode):
        return float(value.value), None
    raise ValueError(
        f"值为 {type(value).__name__}，既不是数也不是文本 · "
        f"the value is a {type(value).__name__}, neither a number nor a text"
    )


def reading(
    index: Sequence[int],
    values: Sequence[Any],
    types: Mapping[int, str],
    states: Mapping[int, Callable[[Any], float]] | None = None,
) -> Reading:
    """Columns of DataValues: row i belongs to tag index[i]; `types` names each tag's type; `states` gives
    the numbers of those that hold a state, and raises ValueError for one that it does not know."""
    states = states or {}
    count = len(values)
    value = np.full(count, _NAN)
    ts = np.zeros(count, np.int64)
    statuses = np.zeros(count, np.uint32)
    texts: list[str | None] = []
    reasons: dict[int, str] = {}
    odd: list[int] = []
    moment, at = None, 0
    for row, data in enumerate(values):
        if data.SourceTimestamp is not moment:
            moment = data.SourceTimestamp
            at = microseconds(moment)
        ts[row] = at
        status = data.StatusCode
        code = int(status.value) if status is not None else 0
        held = data.Value.Value if data.Value is not None else None
        kind = types[index[row]]
        if type(held) is float and kind != "text":
            value[row] = held
        else:
            try:
                if held is None:
                    raise ValueError("服务器没有发来值 · the server sent no value")
                state = states.get(index[row])
                value[row], text = _decode(held, kind == "text") if state is None else (state(held), None)
                if text is not None and kind not in ("", "text"):
                    raise ValueError(
                        f"收到文本 '{text[:40]}'，应为 {kind} · the text '{text[:40]}' came where {kind} is due"
                    )
                texts += [None] * (row - len(texts))
                texts.append(text)
            except ValueError as error:
                if code < 0x80000000:
                    odd.append(row)
                    reasons[index[row]] = str(error)
        statuses[row] = code
        if code >= 0x40000000:
            reasons[index[row]] = f"服务器答复 {name(code)} · the server says {words(code)}"
    quality = qualities(statuses)
    quality[odd] = Quality.BAD
    endless = np.isinf(value)
    value[endless] = _NAN
    has_text = np.zeros(count, np.bool_)
    has_text[: len(texts)] = [text is not None for text in texts]
    nothing = endless | (np.isnan(value) & ~has_text & (quality >= Quality.UNCERTAIN))
    for row in np.flatnonzero(nothing).tolist():
        reasons[index[row]] = "设备发来 NaN 或无穷大，不是数 · the device sent NaN or infinity, which is no number"
    quality[nothing & (quality >= Quality.UNCERTAIN)] = Quality.BAD_SENSOR_FAILURE
    texts += [None] * (count - len(texts))
    return Reading(
        index=np.array(index, np.int32),
        value=value,
        quality=quality,
        ts=ts if ts.any() else None,
        text=pa.array(texts, pa.string()) if has_text.any() else None,
        reasons=reasons,
    )


def joined(first: Reading, second: Reading) -> Reading:
    """The rows of both; the second has neither times nor texts."""
    more = len(second)
    return Reading(
        index=np.concatenate([first.index, second.index]),
        value=np.concatenate([first.value, second.value]),
        quality=np.concatenate([first.quality, second.quality]),
        ts=None if first.ts is None else np.concatenate([first.ts, np.zeros(more, np.int64)]),
        text=None if first.text is None else pa.array([*first.text.to_pylist(), *[None] * more], pa.string()),
        reasons={**first.reasons, **second.reasons},
    )


def bad_reading(reasons: Mapping[int, tuple[str, int]]) -> Reading:
    """Rows without a value: tag index → words and quality."""
    return Reading(
        index=np.fromiter(reasons, np.int32, len(reasons)),
        value=np.full(len(reasons), _NAN),
        quality=np.fromiter((quality for _, quality in reasons.values()), np.uint8, len(reasons)),
        reasons={index: why for index, (why, _) in reasons.items()},
    )


def to_variant(value: float | str, kind: str) -> Any:
    """The variant of a value as the type of that name. Raises AdapterError when it does not fit."""
    if kind == "text":
        return ua.Variant(str(value), ua.VariantType.String)
    if isinstance(value, str):
        raise AdapterError(
            f"文本 '{value[:40]}' 不能写入：节点为 {kind} · "
            f"the text '{value[:40]}' cannot be written: the node holds {kind}"
        )
    if kind in ("float32", "float64"):
        if not math.isfinite(value) or (kind == "float32" and abs(value) > FLOAT32_MAX):
            raise AdapterError(
                f"{value:g} 不能写入：节点为 {kind}，有限的数 · "
                f"{value:g} cannot be written: the node holds {kind}, a finite number"
            )
        return ua.Variant(float(value), _OTHERS[kind])
    if not math.isfinite(value) or value != int(value):
        raise AdapterError(
            f"{value:g} 不能写入：节点为 {kind}，整数 · "
            f"{value:g} cannot be written: the node holds {kind}, a whole number"
        )
    if kind == "bool":
        if value not in (0, 1):
            raise AdapterError(
                f"{value:g} 不能写入：节点为 bool，0 或 1 · {value:g} cannot be written: the node holds bool, 0 or 1"
            )
        return ua.Variant(bool(value), ua.VariantType.Boolean)
    variant, low, high = _INTEGERS[kind]
    if not low <= value <= high:
        raise AdapterError(
            f"{value:g} 不能写入：{kind} 的范围为 {low} 至 {high} · "
            f"{value:g} cannot be written: {kind} goes from {low} to {high}"
        )
    return ua.Variant(int(value), variant)


def name_of(variant: Any) -> str:
    """The type's name of a variant that a node holds. Raises AdapterError for one that cannot be written."""
    name = _BY_VARIANT.get(variant.VariantType)
    if name is None or isinstance(variant.Value, list):
        raise AdapterError(
            f"节点为 {variant.VariantType.name} 或其数组，不能写入 · "
            f"the node holds {variant.VariantType.name}, or an array of it: that cannot be written"
        )
    return name
