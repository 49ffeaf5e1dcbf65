"""`sevenones standard report`: how far a site's points follow the standard."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def standard() -> None:
    """测点的标准化 · how far points follow the standard."""


@app.command()
def report(
    site: Annotated[
        Path | None, typer.Option(help="矿井配置目录，默认为数据目录中的 · the site folder, by default the home's")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="写入 .csv 或 .xlsx · write all findings to a .csv or .xlsx file")
    ] = None,
    day: Annotated[str, typer.Option(help="字典生效日，默认今天 · the day whose dictionaries hold")] = "",
    most: Annotated[int, typer.Option(min=0, help="终端显示条数 · findings shown here")] = 20,
    home: Annotated[Path, typer.Option(help="数据目录 · where all data is")] = Path(".sevenones"),
) -> None:
    """标准化报告：哪些测点不合规、为何、建议 · which points break a rule of the standard, why, and what to do."""
    from middleplatform.governance import standard, table
    from middleplatform.governance.register import Register
    from models.site import SiteErrors, examine

    folder = site or home / "site"
    if not home.is_dir():
        sys.exit(f"没有数据目录 {home} · there is no home folder {home}: name it with --home")
    try:
        on = datetime.date.fromisoformat(day) if day else datetime.datetime.now(datetime.UTC).date()
    except ValueError:
        sys.exit(f"“{day}”不是日期 · '{day}' is not a day such as 2026-01-31")
    if to is not None and to.suffix not in {".csv", ".xlsx"}:
        sys.exit(f"{to} 应以 .csv 或 .xlsx 结尾 · the file must end in .csv or .xlsx")
    examined = examine(folder, environment=os.environ, require_environment=False)
    if examined.site is None:
        sys.exit(f"矿井配置有误 · the site folder {folder} has mistakes:\n{SiteErrors(examined.problems)}")
    found = standard.report(examined.site, Register(place_of(home), examined.site).held(on), on)
    console = Console()
    rules = Table("规则 · rule", "类别 · about", "适用 · assessed", "不符 · broken")
    for each in found.summary()["rules"]:
        rules.add_row(each["rule"], each["about"], str(each["assessed"]), str(each["broken"] or ""))
    console.print(rules)
    for each in found.findings[:most]:
        proposed = "" if each.proposed is None else f" → {each.proposed['field']} = {each.proposed['value']}"
        console.print(
            f"{each.point}  {each.rule}: {each.why.zh} · {each.why.en}{proposed}", markup=False, soft_wrap=True
        )
    if len(found.findings) > most:
        console.print(f"… {len(found.findings) - most}")
    share = f"{100 * found.following / found.points:.1f} %" if found.points else "—"
    console.print(
        f"{found.points} 个测点，合规 {found.following} · {share} of the points follow every rule that they must"
    )
    if to is not None:
        rows = standard.rows(found.findings)
        title = "标准化报告"
        made = (
            table.as_csv(standard.HEADING, rows)
            if to.suffix == ".csv"
            else table.as_xlsx(standard.HEADING, rows, title)
        )
        to.write_bytes(made)
        console.print(f"已写入 {to} · written to {to}", markup=False)
