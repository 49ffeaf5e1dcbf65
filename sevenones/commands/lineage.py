"""`sevenones lineage`: where a point's value comes from, as a tree."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.tree import Tree

from sevenones.relational import place_of

if TYPE_CHECKING:
    from middleplatform.governance.lineage import Graph

_SHOWN = ("address", "type", "adapter", "place", "rule", "area", "digest", "code", "edition", "who", "reason")
"""Facts of a node that its line has."""


def lineage(
    point: Annotated[str, typer.Argument(help="测点路径 · the point's path, with or without the mine code")],
    at: Annotated[str, typer.Option(help="时刻，默认现在 · an ISO time with zone, by default now")] = "",
    site: Annotated[
        Path | None, typer.Option(help="矿井配置目录，默认为数据目录中的 · the site folder, by default the home's")
    ] = None,
    home: Annotated[Path, typer.Option(help="数据目录 · where all data is")] = Path(".sevenones"),
) -> None:
    """数据血缘：一个值从何而来 · where a value comes from: formula, device, address, gateway, versions, corrections."""
    from middleplatform.governance.lineage import NotThen, of_point
    from models.site import SiteErrors, examine

    if not home.is_dir():
        sys.exit(f"没有数据目录 {home} · there is no home folder {home}: name it with --home")
    try:
        when = datetime.fromisoformat(at) if at else None
    except ValueError:
        when = datetime.min
    if when is not None and when.tzinfo is None:
        sys.exit(f"“{at}”不是带时区的时间 · '{at}' is not a time with a zone, such as 2026-01-31T08:00:00+08:00")
    now = time.time_ns() // 1000 if when is None else int(when.timestamp() * 1e6)
    folder = site or home / "site"
    examined = examine(folder, environment=os.environ, require_environment=False)
    if examined.site is None:
        sys.exit(f"矿井配置有误 · the site folder {folder} has mistakes:\n{SiteErrors(examined.problems)}")
    path = point if point.count("/") == 2 else f"{examined.site.code}/{point}"
    try:
        graph = of_point(place_of(home), examined.site, lambda kind, name: True, path, now)
    except NotThen:
        sys.exit(f"此时没有测点 {path} · there was no point {path} at that time")
    Console().print(_tree(graph))


def _tree(graph: Graph) -> Tree:
    tree = Tree(_line(graph.nodes[graph.root]))
    _grow(tree, graph, graph.root, {graph.root})
    return tree


def _grow(tree: Tree, graph: Graph, made: str, above: set[str]) -> None:
    for here, of, how in graph.edges:
        if here == made and of not in above:
            _grow(tree.add(f"{how}: {_line(graph.nodes[of])}"), graph, of, above | {of})


def _line(node: dict[str, Any]) -> str:
    facts = " ".join(f"{name}={node[name]}" for name in _SHOWN if node.get(name) not in (None, "", {}))
    since = f" (v{node['since_version']})" if node.get("since_version") else ""
    return f"{node['kind']} {node['name']}{since} {facts}".replace("[", "\\[").rstrip()
