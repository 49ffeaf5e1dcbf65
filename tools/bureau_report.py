"""Makes the bureau's example report of three mines, out of what their gateways would have told.

    python -m tools.bureau_report [--to docs/examples] [--days 2] [--home FOLDER]

Each of the simulated mines low, middle and high works so many days from 2 March 2026 on; utilisation, energy and output
of each day are made and kept as the platform does it, and the report is made of what was kept. It takes minutes.
--home: keep the book of figures there, and take from it the days that it has.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np

import simulators
from middleplatform.kpi import book
from middleplatform.kpi.sections import Section, sections
from middleplatform.kpi.utilisation_day import whole
from middleplatform.reports import making
from middleplatform.reports.language import Language
from middleplatform.reports.making import File
from models.counters import Counter
from models.kpi.calendar import bounds
from models.report.build import Order
from models.report.content import Kind
from models.site.model import Point, Site
from models.spans import Spans
from models.utilisation.signal import SILENCES, Signal
from sevenones.backfill.mine import site_of
from tests.models.utilisation.played import Played, play

MINES = Path(simulators.__file__).parent / "mines"
NAMES = ("low", "middle", "high")
FIRST = date(2026, 3, 2)
MADE_AT = 1_772_640_000_000_000
"""5 March 2026, 0:00 at the mines: an example is the same whenever it is made."""


@dataclass(frozen=True)
class Told:
    """What a played mine's gateways told, read as days are made: see `middleplatform.kpi.reading.Reader`."""

    played: Played

    def signals(
        self, points: Sequence[Point], start: int, end: int, _: Mapping[int, Sequence[float]] | None = None
    ) -> Mapping[int, Signal]:
        """All samples, whatever levels the rules ask of."""
        return {each.id: Signal.of(*self._told(each, start, end), each.silence_s) for each in points}

    def counters(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Counter]:
        return {
            each.id: Counter.of(*self._told(each, start, end), round(SILENCES * each.silence_s * 1e6))
            for each in points
        }

    def records(
        self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int, longest: int
    ) -> Mapping[str, Spans]:
        own = {
            unit.equipment[0]: self.played.patrols[unit.id]
            for unit in self.played.units
            if kind == "patrol" and unit.id in self.played.patrols and set(unit.equipment) <= set(equipment)
        }
        cut = {name: Spans(each.start, np.minimum(each.end, each.start + longest)) for name, each in own.items()}
        return {name: spans.within(start, end) for name, spans in cut.items()}

    def _told(self, point: Point, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ts, value, quality = self.played.columns[point.id]
        first, past = np.searchsorted(ts, (start, end))
        return ts[first:past], value[first:past], quality[first:past]


def keep_days(home: Path, mine: str, days: Sequence[date]) -> Site:
    """Let the book have these days of a mine, simulated where it has not."""
    site = site_of(MINES / mine, {})
    book.keep_mine(home, site.code, site.name, site.time_zone, float(site.capacity_kt), site.gas_class, at=MADE_AT)
    wanted = [each for each in sections() if each.name in (book.UTILISATION, book.ENERGY, book.PRODUCTION)]
    kept = [book.read(home, site.code, each.name, days[0], days[-1]) for each in wanted]
    if all(day in known for known in kept for day in days):
        return site
    with tempfile.TemporaryDirectory() as room:
        told = Told(play(mine, 24 * len(days), Path(room), more=lambda site: _points(site, wanted, days[0])))
        for day in days:
            start, end = bounds(site, day)
            for section in wanted:
                made = section.make(whole(site, day), told, home, day, end)
                by = book.Versions(made.rules, site.version[:64], version("sevenones"), made.rules_digest)
                at = end + 3_600_000_000
                book.keep(home, site.code, section.name, day, made.document, by, made.evidence, at=at)
            print(f"{mine} {day}: {(end - start) // 3_600_000_000} h", flush=True)
    return site


def _points(site: Site, wanted: Sequence[Section], day: date) -> list[Point]:
    """Of which the sections of a day are made."""
    needed = {point for section in wanted for point in section.reaches(site, day)}
    return [point for point in site.points if point.id in needed]


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--to", type=Path, default=Path("docs/examples"))
    given.add_argument("--days", type=int, default=2)
    given.add_argument("--home", type=Path)
    asked = given.parse_args()
    days = [FIRST + timedelta(days=at) for at in range(asked.days)]
    with tempfile.TemporaryDirectory() as room:
        home = asked.home or Path(room)
        home.mkdir(exist_ok=True)
        codes = tuple(keep_days(home, mine, days).code for mine in NAMES)
        made = making.make(home, Order(Kind.BUREAU, codes, days[0], days[-1]), "example", at=MADE_AT)
        asked.to.mkdir(parents=True, exist_ok=True)
        for language in (Language.ZH, Language.EN):
            for file in File:
                path = asked.to / making.file_name(made.content, file, language)
                path.write_bytes(making.draw(made.content, file, language, made.report.made_at))
                print(path)
        print(made.report.code)


if __name__ == "__main__":
    main()
