"""`sevenones sequence …`: start and stop whole lines in order, and see each step."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sevenones.asking import HERE, Home, Token, Url, platform

if TYPE_CHECKING:
    from sevenones.client import Client

app = typer.Typer(no_args_is_help=True, add_completion=False)

LOOK_S = 0.5
ENDED = {"done": 0, "aborted": 1, "refused": 1}
WAITS = ("held", "paused")
PHASES = {
    "asked": "已请求", "warning": "预警", "running": "进行中", "held": "保持，等待处理", "paused": "已暂停",
    "aborting": "中止中", "done": "完成", "aborted": "已中止", "refused": "未启动",
}  # fmt: skip
DEEDS = {
    "ask": "请求", "begin": "开始", "refuse": "拒绝", "warn": "预警", "step": "步骤", "command": "命令",
    "answer": "应答", "confirm": "确认", "fail": "失败", "hold": "保持", "pause": "暂停", "resume": "继续",
    "take_over": "接管", "abort": "中止", "end": "结束",
}  # fmt: skip

Name = Annotated[str, typer.Argument(help="顺序控制编号 · the sequence's id")]
Number = Annotated[int, typer.Argument(min=1, help="运行编号 · the run's number")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]


@app.command("list")
def list_(url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """列出顺序控制与进行中的运行 · the sequences of the site, and the runs that go on."""
    from sevenones.terminal import open_console

    with _platform(home, url, token) as client:
        found = client.get("sequences")["sequences"]
        going = {run["sequence"]: run for run in client.get("sequences/runs", going="true")["runs"]}
    table = Table("编号 · id", "名称 · name", "步 · steps", "进行 · run", box=None, pad_edge=False, header_style="bold")
    for each in found:
        run = going.get(each["id"])
        shown = "" if run is None else f"#{run['id']} {PHASES[run['phase']]} {run['step']}/{run['steps']}"
        table.add_row(each["id"], f"{each['name']['zh']} · {each['name']['en']}", str(len(each["steps"])), shown)
    open_console().print(table)


@app.command()
def show(sequence: Name, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """一个顺序控制：步骤、确认条件、中止路径 · one sequence: its steps, how each is confirmed, the way back."""
    with _platform(home, url, token) as client:
        found = client.get(f"sequences/{sequence}")
    typer.echo(f"{found['id']}  {found['name']['zh']} · {found['name']['en']}")
    for need in found["needs"]:
        typer.echo(f"  启动条件 · needs    {need}")
    if found["warning_s"]:
        typer.echo(f"  预警 · warning      {found['warning_s']:g} s")
    for title, part in (("步骤 · step", "steps"), ("中止 · abort", "abort")):
        for n, step in enumerate(found[part], 1):
            typer.echo(f"  {title} {n}  {step['id']}  {step['name']['zh']} · {step['name']['en']}")
            for command in step["commands"]:
                typer.echo(f"      命令 · command   {_short(command['point'])} = {command['value']:g}")
            for until in step["until"]:
                typer.echo(f"      确认 · until     {until}")
            for keep in step["keep"]:
                typer.echo(f"      保持 · keep      {keep}")
            failing = "" if part == "abort" else f"，否则 · else {step['on_failure']}"
            typer.echo(f"      时限 · within    {step['within_s']:g} s{failing}")
    typer.echo(f"  来源 · source       {found['source']}")


@app.command()
def start(
    sequence: Name,
    note: Annotated[str, typer.Option(help="说明 · why, if there is something to say")] = "",
    yes: Yes = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="不跟随显示 · do not follow it")] = False,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """启动并逐步显示；Ctrl-C 只结束显示 · start it and show each step; Ctrl-C ends the showing, not the run.

    Ends with 0 when it is done, 1 when it was refused or aborted, 3 while it holds and waits for a person."""
    with _platform(home, url, token) as client:
        found = client.get(f"sequences/{sequence}")
        typer.echo(f"{found['name']['zh']} · {found['name']['en']}: {len(found['steps'])} steps")
        for step in found["steps"]:
            for command in step["commands"]:
                typer.echo(
                    f"  {step['name']['zh']} · {step['name']['en']}: {_short(command['point'])} = {command['value']:g}"
                )
        if not yes and not typer.confirm("启动？ · start it?", False):
            typer.echo("未启动 · nothing was started")
            raise typer.Exit(1)
        run = client.ask("POST", f"sequences/{sequence}/start", body={"note": note})["id"]
        typer.echo(f"运行 · run {run}")
        code = 0 if quiet else _follow(client, run)
    sys.exit(code)


@app.command()
def watch(run: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """逐步显示一次运行，直至结束或需要处理 · show a run step by step until it ends or waits for somebody."""
    with _platform(home, url, token) as client:
        code = _follow(client, run)
    sys.exit(code)


@app.command()
def runs(
    rows: Annotated[int, typer.Option(min=1, max=1000, help="最多行数 · rows shown")] = 20,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """运行记录，最新在前 · the runs, the newest first."""
    from sevenones.terminal import open_console

    with _platform(home, url, token) as client:
        found = client.get("sequences/runs", limit=rows)["runs"]
    table = Table(
        "#", "时间 · time", "顺序 · sequence", "操作人 · who", "状态 · phase", "原因 · why", box=None, pad_edge=False
    )
    for run in found:
        why = " · ".join(part for part in (run["reason"]["zh"], run["reason"]["en"]) if part)
        phase = f"{PHASES[run['phase']]} {run['phase']}"
        table.add_row(str(run["id"]), run["time"][:19], run["sequence"], run["who"], phase, why)
    open_console().print(table)


@app.command()
def abort(run: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """中止：按中止路径停下 · abort: take the way back."""
    _wish(home, url, token, run, "abort", None)


@app.command()
def pause(run: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """暂停：不再发命令 · pause: give no further command."""
    _wish(home, url, token, run, "pause", None)


@app.command()
def resume(
    run: Number,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="重发未完成的命令 · give the command that got stuck again")
    ] = False,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """继续；先看清设备再决定是否重发 · go on; look at the machine first, then decide whether to repeat."""
    _wish(home, url, token, run, "resume", {"repeat": repeat})


@app.command()
def rotations(
    on: Annotated[str | None, typer.Option(help="投入 · let this one run")] = None,
    off: Annotated[str | None, typer.Option(help="退出 · let this one rest")] = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """水泵轮换：列出、投入、退出 · pumps that take turns by level and tariff: let one run, or rest."""
    with _platform(home, url, token) as client:
        for name, runs in ((on, True), (off, False)):
            if name is not None:
                client.ask("POST", f"sequences/rotations/{name}", body={"runs": runs})
        found = client.get("sequences/rotations")["rotations"]
    for each in found:
        state = f"投入 · runs ({each['who']})" if each["runs"] else "退出 · rests"
        typer.echo(f"{each['id']}  {each['name']['zh']} · {each['name']['en']}  {state}")
        levels = " < ".join(f"{each[key]:g}" for key in ("low", "start", "high", "high_high"))
        typer.echo(f"  {each['says']['zh']} · {each['says']['en']}")
        typer.echo(f"  {_short(each['level'])}: {levels}  {each['tariff']}  {', '.join(each['pumps'])}")


def _wish(home: Path, url: str | None, token: str | None, run: int, what: str, body: Any) -> None:
    with _platform(home, url, token) as client:
        client.ask("POST", f"sequences/runs/{run}/{what}", body=body)
        code = _follow(client, run, only_new=True)
    sys.exit(code)


def _follow(client: Client, run: int, *, only_new: bool = False) -> int:
    """Print the journal as it grows, until the run ends or waits; the exit code."""
    after = client.get(f"sequences/runs/{run}")["journal"][-1]["number"] if only_new else 0
    moved = not only_new
    deadline = time.monotonic() + 10.0
    while True:
        found = client.get(f"sequences/runs/{run}", after=after)
        for line in found["journal"]:
            typer.echo(_told(line))
            after, moved = line["number"], True
        settled = found["wish"] is None and (moved or time.monotonic() > deadline)
        if found["phase"] in ENDED:
            typer.echo(f"{PHASES[found['phase']]} · {found['phase']}: {_both(found['reason'])}".rstrip(": "))
            return ENDED[found["phase"]]
        if found["phase"] in WAITS and settled:
            typer.echo(f"{PHASES[found['phase']]} · {found['phase']}: {_both(found['reason'])}")
            typer.echo(f"  sequence resume {run} [--repeat] | sequence abort {run}")
            return 3
        if found["driven_s"] is not None and found["driven_s"] > 10:
            typer.echo(
                f"{found['driven_s']:.0f} s 无进程驱动 · no process drives it: is the platform running?", err=True
            )
            return 3
        time.sleep(LOOK_S)


def _told(line: dict[str, Any]) -> str:
    what = f"{DEEDS.get(line['what'], line['what'])} {line['what']}"
    parts = [line["time"][11:19], f"{what:<16}", line["step"]]
    if line["point"]:
        value = "" if line["value"] is None else f" = {line['value']:g}"
        parts.append(f"{_short(line['point'])}{value}")
    parts += [line["outcome"], _both(line["words"]), f"({line['who']})" if line["who"] else ""]
    return "  ".join(part for part in parts if part)


def _both(words: dict[str, str]) -> str:
    return " · ".join(part for part in (words["zh"], words["en"]) if part)


def _short(path: str) -> str:
    return path.partition("/")[2]


@contextmanager
def _platform(home: Path, url: str | None, token: str | None) -> Iterator[Client]:
    """Ctrl-C ends the looking on, and not the run."""
    try:
        with platform(home, url, token) as client:
            yield client
    except KeyboardInterrupt:
        typer.echo("")
        sys.exit(130)
