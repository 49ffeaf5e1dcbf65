"""The commands of `sevenones control` that give signed orders: run, tag, untag, tags, take, hand, restore."""

from __future__ import annotations

import asyncio
import datetime
import os
import secrets
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sevenones.commands.write import WriteError, describe, find, shown

Home = Annotated[Path, typer.Option(help="数据目录 · the home with the bus's credential")]
Bus = Annotated[str | None, typer.Option(help="总线地址，省略则自动 · the bus; by default that of this home")]
Credential = Annotated[Path | None, typer.Option(help="总线凭证 · the operator's credential file of the bus")]
Person = Annotated[
    Path | None,
    typer.Option(help="本人操作凭证目录，默认 $SEVENONES_PERSON · the folder with your credential and key"),
]
Second = Annotated[Path | None, typer.Option(help="第二人的凭证目录 · the second person's folder")]
Within = Annotated[float, typer.Option(min=1, max=19, help="时限（秒） · seconds until it is too late")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]
Site = Annotated[
    Path | None,
    typer.Option(help="矿井配置目录，默认数据目录中的 site · the site folder: which gateways read the machine"),
]
HOME = Path(".sevenones")
WORDS = {
    "done": "已执行 · done",
    "would": "试运行：将会执行 · dry run: it would be done",
    "refused": "被拒绝 · refused",
    "failed": "失败 · failed",
    "unknown": "结果未知 · unknown",
    "selected": "已选择 · selected",
}


def run(
    point: Annotated[str, typer.Argument(help="测点 · the point: MINE/EQUIPMENT/POINT")],
    value: Annotated[str, typer.Argument(help="新值：数字、状态名或文本 · a number, a state's name or a text")],
    unit: Annotated[str, typer.Option(help="所给数值的单位 · unit of the number, if not the point's")] = "",
    dry: Annotated[bool, typer.Option(help="试运行：只说明会怎样 · only say what would happen")] = False,
    yes: Yes = False,
    gateway: Annotated[str | None, typer.Option(help="网关，省略则自动查找 · the gateway, if you know it")] = None,
    within: Within = 10.0,
    person: Person = None,
    second: Second = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
) -> None:
    """选择、显示、确认、执行一个签名命令 · select, show, confirm and execute a signed command.

    Ends with 0 when it was done, 1 when it was refused or failed, 3 when the outcome is not known."""

    async def main() -> int:
        from models.control.order import Act
        from sevenones import signed

        hand = _hand(person, second)
        async with signed.connected(home, bus, credential) as connection:
            at, now = await find(connection, point.split("/", 1)[0], point, gateway)
            typer.echo(describe(now, value, unit or None))
            facts: dict[str, Any] = {"point": now["point"], "value": value, "unit": unit}
            if dry:
                more = {"act": Act.SELECT, "dry": True}
                return _said(await signed.ordered(connection, hand, home, at, within, **facts, **more), trace=True)
            selected = await signed.ordered(connection, hand, home, at, within, act=Act.SELECT, **facts)
            if selected.get("outcome") != "selected":
                return _said(selected, trace=True)
            question = f"{selected['reason']['zh']}。执行？ · execute it? ({selected['expires_s']:g} s)"
            if not yes and not await asyncio.to_thread(typer.confirm, question, False):
                typer.echo("未执行 · nothing was done")
                return 1
            facts |= {"nonce": selected["nonce"], "mode": now["control"]["mode"]}
            return _said(await signed.ordered(connection, hand, home, at, within, act=Act.EXECUTE, **facts))

    _run(main())


def tag(
    equipment: Annotated[str, typer.Argument(help="设备 · the machine's id")],
    reason: Annotated[str, typer.Argument(help="原因 · what is done there")],
    within: Within = 10.0,
    person: Person = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
    site: Site = None,
) -> None:
    """检修挂牌：摘牌前任何来源都不能启动 · tag a machine: nothing starts it until the tag is removed."""
    _run(_everywhere(equipment, "tag", within, person, None, home, bus, credential, site, reason=reason))


def untag(
    equipment: Annotated[str, typer.Argument(help="设备 · the machine's id")],
    tag: Annotated[str, typer.Argument(help="挂牌编号，见 tags · the tag's id, see 'tags'")],
    within: Within = 10.0,
    person: Person = None,
    second: Second = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
    site: Site = None,
) -> None:
    """摘牌：本人，或双人 · remove a tag: its owner, or two persons."""
    _run(_everywhere(equipment, "untag", within, person, second, home, bus, credential, site, nonce=tag))


def take(
    equipment: Annotated[str, typer.Argument(help="设备 · the machine's id")],
    within: Within = 10.0,
    person: Person = None,
    second: Second = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
    site: Site = None,
) -> None:
    """接管控制权 · take the right of control of a machine."""
    _run(_everywhere(equipment, "take", within, person, second, home, bus, credential, site))


def hand(
    equipment: Annotated[str, typer.Argument(help="设备 · the machine's id")],
    to: Annotated[str, typer.Option(help="移交给谁，省略则放开 · to whom; by default to whoever comes")] = "",
    within: Within = 10.0,
    person: Person = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
    site: Site = None,
) -> None:
    """移交控制权 · hand the right of control over."""
    _run(_everywhere(equipment, "hand", within, person, None, home, bus, credential, site, to=to))


def restore(
    linkage: Annotated[str, typer.Argument(help="联动编号 · the linkage's id")],
    reason: Annotated[str, typer.Argument(help="原因 · why it may be restored")],
    gateway: Annotated[str, typer.Option(help="网关 · the gateway that holds it")],
    within: Within = 10.0,
    person: Person = None,
    second: Second = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
) -> None:
    """复位一个已动作的联动 · restore a linkage that has tripped."""

    async def main() -> int:
        from models.control.order import Act
        from sevenones import signed

        by = _hand(person, second)
        async with signed.connected(home, bus, credential) as connection:
            facts = {"act": Act.RESTORE, "equipment": linkage, "reason": reason}
            return _said(await signed.ordered(connection, by, home, gateway, within, **facts))

    _run(main())


def settle(
    gateway: Annotated[str, typer.Argument(help="网关 · the gateway whose record of tags cannot be read")],
    reason: Annotated[str, typer.Argument(help="核实情况 · what was found where people work")],
    second: Annotated[Path, typer.Option(help="第二人的凭证目录 · the second person's folder")],
    within: Within = 10.0,
    person: Person = None,
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
) -> None:
    """挂牌记录损坏后的双人处置 · settle a record of tags that cannot be read: two persons know who works where.

    Hang the tags that still hold before: those that hang when it is settled are all that count from then on."""

    async def main() -> int:
        from models.control.order import Act
        from sevenones import signed

        by = _hand(person, second)
        async with signed.connected(home, bus, credential) as connection:
            return _said(await signed.ordered(connection, by, home, gateway, within, act=Act.SETTLE, reason=reason))

    _run(main())


def tags(
    site: Annotated[str, typer.Argument(help="煤矿编码 · the mine's code")],
    home: Home = HOME,
    bus: Bus = None,
    credential: Credential = None,
) -> None:
    """列出全部挂牌 · all tags that hang."""

    async def main() -> int:
        from sevenones import signed

        code = 0
        table = Table("设备 · equipment", "挂牌人 · who", "原因 · reason", "时间 · since")
        # Never cut: an untag needs all of it.
        table.add_column("编号 · id", no_wrap=True)
        table.add_column("网关 · gateway")
        async with signed.connected(home, bus, credential) as connection:
            for name in await signed.gateways(connection, site):
                answer = await signed.asked(connection, site, name, b'{"tags": true}')
                for each in answer.get("tags", ()):
                    at = datetime.datetime.fromtimestamp(each["at"] / 1e6).astimezone().isoformat(" ", "seconds")
                    table.add_row(each["equipment"], each["who"], each["reason"], at, each["id"], name)
                if "error" in answer:
                    code = 3
                    typer.echo(f"网关 {name} 没有应答 · gateway {name}: {answer['error']}", err=True)
        Console().print(table)
        return code

    _run(main())


async def _everywhere(
    equipment: str,
    act: str,
    within: float,
    person: Path | None,
    second: Path | None,
    home: Path,
    bus: str | None,
    credential: Path | None,
    site: Path | None,
    **facts: str,
) -> int:
    """The order at every gateway that reads the machine; the worst of what they say, and 3 when one says nothing."""
    from models.control.order import Act
    from sevenones import signed

    by = _hand(person, second)
    expected: set[str] | None = None
    try:
        expected = await asyncio.to_thread(signed.by_site, site or home / "site", by.site, equipment)
    except ValueError:
        # Only a folder that was given must be the right one.
        if site is not None:
            raise
    async with signed.connected(home, bus, credential) as connection:
        readers = await signed.readers(connection, by.site, equipment, expected)
        found, silent = readers.found, readers.silent
        if not found and not silent:
            raise WriteError(f"没有网关采集设备 {equipment} · no gateway reads the machine {equipment}")
        # One id, so that a tag has the same at all of them.
        key, codes = secrets.token_hex(8), []
        for gateway in found:
            more = {"act": Act(act), "equipment": equipment, "id": key, **facts}
            typer.echo(f"{gateway}  {equipment}")
            codes.append(_said(await signed.ordered(connection, by, home, gateway, within, **more)))
    for gateway in silent:
        typer.echo(
            f"网关 {gateway} 没有应答，未在该网关执行 · gateway {gateway} does not answer: NOT {act} there, and it may "
            f"command {equipment}",
            err=True,
        )
        codes.append(3)
    if expected is None:
        typer.echo(
            f"只涉及在线网关：{', '.join(found) or '—'}；用 --site 可核对全部网关 · only gateways that are heard were "
            "told: give --site to be sure that none is missing",
            err=True,
        )
    return max(codes)


def _hand(person: Path | None, second: Path | None) -> Any:
    from bus import authority
    from sevenones.signed import Hand

    where = person or (Path(os.environ["SEVENONES_PERSON"]) if "SEVENONES_PERSON" in os.environ else None)
    if where is None:
        raise WriteError("请给出 --person 或 SEVENONES_PERSON · give --person, the folder with your credential and key")
    return Hand(authority.signer(where), None if second is None else authority.signer(second))


def _said(answer: dict[str, Any], *, trace: bool = False) -> int:
    """Tell what came of an order; the code to end with."""
    if "outcome" not in answer:
        if not answer.get("unanswered"):
            raise WriteError(str(answer.get("error")))
        typer.echo(f"结果未知：网关没有应答 · unknown: no answer ({answer['error']}); look at the point and its events")
        return 3
    held = answer.get("value")
    value = "" if held is None else f" {shown(held)} {answer.get('unit', '')}".rstrip()
    reason = answer["reason"]
    typer.echo(f"{WORDS.get(answer['outcome'], answer['outcome'])}{value}：{reason['zh']} · {reason['en']}")
    if answer.get("tag"):
        typer.echo(f"  编号 · id {answer['tag']}")
    for each in answer["trace"] if trace else ():
        typer.echo(f"  {'✓' if each['passed'] else '✗'} {each['check']:<10} {each['zh']} · {each['en']}")
    return {"done": 0, "would": 0, "selected": 0, "unknown": 3}.get(answer["outcome"], 1)


def _run(main: Coroutine[Any, Any, int]) -> None:
    from bus.authority import AuthorityError
    from bus.errors import BusError

    try:
        code = asyncio.run(main)
    except (BusError, WriteError, AuthorityError, ValueError) as error:
        sys.exit(f"无法执行 · cannot be done: {error}")
    sys.exit(code)
