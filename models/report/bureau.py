"""Tables for the bureau: mines side by side, their belts, their times, the months before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from models.kpi.city import City, Step
from models.kpi.mine import MineFigure
from models.kpi.period import Period
from models.report.content import Chart, Column, Form, KeyFigure, Table, Total, Value
from models.report.utilisation import TIME_COLUMNS, categories, rate_columns, rates, times, weighted
from models.report.words import BELTS, STANDING, category, whys
from models.site.model import Name
from models.utilisation.rules import Version


def key_figures(city: City) -> tuple[KeyFigure, ...]:
    """The group's utilisation, how many mines meet the target, and the belts."""
    own, mines = city.group, len(city.periods)
    bounds = None if own.least is None or own.most is None else (own.least, own.most)
    ranked, met = len(city.ranked), city.met
    words = STANDING[own.standing]
    if silent := city.silent:
        words = Name(
            f"{words.zh}；{silent}座煤矿本期没有一天有数据，其时间按未知计",
            f"{words.en}; of {silent} {'mine' if silent == 1 else 'mines'} no day was kept: all their time is unknown",
        )
    found = [
        KeyFigure(Name("全部矿井使用率", "utilisation, all mines"), own.rate, Form.SHARE, bounds, own.coverage, words),
        KeyFigure(
            Name("达标矿井", "mines that meet the target"),
            f"{met} / {mines}",
            Form.TEXT,
            words=Name(f"可评价{ranked}座", f"{ranked} assessable"),
        ),
    ]
    if city.belts is not None:
        kt, dark = city.belts.target.from_kt, city.belts.unknown
        whose = Name(f"{kt / 10:g}万吨/年及以上矿井", f"mines of {kt} kt/a and more")
        if city.belts.share is None and dark:
            whose = Name(f"{whose.zh}；不可评价{dark}座", f"{whose.en}; {dark} not assessable")
        named = Name("皮带集中控制覆盖率", "belt central control")
        found.append(KeyFigure(named, city.belts.share, Form.SHARE, words=whose))
    return tuple(found)


def ranking(city: City) -> Table:
    """Mines by rate; those that are not assessable stand below, without a place."""
    version = city.version
    columns = (
        Column("place", Name("名次", "place"), Form.COUNT),
        Column("mine", Name("煤矿", "mine"), wide=18),
        Column("capacity", Name("产能 kt/a", "capacity kt/a"), Form.COUNT),
        Column("kept", Name("有数据天数", "days kept"), Form.COUNT),
        Column("days", Name("应有天数", "days of the period"), Form.COUNT),
        *(Column(key, category(version, key), Form.SHARE) for key in version.categories),
        Column("rate", Name("使用率", "utilisation"), Form.SHARE, weighted(version)),
        Column("least", Name("下限", "least"), Form.SHARE),
        Column("most", Name("上限", "most"), Form.SHARE),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE),
        Column("standing", Name("评价", "standing"), wide=12),
    )
    reached = [each.figure.rate for each in city.ranked]
    # Mines of the same rate share a place.
    places = {each.mine.code: reached.index(each.figure.rate) + 1 for each in city.ranked}
    rows = tuple(_mine(each, places.get(each.mine.code), version) for each in city.periods)
    group = city.group
    total: tuple[Value, ...] = (
        None,
        Name("全部矿井", "all mines"),
        None,
        sum(len(each.kept) for each in city.periods),
        sum(len(each.days) for each in city.periods),
        *_categories(group, version),
        *rates(group),
        STANDING[group.standing],
    )
    note = Name(
        "全部矿井：各矿同类别的时间相加后再求使用率，不是各矿使用率的平均。不可评价的矿井不排名。",
        "All mines: times are added up by category, then made a rate; it is no mean of the mines' rates. A mine that "
        "is not assessable has no place.",
    )
    chart = Chart(Name("各矿使用率", "Utilisation by mine"), "mine", ("rate",), target=version.target.mine)
    title = Name("各矿使用率与排名", "Utilisation of the mines, and their places")
    return Table("ranking", title, columns, rows, total, chart, note)


def not_assessable(city: City) -> Table:
    """Which mines are not ranked, and why."""
    columns = (
        Column("mine", Name("煤矿", "mine"), wide=18),
        Column("missing", Name("缺失天数", "days missing"), Form.COUNT),
        Column("why", Name("不可评价的原因", "why it is not assessable"), wide=70),
    )
    rows = tuple((each.mine.name, each.missing, whys(city.version, each.why)) for each in city.not_assessable)
    title = Name("不可评价的矿井及原因", "Mines that are not assessable, and why")
    return Table("not_assessable", title, columns, rows)


def belts(city: City) -> Table | None:
    """Belt central control at the mines that must have it."""
    if city.belts is None:
        return None
    target = city.belts.target
    columns = (
        Column("mine", Name("煤矿", "mine"), wide=18),
        Column("capacity", Name("产能 kt/a", "capacity kt/a"), Form.COUNT),
        Column("rate", Name("皮带集中控制使用率", "belts' utilisation"), Form.SHARE),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE),
        Column("state", Name("结果", "result"), wide=14),
    )
    rows = []
    for each in sorted(city.periods, key=lambda one: one.mine.code):
        if (state := city.belts.mines.get(each.mine.code)) is not None:
            own = each.figure.categories.get(target.category)
            cells = (None, None) if own is None else (own.rate, own.coverage)
            rows.append((each.mine.name, each.mine.capacity_kt, *cells, BELTS[state]))
    unknown = len(city.belts.unknown_capacity)
    confirmed = ("已确认", "confirmed") if target.confirmed else ("未经主管部门确认", "not confirmed by an authority")
    note = Name(
        f"使用率不低于{100 * target.rate:g}%且可评价者计为已实现（{confirmed[0]}）。"
        + (f"{unknown}座煤矿产能不详，未计。" if unknown else ""),
        f"Covered: assessable, and at least {100 * target.rate:g} % ({confirmed[1]}). "
        + (f"{unknown} mines of unknown capacity are left out." if unknown else ""),
    )
    title = Name("皮带集中控制", "Belt central control")
    return Table("belts", title, columns, tuple(rows), None, None, note)


def mine_times(city: City) -> Table:
    """The times of each mine and category, by which a reader may check the rates."""
    version = city.version
    columns = (
        Column("mine", Name("煤矿", "mine"), wide=18),
        Column("category", Name("类别", "category"), wide=20),
        *TIME_COLUMNS,
        *rate_columns(Total.FORMULA),
    )
    rows = tuple(
        (each.mine.name, category(version, key), *times(own), *rates(own))
        for each in city.periods
        for key, own in each.figure.categories.items()
    )
    return Table("times", Name("各矿各类别的时间", "Times of each mine by category"), columns, rows)


def group_times(city: City) -> Table:
    """The times of all mines by category; without bounds and coverage where of a mine nothing at all is known."""
    title = Name("全部矿井分类别使用率", "Utilisation of all mines by category")
    found = replace(categories(city.group, city.version), key="group", title=title)
    unheard = [each.mine.name for each in city.periods if each.unheard]
    if not unheard:
        return found
    blank = [column.key in ("least", "most", "coverage") for column in found.columns]
    rows = tuple(tuple(None if no else cell for no, cell in zip(blank, row, strict=True)) for row in found.rows)
    zh, en = "、".join(each.zh for each in unheard), ", ".join(each.en for each in unheard)
    note = Name(
        f"不含{zh}：其设备、时间一无所知，故不给上下限和覆盖率。",
        f"Without {en}, of which nothing is known, not even its units; so there are no bounds and no coverage.",
    )
    return replace(found, rows=rows, note=note)


def trend(steps: Sequence[Step]) -> Table:
    """Of all mines, month by month."""
    columns = (
        Column("month", Name("月份", "month"), wide=12),
        Column("kept", Name("有数据的矿·天", "mine-days kept"), Form.COUNT),
        Column("of", Name("应有矿·天", "mine-days of the month"), Form.COUNT),
        Column("rate", Name("使用率", "utilisation"), Form.SHARE),
        Column("least", Name("下限", "least"), Form.SHARE),
        Column("most", Name("上限", "most"), Form.SHARE),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE),
        Column("standing", Name("评价", "standing"), wide=12),
    )
    rows = tuple(
        (f"{s.first:%Y-%m}", s.kept, s.days, s.rate, s.least, s.most, s.coverage, STANDING[s.standing]) for s in steps
    )
    title = Name("逐月趋势（全部矿井）", "Trend by month, all mines")
    chart = Chart(title, "month", ("rate", "least", "most"), line=True) if len(rows) > 1 else None
    return Table("trend", title, columns, rows, None, chart)


def months_until(last: date, number: int) -> list[date]:
    """The first days of so many months, the last of them that of `last`, oldest first."""
    index = last.year * 12 + last.month - 1
    return [date(at // 12, at % 12 + 1, 1) for at in range(index - number + 1, index + 1)]


def _mine(each: Period, place: int | None, version: Version) -> tuple[Value, ...]:
    own = each.figure
    return (
        place,
        each.mine.name,
        each.mine.capacity_kt,
        len(each.kept),
        len(each.days),
        *_categories(own, version),
        *rates(own),
        STANDING[own.standing],
    )


def _categories(own: MineFigure, version: Version) -> tuple[Value, ...]:
    return tuple(own.categories[key].rate if key in own.categories else None for key in version.categories)
