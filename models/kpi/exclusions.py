"""Time that an approved ticket leaves out of the figures: for what causes, how much of it, and of which units.

Whoever may leave time out could make any figure. So each cause has limits (`exclusions.yaml`, dated): how long one
ticket is, how much of a unit's month all of them take, how late one may be asked for, and how many others approve.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, model_validator

from models.kpi.calendar import bounds, day_of
from models.site.model import Name, Site
from models.spans import Spans
from models.thing import Names, Number, Strict, Text
from models.utilisation.units import Unit

FILE = Path(__file__).with_name("exclusions.yaml")
HOUR_US = 3_600_000_000

Share = Annotated[Number, Field(gt=0, le=1)]
Key = tuple[str, str]
"""(category, unit id)."""


class Cause(StrEnum):
    """Why time is left out."""

    PLANNED_MAINTENANCE = "planned_maintenance"
    FACE_MOVE = "face_move"
    GEOLOGY = "geology"
    REGULATOR_STOP = "regulator_stop"


class Limits(Strict):
    """Of one cause; see `exclusions.yaml`."""

    name: Names
    longest_h: Annotated[Number, Field(gt=0, le=2200)]
    most_of_month: Share
    asked_within_h: Annotated[Number, Field(ge=0, le=2200)]
    approved_within_h: Annotated[Number, Field(ge=0, le=2200)]
    approvals: Annotated[int, Field(ge=1, le=5)]


class Version(Strict):
    """What holds for tickets that begin on `effective_from` or later."""

    version: Text
    effective_from: datetime.date
    source: Text
    confirmed: bool
    most_of_month: Share
    most_a_day: Annotated[int, Field(ge=1, le=100)]
    causes: dict[Cause, Limits]

    @model_validator(mode="after")
    def _all(self) -> Self:
        if lacking := set(Cause) - set(self.causes):
            raise ValueError(f"there are no limits of {', '.join(sorted(lacking))}")
        return self


class Exclusions(Strict):
    """All versions, the oldest first."""

    versions: Annotated[tuple[Version, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [version.effective_from for version in self.versions]
        if dates != sorted(set(dates)):
            raise ValueError("versions stand in the order of their dates, no two from the same day on")
        return self

    def at(self, day: datetime.date) -> Version:
        """The version in force on a local date: before the first one, the first."""
        return next((one for one in reversed(self.versions) if one.effective_from <= day), self.versions[0])


@cache
def standard() -> Exclusions:
    """This house's limits."""
    return Exclusions.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Left:
    """What a ticket leaves out, or is to: [start, end) µs UTC of these units."""

    cause: Cause
    units: frozenset[Key]
    start: int
    end: int


def named(units: Iterable[Unit], mine: str, extent: Iterable[str]) -> tuple[Unit, ...]:
    """The units that a ticket's extent names: each by `<mine>/<its own id>`. A part of a unit leaves out nothing: who
    mends one support does not stop the face."""
    paths = set(extent)
    return tuple(unit for unit in units if f"{mine}/{unit.id}" in paths)


def spans(many: Iterable[Left]) -> dict[Key, Spans]:
    """By unit: all that is left out of it."""
    pairs: dict[Key, list[tuple[int, int]]] = {}
    for left in many:
        for unit in left.units:
            pairs.setdefault(unit, []).append((left.start, left.end))
    return {unit: Spans.of(of) for unit, of in pairs.items()}


def refusal(asked: Left, at: int, others: Sequence[Left], site: Site, known: Exclusions | None = None) -> Name | None:
    """Why a ticket that is asked for at `at` (µs UTC) goes beyond a limit; None where it does not. `others`: what other
    tickets leave out, or are to."""
    version = (known or standard()).at(day_of(site, asked.start))
    limits = version.causes[asked.cause]
    zh, en = limits.name.zh, limits.name.en
    if (us := asked.end - asked.start) > limits.longest_h * HOUR_US:
        return Name(
            f"{zh}：一张工单最长 {limits.longest_h:g} 小时，申请了 {_hours(us)} 小时",
            f"{en}: a ticket lasts {limits.longest_h:g} h at most, and {_hours(us)} h are asked for",
        )
    if at - asked.start > limits.asked_within_h * HOUR_US:
        late = _hours(at - asked.start)
        if not limits.asked_within_h:
            return Name(
                f"{zh}须事先申请，该时段 {late} 小时前已开始",
                f"{en} is asked for before it begins, and this began {late} h ago",
            )
        return Name(
            f"{zh}须在开始后 {limits.asked_within_h:g} 小时内申请，该时段 {late} 小时前已开始",
            f"{en} is asked for within {limits.asked_within_h:g} h of its beginning, and this began {late} h ago",
        )
    if (many := _most_on_a_day(asked, others, site)) >= version.most_a_day:
        return Name(
            f"同一单元同一天最多 {version.most_a_day} 张工单，已有 {many} 张",
            f"a unit has {version.most_a_day} tickets that begin on one day at most, and there are {many}",
        )
    same = spans([asked, *(left for left in others if left.cause is asked.cause)])
    every = spans([asked, *others])
    for label, start, end in _months(site, asked.start, asked.end):
        for unit in sorted(asked.units):
            for of, most, what in (
                (same, limits.most_of_month, Name(zh, en)),
                (every, version.most_of_month, Name("各类原因合计", "all causes together")),
            ):
                taken, allowed = of[unit].within(start, end).us(), round(most * (end - start))
                if taken > allowed:
                    part = f"{most:.0%}"
                    return Name(
                        f"{unit[1]} 在 {label} 因{what.zh}剔除 {_hours(taken)} 小时，"
                        f"超过当月的 {part}（{_hours(allowed)} 小时）",
                        f"{unit[1]}: {what.en} would leave out {_hours(taken)} h of {label}, "
                        f"over {part} of the month ({_hours(allowed)} h)",
                    )
    return None


def too_late(left: Left, at: int, site: Site, known: Exclusions | None = None) -> Name | None:
    """Why what a ticket leaves out is not approved any more at `at` (µs UTC): who knows how the time came out must not
    choose what of it counts. None where it may be."""
    limits = (known or standard()).at(day_of(site, left.start)).causes[left.cause]
    if at - left.end <= limits.approved_within_h * HOUR_US:
        return None
    within, late = f"{limits.approved_within_h:g}", _hours(at - left.end)
    return Name(
        f"{limits.name.zh}须在结束后 {within} 小时内批准，该时段 {late} 小时前已结束",
        f"{limits.name.en} is approved no later than {within} h after it ends, and this ended {late} h ago",
    )


def _most_on_a_day(asked: Left, others: Sequence[Left], site: Site) -> int:
    """Of the units that are asked for: the most tickets that one has that begin on the same day."""
    day = day_of(site, asked.start)
    that = [left for left in others if left.units & asked.units and day_of(site, left.start) == day]
    return max((sum(unit in left.units for left in that) for unit in asked.units), default=0)


def of_day(many: Mapping[int, Left], start: int, end: int) -> dict[int, Left]:
    """By ticket: what of each lies in [start, end); those of which nothing does are left out."""
    cut = {
        ticket: Left(left.cause, left.units, max(left.start, start), min(left.end, end))
        for ticket, left in many.items()
    }
    return {ticket: left for ticket, left in sorted(cut.items()) if left.start < left.end}


def _months(site: Site, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The months, of the mine's days, that [start, end) touches: (2026-03, start, end) µs UTC."""
    month = day_of(site, start).replace(day=1)
    while (begin := bounds(site, month)[0]) < end:
        following = (month + datetime.timedelta(days=32)).replace(day=1)
        yield f"{month:%Y-%m}", begin, bounds(site, following)[0]
        month = following


def _hours(us: int) -> str:
    return f"{us / HOUR_US:.1f}".removesuffix(".0")
