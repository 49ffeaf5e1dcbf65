"""The mine's own day and its shifts, as instants.

A day begins with the first of the site's shifts, at midnight where it has none; so a shift that passes midnight belongs
to one day, whole. A day of 23 or 25 hours, where clocks are set, is one as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.site.model import Name, Site

REST = "rest"
"""The key of the hours of a day that lie in no shift."""
NO_SHIFT = Name("班外", "outside of shifts")
Span = tuple[int, int]
"""[start, end) of a day, µs UTC."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day: `start` to before `end`, µs UTC. `key`: the shift's number in the site's order from "1" on, or
    `REST`, of which there may be several."""

    key: str
    name: Name
    start: int
    end: int


def bounds(site: Site, day: date) -> tuple[int, int]:
    """[start, end) of a day of the mine, µs UTC."""
    return _begins(site, day), _begins(site, day + timedelta(days=1))


def day_of(site: Site, at: int) -> date:
    """The day of the mine that an instant (µs UTC) lies in."""
    day = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(site.time_zone)).date()
    return day if at >= _begins(site, day) else day - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a mine whose shifts or time zone changed. `held`: (a site, until when it held, µs UTC), in order, the
    last of them for ever. A day begins by the clock that was in force then; so the one before it lasts until it does,
    and each instant lies in one day."""

    held: tuple[tuple[Site, float], ...]

    def bounds(self, day: date) -> tuple[int, int]:
        """[start, end) of a day of the mine, µs UTC."""
        return self._begins(day), self._begins(day + timedelta(days=1))

    def day_of(self, at: int) -> date:
        """The day of the mine that an instant (µs UTC) lies in."""
        day = datetime.fromtimestamp(at // 1_000_000, UTC).date() + timedelta(days=2)  # whatever the time zone
        while at < self._begins(day):
            day -= timedelta(days=1)
        return day

    def _begins(self, day: date) -> int:
        return next(begin for site, until in self.held if (begin := _begins(site, day)) < until)


def days(first: date, last: date) -> Iterator[date]:
    """All from the first to the last, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def stretches(site: Site, day: date, span: Span | None = None) -> tuple[Stretch, ...]:
    """The shifts of a day, and what of it lies between them, in order: together the whole day, none of it twice.
    `span`: where the day does not begin and end as this site says."""
    start, end = span or bounds(site, day)
    found: list[Stretch] = []
    reached = start
    for key, name, begin, finish in sorted(_shifts(site, day), key=lambda each: each[2]):
        if begin >= end:
            break
        if begin > reached:
            found.append(Stretch(REST, NO_SHIFT, reached, begin))
        if (finish := min(finish, end)) > (begin := max(begin, reached)):
            found.append(Stretch(key, name, begin, finish))
        reached = max(reached, finish)
    if reached < end:
        found.append(Stretch(REST, NO_SHIFT, reached, end))
    return tuple(found)


def _shifts(site: Site, day: date) -> Iterator[tuple[str, Name, int, int]]:
    first = _first(site)
    for number, shift in enumerate(site.shifts, start=1):
        begin, finish = time.fromisoformat(shift.start), time.fromisoformat(shift.end)
        own = day + timedelta(days=begin < first)
        yield (
            str(number),
            shift.name,
            _instant(site, own, begin),
            _instant(site, own + timedelta(days=finish <= begin), finish),
        )


def _first(site: Site) -> time:
    return time.fromisoformat(site.shifts[0].start) if site.shifts else time()


def _begins(site: Site, day: date) -> int:
    return _instant(site, day, _first(site))


def _instant(site: Site, day: date, clock: time) -> int:
    return round(datetime.combine(day, clock, ZoneInfo(site.time_zone)).timestamp()) * 1_000_000
