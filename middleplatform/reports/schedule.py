"""Reports that make themselves (`reports.yaml`): which is due, each once, and a missed one made up for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from middleplatform.database import Place, connect
from middleplatform.database.tables.kpi import kpi_days as kept
from middleplatform.database.tables.reports import kpi_report_runs as table
from middleplatform.kpi import book
from middleplatform.reports import making
from middleplatform.reports.fonts import FontMissing
from middleplatform.reports.language import Language
from middleplatform.reports.making import File
from models.kpi.period import month_days
from models.report.build import Order, ReportRefused
from models.report.content import Kind
from models.site.model import Name
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Key, Strict, Text

FILE = "reports.yaml"
DAYS_BACK, MONTHS_BACK = 7, 2
"""How far back a missed report is made up for."""
WAIT = timedelta(days=7)
"""How long after its time a report of a month waits for days that are not kept; then it is made of those that are."""
WHO = "schedule"

Clock = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Entry(Strict):
    """One report: of the day before at `at`, of the month before on `day` at `at`, by the clock of the mine. `mines`:
    () for all that the book knows; `shifts`: keys, of a shift's report. `folder`: in the home, where not absolute."""

    name: Key
    kind: Literal["shift", "daily", "monthly", "bureau"]
    at: Clock = "08:00"
    day: Annotated[int, Field(ge=1, le=28)] = 1
    language: Literal["zh", "en", "both"] = "zh"
    files: Annotated[tuple[Literal["xlsx", "pdf"], ...], Field(min_length=1)] = ("xlsx", "pdf")
    folder: Text = "reports"
    mines: tuple[Annotated[str, Field(pattern="^[0-9A-Za-z]{1,12}$")], ...] = ()
    shifts: tuple[Annotated[str, Field(pattern="^([1-9]|rest)$")], ...] = ()

    @model_validator(mode="after")
    def _shifts(self) -> Self:
        if (self.kind == "shift") != bool(self.shifts):
            raise ValueError("'shifts' names the shifts of a shift's report, and is of no other")
        return self


class Schedule(Strict):
    reports: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [each.name for each in self.reports]
        if twice := sorted({each for each in names if names.count(each) > 1}):
            raise ValueError(f"two reports have the same name: {', '.join(twice)}")
        return self


@dataclass(frozen=True, slots=True)
class Due:
    """`period`: by which one run is known from another: a day or a month, the mine, the shift. `waits`: until when it
    waits for days that are not kept, by the mine's clock; None where it waits no longer."""

    entry: Entry
    period: str
    order: Order
    waits: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code`: "" where it could not be made, of which `why` tells."""

    due: Due
    code: str
    files: tuple[Path, ...] = ()
    why: str = ""


def read(text: str, file: str = FILE) -> Schedule:
    """A schedule out of YAML. Raises SiteErrors, with file and line."""
    problems = Problems()
    document = parse(text, file, problems)
    found = validate(Schedule, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found


def of_home(home: Path, site: Path | None = None) -> Schedule:
    """That of a home, or of the site's folder (by default the one in it); an empty one where there is none. Raises
    SiteErrors."""
    for path in (home / FILE, (site or home / "site") / FILE):
        if path.is_file():
            return read(path.read_text("utf-8"), path.name)
    return Schedule()


def due(schedule: Schedule, zones: Mapping[str, str], now: int, done: Collection[tuple[str, str]]) -> list[Due]:
    """What is to be made now, the oldest first. `zones`: mine → its time zone, of all that the book knows; `now`: µs
    UTC; `done`: (name, period) of what was made."""
    found = [each for entry in schedule.reports for each in _of_entry(entry, zones, now)]
    return sorted(
        (each for each in found if (each.entry.name, each.period) not in done),
        key=lambda each: (each.order.last, each.entry.name, each.period),
    )


def run(
    where: Place,
    home: Path,
    now: int,
    shifts: Mapping[str, Mapping[str, Name]] | None = None,
    site: Path | None = None,
) -> list[Outcome]:
    """Make what is due. What cannot be made yet is tried again until it is too long ago. `site`: the site's folder.
    Raises SiteErrors."""
    schedule = of_home(home, site)
    if not schedule.reports:
        return []
    zones = {each.mine: each.time_zone for each in book.mines(where)}
    return [
        Outcome(each, "", (), why) if (why := _waits(where, each, zones)) else _make(where, home, each, now, shifts)
        for each in due(schedule, zones, now, _done(where))
    ]


def _of_entry(entry: Entry, zones: Mapping[str, str], now: int) -> Iterator[Due]:
    # A mine that the book does not know, by a slip of the pen, is refused when the report is made, and so told.
    mines = tuple(sorted(entry.mines or zones))
    if not mines:
        return
    kind = Kind(entry.kind)
    at = datetime.fromtimestamp(now // 1_000_000, UTC)
    for group in [mines] if kind is Kind.BUREAU else [(mine,) for mine in mines]:
        # By the clock that is farthest behind: then the day is over at every mine.
        clocks = [zones[mine] for mine in group if mine in zones] or ["UTC"]
        local = min(at.astimezone(ZoneInfo(clock)).replace(tzinfo=None) for clock in clocks)
        of = "" if kind is Kind.BUREAU else f"/{group[0]}"
        for first, last, since in _spans(entry, kind, local):
            span = first.isoformat() if kind in (Kind.SHIFT, Kind.DAILY) else f"{first:%Y-%m}"
            waits = since + WAIT if first != last and local < since + WAIT else None
            for shift in entry.shifts or ("",):
                period = f"{span}{of}{shift and '/' + shift}"
                yield Due(entry, period, Order(kind, group, first, last, shift), waits)


def _spans(entry: Entry, kind: Kind, local: datetime) -> Iterator[tuple[date, date, datetime]]:
    """Days that are due, with the time from which they are."""
    clock = time.fromisoformat(entry.at)
    if kind in (Kind.SHIFT, Kind.DAILY):
        for back in range(1, DAYS_BACK + 1):
            day = local.date() - timedelta(days=back)
            if local >= (since := datetime.combine(day + timedelta(days=1), clock)):
                yield day, day, since
        return
    for back in range(1, MONTHS_BACK + 1):
        at = local.year * 12 + local.month - 1 - back
        days = month_days(at // 12, at % 12 + 1)
        if local >= (since := datetime.combine((days[-1] + timedelta(days=1)).replace(day=entry.day), clock)):
            yield days[0], days[-1], since


def _waits(where: Place, each: Due, known: Collection[str]) -> str:
    """Why a report is not made yet though it is due; "" where it is time."""
    order = each.order
    if each.waits is None or not set(order.mines) <= set(known):
        return ""
    query = (
        select(func.count())
        .select_from(kept)
        .where(
            kept.c.mine.in_(order.mines),
            kept.c.section == book.UTILISATION,
            kept.c.day.between(order.first.isoformat(), order.last.isoformat()),
            kept.c.superseded_at.is_(None),
            kept.c.provisional.is_(False),
        )
    )
    with connect(where).connect() as connection:
        there = connection.execute(query).scalar_one()
    lack = len(order.mines) * ((order.last - order.first).days + 1) - there
    until = f"{each.waits:%Y-%m-%d %H:%M}"
    return f"尚缺{lack}个矿·天，最迟等到 {until} · {lack} mine-days are lacking, waits until {until}" if lack else ""


def _make(where: Place, home: Path, each: Due, now: int, shifts: Mapping[str, Mapping[str, Name]] | None) -> Outcome:
    language = Language(each.entry.language)
    try:
        made = making.make(where, each.order, WHO, shifts, at=now)
        folder = home / each.entry.folder
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for file in map(File, each.entry.files):
            path = folder / f"{each.entry.name}-{making.file_name(made.content, file, language)}"
            partial = path.with_name(f".{path.name}.part")
            partial.write_bytes(making.draw(made.content, file, language, made.report.made_at))
            partial.replace(path)
            paths.append(path)
    except (ReportRefused, FontMissing, OSError) as wrong:
        return Outcome(each, "", (), str(wrong))
    except Exception as wrong:  # a day that cannot be read must not keep other reports from being made
        return Outcome(each, "", (), f"{type(wrong).__name__}: {wrong}"[:300])
    _note(where, each, made.report.code, now)
    return Outcome(each, made.report.code, tuple(paths))


def _done(where: Place) -> set[tuple[str, str]]:
    with connect(where).connect() as connection:
        return {(row.schedule, row.period) for row in connection.execute(select(table.c.schedule, table.c.period))}


def _note(where: Place, each: Due, code: str, now: int) -> None:
    values = {"schedule": each.entry.name, "period": each.period, "at": now, "code": code}
    try:
        with connect(where).begin() as connection:
            connection.execute(insert(table).values(values))
    except IntegrityError:  # another process made the same just now
        pass
