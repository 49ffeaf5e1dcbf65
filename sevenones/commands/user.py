"""`sevenones user …`: who may sign in, as what, and what they may see."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sevenones.commands import user_bus
from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(user_bus.app, name="bus", help="总线收听凭证 · credentials with which users hear the bus")
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
Name = Annotated[str, typer.Argument(help="用户名 · the user's name")]
Role = Annotated[str, typer.Option(help="角色 · operator, engineer, analyst, bureau, administrator")]
Mines = Annotated[str, typer.Option(help="矿井编码，逗号分隔；缺省为全部 · mine codes by commas; none: all")]
Areas = Annotated[str, typer.Option(help="区域，含其内部区域 · areas by commas, with those that lie in them")]
Subsystems = Annotated[str, typer.Option(help="子系统（模板的 category） · subsystems: categories of templates")]
Classes = Annotated[str, typer.Option(help="数据类别：bulk、statutory、events · classes of data")]


@app.command()
def add(
    name: Name,
    role: Role = "analyst",
    mines: Mines = "",
    areas: Areas = "",
    subsystems: Subsystems = "",
    classes: Classes = "",
    home: Home = Path(".sevenones"),
) -> None:
    """添加用户，显示初始密码，首次登录须更改 · add a user; the password shown has to be changed at first."""
    from middleplatform.access import users
    from middleplatform.access.scope import Scope

    with _said():
        scope = Scope.of(_bounds(mines, areas, subsystems, classes))
        password = users.initial_password()
        users.create_user(place_of(home), name, password, role, scope, must_change=True)
    print(password)


@app.command("list")
def list_all(home: Home = Path(".sevenones")) -> None:
    """列出用户 · list the users."""
    from middleplatform.access.lockout import locked_s
    from middleplatform.access.users import list_users
    from middleplatform.api.times import iso

    where = place_of(home)
    table = Table("用户 · user", "角色 · role", "范围 · scope", "创建 · created", "状态 · state")
    with _said():
        for user in list_users(where):
            locked = locked_s(where, user.name)
            state = f"锁定 · locked {locked:.0f} s" if locked else "须改密码 · must change" if user.must_change else ""
            table.add_row(user.name, user.role, _in_words(user.scope.as_json()), iso(user.created)[:19] + "Z", state)
    Console().print(table)


@app.command()
def role(
    name: Name, new: Annotated[str, typer.Argument(help="新角色 · the new role")], home: Home = Path(".sevenones")
) -> None:
    """更改角色，立即生效 · give a user another role, at once also where the user is signed in."""
    from middleplatform.access.users import set_role

    with _said():
        set_role(place_of(home), name, new)
    print(f"{name}: {new}")


@app.command()
def scope(
    name: Name,
    mines: Mines = "",
    areas: Areas = "",
    subsystems: Subsystems = "",
    classes: Classes = "",
    home: Home = Path(".sevenones"),
) -> None:
    """更改数据范围；不给选项即为全部 · let a user see only this; without an option: everything."""
    from middleplatform.access.scope import Scope
    from middleplatform.access.users import set_scope

    with _said():
        found = Scope.of(_bounds(mines, areas, subsystems, classes))
        set_scope(place_of(home), name, found)
    print(f"{name}: {_in_words(found.as_json())}")


@app.command()
def password(name: Name, home: Home = Path(".sevenones")) -> None:
    """重设密码，显示新的初始密码，并解除锁定 · a new password that has to be changed; ends sessions and a lock."""
    from middleplatform.access import users

    with _said():
        new = users.initial_password()
        users.set_password(place_of(home), name, new, must_change=True)
    print(new)


@app.command()
def unlock(name: Name, home: Home = Path(".sevenones")) -> None:
    """解除登录锁定，密码不变 · let a name sign in again that failures have locked; the password stays."""
    from middleplatform.access.lockout import unlock as clear
    from middleplatform.access.users import find_user

    with _said():
        find_user(place_of(home), name)
        clear(home, name)
    print(f"已解锁 · unlocked {name}")


@app.command()
def remove(name: Name, home: Home = Path(".sevenones")) -> None:
    """删除用户，并撤销其令牌 · remove a user and revoke the tokens that the user made."""
    from middleplatform.access.users import remove_user

    with _said():
        remove_user(place_of(home), name)
    print(f"已删除 · removed {name}")


def _bounds(mines: str, areas: str, subsystems: str, classes: str) -> dict[str, Any]:
    given = {"mines": mines, "areas": areas, "subsystems": subsystems, "classes": classes}
    return {field: [part.strip() for part in text.split(",")] for field, text in given.items() if text.strip()}


def _in_words(bounds: list[dict[str, list[str]]]) -> str:
    return "; ".join(f"{field}: {', '.join(names)}" for each in bounds for field, names in each.items()) or "全部 · all"


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong, in one line."""
    from middleplatform.access.errors import AccessError
    from middleplatform.database import DatabaseError

    try:
        yield
    except (AccessError, DatabaseError) as error:
        sys.exit(str(error))
