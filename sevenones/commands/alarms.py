"""`sevenones alarms …`: what is wrong now, what happened, and what is done about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sevenones.client import Client

app = typer.Typer(no_args_is_help=True, add_completion=False)

STATES = {
    "normal": "正常",
    "unacknowledged": "未确认",
    "acknowledged": "已确认",
    "returned_unacknowledged": "已恢复未确认",
    "latched_unacknowledged": "锁定未确认",
    "latched_acknowledged": "锁定已确认",
}
KINDS = {"alarm": "报警", "power_cut": "断电", "feed_fault": "馈电异常"}
ACTS = {
    "raise": "报警",
    "return": "恢复",
    "acknowledge": "确认",
    "reset": "复位",
    "escalate": "升级",
    "suppress": "抑制",
    "unsuppress": "解除抑制",
}
SUPPRESSIONS = {"shelved": "搁置", "by_design": "按设计抑制", "out_of_service": "停用"}
COLOURS = {0: "bold white on red", 1: "bold red", 2: "yellow", 3: "cyan"}
"""By priority; what is lower has none."""


class Kind(StrEnum):
    """报警, 断电 and 馈电异常 are apart from each other."""

    ALARM = "alarm"
    POWER_CUT = "power_cut"
    FEED_FAULT = "feed_fault"


Number = Annotated[int, typer.Argument(min=1, help="报警编号 · the alarm's number")]
Numbers = Annotated[list[int], typer.Argument(min=1, help="报警编号，可多个 · numbers of alarms")]
Note = Annotated[str, typer.Option(help="说明 · a note")]
Reason = Annotated[str, typer.Option(help="原因（必填） · why")]
Url = Annotated[str | None, typer.Option(help="平台地址 · the platform's address")]
Token = Annotated[
    str | None,
    typer.Option(envvar="SEVENONES_TOKEN", help="您的令牌，操作人即其主人 · your token: it says who you are"),
]
Home = Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")]
HERE = Path(".sevenones")


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
    with _platform(home, url, token) as client:
        found = client.get("alarms", **asked, suppressed="yes" if suppressed else "no")
    from sevenones.terminal import open_console

    console = open_console()
    console.print(table_of(found["alarms"]))
    console.print(summary(found["counts"]), style="bold")


@app.command()
def ack(numbers: Numbers, note: Note = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """确认一条或多条报警 · acknowledge one or many."""
    with _platform(home, url, token) as client:
        done = client.ask("POST", "alarms/acknowledge", body={"alarms": numbers, "note": note})["acknowledged"]
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
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """检修期间停用 · take one out of service while work is done."""
    _act(number, "out-of-service", {"reason": reason, "end": end, "ticket": ticket}, home, url, token)


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
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """填写处置记录 · write down why it came to a raise and what was done."""
    with _platform(home, url, token) as client:
        done = client.ask("POST", f"alarms/raises/{raised}/handling", body={"cause": cause, "measure": measure})
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
    with _platform(home, url, token) as client:
        found = client.get("alarms/journal", alarm=number, start=start, end=end, limit=rows)["entries"]
    from sevenones.terminal import open_console

    table = Table("编号 · no.", "时刻 · when", "报警 · alarm", "发生 · what", "规则 · rule", "对象 · of", "值 · value",
                  "谁 · who", "说明 · note", box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in found:
        what = ACTS.get(row["what"], row["what"]) + ("（迟到）" if row["late"] else "")
        value = "" if row["value"] is None else f"{row['value']:.6g}"
        words = [row["note"] or "", *(f"{each['cause']} → {each['measure']}" for each in row["handlings"])]
        told = (str(row["number"]), moment(row["ts"]), str(row["alarm"]), what, row["rule"], row["subject"], value)
        table.add_row(*map(Text, (*told, row["who"] or "", "；".join(filter(None, words)))))
    open_console().print(table)


def table_of(alarms: list[dict[str, Any]]) -> Table:
    """Alarms as an operator reads them: Chinese first, the urgent in colour, what is unacknowledged marked."""
    table = Table("", "编号 · no.", "优先级 · prio", "时刻 · since", "名称 · name", "规则 · rule", "类别 · kind",
                  "状态 · state", "区域 · area", box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in alarms:
        machine = "" if row["equipment"] is None else row["equipment"]["name"]["zh"]
        name = row["name"]["zh"] if row["name"]["zh"] == machine else f"{machine} {row['name']['zh']}"
        state = STATES.get(row["state"], row["state"]) + "".join(
            f"（{SUPPRESSIONS[each]}）" for each in row["suppressed"]
        )
        mark = "" if row["state"].endswith("acknowledged") and "un" not in row["state"] else "●"
        law = "法定 " if row["statutory"] else ""
        told = (mark, str(row["id"]), f"{law}{row['priority']}", moment(row["since"]), name.strip(), row["rule"])
        area = "" if row["area"] is None else row["area"]["name"]["zh"]
        cells = map(Text, (*told, KINDS.get(row["kind"], row["kind"]), state, area))
        table.add_row(*cells, style=COLOURS.get(row["priority"], "") if row["state"] != "normal" else "dim")
    return table


def summary(counts: dict[str, Any]) -> str:
    """One line of what is open."""
    by = "  ".join(f"P{priority}: {number}" for priority, number in counts["priorities"].items())
    return (
        f"未恢复正常 {counts['open']}，未确认 {counts['unacknowledged']}，被抑制 {counts['suppressed']} · "
        f"{counts['open']} open, {counts['unacknowledged']} unacknowledged, {counts['suppressed']} suppressed  {by}"
    )


def moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).astimezone().strftime("%m-%d %H:%M:%S")


def _act(number: int, act: str, body: dict[str, Any] | None, home: Path, url: str | None, token: str | None) -> None:
    with _platform(home, url, token) as client:
        done = client.ask("POST", f"alarms/{number}/{act}", body=body)
    held = "".join(f" {SUPPRESSIONS[each]}" for each in done["suppressed"])
    print(f"{done['id']}  {STATES[done['state']]}{held}  {done['rule']}  {done['subject']}")


@contextmanager
def _platform(home: Path, url: str | None, token: str | None) -> Iterator[Client]:
    """The platform's client; what it refuses ends the program in its words."""
    from sevenones.client import Client, ClientError

    try:
        yield Client.of_home(home, url, token)
    except ClientError as error:
        sys.exit(str(error))
