"""What a host sends to nodes and devices: a request for births, and new values of metrics."""

from __future__ import annotations

import math
import time
from typing import Any

from protocols.adapter import AdapterError
from protocols.sparkplug.address import Address
from protocols.sparkplug.host import PREFIX
from protocols.sparkplug.values import BITS, CODES, NAMES, UNSIGNED_BITS
from protocols.sparkplug.wire import Payload

_LARGEST_FLOAT = 3.4028234663852886e38


def rebirth(group: str, node: str) -> tuple[str, bytes]:
    """Topic and payload that ask a node for its births anew."""
    payload = Payload(timestamp=_now())
    payload.metrics.add(
        name=b"Node Control/Rebirth",
        timestamp=payload.timestamp,
        datatype=CODES["Boolean"],
        boolean_value=True,
    )
    return f"{PREFIX}/{group}/NCMD/{node}", payload.SerializeToString()


def command(address: Address, code: int, value: float | str) -> tuple[str, bytes]:
    """Topic and payload that ask for a metric's new value, in the type that its birth gave it. Raises
    AdapterError when the type cannot hold it."""
    payload = Payload(timestamp=_now())
    metric = payload.metrics.add(name=address.metric.encode(), timestamp=payload.timestamp, datatype=code)
    _fill(metric, NAMES.get(code, f"type {code}"), value)
    if address.device:
        return f"{PREFIX}/{address.group}/DCMD/{address.node}/{address.device}", payload.SerializeToString()
    return f"{PREFIX}/{address.group}/NCMD/{address.node}", payload.SerializeToString()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _fill(metric: Any, kind: str, value: float | str) -> None:
    code = metric.datatype
    if kind in ("String", "Text", "UUID"):
        metric.string_value = str(value).encode()
        return
    try:
        number = float(value)
    except ValueError:
        raise AdapterError(
            f"'{value}' 不是数，此度量为 {kind} · '{value}' is not a number, and the metric is a {kind}"
        ) from None
    if not math.isfinite(number):
        raise AdapterError(f"'{value}' 不是有限的数 · '{value}' is not a finite number")
    if kind == "Boolean":
        if number not in (0, 1):
            raise AdapterError(
                f"{number:g} 既不是 1 也不是 0，此度量为 Boolean · "
                f"{number:g} is neither 1 nor 0, and the metric is a Boolean"
            )
        metric.boolean_value = bool(number)
    elif kind == "Float":
        if abs(number) > _LARGEST_FLOAT:
            raise AdapterError(f"{number:g} 超出 Float 的范围 · {number:g} is more than a Float holds")
        metric.float_value = number
    elif kind == "Double":
        metric.double_value = number
    elif code in BITS or code in UNSIGNED_BITS or kind == "DateTime":
        _fill_whole(metric, kind, number)
    else:
        raise AdapterError(f"此度量为 {kind}，不能写入 · the metric is a {kind}, which cannot be written")


def _fill_whole(metric: Any, kind: str, number: float) -> None:
    bits = BITS.get(metric.datatype)
    low = -(1 << (bits - 1)) if bits else 0
    high = 1 << (bits - 1) if bits else 1 << UNSIGNED_BITS.get(metric.datatype, 64)
    if not number.is_integer() or not low <= number < high:
        raise AdapterError(
            f"{number:g} 不是 {low:,} 至 {high - 1:,} 的整数，此度量为 {kind} · "
            f"{number:g} is no whole number from {low:,} to {high - 1:,}, and the metric is a {kind}"
        )
    if kind in ("Int64", "UInt64", "DateTime"):
        metric.long_value = int(number) & (1 << 64) - 1
    else:
        metric.int_value = int(number) & (1 << 32) - 1
