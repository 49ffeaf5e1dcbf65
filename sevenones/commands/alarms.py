"""`sevenones alarms …`: what is wrong now, what happened, and what is done about it."""

from __future__ import annotations

import contextlib
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from sevenones.alarm_tables import (
    ACTS,
    STATES,
    SUPPRESSIONS,
    figures_of,
    groups_of,
    moment,
    more_than_shown,
    name_of,
    summary,
    table_of,
    worst_of,
)
from sevenones.asking import HERE, Home, Token, Url, platform

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Kind(StrEnum):
    """报警, 断电 and 馈电异常 are apart from each other."""

    ALARM = "alarm"
    POWER_CUT = "power_cut"
    FEED_FAULT = "feed_fault"


Number = Annotated[int, typer.Argument(min=1, help="报警编号 · the alarm's number")]
Numbers = Annotated[list[int], typer.Argument(min=1, help="报警编号，可多个 · numbers of alarms")]
Note = Annotated[str, typer.Option(help="说明 · a note")]
Reason = Annotated[str, typer.Option(help="原因（必填） · why")]
_WAITING = ("unacknowledged", "returned_unacknowledged", "latched_unacknowledged")


@app.command("list")
def list_all(
    area: Annotated[str | None, typer.Option(help="区域及其下级 · an area and all in it")] = None,
    equipment: Annotated[str | None, typer.Option(help="设备 · one equipment")] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=9, help="优先级 · priority")] = None,
    kind: Annotated[Kind | None, typer.Option(help="报警、断电或馈电异常 · which kind")] = None,
    state: Annotated[str | None, typer.Option(help="状态 · " + ", ".join(STATES))] = None,
    suppressed: Annotated[bool, typer.Option(help="只看被抑制的 · those that are shelved or suppressed")] = False,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="最多行数 · rows shown")] = 40,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """现在的报警，最紧急、最新在前 · what is wrong now, the most urgent and newest first."""
    asked = {"area": area, "equipment": equipment, "priority": priority, "kind": kind, "state": state, "limit": rows}
    with platform(home, url, token) as client:
        found = client.get("alarms", **asked, suppressed="yes" if suppressed else "no")
    from sevenones.terminal import open_console

    console = open_console()
    console.print(table_of(found))
    if more := more_than_shown(found["total"], len(found["alarms"])):
        console.print(more, style="bold yellow")
    console.print(summary(found), style="bold")


@app.command()
def groups(
    area: Annotated[str | None, typer.Option(help="区域及其下级 · an area and all in it")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1_000, help="最多行数 · rows shown")] = 40,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """成组的报警：原因与后果、同类合并 · each cause with its consequences, and what is alike, as one line."""
    from sevenones.terminal import open_console

    with platform(home, url, token) as client:
        found = client.get("alarms/groups", area=area, limit=rows)
    console = open_console()
    console.print(groups_of(found))
    if more := more_than_shown(found["total"], len(found["groups"])):
        console.print(more, style="bold yellow")
    console.print(summary(found), style="bold")


@app.command()
def follow(
    every: Annotated[float, typer.Option(min=0.5, max=60, help="刷新间隔（秒） · seconds between looks")] = 1.0,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """持续显示报警 · alarms as they come and go, until Ctrl-C."""
    from rich.console import Group as Lines
    from rich.live import Live

    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    console = open_console()

    def room() -> int:
        """Groups that the window has lines for, beside the head and what was left out."""
        return min(max(console.size.height - 4, 1), 1_000)

    with platform(home, url, token) as client:
        found = client.get("alarms/groups", limit=room())
    client = Client.of_home(home, url, token)
    shown, trouble = found, ""
    with (
        Live(console=console, auto_refresh=False, screen=True) as screen,
        contextlib.suppress(KeyboardInterrupt),
    ):
        while True:
            head = Text(trouble or summary(shown), style="reverse bold red" if trouble else "bold")
            more = more_than_shown(shown["total"], len(shown["groups"]), "sevenones alarms groups --rows")
            lines = [head, *([Text(more, style="bold yellow")] if more else []), groups_of(shown)]
            screen.update(Lines(*lines), refresh=True)
            time.sleep(every)
            try:
                shown, trouble = client.get("alarms/groups", limit=room()), ""
            except ClientError as error:
                trouble = f"以下为旧状态 · what is below is old: {error}"


@app.command()
def performance(
    start: Annotated[str, typer.Option(help="开始 · from: -7d, or a time with a zone")] = "-1d",
    end: Annotated[str, typer.Option(help="结束 · up to")] = "now",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """报警系统指标（ISA-18.2） · how well the alarms serve the operators, beside what is advised."""
    from sevenones.terminal import open_console

    with platform(home, url, token) as client:
        found = client.get("alarms/performance", start=start, end=end)
    console = open_console()
    console.print(figures_of(found))
    console.print(worst_of(found))


@app.command()
def ack(numbers: Numbers, note: Note = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """确认一条或多条报警 · acknowledge one or many, as they stand now; one that is raised meanwhile is left."""
    with platform(home, url, token) as client:
        found = client.get("alarms", suppressed="all", resting=True, limit=10_000)
        known = {row["id"]: row for row in found["alarms"]}
        rows = [known.get(number) or client.get(f"alarms/{number}") for number in numbers]
        body = {"alarms": numbers, "note": note, "seen": [row["since"] for row in rows]}
        done = client.ask("POST", "alarms/acknowledge", body=body)["acknowledged"]
    for row in rows:
        if row["id"] in done:
            print(f"{row['id']}  {moment(row['since'], found['time_zone'])}  {name_of(row)}  {row['rule_name']['zh']}")
    left = [row["id"] for row in rows if row["id"] not in done and row["state"] in _WAITING]
    if left:
        print(f"期间再次报警，未确认，请重看 · raised again meanwhile and left, look again: {' '.join(map(str, left))}")
    print(f"已确认 {len(done)} 条 · acknowledged: {' '.join(map(str, done)) or '—'}")


@app.command()
def shelve(
    number: Number,
    reason: Reason,
    end: Annotated[str, typer.Option("--for", help="多久或到何时：30m、带时区的时间 · how long, or until when")],
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """搁置到某时；法定报警不得搁置 · let one be silent until a time; a statutory alarm never is."""
    _act(number, "shelve", {"reason": reason, "end": end}, home, url, token)


@app.command()
def unshelve(number: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """取消搁置 · let a shelved one speak again."""
    _act(number, "unshelve", None, home, url, token)


@app.command("out-of-service")
def out_of_service(
    number: Number,
    reason: Reason,
    end: Annotated[str | None, typer.Option("--for", help="多久或到何时，缺省到恢复为止 · how long")] = None,
    ticket: Annotated[int | None, typer.Option(min=1, help="检修工单 · the ticket of the work")] = None,
    allowed_by: Annotated[
        str | None, typer.Option(help="批准人（法定报警必填，另一人） · who else allowed it: of a statutory one")
    ] = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """检修期间停用 · take one out of service while work is done."""
    _act(
        number,
        "out-of-service",
        {"reason": reason, "end": end, "ticket": ticket, "allowed_by": allowed_by},
        home,
        url,
        token,
    )


@app.command("in-service")
def in_service(number: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """恢复使用 · put one back into service."""
    _act(number, "in-service", None, home, url, token)


@app.command()
def reset(number: Number, note: Note = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """复位已锁定且已恢复的报警 · let go of a latched one that has returned."""
    _act(number, "reset", {"note": note}, home, url, token)


@app.command()
def handle(
    raised: Annotated[int, typer.Argument(min=1, help="日志编号 · the raise's number in the journal")],
    cause: Annotated[str, typer.Option(help="原因 · why it came to it")],
    measure: Annotated[str, typer.Option(help="措施 · what was done")],
    result: Annotated[str, typer.Option(help="结果 · what came of it")] = "",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """填写处置记录 · write down why it came to a raise and what was done."""
    with platform(home, url, token) as client:
        done = client.ask(
            "POST", f"alarms/raises/{raised}/handling", body={"cause": cause, "measure": measure, "result": result}
        )
    print(f"已记录处置 {done['id']} · handling {done['id']} of raise {raised} is kept")


@app.command()
def journal(
    number: Annotated[int | None, typer.Argument(min=1, help="报警编号，缺省全部 · an alarm, by default all")] = None,
    start: Annotated[str | None, typer.Option(help="开始 · from: -1h, or a time with a zone")] = None,
    end: Annotated[str | None, typer.Option(help="结束 · up to")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1_000, help="最多行数 · rows shown")] = 40,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """报警日志，最新在前 · what happened, newest first, with who did what."""
    with platform(home, url, token) as client:
        answer = client.get("alarms/journal", alarm=number, start=start, end=end, limit=rows)
    found, zone = answer["entries"], answer["time_zone"]
    from sevenones.terminal import open_console

    table = Table("编号 · no.", "时刻 · when", "报警 · alarm", "发生 · what", "规则 · rule", "对象 · of", "值 · value",
                  "谁 · who", "说明 · note", box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in found:
        what = ACTS.get(row["what"], row["what"]) + ("（迟到）" if row["late"] else "")
        value = "" if row["value"] is None else f"{row['value']:.6g}"
        words = [row["note"] or "", *(f"{each['cause']} → {each['measure']}" for each in row["handlings"])]
        told = (
            str(row["number"]),
            moment(row["ts"], zone),
            str(row["alarm"]),
            what,
            row["rule"],
            row["subject"],
            value,
        )
        table.add_row(*map(Text, (*told, row["who"] or "", "；".join(filter(None, words)))))
    console = open_console()
    console.print(table)
    if answer["next"] is not None:
        words = "更早的未显示（--rows、--end） · what is older is not shown (--rows, --end)"
        console.print(words, style="bold yellow")


def _act(number: int, act: str, body: dict[str, Any] | None, home: Path, url: str | None, token: str | None) -> None:
    with platform(home, url, token) as client:
        done = client.ask("POST", f"alarms/{number}/{act}", body=body)
    held = "".join(f" {SUPPRESSIONS[each]}" for each in done["suppressed"])
    print(f"{done['id']}  {STATES[done['state']]}{held}  {done['rule']}  {done['subject']}")
