"""Which type, order and scale make the bytes show a value that is known, whatever the manual says.

Vendors' labels for word orders are often inverted, so they are not asked: a value that somebody reads on
the device's own display is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.onboarding.interpret import NUMBERS, SIZE, meanings
from gateway.onboarding.look import run

SCALES = (1.0, 0.1, 0.01, 0.001, 10.0, 100.0, 1000.0)
"""What devices multiply by, the usual first."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Columns of a point table that show the value: `value` is what they show, in the unit of what was asked;
    `at` the word, counted from the first, where it begins."""

    type: str
    order: str
    scale: float
    value: float
    at: int = 0

    @property
    def key(self) -> str:
        """How it is named on a command line: float32/cdab, int16/abcd*0.1."""
        return f"{self.type}/{self.order}" + ("" if self.scale == 1 else f"*{self.scale:g}")


def fits(raw: bytes, value: float, tolerance: float, among: Sequence[str] = ()) -> list[Fit]:
    """The ways in which the bytes show `value` within `tolerance` (in its unit), the likeliest first.
    `among`: only these keys. Raises ValueError for a value that everything would fit."""
    if abs(value) <= tolerance:
        raise ValueError(
            f"值 {value:g} 无法判断：零在各种类型和字节序中都一样，请等设备显示另一个大于容差的值 · "
            f"a value of {value:g} is no help: zeros look the same in every type and order; "
            "wait until the device shows another value, and larger than the tolerance"
        )
    found = []
    for meaning in meanings(raw, NUMBERS):
        for scale in SCALES:
            if meaning.value is None or (meaning.type.startswith("float") and scale != 1 and not meaning.sensible):
                continue
            # Division where the scale is a decimal fraction: 1234 × 0.1 is not 123.4.
            shown = meaning.value / round(1 / scale) if scale < 1 else meaning.value * scale
            if abs(shown - value) <= tolerance:
                found.append(Fit(meaning.type, meaning.order, scale, shown))
    if among:
        found = [fit for fit in found if fit.key in among]
    return sorted(found, key=lambda fit: _rank(fit, value))


def _rank(fit: Fit, value: float) -> tuple[int, int, int, float]:
    """A float that needs no scale is hardly ever chance; among equals the standard order, and the nearest."""
    exact = fit.type.startswith("float") and fit.scale == 1
    return (0 if exact else 1, SCALES.index(fit.scale), SIZE[fit.type], abs(fit.value - value))


def advice(found: Sequence[Fit]) -> tuple[str, str]:
    """What to read next, in Chinese and English, so that one way is left; empty when one is left."""
    if len(found) < 2:
        return "", ""
    apart = {(fit.type.lstrip("u"), fit.order, fit.scale) for fit in found}
    if len(apart) == 1 and len({fit.type for fit in found}) == 2:
        return (
            "有无符号此刻看不出：若该量可能为负选 int，否则选 uint；或在其为负时再读一次",
            "whether it has a sign cannot be seen now: take int if the value can be negative, else uint; "
            "or read it again while it is negative",
        )
    if len({fit.scale for fit in found}) > 1 and len({(fit.type, fit.order) for fit in found}) == 1:
        return (
            "倍率不能确定：等数值变化较大后再读一次，并给出更小的 --tolerance",
            "the scale is not certain: read again after the value has changed much, with a smaller --tolerance",
        )
    keys = ",".join(fit.key for fit in found[:8])
    return (
        f"有多种可能：等设备显示另一个数值（最好不是它的整数倍）后，用新值再读：--value 新值 --among '{keys}'",
        "several ways fit: when the device shows another value (best no round multiple of this one), read again: "
        f"--value NEW --among '{keys}'",
    )


def nearby(words: Sequence[bytes | None], meant: int, value: float, tolerance: float) -> list[Fit]:
    """Fits at other words than the one that was `meant`: a float without a scale, or an integer of at least
    three digits with a usual one. What else is found nearby is chance."""
    found = []
    for at in range(len(words)):
        if at == meant:
            continue
        for fit in fits(run(words, at, 4), value, tolerance):
            plain = fit.type.startswith("float") and fit.scale == 1
            if plain or (SIZE[fit.type] <= 4 and fit.scale in SCALES[:3] and abs(value / fit.scale) >= 100):
                found.append(Fit(fit.type, fit.order, fit.scale, fit.value, at))
    return sorted(found, key=lambda fit: (abs(fit.at - meant), _rank(fit, value)))
