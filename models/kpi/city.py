"""All mines side by side: standing, ranking, belt central control, the group's own figure and the trend by month.

A mine of which too little is known is not ranked: it is told apart, with the reason. The figure of the group is made of
the mines' times, added up by category; it is no mean of the mines' rates. A mine that sends nothing counts with the
time of the units that it is known to have; where nothing at all is known of one, the group is not assessable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from models.kpi.mine import MineFigure, Standing, mine_figure
from models.kpi.period import Mine, Period
from models.kpi.targets import BeltTarget
from models.utilisation.figure import Figure
from models.utilisation.rules import Version


class Belts(StrEnum):
    """Of a mine that must have belt central control. `NONE`: it has no belt that anybody measures."""

    COVERED = "covered"
    NOT_COVERED = "not_covered"
    NOT_ASSESSABLE = "not_assessable"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BeltCoverage:
    """`mines`: of those that must have it, by code; `unknown_capacity`: codes of mines whose capacity nobody said, of
    which it is not known whether they must."""

    target: BeltTarget
    mines: Mapping[str, Belts]
    unknown_capacity: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """Covered of those that must be: what is not assessable is not covered, so that hiding a mine is no gain. None
        where no mine must, and where none is known to be covered but not all are known: that is no 0."""
        covered = sum(each is Belts.COVERED for each in self.mines.values())
        if not self.mines or (not covered and self.unknown):
            return None
        return covered / len(self.mines)

    @property
    def unknown(self) -> int:
        """Of how many of those that must be nobody knows: of their belts too little is known, or none is measured."""
        return sum(each in (Belts.NOT_ASSESSABLE, Belts.NONE) for each in self.mines.values())


@dataclass(frozen=True, slots=True)
class City:
    """`ranked`: assessable mines, the best first; `not_assessable`: the others, by code. `group`: of all mines; `met`:
    how many of the ranked meet the target. `belts`: None where no target is in force."""

    days: tuple[date, ...]
    version: Version
    ranked: tuple[Period, ...]
    not_assessable: tuple[Period, ...]
    group: MineFigure
    belts: BeltCoverage | None

    @property
    def met(self) -> int:
        return sum(each.figure.standing is Standing.MET for each in self.ranked)

    @property
    def silent(self) -> int:
        """Mines of which no day of the period was kept."""
        return sum(not each.kept for each in self.periods)

    @property
    def periods(self) -> tuple[Period, ...]:
        """Of all mines: the ranked in their order, then the others."""
        return self.ranked + self.not_assessable


@dataclass(frozen=True, slots=True)
class Step:
    """One month of a trend, of all mines. `days`: of all mines together, `kept`: those that there are figures of."""

    first: date
    days: int
    kept: int
    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    standing: Standing


def city(periods: Sequence[Period], version: Version, belts: BeltTarget | None) -> City:
    """Of mines over the same days. Raises ValueError where a mine is there twice or over other days."""
    if len({each.mine.code for each in periods}) < len(periods):
        raise ValueError("a mine is there twice")
    if len({each.days for each in periods}) > 1:
        raise ValueError("the mines' periods are of different days")
    apart = [each for each in periods if each.figure.standing is Standing.NOT_ASSESSABLE]
    ranked = [each for each in periods if each.figure.standing is not Standing.NOT_ASSESSABLE]
    return City(
        periods[0].days if periods else (),
        version,
        tuple(sorted(ranked, key=lambda each: (-(each.figure.rate or 0.0), each.mine.code))),
        tuple(sorted(apart, key=lambda each: each.mine.code)),
        group(periods, version),
        None if belts is None else _belts(periods, version, belts),
    )


def group(periods: Sequence[Period], version: Version) -> MineFigure:
    """Times of all mines added up by category, and the categories' mean by the version's weights. Without bounds and
    coverage where one of them is unheard of: nobody knows how much of the whole it is."""
    parts: dict[str, list[Figure]] = defaultdict(list)
    for each in periods:
        for category, figure in each.figure.categories.items():
            parts[category].append(figure)
    found = mine_figure({category: sum(figures, Figure()) for category, figures in parts.items()}, version)
    if any(each.unheard for each in periods):
        return replace(found, least=None, most=None, coverage=None, standing=Standing.NOT_ASSESSABLE)
    return found


def step(periods: Sequence[Period], version: Version) -> Step:
    """Of all mines over one month's days. Raises ValueError where there is no mine."""
    if not periods:
        raise ValueError("there is no mine to make a step of")
    own = group(periods, version)
    days, kept = sum(len(each.days) for each in periods), sum(len(each.kept) for each in periods)
    return Step(periods[0].days[0], days, kept, own.rate, own.least, own.most, own.coverage, own.standing)


def _belts(periods: Sequence[Period], version: Version, target: BeltTarget) -> BeltCoverage:
    def state(each: Period) -> Belts:
        figure = each.figure.categories.get(target.category)
        if figure is None:
            return Belts.NONE if each.kept else Belts.NOT_ASSESSABLE
        if figure.rate is None or not figure.assessable(version.coverage):
            return Belts.NOT_ASSESSABLE
        return Belts.COVERED if figure.rate >= target.rate else Belts.NOT_COVERED

    def must(mine: Mine) -> bool:
        return mine.capacity_kt is not None and mine.capacity_kt >= target.from_kt

    ordered = sorted(periods, key=lambda each: each.mine.code)
    return BeltCoverage(
        target,
        {each.mine.code: state(each) for each in ordered if must(each.mine)},
        tuple(each.mine.code for each in ordered if each.mine.capacity_kt is None),
    )
