"""The sections of a day and their makers, in the order in which they are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from middleplatform.database import Place
from middleplatform.kpi import book, energy_day, findings_day, production_day, utilisation_day
from middleplatform.kpi.reading import Reader
from middleplatform.kpi.sites import Part
from models.kpi.calendar import Calendar
from models.site.model import Site
from models.utilisation.rules import standard
from models.utilisation.signal import hold
from models.utilisation.units import units

HOUR = 3_600_000_000
Reach = tuple[int, int]
"""µs before and after a day: what of a point a section of it is made of."""


@dataclass(frozen=True, slots=True)
class Made:
    """A section of a day. `rules`: the version, "" where it has none; `rules_digest`: what it said."""

    document: str
    rules: str = ""
    evidence: bytes | None = None
    rules_digest: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """`make`: of a day, from the versions of the site that held, to no later than an instant; `reaches`: of which
    points it is made, and how far around the day each is read."""

    name: str
    make: Callable[[Sequence[Part], Reader, Place, date, int], Made]
    reaches: Callable[[Site, date], Mapping[int, Reach]]

    def touched(
        self, site: Site, calendar: Calendar, points: Iterable[int], hours: Iterable[int], near: date
    ) -> set[date]:
        """The days of which something was written, an hour (since 1970, UTC) of a point each. `near`: by the rules of
        which day it is reckoned how far that matters."""
        reaches = self.reaches(site, near)
        found: dict[Reach, set[int]] = defaultdict(set)
        for point, hour in zip(points, hours, strict=True):
            if (reach := reaches.get(point)) is not None:
                found[reach].add(hour)
        days: set[date] = set()
        for (before, after), own in found.items():
            for hour in own:
                first = calendar.day_of(hour * HOUR - after)
                last = calendar.day_of((hour + 1) * HOUR - 1 + before)
                days |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
        return days


def sections() -> tuple[Section, ...]:
    """All of them."""
    return (
        Section(book.UTILISATION, _utilisation, _utilisation_reaches),
        Section(book.ENERGY, _whole(energy_day.make), energy_day.reaches),
        Section(book.PRODUCTION, _whole(production_day.make), production_day.reaches),
        Section(findings_day.FINDINGS, _whole(findings_day.make), _all_points),
    )


def _utilisation(parts: Sequence[Part], reader: Reader, where: Place, day: date, until: int) -> Made:
    evidence = utilisation_day.evidence(parts, reader, where, day, until)
    return Made(evidence.mine_day().document(), evidence.rules, evidence.pack(), evidence.rules_digest)


def _utilisation_reaches(site: Site, day: date) -> Mapping[int, Reach]:
    version = standard().at(day)
    found: dict[int, Reach] = {}
    for unit in units(site, version) if version is not None else ():
        reaches = version.categories[unit.category].reaches()  # type: ignore[union-attr] - there are units
        for pair, points in unit.points.items():
            before, after = reaches.get(pair, (0, 0))
            for point in points:
                known = found.get(point.id, (0, 0))
                found[point.id] = max(known[0], before + hold(point)), max(known[1], after + hold(point))
    return found


def _whole(
    make: Callable[[Site, Reader, Place, date, tuple[int, int]], str],
) -> Callable[[Sequence[Part], Reader, Place, date, int], Made]:
    """Of a section that knows no parts of a day: by the site as it was in the end."""
    return lambda parts, reader, where, day, until: Made(
        make(parts[-1].site, reader, where, day, (parts[0].start, parts[-1].end))
    )


def _all_points(site: Site, day: date) -> Mapping[int, Reach]:
    return {point.id: (hold(point), hold(point)) for point in site.points}
