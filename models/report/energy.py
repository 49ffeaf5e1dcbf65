"""Tables of energy, carbon and production: a mine's own, and mines side by side.

Sums are of what is known. Of a day that is not kept nothing is: each part known is one of the whole period, in which a
day that is missing weighs as much as one that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.energy import figure, intensity
from models.energy.day import EnergyDay, Meter, Use
from models.energy.systems import systems
from models.kpi.amount import Amount, Ratio, total
from models.production import figure as production
from models.production.day import ProductionDay
from models.production.stoppages import NO_ALARM, NO_JOURNAL, UNSEEN
from models.report.content import Column, Form, Table, Total, Value
from models.report.utilisation import hours
from models.report.words import rule
from models.site.model import Name
from models.tariffs import Period

MOST_CAUSES = 15

_CAUSES: Mapping[str, Value] = {
    NO_ALARM: Name("无报警（人为停机或待机）", "no alarm: stopped by somebody, or nothing to do"),
    UNSEEN: Name("起始时刻不详", "its beginning was not seen"),
    NO_JOURNAL: Name("当日报警判别未运行", "alarms were not judged on that day"),
}
PERIODS = {
    Period.SHARP: Name("其中尖峰时段", "of it in sharp hours"),
    Period.PEAK: Name("其中高峰时段", "of it in peak hours"),
    Period.FLAT: Name("其中平段", "of it in flat hours"),
    Period.VALLEY: Name("其中低谷时段", "of it in valley hours"),
    Period.DEEP_VALLEY: Name("其中深谷时段", "of it in deep valley hours"),
}
_WHAT = (
    Column("what", Name("指标", "figure"), wide=34),
    Column("value", Name("数值", "value"), Form.NUMBER),
    Column("unit", Name("单位", "unit"), wide=12),
    Column("known", Name("已知部分", "part known"), Form.SHARE),
)


def energy(days: Sequence[EnergyDay], expected: int) -> Table:
    """What the mine took, by the tonne, what it cost, and its carbon. `expected`: days of the period."""
    used = figure.consumption(days, lambda day: day.consumers)
    per_tonne = intensity.per_tonne(days, lambda day: day.consumers)
    emitted, gas = figure.emission(days), figure.methane(days)
    known, heard = (_of_period(each.known, days, expected) for each in (used.amount, gas))
    yuan = Name("元", "CNY")
    rows: list[tuple[Value, ...]] = [
        (Name("用电量", "electricity taken"), _told(used.amount), "kWh", known),
        (Name("吨煤电耗", "electricity a tonne"), per_tonne.value, "kWh/t", _paired(per_tonne, days, expected)),
        _beside(Name("电费（分时）", "cost, by the hour's tariff"), used.cost.money, yuan, known),
        _beside(
            Name("同量全在低价时段的电费", "cost, had all been in the cheapest hours"),
            used.cost.least_money,
            yuan,
            known,
        ),
        *(
            (PERIODS[Period(period)], _told(amount), "kWh", _of_period(amount.known, days, expected))
            for period, amount in used.periods.items()
        ),
        _beside(Name("用电对应的CO₂", "CO₂ of electricity"), _tonnes(emitted.electricity), "t", known),
        (Name("回风甲烷（纯量）", "methane in return air"), _told(gas), "m³", heard),
        _beside(Name("回风甲烷折CO₂", "the same as CO₂"), _tonnes(emitted.methane), "t", heard),
    ]
    zh, en = ("; ".join(each.words()[of] for each in emitted.of) or "—" for of in ("zh", "en"))
    odd = counters([used.amount, *(each.amount(day.widths) for day in days for _, each in day.output)])
    kept, price = _kept(days, expected), _price(days)
    note = Name(
        f"{kept.zh}{price.zh}因子：{zh}{odd.zh}",
        f"{kept.en} {price.en} Factors: {en}{odd.en}",
    )
    return Table("energy", Name("能耗与碳排放", "Energy and carbon"), _WHAT, tuple(rows), None, None, note)


def by_system(days: Sequence[EnergyDay], expected: int) -> Table:
    """Metered consumption by the mine's systems. `expected`: days of the period."""
    columns = (
        Column("system", Name("系统", "system"), wide=24),
        Column("kwh", Name("用电量 kWh", "electricity kWh"), Form.NUMBER, total=Total.SUM),
        Column("share", Name("占计量部分", "share of what is metered"), Form.SHARE),
        Column("known", Name("已知部分", "part known"), Form.SHARE),
    )
    amounts: list[tuple[Name, Amount]] = []
    for key, system in systems().items():
        if any(meter.system == key for day in days for meter in day.meters if meter.use is not Use.INCOMING):
            own = figure.consumption(days, lambda day, key=key: _of_system(day, key)).amount  # type: ignore[misc]
            amounts.append((Name(system.name.zh, system.name.en), own))
    whole = sum(each.value for _, each in amounts)
    rows = tuple(
        (name, _told(own), own.value / whole if whole else None, _of_period(own.known, days, expected))
        for name, own in amounts
    )
    total = (Name("合计", "sum"), whole, None, None) if rows else None
    return Table("systems", Name("分系统用电", "Electricity by system"), columns, rows, total)


def machines(days: Sequence[ProductionDay], names: Mapping[str, Name], expected: int) -> Table:
    """Times, availability and failures by machine. `names`: by equipment id, as far as they are known; `expected`: days
    of the period."""
    columns = (
        Column("machine", Name("设备", "machine"), wide=24),
        Column("planned", Name("计划 h", "planned h"), Form.HOURS),
        Column("producing", Name("生产 h", "producing h"), Form.HOURS),
        Column("idle", Name("停待 h", "idle h"), Form.HOURS),
        Column("availability", Name("可用率", "availability"), Form.SHARE, "{producing}/({producing}+{idle})"),
        Column("effectiveness", Name("性能率", "effectiveness"), Form.SHARE),
        Column("coverage", Name("覆盖率", "coverage"), Form.SHARE),
        Column("failures", Name("故障次数", "failures"), Form.COUNT),
        Column("mtbf", Name("MTBF h", "MTBF h"), Form.HOURS),
        Column("mttr", Name("MTTR h", "MTTR h"), Form.HOURS),
    )
    rows = []
    for name, own in production.by_machine(days).items():
        failed = own.reliability
        known = (None, None, None) if failed is None else (failed.failures, failed.mtbf_h, failed.mttr_h)
        told = (own.availability, own.effectiveness.value, _of_period(own.coverage, days, expected))
        spent = tuple(map(hours, (own.times.planned, own.times.producing, own.times.idle)))
        rows.append((names.get(name, Name(name, name)), *spent, *told, *known))
    raised = production.output(days)
    tonnes = f"{raised.value:,.1f} t" if raised.known_us else "—"
    odd = counters([raised])
    part = 100 * (_of_period(raised.known, days, expected) or 0.0)
    kept = _kept(days, expected)
    note = Name(
        f"{kept.zh}原煤产量 {tonnes}（已知部分{part:.1f}%）。可用率、性能率按 ISO 22400；空白为不详。{odd.zh}",
        f"{kept.en} Coal raised: {tonnes} ({part:.1f} % of it known). Availability and effectiveness as in ISO 22400; "
        f"what is blank is not known.{odd.en}",
    )
    return Table("machines", Name("产量与设备运行", "Production and machines"), columns, tuple(rows), None, None, note)


def stoppages(days: Sequence[ProductionDay], names: Mapping[str, Name], expected: int) -> Table:
    """What cost most time, the costliest first. `expected`: days of the period."""
    columns = (
        Column("cause", Name("原因", "cause"), wide=34),
        Column("machine", Name("设备", "machine"), wide=24),
        Column("stops", Name("次数", "stops"), Form.COUNT),
        Column("lost", Name("损失 h", "lost h"), Form.HOURS),
        Column("upto", Name("累计占比", "up to here"), Form.SHARE),
    )
    causes = production.pareto(days)
    rows = tuple(
        (
            _CAUSES.get(each.cause) or rule(each.cause),
            names.get(each.equipment, Name(each.equipment, each.equipment)),
            each.stops,
            hours(each.lost_us),
            each.upto,
        )
        for each in causes[:MOST_CAUSES]
    )
    note = _kept(days, expected)
    if rest := causes[MOST_CAUSES:]:
        lost = f"{hours(sum(each.lost_us for each in rest)):,.2f} h"
        note = Name(f"{note.zh}另有{len(rest)}项共{lost}。", f"{note.en} {len(rest)} more, {lost} together.")
    title = Name("停产原因排列", "Stoppages by what they cost")
    return Table("stoppages", title, columns, rows, None, None, note)


def mines(of: Sequence[tuple[Name, Sequence[EnergyDay], Sequence[ProductionDay]]], expected: int) -> Table:
    """Energy, carbon and output of mines side by side. `expected`: days of the period."""
    columns = (
        Column("mine", Name("煤矿", "mine"), wide=18),
        Column("days", Name("能耗天数", "days of energy"), Form.COUNT),
        Column("output", Name("原煤 t", "coal t"), Form.NUMBER),
        Column("output_known", Name("原煤已知部分", "part of coal known"), Form.SHARE),
        Column("kwh", Name("用电量 kWh", "electricity kWh"), Form.NUMBER),
        Column("known", Name("用电已知部分", "part of electricity known"), Form.SHARE),
        Column("per_tonne", Name("吨煤电耗 kWh/t", "kWh/t"), Form.NUMBER),
        Column("paired", Name("吨煤电耗所据时间", "part of time for kWh/t"), Form.SHARE),
        Column("carbon", Name("用电CO₂ t", "CO₂ of electricity t"), Form.NUMBER),
        Column("gas", Name("甲烷折CO₂ t", "methane as CO₂ t"), Form.NUMBER),
        Column("gas_known", Name("甲烷已知部分", "part of methane known"), Form.SHARE),
    )
    rows, odd = [], []
    for name, used, ran in of:
        own = figure.consumption(used, lambda day: day.consumers).amount
        emitted, gas = figure.emission(used), figure.methane(used)
        per, raised = intensity.per_tonne(used, lambda day: day.consumers), production.output(ran)
        odd += [(name, said) for said in [counters([own, raised])] if said.zh]
        rows.append(
            (
                name,
                len(used),
                *(_told(raised), _of_period(raised.known, ran, expected)),
                *(_told(own), _of_period(own.known, used, expected)),
                *(per.value, _paired(per, used, expected)),
                _tonnes(emitted.electricity),
                *(_tonnes(emitted.methane), _of_period(gas.known, used, expected)),
            )
        )
    note = Name(
        f"各项为已知部分之和，已知部分按全期{expected}天计，未放大。用电CO₂的已知部分同用电。"
        f"吨煤电耗只计电量与产量都已知的整点小时。{''.join(f'{name.zh}{said.zh}' for name, said in odd)}",
        f"Sums are of what is known, and not scaled up; each part known is one of all {expected} days. That of the CO₂ "
        "of electricity is that of electricity. kWh/t is of the whole hours in which both are known."
        f"{''.join(f' {name.en}:{said.en}' for name, said in odd)}",
    )
    return Table(
        "energy", Name("能耗、碳排放与产量", "Energy, carbon and output"), columns, tuple(rows), None, None, note
    )


def counters(of: Sequence[Amount]) -> Name:
    """What meters and scales showed that they cannot have counted, as a sentence; nothing where nothing is odd."""
    sums = total(of)
    told = (
        (sums.resets, "次归零", "times one began again"),
        (sums.dips, "个剔除的读数", "values left out"),
        (sums.leaps, "个不可能的跳变（计为不详）", "leaps that cannot be, which are unknown"),
    )
    odd = [(f"{count} {zh}", f"{count} {en}") for count, zh, en in told if count]
    if not odd:
        return Name("", "")
    return Name(f" 计数器：{'、'.join(zh for zh, _ in odd)}。", f" Counters: {', '.join(en for _, en in odd)}.")


def _of_system(day: EnergyDay, key: str) -> list[Meter]:
    return [meter for meter in day.meters if meter.system == key and meter.use is not Use.INCOMING]


def _told(amount: Amount) -> float | None:
    """Nothing heard is not zero."""
    return amount.value if amount.known_us else None


def _tonnes(kg: float | None) -> float | None:
    return None if kg is None else kg / 1000


def _paired(own: Ratio, days: Sequence[object], expected: int) -> float | None:
    return _of_period(own.coverage, days, expected)


def _of_period(part: float | None, days: Sequence[object], expected: int) -> float | None:
    """A part of the days that are kept, as one of all days of the period."""
    return None if part is None else part * len(days) / expected


def _beside(name: Name, value: float | None, unit: Value, known: float | None) -> tuple[Value, ...]:
    """What follows from an amount is known as far as that; where there is no value, of none of it."""
    return name, value, unit, None if value is None else known


def _kept(days: Sequence[object], expected: int) -> Name:
    there = len(days)
    if there == expected:
        return Name(f"{there} / {expected} 天有数据。", f"{there} of {expected} days kept.")
    return Name(
        f"{there} / {expected} 天有数据；各项为已知部分之和，已知部分按全期计，未放大。",
        f"{there} of {expected} days kept: sums are of what is known, and not scaled up; parts known are of all days.",
    )


def _price(days: Sequence[EnergyDay]) -> Name:
    """By which tariff and price the cost was reckoned."""
    prices = [day.prices for day in days if day.prices is not None]
    tariffs = ", ".join(sorted({each.tariff for each in prices}))
    if not tariffs:
        return Name("电价不详，不计电费。", "No tariff is known, so there is no cost.")
    flat = sorted({price for each in prices for price in each.flat})
    if not flat:
        return Name(f"电价方案：{tariffs}；平段电价不详。", f"Tariff: {tariffs}; its flat price is not known.")
    told = f"{flat[0]:g}" if flat[0] == flat[-1] else f"{flat[0]:g}–{flat[-1]:g}"
    return Name(f"电价方案：{tariffs}，平段{told}元/kWh。", f"Tariff: {tariffs}, {told} CNY/kWh in flat hours.")
