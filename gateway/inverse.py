"""From a wanted value to the raw value that a device holds for it: the inverse of normalisation.

What is found decodes to the value that was asked for, or there is a plain reason why nothing does.
A value that its device can only hold rounded is refused with its nearest neighbours, unless it was
given in another unit than the point's, where the nearest one is meant.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.command import Value
from models.site.model import Kind, Name, Point
from models.units import UnitError, compile_unit

_WHOLE = re.compile(r"(u?int(\d+)?|s?byte|bcd\d*|bool(ean)?)([ _].*)?")
_CLOSE = 1e-6
"""Of a step: so much may the way there and back round."""
_EXACT = 2.0**53
_FLOAT32 = 2.0**-22
"""Of a number: so far apart may two be that are one in 32 bits."""


class Unwritable(ValueError):
    """The value cannot be written to this point: why, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = Name(zh, en)


@dataclass(frozen=True, slots=True)
class Raw:
    """`value`: what the adapter writes; `wanted`: what it means, in the point's unit. Read back, a number
    is the same when it lies within `tolerance` of `value`, in raw units."""

    value: Value
    wanted: Value
    tolerance: float = 0.0

    def same(self, held: Any) -> bool:
        """Whether what was read back is what was written."""
        if isinstance(self.value, str) or isinstance(held, str) or held is None:
            return bool(held == self.value)
        return abs(float(held) - float(self.value)) <= self.tolerance


def invert(point: Point, value: Value, unit: str | None = None) -> Raw:
    """The raw value of a wanted one. Raises Unwritable."""
    if point.kind is Kind.TEXT:
        if unit:
            raise Unwritable("文本没有单位", "a text has no unit")
        return Raw(str(value), str(value))
    number = wanted_number(point, value, unit)
    if point.states and number not in point.states:
        raise Unwritable(f"{number:g} 不是该测点的状态：{_states(point, 'zh')}", _no_state(point, f"{number:g}"))
    _check_range(point, number)
    raw = _raw(point, number, rounds=unit is not None and unit != point.unit)
    _check_range(point, float(raw.wanted))
    return raw


def wanted_number(point: Point, value: Value, unit: str | None = None) -> float:
    """A value as it is written in a command, as a number in the point's unit. Raises Unwritable."""
    if isinstance(value, str):
        named = [code for code, name in point.states.items() if value.casefold() in (name.zh, name.en.casefold())]
        if len(named) == 1:
            return float(named[0])
        try:
            value = float(value)
        except ValueError:
            if point.states:
                raise Unwritable(
                    f"“{value}”不是该测点的状态：{_states(point, 'zh')}", _no_state(point, value)
                ) from None
            raise Unwritable(f"“{value}”不是数字", f"'{value}' is not a number") from None
        if not math.isfinite(value):
            raise Unwritable("不是有限的数", "that is not a finite number")
    if unit is None or unit == point.unit:
        return float(value)
    try:
        return float(compile_unit(unit, point.unit).apply(float(value)))
    except UnitError as error:
        raise Unwritable(f"单位不符：{unit} → {point.unit or '无'}", str(error)) from None


def of_raw(point: Point, raw: float) -> float:
    """As normalisation does it: a raw number in the point's unit."""
    return raw * point.factor + point.offset


def _check_range(point: Point, number: float) -> None:
    if number < point.low or number > point.high:
        bounds = f"{point.low:g} … {point.high:g} {point.unit}".rstrip()
        raise Unwritable(f"{number:g} 超出量程 {bounds}", f"{number:g} is outside {bounds}")


def _raw(point: Point, number: float, *, rounds: bool) -> Raw:
    raw = (number - point.offset) / point.factor
    kind = point.type.strip().casefold()
    whole = _WHOLE.fullmatch(kind)
    nearest = float(round(raw))
    if whole is None and abs(raw - nearest) > 1e-9 * max(1.0, abs(raw)):
        return _real(point, kind, number, raw)
    # Also of a type that only the device knows, what is a whole number but for rounding is written as one.
    if whole is None:
        raw = nearest
    if abs(nearest) > _EXACT:
        raise Unwritable(
            f"{number:g} 换算后超过 2^53，无法精确写入", f"{number:g} is beyond 2^53 in the device: not exact"
        )
    if whole is not None:
        _check_bounds(point, number, whole, nearest)
    if abs(raw - nearest) > _CLOSE + 1e-15 * abs(raw) and not rounds:
        low, high = of_raw(point, math.floor(raw)), of_raw(point, math.ceil(raw))
        raise Unwritable(
            f"设备分辨率为 {abs(point.factor):g} {point.unit}，无法表示 {number:g}；最近的值：{low:.12g}、{high:.12g}",
            f"the device has steps of {abs(point.factor):g} {point.unit} and cannot hold {number:g}; "
            f"nearest are {low:.12g} and {high:.12g}",
        )
    # A type that only the device knows may be a float of 32 bits.
    exact = whole is not None or float(np.float32(nearest)) == nearest
    return Raw(nearest, _tidy(of_raw(point, nearest), number), 0.25 if exact else _FLOAT32 * abs(nearest))


def _real(point: Point, kind: str, number: float, raw: float) -> Raw:
    if kind in ("float32", "float", "real"):
        with np.errstate(over="ignore"):
            held = float(np.float32(raw))
        if not math.isfinite(held):
            raise Unwritable(f"{number:g} 超出 float32", f"{number:g} is outside float32")
        return Raw(held, _tidy(of_raw(point, held), number), _FLOAT32 * abs(held))
    exact = kind in ("float64", "double")
    return Raw(raw, _tidy(of_raw(point, raw), number), (1e-12 if exact else _FLOAT32) * abs(raw))


def _tidy(value: float, asked: float) -> float:
    """What was asked for, where the way there and back only rounded; a conversion's last digits are noise."""
    if not math.isclose(value, asked, rel_tol=2e-7, abs_tol=1e-12):
        return value
    return asked if asked.is_integer() else float(f"{asked:.12g}")


def _check_bounds(point: Point, number: float, whole: re.Match[str], raw: float) -> None:
    name, bits = whole[1], whole[2]
    if name.startswith("bool"):
        low, high = 0.0, 1.0
    elif bits is None:
        return  # the adapter knows better
    elif name.startswith("u"):
        low, high = 0.0, 2.0 ** int(bits) - 1
    else:
        low, high = -(2.0 ** (int(bits) - 1)), 2.0 ** (int(bits) - 1) - 1
    if not low <= raw <= high:
        ends = sorted((of_raw(point, low), of_raw(point, high)))
        bounds = f"{ends[0]:.12g} … {ends[1]:.12g} {point.unit}".rstrip()
        raise Unwritable(
            f"{number:g} 超出设备类型 {point.type} 的范围 {bounds}",
            f"{number:g} is outside what {point.type} in the device can hold: {bounds}",
        )


def _states(point: Point, language: str) -> str:
    separator = "、" if language == "zh" else ", "
    return separator.join(f"{code} {getattr(name, language)}" for code, name in sorted(point.states.items()))


def _no_state(point: Point, value: str) -> str:
    return f"'{value}' is no state of this point: {_states(point, 'en')}"
