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
from models.words import halves

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


Bounds = tuple[float, float] | None
"""The raw numbers that a point's type can hold, where its adapter says."""


def invert(point: Point, value: Value, unit: str | None = None, bounds: Bounds = None) -> Raw:
    """The raw value of a wanted one. Raises Unwritable."""
    if point.formula is not None:
        raise Unwritable("该测点由其他测点计算得出", "the point is derived from others: the device does not have it")
    if point.guards.rollover:
        raise Unwritable("累计值会翻转，不能写入", "the counter rolls over in the device: it cannot be written")
    if point.kind is Kind.TEXT:
        if unit:
            raise Unwritable("文本没有单位", "a text has no unit")
        return Raw(str(value), str(value))
    number = wanted_number(point, value, unit)
    if point.states and number not in point.states:
        raise Unwritable(f"{number:g} 不是该测点的状态：{_states(point, 'zh')}", _no_state(point, f"{number:g}"))
    _check_range(point, number)
    raw = _raw(point, number, rounds=bool(point.guards.curve) or (unit is not None and unit != point.unit))
    _check_range(point, float(raw.wanted))
    _check_bounds(point, number, float(raw.value), bounds)
    if any(math.isclose(raw.value, nothing, rel_tol=_FLOAT32) for nothing in point.guards.no_value):
        raise Unwritable(
            f"{number:g} 在设备中是“无数据”的标记 {raw.value:g}",
            f"{number:g} is {raw.value:g} in the device, which means no value",
        )
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
        raise Unwritable(f"单位不符：{unit} → {point.unit or '无'}", halves(error).en) from None


def of_raw(point: Point, raw: float) -> float:
    """As normalisation does it: a raw number in the point's unit."""
    if point.guards.curve:
        raw = float(np.interp(raw, *zip(*point.guards.curve, strict=True)))
    return raw * point.factor + point.offset


def _raw_of(point: Point, number: float) -> float:
    wanted = (number - point.offset) / point.factor
    if not point.guards.curve:
        return wanted
    raw, value = np.array(point.guards.curve).T
    if value[0] > value[-1]:
        raw, value = raw[::-1], value[::-1]
    if not (np.diff(value) > 0).all():
        raise Unwritable("标定曲线不单调，无法反算", "the calibration curve goes up and down: it has no inverse")
    if not value[0] <= wanted <= value[-1]:
        ends = f"{value[0]:g} … {value[-1]:g}"
        raise Unwritable(f"{number:g} 超出标定曲线 {ends}", f"{number:g} is outside the calibration curve {ends}")
    return float(np.interp(wanted, value, raw))


def _check_range(point: Point, number: float) -> None:
    if number < point.low or number > point.high:
        bounds = f"{point.low:g} … {point.high:g} {point.unit}".rstrip()
        raise Unwritable(f"{number:g} 超出量程 {bounds}", f"{number:g} is outside {bounds}")


def _raw(point: Point, number: float, *, rounds: bool) -> Raw:
    raw = _raw_of(point, number)
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


def _check_bounds(point: Point, number: float, raw: float, bounds: Bounds) -> None:
    """By what the adapter says, or else by the type's name."""
    whole = _WHOLE.fullmatch(point.type.strip().casefold())
    if bounds is not None:
        low, high = bounds
    elif whole is not None and whole[1].startswith("bool"):
        low, high = 0.0, 1.0
    elif whole is not None and whole[2]:
        bits = int(whole[2])
        low, high = (0.0, 2.0**bits - 1) if whole[1].startswith("u") else (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1)
    else:
        return
    if not low <= raw <= high:
        ends = sorted((of_raw(point, low), of_raw(point, high)))
        words = f"{ends[0]:.12g} … {ends[1]:.12g} {point.unit}".rstrip()
        raise Unwritable(
            f"{number:g} 超出设备类型 {point.type} 的范围 {words}",
            f"{number:g} is outside what {point.type} in the device can hold: {words}",
        )


def _states(point: Point, language: str) -> str:
    separator = "、" if language == "zh" else ", "
    return separator.join(f"{code} {getattr(name, language)}" for code, name in sorted(point.states.items()))


def _no_state(point: Point, value: str) -> str:
    return f"'{value}' is no state of this point: {_states(point, 'en')}"
