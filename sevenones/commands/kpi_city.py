"""`sevenones kpi city`: all mines side by side, against the targets."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from sevenones.relational import Database, place_of

WIDEST = 1_000
"""Columns of a line, at most."""


def city(
    month: Annotated[str, typer.Argument(help="月 · the month, 2026-03")],
    months: Annotated[int, typer.Option(min=1, max=24, help="趋势月数 · months of the trend")] = 6,
    home: Annotated[Path, typer.Option(help="数据目录 · where all data is")] = Path(".sevenones"),
    database: Database = None,
) -> None:
    """全市煤矿：使用率排名、达标、皮带集中控制 · all mines: places, targets, belts, and who is not assessable."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    from middleplatform.kpi import cities
    from middleplatform.reports.language import Language, shown
    from models.report import bureau

    try:
        year, number = month.split("-")
        found = cities.view(place_of(home, database), int(year), int(number), time.time_ns() // 1000, months)
    except ValueError:
        sys.exit(f"“{month}”不是月 · '{month}' is no month such as 2026-03")
    except cities.NothingToSee as nothing:
        sys.exit(f"{nothing.zh} · {nothing.en}")
    console = Console()
    room = console.width
    say = Language.BOTH.say
    for key in bureau.key_figures(found.city):
        bounds = "" if key.bounds is None else f" [{' – '.join(shown(b, key.form, Language.BOTH) for b in key.bounds)}]"
        words = "" if key.words is None else f"  {say(key.words)}"
        console.print(
            f"{say(key.title)}: {shown(key.value, key.form, Language.BOTH)}{bounds}{words}",
            markup=False,
            soft_wrap=True,
        )
    tables = [bureau.ranking(found.city), bureau.not_assessable(found.city), bureau.trend(found.trend)]
    if (belts := bureau.belts(found.city)) is not None:
        tables.insert(2, belts)
    for table in (each for each in tables if each.rows):
        # Numbers are never cut: where the terminal is narrower, or none, lines are as long as they must be.
        drawn = Table(title=say(table.title))
        for column in table.columns:
            drawn.add_column(say(column.title, "\n"), no_wrap=not column.wide, overflow="fold")
        for row in [*table.rows] + ([] if table.total is None else [table.total]):
            cells = zip(table.columns, row, strict=True)
            drawn.add_row(*(shown(value, column.form, Language.BOTH) for column, value in cells))
        needed = Measurement.get(console, console.options.update(max_width=WIDEST), drawn)
        console.width = max(room, needed.minimum if console.is_terminal else needed.maximum)
        console.print(drawn)
