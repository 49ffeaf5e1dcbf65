"""`sevenones import`: a foreign point table into a site, seen as a difference before anything is written."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from models.site.foreign.difference import Difference
    from models.site.foreign.reading import Found
    from models.site.problems import Problem
    from sevenones.point_import import Import

SHOWN = 40
"""Lines of each kind that a preview shows."""


def import_points(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site folder")],
    file: Annotated[Path | None, typer.Argument(help="点表文件 · the point table, .xlsx or .csv, any headings")] = None,
    template: Annotated[str, typer.Option(help="设备模板 · the template of the equipment")] = "",
    equipment: Annotated[str, typer.Option(help="设备编号 · the equipment's id; made when it is not there")] = "",
    name: Annotated[str, typer.Option(help="新设备名称 · a new equipment's names: 中文/English")] = "",
    area: Annotated[str, typer.Option(help="新设备所在区域 · the area where a new equipment stands")] = "",
    connection: Annotated[str, typer.Option(help="连接 · the connection over which the points are read")] = "",
    group: Annotated[str, typer.Option(help="轮询组 · the poll group")] = "",
    mapping: Annotated[Path | None, typer.Option(help="映射文件（YAML） · their words → ours")] = None,
    table: Annotated[str, typer.Option(help="无功能码时的寄存器表 · hr, ir, co or di, where no column says it")] = "",
    first: Annotated[
        int, typer.Option(min=0, max=1, help="点表从 0 还是 1 计数 · do plain numbers count from 0 or 1")
    ] = 0,
    to: Annotated[str, typer.Option(help="写入 points/ 下的文件名 · the table below points/ that is written")] = "",
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="略过模板没有的测点 · leave out what the template does not have")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="不删除表中已有而新表没有的测点 · keep rows not in FILE")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问，直接写入 · write without asking")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="撤销上一次导入 · take the latest import back")] = False,
) -> None:
    """导入外来点表（任意列名），先看差异再写入，可撤销 · import a point table with any headings: preview, write, undo.

    Mistakes are named at row and column, all at once, and then nothing is written."""
    from sevenones import site_change
    from sevenones.point_import import Choice, ImportRefused, prepare

    try:
        if undo:
            why, files = site_change.undo(site)
            typer.echo(f"已撤销 · undone: {why}（{'、'.join(files)}）")
            return
        if file is None:
            sys.exit("请给出点表文件，或 --undo · give a point table, or --undo")
        choice = Choice(
            template, equipment, name, area, connection, group, mapping, table, first, to, skip_unknown, keep
        )
        planned = prepare(site, file, choice)
    except ImportRefused as refused:
        _say_problems(refused.problems, file)
    except site_change.ChangeError as error:
        sys.exit(str(error))
    else:
        _preview(planned)
        if planned.files and _agreed(yes):
            kept = site_change.apply(site, planned.files, datetime.now().astimezone(), f"import {file}")
            typer.echo(f"已写入 · written: {'、'.join(planned.files)}")
            typer.echo(f"原文件保存在 · what was there before is in {kept}（sevenones import --undo --site {site}）")


def _say_problems(problems: list[Problem], file: Path | None) -> None:
    for problem in problems:
        typer.echo(str(problem))
    count = len(problems)
    typer.echo(f"\n{file}：{count} 处错误，未写入 · {count} problem{'s' if count != 1 else ''}, nothing was written")
    sys.exit(1)


def _preview(planned: Import) -> None:
    found: Found = planned.found
    change: Difference = planned.difference
    for name in planned.made:
        typer.echo(f"+ {name}（新建 · new）")
    _some([f"+ {'/'.join(key)}  {_short(change.table[key])}" for key in change.added])
    lines = []
    for one in change.changed:
        columns = "; ".join(f"{column}: {_word(old)} → {_word(new)}" for column, (old, new) in one.columns.items())
        lines.append(f"~ {'/'.join(one.key)}  {columns}")
    _some(lines)
    _some([f"- {'/'.join(key)}" for key in change.removed])
    _some([f"! {note}" for note in planned.notes])
    if found.skipped:
        typer.echo(f"略过模板没有的测点 · left out, not in the template: {len(found.skipped)}")
        _some([f"    {one}" for one in found.skipped])
    if found.unused:
        typer.echo(f"未使用的列 · columns not used: {'、'.join(found.unused)}（--mapping）")
    counts = [len(kind) for kind in (change.added, change.changed, change.removed, change.unchanged)]
    chinese = "，".join(f"{word} {count}" for word, count in zip(("新增", "修改", "删除", "不变"), counts, strict=True))
    words = ("added", "changed", "removed", "unchanged")
    english = ", ".join(f"{count} {word}" for word, count in zip(words, counts, strict=True))
    typer.echo(f"{chinese} · {english}")
    if not planned.files:
        typer.echo("无需写入 · nothing to write")


def _some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        typer.echo(line)
    if len(lines) > SHOWN:
        typer.echo(f"  … {len(lines) - SHOWN} more")


def _short(values: Mapping[str, Any]) -> str:
    names = ("connection", "group", "address", "type", "order", "scale", "unit")
    return " ".join(str(values[name]) for name in names if values.get(name) not in (None, ""))


def _word(value: Any) -> str:
    return "∅" if value in ("", None) else f"{value:g}" if isinstance(value, float) else str(value)


def _agreed(yes: bool) -> bool:
    if yes:
        return True
    if sys.stdin.isatty():
        return typer.confirm("写入？ · write it?", default=False)
    typer.echo("这是预览，未写入：加 --yes 写入 · a preview, nothing was written: add --yes to write it")
    return False
