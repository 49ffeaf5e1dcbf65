"""The utilisation of a mine over any number of days: by category, their weighted mean, and against the target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.kpi.day import MineDay
from models.utilisation.figure import Figure
from models.utilisation.rules import Version


class Standing(StrEnum):
    """Of a mine against the target: `NOT_ASSESSABLE` where too little is known to say."""

    MET = "met"
    MISSED = "missed"
    NOT_ASSESSABLE = "not_assessable"


@dataclass(frozen=True, slots=True)
class MineFigure:
    """`categories`: those that the mine has, in the rules' order. Rates are the means of the categories' by weight,
    over those that produced; None where none did. `doubtful`: categories that produced and of which too little is
    known; `below`: those whose rate is below the target of a category."""

    categories: Mapping[str, Figure]
    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    doubtful: tuple[str, ...]
    below: tuple[str, ...]
    standing: Standing
    absent: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


def by_category(days: Iterable[MineDay]) -> dict[str, Figure]:
    """The figures of all units of a category over all days, added up."""
    parts: dict[str, list[Figure]] = defaultdict(list)
    for day in days:
        for unit in day.units:
            parts[unit.category] += unit.shifts.values()
    return {category: sum(figures, Figure()) for category, figures in parts.items()}


def mine_figure(categories: Mapping[str, Figure], version: Version) -> MineFigure:
    """Of a mine, by the version's weights, coverage and targets."""
    own = {key: categories[key] for key in version.categories if key in categories}
    counted = [key for key, figure in own.items() if figure.coverage is not None]
    weights = {key: version.categories[key].weight for key in own}

    def mean(of: Mapping[str, float | None]) -> float | None:
        known = {key: rate for key, rate in of.items() if rate is not None}
        total = sum(weights[key] for key in known)
        return sum(weights[key] * rate for key, rate in known.items()) / total if total else None

    rate = mean({key: own[key].rate for key in counted})
    coverage = mean({key: own[key].coverage for key in counted})
    doubtful = tuple(key for key in counted if not own[key].assessable(version.coverage))
    below = tuple(key for key in counted if (u := own[key].rate) is not None and u < version.target.category)
    standing = Standing.NOT_ASSESSABLE
    if rate is not None and not doubtful:
        standing = Standing.MET if rate >= version.target.mine and not below else Standing.MISSED
    return MineFigure(
        own,
        rate,
        mean({key: own[key].least for key in own if key in counted or own[key].excluded_by_hand}),
        mean({key: own[key].most for key in counted}),
        coverage,
        doubtful,
        below,
        standing,
        tuple(key for key in version.categories if key not in own),
        tuple(key for key in own if key not in counted),
    )
