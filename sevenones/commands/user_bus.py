"""`sevenones user bus …`: credentials with which users hear the bus, by what their role and scope allow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="用户名 · the user's name")],
    to: Annotated[Path, typer.Option(help="凭证文件，仅本人可读 · the file to write, for its owner only")],
    days: Annotated[float, typer.Option(help="有效天数 · days until it expires")] = 90,
    home: Home = Path(".sevenones"),
) -> None:
    """生成收听凭证，私钥仅此一份 · make a credential; the file is the only place where its seed is."""
    from bus import certificates
    from bus.secret import write_secret
    from middleplatform.access.bus_keys import create_key, revoke_key

    with _said():
        if to.exists():
            sys.exit(f"{to} 已存在，请换一个文件名 · {to} is there already: choose another name")
        number, made = create_key(place_of(home), _code(home), name, days)
        try:
            if certificates.made(home):
                made = replace(made, tls=certificates.of_client(home, made.process))
            write_secret(to, made.as_json())
        except (certificates.PkiError, OSError) as error:
            revoke_key(place_of(home), number)
            sys.exit(str(error))
    print(f"{to}：凭证 {number}，数秒内生效 · credential {number}, good within seconds")


@app.command("list")
def list_all(home: Home = Path(".sevenones")) -> None:
    """列出收听凭证及其是否有效 · list the credentials, and why one opens nothing."""
    from middleplatform.access.bus_keys import list_keys
    from middleplatform.api.times import iso

    table = Table("编号 · id", "用户 · user", "公钥 · public key", "到期 · expires", "状态 · state")
    with _said():
        for key in list_keys(place_of(home), _code(home)):
            state = key.refused or "有效 · good"
            table.add_row(str(key.id), key.user, key.public, iso(key.expires)[:19] + "Z", state)
    Console().print(table)


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(min=1, help="编号，见 user bus list · its id, see user bus list")],
    home: Home = Path(".sevenones"),
) -> None:
    """撤销收听凭证，数秒内断开 · revoke a credential; whoever uses it is cut off within seconds."""
    from middleplatform.access.bus_keys import revoke_key

    with _said():
        _code(home)
        if not revoke_key(place_of(home), number):
            sys.exit(f"没有编号 {number} 的凭证 · there is no credential {number}: see sevenones user bus list")
    print(f"已撤销 · revoked {number}")


def _code(home: Path) -> str:
    """The mine of this home's bus. Raises CredentialError."""
    from bus.credentials import load_all

    if not home.is_dir():
        sys.exit(f"没有数据目录 {home} · there is no home folder {home}: name it with --home")
    return load_all(home).code


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong, in one line."""
    from bus.errors import BusError
    from middleplatform.access.errors import AccessError
    from middleplatform.database import DatabaseError

    try:
        yield
    except (AccessError, BusError, DatabaseError) as error:
        sys.exit(str(error))
