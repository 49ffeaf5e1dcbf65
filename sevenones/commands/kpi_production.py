"""`sevenones kpi production` and `stoppages`: what the mine raised, what its machines did, and why they stood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from sevenones.asking import HERE, Home, Token, Url, platform
from sevenones.commands.kpi_energy import First, Last, amount, number, ranged

COUNTS = {
    "tonnes": ("运量 carried", "t"),
    "webs": ("割煤 webs", "刀"),
    "advance": ("进尺 advance", "m"),
    "holes": ("钻孔 holes", "个"),
    "bolts": ("锚杆 bolts", "根"),
    "run_time": ("本机累计 its own count", "h"),
}


def production(first: First, last: Last = None, *, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """产量、进尺、工时、可用率与故障 · tonnes, advance, hours, availability and failures."""
    with platform(home, url, token) as client:
        found = client.get("kpi/production", first=first, last=last or first)
    ranged(found)
    typer.echo(f"产量 · raised  {amount(found['tonnes'], 't')}")
    for key, each in found["shifts"].items():
        named = "班外 outside" if key == "rest" else f"{key} 班 shift"
        typer.echo(f"  {named}  {amount(each, 't')}")
    for machine in found["machines"]:
        times = machine["times"]
        typer.echo(
            f"{machine['id']}  {machine['name']['zh']}  计划 planned {times['planned']:.1f} h  "
            f"运行 producing {times['producing']:.1f} h  可用率 availability {share(machine['availability'])}"
            f"  已知 known {share(machine['coverage'])}"
        )
        for what, each in machine["counts"].items():
            words, unit = COUNTS.get(what, (what, ""))
            typer.echo(f"  {words}  {amount(each, unit)}")
        if machine["effectiveness"]["value"] is not None:
            typer.echo(
                f"  效率 effectiveness  {share(machine['effectiveness']['value'])}  "
                f"智能化 intelligence {share(machine['intelligence'])}  综合 overall {share(machine['overall'])}"
            )
        typer.echo(f"  {reliability(machine['reliability'])}")


def stoppages(first: First, last: Last = None, *, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """主要设备停产原因排列 · why the main machines stood, the costliest first."""
    with platform(home, url, token) as client:
        found = client.get("kpi/stoppages", first=first, last=last or first)
    ranged(found)
    if found["days_without_journal"]:
        typer.echo(f"  {found['days_without_journal']} 天报警判别未运行 · days on which alarms were not judged")
    for each in found["causes"]:
        at = f" @ {each['by']}" if each["by"] and each["by"] != each["equipment"] else ""
        group = each["group_name"]
        typer.echo(
            f"  {each['lost_h']:8.2f} h  {each['upto']:6.1%}  {each['stops']:4} 次 stops  {each['equipment']}  "
            f"{group['zh']} {group['en']}  {each['cause']}{at}"
        )


def reliability(of: Mapping[str, Any] | None) -> str:
    """Failures, and how little is known of others."""
    if of is None:
        return "故障：未知，报警判别未运行 · failures: not known, alarms were not judged"
    unclear = f"  不明 unclear {of['unclear']}" if of["unclear"] else ""
    return (
        f"故障 failures {of['failures']}{unclear}  MTBF {number(of['mtbf_h'])} h  MTTR {number(of['mttr_h'])} h  "
        f"千小时 in 1,000 h {number(of['rate'])}"
    )


def share(value: float | None) -> str:
    return "未知 not known" if value is None else f"{value:.1%}"
