"""`sevenones kpi export`, `sevenones kpi import`: the way of a mine's days to the bureau's instance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sevenones.relational import Database, place_of

Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
HERE = Path(".sevenones")


def export(
    file: Annotated[Path, typer.Argument(help="写入的文件 · the file, such as march.days")],
    month: Annotated[str, typer.Option(help="月 · the month, 2026-03")],
    mine: Annotated[
        str, typer.Option(help="煤矿编码，只有一座时可省略 · the mine's code, where there are several")
    ] = "",
    home: Home = HERE,
    database: Database = None,
) -> None:
    """把一个月的日数据写成一个文件，交监管平台 · write a month's kept days to a file for the bureau."""
    from middleplatform.kpi import book, exchange
    from models.kpi.period import month_days

    where = place_of(home, database)
    try:
        days = month_days(*map(int, month.split("-")))
    except (ValueError, TypeError):
        sys.exit(f"“{month}”不是月 · '{month}' is no month such as 2026-03")
    known = [each.mine for each in book.mines(where)]
    if not mine and len(known) != 1:
        sys.exit(f"请用 --mine 指明煤矿 · name the mine with --mine: {', '.join(known) or '—'}")
    try:
        number = exchange.export(where, mine or known[0], days[0], days[-1], file)
    except KeyError:
        sys.exit(f"没有煤矿 {mine} · nothing is kept of a mine {mine}; there are {', '.join(known) or '—'}")
    except LookupError as nothing:
        sys.exit(f"该月没有已结束的日数据 · {nothing}")
    except OSError as wrong:
        sys.exit(f"无法写入 {file} · cannot write {file}: {wrong}")
    typer.echo(f"{file}：{number} 份日数据 · {number} documents")


def import_days(
    file: Annotated[Path, typer.Argument(help="煤矿送来的文件 · the file that a mine sent")],
    mine: Annotated[str, typer.Option(help="只接受该煤矿的文件 · refuse a file of any other mine")] = "",
    home: Home = HERE,
    database: Database = None,
) -> None:
    """接收煤矿送来的日数据 · take in a mine's days: all of a file that is right, nothing of one that is not."""
    from middleplatform.kpi import exchange
    from middleplatform.kpi.parcel import ExchangeRefused

    try:
        taken = exchange.take(place_of(home, database), file, mine)
    except ExchangeRefused as refused:
        sys.exit(f"未接收 · nothing was taken in:\n{refused}")
    except OSError as wrong:
        sys.exit(f"无法读取 {file} · cannot read {file}: {wrong}")
    typer.echo(
        f"{taken.mine}：新增 {len(taken.new)}，更新 {len(taken.newer)}，相同 {len(taken.same)} · "
        f"{len(taken.new)} new, {len(taken.newer)} newer, {len(taken.same)} the same"
    )
    for key, (before, after) in taken.facts.items():
        typer.echo(f"煤矿信息：{key} {before} → {after} · of the mine: {key} was {before}, is {after}")
    for key, (before, after) in taken.old_facts.items():
        typer.echo(f"未采用：{key} {after}，已知较晚的 {before} · left aside: {key} {after}; {before} was said later")
    for section, day in taken.older:
        typer.echo(f"未覆盖：{section} {day} 已有更晚编制的 · left aside: a later one of {section} {day} is here")
