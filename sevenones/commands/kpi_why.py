"""`sevenones kpi why`, `intervals` and `findings`: what a figure was made of, in words."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sevenones.asking import HERE, Home, Token, Url, platform

COUNTED = {
    "intelligent": "智能",
    "by_hand": "非智能",
    "open": "是否智能不明",
    "blind": "是否生产不明",
    "blind_by_hand": "是否生产不明",
    "excluded": "已剔除",
    "excluded_intelligent": "已剔除（仍智能生产）",
    "excluded_by_hand": "已剔除（仍人工生产）",
    "stood": "未生产",
    "not_producing": "未生产",
}
Unit = Annotated[str, typer.Argument(help="单元，如 belt_101 · a unit's own id")]
Category = Annotated[str | None, typer.Option(help="类别 · its category, where two units share the id")]
Revision = Annotated[int | None, typer.Option(min=1, help="修订号，缺省最新 · by default the newest")]


def why(
    unit: Unit,
    at: Annotated[str, typer.Argument(help="时刻：2026-03-02T08:12:00+08:00 或 -10m · an instant")],
    category: Category = None,
    revision: Revision = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """为什么这一刻（不）计入 · why an instant of a unit counts or not, with the values that decided."""
    with platform(home, url, token) as client:
        told = client.get("kpi/why", unit=unit, at=at, category=category, revision=revision)
    typer.echo(f"{told['name']['zh']} {told['name']['en']} ({told['unit']})  {told['time']}  {_made(told)}")
    interval = told["interval"]
    typer.echo(_line(interval))
    _both(interval["words"], "  ")
    for each in (*told["tickets"], *told["witnesses"]):
        _both(each["words"], "    ")
    if told["incomplete"]:
        typer.echo("    存储进程不可用，无法列出取值 · the store is away: the values that decided cannot be told")


def intervals(
    unit: Unit,
    day: Annotated[str, typer.Argument(help="矿井日：2026-03-02 · a day of the mine")],
    category: Category = None,
    revision: Revision = None,
    counted: Annotated[str | None, typer.Option(help="只看一种 · one kind alone: " + ", ".join(COUNTED))] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="最多行数 · rows shown")] = 200,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """一个单元一天的区间，合计等于其指标 · a unit's intervals of a day: together they are its figure."""
    asked = {"unit": unit, "day": day, "category": category, "revision": revision, "counted": counted, "limit": rows}
    with platform(home, url, token) as client:
        told = client.get("kpi/intervals", **asked)
    typer.echo(f"{told['name']['zh']} {told['name']['en']} ({told['unit']})  {told['day']}  {_made(told)}")
    for each in told["intervals"]:
        typer.echo(f"{_line(each)}  {each['words']['zh']} · {each['words']['en']}")
    if told["next"] is not None:
        typer.echo(f"… {told['total']} 个区间，只列出 {rows} 个 · {told['total']} intervals, {rows} shown")


def findings(
    first: Annotated[str, typer.Argument(help="矿井日 · a day of the mine: 2026-03-02")],
    last: Annotated[str | None, typer.Argument(help="最后一天（含） · the last day, with it")] = None,
    unit: Annotated[str | None, typer.Option(help="单元 · one unit alone")] = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """防作弊检查的发现（不改指标） · what the checks found; it changes no figure."""
    with platform(home, url, token) as client:
        told = client.get("kpi/findings", first=first, last=last or first, unit=unit)
    for each in told["findings"]:
        typer.echo(f"{each['day']} {each['start_time'][11:19]}–{each['end_time'][11:19]}  {each['equipment']}")
        _both(each["words"], "  ")
        typer.echo(f"    {' '.join(each['points'])}")
    if not told["findings"]:
        typer.echo("没有发现 · nothing was found")
    if told["missing"]:
        typer.echo(f"未检查的日子 · days that nobody has looked at: {' '.join(told['missing'])}")


def _made(told: dict[str, Any]) -> str:
    provisional = "，未结束 provisional" if told["provisional"] else ""
    return f"（修订 {told['revision']} revision，规则 {told['rules']} rules{provisional}）"


def _line(interval: dict[str, Any]) -> str:
    clause = f" [{interval['clause']}]" if interval["clause"] else ""
    clock = f"{interval['start_time'][11:19]}–{interval['end_time'][11:19]}"
    return f"{clock} {interval['seconds']:>9.1f} s  {COUNTED[interval['counted']]} {interval['counted']}{clause}"


def _both(words: dict[str, str], before: str) -> None:
    typer.echo(f"{before}{words['zh']}\n{before}{words['en']}")
