"""The unit that an expression's result has, as far as that is certain.

A number in an expression may stand for anything, 0.38 kV or 3 pumps, so what a number has multiplied
has no certain unit any more, and no mistake is found there. Where units are certain they must agree:
m is not added to mm, and V * A is not a pressure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.site.expressions import Expression, Node
from models.units import UnitError, parsed_unit

_KEEPS = ("neg", "abs", "floor", "ceil")


def unit_of(expression: Expression, units: Sequence[str]) -> Any:
    """The result's unit, given those of the inputs; None where it is not certain. Raises UnitError when
    units that differ are added or compared."""
    return _unit(expression.tree, units)


def agree(found: Any, unit: str) -> bool:
    """Whether a unit found by `unit_of` is the one that is written `unit`, of the same size too."""
    return _same(found, parsed_unit(unit))


def _unit(node: Node, units: Sequence[str]) -> Any:  # noqa: PLR0911
    if node.kind == "number":
        return None
    if node.kind == "input":
        return parsed_unit(units[int(node.number)])
    parts = [_unit(part, units) for part in node.parts]
    if node.kind == "where":
        return _common(parts[1:])
    if node.boolean:
        if node.kind not in ("&", "|", "not"):
            _common(parts)
        return None
    if node.kind in ("+", "-", "min", "max"):
        return _common(parts)
    if node.kind in _KEEPS:
        return parts[0]
    if node.kind in ("*", "/") and None not in parts:
        return parts[0] * parts[1] if node.kind == "*" else parts[0] / parts[1]
    return None


def _common(parts: Sequence[Any]) -> Any:
    certain = [part for part in parts if part is not None]
    for other in certain[1:]:
        if not _same(certain[0], other):
            raise UnitError(
                f"'{certain[0]:~}' 与 '{other:~}' 相加或比较：请先换算成同一单位 · "
                f"'{certain[0]:~}' and '{other:~}' are added or compared: bring them to one unit first"
            )
    return certain[0] if len(certain) == len(parts) else None


def _same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    if one.dimensionality != other.dimensionality:
        return False
    ratio = (1 * one).to_base_units().magnitude / (1 * other).to_base_units().magnitude
    return bool(abs(ratio - 1) < 1e-9)
