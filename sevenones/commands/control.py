"""`sevenones control …`: the command authority, persons' credentials, and commands that are signed."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.commands import control_orders

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]


@app.command()
def authority(
    site: Annotated[str, typer.Argument(help="煤矿编码 · the mine's code, 12 digits")],
    home: Home = Path(".sevenones"),
) -> None:
    """建立操作授权机构 · make the site's command authority.

    From then on the gateways of this home refuse commands that are not signed."""
    from bus import authority as authorities
    from sevenones.home import open_home

    if not (len(site) == 12 and site.isdigit()):
        sys.exit("煤矿编码为 12 位数字 · a mine's code has 12 digits")
    with _said():
        authorities.init(open_home(home), site)
    print(f"已建立：{authorities.folder(home)}；本目录的网关此后只接受签名命令")
    print("made: gateways of this home take signed commands alone from now on; others: sevenones control install")


@app.command()
def install(
    to: Annotated[Path, typer.Argument(help="网关的数据目录 · the gateway's home, or a folder to carry there")],
    home: Home = Path(".sevenones"),
) -> None:
    """把机构公钥与吊销名单装到网关 · copy the authority's public key and the withdrawn list to a gateway's home."""
    from bus import authority as authorities

    with _said():
        authorities.install(home, to)
    print(f"已安装 · installed: {authorities.folder(to)}")


@app.command()
def issue(
    name: Annotated[str, typer.Argument(help="姓名 · the person's name")],
    role: Annotated[list[str], typer.Option(help="角色，可重复 · a role, may be repeated")],
    area: Annotated[list[str] | None, typer.Option(help="区域，可重复 · an area of the scope")] = None,
    equipment: Annotated[list[str] | None, typer.Option(help="设备，可重复 · a machine of the scope")] = None,
    days: Annotated[float | None, typer.Option(min=0.01, max=3650, help="有效天数 · for how many days")] = None,
    to: Annotated[Path | None, typer.Option(help="写入的目录 · the person's folder")] = None,
    renew: Annotated[bool, typer.Option(help="同一人换发 · another one for the same person")] = False,
    home: Home = Path(".sevenones"),
) -> None:
    """签发操作凭证 · make a person's key and credential. Without area and equipment the scope is the whole site."""
    from bus import authority as authorities

    where = to or authorities.person(home, name)
    with _said():
        found = authorities.issue(
            home,
            name,
            role,
            where,
            time.time_ns() // 1000,
            areas=area or None,
            equipment=equipment or None,
            days=days,
            renew=renew,
        )
    print(f"{found.name}   {', '.join(found.roles)}   {found.serial}   至 · until {_day(found.not_after)}")
    print(f"{where}：仅本人保管 · for this person alone")


@app.command()
def revoke(
    who: Annotated[str, typer.Argument(help="姓名或序列号 · a name, or a credential's serial")],
    home: Home = Path(".sevenones"),
) -> None:
    """吊销操作凭证 · withdraw credentials."""
    from bus import authority as authorities

    with _said():
        gone = authorities.revoke(home, who)
    print(f"已吊销 · withdrawn: {', '.join(gone)}")
    print("其他机器的网关：control install · gateways of other homes: 'sevenones control install'")


@app.command("list")
def list_all(home: Home = Path(".sevenones")) -> None:
    """列出已签发的凭证 · the credentials that were issued."""
    from bus import authority as authorities

    table = Table("姓名 · name", "角色 · roles", "序列号 · serial", "到期 · until", "状态 · state")
    now = time.time_ns() // 1000
    with _said():
        found = authorities.listed(home)
    for each in found:
        state = (
            "已吊销 · withdrawn" if each.withdrawn else "已过期 · expired" if each.not_after < now else "有效 · good"
        )
        table.add_row(each.name, ", ".join(each.roles), each.serial, _day(each.not_after), state)
    Console().print(table)


app.command(context_settings={"ignore_unknown_options": True})(control_orders.run)
for _command in (
    control_orders.tag,
    control_orders.untag,
    control_orders.settle,
    control_orders.tags,
    control_orders.take,
    control_orders.hand,
    control_orders.restore,
):
    app.command()(_command)


def _day(at: int) -> str:
    return datetime.datetime.fromtimestamp(at / 1e6, datetime.UTC).date().isoformat()


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong, in one line."""
    from bus.authority import AuthorityError
    from sevenones.home import HomeError

    try:
        yield
    except (AuthorityError, HomeError, OSError, ValueError) as error:
        sys.exit(str(error))
