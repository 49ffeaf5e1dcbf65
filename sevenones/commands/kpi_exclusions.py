"""`sevenones kpi exclude …`: time that is left out of the figures, asked for and approved by tickets."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from sevenones.asking import HERE, Home, Token, Url, platform

app = typer.Typer(no_args_is_help=True, add_completion=False)

STATES = {
    "waiting": "待审批",
    "approved": "已批准",
    "rejected": "已驳回",
    "withdrawn": "已撤回",
    "closed": "已结束",
}
PAGES = 20
"""Pages of tickets that a list looks through at most."""


class Cause(StrEnum):
    """计划检修、搬家倒面、地质构造、监管停产."""

    PLANNED_MAINTENANCE = "planned_maintenance"
    FACE_MOVE = "face_move"
    GEOLOGY = "geology"
    REGULATOR_STOP = "regulator_stop"


CAUSES = {
    "planned_maintenance": "计划检修",
    "face_move": "搬家倒面",
    "geology": "地质构造",
    "regulator_stop": "监管停产",
}
Number = Annotated[int, typer.Argument(min=1, help="工单编号 · the ticket's number")]
Note = Annotated[str, typer.Option(help="意见 · a note")]


@app.command()
def ask(
    units: Annotated[list[str] | None, typer.Argument(help="设备，如 shearer_1 · machines that figures are of")] = None,
    *,
    cause: Annotated[Cause, typer.Option(help="原因 · why")],
    start: Annotated[str, typer.Option(help="开始：2026-03-02T08:00+08:00 · when it begins")],
    end: Annotated[str, typer.Option(help="结束 · when it ends")],
    reason: Annotated[str, typer.Option(help="说明 · in words")],
    chamber: Annotated[list[str] | None, typer.Option(help="硐室 · a chamber; may be given again")] = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """申请剔除一段时间，须他人批准 · ask for time to be left out; others approve."""
    body = {
        **{"kind": "excluded_time", "cause": cause.value, "equipment": units or [], "chamber": chamber or []},
        **{"start": start, "end": end, "reason": reason},
    }
    with platform(home, url, token) as client:
        typer.echo(_line(client.ask("POST", "tickets", body=body)))


@app.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="状态 · " + ", ".join(STATES))] = "",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """列出剔除时段的工单 · tickets of excluded time, the newest first."""
    before = None
    with platform(home, url, token) as client:
        for _ in range(PAGES):
            found = client.get("tickets", state=state, before=before, limit=1000)
            for ticket in found["tickets"]:
                if ticket["kind"] == "excluded_time":
                    typer.echo(_line(ticket))
            if (before := found["next"]) is None:
                break


@app.command()
def approve(number: Number, note: Note = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """批准（不能批准自己的）· approve; nobody an own one."""
    _act(number, "approve", {"reason": note}, (url, token, home))


@app.command()
def reject(number: Number, note: Note = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """驳回 · reject."""
    _act(number, "reject", {"reason": note}, (url, token, home))


@app.command()
def withdraw(number: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """撤回自己的申请 · take back an own one that waits."""
    _act(number, "withdraw", {}, (url, token, home))


@app.command()
def close(number: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """提前结束：此后的时间重新计入 · end it early: from now on time counts again."""
    _act(number, "close", {}, (url, token, home))


def _act(number: int, way: str, body: dict[str, Any], whom: tuple[Any, Any, Any]) -> None:
    url, token, home = whom
    with platform(home, url, token) as client:
        typer.echo(_line(client.ask("POST", f"tickets/{number}/{way}", body=body)))


def _line(ticket: dict[str, Any]) -> str:
    of = " ".join(path.rpartition("/")[2] for path in ticket["extent"])
    approved = sum(each["approved"] for each in ticket["decisions"])
    return (
        f"{ticket['id']:>5}  {_clock(ticket['start_time'])} – {_clock(ticket['end_time'])}  {CAUSES[ticket['cause']]} "
        f"{ticket['cause']}  {of}  {STATES[ticket['state']]} {ticket['state']} ({approved}/{ticket['needed']})  "
        f"{ticket['who']}: {ticket['reason']}"
    )


def _clock(time: str) -> str:
    return time[:16].replace("T", " ")
