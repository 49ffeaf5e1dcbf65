"""`sevenones watch`: a live table in the terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

STALE_S = 3.0


def watch(
    equipment: Annotated[str | None, typer.Option(help="只看一台设备 · one equipment only")] = None,
    once: Annotated[bool, typer.Option("--once", help="只显示一次 · show it once and end")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=60, help="刷新间隔（秒） · seconds between looks")] = 1.0,
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """终端实时数据表 · live values in the terminal. Ctrl-C ends it."""
    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    console = open_console()
    try:
        client = Client.of_home(home, url, token)
        known = {point["point"]: point for point in client.points(equipment=equipment)}
        values = client.live(equipment)
    except ClientError as error:
        sys.exit(str(error))
    if once or not console.is_terminal:
        console.print(_table(known, values, None))
        return
    with Live(_table(known, values, None), console=console, auto_refresh=False, screen=True) as screen:
        answered = time.monotonic()
        try:
            while True:
                time.sleep(every)
                trouble = None
                try:
                    values = client.live(equipment)
                    answered = time.monotonic()
                except ClientError as error:
                    if time.monotonic() - answered > STALE_S:
                        trouble = str(error)
                screen.update(_table(known, values, trouble), refresh=True)
        except KeyboardInterrupt:
            return


def _table(known: dict[str, Any], values: list[dict[str, Any]], trouble: str | None) -> Table:
    title = f"[reverse] 数据不可信 · do not trust these values: {trouble} [/]" if trouble else None
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    table.add_column("设备 · equipment", style="dim")
    table.add_column("测点 · point")
    table.add_column("值 · value", justify="right")
    table.add_column("单位 · unit", style="dim")
    table.add_column("质量 · quality")
    table.add_column("秒前 · age, s", justify="right")
    before = ""
    for value in values:
        point = known.get(value["point"])
        if point is None:
            continue
        machine = point["equipment"]["name"]["zh"]
        bad = value["quality"] < 64 or trouble is not None
        shown = "—" if value["value"] is None else f"{value['value']:.6g}"
        state = point["states"].get(str(int(value["value"]))) if value["value"] is not None else None
        if state:
            shown = f"{shown} {state['zh']}"
        quality = value["quality_words"]["zh"] + (" !" if value["stale"] else "")
        age = "—" if value["age_s"] is None else f"{max(value['age_s'], 0):.1f}"
        names = f"{point['name']['zh']} {value['point'].rsplit('/', 1)[1]}"
        table.add_row(machine if machine != before else "", names, value["text"] or shown, value["unit"], quality, age,
                      style="magenta" if bad else "")  # fmt: skip
        before = machine
    return table
