"""All mines of the book side by side, over a month and the months before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from middleplatform.database import Place
from middleplatform.kpi import book
from models.kpi.city import City, Step, city, step
from models.kpi.period import Daily, Mine, Period, month_days, period
from models.kpi.targets import belt_target
from models.utilisation.figure import Figure
from models.utilisation.rules import standard

LOOK_BACK = 6
"""Months, this one among them, in which the units of a mine that sends nothing are looked for."""


@dataclass(frozen=True, slots=True)
class View:
    """`trend`: the months before and this one, those of which any day is known. `until`: the last day that was looked
    at: a month that runs ends yesterday. `made_at`: when the newest of the month's days was made, µs UTC."""

    city: City
    trend: tuple[Step, ...]
    until: date
    made_at: int | None = None


class NothingToSee(Exception):
    """The month has not begun, or no rules were in force. `zh`, `en`: why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def view(where: Place, year: int, month: int, now: int, months: int = 6) -> View:
    """Of all mines that the book knows, in a month. `now`: µs UTC; `months`: of the trend. Raises NothingToSee,
    ValueError for a month that there is not."""
    days = month_days(year, month)
    known = book.mines(where)
    zones = [ZoneInfo(each.time_zone) for each in known] or [UTC]
    # The day that is over at every mine: by the clock of the one that is farthest behind.
    over = min(datetime.fromtimestamp(now / 1e6, zone).date() for zone in zones) - timedelta(days=1)
    span = tuple(day for day in days if day <= over)
    if not span:
        raise NothingToSee(f"{year}-{month:02} 尚无已结束的日子", f"no day of {year}-{month:02} is over yet")
    version = standard().at(span[-1])
    if version is None:
        raise NothingToSee("当时尚无口径", "no rules were in force then")
    mines = [Mine(e.mine, e.name, e.capacity_kt, e.gas_class or "", e.belt_central) for e in known]
    spans = [*(_month(days[0], -back) for back in range(months - 1, 0, -1)), span]
    daily = _daily(where, min(spans[0][0], _month(days[0], 1 - LOOK_BACK)[0]), span[-1])

    def periods(of: Sequence[date]) -> list[Period]:
        return [period(mine, of, daily.get(mine.code, {}), version) for mine in mines]

    each = [periods(of) for of in spans]
    steps = tuple(step(one, version) for one in each if any(mine.kept for mine in one))
    made_at = book.newest(where, book.UTILISATION, span[0], span[-1])
    return View(city(each[-1], version, belt_target(span[-1])), steps, span[-1], made_at)


def _month(first: date, by: int) -> tuple[date, ...]:
    at = first.year * 12 + first.month - 1 + by
    return month_days(at // 12, at % 12 + 1)


def _daily(where: Place, first: date, last: date) -> dict[str, Daily]:
    found: dict[str, dict[date, dict[str, Figure]]] = defaultdict(lambda: defaultdict(dict))
    for each in book.category_sums(where, None, first, last, "day"):
        found[each.mine][date.fromisoformat(each.period)][each.category] = each.figure
    return {mine: dict(days) for mine, days in found.items()}
