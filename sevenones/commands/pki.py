"""`sevenones pki …`: the site's own certificate authority; with it every listener of a home speaks TLS."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
RESTART = "请重启各进程使其生效 · restart the processes for it to hold"


@app.command()
def init(
    name: Annotated[
        list[str] | None,
        typer.Option(help="本机对外的域名或地址，可重复 · a name or address by which others reach this machine"),
    ] = None,
    home: Home = Path(".sevenones"),
) -> None:
    """建立站点证书机构，签发全部证书 · make the authority, and certificates for all listeners and processes.

    From the next start every listener of this home speaks TLS alone; gateways and edges have to show a certificate."""
    from bus import certificates
    from sevenones.home import open_home

    with _said():
        certificates.init(open_home(home), name or ())
    print(f"已建立，{RESTART}")
    print(f"CA：{certificates.folder(home) / 'ca.pem'}（交给客户端 · give it to clients）")


@app.command()
def issue(
    listener: Annotated[str, typer.Argument(help="名称 · what it is for, such as edge1")],
    name: Annotated[list[str], typer.Option(help="域名或地址，可重复 · a name or address for which it is good")],
    to: Annotated[Path, typer.Option(help="写入的目录 · the folder to write it to")],
    home: Home = Path(".sevenones"),
) -> None:
    """为另一台机器的监听端口签发证书 · a certificate for a listener of another machine."""
    from bus import certificates

    if not certificates.NAME.fullmatch(listener):
        sys.exit("名称应为 1 至 40 个 a-z 0-9 _ - · a name is 1 to 40 of a-z, 0-9, _ and -")
    with _said():
        path = certificates.issue(home, listener, name, to=to)
    print(f"{path}, {path.with_suffix('.key')}")


@app.command()
def renew(
    days: Annotated[float, typer.Option(min=0, help="剩余天数少于此 · those that end within so many days")] = 30,
    everything: Annotated[bool, typer.Option("--all", help="全部重新签发 · all of them")] = False,
    home: Home = Path(".sevenones"),
) -> None:
    """续期 · make anew what ends soon; the authority stays, so that who believes it goes on."""
    from bus import certificates

    with _said():
        renewed = certificates.renew(home, days, everything=everything)
    print(f"{'、'.join(renewed)}：{RESTART}" if renewed else "无需续期 · nothing ends so soon")


@app.command("list")
def list_all(home: Home = Path(".sevenones")) -> None:
    """列出证书与到期日，有过期者以 1 结束 · the certificates and when they end; ends with 1 when one has."""
    from bus import certificates

    now = datetime.datetime.now(datetime.UTC)
    table = Table("名称 · name", "类型 · kind", "适用 · good for", "到期 · expires", "剩余 · days left")
    with _said():
        found = certificates.listed(home)
    for each in found:
        left = each.days_left(now)
        days = f"{left:.0f}" if left > certificates.RENEW_DAYS else f"{left:.0f} 请续期 · renew"
        table.add_row(each.name, each.kind, ", ".join(each.names), each.expires.date().isoformat(), days)
    Console().print(table)
    if any(each.days_left(now) <= 0 for each in found):
        sys.exit("有证书已过期：sevenones pki renew · a certificate has expired: run 'sevenones pki renew'")


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong, in one line."""
    from bus.certificates import PkiError
    from sevenones.home import HomeError

    try:
        yield
    except (PkiError, HomeError, OSError, ValueError) as error:
        sys.exit(str(error))
