"""`sevenones kpi energy`: what the mine used over days, what it cost and emitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from sevenones.asking import HERE, Home, Token, Url, platform

First = Annotated[str, typer.Argument(help="第一天，如 2026-03-01 · the first day")]
Last = Annotated[str | None, typer.Argument(help="最后一天（含），缺省为第一天 · the last day, with it")]
PERIODS = {
    "sharp": "尖峰 sharp",
    "peak": "高峰 peak",
    "flat": "平段 flat",
    "valley": "低谷 valley",
    "deep_valley": "深谷 deep valley",
}

ODD = {"resets": "归零 resets", "dips": "剔除读数 values left out", "leaps": "不可能的跳变（不详） leaps, unknown"}


def energy(
    first: First,
    last: Last = None,
    *,
    by: Annotated[str, typer.Option(help="system、equipment、hour 或 period · what it is told by")] = "system",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """能耗、电费、碳排放，按系统、设备、小时或时段 · energy, its cost and its carbon."""
    if by not in LINES:
        raise typer.BadParameter(f"按 {'、'.join(LINES)} · by one of {', '.join(LINES)}", param_hint="--by")
    with platform(home, url, token) as client:
        found = client.get("kpi/energy", first=first, last=last or first)
    ranged(found)
    whole = "进线 incoming" if found["incoming"] else "各表合计 sum of meters"
    typer.echo(f"用电 · used  {amount(found['used']['kwh'], 'kWh')}  ({whole})")
    cost = found["used"]["cost"]
    if cost["money"] is not None:
        typer.echo(
            f"电费 · cost  {cost['money']:,.2f}  全在最低价时段则为 · in the cheapest hours {cost['least_money']:,.2f}"
            f"{of_known(cost['known'])}"
        )
    elif cost["relative"] is not None:
        typer.echo(
            f"按平段价折算 · at the flat price  {cost['relative']:,.1f} kWh  最低 · least {cost['least']:,.1f}"
            f"{of_known(cost['known'])}"
        )
    elif not cost["known"]:
        typer.echo("电费 · cost  未知 not known")
    rest = found["rest"]
    if rest["kwh"] is not None:
        silent = "".join(f"  {point} 数据不全 not all known" for point in rest["unheard"])
        typer.echo(f"未计量 · not metered  {rest['kwh']:,.1f} kWh{of_known(rest['known'])}{silent}")
    elif found["incoming"]:
        typer.echo("未计量 · not metered  未知 not known")
    for line in LINES[by](found):
        typer.echo(f"  {line}")
    spent, gone = found["intensity"], found["emission"]
    typer.echo(f"吨煤电耗 · per tonne  {ratio(spent['kwh_per_t'], 'kWh/t')}")
    for belt, each in spent["kwh_per_t_km"].items():
        typer.echo(f"  {belt}  {ratio(each, 'kWh/(t·km)')}")
    for generation, each in found["stations"].items():
        named = "未知制式 of unknown generation" if generation == "0" else f"{generation}G"
        typer.echo(
            f"{named} 基站 stations  {amount(each['kwh'], 'kWh')}  每站每日 · each, a day {number(each['per_day'])}"
        )
    typer.echo(f"二氧化碳 · CO₂ of electricity  {carbon(gone['electricity'], gone['electricity_known'], 'kg')}")
    typer.echo(
        f"甲烷 · methane  {amount(found['methane_m3'], 'm³')}"
        f"  = {carbon(gone['methane'], gone['methane_known'], 'kg CO₂e')}"
    )


def _systems(found: Mapping[str, Any]) -> list[str]:
    return [
        f"{each['name']['zh']} {each['name']['en']}  {amount(each['kwh'], 'kWh')}  {ratio(each['per_tonne'], 'kWh/t')}"
        for each in found["systems"]
    ]


def _equipment(found: Mapping[str, Any]) -> list[str]:
    return [f"{', '.join(each['equipment'])}  {amount(each['kwh'], 'kWh')}" for each in found["equipment"]]


def _hours(found: Mapping[str, Any]) -> list[str]:
    return [f"{int(hour):02}:00  {amount(each, 'kWh')}" for hour, each in found["used"]["hours"].items()]


def _periods(found: Mapping[str, Any]) -> list[str]:
    return [f"{PERIODS[period]}  {amount(each, 'kWh')}" for period, each in found["used"]["periods"].items()]


PART = "仅可见部分，非全矿 · a part of the mine: what you may see"
LINES = {"system": _systems, "equipment": _equipment, "hour": _hours, "period": _periods}


def ranged(found: Mapping[str, Any]) -> None:
    """Of which days figures are told."""
    typer.echo(f"{found['mine']}  {found['first']} … {found['last']}  {found['days']}/{found['asked']} 天 days")
    if found["partial"]:
        typer.echo(f"  {PART}")
    if found["missing"]:
        typer.echo(f"  缺 · missing: {', '.join(found['missing'][:10])}{' …' if len(found['missing']) > 10 else ''}")
    if found["provisional"]:
        typer.echo(f"  未完 · not over: {', '.join(found['provisional'])}")


def amount(of: Mapping[str, Any], unit: str) -> str:
    """With what is not known of it, and what its counters showed that they cannot have counted."""
    if of["value"] is None:
        return "未知 not known"
    odd = "".join(f"  {words} {of[key]}" for key, words in ODD.items() if of.get(key))
    return f"{of['value']:,.1f} {unit}{of_known(of['known'])}{odd}"


def of_known(part: float | None) -> str:
    """What part of the time an amount is of, where it is not all."""
    return "" if part is None or part >= 0.9995 else f"  已知 known {part:.1%}"


def carbon(kg: float | None, part: float | None, unit: str) -> str:
    """With the part of the time that it is of."""
    return number(kg) if kg is None else f"{number(kg)} {unit}{of_known(part)}"


def ratio(of: Mapping[str, Any], unit: str) -> str:
    """With the part of the time that it is of."""
    if of["value"] is None:
        return "未知 not known"
    return f"{of['value']:.3f} {unit}" + ("" if of["coverage"] >= 0.9995 else f"  ({of['coverage']:.1%})")


def number(value: float | None) -> str:
    return "未知 not known" if value is None else f"{value:,.2f}"
