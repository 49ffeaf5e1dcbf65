"""Reports out of kept days: the same days give the same content, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from models.energy.day import EnergyDay
from models.kpi.city import city, step
from models.kpi.day import MineDay
from models.kpi.findings import FindingsDay
from models.kpi.period import Mine, Period, daily, month_days, period
from models.kpi.targets import belt_target
from models.production.day import ProductionDay
from models.report import bureau, energy, utilisation, words
from models.report.content import Content, KeyFigure, Kind, Source, Table
from models.report.received import received
from models.site.model import Name
from models.utilisation.rules import Version, standard

UTILISATION, ENERGY, PRODUCTION, FINDINGS = "utilisation", "energy", "production", "findings"
SECTIONS = (UTILISATION, ENERGY, PRODUCTION, FINDINGS)
"""Of kept days, those that reports are made of."""
TREND_MONTHS = 6
MOST_DAYS = 31
"""Of a period, and so of a month."""


class ReportRefused(Exception):
    """No report can be made as asked. `zh`, `en`: why, and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Order:
    """`first` to `last`, both included: one day of a shift's or daily report, a month or part of one of a bureau's, up
    to 31 days of a monthly one.
    `shift`: the key of the stretch (`models.kpi.calendar`), "" of other reports."""

    kind: Kind
    mines: tuple[str, ...]
    first: date
    last: date
    shift: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A kept document of a day that is over; `received`: from another platform, ready-made."""

    revision: int
    digest: str
    document: str
    received: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """What is kept of a mine, by section and day. `shifts`: names of its shifts by their keys."""

    mine: Mine
    papers: Mapping[str, Mapping[date, Paper]]
    shifts: Mapping[str, Name] = field(default_factory=dict)


def wanted(order: Order) -> tuple[date, date]:
    """From when until when days are needed: a bureau's report looks at the months before as well."""
    if order.kind is Kind.BUREAU:
        return bureau.months_until(order.last, TREND_MONTHS)[0], order.last
    return order.first, order.last


def build(order: Order, material: Sequence[Material], program: str) -> Content:
    """The content of a report. `program`: the version that makes it. Raises ReportRefused."""
    check(order)
    version = standard().at(order.last)
    if version is None:
        raise ReportRefused("当日尚无口径", "no rules were in force on that day")
    days = {each.mine.code: _days(each) for each in material}
    made = (_of_city if order.kind is Kind.BUREAU else _of_mine)(order, material, days, version)
    keys, tables, judged = made
    versions = {
        "rules": ", ".join(sorted({day.rules for day in judged})),
        "standing": version.version,
        "site": ", ".join(sorted({f"{day.mine}:{day.site[:12]}" for day in judged})),
        "program": program,
    }
    if order.kind is Kind.BUREAU and (target := belt_target(order.last)) is not None:
        versions["belts"] = target.version
    first, last = wanted(order)
    return Content(
        order.kind,
        _title(order, material),
        tuple(each.mine for each in material),
        order.first,
        order.last,
        order.shift,
        {} if order.kind is Kind.BUREAU else _shifts(order, material[0]),
        keys,
        tables,
        words.utilisation_definitions(version),
        (*_left_out(order, material), *received(_received(order, material))),
        versions,
        tuple(sorted(_sources(material, first, last))),
    )


def until_over(order: Order, over: date) -> Order:
    """The same as far as days are over, the last of them `over`: what is still to come lacks nothing. Raises
    ReportRefused where none is."""
    if order.last <= over:
        return order
    if order.first > over:
        raise ReportRefused(
            f"{order.first} 尚未结束，须待其结束后编制", f"{order.first} is not over yet: a report is of days that are"
        )
    return replace(order, last=over)


def check(order: Order) -> None:
    """Raises ReportRefused for an order that makes no sense."""
    if order.first > order.last or (order.last - order.first).days >= MOST_DAYS:
        raise ReportRefused(f"报表期须为1至{MOST_DAYS}天", f"a report is of 1 to {MOST_DAYS} days")
    if order.kind is Kind.BUREAU and (order.first.year, order.first.month) != (order.last.year, order.last.month):
        raise ReportRefused(
            "市局报表只含一个月（或其部分），跨月请分别编制",
            "a bureau's report is of one month or part of one: make one for each month",
        )
    if order.kind in (Kind.SHIFT, Kind.DAILY) and order.first != order.last:
        raise ReportRefused("班报、日报只含一天", "a shift's or daily report is of one day")
    if (order.kind is Kind.SHIFT) != bool(order.shift):
        raise ReportRefused("班报须写明班次，其他报表不写", "a shift's report names the shift, and no other does")
    if not order.mines or len(set(order.mines)) < len(order.mines):
        raise ReportRefused("须写明煤矿，且不重复", "name the mines, each once")
    if order.kind is not Kind.BUREAU and len(order.mines) > 1:
        raise ReportRefused("该报表只含一座煤矿", "this report is of one mine")


Made = tuple[tuple[KeyFigure, ...], tuple[Table, ...], list[MineDay]]


def _of_mine(
    order: Order, material: Sequence[Material], days: Mapping[str, Mapping[date, MineDay]], version: Version
) -> Made:
    own = material[0]
    span = _span(order)
    judged = [days[own.mine.code][day] for day in span if day in days[own.mine.code]]
    if not judged:
        raise ReportRefused(
            f"{own.mine.code} 在该期没有留存的（已结束的）日子",
            f"of {own.mine.code} no day of that time that is over is kept",
        )
    if order.shift:
        judged = [utilisation.only_shift(day, order.shift) for day in judged]
        if not any(day.units for day in judged):
            raise ReportRefused(f"当日没有班次 {order.shift}", f"that day has no shift {order.shift}")
    found = period(own.mine, span, daily(judged), version)
    series = (
        [utilisation.by_day(span, judged, version)]
        if order.kind is Kind.MONTHLY
        else []
        if order.shift
        else [utilisation.by_shift(judged, _shifts(order, own), version)]
    )
    tables = (
        utilisation.categories(found.figure, version),
        *series,
        utilisation.units(span, judged, version),
        utilisation.reasons(judged, version),
        utilisation.excluded(judged, version),
        *_beside(order, own, judged, version),
    )
    return utilisation.key_figures(found, version), tables, judged


def _of_city(
    order: Order, material: Sequence[Material], days: Mapping[str, Mapping[date, MineDay]], version: Version
) -> Made:
    span = _span(order)
    periods = _periods(material, days, span, version)
    if not any(each.kept for each in periods):
        raise ReportRefused("该期没有任何煤矿的日子", "of no mine a day of that time that is over is kept")
    found = city(periods, version, belt_target(order.last))
    steps = []
    *before, _ = bureau.months_until(order.last, TREND_MONTHS)
    for of_month in (
        *(_periods(material, days, month_days(first.year, first.month), version) for first in before),
        periods,
    ):
        if any(each.kept for each in of_month):
            steps.append(step(of_month, version))
    told = [table for table in (bureau.belts(found),) if table is not None]
    tables = (
        bureau.ranking(found),
        bureau.not_assessable(found),
        *told,
        bureau.group_times(found),
        bureau.mine_times(found),
        *_beside_all(order, material),
        bureau.trend(steps),
    )
    judged = [day for of in days.values() for day in of.values() if order.first <= day.day <= order.last]
    return bureau.key_figures(found), tables, judged


def _beside(order: Order, own: Material, judged: Sequence[MineDay], version: Version) -> list[Table]:
    """Of the other sections that are kept; a shift's report is of utilisation alone."""
    units = [unit for day in judged for unit in day.units]
    names = {unit.equipment[0]: unit.name for unit in units if len(unit.equipment) == 1}
    names |= {unit.id: unit.name for unit in units}
    found: list[Table] = []
    if order.kind is Kind.SHIFT:
        return found
    papers = own.papers.get(FINDINGS, {})
    if looked := [FindingsDay.read(papers[day].document) for day in _span(order) if day in papers]:
        found.append(utilisation.findings(looked, names, version))
    expected = len(_span(order))
    if used := _energy(order, own):
        found += [energy.energy(used, expected), energy.by_system(used, expected)]
    if ran := _production(order, own):
        found += [energy.machines(ran, names, expected), energy.stoppages(ran, names, expected)]
    return found


def _beside_all(order: Order, material: Sequence[Material]) -> list[Table]:
    told = [(each.mine.name, _energy(order, each), _production(order, each)) for each in material]
    return [energy.mines(told, len(_span(order)))] if any(used or ran for _, used, ran in told) else []


def _energy(order: Order, own: Material) -> list[EnergyDay]:
    papers = own.papers.get(ENERGY, {})
    return [EnergyDay.read(papers[day].document) for day in _span(order) if day in papers]


def _production(order: Order, own: Material) -> list[ProductionDay]:
    papers = own.papers.get(PRODUCTION, {})
    return [ProductionDay.read(papers[day].document) for day in _span(order) if day in papers]


def _shifts(order: Order, own: Material) -> dict[str, Name]:
    """By their keys: as they are given, or as the days of production tell them."""
    told = {key: Name(zh, en) for day in _production(order, own) for key, zh, en, *_ in day.stretches}
    return told | dict(own.shifts)


def _left_out(order: Order, material: Sequence[Material]) -> tuple[Name, ...]:
    """What a reader might look for and does not find."""
    if order.kind is Kind.SHIFT:
        return (
            Name(
                "班报不含能耗、产量与检查发现，见日报。",
                "Energy, production, findings: see the daily report.",
            ),
        )
    found = []
    looked_for = [(ENERGY, "能耗与碳排放", "energy and carbon"), (PRODUCTION, "产量", "production")]
    if order.kind is not Kind.BUREAU:
        looked_for.append((FINDINGS, "检查发现", "findings of the checks"))
    for section, zh, en in looked_for:
        away = [each.mine.name for each in material if not set(_span(order)) & set(each.papers.get(section, {}))]
        if away:
            of_zh, of_en = "、".join(each.zh for each in away), ", ".join(each.en for each in away)
            found.append(Name(f"{zh}：本期没有留存 {of_zh} 的日数据。", f"No day of {en} is kept of {of_en}."))
    return tuple(found)


def _received(order: Order, material: Sequence[Material]) -> dict[Name, set[date]]:
    """By the name of each mine, the days of the report that were received."""
    span = set(_span(order))
    return {
        own.mine.name: {
            day for papers in own.papers.values() for day, paper in papers.items() if paper.received and day in span
        }
        for own in material
    }


def _periods(
    material: Sequence[Material], days: Mapping[str, Mapping[date, MineDay]], span: Sequence[date], version: Version
) -> list[Period]:
    return [period(each.mine, span, daily(days[each.mine.code].values()), version) for each in material]


def _days(material: Material) -> dict[date, MineDay]:
    papers = material.papers.get(UTILISATION, {})
    return {day: MineDay.read(papers[day].document) for day in sorted(papers)}


def _sources(material: Iterable[Material], first: date, last: date) -> Iterable[Source]:
    for each in material:
        for section, papers in each.papers.items():
            for day, paper in papers.items():
                if first <= day <= last:
                    yield Source(each.mine.code, section, day, paper.revision, paper.digest)


def _span(order: Order) -> tuple[date, ...]:
    return tuple(date.fromordinal(at) for at in range(order.first.toordinal(), order.last.toordinal() + 1))


def _title(order: Order, material: Sequence[Material]) -> Name:
    whole = order.first.day == 1 and order.last == month_days(order.last.year, order.last.month)[-1]
    month = ("月报", "monthly report") if whole else ("报表（部分月份）", "report of part of a month")
    if order.kind is Kind.BUREAU:
        return Name(f"煤矿智能化设备使用率{month[0]}", f"Utilisation of intelligent equipment in the mines: {month[1]}")
    own = material[0].mine.name
    zh, en = {
        Kind.SHIFT: ("智能化设备使用率班报", "utilisation of intelligent equipment, shift report"),
        Kind.DAILY: ("智能化设备使用率日报", "utilisation of intelligent equipment, daily report"),
        Kind.MONTHLY: (f"智能化设备使用率{month[0]}", f"utilisation of intelligent equipment, {month[1]}"),
    }[order.kind]
    return Name(f"{own.zh}{zh}", f"{own.en}: {en}")
