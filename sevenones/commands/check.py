"""`sevenones check`: every mistake in a site's folder, at its file and line or cell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from models.site import Report
    from models.site.model import Connection, Point, Site
    from protocols.adapter import Adapter


@cache
def _adapter(name: str) -> type[Adapter[Any, Any]] | str:
    """The adapter of that name, or why there is none."""
    from protocols.registry import UnknownProtocol, adapter

    try:
        return adapter(name)
    except UnknownProtocol as error:
        return str(error)
    except (ImportError, AttributeError) as error:
        return f"the protocol '{name}' cannot be loaded here: {error}"


def check_settings(connection: Connection) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """The mistakes in a connection's adapter and settings: (path below the connection, what is wrong)."""
    from pydantic import ValidationError

    from models.site.schema import plain_words

    found = _adapter(connection.adapter)
    if isinstance(found, str):
        yield ("adapter",), found
        return
    try:
        found.Settings.model_validate(dict(connection.settings))
    except ValidationError as errors:
        for error in errors.errors(include_url=False):
            yield ("settings", *error["loc"]), plain_words(error, found.Settings)


def check_tag(connection: Connection, point: Point) -> None:
    """Raises ValueError when the connection's adapter cannot read such a point. An adapter that is not
    there was named with its connection, once, and not for each of its points."""
    from protocols.adapter import Tag

    found = _adapter(connection.adapter)
    if isinstance(found, str):
        return
    tag = Tag(0, point.path, point.address, point.type, point.order, point.options)
    try:
        found.check(tag)
    except ValueError:
        raise
    except Exception as error:  # an adapter from outside the tree must not hide the other mistakes
        raise ValueError(f"the adapter '{connection.adapter}' failed on '{point.address}': {error!r}") from error


def examine(site: Path, *, require_environment: bool = False) -> Report:
    """The whole check of a folder, with its adapters and this process's environment."""
    from models import site as sites

    return sites.examine(
        site,
        check_tag=check_tag,
        check_settings=check_settings,
        environment=os.environ,
        require_environment=require_environment,
    )


def check(
    site: Annotated[Path, typer.Argument(help="矿井配置目录 · the site folder, the one that holds site.yaml")],
    notes: Annotated[bool, typer.Option(help="列出提示 · also list what is no mistake, such as unbound points")] = True,
    environment: Annotated[
        bool, typer.Option(help="环境变量未设置算错误 · a variable that is not set is a mistake, not a note")
    ] = False,
) -> None:
    """检查矿井配置目录，一次列出所有错误 · name every mistake in a site folder, with its file and line or cell.

    Ends with 1 when there is any. Nothing is started and no device is asked."""
    report = examine(site, require_environment=environment)
    if notes:
        for note in report.notes:
            typer.echo(f"提示 note: {note}")
    for problem in report.problems:
        typer.echo(str(problem))
    if report.site is None:
        count = len(report.problems)
        typer.echo(f"\n{site}: {count} 处错误 · {count} problem{'s' if count != 1 else ''}")
        raise typer.Exit(1)
    for line in summary(report.site):
        typer.echo(line)


def summary(site: Site) -> list[str]:
    """A site in a few lines: what there is, and how many points each connection and equipment has."""
    equipment = Counter(point.equipment for point in site.points)
    connections = Counter(point.connection for point in site.points)
    lines = [
        f"{site.name.zh} · {site.name.en} ({site.code})",
        f"  {len(site.points)} 个测点 points, {len(site.equipment)} 台设备 equipments, "
        f"{len(site.connections)} 个连接 connections, {len(site.gateways())} 个网关 gateways",
        "  连接 connections:",
    ]
    for name, connection in site.connections.items():
        groups = ", ".join(f"{group.name} {group.period_s:g} s" for group in connection.groups.values())
        lines.append(
            f"    {name}: {connections[name]} points by {connection.adapter}, gateway {connection.gateway} ({groups})"
        )
    lines.append("  设备 equipments:")
    shown = list(site.equipment.values())[:50]
    lines += [f"    {item.id}: {equipment[item.id]} points, {item.name.zh} ({item.template})" for item in shown]
    if len(site.equipment) > len(shown):
        lines.append(f"    … {len(site.equipment) - len(shown)} more")
    lines.append(f"  版本 version {site.version}")
    lines.append("没有错误 · no problems")
    return lines
