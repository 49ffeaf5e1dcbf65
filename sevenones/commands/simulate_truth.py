"""`sevenones simulate truth`: what a simulated mine really did."""

from __future__ import annotations

import math
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from models.site.model import Site
    from simulators.truth.report import Report


def truth(
    home: Annotated[Path, typer.Option(help="数据目录 · the home with the truth")] = Path(".sevenones"),
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site folder, if not the home's own")] = None,
    mine: Annotated[str, typer.Option(help="自带的模拟矿井 · a mine that comes with this program")] = "",
    equipment: Annotated[bool, typer.Option("--equipment", help="逐台列出 · also each equipment")] = False,
) -> None:
    """模拟矿井的真实使用率、产量与电量 · the utilisation, tonnes and kWh that a simulated mine really had."""
    from models.site import SiteErrors
    from sevenones.terminal import open_console
    from simulators.truth.report import report

    folder, loaded = _mine(home, site, mine)
    try:
        found = report(home, loaded, folder)
    except SiteErrors as error:
        sys.exit(str(error))
    if found is None:
        sys.exit(f"{home}/truth 中没有真值 · there is no truth in {home}/truth: has a mine been simulated there?")
    console = open_console()
    zone = ZoneInfo(loaded.time_zone)
    span = " … ".join(
        f"{datetime.fromtimestamp(ts / 1e6, zone):%Y-%m-%d %H:%M:%S}" for ts in (found.start_us, found.end_us)
    )
    console.print(f"{loaded.name.zh} · {loaded.name.en}   {span}", style="bold", markup=False)
    console.print(utilisation_table(found))
    console.print(balance_table(found))
    if equipment:
        console.print(equipment_table(found, loaded))


def alarms(
    home: Annotated[Path, typer.Option(help="数据目录 · the home with the truth")] = Path(".sevenones"),
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site folder, if not the home's own")] = None,
    mine: Annotated[str, typer.Option(help="自带的模拟矿井 · a mine that comes with this program")] = "",
) -> None:
    """由传感器发出的值推出应有的报警与断电 · the alarms and cut-offs that what sensors transmitted must lead to.

    Also written to truth/expected.parquet."""
    from models.site import SiteErrors
    from sevenones.terminal import open_console
    from simulators.design.mine import load_design
    from simulators.truth import expected
    from simulators.truth.transmitted import from_log

    folder, loaded = _mine(home, site, mine)
    try:
        design = load_design(folder)
    except SiteErrors as error:
        sys.exit(str(error))
    if design is None or not design.thresholds:
        sys.exit(f"{folder} 没有 thresholds · {folder}/simulation.yaml has no thresholds: nothing can be expected")
    found = from_log(home, loaded, design.thresholds)
    expected.write(home, found)
    zone = ZoneInfo(loaded.time_zone)
    table = _table("传感器 · sensor", "类别 · kind", "起 · from", "止 · until", "峰值 · peak")
    for each in found:
        begin, end = (
            "" if ts is None else f"{datetime.fromtimestamp(ts / 1e6, zone):%m-%d %H:%M:%S}"
            for ts in (each.start, each.end)
        )
        peak = "" if each.peak is None else f"{each.peak:g}"
        table.add_row(f"{each.sensor}/{each.point}", each.kind, begin, end, peak)
    open_console().print(table)


def _mine(home: Path, site: Path | None, mine: str) -> tuple[Path, Site]:
    """The site that a home's truth is of, and its folder. Ends the program where it cannot be read."""
    from models.site.loader import examine
    from simulators.faults.scenario import mines

    folder = mines().get(mine) if mine else site or home / "site"
    if folder is None:
        sys.exit(f"没有自带的矿井 '{mine}' · there is no mine '{mine}': {', '.join(mines())}")
    looked = examine(folder, environment=os.environ, require_environment=False)
    if looked.site is None:
        sys.exit("\n".join(map(str, looked.problems)))
    return folder, looked.site


def utilisation_table(found: Report) -> Table:
    """Each category, and the mine."""
    table = _table(
        "类别 · category",
        "设备 · members",
        "生产 · producing h",
        "智能 · intelligent h",
        "真值 · true",
        "申报 · declared",
    )
    for category in found.categories.values():
        true = category.true
        table.add_row(
            f"{category.zh} · {category.en}",
            str(len(category.members)),
            f"{true.producing_s / 3600:.2f}",
            f"{true.intelligent_s / 3600:.2f}",
            _percent(true.share),
            _percent(category.declared),
        )
    table.add_section()
    table.add_row("全矿 · the mine", "", "", "", _percent(found.utilisation), _percent(found.declared), style="bold")
    return table


def balance_table(found: Report) -> Table:
    """What must be equal, and by how much it is not."""
    table = _table("平衡 · balance", "甲 · one side", "乙 · other side", "差 · difference")
    for words, one, other, unit in (
        ("采出 – 提升 · won – raised", found.won, found.raised, "t"),
        ("进线 – 用电与损耗 · taken – used and lost", found.taken, found.used + found.lost, "kWh"),
    ):
        table.add_row(words, f"{_number(one)} {unit}", f"{_number(other)} {unit}", f"{_number(one - other)} {unit}")
    return table


def equipment_table(found: Report, site: Site) -> Table:
    """Tonnes and kWh of each equipment."""
    table = _table("设备 · equipment", "名称 · name", "t", "kWh")
    for name, (tonnes, kwh) in found.totals.items():
        known = site.equipment.get(name)
        table.add_row(name, known.name.zh if known else "", _number(tonnes), _number(kwh))
    return table


def _table(first: str, *others: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    table.add_column(first)
    for words in others:
        table.add_column(words, justify="right")
    return table


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.2f} %"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.1f}"
