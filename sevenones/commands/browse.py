"""`sevenones browse`: what a device has, and a draft of its point table."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.device import HOME, Device, Home, SiteFolder, ask, target

if TYPE_CHECKING:
    from gateway.onboarding.walk import Step
    from protocols.adapter import Node


def browse(
    device: Device,
    below: Annotated[str, typer.Option(help="从哪个节点往下 · below which node: a way or an address")] = "",
    depth: Annotated[int, typer.Option(min=1, max=12, help="几层 · how many levels; a draft takes all")] = 1,
    draft: Annotated[Path | None, typer.Option(help="写出测点表草稿（CSV） · write a draft of a point table")] = None,
    equipment: Annotated[str, typer.Option(help="草稿中的设备编号 · the equipment's id in the draft")] = "",
    group: Annotated[str, typer.Option(help="草稿中的分组 · the poll group in the draft")] = "",
    force: Annotated[bool, typer.Option("--force", help="覆盖已有草稿 · overwrite a draft that is there")] = False,
    site: SiteFolder = None,
    home: Home = HOME,
) -> None:
    """浏览设备有哪些节点，并可写出测点表草稿 · list what a device has, and draft a point table of it.

    For protocols that describe themselves. Nothing is written to the device."""
    from gateway.onboarding.walk import DEEPEST, MOST_NODES, as_csv, walk
    from gateway.onboarding.walk import draft as rows_of
    from models.words import at
    from protocols.adapter import AdapterError, Supports

    asked = target(device, site, home)

    async def work() -> list[Step]:
        if Supports.BROWSE not in asked.build().sheet.supports:
            raise AdapterError(
                f"协议 {asked.adapter} 不能浏览，请用 probe 和 read · "
                f"the protocol {asked.adapter} does not describe itself: use probe and read"
            )
        async with asked.opened() as opened:
            return await walk(opened, below, DEEPEST if draft is not None else depth)

    steps = ask(work, "浏览失败 · cannot browse")
    if draft is None:
        for step in steps:
            typer.echo(_line(step))
    else:
        rows = rows_of(steps, "" if "://" in device else device, equipment, group)
        try:
            with draft.open("wb" if force else "xb") as file:
                file.write(as_csv(rows))
        except FileExistsError:
            sys.exit(f"{draft} 已存在，加 --force 覆盖 · {draft} is there already: --force overwrites it")
        except OSError as error:
            sys.exit(f"无法写入 {draft} · cannot write {draft}: {error.strerror}")
        typer.echo(f"{draft}：{len(rows)} 个测点，请核对名称后放入 points/ · {len(rows)} points, go over their names")
    for step in steps:
        if step.trouble:
            typer.echo(at("未能列出 · not listed", at(step.way, step.trouble)), err=True)
    if len(steps) >= MOST_NODES:
        typer.echo(f"只列出前 {MOST_NODES} 个 · only the first {MOST_NODES}: use --below", err=True)
    if not steps:
        sys.exit("没有节点 · nothing is there")


def _line(step: Step) -> str:
    node = step.node
    indent = "  " * (step.depth - 1)
    if not node.address:
        return f"{indent}{node.name}/"
    told = [node.name, node.type, node.unit, _range(node), "可写 writable" if node.writable else "", node.address]
    return indent + "  ".join(filter(None, told))


def _range(node: Node) -> str:
    ends = ["" if math.isnan(end) else f"{end:g}" for end in (node.low, node.high)]
    return " … ".join(ends) if any(ends) else ""
