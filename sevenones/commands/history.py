"""`sevenones history POINT`: a sparkline and a table."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from models.quality import label

LENGTH = re.compile(r"(?=.*[1-9])\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d|w)", re.ASCII)
"""A length of time that is not nothing, as the API writes it."""
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60


def history(
    point: Annotated[str, typer.Argument(help="测点路径或编号 · path or id of a point")],
    last: Annotated[str, typer.Option(help="多久以来 · how far back: 30s, 10m, 8h, 7d")] = "10m",
    rows: Annotated[
        int, typer.Option("--rows", "--buckets", min=1, max=10_000, help="表格行数 · rows of the table")
    ] = 12,
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """一个测点的历史 · the history of one point: a sparkline and a table of buckets."""
    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    if not LENGTH.fullmatch(last):
        sys.exit(
            f"--last '{last}' 不是时长：大于 0 的数字加 s、m、h、d、w 之一，如 30s、10m、8h、7d、52w\n"
            f"--last '{last}' is not a length of time: a number above 0 and one of s, m, h, d, w, "
            "such as 30s, 10m, 8h, 7d, 52w"
        )
    try:
        client = Client.of_home(home, url, token)
        series = client.history([point], start=f"-{last}", buckets=WIDTH)[0]
        table = client.history([point], start=f"-{last}", buckets=rows)[0]
    except ClientError as error:
        sys.exit(str(error))
    console = open_console()
    buckets = series["buckets"]
    if not buckets["ts"]:
        console.print(f"{series['point']}：{last} 内没有数据 · nothing in the last {last}")
        return
    low = min((v for v in buckets["min"] if v is not None), default=None)
    high = max((v for v in buckets["max"] if v is not None), default=None)
    span = "" if low is None else f"{low:.6g} … {high:.6g} {series['unit']}"
    console.print(f"{series['point']}  {span}")
    console.print(sparkline(buckets["mean"]))
    console.print(_table(table["buckets"], series["unit"]))


def sparkline(values: list[float | None]) -> str:
    """One character a value; a blank where there is none."""
    known = [v for v in values if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) / (len(BARS) - 1) or 1.0
    return "".join(" " if v is None else BARS[round((v - low) / step)] for v in values)


def _table(buckets: dict[str, list[Any]], unit: str) -> Table:
    table = Table("时间 · from", box=None, pad_edge=False, header_style="bold")
    for head in ("最小 · min", f"均值 · mean {unit}", "最大 · max", "样本 · samples", "最差质量 · worst"):
        table.add_column(head, justify="right")
    for ts, low, mean, high, n, worst in zip(
        *(buckets[name] for name in ("ts", "min", "mean", "max", "n", "worst")), strict=True
    ):
        moment = datetime.fromtimestamp(ts / 1e6).astimezone().strftime("%m-%d %H:%M:%S")
        cells = ["—" if value is None else f"{value:.6g}" for value in (low, mean, high)]
        table.add_row(moment, *cells, str(n), label(worst, "zh"))
    return table
