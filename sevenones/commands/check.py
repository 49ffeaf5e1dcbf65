"""`sevenones check`: every mistake in a site's folder, at its file and line or cell."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from models.site.model import Site


def check(
    site: Annotated[Path, typer.Argument(help="矿井配置目录 · the site folder, the one that holds site.yaml")],
    notes: Annotated[bool, typer.Option(help="列出提示 · also list what is no mistake, such as unbound points")] = True,
    environment: Annotated[
        bool, typer.Option(help="环境变量未设置算错误 · a variable that is not set is a mistake, not a note")
    ] = False,
) -> None:
    """检查矿井配置目录，一次列出所有错误 · name every mistake in a site folder, with its file and line or cell.

    Ends with 1 when there is any. Nothing is started and no device is asked."""
    from sevenones.site_check import examine

    report = examine(site, require_environment=environment)
    if notes:
        for note in report.notes:
            typer.echo(f"提示 note: {note}")
    for problem in report.problems:
        typer.echo(str(problem))
    if report.site is None:
        count = len(report.problems)
        typer.echo(f"\n{site}: {count} 处错误 · {_count('problem', count)}")
        raise typer.Exit(1)
    for line in summary(report.site):
        typer.echo(line)


def summary(site: Site) -> list[str]:
    """A site in a few lines: what there is, and how many points each connection and equipment has."""
    equipment = Counter(point.equipment for point in site.points)
    connections = Counter(point.connection for point in site.points)
    lines = [
        f"{site.name.zh} · {site.name.en} ({site.code})",
        f"  {len(site.points)} 个测点 {_word('point', len(site.points))}, "
        f"{len(site.equipment)} 台设备 {_word('equipment', len(site.equipment))}, "
        f"{len(site.connections)} 个连接 {_word('connection', len(site.connections))}, "
        f"{len(site.gateways())} 个网关 {_word('gateway', len(site.gateways()))}",
        "  连接 connections:",
    ]
    for name, connection in site.connections.items():
        groups = ", ".join(f"{group.name} {group.period_s:g} s" for group in connection.groups.values())
        read = f"{_count('point', connections[name])} by {connection.adapter}"
        lines.append(f"    {name}: {read}, gateway {connection.gateway} ({groups})")
    lines.append("  设备 equipments:")
    shown = list(site.equipment.values())[:50]
    lines += [
        f"    {item.id}: {_count('point', equipment[item.id])}, {item.name.zh} ({item.template})" for item in shown
    ]
    if len(site.equipment) > len(shown):
        lines.append(f"    … {len(site.equipment) - len(shown)} more")
    lines.append(f"  版本 version {site.version}")
    lines.append("没有错误 · no problems")
    return lines


def _word(word: str, count: int) -> str:
    return word if count == 1 else word + "s"


def _count(word: str, count: int) -> str:
    return f"{count} {_word(word, count)}"
