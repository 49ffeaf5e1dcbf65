"""A mine over a period of days, of which some may not have been kept: those are unknown, and nothing else.

Of a day that nobody kept it is not known whether a unit produced. So all the calendar time that each unit had on the
last day kept before it, be it before the period, is `blind` on it (of the first one after it, where there is none): it
opens the bounds and lowers the coverage, as any other unknown time does. A mine that sends nothing is not left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from models.kpi.day import MineDay
from models.kpi.mine import MineFigure, Standing, by_category, mine_figure
from models.site.model import Name
from models.utilisation.figure import Figure
from models.utilisation.rules import Version

Key = TypeVar("Key", bound=Hashable)


class Reason(StrEnum):
    """Why a mine is not assessable."""

    NO_DAY = "no_day"
    NO_UNIT = "no_unit"
    STOOD = "stood"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Why:
    """`category` and its `coverage`: of `Reason.COVERAGE`; `missing`: days of the period that were not kept."""

    reason: Reason
    missing: int
    category: str = ""
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Mine:
    """`capacity_kt`: kt a year; `belt_central`: whether it says that its belts are run from one control room. None
    where nobody said."""

    code: str
    name: Name
    capacity_kt: float | None = None
    gas_class: str = ""
    belt_central: bool | None = None


Daily = Mapping[date, Mapping[str, Figure]]
"""By day that is kept and category: the figures of all its units, added up."""


@dataclass(frozen=True, slots=True)
class Period:
    """`days`: those of the period, `kept`: those of them that there are figures of. `why`: empty unless the figure
    is not assessable."""

    mine: Mine
    days: tuple[date, ...]
    kept: tuple[date, ...]
    figure: MineFigure
    why: tuple[Why, ...]

    @property
    def missing(self) -> int:
        """Days of the period that were not kept."""
        return len(self.days) - len(self.kept)

    @property
    def unheard(self) -> bool:
        """Whether nothing at all is known of it, not even what units it has, so that nothing bounds its part in a sum
        of mines."""
        return not self.kept and not self.figure.categories


def daily(days: Iterable[MineDay]) -> dict[date, dict[str, Figure]]:
    """The figures by category of each day."""
    return {day.day: by_category([day]) for day in days}


def period(mine: Mine, days: Sequence[date], known: Daily, version: Version) -> Period:
    """Of a mine over `days`, in their order; of other days nothing counts, they only tell which units it had.
    `version`: whose weights, coverage and targets hold, that of the last day as a rule."""
    kept = tuple(day for day in days if day in known)
    parts: dict[str, list[Figure]] = defaultdict(list)
    for day in kept:
        for category, figure in known[day].items():
            parts[category].append(figure)
    for category, us in missed(days, known).items():
        parts[category].append(Figure(blind=us, calendar=us))
    found = mine_figure({category: sum(figures, Figure()) for category, figures in parts.items()}, version)
    return Period(mine, tuple(days), kept, found, _why(found, len(days) - len(kept), bool(kept)))


def month_days(year: int, month: int) -> tuple[date, ...]:
    """All days of a month. Raises ValueError for one that there is not."""
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    return tuple(first + timedelta(days=number) for number in range((after - first).days))


def missed(days: Sequence[date], known: Mapping[date, Mapping[Key, Figure]]) -> Counter[Key]:
    """By category, or whatever else the figures of a day stand by: calendar time of the days of `days` that are not
    known, µs."""
    found: Counter[Key] = Counter()
    told = sorted(known)
    for day in days if told else ():
        if day not in known:
            near = known[told[max(bisect_left(told, day) - 1, 0)]]
            found.update({key: figure.calendar for key, figure in near.items()})
    return found


def _why(found: MineFigure, missing: int, kept: bool) -> tuple[Why, ...]:
    if found.standing is not Standing.NOT_ASSESSABLE:
        return ()
    if not kept:
        return (Why(Reason.NO_DAY, missing),)
    if not found.categories:
        return (Why(Reason.NO_UNIT, missing),)
    doubtful = tuple(Why(Reason.COVERAGE, missing, key, found.categories[key].coverage) for key in found.doubtful)
    return doubtful or (Why(Reason.STOOD, missing),)
