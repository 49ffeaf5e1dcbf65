"""Days of a mine seen together: of some units or one shift alone, and what each unit did over all of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.kpi.day import MineDay, UnitDay
from models.kpi.period import missed
from models.utilisation.figure import Figure
from models.utilisation.rules import Version

FACE = "face"
"""The category of which normalised operation is asked."""


@dataclass(frozen=True, slots=True)
class Output:
    """What was made while the unit produced: in intelligent and in other time, in `unit`."""

    by_itself: float
    otherwise: float
    unit: str

    @property
    def rate(self) -> float | None:
        """The output-weighted utilisation; None where nothing was made."""
        total = self.by_itself + self.otherwise
        return self.by_itself / total if total > 0 else None


@dataclass(frozen=True, slots=True)
class Normalised:
    """Normalised operation (常态化运行) of a face: `days`: on which it produced and its utilisation was at least
    `share`; `producing`: on which it produced at all; `needed`: so many days make it normalised."""

    unit: str
    days: int
    producing: int
    share: float
    needed: int

    @property
    def met(self) -> bool:
        return self.days >= self.needed


def narrowed(day: MineDay, sees: Callable[[UnitDay], bool], shift: str = "") -> MineDay:
    """A day with the units in sight alone, and of them one shift (by its key) or all."""
    units = [unit for unit in day.units if sees(unit)]
    if shift:
        # What it made is counted by the day: of a shift alone it is not known.
        units = [
            replace(unit, shifts={shift: unit.shifts[shift]}, output=None) for unit in units if shift in unit.shifts
        ]
    seen = {(unit.category, unit.id) for unit in units}
    return replace(
        day, units=tuple(units), excluded=tuple(each for each in day.excluded if (each.category, each.unit) in seen)
    )


def over(days: Sequence[MineDay], wanted: Sequence[date] = ()) -> tuple[UnitDay, ...]:
    """Each unit over all days, in the order in which they first come; named as on the last. Of days `wanted` that are
    not among them it is unknown whether it produced, as of its category (`models.kpi.period`)."""
    parts: dict[tuple[str, str], list[UnitDay]] = defaultdict(list)
    for day in days:
        for unit in day.units:
            parts[unit.category, unit.id].append(unit)
    blind: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (category, name, shift), us in missed(wanted, {day.day: _by_shift(day) for day in days}).items():
        blind[category, name][shift] = us
    return tuple(_added(own, blind[key]) for key, own in parts.items())


def output(units: Iterable[UnitDay]) -> Output | None:
    """Of several units together; None where none has a counter, or they count in different units."""
    known = [unit.output for unit in units if unit.output is not None]
    names = {name for *_, name in known}
    if len(names) != 1:
        return None
    return Output(math.fsum(own for own, *_ in known), math.fsum(other for _, other, _ in known), names.pop())


def normalised(days: Iterable[MineDay], version: Version) -> tuple[Normalised, ...]:
    """Of each face, over the days of a month."""
    rule = version.normalised
    met: dict[str, int] = defaultdict(int)
    produced: dict[str, int] = defaultdict(int)
    for day in days:
        for unit in day.units:
            if unit.category == FACE:
                rate = unit.figure.rate
                produced[unit.id] += unit.figure.producing > 0
                met[unit.id] += rate is not None and rate >= rule.share
    return tuple(Normalised(name, met[name], produced[name], rule.share, rule.days) for name in sorted(produced))


def _by_shift(day: MineDay) -> dict[tuple[str, str, str], Figure]:
    return {(unit.category, unit.id, key): figure for unit in day.units for key, figure in unit.shifts.items()}


def _added(days: list[UnitDay], blind: Mapping[str, int]) -> UnitDay:
    """`blind`: by shift, µs of days that are not kept."""
    shifts: dict[str, Figure] = defaultdict(Figure)
    for day in days:
        for key, figure in day.shifts.items():
            shifts[key] += figure
    for key, us in blind.items():
        shifts[key] += Figure(blind=us, calendar=us)
    total = output(days)
    return replace(
        days[-1],
        shifts=dict(shifts),
        output=None if total is None else (total.by_itself, total.otherwise, total.unit),
    )
