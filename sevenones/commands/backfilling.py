"""What `sevenones simulate --backfill` says while it works, and at the end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from models.site.model import Site
from sevenones.backfill.fill import Filled


def backfill(site: Site, folder: Path, home: Path, length: str, until: str, seed: int) -> None:
    """Fill the home's store with the past of a mine; ends the program with 1 when that cannot be."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from sevenones.backfill import BackfillError, fill, span
    from sevenones.backfill.mine import simulated_mine
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
        opened = open_home(home)
        make, given = simulated_mine(folder, when.start, seed)
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("回填 · backfill", total=when.seconds, said="")
            began = time.monotonic()

            def show(seconds: int, samples: int) -> None:
                took = max(time.monotonic() - began, 1e-3)
                said = f"{seconds / 86_400:.2f} 天 · d   {samples / 1e6:.2f} M 样本 · samples   {seconds / took:,.0f}×"
                progress.update(task, completed=seconds, said=said)

            done = fill(site, opened, when, make, given, show)
    except (BackfillError, HomeError) as error:
        sys.exit(str(error))
    for line in summary(done, when.seconds):
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
    if done.told.producing_s:
        lines.append("智能化设备利用率（真值） · utilisation in the truth")
        for name, seconds in sorted(done.told.producing_s.items()):
            share = done.told.intelligent_s.get(name, 0.0) / seconds if seconds else 0.0
            lines.append(f"  {name:<16} {share:6.1%}   {seconds / 3600:8.1f} h 生产 · producing")
    if done.told.unknown:
        some = ", ".join(done.told.unknown[:5])
        lines.append(f"未模拟的测点（为 0） · not simulated, 0: {len(done.told.unknown)} ({some} …)")
    if done.left_out:
        lines.append(f"未回填（文本、导出测点） · left out, texts and derived: {done.left_out}")
    return lines
