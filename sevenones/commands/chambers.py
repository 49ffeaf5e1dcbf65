"""`sevenones chambers`: unattended chambers and their patrols."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def chambers(
    values: Annotated[bool, typer.Option("--values", help="列出当前值 · with what each point is now")] = False,
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """无人值守硐室：是否有人、上次巡检、是否超期 · unattended chambers: who is there, the last patrol, what is overdue.

    Ends with 1 when a patrol is overdue."""
    from sevenones.client import Client, ClientError

    try:
        found = Client.of_home(home, url, token).get("chambers")
    except ClientError as error:
        sys.exit(str(error))
    late = False
    for chamber in found["chambers"]:
        there = {None: "未知 not known", True: "有人 attended", False: "无人 unattended"}[chamber["attended"]]
        typer.echo(f"{chamber['id']}  {chamber['name']['zh']} · {chamber['name']['en']}  {there}  {chamber['camera']}")
        patrol = chamber["patrol"]
        if patrol is not None:
            never = patrol["last_time"] is None
            within = f"{patrol['looked_back_s'] / 3600:g}"
            last = f"— ({within} 小时内无 · none in {within} h)" if never else patrol["last_time"][:19]
            least = "至少 · at least " if never else ""
            late_min = f"{least}{patrol['late_s'] / 60:.0f} min"
            state = f"超期 · overdue {late_min}" if patrol["overdue"] else "按期 · in time"
            late |= patrol["overdue"]
            by = f"{patrol['by']['zh']} · {patrol['by']['en']}"
            typer.echo(
                f"  巡检 · patrol by {by}, every {patrol['every_s'] / 3600:g} h: "
                f"last {last}, due {patrol['due_time'][:19]}  {state}"
            )
        for each in chamber["values"] if values else ():
            shown = "—" if each["value"] is None else f"{each['value']:g} {each['unit']}".rstrip()
            typer.echo(f"    {each['point'].partition('/')[2]}  {shown}  {each['quality_words']['zh']}")
    if found["incomplete"]:
        typer.echo("存储暂不可用，巡检情况未知 · the store is away: patrols are not known", err=True)
    sys.exit(1 if late else 0)
