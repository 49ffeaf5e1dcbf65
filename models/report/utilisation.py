"""Tables of utilisation: by category, unit, day, shift; why time did not count; what was excluded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from models.kpi.day import MineDay, UnitDay
from models.kpi.findings import FindingsDay
from models.kpi.mine import MineFigure, by_category, mine_figure
from models.kpi.period import Period, missed
from models.report.content import Chart, Column, Form, KeyFigure, Table, Total, Value
from models.report.words import STANDING, category, clause, whys
from models.site.model import Name
from models.spans import Spans
from models.utilisation.figure import Figure
from models.utilisation.rules import Version

HOUR_US = 3_600_000_000
MOST_REASONS = 20
MOST_FINDINGS = 100
RATE = "{intelligent}/({intelligent}+{by_hand})"
LEAST = (
    "({intelligent}-{unsure})/({intelligent}+{by_hand}+{open}+{blind}+{blind_by_hand}+{unsure_idle}+{excluded_by_hand})"
)
_BEST = "{intelligent}+{open}+{blind}+{unsure_by_hand}+{unsure_idle}"
MOST = f"({_BEST})/({_BEST}+{{by_hand}}-{{unsure_by_hand}})"
COVERAGE = "({intelligent}+{by_hand})/({intelligent}+{by_hand}+{open}+{blind}+{blind_by_hand})"


def hours(us: int) -> float:
    """µs as hours."""
    return us / HOUR_US


TIME_COLUMNS = (
    Column("intelligent", Name("智能化 h", "intelligent h"), Form.HOURS, total=Total.SUM),
    Column("by_hand", Name("人工 h", "by hand h"), Form.HOURS, total=Total.SUM),
    Column("open", Name("方式不详 h", "producing, unknown how h"), Form.HOURS, total=Total.SUM),
    Column("blind", Name("是否生产不详 h", "unknown whether h"), Form.HOURS, total=Total.SUM),
    Column(
        "blind_by_hand",
        Name("是否生产不详、确为人工 h", "unknown whether, by hand if so h"),
        Form.HOURS,
        total=Total.SUM,
    ),
    Column("excluded", Name("剔除 h", "excluded h"), Form.HOURS, total=Total.SUM),
    Column("excluded_by_hand", Name("剔除中仍人工生产 h", "of it producing by hand h"), Form.HOURS, total=Total.SUM),
    Column("unsure", Name("智能化中时刻不定 h", "intelligent, near a change h"), Form.HOURS, total=Total.SUM),
    Column("unsure_by_hand", Name("人工中时刻不定 h", "by hand, near a change h"), Form.HOURS, total=Total.SUM),
    Column("unsure_idle", Name("停机中时刻不定 h", "idle, near a change h"), Form.HOURS, total=Total.SUM),
)


def rate_columns(total: Total) -> tuple[Column, ...]:
    """Rate, its bounds and coverage, as they follow from the times of the row."""
    return (
        Column("rate", Name("使用率", "utilisation"), Form.SHARE, RATE, total),
        Column("least", Name("下限", "least"), Form.SHARE, LEAST, total),
        Column("most", Name("上限", "most"), Form.SHARE, MOST, total),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE, COVERAGE, total),
    )


def times(figure: Figure) -> tuple[Value, ...]:
    """Cells of TIME_COLUMNS."""
    own = (
        figure.intelligent,
        figure.by_hand,
        figure.open,
        figure.blind,
        figure.blind_by_hand,
        figure.excluded,
        figure.excluded_by_hand,
    )
    return tuple(map(hours, (*own, figure.unsure, figure.unsure_by_hand, figure.unsure_idle)))


def rates(figure: Figure | MineFigure) -> tuple[Value, ...]:
    """Cells of `rate_columns`."""
    return (figure.rate, figure.least, figure.most, figure.coverage)


def weighted(version: Version) -> str:
    """The formula of the mean by weight over the categories' columns of a row, of those that have a number."""
    above = "+".join(f"{own.weight:g}*N({{{key}}})" for key, own in version.categories.items())
    below = "+".join(f"{own.weight:g}*ISNUMBER({{{key}}})" for key, own in version.categories.items())
    return f"({above})/({below})"


def key_figures(found: Period, version: Version) -> tuple[KeyFigure, ...]:
    """The mine's utilisation, and each category's."""
    own = found.figure
    bounds = None if own.least is None or own.most is None else (own.least, own.most)
    standing, why = STANDING[own.standing], whys(version, found.why)
    said = Name(f"{standing.zh}：{why.zh}", f"{standing.en}: {why.en}") if why.zh else standing
    mine = KeyFigure(Name("使用率", "utilisation"), own.rate, Form.SHARE, bounds, own.coverage, said)
    days = KeyFigure(
        Name("有数据的天数", "days kept"),
        f"{len(found.kept)} / {len(found.days)}",
        Form.TEXT,
    )
    return mine, days


def categories(figure: MineFigure, version: Version) -> Table:
    """By category, with the mean by weight."""
    columns = (
        Column("category", Name("类别", "category"), wide=20),
        Column("weight", Name("权重", "weight"), Form.SHARE),
        *TIME_COLUMNS,
        *rate_columns(Total.WEIGHTED),
    )
    rows = tuple(
        (category(version, key), version.categories[key].weight, *times(own), *rates(own))
        for key, own in figure.categories.items()
    )
    whole = sum(figure.categories.values(), Figure())
    total = (Name("合计／按权重平均", "sum / mean by weight"), None, *times(whole), *rates(figure))
    chart = Chart(Name("各类别使用率", "Utilisation by category"), "category", ("rate",), target=version.target.mine)
    return Table("categories", Name("分类别使用率", "Utilisation by category"), columns, rows, total, chart)


def units(wanted: Sequence[date], days: Sequence[MineDay], version: Version) -> Table:
    """Every unit over the days `wanted`, of which `days` are kept, and what kept most of its time from counting. Of
    days that are not kept it is unknown whether it produced, as of its category (`models.kpi.period`)."""
    columns = (
        Column("category", Name("类别", "category"), wide=20),
        Column("unit", Name("设备", "unit"), wide=22),
        *TIME_COLUMNS,
        *rate_columns(Total.NONE),
        Column("why", Name("未计入的主要原因", "main reason not counted"), wide=30),
    )
    sums: dict[tuple[str, str], list[UnitDay]] = {}
    for day in days:
        for unit in day.units:
            sums.setdefault((unit.category, unit.id), []).append(unit)
    known = {day.day: {(unit.category, unit.id): unit.figure for unit in day.units} for day in days}
    blind = missed(wanted, known)
    order = {key: at for at, key in enumerate(version.categories)}
    rows = []
    for key, found in sorted(sums.items(), key=lambda each: (order.get(each[0][0], len(order)), each[0])):
        of, away = key[0], Figure(blind=blind[key], calendar=blind[key])
        figure = sum((unit.figure for unit in found), away)
        first = max(figure.reasons.items(), key=lambda each: (each[1], each[0]), default=None)
        why = None if first is None else clause(version, of, first[0])
        rows.append((category(version, of), found[-1].name, *times(figure), *rates(figure), why))
    return Table("units", Name("分设备使用率", "Utilisation by unit"), columns, tuple(rows))


def by_day(wanted: Sequence[date], days: Sequence[MineDay], version: Version) -> Table:
    """Each day of the period, those without figures too."""
    there = {day.day: day for day in days}
    rows = [(day.isoformat(), *_row([there[day]] if day in there else [], version)) for day in wanted]
    title = Name("逐日使用率", "Utilisation by day")
    return _series("days", title, Name("日期", "day"), rows, version)


def by_shift(days: Sequence[MineDay], names: Mapping[str, Name], version: Version) -> Table:
    """Each shift, over all days."""
    keys = sorted({key for day in days for unit in day.units for key in unit.shifts})
    rows = [
        (names.get(key, shift_name(key)), *_row([only_shift(day, key) for day in days], version))
        for key in keys
        if any(each.calendar for day in days for unit in day.units for each in [unit.shifts.get(key, Figure())])
    ]
    return _series("shifts", Name("分班次使用率", "Utilisation by shift"), Name("班次", "shift"), rows, version)


def reasons(days: Iterable[MineDay], version: Version) -> Table:
    """Why producing time did not count: the longest first."""
    sums: Counter[tuple[str, str]] = Counter()
    for of, figure in by_category(days).items():
        for key, us in figure.reasons.items():
            sums[of, key] += us
    whole = sum(sums.values())
    columns = (
        Column("category", Name("类别", "category"), wide=20),
        Column("why", Name("原因", "reason"), wide=44),
        Column("hours", Name("时间 h", "time h"), Form.HOURS, total=Total.SUM),
        Column("share", Name("占比", "share"), Form.SHARE),
    )
    longest = sorted(sums.items(), key=lambda each: (-each[1], each[0]))
    rows = tuple(
        (category(version, of), clause(version, of, key), hours(us), us / whole)
        for (of, key), us in longest[:MOST_REASONS]
    )
    note = None
    if rest := longest[MOST_REASONS:]:
        left = f"{hours(sum(us for _, us in rest)):.2f} h"
        note = Name(f"另有{len(rest)}项共{left}", f"{len(rest)} more, {left} together")
    told = sum(us for _, us in longest[:MOST_REASONS])
    total = (Name("合计", "sum"), None, hours(told), told / whole) if rows else None
    title = Name("生产而未计入智能化的时间及原因", "Producing time that did not count, and why")
    return Table("reasons", title, columns, rows, total, None, note)


def _left_out(day: MineDay) -> int:
    """µs of all units; what several tickets leave out counts once."""
    pairs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for each in day.excluded:
        pairs[each.category, each.unit].append((each.start, each.end))
    return sum(Spans.of(own).us() for own in pairs.values())


def excluded(days: Iterable[MineDay], version: Version) -> Table:
    """Time that approved tickets took out of the figures; the total is no sum of the rows where tickets overlap."""
    columns = (
        Column("day", Name("日期", "day"), wide=12),
        Column("ticket", Name("工单", "ticket"), Form.COUNT),
        Column("kind", Name("原因", "cause"), wide=24),
        Column("category", Name("类别", "category"), wide=20),
        Column("unit", Name("设备", "unit"), wide=22),
        Column("hours", Name("时间 h", "time h"), Form.HOURS),
    )
    rows = []
    whole = 0
    for day in days:
        whole += _left_out(day)
        names = {(unit.category, unit.id): unit.name for unit in day.units}
        for each in day.excluded:
            own = names.get((each.category, each.unit), Name(each.unit, each.unit))
            cause = CAUSES.get(each.kind, Name(each.kind, each.kind))
            rows.append(
                (
                    day.day.isoformat(),
                    each.ticket,
                    cause,
                    category(version, each.category),
                    own,
                    hours(each.end - each.start),
                )
            )
    total = (Name("合计", "sum"), None, None, None, None, hours(whole)) if rows else None
    return Table("excluded", Name("经批准剔除的时间", "Time excluded by approved tickets"), columns, tuple(rows), total)


def findings(days: Iterable[FindingsDay], names: Mapping[str, Name], version: Version) -> Table:
    """What the checks found, with its numbers; none of it changes a figure. `names`: of units by id."""
    columns = (
        Column("day", Name("日期", "day"), wide=12),
        Column("category", Name("类别", "category"), wide=20),
        Column("unit", Name("设备", "unit"), wide=22),
        Column("hours", Name("时段 h", "span h"), Form.HOURS),
        Column("what", Name("检查发现", "what was found"), wide=60),
    )
    found: list[tuple[Value, ...]] = []
    more = 0
    for day in days:
        for each in day.findings:
            if len(found) == MOST_FINDINGS:
                more += 1
                continue
            own = names.get(each.unit, Name(each.unit, each.unit))
            span = hours(each.end - each.start)
            found.append((day.day.isoformat(), category(version, each.category), own, span, each.words))
    note = "检查结果只列出，不改变任何指标。", "Findings are listed and change no figure."
    left = (f"另有{more}项。", f" {more} more.") if more else ("", "")
    title = Name("数据真实性检查的发现", "Findings of the checks")
    return Table("findings", title, columns, tuple(found), None, None, Name(note[0] + left[0], note[1] + left[1]))


CAUSES = {
    "planned_maintenance": Name("计划检修", "planned maintenance"),
    "face_move": Name("搬家倒面", "face move"),
    "geology": Name("地质构造", "geological structure"),
    "regulator_stop": Name("监管停产", "stopped by the regulator"),
}


def shift_name(key: str) -> Name:
    """Of a shift whose name is not known."""
    return Name("班外", "outside of shifts") if key == "rest" else Name(f"第{key}班", f"shift {key}")


def only_shift(day: MineDay, key: str) -> MineDay:
    """A day of which nothing but one shift is left."""
    own = (replace(unit, shifts={key: unit.shifts[key]}) for unit in day.units if key in unit.shifts)
    return replace(day, units=tuple(own))


def _row(days: Sequence[MineDay], version: Version) -> tuple[Value, ...]:
    own = mine_figure(by_category(days), version)
    each = (own.categories[key].rate if key in own.categories else None for key in version.categories)
    return (*each, *rates(own))


def _series(key: str, title: Name, first: Name, rows: Sequence[tuple[Value, ...]], version: Version) -> Table:
    columns = (
        Column("name", first, wide=14),
        *(Column(own, category(version, own), Form.SHARE, wide=12) for own in version.categories),
        Column("rate", Name("使用率", "utilisation"), Form.SHARE, weighted(version)),
        Column("least", Name("下限", "least"), Form.SHARE),
        Column("most", Name("上限", "most"), Form.SHARE),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE),
    )
    chart = Chart(title, "name", ("rate",), target=version.target.mine)
    return Table(key, title, columns, tuple(rows), None, chart)
