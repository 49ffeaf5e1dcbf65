"""`sevenones manual …`: values that people enter or correct: asked for with a reason, decided on by somebody else."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sevenones.asking import HERE, Home, Token, Url, platform

if TYPE_CHECKING:
    from sevenones.client import Client

app = typer.Typer(no_args_is_help=True, add_completion=False)
SIGNED = {"ignore_unknown_options": True}
"""A value may be below zero, and -0.5 is no option."""


class State(StrEnum):
    """How far an entry is."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


Of = Annotated[str, typer.Argument(help="测点路径 · the point's path, with or without the mine code")]
Value = Annotated[str, typer.Argument(help="数值；none 为无真值 · the value; none: there is no true one")]
Reason = Annotated[str, typer.Option(help="原因（必填） · why")]
Quality = Annotated[int | None, typer.Option(min=0, max=255, help="质量码 · quality code, by default 216 or bad")]
Words = Annotated[str | None, typer.Option(help="文本测点的内容 · what a text point says")]
Number = Annotated[int, typer.Argument(min=1, help="录入编号 · the entry's number")]
Decision = Annotated[str, typer.Option(help="意见 · what the decision rests on")]


@app.command(context_settings=SIGNED)
def enter(
    point: Of,
    value: Value,
    at: Annotated[str, typer.Option("--time", help="时刻 · when: 2026-11-26T08:00:00+08:00, or -5m")],
    reason: Reason,
    quality: Quality = None,
    text: Words = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """录入一个没有记录的数值，待他人审批 · enter a value where nothing is recorded; it holds once somebody approves."""
    with platform(home, url, token) as client:
        when = _when(at)
        if (had := _recorded(client, point, when)) is not None:
            sys.exit(
                f"该时刻已有数据 {_shown(had)}：请用 manual correct 更正 · "
                f"there is a value at that time, {_shown(had)}: correct it with `sevenones manual correct`"
            )
        _ask(client, point, _sample(when, value, quality, text), reason)


@app.command(context_settings=SIGNED)
def correct(
    point: Of,
    value: Value,
    reason: Reason,
    at: Annotated[
        str | None, typer.Option("--time", help="时刻，默认最新数据 · the value's time, by default the newest one's")
    ] = None,
    quality: Quality = None,
    text: Words = None,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """更正一个已有的数值，待他人审批，原值保留 · correct a value that is there; the original is kept."""
    with platform(home, url, token) as client:
        when = _newest(client, point) if at is None else _when(at)
        had = _recorded(client, point, when)
        if had is None:
            sys.exit(
                f"{_moment(when)} 没有数据可更正：请核对时刻，或用 manual enter 录入 · nothing is recorded at "
                f"{_moment(when)}: is the time right to the microsecond? `sevenones manual enter` enters a new value"
            )
        print(f"原值 · was {_shown(had)}  {_moment(when)}")
        _ask(client, point, _sample(when, value, quality, text), reason)


@app.command()
def approve(number: Number, reason: Decision = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """审批通过（不能审批自己的录入） · approve an entry, never one's own."""
    _decide(number, "approve", reason, home, url, token)


@app.command()
def reject(number: Number, reason: Decision = "", url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """驳回 · reject an entry: nothing changes."""
    _decide(number, "reject", reason, home, url, token)


@app.command()
def withdraw(number: Number, url: Url = None, token: Token = None, home: Home = HERE) -> None:
    """撤回自己的录入 · withdraw an entry of one's own on which nobody has decided."""
    _decide(number, "withdraw", None, home, url, token)


@app.command("list")
def list_all(
    point: Annotated[str | None, typer.Argument(help="测点，默认全部 · a point, by default all")] = None,
    state: Annotated[State | None, typer.Option(help="状态 · only those that are …")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1_000, help="最多行数 · rows shown")] = 40,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """人工录入与更正，最新在前 · entries, the newest first: who asked, why, who decided."""
    from sevenones.terminal import open_console

    with platform(home, url, token) as client:
        wanted = None if state is None else state.value
        found = client.get("manual/entries", point=point, state=wanted, limit=rows)["entries"]
    table = Table("编号 · no.", "状态 · state", "对象 · of", "时刻 · at", "录入 · who", "原因 · why", "审批 · decided",
                  box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in found:
        decided = " ".join(filter(None, (row["decided_by"], row["decision"])))
        about = _moment(row["start"])
        if row["kind"] == "value" and row["end"] != row["start"]:
            about += f" … {_moment(row['end'])}"
        table.add_row(str(row["id"]), row["state"], row["subject"], about, row["who"], row["reason"], decided)
    open_console().print(table)


def _decide(number: int, act: str, reason: str | None, home: Path, url: str | None, token: str | None) -> None:
    with platform(home, url, token) as client:
        body = None if reason is None else {"reason": reason}
        done = client.ask("POST", f"manual/entries/{number}/{act}", body=body)
    print(f"{done['id']}  {done['state']}  {done['subject']}")


def _ask(client: Client, point: str, sample: dict[str, Any], reason: str) -> None:
    made = client.ask("POST", "manual/values", body={"point": point, "samples": [sample], "reason": reason})
    number = made["id"]
    print(f"录入 {number} 待他人审批 · entry {number} waits for somebody else: sevenones manual approve {number}")


def _sample(when: int, value: str, quality: int | None, text: str | None) -> dict[str, Any]:
    try:
        number = None if value.lower() in ("none", "无") else float(value)
    except ValueError:
        sys.exit(
            f"“{value}”不是数值；没有真值时用 none · '{value}' is not a number; say none where no true one is known"
        )
    return {"time": str(when), "value": number, "quality": quality, "text": text}


def _recorded(client: Client, point: str, when: int) -> dict[str, Any] | None:
    """What is recorded of a point at an instant."""
    (series,) = client.history([point], start=str(when), end=str(when + 1))
    found = series["samples"]
    return {name: found[name][0] for name in ("value", "quality")} if found["ts"] else None


def _newest(client: Client, point: str) -> int:
    (row,) = client.get("live", point=point)["values"]
    if row["ts"] is None:
        sys.exit("该测点还没有数据 · nothing was ever recorded of this point: `sevenones manual enter` enters a value")
    return int(row["ts"])


def _when(text: str) -> int:
    """µs UTC. Ends the program in plain words."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    try:
        if text.isdigit():
            return int(text)
        if text.startswith("-") and text[-1] in units:
            return time.time_ns() // 1000 - timedelta(**{units[text[-1]]: float(text[1:-1])}) // timedelta(
                microseconds=1
            )
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError(text)
        return (found - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        sys.exit(
            f"“{text}”不是带时区的时间 · '{text}' is no time with a zone, such as 2026-01-31T08:00:00+08:00, nor -5m, "
            "nor microseconds since 1970"
        )


def _shown(had: dict[str, Any]) -> str:
    return f"{'—' if had['value'] is None else had['value']} ({had['quality']})"


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).astimezone().isoformat(sep=" ")
