"""What a category asks of each of its points: every value that it takes, or only on which side of some levels it is.

Whoever reads the points may then leave out what makes no difference: that a value was told again, and of a current that
is only asked whether it is over 20 % of rated every change that does not pass this level.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from models.utilisation.conditions import Above, Condition, Facts
from models.utilisation.judge import UnitFacts
from models.utilisation.rules import Category
from models.utilisation.units import Unit

Levels = tuple[float, ...] | None
"""Magnitudes that are asked about, rising, in the unit of the point's role; None: each value is asked about."""


def asked(conditions: Iterable[Condition], facts: Facts) -> dict[tuple[str, str], Levels]:
    """(role, of whom) → what is asked of its points. Without a level is what is only compared with a rating that nobody
    gave: all that it says changes nothing."""
    found: dict[tuple[str, str], Levels] = {}
    for one in _atoms(conditions):
        if isinstance(one, Above):
            level = one.level(facts)
            pair = one.role, one.of or ""
            found[pair] = together(found.get(pair, ()), () if math.isnan(level) else (level,))
        else:
            found |= dict.fromkeys(one.reads() | one.wishes())
    return found


def of_points(category: Category, unit: Unit, facts: UnitFacts) -> dict[int, Levels]:
    """Point id → what the unit's category asks of it."""
    found: dict[int, Levels] = {}
    for pair, levels in asked(category.conditions(), facts).items():
        for point in unit.points.get(pair, ()):
            found[point.id] = together(found.get(point.id, ()), levels)
    return found


def merged(many: Iterable[Mapping[int, Levels]]) -> dict[int, Levels]:
    """What several units ask of the points that they may share."""
    found: dict[int, Levels] = {}
    for each in many:
        for point, levels in each.items():
            found[point] = together(found.get(point, ()), levels)
    return found


def together(one: Levels, other: Levels) -> Levels:
    """What answers both."""
    return None if one is None or other is None else tuple(sorted({*one, *other}))


def _atoms(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for one in conditions:
        inner = [*one.parts()]
        if inner:
            yield from _atoms(inner)
        else:
            yield one
