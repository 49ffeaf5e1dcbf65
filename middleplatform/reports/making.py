"""Reports out of the book: the days of an order gathered, the content built, recorded and drawn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from zoneinfo import ZoneInfo

from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.reports import record, xlsx
from middleplatform.reports.language import Language
from middleplatform.reports.record import Report
from models.kpi.period import Mine
from models.report.build import SECTIONS, Material, Order, Paper, ReportRefused, build, until_over, wanted
from models.report.content import Content, Kind
from models.site.model import Name


class File(StrEnum):
    """What a report is drawn as."""

    XLSX = "xlsx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Made:
    report: Report
    content: Content


def make(
    where: Place, order: Order, who: str, shifts: Mapping[str, Mapping[str, Name]] | None = None, at: int | None = None
) -> Made:
    """Make a report of what is kept now, and record it; one that reaches further ends with the last day that is over at
    all its mines. `shifts`: mine → names of its shifts; `at`: µs UTC, now by
    default. Raises ReportRefused."""
    named = shifts or {}
    known = {each.mine: each for each in book.mines(where)}
    if unknown := [mine for mine in order.mines if mine not in known]:
        raise ReportRefused(f"没有煤矿 {unknown[0]} 的数据", f"nothing is kept of a mine {unknown[0]}")
    now = time.time_ns() // 1000 if at is None else at
    order = until_over(order, min((_over(known[mine], now) for mine in order.mines), default=order.last))
    first, last = wanted(order)
    material = [
        Material(
            Mine(mine, own.name, own.capacity_kt, own.gas_class or "", own.belt_central),
            _newest(where, mine, first, last),
            named.get(mine, {}),
        )
        for mine, own in ((mine, known[mine]) for mine in sorted(order.mines))
    ]
    content = build(order, material, program())
    return Made(record.keep(where, content, who, at), content)


def program() -> str:
    """Which version this is."""
    return version("sevenones")


def again(where: Place, report: Report) -> tuple[Content, Content]:
    """What a report said, and what the very same days say now, under the name of the program that made it. Raises
    ReportRefused, and LookupError where a day that it was made of is not kept any more."""
    said = record.content_of(where, report.code)
    papers: dict[str, dict[str, dict[date, Paper]]] = {mine.code: {} for mine in said.mines}
    for each in said.sources:
        kept = book.revisions(where, each.mine, each.section, each.day)
        found = next((one for one in kept if one.digest == each.digest and not one.provisional), None)
        if found is None:
            raise LookupError(f"{each.mine} {each.section} {each.day}: {each.digest[:12]}")
        own = papers[each.mine].setdefault(each.section, {})
        own[each.day] = Paper(each.revision, found.digest, found.document, found.received_at is not None)
    order = Order(said.kind, report.mines, said.first, said.last, said.shift)
    material = [Material(mine, papers[mine.code], said.shifts) for mine in said.mines]
    return said, build(order, material, said.versions.get("program", ""))


def newer(where: Place, content: Content) -> list[tuple[str, str, date]]:
    """(mine, section, day) of which another revision is kept now, or one at all."""
    first, last = wanted(Order(content.kind, (), content.first, content.last))
    had = {(each.mine, each.section, each.day): each.digest for each in content.sources}
    return [
        (mine.code, section, day)
        for mine in content.mines
        for section, papers in _newest(where, mine.code, first, last).items()
        for day, paper in papers.items()
        if had.get((mine.code, section, day)) != paper.digest
    ]


def received(where: Place, content: Content) -> dict[str, int]:
    """Of each mine of a report, how many of its days came ready-made from another platform, where any did."""
    had = {(each.mine, each.day, each.digest) for each in content.sources}
    first, last = wanted(Order(content.kind, (), content.first, content.last))
    found = {
        mine.code: {day for day, own in book.received(where, mine.code, first, last) if (mine.code, day, own) in had}
        for mine in content.mines
    }
    return {mine: len(days) for mine, days in found.items() if days}


def draw(content: Content, file: File, language: Language, made_at: int) -> bytes:
    """A report's file. Raises FontMissing."""
    if file is File.XLSX:
        return xlsx.draw(content, language, made_at)
    from middleplatform.reports import pdf

    return pdf.draw(content, language, made_at)


def file_name(content: Content, file: File, language: Language) -> str:
    """Plain letters, for any file system."""
    who = "" if content.kind is Kind.BUREAU else f"-{content.mines[0].code}"
    span = content.first.isoformat() if content.first == content.last else f"{content.first}_{content.last}"
    shift = f"-{content.shift}" if content.shift else ""
    return f"{content.kind}{who}-{span}{shift}-{language}.{file}"


def _over(mine: book.Mine, now: int) -> date:
    """The last day that is over by the mine's clock, midnight to midnight."""
    local = datetime.fromtimestamp(now // 1_000_000, UTC).astimezone(ZoneInfo(mine.time_zone))
    return local.date() - timedelta(days=1)


def _newest(where: Place, mine: str, first: date, last: date) -> dict[str, dict[date, Paper]]:
    """Of days that are over: a day that is not is rewritten in place, and could never be verified."""
    found = {}
    for section in SECTIONS:
        kept = book.read(where, mine, section, first, last)
        papers = {
            day: Paper(each.revision, each.digest, each.document, each.received_at is not None)
            for day, each in kept.items()
            if not each.provisional
        }
        if papers:
            found[section] = papers
    return found
