"""`sevenones policy …`: what each role may do, and what this mine changes of it."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]


@app.command()
def show(home: Home = Path(".sevenones")) -> None:
    """各角色的权限 · what each role may do now."""
    from middleplatform.access.policies import policy_of, versions
    from middleplatform.access.policy import ROLES
    from middleplatform.api.times import iso

    where = place_of(home)
    found = policy_of(where)
    table = Table("权限 · permission", *ROLES)
    for name, words in found.permissions.items():
        marks = ["✓" if name in found.roles[role] else "" for role in ROLES]
        table.add_row(f"{name}\n{words['zh']} · {words['en']}", *marks)
    Console().print(table)
    for version in versions(where):
        print(f"{version.number}  {iso(version.created)[:19]}Z  {version.author}")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="YAML：roles: {operator: {add: [export.run], remove: []}}")],
    home: Home = Path(".sevenones"),
) -> None:
    """以文件更改权限；会锁死全部管理员的将被拒绝 · change what roles may do, by a file."""
    from middleplatform.access.errors import AccessError
    from middleplatform.access.policies import apply_policy

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"无法读取 {file} · cannot read {file}: {error}")
    try:
        apply_policy(place_of(home), text, f"{getpass.getuser()} (CLI)")
    except AccessError as error:
        sys.exit(str(error))
    print("已生效，数秒内处处有效 · it holds, within seconds everywhere")


@app.command()
def reset(home: Home = Path(".sevenones")) -> None:
    """恢复程序自带的权限 · back to the policy that the program came with."""
    from middleplatform.access.errors import AccessError
    from middleplatform.access.policies import NO_CHANGE, apply_policy

    try:
        apply_policy(place_of(home), NO_CHANGE, f"{getpass.getuser()} (CLI)")
    except AccessError as error:
        sys.exit(str(error))
    print("已恢复 · back to the program's own policy")
