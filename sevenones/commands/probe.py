"""`sevenones probe`: what answers at an address, how fast, and what it can do."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.device import HOME, Device, Home, SiteFolder, ask, target

if TYPE_CHECKING:
    from gateway.onboarding.probe import Report

MARKS = {"good": "✓", "note": "·", "bad": "✗"}


def probe(
    device: Device,
    units: Annotated[str, typer.Option(help="要问的 Modbus 站号 · Modbus unit ids to ask: 1-10,247")] = "1-10,247,255",
    at: Annotated[str, typer.Option(help="一个已知存在的地址 · an address that the device is known to have")] = "",
    timeout: Annotated[
        float, typer.Option(min=0.05, max=30, help="每次等待的秒数 · seconds to wait for an answer")
    ] = 1.0,
    pause: Annotated[float, typer.Option(min=0.0, max=10, help="两次请求间隔秒数 · seconds between requests")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")] = False,
    site: SiteFolder = None,
    home: Home = HOME,
) -> None:
    """探测一个地址：什么在应答、多快、哪些站号、哪些端点 · what answers there, how fast, which units or endpoints.

    One request at a time, and none that writes. Ends with 1 when the protocol does not answer."""
    from gateway.onboarding.probe import Options
    from gateway.onboarding.probe import probe as look_around

    options = Options(units=_units(units), at=at, timeout_s=timeout, pause_s=pause)
    asked = target(device, site, home)

    async def work() -> Report:
        return await look_around(asked, options)

    report = ask(work, "探测失败 · cannot probe")
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        for one in report.findings:
            typer.echo(f"{MARKS[one.level]} {one.zh} · {one.en}")
    if not report.answers:
        sys.exit(1)


def _units(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        span = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part)
        if span is None or not int(span[1]) <= int(span[2] or span[1]) <= 255:
            sys.exit(f"'{part}' 不是站号 · '{part}' is not a unit id or a range of them: 1-10,247")
        found += range(int(span[1]), int(span[2] or span[1]) + 1)
    return tuple(found)
