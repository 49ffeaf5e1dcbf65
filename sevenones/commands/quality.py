"""`sevenones quality`: how good the data is, and what was not good."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table


class By(StrEnum):
    """What rows are about."""

    POINT = "point"
    EQUIPMENT = "equipment"
    SUBSYSTEM = "subsystem"
    MINE = "mine"


class Width(StrEnum):
    """How long a row is."""

    HOUR = "hour"
    DAY = "day"


def quality(
    of: Annotated[
        list[str] | None, typer.Argument(help="设备或测点路径，默认全部 · equipment or points; by default all")
    ] = None,
    by: Annotated[By, typer.Option(help="归并 · what a row is about")] = By.SUBSYSTEM,
    width: Annotated[Width, typer.Option(help="小时或日 · how long a row is")] = Width.DAY,
    start: Annotated[str, typer.Option(help="开始 · from when: -1d, -8h, 2026-11-26T08:00:00Z")] = "-1d",
    end: Annotated[str, typer.Option(help="结束 · until when")] = "now",
    intervals: Annotated[
        bool, typer.Option("--intervals", help="列出不良区间及原因 · list what was not good, and why")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="最多行数 · rows shown")] = 40,
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """数据质量：评分、完整性、及时性、有效性、一致性；不良区间 · the quality of data, and what was not good."""
    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    named = of or []
    query: dict[str, Any] = {"start": start, "end": end}
    query["point"] = [name for name in named if "/" in name] or None
    query["equipment"] = [name for name in named if "/" not in name] or None
    try:
        client = Client.of_home(home, url, token)
        if intervals:
            found = client.get("quality/intervals", limit=rows, **query)
        else:
            found = client.get("quality", by=by.value, width=width.value, **query)
    except ClientError as error:
        sys.exit(str(error))
    console = open_console()
    if intervals:
        shown = found["intervals"]
        console.print(_intervals(shown))
        if found["total"] > len(shown):
            console.print(f"共 {found['total']} 段，列出最长的 {len(shown)} 段 · the longest of {found['total']}")
    else:
        worst_first = sorted(found["rows"], key=lambda row: -1.0 if row["score"] is None else row["score"])
        console.print(_scores(worst_first[:rows]))
        if len(worst_first) > rows:
            console.print(f"共 {len(worst_first)} 行，列出最差的 {rows} 行 · the worst of {len(worst_first)} rows")
    if found["incomplete"]:
        console.print("最近的小时可能不完整 · the newest hours may not be complete")


def _scores(rows: list[dict[str, Any]]) -> Table:
    table = Table("对象 · of", "自 · from", box=None, pad_edge=False, header_style="bold")
    for head in ("评分", "完整", "及时", "有效", "一致", "p50/p99 ms", "静默 s", "主因"):
        table.add_column(head, justify="right")
    for row in rows:
        dimensions = (row[name] for name in ("completeness", "timeliness", "validity", "consistency"))
        delay = "—" if row["p50_ms"] is None else f"{row['p50_ms']:.0f}/{row['p99_ms']:.0f}"
        cause, seconds = max(row["causes_s"].items(), key=lambda each: each[1])
        table.add_row(
            row["of"],
            _moment(row["ts"]),
            "—" if row["score"] is None else f"{row['score']:.1f}",
            *("—" if share is None else f"{100 * share:.1f} %" for share in dimensions),
            delay,
            f"{row['seconds']['silent']:.0f}",
            cause if seconds else "—",
        )
    return table


def _intervals(rows: list[dict[str, Any]]) -> Table:
    table = Table("测点 · point", "自 · from", box=None, pad_edge=False, header_style="bold")
    for head in ("秒 · s", "原因 · cause", "说明 · what"):
        table.add_column(head)
    for row in rows:
        words = f"{row['words']['zh']} · {row['words']['en']}"
        table.add_row(row["point"], _moment(row["begin_us"]), f"{row['seconds']:.1f}", row["cause"], words)
    return table


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6).astimezone().strftime("%m-%d %H:%M:%S")
