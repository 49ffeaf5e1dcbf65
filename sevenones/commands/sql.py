"""`sevenones sql "SELECT …"`: one read-only statement, its answer as a table, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

FORMS = ("table", "csv", "json")
SHOWN = 200
"""Rows that the table shows."""


def sql(
    statement: Annotated[
        str, typer.Argument(help="SELECT 语句；- 从标准输入读；省略则列出各表 · a SELECT; - reads it; none: the tables")
    ] = "",
    form: Annotated[str, typer.Option("--format", help="table、csv 或 json · one of them")] = "table",
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """运行一条只读 SQL · run one read-only SQL statement over the tables that you may see."""
    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    if form not in FORMS:
        sys.exit(f"--format 应为 {'、'.join(FORMS)} · --format is one of {', '.join(FORMS)}, not '{form}'")
    console = open_console()
    try:
        client = Client.of_home(home, url, token)
        if not statement:
            for table in client.get("sql")["tables"]:
                console.print(_tables(table))
            return
        answer = client.sql(sys.stdin.read() if statement == "-" else statement)
    except ClientError as error:
        sys.exit(str(error))
    names = [column["name"] for column in answer["columns"]]
    rows = list(zip(*(column["values"] for column in answer["columns"]), strict=True))
    if form == "json":
        json.dump([dict(zip(names, row, strict=True)) for row in rows], sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    elif form == "csv":
        csv.writer(sys.stdout).writerows([names, *rows])
    else:
        console.print(_answer(names, rows))
        more = f"，只显示前 {SHOWN} 行 · the first {SHOWN} are shown" if len(rows) > SHOWN else ""
        console.print(f"{answer['rows']} 行 · rows，{answer['took_ms']} ms{more}", style="dim")
    if answer["incomplete"]:
        print("尚有样本未写入，请稍后重试 · some samples are not written yet: ask again", file=sys.stderr)


def _answer(names: list[str], rows: list[tuple[Any, ...]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(names):
        numbers = any(isinstance(row[index], int | float) for row in rows[:SHOWN])
        table.add_column(Text(name), justify="right" if numbers else "left")
    for row in rows[:SHOWN]:
        table.add_row(
            *(
                Text("—" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value))
                for value in row
            )
        )
    return table


def _tables(table: dict[str, Any]) -> Any:
    from rich.table import Table

    shown = Table(title=table["name"], title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head in ("列 · column", "类型 · type", "含义", "meaning"):
        shown.add_column(head)
    for column in table["columns"]:
        shown.add_row(column["name"], column["type"], column["zh"], column["en"])
    return shown
