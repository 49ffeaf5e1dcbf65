"""`sevenones plan`: how much a site asks of its devices, and what will be too much."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sevenones.device import HOME, Home

if TYPE_CHECKING:
    from gateway.onboarding.capacity import Load
    from models.site.model import Site


def plan(
    site: Annotated[Path, typer.Argument(help="矿井配置目录 · the site folder")],
    connection: Annotated[list[str] | None, typer.Option(help="只看这些连接 · only these connections")] = None,
    round_trip: Annotated[
        str, typer.Option("--round-trip", help="假定的往返时间 · the round trip to assume, see probe: 20ms")
    ] = "20ms",
    measure: Annotated[
        bool, typer.Option("--measure", help="连接设备实测每轮用时 · ask the devices how long a poll takes")
    ] = False,
    requests: Annotated[bool, typer.Option("--requests", help="列出每个请求 · list every request")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")] = False,
    home: Home = HOME,
) -> None:
    """估算轮询负载：每秒请求、总线占用、每轮用时 · requests a second, bus load, a poll's time, what is too much.

    No device is asked unless --measure says so. Ends with 1 when the periods cannot be kept."""
    from gateway.onboarding import capacity
    from gateway.onboarding.target import TargetError
    from models.words import at

    assumed = _seconds(round_trip)
    loaded = _loaded(site, home)
    names = connection or list(loaded.connections)
    for name in names:
        if name not in loaded.connections:
            sys.exit(f"没有连接 '{name}' · there is no connection '{name}': {', '.join(loaded.connections)}")
    try:
        took, failed = asyncio.run(capacity.measure(loaded, names)) if measure else ({}, {})
        loads = [load for load in capacity.capacity(loaded, assumed, took) if load.name in names]
    except TargetError as error:
        sys.exit(str(error))
    if as_json:
        typer.echo(json.dumps([_facts(load) for load in loads], ensure_ascii=False))
    else:
        _print(loads, assumed, requests)
        for name, why in failed.items():
            lead = f"{name} 未能实测，用假定值 · {name} could not be measured, so it is assumed"
            typer.echo(at(lead, why))
    if any(load.too_much for load in loads):
        sys.exit(1)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text.strip())
    if found is None or not 0 < float(found[1]) * (0.001 if found[2] == "ms" else 1) <= 60:
        sys.exit(f"'{text}' 不是往返时间，如 20ms · '{text}' is not a round trip such as 20ms or 0.5s")
    return float(found[1]) * (0.001 if found[2] == "ms" else 1)


def _loaded(site: Path, home: Path) -> Site:
    from sevenones.site_check import examine

    report = examine(site, environment={**os.environ, "SEVENONES_HOME": str(home.resolve())})
    if report.site is None:
        sys.exit(
            f"矿井配置有误，先运行 sevenones check · the site folder {site} has mistakes, see sevenones check:\n"
            + "\n".join(map(str, report.problems[:20]))
        )
    return report.site


def _print(loads: list[Load], assumed: float, requests: bool) -> None:
    from rich.table import Table

    from sevenones.terminal import open_console

    console = open_console()
    table = Table("连接 · connection", "分组 · group", box=None, pad_edge=False, header_style="bold")
    for head in ("测点 · points", "请求 · requests", "寄存器/请求 · items each", "周期 · period", "相位 · phase",
                 "一轮 · one poll", "占用 · busy"):  # fmt: skip
        table.add_column(head, justify="right")
    for load in loads:
        if load.mode == "subscribe":
            table.add_row(load.name, "设备自送 · it sends", str(load.points))
        for group in load.groups:
            known = group.requests
            each = f"{sum(one.items for one in known) / len(known):.1f}" if known else "?"
            table.add_row(
                load.name,
                group.name,
                str(group.points),
                str(len(known)) if known else "?",
                each,
                f"{group.period_s:g} s",
                f"{group.phase_s:g} s",
                f"{group.poll_s * 1000:.1f} ms",
                f"{group.share * 100:.1f} %",
            )
    console.print(table)
    for load in loads:
        if load.mode == "poll" and load.groups:
            console.print(_sum(load, assumed), soft_wrap=True)
        for zh, en in load.advice:
            mark = "✗" if load.too_much else "!"
            console.print(f"{mark} {load.name}：{zh} · {en}", soft_wrap=True, markup=False)
        if requests:
            for group in load.groups:
                for one in group.requests or ():
                    console.print(f"    {load.name} {group.name}: {one.what} ({one.items})", soft_wrap=True)
    if not any(load.advice for load in loads):
        console.print("都有余量 · all of it fits")


def _sum(load: Load, assumed: float) -> str:
    how = "实测 · measured" if load.measured else f"假定往返 · assumed round trip {assumed * 1000:g} ms"
    line = f"，线路 · line {load.line_share * 100:.1f} %" if load.line_share else ""
    rate = f"{load.requests_per_s:.1f} 请求/秒 · requests/s"
    return f"{load.name}：{rate}，占用 · busy {load.share * 100:.1f} %{line}（{how}）"


def _facts(load: Load) -> dict[str, Any]:
    return {
        "connection": load.name,
        "adapter": load.adapter,
        "mode": load.mode,
        "points": load.points,
        "requests_per_s": load.requests_per_s,
        "share": load.share,
        "line_share": load.line_share,
        "measured": load.measured,
        "too_much": load.too_much,
        "advice": [{"zh": zh, "en": en} for zh, en in load.advice],
        "groups": [
            {
                "name": group.name,
                "points": group.points,
                "period_s": group.period_s,
                "phase_s": group.phase_s,
                "poll_s": group.poll_s,
                "requests": None if group.requests is None else len(group.requests),
            }
            for group in load.groups
        ],
    }
