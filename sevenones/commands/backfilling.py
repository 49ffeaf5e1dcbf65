"""What `sevenones simulate --backfill` says while it works, and at the end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from models.site.model import Site
from sevenones.backfill.fill import Filled


def backfill(folder: Path, home: Path, length: str, until: str, seed: int) -> None:
    """Fill the home's store with the past of a mine; ends the program with 1 when that cannot be."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from models.site.problems import SiteErrors
    from sevenones.backfill import BackfillError, fill, span
    from sevenones.backfill.mine import simulated_mine, site_of
    from sevenones.home import HomeError, open_home
    from sevenones.terminal import open_console

    console = open_console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )
    try:
        when = span(length, until, time.time_ns() // 1000)
        site, opened = site_of(folder, dict(os.environ)), open_home(home)
        make, given = simulated_mine(folder, opened, when.start, seed, dict(os.environ))
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("回填 · backfill", total=when.seconds, said="")
            began = time.monotonic()

            def show(seconds: int, samples: int) -> None:
                took = max(time.monotonic() - began, 1e-3)
                said = f"{seconds / 86_400:.2f} 天 · d   {samples / 1e6:.2f} M 样本 · samples   {seconds / took:,.0f}×"
                progress.update(task, completed=seconds, said=said)

            done = fill(site, opened, when, make, given, show)
    except (BackfillError, HomeError, SiteErrors) as error:
        sys.exit(str(error))
    for line in [*summary(done, when.seconds), *utilisation(opened, site, folder)]:
        console.print(line)
    if done.seconds < when.seconds:
        sys.exit("已中断：存储完整，同样的命令可重做 · interrupted: the store is whole, the same command does it again")


def summary(done: Filled, asked: int) -> list[str]:
    """What was filled, line by line."""
    lines = [
        f"模拟时间 · simulated     {done.seconds / 86_400:.3f} / {asked / 86_400:.3f} 天 · days",
        f"样本 · samples           {done.samples:,}",
        f"测点 · points            {done.points:,}",
        f"平均间隔 · mean interval {done.mean_interval_s:.2f} s",
        f"用时 · took              {done.took_s:.1f} s ({done.seconds / done.took_s:,.0f} s/s, "
        f"{done.samples / done.took_s:,.0f} 样本/秒 · samples/s)",
    ]
    if done.told.unknown:
        some = ", ".join(done.told.unknown[:5])
        lines.append(f"未模拟的测点（为 0） · not simulated, 0: {len(done.told.unknown)} ({some} …)")
    if done.left_out:
        lines.append(f"未回填（文本、导出测点） · left out, texts and derived: {done.left_out}")
    return lines


def utilisation(home: Path, site: Site, folder: Path) -> list[str]:
    """What the truth in this home says of it, beside what the site declares."""
    from simulators.truth.report import report

    found = report(home, site, folder)
    if found is None:
        return []
    lines = [
        f"智能化设备使用率（真值） · utilisation in the truth  {found.utilisation:.1%}"
        f"   声明 · declared {found.declared:.1%}"
    ]
    for one in found.categories.values():
        if one.members:
            hours = f"{one.true.producing_s / 3600:9.1f} h 生产 · producing"
            lines.append(f"  {one.zh} · {one.en}  {one.true.share:6.1%}  声明 · declared {one.declared:6.1%}  {hours}")
    return lines
