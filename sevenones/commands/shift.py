"""`sevenones shift …`: the shift log, and the hand-over from one shift to the next."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sevenones.asking import HERE, Home, Token, Url, platform

app = typer.Typer(no_args_is_help=True, add_completion=False)

KINDS = {
    "alarms": "报警",
    "tickets": "工单",
    "runs": "顺序控制",
    "rotations": "轮换",
    "tags": "挂牌",
    "linkages": "联动闭锁",
    "unknown": "结果未知的命令",
}
CHANGED = {"appeared": "交班后新增", "gone": "交班后已消除"}
SHOWN = 20
STATES = {"offered": "待接班", "taken": "已接班", "withdrawn": "已撤回"}


@app.command()
def log(
    words: Annotated[str | None, typer.Argument(help="内容；省略则列出 · what to write; nothing: list the log")] = None,
    equipment: Annotated[str | None, typer.Option(help="有关设备 · the equipment that it is about")] = None,
    corrects: Annotated[int | None, typer.Option(min=1, help="更正哪一条 · the entry that it corrects")] = None,
    day: Annotated[str, typer.Option(help="日期 · of one day: 2026-11-26")] = "",
    rows: Annotated[int, typer.Option(min=1, max=1000, help="最多行数 · rows shown")] = 40,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """记一条值班日志，或列出 · write an entry into the shift log, or list it."""
    with platform(home, url, token) as client:
        if words is not None:
            body = {"words": words, "equipment": equipment, "corrects": corrects}
            typer.echo(_entry(client.ask("POST", "shifts/log", body=body)))
            return
        found = client.get("shifts/log", day=day or None, limit=rows)
    now = found["now"]
    typer.echo(f"{now['day']} {now['name']['zh']} · {now['name']['en']}")
    for entry in reversed(found["entries"]):
        typer.echo(_entry(entry))


@app.command("hand-over")
def hand_over(
    words: Annotated[str, typer.Argument(help="交代的事项 · what the next shift has to know")] = "",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """交班：签字并列出未了事项 · hand over: sign, with what is open."""
    with platform(home, url, token) as client:
        found = client.ask("POST", "shifts/handovers", body={"words": words})
    _show(found)
    typer.echo(f"接班人 · the one who comes: sevenones shift take {found['id']}")


@app.command()
def take(
    handover: Annotated[int, typer.Argument(min=1, help="交班编号 · the hand-over's number")],
    words: Annotated[str, typer.Option(help="接班意见 · remarks")] = "",
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """接班：签字（不能是交班人）· take over: sign; nobody takes over from themselves."""
    with platform(home, url, token) as client:
        _show(client.ask("POST", f"shifts/handovers/{handover}/take", body={"words": words}))


@app.command()
def handovers(
    rows: Annotated[int, typer.Option(min=1, max=1000, help="最多行数 · rows shown")] = 10,
    url: Url = None,
    token: Token = None,
    home: Home = HERE,
) -> None:
    """交接班记录 · the hand-overs, the newest first."""
    with platform(home, url, token) as client:
        for found in client.get("shifts/handovers", limit=rows)["handovers"]:
            _show(found)


def _entry(entry: dict[str, Any]) -> str:
    about = f" [{entry['subject'].partition('/')[2]}]" if entry["subject"] else ""
    corrects = f" (更正 · corrects #{entry['corrects']})" if entry["corrects"] else ""
    return f"#{entry['id']} {entry['time'][:19]} {entry['shift']} {entry['who']}{about}{corrects}: {entry['words']}"


def _show(found: dict[str, Any]) -> None:
    state = f"{STATES[found['state']]} {found['state']}"
    signed = f"{found['goes']} → {found['comes'] or '—'}"
    typer.echo(f"#{found['id']} {found['time'][:19]} {found['day']} {found['shift']}  {signed}  {state}")
    for words in (found["words"], found["remarks"]):
        if words:
            typer.echo(f"  {words}")
    for kind, things in found["open"].items():
        beyond = found["left_out"].get(kind, 0)
        typer.echo(f"  {KINDS.get(kind, kind)} · open {kind}: {len(things) + beyond}")
        _list(things, beyond)
    for side, kinds in (found["changed"] or {}).items():
        for kind, things in kinds.items():
            if things:
                typer.echo(f"  {CHANGED[side]} · {side} since: {KINDS.get(kind, kind)} {kind}: {len(things)}")
                _list(things)
    if found["unanswered"]:
        silent = ", ".join(found["unanswered"])
        typer.echo(
            f"  挂牌与联动闭锁未知，网关未应答 · tags and latched linkages are not known, no answer from: {silent}"
        )


def _list(things: list[dict[str, Any]], beyond: int = 0) -> None:
    """The first of them; `beyond`: how many there are besides."""
    for thing in things[:SHOWN]:
        what = thing.get("rule") or thing.get("reason") or thing.get("sequence") or ""
        where = ", ".join(path.partition("/")[2] for path in thing["subjects"][:3])
        state = thing.get("state") or thing.get("phase") or ""
        silent = f" 抑制 suppressed: {', '.join(thing['suppressed'])}" if thing.get("suppressed") else ""
        typer.echo(f"    #{thing['id']} {what} {where} {state}{silent}".rstrip())
    more = len(things) - SHOWN + beyond if len(things) > SHOWN else beyond
    if more:
        typer.echo(f"    另有 {more} 项 · and {more} more")
