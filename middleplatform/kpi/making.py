"""The making of figures, one day after the other: today's while it goes on, closed days once, and again just those that
late data, a ticket, the site or the rules touched.

What is to be made follows from the book, the store and marks in the relational store alone. So who is killed in the
middle makes the same again, which changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib.metadata import version as installed
from traceback import format_tb
from typing import Any

import structlog

from middleplatform.database import Place
from middleplatform.kpi import book, sites
from middleplatform.kpi.book import Versions
from middleplatform.kpi.exclusions import touched
from middleplatform.kpi.marks import mark, marked
from middleplatform.kpi.mines import keep_mine, mines
from middleplatform.kpi.reading import MOST_EVENTS, Reader
from middleplatform.kpi.sections import Section, sections
from middleplatform.kpi.state import State
from middleplatform.kpi.utilisation_day import NoRules
from middleplatform.kpi.wishes import granted, wished
from middleplatform.store.client import StoreClient, StoreError, StoreUnavailable, until
from models.kpi.calendar import Calendar, days
from models.site.model import Site
from models.utilisation.rules import standard

log = structlog.get_logger("figures")

DAY = 86_400_000_000
HOUR = 3_600_000_000
SETTLE_US = 60_000_000
"""How far today's figures stay behind, for what is on its way."""
CLOSED_US = HOUR
"""So long after its end a day is closed: what comes later is late."""
RECENT_DAYS = 40
"""Late data of so many days is looked for each minute, older each hour."""
SLICE_US = 40 * DAY
"""So much is asked at once: even where every hour of every point changed, the store may answer it."""
LONGEST_DAYS = 3_660
"""So far back the store is asked for data."""
EVENT_DAYS = 8
"""So many closed days are looked through for events that came late."""
CHUNK_POINTS = 1_000
"""As many as the store answers for at once."""

Todo = tuple[date, str]
"""A day and the name of a section."""


class Making:
    """The figures of one mine. `round` is called each minute; it may take longer. Raises StoreError, DatabaseError and
    SQLAlchemyError, and goes on where it was the next time."""

    def __init__(
        self,
        where: Place,
        site: Site,
        client: StoreClient,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        own: tuple[Section, ...] | None = None,
    ) -> None:
        self.where, self.site, self.client, self.clock = where, site, client, clock
        self.reader = Reader(client)
        self.sections = {each.name: each for each in (own or sections())}
        self.state = State()
        self._due: set[Todo] = set()
        self._asked: dict[str, Any] = {}
        self._wished: set[date] = set()
        self._open_from: date | None = None
        self._begins = 0
        self._seen: dict[Todo, str] = {}
        self._old_looked = 0
        self._days: Calendar | None = None
        self._program = installed("sevenones")[:40]

    def adopt(self, site: Site) -> None:
        """Go on by this site, from now on."""
        self.site = site
        if sites.adopt(self.where, site, self.clock()):
            self._days = None
        central = next((each.belt_central for each in mines(self.where) if each.mine == site.code), None)
        facts = (site.name, site.time_zone, float(site.capacity_kt), site.gas_class, central)
        keep_mine(self.where, site.code, *facts)

    def round(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Make what is due, today's first; `going_on` is asked between two days."""
        now = self.clock()
        self.adopt(self.site)
        if (open_from := self._open_days(now)[0]) != self._open_from:
            self._due |= set(self._missing(now))
            self._open_from = open_from
        self._late(now)
        for day in self._open_days(now):
            for section in self.sections.values():
                self._open(section, day, now)
        for todo in sorted(self._due, key=lambda each: (each[0], each[1]), reverse=True):
            if not going_on() or self.clock() - now > DAY // 1440:
                self._tell()
                return  # today's figures come first again
            self._make(self.sections[todo[1]], todo[0], provisional=False)
            self._due.discard(todo)
            self._tell()
        # Not before all is made that it led to: who is killed until then is told the same again.
        for name, value in self._asked.items():
            mark(self.where, self.site.code, name, value, now)
        granted(self.where, self.site.code, self._wished)
        self._wished = set()
        self._tell()

    def _calendar(self) -> Calendar:
        """The mine's days, also those before its shifts were changed."""
        if self._days is None:
            self._days = sites.calendar(self.where, self.site)
        return self._days

    def _tell(self) -> None:
        self.state.due = len(self._due)
        self.state.oldest = min(day for day, _ in self._due).isoformat() if self._due else ""
        self.state.tell(self.where, self.site.code, self.clock())

    def _closed(self, day: date, now: int) -> bool:
        return self._calendar().bounds(day)[1] + CLOSED_US <= now

    def _open_days(self, now: int) -> list[date]:
        """Today, and yesterday while it is not closed, which goes before."""
        today = self._calendar().day_of(now - SETTLE_US)
        return [day for day in (today - timedelta(days=1), today) if not self._closed(day, now)]

    def _missing(self, now: int) -> Iterator[Todo]:
        """Closed days that have data and are not kept, or were made by rules that hold no longer or say others now."""
        first = self._first(now)
        self._begins = now if first is None else self._calendar().bounds(first)[0]
        last = self._open_days(now)[0] - timedelta(days=1)
        if first is None or first > last:
            return
        for name in self.sections:
            kept = book.read(self.where, self.site.code, name, first, last)
            for day in days(first, last):
                found = kept.get(day)
                wrong = found is not None and found.versions.rules != "" and not _in_force(found.versions, day)
                if found is None or found.provisional or wrong:
                    yield day, name

    def _first(self, now: int) -> date | None:
        """The first day with data that any figure is made of."""
        start, end = now - LONGEST_DAYS * DAY, now
        needed = sorted(self.sections[book.UTILISATION].reaches(self.site, self._calendar().day_of(now)))
        found = self._with_data(needed, start, end)
        if not found:
            return None
        day = self._calendar().day_of(min(found) * DAY)
        # The store's days are UTC's: the first one may have begun in the middle of one of the mine's, before any data.
        return day if self._with_data(needed, *self._calendar().bounds(day)) else day + timedelta(days=1)

    def _with_data(self, points: list[int], start: int, end: int) -> set[int]:
        """The days (UTC, since 1970) that have samples of them in [start, end), µs UTC."""
        return {
            int(number)
            for first in range(0, len(points), CHUNK_POINTS)
            for number in self.client.days(points[first : first + CHUNK_POINTS], start, end).column("day").to_pylist()
        }

    def _late(self, now: int) -> None:
        """Let closed days be due of which something was written or decided since they were looked at."""
        recent = now - RECENT_DAYS * DAY
        self._written("changed", recent, self._closing(now))
        if now - self._old_looked > HOUR:
            self._written("changed_before", min(self._begins, recent - DAY), recent)
            self._events(now)
            self._old_looked = now
        wishes = wished(self.where, self.site.code) - self._wished
        self._wished |= wishes
        self._due |= {(day, name) for day in wishes for name in self.sections if self._closed(day, now)}
        decided = touched(self.where, self.site.code, self._calendar(), self._last("tickets", now))
        self._due |= {(day, book.UTILISATION) for day in decided if self._closed(day, now)}
        self._asked["tickets"] = now

    def _last(self, name: str, first: Any) -> Any:
        """How far it was asked; `first` the first time."""
        if name not in self._asked:
            known = marked(self.where, self.site.code, name)
            self._asked[name] = first if known is None else known[1]
        return self._asked[name]

    def _closing(self, now: int) -> int:
        """The end of the last closed day, and as far after it as one is looked at."""
        return self._calendar().bounds(self._open_days(now)[0])[0] + HOUR

    def _written(self, name: str, start: int, end: int) -> None:
        """Samples. The first time nothing is asked, as all that there is will be made in any case."""
        since = self._last(name, None)
        ids = [point.id for point in self.site.points]
        versions = []
        for first in range(0, len(ids), CHUNK_POINTS):
            some = ids[first : first + CHUNK_POINTS]
            if since is None:
                versions.append(until(self.client.changed(some[:1], end - HOUR, end, 0)))
                break
            for begin in range(start, end, SLICE_US):
                told = self.client.changed(some, begin, min(begin + SLICE_US, end), since)
                versions.append(until(told))
                self._touch(*(told.column(column).to_pylist() for column in ("point", "hour")))
        self._asked[name] = min(versions, default=0)

    def _events(self, now: int) -> None:
        """Events that conditions ask for: a day of which other ones are told than before is due. The store does not say
        when an event came, so they are looked through."""
        version = standard().at(self._calendar().day_of(now))
        if version is None:
            return
        kinds = {kind for category in version.categories.values() for kind in category.during()}
        reach = (
            max(sum(category.reach()) for category in version.categories.values() if category.during()) if kinds else 0
        )
        last = self._open_days(now)[0]
        asked = list(days(last - timedelta(days=EVENT_DAYS), last - timedelta(days=1)))
        known = dict(self._last("events", {}))
        found = {}
        for day in asked:
            start, end = self._calendar().bounds(day)
            told = [self.client.events(None, kind, start - reach, end + reach, MOST_EVENTS) for kind in sorted(kinds)]
            rows = json.dumps([[r["id"], r["start"], r["end"]] for table in told for r in table.to_pylist()])
            found[day.isoformat()] = hashlib.sha256(rows.encode()).hexdigest()
        self._due |= {
            (date.fromisoformat(day), book.UTILISATION) for day, seen in found.items() if known.get(day, seen) != seen
        }
        self._asked["events"] = found

    def _touch(self, points: list[int], hours: list[int]) -> None:
        now = self.clock()
        for section in self.sections.values():
            found = (
                section.touched(self.site, self._calendar(), points, hours, self._calendar().day_of(now))
                if points
                else set()
            )
            self._due |= {(day, section.name) for day in found if self._closed(day, now) and self._has_begun(day)}

    def _has_begun(self, day: date) -> bool:
        """Whether there are data of that day or an earlier one. What is told later can reach back to a day before all
        data, of which there is nothing to tell."""
        start, end = self._calendar().bounds(day)
        return start >= self._begins or bool(self._with_data([point.id for point in self.site.points], start, end))

    def _open(self, section: Section, day: date, now: int) -> None:
        """Make a day that goes on, if anything came since."""
        newest = self.client.latest(sorted(section.reaches(self.site, day)))
        seen = hashlib.sha256(newest.column("ts").to_numpy().tobytes()).hexdigest()
        if self._seen.get((day, section.name)) != seen:
            self._make(section, day, provisional=True)
            self._seen = {key: value for key, value in self._seen.items() if key[0] >= day} | {
                (day, section.name): seen
            }

    def _make(self, section: Section, day: date, provisional: bool) -> None:
        began = time.monotonic()
        start, end = self._calendar().bounds(day)
        came_to = min(end, self.clock() - SETTLE_US) if provisional else end
        if came_to <= start:
            return
        try:
            parts = sites.parts(self.where, self.site.code, start, end)
            made = section.make(parts, self.reader, self.where, day, came_to)
        except NoRules:
            return
        except StoreUnavailable:
            raise
        except (StoreError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # One day that cannot be made must not keep the others waiting.
            words = f"{day} {section.name}: {type(error).__name__} {error}"[:200]
            log.error(
                "指标无法计算 · a figure cannot be made", what=words, where="".join(format_tb(error.__traceback__)[-3:])
            )
            self.state.broken = tuple(sorted({*self.state.broken, words}))[-20:]
            return
        versions = Versions(made.rules, parts[-1].site.version[:64], self._program, made.rules_digest)
        at = self.clock()
        kept = book.keep(
            self.where, self.site.code, section.name, day, made.document, versions, made.evidence, provisional, at
        )
        fresh = kept.made_at == at
        self.state.broken = tuple(each for each in self.state.broken if not each.startswith(f"{day} {section.name}:"))
        self.state.made += 1
        self.state.revised += fresh and kept.revision > 1
        self.state.last_made, self.state.seconds = at, round(time.monotonic() - began, 3)
        if fresh and not provisional:
            log.info("指标已计算 · made", day=day.isoformat(), section=section.name, revision=kept.revision)


def _in_force(made: Versions, day: date) -> bool:
    """Whether it was made by the rules of that day as they are now."""
    rules = standard().at(day)
    return rules is not None and (made.rules, made.rules_digest) == (rules.version, rules.digest)
