"""A range of kept days, as the routes of figures ask for it and tell of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import date, timedelta
from typing import Any, Protocol, Self, TypeVar

import anyio
from fastapi import Request
from pydantic import BaseModel, Field

from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.routes import Asked
from middleplatform.kpi import book

MOST_DAYS = 366


class DaysQuery(Asked):
    """Days of the mine, both included."""

    first: date = Field(description="第一天 · the first day, as 2026-03-01")
    last: date = Field(description="最后一天（含） · the last day, with it")


class AmountFacts(BaseModel):
    """`value`: null where nothing is known of any of the time; `spread`: the part of it that was counted across gaps;
    `coverage`, `known`: the parts of all the time that was asked for in which it was heard, or its amount is known: of
    days that are not kept nothing is; `resets`, `dips`: how
    often the counters began again, and values that were left out; `leaps`: steps that a counter cannot have counted,
    which are unknown."""

    value: float | None
    spread: float
    coverage: float | None
    known: float | None
    resets: int
    dips: int
    leaps: int


class RatioFacts(BaseModel):
    """`over` / `per`, of the part of the time asked for in which both are known, `coverage`: so many `hours`; `value`:
    null where none is."""

    value: float | None
    over: float
    per: float
    coverage: float | None
    hours: float


class Range(BaseModel):
    """`days`: of which figures are kept, of so many `asked` for; `missing`: the others; `provisional`: days that were
    not over when they were made; `revisions`: day → the revision that was read; `made_at`: when the last of them was
    made, µs UTC; `partial`: made of what the caller may see, not of all of the mine."""

    mine: str
    partial: bool
    first: date
    last: date
    asked: int
    days: int
    missing: list[date]
    provisional: list[date]
    revisions: dict[str, int]
    made_at: int | None


class Day(Protocol):
    """What is kept of a day in a section."""

    def seen(self, points: Container[str], equipment: Container[str]) -> Self: ...


D = TypeVar("D", bound=Day)


async def figures(
    request: Request,
    catalogue: Catalogue,
    asked: DaysQuery,
    section: str,
    read: Callable[[str], D],
    told: Callable[[list[D]], dict[str, Any]],
) -> dict[str, Any]:
    """The range, and what `told` makes of its days in their order, as far as the caller may see them. Raises ApiError
    400 for a range that is none, or is too long."""
    if asked.last < asked.first:
        raise ApiError(400, "empty_range", "last 早于 first", "last is before first", "last")
    count = (asked.last - asked.first).days + 1
    if count > MOST_DAYS:
        words = f"最多 {MOST_DAYS} 天", f"the range has {count} days, at most {MOST_DAYS} are answered at once"
        raise ApiError(400, "too_many_days", *words, "last", limit=MOST_DAYS)
    where, mine = request.app.state.database, request.app.state.catalogue.site.code

    def look() -> dict[str, Any]:
        kept = book.read(where, mine, section, asked.first, asked.last)
        days = [read(each.document) for each in kept.values()]
        if not catalogue.scope.everything:
            points = {point.path for point in catalogue.site.points}
            days = [day.seen(points, catalogue.site.equipment) for day in days]
        wanted = [asked.first + timedelta(days=n) for n in range(count)]
        return {
            "mine": mine,
            "partial": not catalogue.scope.everything,
            "first": asked.first,
            "last": asked.last,
            "asked": count,
            "days": len(days),
            "missing": [day for day in wanted if day not in kept],
            "provisional": [day for day, each in kept.items() if each.provisional],
            "revisions": {day.isoformat(): each.revision for day, each in kept.items()},
            "made_at": max((each.made_at for each in kept.values()), default=None),
            **of_all_days(told(days), len(days), count),
        }

    return await anyio.to_thread.run_sync(look)


_PARTS = frozenset({"coverage", "known", "electricity_known", "methane_known", "power_on_known"})


def of_all_days(facts: Any, kept: int, asked: int) -> Any:
    """Facts of the days that are kept, with each part known as one of all the days asked for: a month of which one day
    is kept is known for a thirtieth at most, as reports say it too."""
    if isinstance(facts, Mapping):
        return {
            name: each * kept / asked if name in _PARTS and each is not None else of_all_days(each, kept, asked)
            for name, each in facts.items()
        }
    return [of_all_days(each, kept, asked) for each in facts] if isinstance(facts, list) else facts
